//! An operation of the API: method, path, whose signature it needs, and what it does to the account.

/// The HTTP method of an operation.
///
/// It says where parameters travel, never whether a call is harmless: 7digital's purchases are GETs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Parameters travel in the query.
    Get,
    /// Parameters travel in a form body; 7digital refuses stray query parameters on a POST.
    Post,
}

impl Method {
    /// The method's name as it stands in a request line and in a signature.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Whose signature an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// The consumer's alone (two-legged).
    Consumer,
    /// A user's access token (three-legged), or the consumer's with a `userId`.
    User,
}

/// What an operation does. This alone decides whether a call is retried, never its HTTP method.
///
/// Exhaustive on purpose: a `match` has to decide about what charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing; may be repeated.
    Reads,
    /// Changes an account, without charging for it.
    Writes,
    /// Spends money: charges a payment card, or logs a sale that is billed.
    Charges,
}

impl Effect {
    /// Its name: `reads`, `writes` or `charges`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Charges => "charges",
        }
    }
}

/// One operation of the API.
///
/// ```
/// use sevendigital::{Auth, Effect, Endpoint, Method};
///
/// const DETAILS: Endpoint = Endpoint::get("/user/details", Auth::User, Effect::Reads);
/// const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);
/// assert_eq!((DETAILS.method, SIGNUP.method), (Method::Get, Method::Post));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// How its parameters travel.
    pub method: Method,
    /// Path below the base URI, spelled as 7digital signs it; `{id}` stands for the parameter `id`.
    pub path: &'static str,
    /// Whose signature it needs.
    pub auth: Auth,
    /// What it does.
    pub effect: Effect,
    /// Whether its document may come with a redirect, which is not followed.
    pub redirects: bool,
}

impl Endpoint {
    /// An operation called with GET.
    pub const fn get(path: &'static str, auth: Auth, effect: Effect) -> Self {
        Self {
            method: Method::Get,
            path,
            auth,
            effect,
            redirects: false,
        }
    }

    /// An operation called with POST and a form body.
    pub const fn post(path: &'static str, auth: Auth, effect: Effect) -> Self {
        Self {
            method: Method::Post,
            path,
            auth,
            effect,
            redirects: false,
        }
    }

    /// The same operation, whose document may come with HTTP 302 or 303 and a `Location`. Without this a redirect is an error.
    #[must_use]
    pub const fn with_redirect(self) -> Self {
        Self {
            redirects: true,
            ..self
        }
    }
}
