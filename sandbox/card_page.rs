//! The page where a browser enters a payment card: `/cardregistration/{id}`. The number is never kept.

use chrono::{DateTime, Utc};

use crate::demo;
use crate::pages::{Reply, field, page, redirect};
use crate::request::{Pairs, Request, find_in_any_case};
use crate::state::{Card, Charge, Outcome, State};

const MOST_CARDS: usize = 50;

/// Shows the form, or takes what was typed into it and sends the browser back to the partner.
pub(crate) fn answer(state: &mut State, id: &str, request: &Request, now: DateTime<Utc>) -> Reply {
    let Some(registration) = state.registrations.get(id) else {
        return page(404, "No such card registration", "");
    };
    let redirect_url = registration.redirect_url.clone();
    if request.method == "GET" {
        return form();
    }
    if matches!(registration.outcome, Outcome::Pending) {
        let user_id = registration.user_id.clone();
        let outcome = match read_card(&request.form, state.next_id(), now) {
            Ok(card) => add_card(state, &user_id, card),
            Err((code, message)) => Outcome::Failed { code, message },
        };
        if let Some(registration) = state.registrations.get_mut(id) {
            registration.outcome = outcome;
        }
    }
    redirect(&redirect_url, &[("cardRegistrationId", id)])
}

fn form() -> Reply {
    let fields = [
        field("Card number", "cardNumber", "text", "4111111111111111"),
        field("Name on the card", "cardHolderName", "text", "Jane Smith"),
        field("Expiry month", "cardExpiryMonth", "text", "12"),
        field("Expiry year", "cardExpiryYear", "text", "2099"),
        field("Post code", "cardPostCode", "text", "EC2A 4NE"),
        field("Security code", "cardVerificationCode", "text", "123"),
    ];
    let body = format!(
        "<form method=\"post\">\n{}<p><button>Add card</button></p></form>\n<p>{} registers and has expired when it is charged; {} registers and is declined.</p>",
        fields.concat(),
        demo::EXPIRED_CARD_NUMBER,
        demo::DECLINED_CARD_NUMBER
    );
    page(200, "Add a card", &body)
}

/// A user's first card is selected at once.
fn add_card(state: &mut State, user_id: &str, card: Card) -> Outcome {
    match state.users.get_mut(user_id) {
        Some(user) if user.cards.len() < MOST_CARDS => {
            user.default_card = user.default_card.or(Some(card.id));
            user.cards.push(card.clone());
            Outcome::Complete(card)
        }
        _ => Outcome::Failed {
            code: 3103,
            message: "Add card failed: Please try again",
        },
    }
}

/// Reads the form with the inner error codes that are documented for it.
fn read_card(form: &Pairs, id: u64, now: DateTime<Utc>) -> Result<Card, (u64, &'static str)> {
    let value = |name| find_in_any_case(form, name).unwrap_or_default();
    let number: String = value("cardNumber")
        .chars()
        .filter(|char| !matches!(char, ' ' | '-'))
        .collect();
    let kind = kind(&number).filter(|_| passes_luhn(&number));
    let kind = kind.ok_or((1002, "Value of parameter CardNumber is not valid"))?;
    let holder = value("cardHolderName");
    if holder.is_empty() || holder.chars().count() > 100 {
        return Err((1002, "Value of parameter CardHolderName is not valid"));
    }
    let expiry = expiry(value("cardExpiryMonth"), value("cardExpiryYear"));
    let expiry = expiry.ok_or((1002, "Value of parameter ExpiryDate is not valid"))?;
    if expiry < now.format("%Y%m").to_string() {
        return Err((1002, "ExpiryDate cannot be in the past"));
    }
    if value("cardPostCode").is_empty() {
        return Err((1002, "Value of parameter CardPostcode is not valid"));
    }
    let code = value("cardVerificationCode");
    if !(3..=4).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((1002, "Value of parameter CardVerificationCode is not valid"));
    }
    let (expiry, charge) = match number.as_str() {
        demo::EXPIRED_CARD_NUMBER => ("202001".to_owned(), Charge::Accepted),
        demo::DECLINED_CARD_NUMBER => (expiry, Charge::Declined),
        _ => (expiry, Charge::Accepted),
    };
    let hidden = number.len().saturating_sub(4);
    let last_digits = number.chars().skip(hidden).collect();
    Ok(Card {
        id,
        kind: kind.to_owned(),
        last_digits,
        holder: holder.to_owned(),
        expiry,
        charge,
    })
}

fn kind(number: &str) -> Option<&'static str> {
    match number.get(..2)? {
        "34" | "37" => Some("AMEX"),
        two if two.starts_with('4') => Some("VISA"),
        "51" | "52" | "53" | "54" | "55" | "22" | "23" | "24" | "25" | "26" | "27" => {
            Some("MASTERCARD")
        }
        two if two.starts_with(['5', '6']) => Some("MAESTRO"),
        _ => None,
    }
}

fn passes_luhn(number: &str) -> bool {
    if !(13..=19).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let digits = number.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let products = digits
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| digit * weight);
    let sum: u32 = products.map(|product| product / 10 + product % 10).sum();
    sum.is_multiple_of(10)
}

/// `yyyyMM` from a month and a year of two or four digits.
fn expiry(month: &str, year: &str) -> Option<String> {
    let month: u32 = month
        .parse()
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let number: u32 = year.parse().ok()?;
    match year.len() {
        2 => Some(format!("20{number:02}{month:02}")),
        4 => Some(format!("{number:04}{month:02}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::decode_form;

    const GOOD: &str = "cardNumber=4111+1111+1111+1111&cardHolderName=Bob&cardExpiryMonth=9&cardExpiryYear=99&cardPostCode=E1&cardVerificationCode=123";

    #[test]
    #[rustfmt::skip]
    fn each_bad_field_gives_the_error_that_is_documented_for_it() {
        let rows = [
            ("1111&card", "1112&card", "Value of parameter CardNumber is not valid"),
            ("Name=Bob", "Name=", "Value of parameter CardHolderName is not valid"),
            ("Month=9", "Month=13", "Value of parameter ExpiryDate is not valid"),
            ("Year=99", "Year=2019", "ExpiryDate cannot be in the past"),
            ("PostCode=E1", "PostCode=", "Value of parameter CardPostcode is not valid"),
            ("Code=123", "Code=12x", "Value of parameter CardVerificationCode is not valid"),
        ];
        for (from, to, message) in rows {
            let form = decode_form(&GOOD.replacen(from, to, 1));
            let error = read_card(&form, 7, Utc::now()).unwrap_err();
            assert_eq!(error, (1002, message), "{to}");
        }
        let card = read_card(&decode_form(GOOD), 7, Utc::now()).unwrap();
        let kept = [card.kind, card.last_digits, card.expiry];
        assert_eq!(kept, ["VISA", "1111", "209909"]);
    }

    #[test]
    fn the_special_numbers_register() {
        for number in [demo::EXPIRED_CARD_NUMBER, demo::DECLINED_CARD_NUMBER] {
            assert!(passes_luhn(number), "{number}");
        }
    }
}
