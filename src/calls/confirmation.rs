//! Confirmation: whether the user has to be asked, and a token that binds the answer to one call.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;

use crate::config::{Config, Spending};
use crate::digest::hex;
use crate::ledger::{Ledger, LedgerError};
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
    pub(super) fn new(config: &Config, ledger: Ledger) -> Self {
        Self {
            spending: config.spending(),
            ledger,
            ttl: config.limits.confirmation_ttl,
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
                // First, since where it fails nothing has to be looked up for the question.
                confirmation_token: self.sign(subject).await?,
                message: question.await?,
                ttl: self.ttl,
            })),
            (_, UserAnswer::Confirmed(token)) => {
                let now = self.ledger.now().await?;
                let nonce = self.signer().await?.verify(&token, subject, now);
                let nonce = nonce.ok_or_else(Problem::invalid_confirmation)?;
                Ok(Decision::Proceed(Some(nonce)))
            }
        }
    }

    async fn sign(&self, subject: &str) -> Result<String, LedgerError> {
        let now = self.ledger.now().await?;
        Ok(self.signer().await?.sign(subject, now, self.ttl))
    }

    async fn signer(&self) -> Result<&ConfirmationSigner, LedgerError> {
        let signer = async || {
            let key = self.ledger.signing_key().await?;
            Ok(ConfirmationSigner(SecretBox::new(Box::new(key))))
        };
        self.signer.get_or_try_init(signer).await
    }
}

/// Signs confirmation tokens: `NONCE.EXPIRY.MAC`. It is readable, but can't be changed or used for another call.
#[derive(Debug)]
struct ConfirmationSigner(SecretBox<[u8; 32]>);

impl ConfirmationSigner {
    fn sign(&self, subject: &str, now: i64, ttl: Duration) -> String {
        let nonce = hex(&rand::random::<[u8; 16]>());
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let signed = format!("{nonce}.{}", now.saturating_add(ttl));
        format!("{signed}.{}", self.mac(&signed, subject))
    }

    /// The nonce of a token that was signed here, for this subject, and has not expired.
    fn verify(&self, token: &str, subject: &str, now: i64) -> Option<String> {
        let (signed, mac) = token.rsplit_once('.')?;
        let expected = self.mac(signed, subject);
        let is_ours = bool::from(expected.as_bytes().ct_eq(mac.as_bytes()));
        let (nonce, expiry) = signed.split_once('.')?;
        (is_ours && now <= expiry.parse().ok()?).then(|| nonce.to_owned())
    }

    fn mac(&self, signed: &str, subject: &str) -> String {
        // HMAC fills a key up with zeros to a whole block.
        let mut key = [0; 64];
        let (start, _) = key.split_at_mut(32);
        start.copy_from_slice(self.0.expose_secret());
        let mac = Hmac::<Sha256>::new(&key.into());
        let mac = mac.chain_update(format!("{signed}\0{subject}"));
        hex(&mac.finalize().into_bytes())
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
        let signer = ConfirmationSigner(SecretBox::new(Box::new([7; 32])));
        let token = signer.sign("buy", 1_000, Duration::from_millis(500));
        let nonce = token.split('.').next().map(str::to_owned);
        let other = ConfirmationSigner(SecretBox::new(Box::new([8; 32])));
        let (token, later) = (&*token, &*token.replacen(".1500.", ".9500.", 1));
        for (signer, token, subject, now, good) in [
            (&signer, token, "buy", 1_500, true),
            (&signer, token, "buy", 1_501, false),
            (&signer, token, "sell", 1_000, false),
            (&other, token, "buy", 1_000, false),
            (&signer, later, "buy", 1_000, false),
            (&signer, &token.to_uppercase(), "buy", 1_000, false),
            (&signer, "", "buy", 1_000, false),
        ] {
            let expected = nonce.clone().filter(|_| good);
            let verified = signer.verify(token, subject, now);
            assert_eq!(verified, expected, "{token} {subject}");
        }
    }
}
