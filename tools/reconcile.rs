//! Whether a purchase whose outcome is unknown was made: the locker shows it.

use serde_json::json;
use sevendigital::Client;

use crate::lookup::releases_in_locker;
use crate::models::LockerTrack;
use crate::{Action, Receipt, Target, ToolError};

/// The receipt of what an action buys, if the locker shows it, bought no earlier than `since` (milliseconds since 1970)
/// in a purchase that is not among `known`.
///
/// What is in a basket is not known here, so the purchase of a basket is never found.
pub async fn find_purchase(
    client: &Client,
    action: &Action,
    target: &Target,
    since: i64,
    known: &[String],
) -> Result<Option<Receipt>, ToolError> {
    let releases = releases_in_locker(client, action, target).await?;
    let track = action.item.track();
    let bought = releases
        .into_iter()
        .filter_map(|release| release.locker_tracks)
        .flat_map(|tracks| tracks.locker_track)
        .filter(|owned| track.is_none_or(|track| track_id(owned) == Some(track.as_str())))
        .filter(|owned| bought_at(owned).is_some_and(|at| at >= since))
        .find(|owned| !purchase_id(owned).is_some_and(|id| known.iter().any(|other| other == id)));
    Ok(bought.and_then(|owned| {
        let id = purchase_id(&owned)?;
        Some(Receipt {
            purchase_id: id.to_owned(),
            document: json!({"purchase": {"id": id, "purchaseDate": owned.purchase_date}}),
        })
    }))
}

fn track_id(owned: &LockerTrack) -> Option<&str> {
    owned.track.as_ref()?.id.as_deref()
}

fn purchase_id(owned: &LockerTrack) -> Option<&str> {
    owned.purchase_id.as_deref()
}

/// When it was bought, in milliseconds since 1970.
fn bought_at(owned: &LockerTrack) -> Option<i64> {
    let date = owned.purchase_date.as_deref()?;
    let date = chrono::DateTime::parse_from_rfc3339(date).ok()?;
    Some(date.timestamp_millis())
}
