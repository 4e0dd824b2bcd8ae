//! The documents that tools share, in their one shape.
//!
//! Lists are always arrays, identifiers always strings, counts numbers; what is not described here is kept as it came.
//! Their schemas are what documents are brought to (`shape.rs`), and what clients are promised.

mod cards;
mod document;
mod locker;
mod purchase;
mod users;

pub use self::cards::{Card, CardRegistration, CardRegistrations, Cards, Wallet};
pub use self::document::{Document, Done, Unexpected};
pub use self::locker::{
    Artist, DownloadUrl, DownloadUrls, Format, Locker, LockerRelease, LockerReleases, LockerTrack,
    LockerTracks, Lockers, NamedEntity, Release, ReleaseDownload, Track,
};
pub use self::purchase::{Purchase, Purchases};
pub use self::users::{Streaming, Subscriptions, User, Users};
