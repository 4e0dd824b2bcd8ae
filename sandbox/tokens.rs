//! Request tokens and access tokens, with their secrets.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::refusal::Refusal;

const MOST_TOKENS: usize = 10_000;

/// The tokens that the sandbox issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: BTreeMap<String, Access>,
    requests: BTreeMap<String, Requested>,
}

#[derive(Debug)]
struct Access {
    secret: String,
    user_id: String,
}

#[derive(Debug)]
struct Requested {
    secret: String,
    /// The user who allowed it, once that has happened.
    user_id: Option<String>,
}

impl Tokens {
    pub(crate) fn access_secret(&self, token: &str) -> Option<String> {
        self.access.get(token).map(|access| access.secret.clone())
    }

    pub(crate) fn request_secret(&self, token: &str) -> Option<String> {
        let requested = self.requests.get(token)?;
        Some(requested.secret.clone())
    }

    /// The user of an access token.
    pub(crate) fn user_of(&self, token: &str) -> Option<&str> {
        self.access.get(token).map(|access| access.user_id.as_str())
    }

    /// Issues an access token of a user.
    pub(crate) fn grant(&mut self, token: &str, secret: &str, user_id: &str) {
        let access = Access {
            secret: secret.to_owned(),
            user_id: user_id.to_owned(),
        };
        self.access.insert(token.to_owned(), access);
    }

    pub(crate) fn is_requested(&self, token: &str) -> bool {
        self.requests.contains_key(token)
    }

    pub(crate) fn authorise(&mut self, token: &str, user_id: &str) {
        if let Some(requested) = self.requests.get_mut(token) {
            requested.user_id = Some(user_id.to_owned());
        }
    }

    pub(crate) fn deny(&mut self, token: &str) {
        self.requests.remove(token);
    }

    /// A new request token and its secret.
    pub(crate) fn request(&mut self) -> (String, String) {
        if self.requests.len() >= MOST_TOKENS {
            self.requests.pop_first();
        }
        let (token, secret) = pair();
        let requested = Requested {
            secret: secret.clone(),
            user_id: None,
        };
        self.requests.insert(token.clone(), requested);
        (token, secret)
    }

    /// Turns a request token that a user allowed into an access token, once.
    pub(crate) fn exchange(&mut self, request_token: &str) -> Result<(String, String), Refusal> {
        let requested = self.requests.get(request_token);
        let user_id = requested
            .and_then(|requested| requested.user_id.clone())
            .ok_or_else(|| Refusal::new(2002, "Request token has not been authorised"))?;
        if self.access.len() >= MOST_TOKENS {
            return Err(Refusal::new(7001, "Too many access tokens"));
        }
        self.requests.remove(request_token);
        let (token, secret) = pair();
        self.grant(&token, &secret, &user_id);
        Ok((token, secret))
    }
}

/// Secrets end in `==` as 7digital's do, so that a client which forgets to encode them fails here.
fn pair() -> (String, String) {
    let [token, secret] = [(); 2].map(|()| Uuid::new_v4().simple().to_string());
    (token, secret + "==")
}
