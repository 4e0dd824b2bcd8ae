//! What a locker holds: releases, tracks, and where their files are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::document::More;
use super::lenient::{element, filled, list};
use crate::values::{Count, Flag, Text};

/// An answer about a locker.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Lockers {
    /// The locker.
    #[serde(default, deserialize_with = "element")]
    pub locker: Option<Locker>,
}

/// What a user owns.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Locker {
    /// The releases, one page of them.
    #[serde(default, deserialize_with = "element")]
    pub locker_releases: Option<LockerReleases>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Releases in a locker, one page of them.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerReleases {
    /// This page, counted from 1.
    #[serde(default, deserialize_with = "filled")]
    pub page: Option<Count>,
    /// Releases on a page.
    #[serde(default, deserialize_with = "filled")]
    pub page_size: Option<Count>,
    /// Releases in all.
    #[serde(default, deserialize_with = "filled")]
    pub total_items: Option<Count>,
    /// The releases on this page.
    #[serde(default, deserialize_with = "list")]
    pub locker_release: Vec<LockerRelease>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A release that the user owns, or owns tracks of.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerRelease {
    /// The release.
    #[serde(default, deserialize_with = "element")]
    pub release: Option<Release>,
    /// The tracks of it that the user owns.
    #[serde(default, deserialize_with = "element")]
    pub locker_tracks: Option<LockerTracks>,
    /// Whether it can be downloaded at present.
    #[serde(default, deserialize_with = "filled")]
    pub available: Option<Flag>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A release: an album, a single, an EP.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// Release id.
    pub id: Option<Text>,
    /// Title, as 7digital has it.
    pub title: Option<Text>,
    /// Which version of the release, such as `Deluxe`; often empty.
    pub version: Option<Text>,
    /// Kind of release, such as `Album` or `Single`.
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    /// Barcode, with its leading zeros.
    pub barcode: Option<Text>,
    /// The release's artist.
    #[serde(default, deserialize_with = "element")]
    pub artist: Option<Artist>,
    /// Part of the release's web address.
    pub slug: Option<Text>,
    /// Web address of the cover.
    pub image: Option<Text>,
    /// The label.
    #[serde(default, deserialize_with = "element")]
    pub label: Option<NamedEntity>,
    /// Who licenses it to 7digital.
    #[serde(default, deserialize_with = "element")]
    pub licensor: Option<NamedEntity>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An artist.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artist {
    /// Artist id.
    pub id: Option<Text>,
    /// The artist's name.
    pub name: Option<Text>,
    /// The name as this release prints it.
    pub appears_as: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// Something with an id and a name.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct NamedEntity {
    /// Its id.
    pub id: Option<Text>,
    /// Its name.
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
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerTrack {
    /// The track.
    #[serde(default, deserialize_with = "element")]
    pub track: Option<Track>,
    /// How many times it may still be downloaded.
    #[serde(default, deserialize_with = "filled")]
    pub remaining_downloads: Option<Count>,
    /// The purchase that it came with.
    pub purchase_id: Option<Text>,
    /// When it was bought, ISO 8601 with offset.
    pub purchase_date: Option<Text>,
    /// Whether it came with the whole album.
    #[serde(default, deserialize_with = "filled")]
    pub complete_album_purchase: Option<Flag>,
    /// Where it can be downloaded.
    #[serde(default, deserialize_with = "element")]
    pub download_urls: Option<DownloadUrls>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// A track.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Track id.
    pub id: Option<Text>,
    /// Title, as 7digital has it.
    pub title: Option<Text>,
    /// Which version of the track; often empty.
    pub version: Option<Text>,
    /// The track's artist.
    #[serde(default, deserialize_with = "element")]
    pub artist: Option<Artist>,
    /// Place on the release, counted from 1.
    #[serde(default, deserialize_with = "filled")]
    pub track_number: Option<Count>,
    /// Length in seconds.
    #[serde(default, deserialize_with = "filled")]
    pub duration: Option<Count>,
    /// International Standard Recording Code.
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
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct DownloadUrl {
    /// The address. It may be signed: who has it can download, so don't publish it.
    pub url: Option<Text>,
    /// The file's format.
    #[serde(default, deserialize_with = "element")]
    pub format: Option<Format>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// The format of a file.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Format {
    /// Format id, such as `17`.
    pub id: Option<Text>,
    /// Format for people, such as `MP3 320`.
    pub description: Option<Text>,
    /// Kind of file, such as `MP3`, as older answers name it.
    pub file_format: Option<Text>,
    /// Bit rate in kbit/s, as older answers name it.
    #[serde(default, deserialize_with = "filled")]
    pub bit_rate: Option<Count>,
    /// Whether it is free of copy protection, as older answers say.
    #[serde(default, deserialize_with = "filled")]
    pub drm_free: Option<Flag>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}
