//! Callers by name: what each shows, may do, and on whose account.

use std::collections::HashMap;

use serde::Deserialize;
use sevendigital::{Secret, Token};
use sevendigital_tools::{Scope, TOOLS};

use super::text::{is_placeholder, is_unset};
use super::values::{plain, secret};
use crate::digest;

/// A caller as the file describes it, in a table `[[principals]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// What it is called in logs and limits.
    pub name: String,
    /// SHA-256 of its bearer token, in 64 hexadecimal digits; `sevendigital-mcp token new` prints one.
    #[serde(default, deserialize_with = "plain")]
    token_sha256: Option<String>,
    /// Its `sub` in access tokens of the authorization server.
    pub subject: Option<String>,
    /// Scopes and tool names.
    pub allow: Vec<String>,
    /// The managed user that it is bound to.
    #[serde(default, deserialize_with = "plain")]
    pub user_id: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    access_token: Option<Secret>,
    #[serde(default, deserialize_with = "secret")]
    access_token_secret: Option<Secret>,
}

impl Principal {
    /// The digest of its bearer token, if it has one.
    pub fn digest(&self) -> Option<[u8; 32]> {
        digest::of_hex(self.token_sha256.as_ref()?)
    }

    /// The user's token that it is bound to, if it has one.
    pub fn token(&self) -> Option<Token> {
        let token = self.access_token.clone()?;
        let secret = self.access_token_secret.clone()?;
        Some(Token { token, secret })
    }

    /// What is wrong with it, the callers before it apart. `operator` is the digest of the operator's own token.
    fn problem(&self, operator: Option<[u8; 32]>, with_oauth: bool) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
        let has_name = (1..=64).contains(&self.name.len()) && self.name.chars().all(is_plain);
        let is_known = |word: &str| {
            Scope::from_name(word).is_some() || TOOLS.iter().any(|tool| tool.contract.name == word)
        };
        let unknown = self.allow.iter().find(|word| !is_known(word));
        let scopes = Scope::ALL.map(|scope| format!("`{}`", scope.as_str()));
        let unknown = unknown.map(|word| {
            let scopes = scopes.join(", ");
            format!("`allow` has `{word}`, which is neither a tool nor one of {scopes}")
        });
        let (digest, subject) = (self.digest(), self.subject.as_deref());
        let secrets = [&self.access_token, &self.access_token_secret];
        let given = secrets.into_iter().flatten();
        // An empty value does not count as absent here: a gap in the file must not widen what a caller may do.
        let is_gap = |value: &str| is_unset(value) || is_placeholder(value);
        let has_gap = given.clone().any(|secret| is_gap(secret.expose()));
        // What must not be, and the way out.
        #[rustfmt::skip]
        let rules = [
            (!has_name, "`name` has 1 to 64 letters, digits, dots, hyphens, underscores or at signs"),
            (self.name == OPERATOR, "`name` is `operator`, which is the caller that shows `token`: choose another"),
            (self.allow.is_empty(), "`allow` is empty, so it could do nothing: name scopes or tools"),
            (unknown.is_some(), unknown.as_deref().unwrap_or_default()),
            (self.token_sha256.is_none() && subject.is_none(), "give `token_sha256`, or `subject` for access tokens of the authorization server"),
            (self.token_sha256.is_some() && digest.is_none(), "`token_sha256` is not the SHA-256 of a token in 64 hexadecimal digits; `sevendigital-mcp token new` prints one"),
            (subject.is_some() && !with_oauth, "`subject` needs `auth_issuer`, which vouches for it"),
            (subject == Some(""), "`subject` is empty"),
            (given.count() == 1, "`access_token` and `access_token_secret` belong together: set both or neither"),
            (has_gap, "`access_token` and `access_token_secret` are not filled in: leave them out, or name the account that it is bound to"),
            (self.user_id.as_deref().is_some_and(is_gap), "`user_id` is not filled in: leave it out, or name the account that it is bound to"),
            (digest.is_some() && digest == operator, "its token is the operator's `token`: give it one of its own"),
        ];
        let broken = rules.into_iter().find(|(is_broken, _)| *is_broken);
        broken.map(|(_, problem)| problem.to_owned())
    }

    /// What it is known by, and no other may be: its name, its bearer token and its subject.
    fn marks(&self) -> impl Iterator<Item = Mark<'_>> {
        let (digest, subject) = (self.digest(), self.subject.as_deref());
        let name = std::iter::once(Mark::Name(&self.name));
        let token = digest.map(Mark::Token).into_iter();
        name.chain(token).chain(subject.map(Mark::Subject))
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Mark<'a> {
    Name(&'a str),
    Token([u8; 32]),
    Subject(&'a str),
}

/// The name by which logs and confirmations know the operator.
const OPERATOR: &str = "operator";

/// What no field shows by itself. `operator` is the operator's own token.
pub(super) fn check(
    principals: &[Principal],
    operator: Option<&Secret>,
    with_oauth: bool,
) -> Result<(), String> {
    let operator = operator.map(|token| digest::sha256(token.expose()));
    let mut before: HashMap<Mark<'_>, &str> = HashMap::new();
    for (index, principal) in principals.iter().enumerate() {
        let twin = principal
            .marks()
            .find_map(|mark| before.get(&mark).copied());
        let problem = principal.problem(operator, with_oauth).or_else(|| {
            let name = twin?;
            Some(format!("`{name}` has its name, token or subject already"))
        });
        before.extend(
            principal
                .marks()
                .map(|mark| (mark, principal.name.as_str())),
        );
        if let Some(problem) = problem {
            let number = index + 1;
            return Err(format!("`principals` number {number}: {problem}"));
        }
    }
    Ok(())
}
