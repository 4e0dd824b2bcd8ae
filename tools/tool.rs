//! What a tool is: a contract, an input, an output, and a call.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sevendigital::{Answer, Client};

use crate::amount::Amount;
use crate::values::Email;
use crate::{Action, Contract, Page, RateLimitClass, ToolError};

/// The fields of a document.
pub type Fields = Map<String, Value>;

/// How the action of a call is read from its input.
pub type ActionOf<T> = fn(&<T as Tool>::Input) -> Result<Action, ToolError>;

/// One operation of 7digital's, as agents see it.
pub trait Tool: Sized + 'static {
    /// What clients see of it, and what is called upstream.
    const CONTRACT: Contract;
    /// What a call would do. With one, the user is asked to confirm the call; a tool that charges must have one.
    const ACTION: Option<ActionOf<Self>> = None;
    /// Which rate limit it has, beside those that bind every call.
    const RATE_LIMIT: RateLimitClass = RateLimitClass::General;
    /// How many characters a result may have that a model reads whole, for tools whose results are long; Claude cuts off others before.
    const MAX_RESULT_CHARS: Option<u32> = None;
    /// The arguments, of a POST those in its `body`: schema and parser in one type.
    type Input: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// The document. Its schema is the shape that answers are brought to.
    type Output: JsonSchema + 'static;

    /// Checks what no single argument shows: bounds, and what belongs together.
    fn check(_: &Self::Input) -> Result<(), ToolError> {
        Ok(())
    }

    /// The e-mail address whose password is tried, for tools of `RateLimitClass::Login`.
    fn email(_: &Self::Input) -> Option<&Email> {
        None
    }

    /// A sentence beside the document that helps to go on: our own words and figures only.
    fn note(_: &Fields) -> Option<String> {
        None
    }

    /// The page that its result leads the user to.
    fn page(_: &Self::Input, _: &Fields) -> Option<Page> {
        None
    }

    /// Calls 7digital. Unless a tool says otherwise, the input is sent as it is.
    fn call(
        client: &Client,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Answer<Fields>, ToolError>> + Send {
        async move { Ok(client.call(&Self::CONTRACT.upstream, input).await?) }
    }

    /// Calls 7digital with the price that the user confirmed, for operations that refuse another one. Unless a tool says otherwise, the price is not sent.
    fn call_at(
        client: &Client,
        input: &Self::Input,
        _: Option<&Amount>,
    ) -> impl Future<Output = Result<Answer<Fields>, ToolError>> + Send {
        Self::call(client, input)
    }

    /// Looks at the answer in its shape: fails where it says that nothing was done, and adds what only the request and the headers say.
    fn complete(_: &Client, _: &Self::Input, _: &mut Answer<Fields>) -> Result<(), ToolError> {
        Ok(())
    }
}
