//! `deliver-user-item`: log a sale, and put the item into the user's locker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::deed::{self, Deed};
use crate::models::{Document, Purchase, element};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Currency, Id, Price, Text, UserId};

/// The tool.
#[derive(Debug)]
pub struct DeliverUserItem;

impl Tool for DeliverUserItem {
    const CONTRACT: Contract = Contract {
        name: "deliver-user-item",
        title: "7digital Deliver User Item",
        description: "Logs a sale that the partner has already charged for, and puts the release or track into the user's locker. It does not return a download: get-user-locker does. \
            Costs money: 7digital bills the partner for each sale logged, and it can't be undone here. Call it once per item sold; if an answer is lost, look into get-user-locker before calling again. \
            `retailPrice` is in minor units: 799 is 7.99. `transactionId` is the partner's own reference; one is made and returned if none is given. \
            Example: {\"releaseId\": \"11700062\", \"retailPrice\": 799, \"currency\": \"GBP\"}.",
        hints: Hints {
            accurate: Accurate {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: false,
            },
            published: Published {
                read_only: true,
                destructive: false,
                idempotent: true,
            },
        },
        rest: Route::get("/v1/user/deliveritem"),
        upstream: Endpoint::get("/user/deliveritem", Auth::User, Effect::Charges),
        asks: Asks::First,
        scope: Scope::Spend,
        pace: Pace::Free,
    };

    type Input = Sale;
    type Output = Document<Delivery>;

    fn check(sale: &Sale) -> Result<(), ToolError> {
        deed::named(sale.release_id.as_ref(), sale.track_id.as_ref())
    }

    fn deed(sale: &Sale) -> Option<Deed> {
        let item = deed::item(sale.release_id.as_ref(), sale.track_id.as_ref());
        Some(deed::sale(item, sale.retail_price, sale.currency.clone()))
    }

    async fn call(client: &Client, mut sale: Sale) -> Result<Answer<Self::Output>, ToolError> {
        let made = || Text(uuid::Uuid::new_v4().to_string());
        let transaction_id = sale.transaction_id.get_or_insert_with(made).clone();
        let country = sale
            .country
            .as_ref()
            .map(Country::as_str)
            .or(client.credentials().country.as_deref());
        let retail_price = sale
            .retail_price
            .map(|price| price.in_major_units(sale.currency.as_ref(), country));
        let mut answer: Answer<Self::Output> = client
            .send(&Self::CONTRACT.upstream, &Sent { sale, retail_price })
            .await?;
        answer.document.payload.transaction_id = Some(transaction_id);
        Ok(answer)
    }
}

/// What was sold, to whom and for how much.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sale {
    /// Purchased release to deliver. Also needed for a track: the release that the track is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    release_id: Option<Id>,
    /// Purchased track to deliver; without it the whole release is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<Id>,
    /// The partner's own reference of the sale; made here if none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Text>,
    /// What the user paid, in minor units: 799 is 7.99; 0 if it was free.
    #[serde(skip_serializing_if = "Option::is_none")]
    retail_price: Option<Price>,
    /// Currency of `retailPrice` as three letters (ISO 4217), such as `GBP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    /// 7digital package: `2` is standard (MP3), the default; `9` is premium (FLAC).
    #[serde(skip_serializing_if = "Option::is_none")]
    package_id: Option<Id>,
    /// The user whom the call is for: needed where no user access token is configured and no default user is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<Id>,
}

/// A sale as 7digital takes it: the price in major units, in place of the one in minor units.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(flatten)]
    sale: Sale,
    #[serde(skip_serializing_if = "Option::is_none")]
    retail_price: Option<String>,
}

/// An answer to a sale.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The sale as 7digital booked it.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    purchase: Option<Purchase>,
    /// The partner's own reference that the sale was logged under.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Text>,
}
