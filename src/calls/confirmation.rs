//! Confirmation: whether the user has to be asked, and a token that binds the answer to one call.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;

use crate::config::Spending;
use crate::digest::hex;
use crate::ledger::{Ledger, LedgerError, now};
use crate::problem::{Kind, Problem};

/// What is known of the user's answer when a call comes in.
#[derive(Clone)]
pub enum UserAnswer {
    /// The user confirmed the question that this token was made for.
    Confirmed(String),
    /// The user was not asked yet, and can be.
    NotAsked,
    /// The client has no way to ask.
    ElicitationUnsupported,
}

/// A question to the user, and the token that their confirmation comes back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question, in our own words and checked values.
    pub message: String,
    /// Binds the answer to the call: caller, account, tool and arguments; good for one call until `ttl` has passed.
    pub confirmation_token: String,
    /// How long the token is good.
    pub ttl: Duration,
}

/// Whether a call may go on.
pub(super) enum Decision {
    /// Yes; with the nonce of the user's confirmation, which is good once.
    Proceed(Option<String>),
    /// Only after the user has confirmed it.
    Ask(Question),
}

/// Decides which calls the user must confirm, and signs the confirmations.
#[derive(Debug)]
pub(super) struct Confirmations {
    spending: Spending,
    ledger: Ledger,
    ttl: Duration,
    signer: OnceCell<ConfirmationSigner>,
}

impl Confirmations {
    pub(super) fn new(spending: Spending, ledger: Ledger, ttl: Duration) -> Self {
        Self {
            spending,
            ledger,
            ttl,
            signer: OnceCell::new(),
        }
    }

    /// Whether a call that spends or deletes may go on. `subject` is what a confirmation is good for; `question` is polled only where the user must be asked.
    pub(super) async fn decide(
        &self,
        answer: UserAnswer,
        subject: &str,
        question: impl Future<Output = Result<String, Problem>>,
    ) -> Result<Decision, Problem> {
        match (self.spending, answer) {
            (Spending::Allow, _) => Ok(Decision::Proceed(None)),
            (_, UserAnswer::ElicitationUnsupported) => Err(Problem::elicitation_unsupported()),
            (_, UserAnswer::NotAsked) => Ok(Decision::Ask(Question {
                message: question.await?,
                confirmation_token: self.signer().await?.sign(subject, now(), self.ttl),
                ttl: self.ttl,
            })),
            (_, UserAnswer::Confirmed(token)) => {
                let nonce = self.signer().await?.verify(&token, subject, now());
                let nonce = nonce.ok_or_else(Problem::invalid_confirmation)?;
                Ok(Decision::Proceed(Some(nonce)))
            }
        }
    }

    /// Uses a confirmation up. A purchase uses its own up in the ledger, together with its intent.
    pub(super) async fn consume(&self, nonce: Option<String>) -> Result<(), Problem> {
        if let Some(nonce) = nonce
            && !self.ledger.consume_confirmation(nonce).await?
        {
            return Err(Problem::invalid_confirmation());
        }
        Ok(())
    }

    async fn signer(&self) -> Result<&ConfirmationSigner, LedgerError> {
        let signer = async || Ok(ConfirmationSigner(self.ledger.signing_key().await?));
        self.signer.get_or_try_init(signer).await
    }
}

/// Signs confirmation tokens: `NONCE.EXPIRY.MAC`. It is readable, but can't be changed or used for another call.
struct ConfirmationSigner([u8; 32]);

/// The key is not printed.
impl std::fmt::Debug for ConfirmationSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfirmationSigner([redacted])")
    }
}

impl ConfirmationSigner {
    fn sign(&self, subject: &str, now: i64, ttl: Duration) -> String {
        let nonce = hex(&rand::random::<[u8; 16]>());
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let signed = format!("{nonce}.{}", now.saturating_add(ttl));
        let mac = hex(&self.mac(&signed, subject).finalize().into_bytes());
        format!("{signed}.{mac}")
    }

    /// The nonce of a token that was signed here, for this subject, and has not expired.
    fn verify(&self, token: &str, subject: &str, now: i64) -> Option<String> {
        let (signed, mac) = token.rsplit_once('.')?;
        let expected = hex(&self.mac(signed, subject).finalize().into_bytes());
        if !bool::from(expected.as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let (nonce, expiry) = signed.split_once('.')?;
        (now <= expiry.parse().ok()?).then(|| nonce.to_owned())
    }

    fn mac(&self, signed: &str, subject: &str) -> Hmac<Sha256> {
        // HMAC fills a key up with zeros to a whole block.
        let mut key = [0; 64];
        key.iter_mut()
            .zip(self.0)
            .for_each(|(place, byte)| *place = byte);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(signed.as_bytes());
        mac.update(b"\0");
        mac.update(subject.as_bytes());
        mac
    }
}

impl Problem {
    /// The user would have to confirm the call, and this client can't ask.
    pub(crate) fn elicitation_unsupported() -> Self {
        Self::new(
            Kind::ElicitationUnsupported,
            "This call needs the user's confirmation, and this client can't ask for it: the setting `spending` is `confirm`.",
            "Use a client that supports elicitation, or ask the operator to set `spending` (`SEVENDIGITAL_MCP_SPENDING`) to `allow`.",
        )
    }

    /// The user did not confirm the call.
    pub(crate) fn declined() -> Self {
        Self::new(
            Kind::Declined,
            "The user did not confirm the call, so nothing was sent.",
            "Don't call again unless the user asks for it.",
        )
    }

    /// The confirmation is not good for this call.
    pub(crate) fn invalid_confirmation() -> Self {
        Self::new(
            Kind::InvalidConfirmation,
            "The confirmation is not valid for this call: it belongs to another call or account, is too old, or was used before.",
            "Call again without it; the user is then asked anew.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_subject_until_it_expires() {
        let signer = ConfirmationSigner([7; 32]);
        let token = signer.sign("buy", 1_000, Duration::from_millis(500));
        let nonce = token.split('.').next().map(str::to_owned);
        let other = ConfirmationSigner([8; 32]);
        for (signer, token, subject, now, good) in [
            (&signer, token.clone(), "buy", 1_500, true),
            (&signer, token.clone(), "buy", 1_501, false),
            (&signer, token.clone(), "sell", 1_000, false),
            (&other, token.clone(), "buy", 1_000, false),
            (
                &signer,
                token.replacen(".1500.", ".9500.", 1),
                "buy",
                1_000,
                false,
            ),
            (&signer, token.to_uppercase(), "buy", 1_000, false),
            (&signer, String::new(), "buy", 1_000, false),
        ] {
            let verified = signer.verify(&token, subject, now);
            assert_eq!(
                verified,
                nonce.clone().filter(|_| good),
                "{token} {subject}"
            );
        }
    }
}
