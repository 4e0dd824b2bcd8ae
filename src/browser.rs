//! The page in the user's browser on which a purchase is confirmed: served on loopback, opened by this process, and answered once.

pub use self::serve::serve;

mod asked;
mod html;
mod page;
mod request;
mod serve;
mod site;
