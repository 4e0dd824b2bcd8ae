//! For whom a call over HTTP is, where its headers say so.

use http::HeaderMap;
use sevendigital::{Secret, Token};

use crate::calls::call::{Failure, User};
use crate::config::Config;

const TOKEN: &str = "x-7digital-access-token";
const TOKEN_SECRET: &str = "x-7digital-access-token-secret";
const USER_ID: &str = "x-7digital-user-id";

/// Who says for whom calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// The settings.
    Configured,
    /// The headers of each request; where it has none, the settings.
    FromHeaders,
}

impl Users {
    /// As the settings say.
    pub fn of(config: &Config) -> Self {
        if config.user_from_headers {
            Self::FromHeaders
        } else {
            Self::Configured
        }
    }
}

/// The user whom headers name: an access token with its secret, or the id of a managed user.
///
/// Headers that the operator does not allow fail the call: to ignore them would be to act on another user's account.
pub fn of_headers(headers: &HeaderMap, users: Users) -> Result<Option<User>, Failure> {
    let values = (
        value(headers, TOKEN)?,
        value(headers, TOKEN_SECRET)?,
        value(headers, USER_ID)?,
    );
    let fail = |problem: &str| Err(Failure::User(problem.to_owned()));
    match (values, users) {
        ((None, None, None), _) => Ok(None),
        (_, Users::Configured) => fail(
            "this server does not take users from headers: the operator would have to set `user_from_headers` (`SEVENDIGITAL_MCP_USER_FROM_HEADERS`)",
        ),
        ((Some(token), Some(secret), None), _) => Ok(Some(User::Token(Token {
            token: Secret::from(token),
            secret: Secret::from(secret),
        }))),
        ((None, None, Some(id)), _) => Ok(Some(User::Id(id.to_owned()))),
        ((_, _, Some(_)), _) => {
            fail("give either `X-7digital-User-Id` or an access token, not both")
        }
        ((_, _, None), _) => {
            fail("`X-7digital-Access-Token` and `X-7digital-Access-Token-Secret` belong together")
        }
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let problem = |what: &str| Failure::User(format!("the header `{name}` {what}"));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(problem("is given twice")),
        (Some(value), None) => match value.to_str() {
            Ok(text) if (1..=255).contains(&text.trim().len()) => Ok(Some(text.trim())),
            _ => Err(problem("must have 1 to 255 visible ASCII characters")),
        },
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
        let token = of_headers(
            &headers(&[(TOKEN, "t"), (TOKEN_SECRET, "s")]),
            Users::FromHeaders,
        );
        assert!(
            matches!(token, Ok(Some(User::Token(token))) if token.token.expose() == "t" && token.secret.expose() == "s")
        );
        let id = of_headers(&headers(&[(USER_ID, "500124")]), Users::FromHeaders);
        assert!(matches!(id, Ok(Some(User::Id(id))) if id == "500124"));
        assert!(matches!(
            of_headers(&headers(&[]), Users::FromHeaders),
            Ok(None)
        ));
    }

    #[test]
    fn what_is_not_clear_fails_and_names_the_header() {
        for (given, users, named) in [
            (
                &[(USER_ID, "1")][..],
                Users::Configured,
                "user_from_headers",
            ),
            (&[(TOKEN, "t")], Users::FromHeaders, "belong together"),
            (
                &[(TOKEN_SECRET, "s")],
                Users::FromHeaders,
                "belong together",
            ),
            (
                &[(TOKEN, "t"), (TOKEN_SECRET, "s"), (USER_ID, "1")],
                Users::FromHeaders,
                "not both",
            ),
            (
                &[(USER_ID, "1"), (USER_ID, "2")],
                Users::FromHeaders,
                "twice",
            ),
            (&[(USER_ID, "")], Users::FromHeaders, USER_ID),
        ] {
            match of_headers(&headers(given), users) {
                Err(Failure::User(problem)) => assert!(problem.contains(named), "{problem}"),
                other => panic!("{given:?}: {other:?}"),
            }
        }
    }
}
