//! How often passwords are tried and accounts opened, on whatever surface.

use std::time::Duration;

use sevendigital_tools::{Contract, RateLimitClass};

use crate::calls::admission::Keyed;
use crate::calls::call::Failure;
use crate::config::Limits;
use crate::digest::{hex, sha256};
use crate::identity::Caller;

/// Counts of the last minute.
#[derive(Debug)]
pub(crate) struct Paces {
    logins: Keyed,
    logins_of_caller: Keyed,
    openings_of_caller: Keyed,
}

impl Paces {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            logins: Keyed::per_minute(limits.logins_per_minute.nonzero()),
            logins_of_caller: Keyed::per_minute(limits.caller_logins_per_minute.nonzero()),
            openings_of_caller: Keyed::per_minute(limits.caller_openings_per_minute.nonzero()),
        }
    }

    /// Counts a call of a tool whose pace is bounded.
    pub(crate) fn pass(
        &self,
        contract: &Contract,
        caller: &Caller,
        email: Option<&str>,
    ) -> Result<(), Failure> {
        let too_often = |what: &'static str| move |wait: Duration| Failure::TooOften { what, wait };
        match contract.rate_limit {
            RateLimitClass::General => {}
            RateLimitClass::Login => {
                // The caller first: whoever may try no more uses nothing up that is everybody's.
                if let Some(name) = caller.name() {
                    self.logins_of_caller
                        .pass(name)
                        .map_err(too_often("passwords were tried by this caller"))?;
                }
                let given = email.unwrap_or_default().to_lowercase();
                // An address need not stay in memory.
                self.logins
                    .pass(&hex(&sha256(&given)).into())
                    .map_err(too_often("passwords for this e-mail address were tried"))?;
            }
            RateLimitClass::Signup => {
                if let Some(name) = caller.name() {
                    let key = format!("{name} {}", contract.name);
                    self.openings_of_caller
                        .pass(&key.into())
                        .map_err(too_often("accounts were opened by this caller"))?;
                }
            }
        }
        Ok(())
    }
}
