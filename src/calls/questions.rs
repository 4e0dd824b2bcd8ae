//! Questions that wait for an answer from the user's browser or from a terminal: one for each purchase, however often it is called.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::confirmation::{Confirmed, nonce};
use super::offer::Offer;
use crate::config::{Config, ConfirmWay};
use crate::ledger::{Ledger, LedgerError, WaitingQuestion};
use crate::problem::{Kind, Problem};

/// How often an answer from another process is looked for.
const POLL: Duration = Duration::from_millis(300);
/// How long a browser may take to start.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(5);
/// Questions that may wait for the browser to be opened.
const UNOPENED: usize = 16;

/// The questions that wait. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Questions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ledger: Ledger,
    wait: Duration,
    ttl: Duration,
    /// Whether people are asked on a terminal where no browser can be opened.
    on_terminal: bool,
    /// Where questions go that a browser is to be opened for, once there is a page.
    browser: Mutex<Option<mpsc::Sender<ToOpen>>>,
    /// The questions that a browser was opened for by this process.
    opened: Mutex<HashSet<String>>,
    answered: Notify,
}

/// A question in parts, for a page or a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What is asked, as a short question: `Buy “Hot Fuss” by The Killers?`
    pub headline: String,
    /// Name and value of what belongs to it: price, payment card, account.
    pub facts: Vec<(String, String)>,
    /// What should be read before a yes, a sentence each.
    pub warnings: Vec<String>,
    /// The https address of the cover at 7digital's.
    pub cover: Option<String>,
    /// All of it in one text.
    pub message: String,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub details: Details,
    /// Whether it may be answered on a terminal.
    pub on_terminal: bool,
}

/// A question that a browser is to be opened for.
#[derive(Debug)]
pub struct ToOpen {
    /// The question.
    pub question: OpenQuestion,
    /// Takes whether a browser could be started.
    pub opened: oneshot::Sender<bool>,
}

/// What a question is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Of the call, its caller and what the question knows.
    pub(super) digest: String,
    /// Key and identity of a purchase.
    pub(super) purchase: Option<(String, String)>,
}

/// What the ledger keeps of a question.
#[derive(Serialize, Deserialize)]
struct Content {
    details: Details,
    offer: Offer,
    on_terminal: bool,
}

impl Questions {
    /// As the settings say.
    pub fn new(config: &Config, ledger: Ledger) -> Self {
        let terminal = [ConfirmWay::Auto, ConfirmWay::Terminal];
        let is_listed = terminal.iter().any(|way| config.confirm_with.contains(way));
        Self(Arc::new(Shared {
            on_terminal: is_listed && ledger.is_shared(),
            ledger,
            wait: config.confirm_wait,
            ttl: config.limits.confirmation_ttl,
            browser: Mutex::default(),
            opened: Mutex::default(),
            answered: Notify::new(),
        }))
    }

    /// The questions that a browser is to be opened for, from now on. While the receiver lives, questions wait for the browser.
    pub fn to_open(&self) -> mpsc::Receiver<ToOpen> {
        let (sender, receiver) = mpsc::channel(UNOPENED);
        *self.0.browser.lock() = Some(sender);
        receiver
    }

    /// The question with this id, unless it was answered or has expired.
    pub async fn find(&self, id: &str) -> Result<Option<OpenQuestion>, LedgerError> {
        let found = self.0.ledger.question(id).await?;
        let open = found.filter(|found| found.answer.is_none());
        Ok(open
            .and_then(|open| read(&open))
            .map(|(question, _)| question))
    }

    /// All questions without an answer, oldest first.
    pub async fn open(&self) -> Result<Vec<OpenQuestion>, LedgerError> {
        let open = self.0.ledger.open_questions().await?;
        Ok(open
            .iter()
            .filter_map(read)
            .map(|(question, _)| question)
            .collect())
    }

    /// Writes the user's answer down; false where the question was answered before or has expired.
    pub async fn answer(&self, id: &str, yes: bool) -> Result<bool, LedgerError> {
        let written = self.0.ledger.answer_question(id, yes).await;
        self.0.answered.notify_waiters();
        written
    }

    /// Whether a browser can be opened by this process.
    pub(super) fn has_browser(&self) -> bool {
        let browser = self.0.browser.lock();
        browser.as_ref().is_some_and(|browser| !browser.is_closed())
    }

    /// Whether people can answer on a terminal.
    pub(super) fn has_terminal(&self) -> bool {
        self.0.on_terminal
    }

    /// Asks, unless the same is asked already, and waits for the answer. `content` is polled only for a new question.
    ///
    /// None where the question is gone: it has expired, another call has used its answer, or the purchase was made since.
    pub(super) async fn ask(
        &self,
        subject: &Subject,
        in_browser: bool,
        content: impl Future<Output = Result<(Details, Offer), Problem>>,
    ) -> Result<Option<Confirmed>, Problem> {
        let mut waiting = self.0.ledger.find_question(&subject.digest).await?;
        if waiting.is_none() {
            let (details, offer) = content.await?;
            waiting = self.put(subject, details, offer, !in_browser).await?;
        }
        let Some(waiting) = waiting else {
            return Ok(None);
        };
        let (question, offer) = read(&waiting).ok_or_else(Problem::internal)?;
        let mut on_terminal = question.on_terminal;
        let mut id = waiting.id;
        if waiting.answer.is_none() && !on_terminal && !self.open_browser(&question).await {
            self.0.ledger.withdraw_question(&id).await?;
            if !self.0.on_terminal {
                return Err(Problem::no_browser());
            }
            // Nobody has seen it: it is asked anew, for a terminal.
            let put = self.put(subject, question.details, offer.clone(), true);
            let Some(put) = put.await? else {
                return Ok(None);
            };
            (id, on_terminal) = (put.id, true);
        }
        match self.wait(&id).await? {
            Waited::Answered(true) => Ok(Some(Confirmed {
                nonce: Some(id),
                offer: Some(offer),
            })),
            Waited::Answered(false) => {
                self.0.ledger.withdraw_question(&id).await?;
                Err(Problem::declined())
            }
            Waited::Open => Err(Problem::not_answered(on_terminal)),
            Waited::Gone => Ok(None),
        }
    }

    async fn put(
        &self,
        subject: &Subject,
        details: Details,
        offer: Offer,
        on_terminal: bool,
    ) -> Result<Option<WaitingQuestion>, Problem> {
        let content = Content {
            details,
            offer,
            on_terminal,
        };
        let content = serde_json::to_string(&content).map_err(|_| Problem::internal())?;
        let Subject { digest, purchase } = subject.clone();
        let asked = self
            .0
            .ledger
            .ask(digest, nonce(), content, self.0.ttl, purchase);
        Ok(asked.await?)
    }

    /// Opens a browser, once for each question; false where none can be opened.
    async fn open_browser(&self, question: &OpenQuestion) -> bool {
        let Some(browser) = self.0.browser.lock().clone() else {
            return false;
        };
        if !self.0.opened.lock().insert(question.id.clone()) {
            return true;
        }
        let (opened, is_open) = oneshot::channel();
        let question = question.clone();
        let id = question.id.clone();
        let sent = browser.try_send(ToOpen { question, opened }).is_ok();
        let is_open = tokio::time::timeout(BROWSER_TIMEOUT, is_open).await;
        let is_open = sent && matches!(is_open, Ok(Ok(true)) | Err(_));
        if !is_open {
            self.0.opened.lock().remove(&id);
        }
        is_open
    }

    async fn wait(&self, id: &str) -> Result<Waited, Problem> {
        let end = Instant::now() + self.0.wait;
        loop {
            let answered = self.0.answered.notified();
            let Some(found) = self.0.ledger.question(id).await? else {
                return Ok(Waited::Gone);
            };
            if let Some(answer) = found.answer {
                return Ok(Waited::Answered(answer));
            }
            if Instant::now() >= end {
                return Ok(Waited::Open);
            }
            let next = end.min(Instant::now() + POLL);
            let _ = tokio::time::timeout_at(next, answered).await;
        }
    }
}

/// What has become of a question.
enum Waited {
    Answered(bool),
    /// The time is up, and there is no answer yet.
    Open,
    /// It has expired, or another call has used its answer.
    Gone,
}

fn read(waiting: &WaitingQuestion) -> Option<(OpenQuestion, Offer)> {
    let content: Content = serde_json::from_str(&waiting.content).ok()?;
    let question = OpenQuestion {
        id: waiting.id.clone(),
        details: content.details,
        on_terminal: content.on_terminal,
    };
    Some((question, content.offer))
}

/// What the setting for the way of asking is called, for texts.
const SETTING: &str = "`confirm_with` (`SEVENDIGITAL_MCP_CONFIRM_WITH`)";

impl Problem {
    /// The user would have to confirm the call, and there is no way to ask.
    pub(crate) fn elicitation_unsupported() -> Self {
        Self::new(
            Kind::ElicitationUnsupported,
            "This call needs the user's confirmation, and there is no way to ask here: the client can't show a question, no browser can be opened on this machine, and no terminal shares the ledger.",
            format!(
                "Use a client that supports elicitation, or ask the operator to run the server on the user's own desktop, or with a state folder so that `sevendigital-mcp confirm` can answer; the setting {SETTING} chooses the way."
            ),
        )
        .found_by("confirmation")
    }

    /// No browser could be opened, and there is no other way to ask.
    fn no_browser() -> Self {
        Self::new(
            Kind::ElicitationUnsupported,
            "This call needs the user's confirmation, and no browser could be opened to ask.",
            format!(
                "Ask the operator to allow another way with the setting {SETTING}: `client` or `terminal`."
            ),
        )
        .found_by("confirmation")
    }

    /// The person said no.
    pub(crate) fn declined() -> Self {
        Self::new(
            Kind::Declined,
            "The user was asked and said no, so nothing was sent.",
            "Don't call again unless the user asks for it.",
        )
    }

    /// The client said no, perhaps without having asked anybody.
    pub(crate) fn declined_by_client() -> Self {
        Self::new(
            Kind::Declined,
            "The client answered the question with a no, so nothing was sent. Some clients do so without showing it to anybody.",
            format!(
                "If the user saw the question and said no, don't call again unless they ask for it. If they saw none, the operator can have them asked in the browser or on a terminal: {SETTING}."
            ),
        )
    }

    /// Nobody has answered yet.
    fn not_answered(on_terminal: bool) -> Self {
        let place = if on_terminal {
            "on a terminal: the user answers with `sevendigital-mcp confirm`"
        } else {
            "in the user's browser"
        };
        let what = format!("Waiting for the user's answer {place}. Nothing was sent yet.");
        let advice = "Tell the user, and call again with the same arguments: the call then picks the answer up.";
        Self::new(Kind::ConfirmationPending, what, advice).repeatable(sevendigital::Repeat::Later)
    }

    /// The client says that it shows questions, and could not show this one.
    pub(crate) fn not_shown_by_client() -> Self {
        Self::new(
            Kind::ElicitationUnsupported,
            "This call needs the user's confirmation, and the client could not show the question.",
            format!("Call again; if it fails again, the operator can have the user asked in the browser or on a terminal: {SETTING}."),
        )
        .repeatable(sevendigital::Repeat::Later)
    }

    /// The client did not bring an answer in time.
    pub(crate) fn not_answered_in_time() -> Self {
        Self::new(
            Kind::ConfirmationPending,
            "Nobody answered the question in time, so nothing was sent.",
            "Ask the user whether they still want it, and call again then.",
        )
        .repeatable(sevendigital::Repeat::Later)
    }

    /// The question was answered in another call, or has expired.
    pub(super) fn question_gone() -> Self {
        Self::new(
            Kind::ConfirmationPending,
            "The question to the user has expired, or its answer was used by another call of the same.",
            "Call again with the same arguments to see what became of it.",
        )
        .repeatable(sevendigital::Repeat::Later)
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
