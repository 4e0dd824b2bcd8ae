//! What a user's locker has of the release that an action is about.

use serde::Serialize;
use sevendigital::Client;
use sevendigital::text::quotable;

use crate::action::Action;
use crate::error::ToolError;
use crate::get_user_locker::GetUserLocker;
use crate::look_up::look_up;
use crate::models::{LockerRelease, Lockers};
use crate::target::Target;
use crate::tool::Tool as _;

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
    Ok(releases.map_or_else(Vec::new, |page| page.locker_release))
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
