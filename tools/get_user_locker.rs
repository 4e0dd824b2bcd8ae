//! `get-user-locker`: what the user owns, page by page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, LockerReleases, More, element};
use crate::tool::{Accurate, Contract, Hints, Published, Route, Tool, ToolError};
use crate::values::{Count, Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct GetUserLocker;

impl Tool for GetUserLocker {
    const CONTRACT: Contract = Contract {
        name: "get-user-locker",
        title: "7digital Get User Locker",
        description: "Lists the releases and tracks that a user owns, a page at a time, with their download links. \
            `totalItems` counts releases; ask for the next `page` while page * pageSize is below it. \
            Changes nothing and costs nothing. Download links may be signed: don't publish them. \
            Example: {\"page\": 1, \"pageSize\": 10}.",
        hints: Hints {
            accurate: Accurate {
                read_only: true,
                destructive: false,
                idempotent: true,
                open_world: false,
            },
            published: Published {
                read_only: true,
                destructive: false,
                idempotent: true,
            },
        },
        rest: Route::get("/v1/user/locker"),
        upstream: Endpoint::get("/user/locker", Auth::User, Effect::Reads),
    };

    type Input = Page;
    type Output = Document<Lockers>;

    async fn call(client: &Client, page: Page) -> Result<Answer<Self::Output>, ToolError> {
        if page.page.is_some_and(|Count(page)| page < 1) {
            return Err(ToolError::input("page", "expected 1 or more"));
        }
        if page
            .page_size
            .is_some_and(|Count(size)| !(1..=50).contains(&size))
        {
            return Err(ToolError::input("pageSize", "expected 1 to 50"));
        }
        Ok(client.send(&Self::CONTRACT.upstream, &page).await?)
    }
}

/// Which page of whose locker.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// 1-based page number. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1))]
    page: Option<Count>,
    /// Number of releases per page, 1 to 50. Default: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 50))]
    page_size: Option<Count>,
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

/// An answer about a locker.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Lockers {
    /// The locker.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    locker: Option<Locker>,
}

/// What a user owns.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Locker {
    /// The releases, one page of them.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    locker_releases: Option<LockerReleases>,
    /// Anything else.
    #[serde(flatten)]
    more: More,
}
