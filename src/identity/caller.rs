//! A caller: which tools it may use, and for which users.

use std::sync::Arc;

use sevendigital::{Auth, Credentials, Token};
use sevendigital_tools::{Contract, Scope};

use super::tool_filter::ToolFilter;
use super::user::User;
use crate::config::Principal;
use crate::problem::{Kind, Problem};

/// A caller, for the length of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    profile: Arc<Profile>,
    filter: ToolFilter,
}

/// What a caller is granted that may look at what an account has.
const LOOKS: Scope = Scope::Reads;

#[derive(Debug, Default)]
struct Profile {
    /// None for the operator.
    name: Option<Arc<str>>,
    /// Names of scopes and of tools.
    grants: Vec<String>,
    /// What an access token grants at most; none where there is no such token.
    scopes: Option<Vec<Scope>>,
    /// The account that the caller is bound to. Without both, it is the configured one, or the one that a call names.
    user_id: Option<String>,
    token: Option<Token>,
}

impl Caller {
    /// The operator: a caller on stdio or in a shell, on loopback where no token is set, or with the operator's `token`.
    pub fn operator() -> Self {
        Self::new(Profile {
            grants: all_scopes(),
            ..Profile::default()
        })
    }

    /// A caller that the settings name; an access token's scopes bound it further.
    pub(super) fn from_principal(principal: &Principal, scopes: Option<Vec<Scope>>) -> Self {
        Self::new(Profile {
            name: Some(principal.name.as_str().into()),
            grants: principal.allow.clone(),
            scopes,
            user_id: principal.user_id.clone(),
            token: principal.token(),
        })
    }

    /// A caller that only the authorization server knows.
    pub(super) fn from_subject(subject: &str, scopes: Vec<Scope>) -> Self {
        Self::new(Profile {
            name: Some(format!("sub:{subject}").into()),
            grants: all_scopes(),
            scopes: Some(scopes),
            ..Profile::default()
        })
    }

    fn new(profile: Profile) -> Self {
        Self {
            profile: Arc::new(profile),
            filter: ToolFilter::default(),
        }
    }

    /// The same caller with fewer tools.
    #[must_use]
    pub fn filtered(self, filter: ToolFilter) -> Self {
        Self { filter, ..self }
    }

    /// The name that limits and sessions go by; the operator has none.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.profile.name.as_ref()
    }

    /// The name in logs: `operator` for the operator.
    pub fn label(&self) -> &str {
        self.name().map_or("operator", |name| name)
    }

    /// Whether the caller may use a tool.
    pub fn may(&self, contract: &Contract) -> bool {
        self.listed(contract)
            && self.missing_scope(contract).is_none()
            && self.filter.includes(contract)
    }

    /// Refuses a tool that the caller may not use.
    pub fn authorize(&self, contract: &Contract) -> Result<(), Problem> {
        if self.may(contract) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            "This caller may not use this tool.",
            "Use the tools that are listed, or ask the operator for the right to this one.",
        ))
    }

    /// Whether the caller may look at what an account has, beside the tools: it was granted all that reads.
    pub fn may_look(&self) -> bool {
        self.grants(LOOKS.as_str()) && self.missing_scope_to_look().is_none()
    }

    /// Refuses a look to a caller that may not have it.
    pub fn authorize_look(&self) -> Result<(), Problem> {
        if self.may_look() {
            return Ok(());
        }
        let what = "This caller may not look at the account or the catalogue.";
        let advice = "Ask the operator for the right to read.";
        Err(Problem::new(Kind::Forbidden, what, advice))
    }

    /// Whether the settings grant it.
    fn listed(&self, contract: &Contract) -> bool {
        self.grants(contract.name) || self.grants(contract.scope.as_str())
    }

    fn grants(&self, name: &str) -> bool {
        self.profile.grants.iter().any(|grant| grant == name)
    }

    /// The scope that an access token lacks for a tool. None where a better token would not help, since the settings do not grant the tool.
    pub fn missing_scope(&self, contract: &Contract) -> Option<Scope> {
        let listed = self.listed(contract);
        self.lacks(contract.scope).filter(|_| listed)
    }

    /// The same for a look.
    pub fn missing_scope_to_look(&self) -> Option<Scope> {
        let granted = self.grants(LOOKS.as_str());
        self.lacks(LOOKS).filter(|_| granted)
    }

    /// A scope that an access token does not have.
    fn lacks(&self, scope: Scope) -> Option<Scope> {
        let scopes = self.profile.scopes.as_ref()?;
        (!scopes.contains(&scope)).then_some(scope)
    }

    /// The scopes of the access token.
    pub fn scopes(&self) -> &[Scope] {
        self.profile.scopes.as_deref().unwrap_or_default()
    }

    /// Whether the caller may name a user in a call of a tool with that scope: it was granted the partner's users, or the tool is about them.
    fn may_name_users(&self, scope: Scope) -> bool {
        let granted = self.grants(Scope::Partner.as_str());
        (granted && self.lacks(Scope::Partner).is_none())
            || matches!(scope, Scope::Partner | Scope::Account)
    }

    /// The user of a look: the one that its headers name, checked against the caller's own account.
    pub fn user_of_look(
        &self,
        from_headers: Option<User>,
        configured: Option<&str>,
    ) -> Result<Option<User>, Problem> {
        self.user(LOOKS, from_headers, &[], configured)
    }

    /// The user of a call: the one that its headers name, checked against the ones in its arguments and against the caller's own account.
    ///
    /// `scope` is that of the tool, `configured` the managed user of the settings. Where two of them differ, nothing is sent.
    pub fn user(
        &self,
        scope: Scope,
        from_headers: Option<User>,
        in_arguments: &[String],
        configured: Option<&str>,
    ) -> Result<Option<User>, Problem> {
        let names_other =
            |own: Option<&str>| in_arguments.iter().any(|id| Some(id.as_str()) != own);
        let Profile { user_id, token, .. } = &*self.profile;
        if user_id.is_some() || token.is_some() {
            let own = user_id.as_deref();
            let other = match &from_headers {
                None => false,
                Some(User::Id(id)) => Some(id.as_str()) != own,
                Some(User::Token(_)) => true,
            };
            if other || names_other(own) {
                return Err(forbidden_user());
            }
            let token = token.clone().map(User::Token);
            return Ok(token.or_else(|| user_id.clone().map(User::Id)));
        }
        if let Some(User::Id(id)) = &from_headers
            && names_other(Some(id))
        {
            return Err(Problem::ambiguous_user(
                "they name one user, and the argument `userId` another",
            ));
        }
        let named = match &from_headers {
            Some(User::Id(id)) => Some(id.as_str()) != configured,
            // The user of an access token is not known here.
            Some(User::Token(_)) => names_other(None),
            None => names_other(configured),
        };
        if named && !self.may_name_users(scope) {
            return Err(forbidden_user());
        }
        Ok(from_headers)
    }
}

/// A token's call is for the token's user. With a `userId` beside it, what is asked about and what is sent could be for two.
pub fn check_user(
    contract: &Contract,
    credentials: &Credentials,
    named: &[String],
) -> Result<(), Problem> {
    let by_token = contract.upstream.auth == Auth::User && credentials.token.is_some();
    let other = |id: &String| Some(id.as_str()) != credentials.user_id.as_deref();
    if by_token && named.iter().any(other) {
        return Err(Problem::new(
            Kind::Argument,
            "An argument is not right: userId: an access token signs the call, which is for the token's own user.",
            "Leave `userId` out; for another user the operator configures no access token, or logs that user in.",
        ));
    }
    Ok(())
}

fn all_scopes() -> Vec<String> {
    Scope::ALL.map(|scope| scope.as_str().to_owned()).to_vec()
}

fn forbidden_user() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "This caller may not act for the user that the call names.",
        "Leave out `userId`, and headers that name a user; the call is then for the caller's own account.",
    )
}
