//! What stands between the surfaces and the tools: which tools there are, whether one may spend, and that a call once sent runs to its end.

use std::sync::Arc;

use serde_json::Value;
use sevendigital::{Answer, Client, Effect};
use sevendigital_tools::tool::Arguments;
use sevendigital_tools::{AnyTool, TOOLS, ToolError};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::config::{Config, ConfigError, Spending};

/// The tools that are served, and the way to call them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    client: Client,
    tools: Arc<[AnyTool]>,
    spending: Spending,
    calls: TaskTracker,
}

/// Why a call gave no document.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The tool's own reason.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The operator does not let this server spend.
    #[error("spending is switched off")]
    SpendingOff,
    /// The user would have to be asked.
    #[error("the user was not asked")]
    NotConfirmed,
    /// A fault of ours.
    #[error("the call broke off inside this server")]
    Broken,
}

impl Guard {
    /// The tools that the settings choose, over a client made from them.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let program = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        let client = Client::new(
            config.base_uri.clone(),
            config.oauth_placement,
            config.credentials(),
            program,
        )
        .map_err(|error| ConfigError(format!("the HTTPS client can't be started: {error}")))?;
        let serves = |tool: &AnyTool| {
            config.serves(
                tool.contract.name,
                tool.contract.upstream.effect == Effect::Reads,
            )
        };
        Ok(Self {
            client,
            tools: TOOLS.into_iter().filter(serves).collect(),
            spending: config.spending(),
            calls: TaskTracker::new(),
        })
    }

    /// The tools that are served, in the card's order.
    pub fn tools(&self) -> &[AnyTool] {
        &self.tools
    }

    /// The tool of that name, if it is served.
    pub fn find(&self, name: &str) -> Option<&AnyTool> {
        self.tools.iter().find(|tool| tool.contract.name == name)
    }

    /// Makes a call.
    ///
    /// Each runs in a task of its own, so a panic ends that call and nothing else.
    /// Dropping the future stops a read; what changes or charges goes on to its end, since 7digital may have it already.
    pub async fn call(
        &self,
        tool: &AnyTool,
        arguments: Arguments,
    ) -> Result<Answer<Value>, Failure> {
        let effect = tool.contract.upstream.effect;
        if effect == Effect::Charges {
            match self.spending {
                Spending::Allow => {}
                Spending::Confirm => return Err(Failure::NotConfirmed),
                Spending::Off => return Err(Failure::SpendingOff),
            }
        }
        let (tool, client) = (*tool, self.client.clone());
        let task = self
            .calls
            .spawn(async move { tool.call(&client, arguments).await });
        let finished = match effect {
            Effect::Reads => AbortOnDropHandle::new(task).await,
            Effect::Writes | Effect::Charges => task.await,
        };
        match finished {
            Ok(outcome) => Ok(outcome?),
            // The panic itself is on stderr, from the panic hook; its text is not for the caller.
            Err(_) => Err(Failure::Broken),
        }
    }

    /// Waits until no call is under way. Calls that come later are still made.
    pub async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }
}
