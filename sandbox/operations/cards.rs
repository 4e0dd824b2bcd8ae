//! Payment cards, and the registrations through which a browser adds one.

use crate::call::{Answer, Call};
use crate::document::Node;
use crate::pages;
use crate::refusal::Refusal;
use crate::state::{Card, MOST_REGISTRATIONS, Outcome, Registration, State, User};

/// `listUserPaymentCards`.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let user = state.user(&call.user_id)?;
    let card = |card: &Card| {
        Node::default()
            .attribute("id", card.id)
            .element("type", &card.kind)
            .element("last4digits", &card.last_digits)
            .element("default", user.default_card == Some(card.id))
            .element("cardHolderName", &card.holder)
            .element("expiryDate", &card.expiry)
            .element("country", &user.country)
    };
    let cards = Node::default().list("card", user.cards.iter().map(card).collect());
    Ok(Answer::new(Node::default().child("cards", cards)))
}

/// `selectUserPaymentCard`: later purchases charge this card.
pub(crate) fn select(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (user, card_id) = user_and_card(state, call)?;
    user.default_card = Some(card_id);
    Ok(Answer::new(Node::default()))
}

/// `deleteUserPaymentCard`. When it was the selected card, none is until another is selected.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (user, card_id) = user_and_card(state, call)?;
    user.cards.retain(|card| card.id != card_id);
    user.default_card = user.default_card.filter(|default| *default != card_id);
    Ok(Answer::new(Node::default()))
}

/// `registerUserPaymentCard`: `Location` names the page where the browser enters the card.
pub(crate) fn register(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let redirect_url = call.required("redirectUrl")?.to_owned();
    if !pages::is_web_address(&redirect_url) {
        return Err(Refusal::invalid("redirectUrl", &redirect_url));
    }
    if state.registrations.len() >= MOST_REGISTRATIONS {
        return Err(Refusal::new(7001, "Too many card registrations"));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let registration = Registration {
        user_id: call.user_id.clone(),
        redirect_url,
        outcome: Outcome::Pending,
    };
    let payload = show(&id, &registration);
    let location = Some(format!("{}/cardregistration/{id}", call.origin));
    state.registrations.insert(id, registration);
    Ok(Answer {
        location,
        ..Answer::new(payload)
    })
}

/// `getUserCardRegistration`: "ok" outside, even when the registration failed.
pub(crate) fn registration(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let found = state
        .registrations
        .get(call.id)
        .filter(|registration| registration.user_id == call.user_id);
    let registration = found.ok_or_else(|| Refusal::not_found("Card registration", call.id))?;
    Ok(Answer::new(show(call.id, registration)))
}

fn user_and_card<'a>(state: &'a mut State, call: &Call) -> Result<(&'a mut User, u64), Refusal> {
    let text = call.required("cardId")?;
    let card_id = text.parse().map_err(|_| Refusal::invalid("CardId", text))?;
    let user = state.user(&call.user_id)?;
    if user.cards.iter().any(|card| card.id == card_id) {
        Ok((user, card_id))
    } else {
        Err(Refusal::not_found("Card", text))
    }
}

fn show(id: &str, registration: &Registration) -> Node {
    let node = |status: &str| {
        Node::default()
            .attribute("id", id)
            .attribute("status", status)
    };
    let node = match &registration.outcome {
        Outcome::Pending => node("pending").element("redirectUrl", &registration.redirect_url),
        Outcome::Complete(card) => {
            let card = Node::default()
                .attribute("id", card.id)
                .element("type", &card.kind)
                .element("last4digits", &card.last_digits)
                .element("cardholderName", &card.holder)
                .element("expiryDate", &card.expiry);
            node("complete").child("card", card)
        }
        Outcome::Failed { code, message } => {
            let error = Node::default()
                .attribute("code", *code)
                .element("errorMessage", *message);
            node("error").child("error", error)
        }
    };
    Node::default().child("cardRegistration", node)
}
