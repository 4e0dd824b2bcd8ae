//! A call that is authorized, read and checked, before anything is sent.

use std::ops::Deref;

use sevendigital::Client;
use sevendigital_tools::values::Price;
use sevendigital_tools::{Action, Prepared};

use super::call_key::{CallKey, digest};
use crate::identity::Caller;

/// A call that can be sent.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) caller: Caller,
    pub(super) client: Client,
    pub(super) prepared: Prepared,
    pub(super) key: CallKey,
}

impl Ready {
    /// The call with what it would do, if it spends or deletes.
    pub(super) fn pending(&self) -> Option<Pending> {
        let action = self.prepared.action()?.clone();
        Some(Pending {
            ready: self.clone(),
            action,
        })
    }
}

/// A call that spends or deletes.
#[derive(Debug)]
pub(super) struct Pending {
    ready: Ready,
    pub(super) action: Action,
}

impl Deref for Pending {
    type Target = Ready;

    fn deref(&self) -> &Ready {
        &self.ready
    }
}

impl Pending {
    /// Who pays for what for whom: the same for all tools, prices and spellings.
    pub(super) fn identity(&self) -> String {
        let Action {
            item,
            payer,
            reference,
            ..
        } = &self.action;
        let reference = reference.as_deref().map(digest).unwrap_or_default();
        let account = &self.key.account;
        format!("{account} {} {item} {reference}", payer.as_str())
    }

    /// The price in minor units, where it is known before.
    pub(super) fn price(&self) -> Option<u32> {
        self.action.price.map(Price::in_minor_units)
    }

    /// The country whose currency prices are in.
    pub(super) fn country(&self) -> Option<&str> {
        let named = self.prepared.target().country.as_deref();
        named.or(self.client.credentials().country.as_deref())
    }

    /// The account as a person can recognise it.
    pub(super) fn account_in_words(&self) -> String {
        let credentials = self.client.credentials();
        let named = self.prepared.target().user_id.as_ref();
        match (named.or(credentials.user_id.as_ref()), &credentials.token) {
            (Some(user), _) => format!("user `{user}`"),
            (None, Some(_)) => "the user who is signed in".to_owned(),
            (None, None) => "the partner's own account".to_owned(),
        }
    }
}
