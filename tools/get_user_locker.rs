//! `get-user-locker`: what the user owns, page by page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Lockers};
use crate::sent::Sent;
use crate::values::{Count, Country, Id, Sort, UsageTypes, UserId, View};
use crate::{Contract, Fields, Hints, Scope, Tool, ToolError};

/// The tool.
pub struct GetUserLocker;

impl Tool for GetUserLocker {
    const CONTRACT: Contract = Contract {
        name: "get-user-locker",
        title: "7digital Get User Locker",
        summary: "Lists what the user owns, page by page, with download links.",
        description: "Lists the music that the user owns: albums and tracks, with download links. \
            The `view` `summary` is a sixth as long. \
            `totalItems` counts releases; there is a next `page` while page * pageSize is below it. Links may be signed: don't publish them. \
            Example: {\"page\": 1, \"pageSize\": 10, \"view\": \"summary\"}.",
        hints: Hints::READ,
        rest: "/v1/user/locker",
        upstream: Endpoint::get("/user/locker", Auth::User, Effect::Reads),
        scope: Scope::Reads,
    };

    // A full page of fifty releases.
    const MAX_RESULT_CHARS: Option<u32> = Some(200_000);

    type Input = Page;
    type Output = Document<Lockers>;

    fn check(page: &Page) -> Result<(), ToolError> {
        if page.page.is_some_and(|Count(page)| page < 1) {
            return Err(ToolError::input("page", "expected 1 or more"));
        }
        let size = page.page_size.map_or(1, |Count(size)| size);
        if !(1..=50).contains(&size) {
            return Err(ToolError::input("pageSize", "expected 1 to 50"));
        }
        if page.track_id.is_some() && page.release_id.is_none() {
            let problem = "give the track's `releaseId` as well";
            return Err(ToolError::input("trackId", problem));
        }
        let width = page.image_size.map_or(50, |Count(width)| width);
        if !IMAGE_SIZES.contains(&width) {
            let problem = "expected 33, 50, 100, 180, 182, 200, 350, 500 or 800";
            return Err(ToolError::input("imageSize", problem));
        }
        Ok(())
    }

    /// `view` is ours; 7digital always sends all.
    async fn call(client: &Client, page: &Page) -> Result<Answer<Fields>, ToolError> {
        let sent = Sent::new(page).with("view", None);
        sent.call(client, &Self::CONTRACT.upstream).await
    }

    fn complete(_: &Client, page: &Page, answer: &mut Answer<Fields>) -> Result<(), ToolError> {
        if page.view == Some(View::Summary) {
            summarize(&mut answer.document);
        }
        Ok(())
    }

    fn note(document: &Fields) -> Option<String> {
        let releases = document.get("locker")?.get("lockerReleases")?;
        let count = |name: &str| releases.get(name)?.as_i64();
        let (page, size, total) = (count("page")?, count("pageSize")?, count("totalItems")?);
        if size < 1 {
            return None;
        }
        let pages = (total.saturating_add(size - 1) / size).max(1);
        let next = if (0..pages).contains(&page) {
            format!(" For the next page call again with `page` {}.", page + 1)
        } else {
            " There are no more pages.".to_owned()
        };
        Some(format!(
            "Page {page} of {pages}, {total} releases in all.{next}"
        ))
    }
}

/// What a summary keeps of a release, and of a track.
const OF_RELEASE: [&str; 5] = ["id", "title", "version", "type", "artist"];
const OF_TRACK: [&str; 4] = ["id", "title", "version", "artist"];

/// Leaves titles, artists, ids and dates of a locker, in the same shape. What stands in `unexpected` stays.
fn summarize(document: &mut Fields) {
    let releases = document
        .get_mut("locker")
        .and_then(|locker| locker.pointer_mut("/lockerReleases/lockerRelease"));
    for owned in items(releases) {
        keep(Some(owned), &["release", "lockerTracks"]);
        keep(owned.get_mut("release"), &OF_RELEASE);
        keep_artist(owned.pointer_mut("/release/artist"));
        let artist = owned.pointer("/release/artist").cloned();
        for track in items(owned.pointer_mut("/lockerTracks/lockerTrack")) {
            keep(Some(track), &["track", "purchaseId", "purchaseDate"]);
            keep(track.get_mut("track"), &OF_TRACK);
            keep_artist(track.pointer_mut("/track/artist"));
            // Most tracks are by their release's artist.
            if track.pointer("/track/artist") == artist.as_ref() {
                keep(track.get_mut("track"), &["id", "title", "version"]);
            }
        }
    }
}

fn items(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

fn keep_artist(artist: Option<&mut Value>) {
    let is_named = |artist: &Value| artist.get("name").is_some_and(|name| name != "");
    match artist {
        Some(artist) if is_named(artist) => keep(Some(artist), &["id", "name"]),
        artist => keep(artist, &["id", "appearsAs"]),
    }
}

/// Keeps these fields of an object, but for texts that are empty.
fn keep(object: Option<&mut Value>, names: &[&str]) {
    if let Some(fields) = object.and_then(Value::as_object_mut) {
        fields.retain(|name, value| names.contains(&name.as_str()) && value != "");
    }
}

/// Widths of covers that 7digital has, in pixels.
const IMAGE_SIZES: [i64; 9] = [33, 50, 100, 180, 182, 200, 350, 500, 800];

/// Which page of whose locker.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// Counted from 1, the default.
    #[schemars(extend("minimum" = 1))]
    page: Option<Count>,
    /// Releases on a page. Default: 10.
    #[schemars(extend("minimum" = 1, "maximum" = 50))]
    page_size: Option<Count>,
    /// Only this release; empty if the user does not own it.
    release_id: Option<Id>,
    /// Only this track; needs `releaseId`.
    track_id: Option<Id>,
    /// Only what came with this purchase; refused if there is nothing.
    purchase_id: Option<Id>,
    /// `releaseTitle`, `purchaseDate` or `artistName`, a space, `asc` or `desc`. Default: `releaseTitle asc`; newest first: `purchaseDate desc`.
    sort: Option<Sort>,
    /// Only for these uses: `download`, `subscriptionstreaming`, `adsupportedstreaming`, with commas between. Default: all.
    usage_types: Option<UsageTypes>,
    /// Width of covers in pixels: 33, 50, 100, 180, 182, 200, 350, 500 or 800. Default: 50.
    image_size: Option<Count>,
    /// `summary`: titles, artists, ids and dates only. Default: `full`.
    view: Option<View>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}
