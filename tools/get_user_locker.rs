//! `get-user-locker`: what the user owns, page by page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Lockers};
use crate::values::{Count, Country, Id, Sort, UsageTypes, UserId};
use crate::{Contract, Fields, Hints, Scope, Tool, ToolError};

/// The tool.
pub struct GetUserLocker;

impl Tool for GetUserLocker {
    const CONTRACT: Contract = Contract {
        name: "get-user-locker",
        title: "7digital Get User Locker",
        summary: "Lists what the user owns, page by page, with download links.",
        description: "Lists the releases and tracks that a user owns, a page at a time, with their download links. \
            Can be narrowed to a release, a track or a purchase, and sorted. \
            `totalItems` counts releases; ask for the next `page` while page * pageSize is below it. \
            Changes nothing and costs nothing. Download links may be signed: don't publish them. \
            Example: {\"page\": 1, \"pageSize\": 10}.",
        hints: Hints::READ,
        rest: "/v1/user/locker",
        upstream: Endpoint::get("/user/locker", Auth::User, Effect::Reads),
        scope: Scope::Reads,
    };

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

/// Widths of covers that 7digital has, in pixels.
const IMAGE_SIZES: [i64; 9] = [33, 50, 100, 180, 182, 200, 350, 500, 800];

/// Which page of whose locker.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// 1-based page number. Default: 1.
    #[schemars(extend("minimum" = 1))]
    page: Option<Count>,
    /// Number of releases per page, 1 to 50. Default: 10.
    #[schemars(extend("minimum" = 1, "maximum" = 50))]
    page_size: Option<Count>,
    /// Only this release; an empty page if the user does not own it.
    release_id: Option<Id>,
    /// Only this track; needs `releaseId`.
    track_id: Option<Id>,
    /// Only what came with this purchase; 7digital refuses the call if there is nothing.
    purchase_id: Option<Id>,
    /// Order: `releaseTitle`, `purchaseDate` or `artistName`, a space, and `asc` or `desc`. Default: `releaseTitle asc`; newest first is `purchaseDate desc`.
    sort: Option<Sort>,
    /// Only what the user may use in these ways: `download`, `subscriptionstreaming` or `adsupportedstreaming`, several with commas between them. Default: all.
    usage_types: Option<UsageTypes>,
    /// Width of the covers in pixels: 33, 50, 100, 180, 182, 200, 350, 500 or 800. Default: 50.
    image_size: Option<Count>,
    /// Id of the user to act for: needed where no user access token is configured and no default user is set.
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
}
