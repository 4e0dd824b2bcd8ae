//! What 7digital's catalogue says of what a call would buy: title, artist and price.
//!
//! One read for each action, signed with the partner's key alone. The price is that of the standard package (id 2), which purchases take as far as is known;
//! which field of it a purchase charges is read from the wording of 7digital's documentation (see [`Charged`](crate::Charged)).

mod document;
mod listing;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Client, Credentials, Effect, Endpoint, Error, Interruption};

use self::document::UNREADABLE;
use self::listing::not_sold;
pub use self::listing::{Kind, Listing, Unlisted};
pub use crate::amount::Amount;
use crate::{Action, Item, Target};

pub(crate) const RELEASE: Endpoint =
    Endpoint::get("/release/details", Auth::Consumer, Effect::Reads);
const TRACK: Endpoint = Endpoint::get("/track/details", Auth::Consumer, Effect::Reads);
const BASKET: Endpoint = Endpoint::get("/basket", Auth::Consumer, Effect::Reads);

/// Reads what 7digital's catalogue says of an action's item. It has no time limit of its own but that of the client's reads, by which it may be repeated.
pub async fn look_up(
    client: &Client,
    action: &Action,
    target: &Target,
) -> Result<Listing, Unlisted> {
    let place = place(client.credentials(), target);
    let query = Query::new(target);
    let (endpoint, query) = match &action.item {
        Item::Release(release) => (&RELEASE, query.details(Some(release.as_str()), None)),
        Item::Track { track, .. } => (&TRACK, query.details(None, Some(track.as_str()))),
        Item::Basket(basket) => (&BASKET, query.basket(basket.as_str())),
        Item::PaymentCard(_) => {
            return Err(Unlisted::Failed("no catalogue lists payment cards".into()));
        }
    };
    match client.call(endpoint, &query).await {
        Ok(answer) => document::listing(&answer.document, action, &place, now(client)),
        Err(error) => Err(unlisted(&error, &action.item, &place)),
    }
}

/// The time by 7digital's clock as far as it is known, else by this machine's.
fn now(client: &Client) -> DateTime<Utc> {
    let ahead = client.clock_ahead().and_then(TimeDelta::try_seconds);
    let now = DateTime::<Utc>::from(SystemTime::now());
    now.checked_sub_signed(ahead.unwrap_or_default())
        .unwrap_or(now)
}

/// The parameters of a read. The user is never among them.
#[skip_serializing_none]
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    release_id: Option<&'a str>,
    track_id: Option<&'a str>,
    basket_id: Option<&'a str>,
    country: Option<&'a str>,
    shop_id: Option<&'a str>,
    usage_types: Option<&'static str>,
    /// Pixels.
    image_size: Option<u16>,
}

impl<'a> Query<'a> {
    fn new(target: &'a Target) -> Self {
        Self {
            country: target.country.as_deref(),
            shop_id: target.shop_id.as_deref(),
            ..Self::default()
        }
    }

    /// Asking for downloads is what brings packages with prices.
    fn details(self, release_id: Option<&'a str>, track_id: Option<&'a str>) -> Self {
        Self {
            release_id,
            track_id,
            usage_types: Some("download"),
            image_size: Some(350),
            ..self
        }
    }

    fn basket(self, basket_id: &'a str) -> Self {
        Self {
            basket_id: Some(basket_id),
            ..self
        }
    }
}

/// Where an item is sold, as the end of a sentence: ` in GB`, ` in shop 34`, or nothing where neither is known.
pub(super) fn place(credentials: &Credentials, target: &Target) -> String {
    let own = target.country.is_some() || target.shop_id.is_some();
    let (country, shop) = if own {
        (&target.country, &target.shop_id)
    } else {
        (&credentials.country, &credentials.shop_id)
    };
    match (country, shop) {
        (Some(country), _) => format!(" in {country}"),
        (None, Some(shop)) => format!(" in shop {shop}"),
        (None, None) => String::new(),
    }
}

/// What a read that failed says of an item.
pub(super) fn unlisted(error: &Error, item: &Item, place: &str) -> Unlisted {
    let reason = match error {
        Error::Rejected(refusal) => match refusal.code {
            code @ Some(2001 | 2002) => return not_sold(item, place, code),
            Some(code) => format!("7digital refused the read (code {code})"),
            None => "7digital refused the read".to_owned(),
        },
        Error::Unauthorised { .. } => "7digital refused the read (401)".to_owned(),
        Error::Interrupted(Interruption::ConnectionClosed) => {
            "7digital did not finish its answer".to_owned()
        }
        Error::Interrupted(_) => "7digital did not answer in time".to_owned(),
        Error::Unavailable { status, .. } => format!("7digital is unavailable (HTTP {status})"),
        Error::Throttled { .. } => "7digital's rate limit is reached".to_owned(),
        Error::NotSent(_) | Error::CircuitOpen { .. } => "7digital can't be reached".to_owned(),
        Error::DryRun(_) | Error::NoConsumerKey => "no consumer key is set".to_owned(),
        Error::Input { .. } => "the read can't be made of these arguments".to_owned(),
        Error::TooManyAnswers => "this server holds too many large answers".to_owned(),
        Error::Unreadable(_) => UNREADABLE.to_owned(),
    };
    Unlisted::Failed(reason)
}
