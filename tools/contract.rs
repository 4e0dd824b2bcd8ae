//! The contract of a tool: what clients see of it, and what is called upstream.

use sevendigital::Endpoint;

/// Everything about a tool that does not depend on a call.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// Name, kebab-case, as the capability has it.
    pub name: &'static str,
    /// Label for people, as the capability has it.
    pub title: &'static str,
    /// One sentence on what it does, for the table in the README.
    pub summary: &'static str,
    /// What happens, what it costs and when to use it, for a model to read; under 2 KB.
    pub description: &'static str,
    /// The annotations that clients see.
    pub hints: Hints,
    /// Its path on the REST surface, with `{id}` for the argument `id`. GET takes arguments from the query, POST from a JSON body, as `upstream` does.
    pub rest: &'static str,
    /// What is called upstream, and with what effect.
    pub upstream: Endpoint,
    /// What a caller must have been granted.
    pub scope: Scope,
}

/// The annotations of a tool. They inform clients and decide nothing here: [`sevendigital::Effect`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// What is true.
    pub accurate: Annotations,
    /// What the capability publishes, letter for letter.
    pub published: Annotations,
}

/// The four hints of MCP; the capability publishes the first three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only: bool,
    /// May delete or spend what can't be restored.
    pub destructive: bool,
    /// The same call again changes nothing more.
    pub idempotent: bool,
    /// Reaches beyond the user's own account; none where it is not published.
    pub open_world: Option<bool>,
}

impl Hints {
    /// Reads.
    pub const READ: Self = Self::new([true, false, true, false], [true, false, true]);
    /// Charges the user's payment card. Idempotent, since the same purchase is sent once in 24 hours.
    pub const PURCHASE: Self = Self::new([false, true, true, true], [true, false, true]);
    /// Logs a sale that the partner is billed for.
    pub const SALE: Self = Self::new([false, true, true, false], [true, false, true]);
    /// Replaces or deletes what is stored; the same call again changes nothing more.
    pub const REPLACEMENT: Self = Self::new([false, true, true, false], [false, false, false]);
    /// Has an effect with each call, and takes nothing away: opens an account, tries a password.
    pub const NON_IDEMPOTENT: Self = Self::new([false, false, false, false], [false, false, false]);
    /// Creates something once, however often it is called.
    pub const IDEMPOTENT_CREATION: Self =
        Self::new([false, false, true, false], [true, false, true]);
    /// Starts or ends a subscription; the same call again may report another fee.
    pub const SUBSCRIPTION: Self = Self::new([false, true, false, false], [true, false, false]);

    const fn new(accurate: [bool; 4], published: [bool; 3]) -> Self {
        let [read_only, destructive, idempotent, open_world] = accurate;
        let accurate = Annotations {
            read_only,
            destructive,
            idempotent,
            open_world: Some(open_world),
        };
        let [read_only, destructive, idempotent] = published;
        let published = Annotations {
            read_only,
            destructive,
            idempotent,
            open_world: None,
        };
        Self {
            accurate,
            published,
        }
    }
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
    /// Charging a payment card, or logging a sale that the partner is billed for.
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
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Which rate limit a tool has, beside those that bind every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitClass {
    /// None of its own.
    General,
    /// It tries a password: a few times a minute for one e-mail address (`Prepared::email`).
    Login,
    /// It opens an account: a few times a minute for one caller.
    Signup,
}
