//! The documents that several tools share, in their one shape.
//!
//! Lists are always arrays, identifiers always strings, counts numbers; what is not named here is kept as it came.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::{Count, Flag, Text};

/// Fields that are not described here.
pub type More = Map<String, Value>;

/// A whole answer: the payload with the envelope's attributes beside it.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Document<T> {
    /// `ok`; some answers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Text>,
    /// Version of the API, such as `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// What was asked for.
    #[serde(flatten)]
    pub payload: T,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer that only says that it was done.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// An answer about a user.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Users {
    /// The user.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub user: Option<User>,
}

/// A user of 7digital, or of a partner.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id, to be used as `userId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Kind of account, such as `7digital`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// The user's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a streaming subscription.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Subscriptions {
    /// The subscription; left out where the user has none.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub streaming: Option<Streaming>,
}

/// A streaming subscription.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Streaming {
    /// Level of access, such as `premium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Text>,
    /// When access ends, ISO 8601 in UTC, such as `2021-10-11T10:54:35Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer to a purchase.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Purchases {
    /// The purchase.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub purchase: Option<Purchase>,
}

/// A purchase that was made.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// 7digital's purchase id: the reference for refunds and support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// When it was made, ISO 8601 with offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_date: Option<Text>,
    /// What was bought; left out by newer versions of the API.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub locker_releases: Option<LockerReleases>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Releases in a locker, one page of them.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerReleases {
    /// This page, counted from 1.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub page: Option<Count>,
    /// Releases on a page.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub page_size: Option<Count>,
    /// Releases in all.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub total_items: Option<Count>,
    /// The releases on this page.
    #[serde(default, deserialize_with = "list")]
    pub locker_release: Vec<LockerRelease>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A release that the user owns, or owns tracks of.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerRelease {
    /// The release.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub release: Option<Release>,
    /// The tracks of it that the user owns.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub locker_tracks: Option<LockerTracks>,
    /// Whether it can be downloaded at present.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub available: Option<Flag>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A release: an album, a single, an EP.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// Release id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Title, as 7digital has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// Which version of the release, such as `Deluxe`; often empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// Kind of release, such as `Album` or `Single`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// Barcode, with its leading zeros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barcode: Option<Text>,
    /// The release's artist.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub artist: Option<Artist>,
    /// Part of the release's web address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<Text>,
    /// Web address of the cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Text>,
    /// The label.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub label: Option<Named>,
    /// Who licenses it to 7digital.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub licensor: Option<Named>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An artist.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artist {
    /// Artist id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// The artist's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// The name as this release prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appears_as: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Something with an id and a name.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Tracks that the user owns.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerTracks {
    /// The tracks; none where a release was taken down.
    #[serde(default, deserialize_with = "list")]
    pub locker_track: Vec<LockerTrack>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A track that the user owns.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerTrack {
    /// The track.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub track: Option<Track>,
    /// How many times it may still be downloaded.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub remaining_downloads: Option<Count>,
    /// The purchase that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_id: Option<Text>,
    /// When it was bought, ISO 8601 with offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_date: Option<Text>,
    /// Whether it came with the whole album.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub complete_album_purchase: Option<Flag>,
    /// Where it can be downloaded.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub download_urls: Option<DownloadUrls>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A track.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Track id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Title, as 7digital has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// Which version of the track; often empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// The track's artist.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub artist: Option<Artist>,
    /// Place on the release, counted from 1.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub track_number: Option<Count>,
    /// Length in seconds.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Count>,
    /// International Standard Recording Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isrc: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Addresses of a track's files.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrls {
    /// One for each format; none where the file was taken down.
    #[serde(default, deserialize_with = "list")]
    pub download_url: Vec<DownloadUrl>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Address of a track's file in one format.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct DownloadUrl {
    /// The address. It may be signed: who has it can download, so don't publish it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Text>,
    /// The file's format.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub format: Option<Format>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// The format of a file.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Format {
    /// Format id, such as `17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Format for people, such as `MP3 320`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A payment card, as far as anyone may know it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Card id, to be used as `cardId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Kind of card, such as `VISA`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// The last four digits of its number, with leading zeros.
    #[serde(rename = "last4digits", skip_serializing_if = "Option::is_none")]
    pub last_four_digits: Option<Text>,
    /// Whether this is the card that purchases charge.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub default: Option<Flag>,
    /// The name on the card.
    #[serde(alias = "cardholderName", skip_serializing_if = "Option::is_none")]
    pub card_holder_name: Option<Text>,
    /// The month it expires in, as `yyyyMM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Text>,
    /// The country it was issued in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a card registration.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistrations {
    /// The registration.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub card_registration: Option<CardRegistration>,
}

/// The registration of a card, which the user completes on 7digital's page.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRegistration {
    /// Registration id, to be asked about with `get-user-card-registration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// `pending` until the user has entered the card, then `complete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Text>,
    /// Where the user's browser goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<Text>,
    /// Where the user's browser sends the card, if 7digital named it in a `Location` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
    /// The card, once it is registered.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub card: Option<Card>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An element that may be there and empty: XML's `<artist/>` arrives as an empty text.
pub(crate) fn element<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(Some(T::default())),
        value => serde_path_to_error::deserialize(value)
            .map(Some)
            .map_err(D::Error::custom),
    }
}

/// A number or flag that may be there and empty, which says no more than one that is not there.
pub(crate) fn filled<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => serde_json::from_value(value)
            .map(Some)
            .map_err(D::Error::custom),
    }
}

/// A list, also where it arrives as its only element, as nothing or as an empty text.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let all = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::Array(all) => all,
        one => vec![one],
    };
    all.into_iter()
        .map(|value| match value {
            Value::String(text) if text.trim().is_empty() => Ok(T::default()),
            value => serde_path_to_error::deserialize(value).map_err(D::Error::custom),
        })
        .collect()
}
