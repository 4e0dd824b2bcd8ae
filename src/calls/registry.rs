//! The tools that are served.

use std::sync::Arc;

use sevendigital::Effect;
use sevendigital_tools::{AnyTool, TOOLS};

use crate::config::Config;

/// The tools that the settings choose, in the capability's order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry(Arc<[AnyTool]>);

impl Registry {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        let serves = |tool: &AnyTool| {
            let reads = tool.contract.upstream.effect == Effect::Reads;
            config.serves(tool.contract.name, reads)
        };
        Self(TOOLS.iter().copied().filter(serves).collect())
    }

    /// Every tool that is served.
    pub fn tools(&self) -> &[AnyTool] {
        &self.0
    }

    /// The tool of that name, if it is served.
    pub fn find(&self, name: &str) -> Option<&AnyTool> {
        self.0.iter().find(|tool| tool.contract.name == name)
    }
}
