//! Kept-alive connections for reads, for each account by itself.
//!
//! An upstream that falls out of step answers a request with the answer to the one before it on the same connection: that must never be another account's.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use parking_lot::Mutex;

use crate::connection::Opener;
use crate::credentials::Credentials;
use crate::endpoint::Auth;
use crate::oauth::Parameter;

/// Accounts that have connections at once, besides the client's own.
const MAX_ACCOUNTS: usize = 64;
/// Idle connections of the account that the client was made for.
const OWN_IDLE: usize = 64;
/// Idle connections of each other account.
const IDLE: usize = 4;

/// An account as far as connections go: a digest, so that nothing secret is kept here.
type Account = u64;

/// The connections of all accounts.
pub(crate) struct Pools {
    opener: Opener,
    digest: RandomState,
    own: (Account, reqwest::Client),
    /// Of other accounts, the last used one at the end.
    others: Mutex<VecDeque<(Account, reqwest::Client)>>,
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").finish_non_exhaustive()
    }
}

impl Pools {
    /// For a client with these credentials of its own.
    pub(crate) fn new(opener: Opener, credentials: &Credentials) -> Result<Self, reqwest::Error> {
        let digest = RandomState::new();
        let token = credentials.token.as_ref().map(|token| token.token.expose());
        let own = digest.hash_one((token, credentials.user_id.as_deref()));
        Ok(Self {
            own: (own, opener.open(OWN_IDLE)?),
            opener,
            digest,
            others: Mutex::default(),
        })
    }

    /// The connections for a request: by the token that signs it, and by the user that it names.
    pub(crate) fn of(
        &self,
        auth: Auth,
        credentials: &Credentials,
        parameters: &[Parameter],
    ) -> Result<reqwest::Client, reqwest::Error> {
        let token = credentials.token.as_ref().filter(|_| auth == Auth::User);
        let token = token.map(|token| token.token.expose());
        let mut named = parameters.iter().filter(|(name, _)| name == "userId");
        let user = named.next().map(|(_, id)| &**id);
        let account = self.digest.hash_one((token, user));
        if account == self.own.0 {
            return Ok(self.own.1.clone());
        }
        let mut others = self.others.lock();
        let known = others.iter().position(|(other, _)| *other == account);
        let pool = match known.and_then(|place| others.remove(place)) {
            Some((_, pool)) => pool,
            None => self.opener.open(IDLE)?,
        };
        others.push_back((account, pool.clone()));
        if others.len() > MAX_ACCOUNTS {
            others.pop_front();
        }
        Ok(pool)
    }
}
