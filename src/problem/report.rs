//! One failure, worded once.

use std::ops::Deref;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sevendigital::{Delivery, Effect, Repeat};

use super::kind::Kind;

/// Why a request or a call has no result. It holds no secret, no URL with a query and no body.
#[derive(Debug, Clone)]
#[must_use]
pub struct Problem(Box<Report>);

/// What a [`Problem`] says.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which problem it is.
    pub kind: Kind,
    /// What happened: one or more sentences.
    pub what: String,
    /// What to do about it: a sentence, or empty. When to repeat the call is no part of it: `repeat` and `retry_after` say that.
    pub advice: String,
    /// 7digital's numeric code.
    pub code: Option<u32>,
    /// 7digital's own words, cleaned.
    pub upstream_message: Option<String>,
    /// Whether the call may have taken effect.
    pub delivery: Delivery,
    /// When the same call may be made again.
    pub repeat: Repeat,
    /// How long to wait before the call is repeated, in whole seconds, where that is known.
    pub retry_after: Option<Duration>,
    /// The effect of the call; none where the request did not become one.
    pub effect: Option<Effect>,
    /// Headers that belong to it over HTTP; other surfaces have no use for them.
    pub headers: HeaderMap,
    /// Further fields of the problem document.
    pub fields: Vec<(&'static str, Value)>,
    /// The area of the command `doctor` that finds its cause.
    pub found_by: Option<&'static str>,
}

impl Deref for Problem {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl Problem {
    /// A problem in whole sentences. Nothing was sent, and the same call would fail again, unless more is said.
    pub fn new(kind: Kind, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            what: what.into(),
            advice: advice.into(),
            code: None,
            upstream_message: None,
            delivery: Delivery::NotSent,
            repeat: Repeat::AfterChange,
            retry_after: None,
            effect: None,
            headers: HeaderMap::new(),
            fields: Vec::new(),
            found_by: None,
        }))
    }

    /// A request that was rejected before anything was done; `why` is the end of a sentence.
    pub fn rejected(kind: Kind, why: impl std::fmt::Display) -> Self {
        Self::new(kind, format!("Nothing was done: {why}."), "")
    }

    /// A fault of this server: what was sent, if anything, is not known.
    pub fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "The call failed inside this server; the operator's log has the reason.",
            "",
        )
        .delivered(Delivery::Unknown)
        .repeatable(Repeat::Later)
    }

    /// The same after a wait: whole seconds, rounded up, at least one. It can be repeated then.
    pub fn after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.retry_after = Some(Duration::from_secs(seconds.max(1)));
        self.0.repeat = Repeat::Later;
        self
    }

    /// With 7digital's numeric code and its own words, where there are any.
    pub fn quoting(mut self, code: Option<u32>, message: &str) -> Self {
        self.0.code = code;
        self.0.upstream_message = (!message.is_empty()).then(|| message.to_owned());
        self
    }

    /// With what is known of its delivery.
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    /// With when it may be repeated.
    pub fn repeatable(mut self, repeat: Repeat) -> Self {
        self.0.repeat = repeat;
        self
    }

    /// As one whose cause the command `doctor` finds in that area.
    pub fn found_by(mut self, area: &'static str) -> Self {
        self.0.found_by = Some(area);
        self
    }

    /// As the failure of a call with that effect.
    pub fn of_call(mut self, effect: Effect) -> Self {
        self.0.effect = Some(effect);
        self
    }

    /// With a header for HTTP.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.insert(name, value);
        }
        self
    }

    /// With a further field of the problem document.
    pub fn field(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.fields.push((name, value.into()));
        self
    }
}

/// How the cause of a failure is found, as a sentence.
pub fn find_cause(area: &str) -> String {
    let command = ["sevendigital-mcp doctor", area].join(" ");
    format!("To find the cause, run `{}`.", command.trim_end())
}

impl Report {
    /// The problem in sentences, the same on every surface: what happened, the code, what to do, and what it means for money and for repeating.
    pub fn detail(&self) -> String {
        let code = self.code.map(|code| format!("Code {code}."));
        let quote = |message| format!("7digital's words: \"{message}\".");
        // Where it may have taken effect there is one thing to do, which the consequence says.
        let advice =
            (!self.advice.is_empty() && !self.may_have_happened()).then(|| self.advice.clone());
        let mut sentences = vec![self.what.clone()];
        sentences.extend(code);
        sentences.extend(self.upstream_message.as_ref().map(quote));
        sentences.extend(advice);
        sentences.extend(self.effect.map(|effect| self.consequence(effect)));
        sentences.extend(self.found_by.map(find_cause));
        sentences.join(" ")
    }

    /// The problem as RFC 9457 has it.
    pub fn document(&self, request_id: &str) -> Value {
        let spec = self.kind.spec();
        let mut document = vec![
            ("type", json!(self.kind.uri())),
            ("title", json!(spec.title)),
            ("status", json!(spec.status)),
            ("detail", json!(self.detail())),
            ("requestId", json!(request_id)),
        ];
        if let Some(effect) = self.effect {
            let unknown = self.may_have_happened();
            let repeat = match self.repeat {
                _ if unknown => "after_check",
                Repeat::AfterChange => "after_change",
                Repeat::Later => "later",
            };
            let charged = unknown && effect == Effect::Charges;
            document.push(("outcome", json!(self.outcome())));
            document.push(("mayHaveCharged", json!(charged)));
            document.push(("repeat", json!(repeat)));
        }
        document.extend(self.code.map(|code| ("code", json!(code))));
        document.extend(self.fields.iter().cloned());
        let owned = |(name, value): (&str, Value)| (name.to_owned(), value);
        document.into_iter().map(owned).collect()
    }

    /// How far the call came: `not_sent`, `refused` or `unknown`.
    pub fn outcome(&self) -> &'static str {
        match self.delivery {
            Delivery::NotSent => "not_sent",
            Delivery::Rejected => "refused",
            Delivery::Unknown => "unknown",
        }
    }

    /// Whether something may have been changed or charged.
    pub fn may_have_happened(&self) -> bool {
        let changes = self.effect.is_some_and(|effect| effect != Effect::Reads);
        changes && self.delivery == Delivery::Unknown
    }

    /// What it means for money and for repeating.
    fn consequence(&self, effect: Effect) -> String {
        let nothing = match (effect, self.delivery) {
            (Effect::Charges, Delivery::Unknown) => return "Money may have been spent: look into the locker (get-user-locker) before buying again; do not repeat the call.".to_owned(),
            (Effect::Writes, Delivery::Unknown) => return "It may have taken effect: check before repeating the call.".to_owned(),
            (Effect::Charges, _) => "Nothing was charged",
            _ => "Nothing was changed",
        };
        match (self.repeat, self.retry_after) {
            (Repeat::AfterChange, _) => format!("{nothing}. The same call would fail again."),
            (Repeat::Later, None) => format!("{nothing}; the call can safely be repeated later."),
            (Repeat::Later, Some(wait)) => {
                let seconds = wait.as_secs();
                let unit = if seconds == 1 { "second" } else { "seconds" };
                format!("{nothing}; the call can safely be repeated in {seconds} {unit}.")
            }
        }
    }
}
