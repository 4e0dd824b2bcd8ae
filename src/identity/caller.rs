//! Who calls, which tools they may call, and on whose account.

use std::sync::Arc;

use sevendigital::Token;
use sevendigital_tools::{Contract, Scope};

use crate::calls::call::{Failure, User};
use crate::config::Principal;

use super::tool_filter::Choice;

/// Who calls, for the length of one call.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Arc<Known>,
    choice: Choice,
}

#[derive(Debug)]
struct Known {
    /// Nothing for the operator.
    name: Option<Arc<str>>,
    grants: Vec<Grant>,
    /// What an access token grants, which nothing exceeds.
    scopes: Option<Vec<Scope>>,
    account: Account,
}

/// What a caller may use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Grant {
    Scope(Scope),
    Tool(String),
}

/// On whose account a caller acts.
#[derive(Debug)]
enum Account {
    /// On the settings' account, or on that which a call names.
    Named,
    /// On this one alone.
    Bound {
        user_id: Option<String>,
        token: Option<Token>,
    },
}

impl Default for Caller {
    fn default() -> Self {
        Self::operator()
    }
}

impl Caller {
    /// The operator: whoever starts the program on stdio or in a shell, calls it on loopback where no token is set, or shows `token`.
    pub fn operator() -> Self {
        Self::of(Known {
            name: None,
            grants: Scope::ALL.map(Grant::Scope).to_vec(),
            scopes: None,
            account: Account::Named,
        })
    }

    /// A caller whom the settings name; an access token's scopes bound it further.
    pub(super) fn named(principal: &Principal, scopes: Option<Vec<Scope>>) -> Self {
        let grant = |word: &String| {
            Scope::from_name(word).map_or_else(|| Grant::Tool(word.clone()), Grant::Scope)
        };
        let (user_id, token) = (principal.user_id.clone(), principal.token());
        Self::of(Known {
            name: Some(principal.name.as_str().into()),
            grants: principal.allow.iter().map(grant).collect(),
            scopes,
            account: match (&user_id, &token) {
                (None, None) => Account::Named,
                _ => Account::Bound { user_id, token },
            },
        })
    }

    /// Somebody whom only the authorization server knows.
    pub(super) fn subject(subject: &str, scopes: Vec<Scope>) -> Self {
        Self::of(Known {
            name: Some(format!("sub:{subject}").into()),
            grants: Scope::ALL.map(Grant::Scope).to_vec(),
            scopes: Some(scopes),
            account: Account::Named,
        })
    }

    fn of(known: Known) -> Self {
        Self {
            who: Arc::new(known),
            choice: Choice::default(),
        }
    }

    /// The same caller, who asks to be shown fewer tools.
    #[must_use]
    pub fn choosing(self, choice: Choice) -> Self {
        Self { choice, ..self }
    }

    /// The name that limits and sessions go by; the operator has none.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.who.name.as_ref()
    }

    /// The name as logs show it.
    pub fn shown(&self) -> &str {
        self.name().map_or("operator", |name| name)
    }

    /// Whether the caller may use a tool.
    pub fn may(&self, contract: &Contract) -> bool {
        self.granted(contract) && self.choice.includes(contract)
    }

    fn granted(&self, contract: &Contract) -> bool {
        self.listed(contract) && self.lacks(contract).is_none()
    }

    /// Whether the settings grant it.
    fn listed(&self, contract: &Contract) -> bool {
        self.who.grants.iter().any(|grant| match grant {
            Grant::Scope(scope) => *scope == contract.scope,
            Grant::Tool(name) => name == contract.name,
        })
    }

    /// The scope that an access token lacks for a tool. None where a better token would not help, since the settings do not grant the tool.
    pub fn lacks(&self, contract: &Contract) -> Option<Scope> {
        let scopes = self.who.scopes.as_ref()?;
        let lacks = self.listed(contract) && !scopes.contains(&contract.scope);
        lacks.then_some(contract.scope)
    }

    /// The scopes of the access token.
    pub fn scopes(&self) -> &[Scope] {
        self.who.scopes.as_deref().unwrap_or_default()
    }

    /// Whether the caller may say in a call of that tool whose account it is about: it was granted the partner's users, or a tool that is about them.
    fn names_users(&self, contract: &Contract) -> bool {
        let partner = Grant::Scope(Scope::Partner);
        let within = self.who.scopes.as_ref();
        let granted = self.who.grants.contains(&partner)
            && within.is_none_or(|scopes| scopes.contains(&Scope::Partner));
        granted || matches!(contract.scope, Scope::Partner | Scope::Account)
    }

    /// For whom a call is: the user whom its headers name, held against the one that its arguments name, and against the caller's own account.
    ///
    /// `ours` is the managed user of the settings. Where two of them differ, nothing is sent.
    pub fn user(
        &self,
        contract: &Contract,
        of_headers: Option<User>,
        in_arguments: &[String],
        ours: Option<&str>,
    ) -> Result<Option<User>, Failure> {
        let names_other =
            |own: Option<&str>| in_arguments.iter().any(|id| Some(id.as_str()) != own);
        if let Account::Bound { user_id, token } = &self.who.account {
            let own = user_id.as_deref();
            let other = match &of_headers {
                None => false,
                Some(User::Id(id)) => Some(id.as_str()) != own,
                Some(User::Token(_)) => true,
            };
            if other || names_other(own) {
                return Err(Failure::NotYours);
            }
            return Ok(match (token, user_id) {
                (Some(token), _) => Some(User::Token(token.clone())),
                (None, id) => id.clone().map(User::Id),
            });
        }
        if let Some(User::Id(id)) = &of_headers
            && names_other(Some(id))
        {
            return Err(Failure::User(
                "they name one user, and the argument `userId` another".into(),
            ));
        }
        let named = match &of_headers {
            Some(User::Id(id)) => Some(id.as_str()) != ours,
            // Whose it is, nobody knows here.
            Some(User::Token(_)) => names_other(None),
            None => names_other(ours),
        };
        if named && !self.names_users(contract) {
            return Err(Failure::NotYours);
        }
        Ok(of_headers)
    }
}
