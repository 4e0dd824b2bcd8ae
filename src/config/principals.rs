//! Callers by name: what each shows, may do, and on whose account.

use serde::Deserialize;
use sevendigital::{Secret, Token};
use sevendigital_tools::{Scope, TOOLS};

use super::error::ConfigError;
use super::values::is_unset;
use crate::digest;

/// A caller as the file describes it, in a table `[[principals]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// What it is called in logs and limits.
    pub name: String,
    /// SHA-256 of its bearer token, in 64 hexadecimal digits; `sevendigital-mcp token new` prints one.
    token_sha256: Option<String>,
    /// Its `sub` in access tokens of the authorization server.
    pub subject: Option<String>,
    /// Scopes and tool names.
    pub allow: Vec<String>,
    /// The managed user that it is bound to.
    pub user_id: Option<String>,
    access_token: Option<Secret>,
    access_token_secret: Option<Secret>,
}

impl Principal {
    /// The digest of its bearer token, if it has one.
    pub fn digest(&self) -> Option<[u8; 32]> {
        digest::of_hex(self.token_sha256.as_ref()?)
    }

    /// The user's token that it is bound to, if it has one.
    pub fn token(&self) -> Option<Token> {
        let (token, secret) = self
            .access_token
            .clone()
            .zip(self.access_token_secret.clone())?;
        Some(Token { token, secret })
    }

    /// What is wrong with its name or with what it may do.
    fn wrong_name_or_grants(&self) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
        if !(1..=64).contains(&self.name.len()) || !self.name.chars().all(is_plain) {
            return Some(
                "`name` has 1 to 64 letters, digits, dots, hyphens, underscores or at signs".into(),
            );
        }
        if self.name == OPERATOR {
            return Some(
                "`name` is `operator`, which is the caller that shows `token`: choose another"
                    .into(),
            );
        }
        if self.allow.is_empty() {
            return Some("`allow` is empty, so it could do nothing: name scopes or tools".into());
        }
        let is_known = |word: &str| {
            Scope::from_name(word).is_some() || TOOLS.iter().any(|tool| tool.contract.name == word)
        };
        let word = self.allow.iter().find(|word| !is_known(word))?;
        let scopes = Scope::ALL.map(|scope| format!("`{}`", scope.as_str()));
        Some(format!(
            "`allow` has `{word}`, which is neither a tool nor one of {}",
            scopes.join(", ")
        ))
    }

    /// What is wrong with how it is known, or with the account that it is bound to.
    fn wrong_identity(&self, with_oauth: bool) -> Option<&'static str> {
        let is_half = self.access_token.is_some() != self.access_token_secret.is_some();
        let secrets = [&self.access_token, &self.access_token_secret]
            .into_iter()
            .flatten();
        // An empty value does not count as absent here: a gap in the file must not widen what a caller may do.
        let has_gap = secrets.into_iter().any(|secret| is_unset(secret.expose()));
        match (&self.token_sha256, &self.subject) {
            (None, None) => Some(
                "give `token_sha256`, or `subject` for access tokens of the authorization server",
            ),
            (Some(_), _) if self.digest().is_none() => Some(
                "`token_sha256` is not the SHA-256 of a token in 64 hexadecimal digits; `sevendigital-mcp token new` prints one",
            ),
            (_, Some(_)) if !with_oauth => {
                Some("`subject` needs `auth_issuer`, which vouches for it")
            }
            (_, Some(subject)) if subject.is_empty() => Some("`subject` is empty"),
            _ if is_half => Some(
                "`access_token` and `access_token_secret` belong together: set both or neither",
            ),
            _ if has_gap => Some(
                "`access_token` and `access_token_secret` are not filled in: leave them out, or name the account that it is bound to",
            ),
            _ if self.user_id.as_deref().is_some_and(is_unset) => Some(
                "`user_id` is not filled in: leave it out, or name the account that it is bound to",
            ),
            _ => None,
        }
    }

    /// Whether a token or an access token could be either's.
    fn is_twin_of(&self, other: &Self) -> bool {
        self.name == other.name
            || (self.digest().is_some() && self.digest() == other.digest())
            || (self.subject.is_some() && self.subject == other.subject)
    }
}

/// The name by which logs and confirmations know the operator.
const OPERATOR: &str = "operator";

/// What no field shows by itself. `operator` is the operator's own token.
pub(super) fn check(
    principals: &[Principal],
    operator: Option<&Secret>,
    with_oauth: bool,
) -> Result<(), ConfigError> {
    let operator = operator.map(|token| digest::sha256(token.expose()));
    for (index, principal) in principals.iter().enumerate() {
        let mut before = principals.iter().take(index);
        let problem = if let Some(problem) = principal.wrong_name_or_grants() {
            problem
        } else if let Some(problem) = principal.wrong_identity(with_oauth) {
            problem.to_owned()
        } else if operator.is_some() && principal.digest() == operator {
            "its token is the operator's `token`: give it one of its own".to_owned()
        } else if let Some(twin) = before.find(|other| principal.is_twin_of(other)) {
            format!("`{}` has its name, token or subject already", twin.name)
        } else {
            continue;
        };
        let number = index + 1;
        return Err(ConfigError(format!(
            "`principals` number {number}: {problem}"
        )));
    }
    Ok(())
}
