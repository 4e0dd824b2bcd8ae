//! The user of a call, where the headers of its request name one.

use http::HeaderMap;
use sevendigital::{Secret, Token};

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

impl User {
    /// The user that headers name: an access token with its secret, or the id of a managed user. Where they name none, it is that of the settings.
    ///
    /// Headers that the operator does not allow (`user_from_headers`) fail the call: without them it would be for another user.
    pub fn from_headers(headers: &HeaderMap, allowed: bool) -> Result<Option<Self>, Problem> {
        let (token, secret) = (value(headers, TOKEN)?, value(headers, TOKEN_SECRET)?);
        let id = value(headers, USER_ID)?;
        let wrong = match (token, secret, id) {
            (None, None, None) => return Ok(None),
            _ if !allowed => {
                "this server does not take users from headers: the operator would have to set `user_from_headers` (`SEVENDIGITAL_MCP_USER_FROM_HEADERS`)"
            }
            (Some(token), Some(secret), None) => {
                let (token, secret) = (Secret::from(token), Secret::from(secret));
                return Ok(Some(Self::Token(Token { token, secret })));
            }
            (None, None, Some(id)) => return Ok(Some(Self::Id(id.to_owned()))),
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
        let token = User::from_headers(&given, true);
        assert!(
            matches!(token, Ok(Some(User::Token(token))) if token.token.expose() == "t" && token.secret.expose() == "s")
        );
        let id = User::from_headers(&headers(&[(USER_ID, "500124")]), true);
        assert!(matches!(id, Ok(Some(User::Id(id))) if id == "500124"));
        assert!(matches!(User::from_headers(&headers(&[]), true), Ok(None)));
    }

    #[test]
    fn what_is_not_clear_fails_and_names_the_header() {
        for (given, allowed, named) in [
            (&[(USER_ID, "1")][..], false, "user_from_headers"),
            (&[(TOKEN, "t")], true, "belong together"),
            (&[(TOKEN_SECRET, "s")], true, "belong together"),
            (
                &[(TOKEN, "t"), (TOKEN_SECRET, "s"), (USER_ID, "1")],
                true,
                "not both",
            ),
            (&[(USER_ID, "1"), (USER_ID, "2")], true, "given once"),
            (&[(USER_ID, "")], true, USER_ID),
        ] {
            let problem = User::from_headers(&headers(given), allowed).unwrap_err();
            assert!(problem.what.contains(named), "{given:?}: {problem:?}");
        }
    }
}
