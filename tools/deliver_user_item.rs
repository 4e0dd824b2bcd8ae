//! `deliver-user-item`: log a sale, and put the item into the user's locker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Purchase};
use crate::sent::{Sent, upstream_price};
use crate::values::{Country, Currency, Email, Id, Price, Text, UserId};
use crate::{Action, ActionOf, Contract, Fields, Hints, Item, Scope, Tool, ToolError};

/// The tool.
pub struct DeliverUserItem;

impl Tool for DeliverUserItem {
    const CONTRACT: Contract = Contract {
        name: "deliver-user-item",
        title: "7digital Deliver User Item",
        summary: "Logs a sale that 7digital bills to the partner, and puts the item into the locker.",
        description: "Logs a sale that the partner has charged for already, and puts the release or track into the user's locker; get-user-locker has the download. \
            Costs money: 7digital bills the partner for each sale, and it can't be undone here. Once per item sold. \
            Example: {\"releaseId\": \"11700062\", \"retailPrice\": 799, \"currency\": \"GBP\"}.",
        hints: Hints::SALE,
        rest: "/v1/user/deliveritem",
        upstream: Endpoint::get("/user/deliveritem", Auth::User, Effect::Charges),
        scope: Scope::Spend,
    };
    const ACTION: Option<ActionOf<Self>> = Some(|sale| {
        let item = Item::from_ids(sale.release_id.as_ref(), sale.track_id.as_ref())?;
        let reference = sale.transaction_id.clone();
        let reference = reference.map(|Text(reference)| reference);
        Ok(Action::sale(
            item,
            sale.retail_price,
            sale.currency.clone(),
            reference,
        ))
    });

    type Input = Sale;
    type Output = Document<Delivery>;

    async fn call(client: &Client, sale: &Sale) -> Result<Answer<Fields>, ToolError> {
        let made = || Text(uuid::Uuid::new_v4().to_string());
        let Text(transaction_id) = sale.transaction_id.clone().unwrap_or_else(made);
        let (currency, country) = (sale.currency.as_ref(), sale.country.as_ref());
        let price_of = |price| upstream_price(client, price, currency, country);
        let sent = Sent::new(sale).with("retailPrice", sale.retail_price.map(price_of));
        let sent = sent.with("transactionId", Some(transaction_id.clone()));
        let mut answer = sent.call(client, &Self::CONTRACT.upstream).await?;
        let logged = answer.document.entry("transactionId");
        logged.or_insert_with(|| transaction_id.into());
        Ok(answer)
    }
}

/// What was sold, to which user and for how much.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sale {
    /// Release that was sold; of a track, the release that it is on.
    release_id: Option<Id>,
    /// Track that was sold, instead of the whole release.
    track_id: Option<Id>,
    /// The partner's reference of the sale; made here if none is given.
    #[schemars(extend("x-kind" = "id"))]
    transaction_id: Option<Text>,
    /// What the user paid, in minor units: 799 is 7.99; 0 if it was free.
    retail_price: Option<Price>,
    /// Of `retailPrice`: three letters, such as `GBP`.
    currency: Option<Currency>,
    /// `2` is standard (MP3), the default; `9` is premium (FLAC).
    package_id: Option<Id>,
    /// The user's, which 7digital stores with the sale.
    email_address: Option<Email>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}

/// An answer to a sale.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The sale as 7digital booked it.
    pub purchase: Option<Purchase>,
    /// The partner's own reference that the sale was logged under.
    pub transaction_id: Option<String>,
}
