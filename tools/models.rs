//! The documents that tools share, in their one shape.
//!
//! Lists are always arrays, identifiers always strings, counts numbers; what is not described here is kept as it came.

mod cards;
mod document;
pub(crate) mod lenient;
mod locker;
mod purchase;
mod users;

pub use self::cards::{Card, CardRegistration, CardRegistrations, Cards, Wallet};
pub use self::document::{Document, Done, More};
pub use self::locker::{
    Artist, DownloadUrl, DownloadUrls, Format, Locker, LockerRelease, LockerReleases, LockerTrack,
    LockerTracks, Lockers, NamedEntity, Release, Track,
};
pub use self::purchase::{Purchase, Purchases};
pub use self::users::{Streaming, Subscriptions, User, Users};
