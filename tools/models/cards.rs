//! Payment cards and their registrations.

use schemars::JsonSchema;
use serde::Deserialize;

/// An answer about cards.
#[derive(Deserialize, JsonSchema)]
pub struct Wallet {
    /// The user's cards.
    pub cards: Option<Cards>,
}

/// Payment cards.
#[derive(Deserialize, JsonSchema)]
pub struct Cards {
    /// The cards; none where the user has registered none.
    pub card: Vec<Card>,
}

/// A payment card, as far as anyone may know it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Card id, to be used as `cardId`.
    pub id: Option<String>,
    /// Kind of card, such as `VISA`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The last four digits of its number, with leading zeros.
    #[serde(rename = "last4digits")]
    pub last_four_digits: Option<String>,
    /// Whether this is the card that purchases charge.
    pub default: Option<bool>,
    /// The name on the card.
    pub card_holder_name: Option<String>,
    /// The month it expires in, as `yyyyMM`.
    pub expiry_date: Option<String>,
    /// The country it was issued in.
    pub country: Option<String>,
}

/// An answer about a card registration.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistrations {
    /// The registration.
    pub card_registration: Option<CardRegistration>,
}

/// The registration of a card, which the user completes on 7digital's page.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistration {
    /// Registration id, to be asked about with `get-user-card-registration`.
    pub id: Option<String>,
    /// `pending` until the user has entered the card, then `complete`.
    pub status: Option<String>,
    /// Where the user's browser goes.
    pub redirect_url: Option<String>,
    /// Where the user's browser sends the card, if 7digital named it in a `Location` header.
    pub location: Option<String>,
    /// As list-user-payment-cards has it, once it is registered.
    #[schemars(extend("x-brief" = true, "x-help" = true))]
    pub card: Option<Card>,
}
