//! What a tool is: a contract, an input, an output, and a call.

use std::fmt;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sevendigital::{Answer, Client, Endpoint, Method, Unreadable};

use crate::deed::Deed;
use crate::{cards, schema};

/// Arguments as a client sent them.
pub type Arguments = Map<String, Value>;

/// The fields of a call: a POST has them in its `body`.
pub fn fields(arguments: &Arguments) -> &Arguments {
    arguments
        .get("body")
        .and_then(Value::as_object)
        .unwrap_or(arguments)
}

/// One operation of 7digital's, as agents see it.
pub trait Tool: 'static {
    /// What clients see of it, and what is called upstream.
    const CONTRACT: Contract;
    /// The arguments: schema and parser in one type.
    type Input: Serialize + DeserializeOwned + JsonSchema + Send + Sync;
    /// The document: schema and reader in one type.
    type Output: DeserializeOwned + Serialize + JsonSchema + Send;

    /// What no single argument shows: bounds, and what belongs together.
    fn check(_: &Self::Input) -> Result<(), ToolError> {
        Ok(())
    }

    /// What the user is asked about before the call, for a tool that charges or deletes.
    fn deed(_: &Self::Input) -> Option<Deed> {
        None
    }

    /// A sentence beside the document that helps to go on: our own words and figures only.
    fn note(_: &Self::Output) -> Option<String> {
        None
    }

    /// Makes the call.
    fn call(
        client: &Client,
        input: Self::Input,
    ) -> impl Future<Output = Result<Answer<Self::Output>, ToolError>> + Send;
}

/// Everything about a tool that does not depend on a call.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// Name, kebab-case, as the card has it.
    pub name: &'static str,
    /// Label for people, as the card has it.
    pub title: &'static str,
    /// What happens, what it costs and when to use it, for a model to read; under 2 KB.
    pub description: &'static str,
    /// What clients are told of its manners.
    pub hints: Hints,
    /// Where it stands on the REST surface.
    pub rest: Route,
    /// What is called upstream, and with what effect.
    pub upstream: Endpoint,
    /// Whether the user is asked first.
    pub asks: Asks,
    /// What a caller must have been granted.
    pub scope: Scope,
    /// How often it may be called, beside what binds every call.
    pub pace: Pace,
}

/// What callers are granted: a kind of tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading what an account has.
    Reads,
    /// Opening accounts and checking passwords.
    Account,
    /// Changing the payment cards of an account.
    Cards,
    /// Charging a card, or logging a sale that the partner is billed for.
    Spend,
    /// Reading and changing any user of the partner's: these tools sign with the partner's key alone and name the user.
    Partner,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::Reads,
        Self::Account,
        Self::Cards,
        Self::Spend,
        Self::Partner,
    ];

    /// Its name in settings and in OAuth.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Account => "account",
            Self::Cards => "cards",
            Self::Spend => "spend",
            Self::Partner => "partner",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// How often a tool may be called, beside what binds every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As often as any.
    Free,
    /// It tries a password, so a few times in a minute for one e-mail address.
    Login {
        /// The field with the e-mail address.
        address: &'static str,
    },
    /// It opens an account, so a few times in a minute for one caller.
    Opening,
}

/// Whether the user is asked before a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The call is made.
    Never,
    /// The user is asked, where the operator's policy is to ask: it spends, or it can't be undone.
    First,
}

/// Annotations. They are told to clients and decide nothing here: [`sevendigital::Effect`] does.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    /// What is true.
    pub accurate: Accurate,
    /// What the card says, letter for letter.
    pub published: Published,
}

/// The four hints of MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "MCP has four hints, each a yes or no"
)]
pub struct Accurate {
    /// Changes nothing.
    pub read_only: bool,
    /// May take away or spend what can't be had back.
    pub destructive: bool,
    /// The same call again changes nothing more.
    pub idempotent: bool,
    /// Reaches beyond the user's own account.
    pub open_world: bool,
}

/// The three hints that the card publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The card's `readOnly`.
    pub read_only: bool,
    /// The card's `destructive`.
    pub destructive: bool,
    /// The card's `idempotent`.
    pub idempotent: bool,
}

/// A route of the REST surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// GET takes arguments from the query, POST from a JSON body.
    pub method: Method,
    /// Path, with `{id}` where the argument `id` stands.
    pub path: &'static str,
}

impl Route {
    /// A route read with GET.
    pub const fn get(path: &'static str) -> Self {
        Self {
            method: Method::Get,
            path,
        }
    }

    /// A route written with POST.
    pub const fn post(path: &'static str) -> Self {
        Self {
            method: Method::Post,
            path,
        }
    }
}

/// Why a tool gave no document. Each is told to the caller as a failed call, never as a broken protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// An argument was missing, unknown or wrong; nothing was sent.
    #[error("{0}")]
    Input(String),
    /// The client's: 7digital refused, or was not reached, or gave no readable answer.
    #[error(transparent)]
    Client(#[from] sevendigital::Error),
    /// 7digital said "ok" and reports a failed card registration inside it.
    #[error("the card registration failed")]
    RegistrationFailed {
        /// 7digital's numeric code, where it gave one.
        code: Option<u32>,
        /// 7digital's words.
        message: String,
    },
}

impl ToolError {
    /// A wrong argument: which one, and what was expected of it.
    pub fn input(field: &str, problem: &str) -> Self {
        Self::Input(format!("{field}: {problem}"))
    }
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The document, and what the headers around it said.
    pub answer: Answer<Value>,
    /// A sentence of our own that helps to go on.
    pub note: Option<String>,
}

/// A call whose arguments have been checked, before anything is sent.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// The arguments as they were understood: one form for all spellings of them.
    pub arguments: Arguments,
    /// What the user is asked about.
    pub deed: Option<Deed>,
}

/// Arguments are not printed: passwords are among them.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Plan");
        shown.field("deed", &self.deed);
        shown.finish_non_exhaustive()
    }
}

type Calling = Pin<Box<dyn Future<Output = Result<Reply, ToolError>> + Send>>;

/// A tool with its types hidden, so that the surfaces can hold all of them in one table.
#[derive(Debug, Clone, Copy)]
pub struct AnyTool {
    /// Everything about it that does not depend on a call.
    pub contract: Contract,
    input_schema: fn() -> Map<String, Value>,
    output_schema: fn() -> Map<String, Value>,
    plan: fn(Arguments) -> Result<Plan, ToolError>,
    call: fn(Client, Arguments) -> Calling,
}

impl AnyTool {
    /// Hides the types of `T`.
    pub const fn of<T: Tool>() -> Self {
        Self {
            contract: T::CONTRACT,
            input_schema: schema::input::<T::Input>,
            output_schema: schema::output::<T::Output>,
            plan: plan::<T>,
            call: |client, arguments| Box::pin(call::<T>(client, arguments)),
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

    /// Checks the arguments, and says what they come to.
    pub fn plan(&self, arguments: Arguments) -> Result<Plan, ToolError> {
        (self.plan)(arguments)
    }

    /// Checks the arguments and makes the call. Dropping the future gives the call up where it stands.
    pub async fn call(&self, client: &Client, arguments: Arguments) -> Result<Reply, ToolError> {
        (self.call)(client.clone(), arguments).await
    }
}

fn plan<T: Tool>(arguments: Arguments) -> Result<Plan, ToolError> {
    let input: T::Input = parse(arguments)?;
    T::check(&input)?;
    let Ok(Value::Object(arguments)) = serde_json::to_value(&input) else {
        return Err(ToolError::Input("the arguments are not an object".into()));
    };
    Ok(Plan {
        arguments,
        deed: T::deed(&input),
    })
}

async fn call<T: Tool>(client: Client, arguments: Arguments) -> Result<Reply, ToolError> {
    let input = parse(arguments)?;
    T::check(&input)?;
    let answer = T::call(&client, input).await?;
    let note = T::note(&answer.document);
    match serde_json::to_value(&answer.document) {
        Ok(document) => Ok(Reply {
            answer: answer.map(|_| document),
            note,
        }),
        Err(_) => Err(sevendigital::Error::Unreadable(Unreadable::Shape).into()),
    }
}

/// Arguments into an input; the error names the field and what was expected, never a value.
pub fn parse<T: DeserializeOwned>(mut arguments: Arguments) -> Result<T, ToolError> {
    // Some clients send an object argument as the text of one.
    if let Some(Value::String(text)) = arguments.get("body")
        && let Ok(object @ Value::Object(_)) = serde_json::from_str(text)
    {
        arguments.insert("body".into(), object);
    }
    cards::refuse(&arguments)?;
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let problem = without_value(error.into_inner().to_string());
        // `missing field` and `unknown field` name the field themselves.
        if path == "." || problem.contains(" field `") {
            ToolError::Input(problem)
        } else {
            ToolError::Input(format!("{path}: {problem}"))
        }
    })
}

/// What is wrong with a value, without the value, which may be a password: serde's own words show it before what was expected.
fn without_value(problem: String) -> String {
    let shows_it = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
    ]
    .iter()
    .any(|start| problem.starts_with(start));
    match problem.rsplit_once(", expected ") {
        Some((_, expected)) if shows_it => format!("expected {expected}"),
        _ => problem,
    }
}
