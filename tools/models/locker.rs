//! What a locker holds: releases, tracks, and where their files are.

use schemars::JsonSchema;
use serde::Deserialize;

/// An answer about a locker.
#[derive(Deserialize, JsonSchema)]
pub struct Lockers {
    /// The locker.
    pub locker: Option<Locker>,
}

/// What a user owns.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Locker {
    /// The releases, one page of them.
    pub locker_releases: Option<LockerReleases>,
}

/// Releases in a locker, one page of them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerReleases {
    /// This page, counted from 1.
    pub page: Option<i64>,
    /// Releases on a page.
    pub page_size: Option<i64>,
    /// Releases in all.
    pub total_items: Option<i64>,
    /// The releases on this page.
    pub locker_release: Vec<LockerRelease>,
}

/// A release that the user owns, or owns tracks of.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerRelease {
    /// The release.
    pub release: Option<Release>,
    /// The tracks of it that the user owns.
    pub locker_tracks: Option<LockerTracks>,
    /// Whether it can be downloaded at present.
    #[schemars(extend("x-help" = true))]
    pub available: Option<bool>,
}

/// A release: an album, a single, an EP.
#[derive(Deserialize, JsonSchema)]
pub struct Release {
    /// Release id.
    pub id: Option<String>,
    /// Title, as 7digital has it.
    pub title: Option<String>,
    /// Which version of the release, such as `Deluxe`; often empty.
    pub version: Option<String>,
    /// Kind of release, such as `Album` or `Single`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Barcode, with its leading zeros.
    pub barcode: Option<String>,
    /// The release's artist.
    pub artist: Option<Artist>,
    /// Part of the release's web address.
    #[schemars(extend("x-unlisted" = true))]
    pub slug: Option<String>,
    /// Web address of the cover.
    pub image: Option<String>,
    /// The label.
    #[schemars(extend("x-unlisted" = true))]
    pub label: Option<NamedEntity>,
    /// Who licenses it to 7digital.
    #[schemars(extend("x-unlisted" = true))]
    pub licensor: Option<NamedEntity>,
    /// The release as a download.
    pub download: Option<ReleaseDownload>,
}

/// A release as a download.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseDownload {
    /// Since when it may be sold, ISO 8601 with offset.
    pub release_date: Option<String>,
}

/// An artist.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artist {
    /// Artist id.
    pub id: Option<String>,
    /// The artist's name.
    pub name: Option<String>,
    /// The name as this release prints it.
    pub appears_as: Option<String>,
    /// Part of the artist's web address.
    #[schemars(extend("x-unlisted" = true))]
    pub slug: Option<String>,
}

/// Something with an id and a name.
#[derive(Deserialize, JsonSchema)]
pub struct NamedEntity {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// Tracks that the user owns.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerTracks {
    /// The tracks; none where a release was taken down.
    pub locker_track: Vec<LockerTrack>,
}

/// A track that the user owns.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockerTrack {
    /// The track.
    pub track: Option<Track>,
    /// How many times it may still be downloaded.
    pub remaining_downloads: Option<i64>,
    /// The purchase that it came with.
    pub purchase_id: Option<String>,
    /// When it was bought, ISO 8601 with offset.
    pub purchase_date: Option<String>,
    /// Whether it came with the whole album.
    pub complete_album_purchase: Option<bool>,
    /// Where it can be downloaded.
    pub download_urls: Option<DownloadUrls>,
}

/// A track.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Track id.
    pub id: Option<String>,
    /// Title, as 7digital has it.
    pub title: Option<String>,
    /// Which version of the track; often empty.
    pub version: Option<String>,
    /// The track's artist.
    pub artist: Option<Artist>,
    /// Place on the release, counted from 1.
    pub track_number: Option<i64>,
    /// Place on its disc, counted from 1, as newer answers name it.
    #[schemars(extend("x-unlisted" = true))]
    pub number: Option<i64>,
    /// Disc of the release that it is on, counted from 1.
    pub disc_number: Option<i64>,
    /// Length in seconds.
    #[schemars(extend("x-help" = true))]
    pub duration: Option<i64>,
    /// International Standard Recording Code.
    pub isrc: Option<String>,
    /// Part of the track's web address.
    #[schemars(extend("x-unlisted" = true))]
    pub slug: Option<String>,
}

/// Addresses of a track's files.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrls {
    /// One for each format; none where the file was taken down.
    pub download_url: Vec<DownloadUrl>,
}

/// Address of a track's file in one format.
#[derive(Deserialize, JsonSchema)]
pub struct DownloadUrl {
    /// The address. It may be signed: who has it can download, so don't publish it.
    pub url: Option<String>,
    /// The file's format.
    pub format: Option<Format>,
}

/// The format of a file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Format {
    /// Format id, such as `17`.
    pub id: Option<String>,
    /// The file's address, where it stands here. It may be signed: who has it can download, so don't publish it.
    #[schemars(extend("x-unlisted" = true))]
    pub url: Option<String>,
    /// Format for people, such as `MP3 320`.
    pub description: Option<String>,
    /// Kind of file, such as `MP3`, as older answers name it.
    #[schemars(extend("x-unlisted" = true))]
    pub file_format: Option<String>,
    /// Bit rate in kbit/s, as older answers name it.
    #[schemars(extend("x-unlisted" = true))]
    pub bit_rate: Option<i64>,
    /// Whether it is free of copy protection, as older answers say.
    #[schemars(extend("x-unlisted" = true))]
    pub drm_free: Option<bool>,
}
