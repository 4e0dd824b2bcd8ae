//! Callers by name: what each shows, may do, and on whose account.

use serde::Deserialize;
use sevendigital::{Secret, Token};
use sevendigital_tools::{Scope, TOOLS};

use super::ConfigError;
use super::layers::is_unset;
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
}

/// The name that logs and confirmations know the operator by.
const OPERATOR: &str = "operator";

/// What no field shows by itself. `operator` is the digest of the operator's own token.
pub(super) fn check(
    principals: &[Principal],
    operator: Option<[u8; 32]>,
    with_oauth: bool,
) -> Result<(), ConfigError> {
    for (index, principal) in principals.iter().enumerate() {
        let place = format!("`principals` number {}", index + 1);
        let fail = |problem: &str| Err(ConfigError(format!("{place}: {problem}")));
        let name_is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
        if principal.name.is_empty()
            || principal.name.len() > 64
            || !principal.name.chars().all(name_is_plain)
        {
            return fail(
                "`name` has 1 to 64 letters, digits, dots, hyphens, underscores or at signs",
            );
        }
        if principal.name == OPERATOR {
            return fail("`name` is `operator`, which is whoever shows `token`: choose another");
        }
        let known = |word: &String| {
            Scope::from_name(word).is_some() || TOOLS.iter().any(|tool| tool.contract.name == word)
        };
        if principal.allow.is_empty() {
            return fail("`allow` is empty, so it could do nothing: name scopes or tools");
        }
        if let Some(word) = principal.allow.iter().find(|word| !known(word)) {
            return fail(&format!(
                "`allow` has `{word}`, which is neither a tool nor one of `reads`, `account`, `cards`, `spend`, `partner`"
            ));
        }
        match (&principal.token_sha256, &principal.subject) {
            (None, None) => {
                return fail(
                    "give `token_sha256`, or `subject` for access tokens of the authorization server",
                );
            }
            (Some(_), _) if principal.digest().is_none() => {
                return fail(
                    "`token_sha256` is not the SHA-256 of a token in 64 hexadecimal digits; `sevendigital-mcp token new` prints one",
                );
            }
            (_, Some(_)) if !with_oauth => {
                return fail("`subject` needs `auth_issuer`: nobody else vouches for it");
            }
            (_, Some(subject)) if subject.is_empty() => return fail("`subject` is empty"),
            _ => {}
        }
        if principal.access_token.is_some() != principal.access_token_secret.is_some() {
            return fail(
                "`access_token` and `access_token_secret` belong together: set both or neither",
            );
        }
        // What is empty does not count as not set here: nobody is let loose by a gap in the file.
        let pair = [&principal.access_token, &principal.access_token_secret];
        if pair
            .into_iter()
            .flatten()
            .any(|part| is_unset(part.expose()))
        {
            return fail(
                "`access_token` and `access_token_secret` are not filled in: leave them out, or say whom it is bound to",
            );
        }
        if principal.user_id.as_deref().is_some_and(is_unset) {
            return fail("`user_id` is not filled in: leave it out, or say whom it is bound to");
        }
        if operator.is_some() && principal.digest() == operator {
            return fail("its token is the operator's `token`: give it one of its own");
        }
        let twin = principals.iter().take(index).find(|other| {
            other.name == principal.name
                || (other.digest().is_some() && other.digest() == principal.digest())
                || (other.subject.is_some() && other.subject == principal.subject)
        });
        if let Some(twin) = twin {
            return fail(&format!(
                "`{}` has its name, token or subject already",
                twin.name
            ));
        }
    }
    Ok(())
}
