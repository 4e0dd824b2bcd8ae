//! A tool with its types hidden, so that one table can hold all of them.

use serde_json::{Map, Value};
use sevendigital::{Effect, Method};

use crate::arguments::Body;
use crate::schema;
use crate::{Arguments, Contract, Prepared, RateLimitClass, Tool, ToolError};

/// A tool with its types hidden, so that one table can hold all of them.
#[derive(Debug, Clone, Copy)]
pub struct AnyTool {
    /// Everything about it that does not depend on a call.
    pub contract: Contract,
    /// Whether a user must confirm a call: so for each tool that has an [`ACTION`](Tool::ACTION).
    pub requires_confirmation: bool,
    /// Which rate limit it has, beside those that bind every call.
    pub rate_limit: RateLimitClass,
    input_schema: fn() -> Map<String, Value>,
    output_schema: fn() -> Map<String, Value>,
    prepare: fn(Arguments) -> Result<Prepared, ToolError>,
}

impl AnyTool {
    /// Hides the types of `T`. A tool that charges and has no action does not compile.
    pub const fn new<T: Tool>() -> Self {
        const {
            assert!(
                T::ACTION.is_some() || !matches!(T::CONTRACT.upstream.effect, Effect::Charges),
                "a tool that charges needs an action"
            );
        }
        Self {
            contract: T::CONTRACT,
            requires_confirmation: T::ACTION.is_some(),
            rate_limit: T::RATE_LIMIT,
            input_schema: match T::CONTRACT.upstream.method {
                Method::Get => schema::input::<T::Input>,
                Method::Post => schema::input::<Body<T::Input>>,
            },
            output_schema: schema::output::<T::Output>,
            prepare: Prepared::new::<T>,
        }
    }

    /// JSON schema of the arguments.
    pub fn input_schema(&self) -> Map<String, Value> {
        (self.input_schema)()
    }

    /// JSON schema of the document.
    pub fn output_schema(&self) -> Map<String, Value> {
        (self.output_schema)()
    }

    /// Reads and checks the arguments: card data, types, bounds. Nothing is sent.
    pub fn prepare(&self, arguments: Arguments) -> Result<Prepared, ToolError> {
        (self.prepare)(arguments)
    }
}
