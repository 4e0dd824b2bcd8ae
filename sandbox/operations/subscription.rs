//! The unlimited streaming subscription of a user.

use chrono::{DateTime, Days, NaiveDateTime, Utc};

use crate::call::{Answer, Call, timestamp};
use crate::document::{Envelope, Node};
use crate::refusal::Refusal;
use crate::state::{State, Subscription};

/// `getUserUnlimitedStreaming`: without a subscription the answer has no `streaming`.
pub(crate) fn show(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    streaming(state, &call.user_id)
}

/// `updateUserUnlimitedStreaming`: checks what is documented, then shows the new state.
pub(crate) fn update(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let user_id = call.subject()?;
    let plan = call.required("planCode")?;
    let level = plan
        .strip_suffix("-unlimited-streaming")
        .filter(|level| !level.is_empty());
    let level = level
        .ok_or_else(|| Refusal::invalid("planCode", plan))?
        .to_ascii_lowercase();
    let status = call.required("status")?;
    if !["active", "expired"].contains(&status) {
        return Err(Refusal::invalid("status", status));
    }
    let currency = call.required("currency")?;
    if !is_currency(currency) {
        return Err(Refusal::invalid("currency", currency));
    }
    call.required("recurringFee")?;
    call.number("recurringFee")?;
    call.country()?;
    let expiry = period(call, status == "active", level == "trial")?;
    state.user(user_id)?.subscription = Some(Subscription { level, expiry });
    streaming(state, user_id)
}

fn streaming(state: &mut State, user_id: &str) -> Result<Answer, Refusal> {
    let streaming = state
        .user(user_id)?
        .subscription
        .as_ref()
        .map(|subscription| {
            Node::default()
                .element("level", &subscription.level)
                .element("expiryDate", timestamp(subscription.expiry))
        });
    let payload = match streaming {
        Some(streaming) => Node::default().child("streaming", streaming),
        None => Node::default(),
    };
    Ok(Answer {
        envelope: Envelope::Bare,
        ..Answer::new(payload)
    })
}

/// Three capital letters.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Checks the dates against each other and the clock; the result is the end of the period.
fn period(call: &Call, active: bool, trial: bool) -> Result<DateTime<Utc>, Refusal> {
    let activated = required_date(call, "activatedAt")?;
    let start = required_date(call, "currentPeriodStartDate")?;
    let expiry = required_date(call, "expiryDate")?;
    in_range(call, "activatedAt", activated <= after(call.now, 0))?;
    in_range(
        call,
        "currentPeriodStartDate",
        activated <= start && start <= after(call.now, 1),
    )?;
    let longest = if trial { 100 } else { 31 };
    // An ended subscription has an `expiryDate` in the past, wherever its period began.
    in_range(
        call,
        "expiryDate",
        !active || (start < expiry && expiry <= after(start, longest)),
    )?;
    match (trial, call.optional("trialEndsAt")) {
        (true, _) => {
            let end = required_date(call, "trialEndsAt")?;
            in_range(call, "trialEndsAt", start < end && end <= after(start, 100))?;
        }
        (false, Some(value)) => return Err(Refusal::invalid("trialEndsAt", value)),
        (false, None) => {}
    }
    Ok(expiry)
}

/// `YYYY-MM-DDTHH:MM:SSZ` and nothing else.
fn required_date(call: &Call, name: &str) -> Result<DateTime<Utc>, Refusal> {
    let value = call.required(name)?;
    let date =
        NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%SZ").map(|date| date.and_utc());
    date.ok()
        .filter(|date| timestamp(*date) == value)
        .ok_or_else(|| Refusal::invalid(name, value))
}

fn in_range(call: &Call, name: &str, fits: bool) -> Result<(), Refusal> {
    if fits {
        Ok(())
    } else {
        Err(Refusal::out_of_range(
            name,
            call.optional(name).unwrap_or_default(),
        ))
    }
}

/// That many days later, with the five minutes that clocks may differ.
fn after(time: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let later = time.checked_add_days(Days::new(days)).unwrap_or(time);
    later
        .checked_add_signed(chrono::TimeDelta::minutes(5))
        .unwrap_or(later)
}
