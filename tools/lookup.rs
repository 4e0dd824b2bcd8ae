//! Reads on the side, for what a question or the ledger needs to know: what a user's locker has, and which payment card pays.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sevendigital::text::quotable;
use sevendigital::{Client, Endpoint, Error, Unreadable};

use crate::catalogue;
use crate::get_user_locker::GetUserLocker;
use crate::list_user_payment_cards::ListUserPaymentCards;
use crate::models::{Card, LockerRelease, Lockers, Wallet};
use crate::values::Id;
use crate::{Action, Item, Target, Tool as _, ToolError, shape};

/// 7digital's title of the action's release, if the locker has it: cleaned, and 7digital's words, not ours.
pub async fn owned_title(client: &Client, action: &Action, target: &Target) -> Option<String> {
    let releases = releases_in_locker(client, action, target).await.ok()?;
    let title = releases.into_iter().next()?.release?.title?;
    Some(quotable(&title))
}

/// What the locker has of the action's release, newest first. Nothing if the action names no release.
pub(crate) async fn releases_in_locker(
    client: &Client,
    action: &Action,
    target: &Target,
) -> Result<Vec<LockerRelease>, ToolError> {
    let Some(release) = action.item.release() else {
        return Ok(Vec::new());
    };
    let query = Query {
        target,
        release_id: release.as_str(),
        sort: "purchaseDate desc",
        page_size: 50,
    };
    let lockers: Lockers = look_up(client, &GetUserLocker::CONTRACT.upstream, &query).await?;
    let releases = lockers.locker.and_then(|locker| locker.locker_releases);
    let mut releases = releases.map_or_else(Vec::new, |page| page.locker_release);
    releases.retain(|owned| {
        let id = owned.release.as_ref().and_then(|owned| owned.id.as_deref());
        id.is_some_and(|id| release.is(id))
    });
    Ok(releases)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    #[serde(flatten)]
    target: &'a Target,
    release_id: &'a str,
    sort: &'static str,
    page_size: u8,
}

/// The last four digits of the payment card that an action deletes, or of the default one that purchases charge.
pub async fn card_digits(client: &Client, action: &Action, target: &Target) -> Option<String> {
    let upstream = &ListUserPaymentCards::CONTRACT.upstream;
    let wallet: Wallet = look_up(client, upstream, target).await.ok()?;
    let wanted = |card: &Card| match &action.item {
        Item::PaymentCard(named) => {
            let named = named.as_ref().map(Id::as_str);
            named.is_some() && card.id.as_deref() == named
        }
        Item::Release(_) | Item::Track { .. } | Item::Basket(_) => card.default == Some(true),
    };
    let cards = wallet.cards?.card;
    let digits = cards.into_iter().find(wanted)?.last_four_digits?;
    let four_digits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    four_digits.then_some(digits)
}

/// Reads an operation's document, in its shape, into a type.
async fn look_up<T: DeserializeOwned + JsonSchema + 'static>(
    client: &Client,
    upstream: &Endpoint,
    input: &(impl Serialize + Sync),
) -> Result<T, ToolError> {
    let mut document = client.call(upstream, input).await?.document;
    shape::fit::<T>(&mut document);
    let read = serde_json::from_value(Value::Object(document));
    read.map_err(|_| Error::Unreadable(Unreadable::Shape).into())
}

/// Has 7digital check the consumer's key and signature: reads a release that need not exist. That there is none is a good answer.
pub async fn check_consumer(client: &Client) -> Result<(), ToolError> {
    let query = AnyRelease { release_id: "1" };
    match client.call(&catalogue::RELEASE, &query).await {
        Ok(_) => Ok(()),
        Err(Error::Rejected(refusal)) if refusal.code.is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Reads one item of the user's locker, and forgets it.
pub async fn check_user(client: &Client) -> Result<(), ToolError> {
    let query = OneItem { page_size: 1 };
    client
        .call(&GetUserLocker::CONTRACT.upstream, &query)
        .await?;
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnyRelease {
    release_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneItem {
    page_size: u8,
}
