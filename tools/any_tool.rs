//! A tool with its types hidden, so that one table can hold all of them.

use serde_json::{Map, Value};
use sevendigital::{Effect, Method};

use crate::arguments::Body;
use crate::schema;
use crate::{Arguments, Contract, Prepared, RateLimitClass, Tool, ToolError};

/// The schemas of one type.
#[derive(Debug, Clone, Copy)]
struct Schemas {
    whole: fn() -> Map<String, Value>,
    listed: fn() -> Map<String, Value>,
}

/// A tool with its types hidden, so that one table can hold all of them.
#[derive(Debug, Clone, Copy)]
pub struct AnyTool {
    /// Everything about it that does not depend on a call.
    pub contract: Contract,
    /// Whether a user must confirm a call: so for each tool that has an [`ACTION`](Tool::ACTION).
    pub requires_confirmation: bool,
    /// Which rate limit it has, beside those that bind every call.
    pub rate_limit: RateLimitClass,
    /// How many characters a result may have that a model reads whole, where that is more than usual.
    pub max_result_chars: Option<u32>,
    input: Schemas,
    output: Schemas,
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
            max_result_chars: T::MAX_RESULT_CHARS,
            input: match T::CONTRACT.upstream.method {
                Method::Get => Schemas {
                    whole: schema::input::<T::Input>,
                    listed: schema::listed_input::<T::Input>,
                },
                Method::Post => Schemas {
                    whole: schema::input::<Body<T::Input>>,
                    listed: schema::listed_input::<Body<T::Input>>,
                },
            },
            output: Schemas {
                whole: schema::output::<T::Output>,
                listed: schema::listed_output::<T::Output>,
            },
            prepare: Prepared::new::<T>,
        }
    }

    /// JSON schema of the arguments.
    pub fn input_schema(&self) -> Map<String, Value> {
        (self.input.whole)()
    }

    /// The same as MCP lists it, where every byte is read by a model.
    pub fn listed_input_schema(&self) -> Map<String, Value> {
        (self.input.listed)()
    }

    /// JSON schema of the document.
    pub fn output_schema(&self) -> Map<String, Value> {
        (self.output.whole)()
    }

    /// The same as MCP lists it: shorter, and met by whatever meets the whole one.
    pub fn listed_output_schema(&self) -> Map<String, Value> {
        (self.output.listed)()
    }

    /// Reads and checks the arguments: card data, types, bounds. Nothing is sent.
    pub fn prepare(&self, arguments: Arguments) -> Result<Prepared, ToolError> {
        (self.prepare)(arguments)
    }
}
