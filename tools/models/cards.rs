//! Payment cards and their registrations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{More, element, filled};
use crate::values::{Flag, Text};

/// A payment card, as far as anyone may know it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Card id, to be used as `cardId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Kind of card, such as `VISA`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// The last four digits of its number, with leading zeros.
    #[serde(rename = "last4digits", skip_serializing_if = "Option::is_none")]
    pub last_four_digits: Option<Text>,
    /// Whether this is the card that purchases charge.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub default: Option<Flag>,
    /// The name on the card.
    #[serde(alias = "cardholderName", skip_serializing_if = "Option::is_none")]
    pub card_holder_name: Option<Text>,
    /// The month it expires in, as `yyyyMM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Text>,
    /// The country it was issued in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a card registration.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistrations {
    /// The registration.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub card_registration: Option<CardRegistration>,
}

/// The registration of a card, which the user completes on 7digital's page.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistration {
    /// Registration id, to be asked about with `get-user-card-registration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// `pending` until the user has entered the card, then `complete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Text>,
    /// Where the user's browser goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<Text>,
    /// Where the user's browser sends the card, if 7digital named it in a `Location` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
    /// The card, once it is registered.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub card: Option<Card>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}
