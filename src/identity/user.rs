//! The user of a call, where the headers of its request name one.

use http::HeaderMap;
use sevendigital::{Secret, Token};

use crate::config::Config;
use crate::headers::single_header;
use crate::problem::{Kind, Problem};

const TOKEN: &str = "x-7digital-access-token";
const TOKEN_SECRET: &str = "x-7digital-access-token-secret";
const USER_ID: &str = "x-7digital-user-id";

/// The user of a call.
#[derive(Debug, Clone)]
pub enum User {
    /// The owner of an access token.
    Token(Token),
    /// A managed user.
    Id(String),
}

/// Where the user of a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSource {
    /// The settings.
    Configured,
    /// The headers of each request; where it has none, the settings.
    FromHeaders,
}

impl UserSource {
    /// As the settings say.
    pub fn from_config(config: &Config) -> Self {
        if config.user_from_headers {
            Self::FromHeaders
        } else {
            Self::Configured
        }
    }

    /// The user that headers name: an access token with its secret, or the id of a managed user.
    ///
    /// Headers that the operator does not allow fail the call: without them it would be for another user.
    pub fn user(self, headers: &HeaderMap) -> Result<Option<User>, Problem> {
        let (token, secret) = (value(headers, TOKEN)?, value(headers, TOKEN_SECRET)?);
        let id = value(headers, USER_ID)?;
        let wrong = match (token, secret, id) {
            (None, None, None) => return Ok(None),
            _ if self == Self::Configured => {
                "this server does not take users from headers: the operator would have to set `user_from_headers` (`SEVENDIGITAL_MCP_USER_FROM_HEADERS`)"
            }
            (Some(token), Some(secret), None) => {
                let (token, secret) = (Secret::from(token), Secret::from(secret));
                return Ok(Some(User::Token(Token { token, secret })));
            }
            (None, None, Some(id)) => return Ok(Some(User::Id(id.to_owned()))),
            (_, _, Some(_)) => "give either `X-7digital-User-Id` or an access token, not both",
            (_, _, None) => {
                "`X-7digital-Access-Token` and `X-7digital-Access-Token-Secret` belong together"
            }
        };
        Err(Problem::ambiguous_user(wrong))
    }
}

impl Problem {
    /// The user of a call is not clear; `problem` is the end of a sentence.
    pub(super) fn ambiguous_user(problem: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::Header,
            format!("The request's headers don't say clearly which user it is for: {problem}."),
            "Correct the headers and call again.",
        )
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let text = single_header(headers, name).map(|text| text.map(str::trim));
    match text {
        Ok(text) if text.is_none_or(|text| (1..=255).contains(&text.len())) => Ok(text),
        _ => Err(Problem::ambiguous_user(format_args!(
            "the header `{name}` is given once, with 1 to 255 visible ASCII characters"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::UserSource::{Configured, FromHeaders};
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_user_is_named_by_a_token_pair_or_by_an_id() {
        let given = headers(&[(TOKEN, "t"), (TOKEN_SECRET, "s")]);
        let token = FromHeaders.user(&given);
        assert!(
            matches!(token, Ok(Some(User::Token(token))) if token.token.expose() == "t" && token.secret.expose() == "s")
        );
        let id = FromHeaders.user(&headers(&[(USER_ID, "500124")]));
        assert!(matches!(id, Ok(Some(User::Id(id))) if id == "500124"));
        assert!(matches!(FromHeaders.user(&headers(&[])), Ok(None)));
    }

    #[test]
    fn what_is_not_clear_fails_and_names_the_header() {
        for (given, users, named) in [
            (&[(USER_ID, "1")][..], Configured, "user_from_headers"),
            (&[(TOKEN, "t")], FromHeaders, "belong together"),
            (&[(TOKEN_SECRET, "s")], FromHeaders, "belong together"),
            (
                &[(TOKEN, "t"), (TOKEN_SECRET, "s"), (USER_ID, "1")],
                FromHeaders,
                "not both",
            ),
            (&[(USER_ID, "1"), (USER_ID, "2")], FromHeaders, "given once"),
            (&[(USER_ID, "")], FromHeaders, USER_ID),
        ] {
            let problem = users.user(&headers(given)).unwrap_err();
            assert!(problem.what.contains(named), "{given:?}: {problem:?}");
        }
    }
}
