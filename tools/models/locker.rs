//! What a locker holds: releases, tracks, and where their files are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{More, element, filled, list};
use crate::values::{Count, Flag, Text};

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
#[serde(rename_all = "camelCase")]
pub struct Format {
    /// Format id, such as `17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Format for people, such as `MP3 320`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Kind of file, such as `MP3`, as older answers name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_format: Option<Text>,
    /// Bit rate in kbit/s, as older answers name it.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub bit_rate: Option<Count>,
    /// Whether it is free of copy protection, as older answers say.
    #[serde(
        default,
        deserialize_with = "filled",
        skip_serializing_if = "Option::is_none"
    )]
    pub drm_free: Option<Flag>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}
