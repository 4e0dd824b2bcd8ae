//! What the locker shows of a purchase whose outcome is unknown.

use serde_json::json;
use sevendigital::Client;

use crate::lookup::releases_in_locker;
use crate::models::LockerTrack;
use crate::{Action, Item, Receipt, Target, ToolError};

/// The purchases of an action's item that the locker shows, newest first: when each was made, in milliseconds since 1970 by 7digital's clock, and its receipt.
///
/// A release counts where it was bought as a whole, a track where it was bought by itself.
/// What is in a basket is not known here, so the purchase of a basket is never found.
pub async fn find_purchases(
    client: &Client,
    action: &Action,
    target: &Target,
) -> Result<Vec<(i64, Receipt)>, ToolError> {
    let releases = releases_in_locker(client, action, target).await?;
    let owned = releases.into_iter();
    let owned = owned.filter_map(|release| release.locker_tracks);
    let owned = owned.flat_map(|tracks| tracks.locker_track);
    let bought = owned.filter(|owned| is_bought(owned, &action.item));
    let mut receipts: Vec<_> = bought.filter_map(receipt).collect();
    receipts.dedup_by(|(_, one), (_, other)| one.purchase_id == other.purchase_id);
    Ok(receipts)
}

/// Whether a track in the locker came with a purchase of just this item.
fn is_bought(owned: &LockerTrack, item: &Item) -> bool {
    let track = || owned.track.as_ref()?.id.as_deref();
    match item {
        Item::Release(_) => owned.complete_album_purchase == Some(true),
        Item::Track { track: wanted, .. } => {
            owned.complete_album_purchase != Some(true) && track().is_some_and(|id| wanted.is(id))
        }
        Item::Basket(_) | Item::PaymentCard(_) => false,
    }
}

fn receipt(owned: LockerTrack) -> Option<(i64, Receipt)> {
    let (id, date) = (owned.purchase_id?, owned.purchase_date?);
    let at = chrono::DateTime::parse_from_rfc3339(&date).ok()?;
    let receipt = Receipt {
        document: json!({"purchase": {"id": id, "purchaseDate": date}}),
        purchase_id: id,
    };
    Some((at.timestamp_millis(), receipt))
}
