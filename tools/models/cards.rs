//! Payment cards and their registrations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::document::More;
use super::lenient::{element, filled, list};
use crate::values::{Flag, Text};

/// An answer about cards.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Wallet {
    /// The user's cards.
    #[serde(default, deserialize_with = "element")]
    pub cards: Option<Cards>,
}

/// Payment cards.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Cards {
    /// The cards; none where the user has registered none.
    #[serde(default, deserialize_with = "list")]
    pub card: Vec<Card>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A payment card, as far as anyone may know it.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Card id, to be used as `cardId`.
    pub id: Option<Text>,
    /// Kind of card, such as `VISA`.
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    /// The last four digits of its number, with leading zeros.
    #[serde(rename = "last4digits")]
    pub last_four_digits: Option<Text>,
    /// Whether this is the card that purchases charge.
    #[serde(default, deserialize_with = "filled")]
    pub default: Option<Flag>,
    /// The name on the card.
    #[serde(alias = "cardholderName")]
    pub card_holder_name: Option<Text>,
    /// The month it expires in, as `yyyyMM`.
    pub expiry_date: Option<Text>,
    /// The country it was issued in.
    pub country: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a card registration.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistrations {
    /// The registration.
    #[serde(default, deserialize_with = "element")]
    pub card_registration: Option<CardRegistration>,
}

/// The registration of a card, which the user completes on 7digital's page.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistration {
    /// Registration id, to be asked about with `get-user-card-registration`.
    pub id: Option<Text>,
    /// `pending` until the user has entered the card, then `complete`.
    pub status: Option<Text>,
    /// Where the user's browser goes.
    pub redirect_url: Option<Text>,
    /// Where the user's browser sends the card, if 7digital named it in a `Location` header.
    pub location: Option<Text>,
    /// The card, once it is registered.
    #[serde(default, deserialize_with = "element")]
    pub card: Option<Card>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}
