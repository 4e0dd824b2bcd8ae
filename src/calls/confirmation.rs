//! Confirmation: whether the user has to be asked and in which way, and a token that binds the answer to one call and to what was offered.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;

use super::offer::Offer;
use crate::config::{Config, ConfirmWay, Spending};
use crate::digest::hex;
use crate::ledger::{Ledger, LedgerError};
use crate::problem::Problem;

/// What is known of the user's answer when a call comes in.
#[derive(Clone)]
pub enum UserAnswer {
    /// The user confirmed the question that this token was made for.
    Confirmed(String),
    /// The client answered that question with a no.
    Declined(String),
    /// The user was not asked yet.
    NotAsked(Asker),
}

/// What the caller can do to ask the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Its client shows a question: by elicitation, or as a program that calls over REST.
    Client,
    /// Its client says that it does, and is known to answer for its user.
    DoubtfulClient,
    /// The person is at a terminal.
    Terminal,
    /// Nothing.
    Nothing,
}

/// A question to the user, and the token that their confirmation comes back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question, in our own words and checked values; 7digital's titles are marked as such.
    pub message: String,
    /// Binds the answer to the call: caller, account, tool and arguments, and to what was offered; good for one call until `ttl` has passed.
    pub confirmation_token: String,
    /// How long the token is good.
    pub ttl: Duration,
}

/// Whether a call may go on.
pub(super) enum Decision {
    /// Yes, and with what.
    Proceed(Confirmed),
    /// Only after the user has confirmed it.
    Ask(Question),
    /// The question is gone: what it asked about was made, or its time is up.
    Superseded,
}

/// What a call that may go on goes on with.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    /// The nonce of the user's confirmation, which is good once; none where nobody is asked.
    pub(super) nonce: Option<String>,
    /// What was offered, where it was looked up.
    pub(super) offer: Option<Offer>,
}

/// A way in which a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The caller asks, and comes back with a token.
    Caller,
    /// The question waits for an answer from the browser.
    Browser,
    /// The question waits for an answer from a terminal.
    Terminal,
}

/// Decides in which way users are asked, and signs the confirmations.
#[derive(Debug)]
pub(super) struct Confirmations {
    pub(super) spending: Spending,
    ways: Vec<ConfirmWay>,
    ledger: Ledger,
    pub(super) ttl: Duration,
    signer: OnceCell<ConfirmationSigner>,
}

impl Confirmations {
    pub(super) fn new(config: &Config, ledger: Ledger) -> Self {
        Self {
            spending: config.spending(),
            ways: config.confirm_with.clone(),
            ledger,
            ttl: config.limits.confirmation_ttl,
            signer: OnceCell::new(),
        }
    }

    /// The ways to ask, the best first, by the settings and by what the caller can do.
    pub(super) fn ways(&self, asker: Asker) -> Vec<Way> {
        let is_auto = self.ways.contains(&ConfirmWay::Auto);
        let all = [
            ConfirmWay::Client,
            ConfirmWay::Browser,
            ConfirmWay::Terminal,
        ];
        let listed = if is_auto { &all[..] } else { &self.ways };
        let ways = listed.iter().filter_map(|way| match way {
            ConfirmWay::Auto => None,
            ConfirmWay::Client => match asker {
                Asker::Client | Asker::Terminal => Some(Way::Caller),
                Asker::DoubtfulClient => (!is_auto).then_some(Way::Caller),
                Asker::Nothing => None,
            },
            ConfirmWay::Browser => Some(Way::Browser),
            ConfirmWay::Terminal if asker == Asker::Terminal => Some(Way::Caller),
            ConfirmWay::Terminal => Some(Way::Terminal),
        });
        ways.collect()
    }

    /// Fails where no confirmation can be made.
    pub(super) async fn check(&self) -> Result<(), LedgerError> {
        self.signer().await.map(|_| ())
    }

    /// Signs a confirmation of this offer; `subject` is what it is good for.
    pub(super) async fn sign(&self, subject: &str, offer: &Offer) -> Result<String, LedgerError> {
        let now = self.ledger.now().await?;
        Ok(self.signer().await?.sign(subject, offer, now, self.ttl))
    }

    /// The confirmation of a token for this subject.
    pub(super) async fn verify(&self, token: &str, subject: &str) -> Result<Confirmed, Problem> {
        let now = self.ledger.now().await?;
        let confirmed = self.signer().await?.verify(token, subject, now);
        confirmed.ok_or_else(Problem::invalid_confirmation)
    }

    /// A no uses the token up as a yes does.
    pub(super) async fn decline(&self, token: &str, subject: &str) -> Result<Problem, Problem> {
        if let Some(nonce) = self.verify(token, subject).await?.nonce {
            self.ledger.consume_confirmation(nonce).await?;
        }
        Ok(Problem::declined_by_client())
    }

    async fn signer(&self) -> Result<&ConfirmationSigner, LedgerError> {
        let signer = async || {
            let key = self.ledger.signing_key().await?;
            Ok(ConfirmationSigner(SecretBox::new(Box::new(key))))
        };
        self.signer.get_or_try_init(signer).await
    }
}

/// A random value that is used once.
pub(super) fn nonce() -> String {
    hex(&rand::random::<[u8; 16]>())
}

/// Signs confirmation tokens: `NONCE.EXPIRY.OFFER.MAC`. It is readable, but can't be changed or used for another call.
#[derive(Debug)]
struct ConfirmationSigner(SecretBox<[u8; 32]>);

impl ConfirmationSigner {
    fn sign(&self, subject: &str, offer: &Offer, now: i64, ttl: Duration) -> String {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let offer = URL_SAFE_NO_PAD.encode(offer.to_json());
        let signed = format!("{}.{}.{offer}", nonce(), now.saturating_add(ttl));
        format!("{signed}.{}", self.mac(&signed, subject))
    }

    /// The confirmation of a token that was signed here, for this subject, and has not expired.
    fn verify(&self, token: &str, subject: &str, now: i64) -> Option<Confirmed> {
        let (signed, mac) = token.rsplit_once('.')?;
        let expected = self.mac(signed, subject);
        let is_ours = bool::from(expected.as_bytes().ct_eq(mac.as_bytes()));
        let mut parts = signed.split('.');
        let (nonce, expiry, offer) = (parts.next()?, parts.next()?, parts.next()?);
        if !is_ours || now > expiry.parse().ok()? {
            return None;
        }
        Some(Confirmed {
            nonce: Some(nonce.to_owned()),
            offer: Some(Offer::from_json(&URL_SAFE_NO_PAD.decode(offer).ok()?)?),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_subject_until_it_expires() {
        let signer = ConfirmationSigner(SecretBox::new(Box::new([7; 32])));
        let token = signer.sign("buy", &Offer::default(), 1_000, Duration::from_millis(500));
        let nonce = token.split('.').next().map(str::to_owned);
        let other = ConfirmationSigner(SecretBox::new(Box::new([8; 32])));
        let (token, later) = (&*token, &*token.replacen(".1500.", ".9500.", 1));
        let empty = URL_SAFE_NO_PAD.encode(Offer::default().to_json());
        let dearer = token.replacen(&empty, &format!("{empty}A"), 1);
        for (signer, token, subject, now, good) in [
            (&signer, token, "buy", 1_500, true),
            (&signer, token, "buy", 1_501, false),
            (&signer, token, "sell", 1_000, false),
            (&other, token, "buy", 1_000, false),
            (&signer, later, "buy", 1_000, false),
            (&signer, &dearer, "buy", 1_000, false),
            (&signer, &token.to_uppercase(), "buy", 1_000, false),
            (&signer, "", "buy", 1_000, false),
        ] {
            let expected = nonce.clone().filter(|_| good);
            let verified = signer.verify(token, subject, now);
            let verified = verified.and_then(|confirmed| confirmed.nonce);
            assert_eq!(verified, expected, "{token} {subject}");
        }
    }
}
