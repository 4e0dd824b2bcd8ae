//! A listing of the catalogue, what of it is said in words, and why there is none.

use std::fmt;

use crate::amount::Amount;
use crate::values::Price;
use crate::{Action, Charged, Item};

/// What 7digital's catalogue says of an action's item, for the user's country. Texts are 7digital's, each on one short line without quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The title, with the version where it does not hold it already; of a basket `2 items`.
    pub title: String,
    /// The artist as the item names it.
    pub artist: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Of a track: the title of its release.
    pub release: Option<String>,
    /// Of a basket: a line for each item, `“Title” by Artist`, ten at most, and then `and 3 more`.
    pub contents: Vec<String>,
    /// Whether 7digital marks it as explicit.
    pub explicit: bool,
    /// The address of its cover, where that is `https`.
    pub cover: Option<String>,
    /// The date (`2027-01-08`) when it is out, where that lies ahead.
    pub pre_order: Option<String>,
    /// What the action charges by 7digital's prices, or its own shop's price where the action is a look. Nothing where there is no price, and where the caller sets it.
    pub price: Option<Amount>,
    /// Where the caller sets the price, or the action is a look: 7digital's recommended retail price, for comparison.
    pub list_price: Option<Amount>,
}

/// What a listing is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An album.
    Album,
    /// A single.
    Single,
    /// A release of another type.
    Release,
    /// One track.
    Track,
    /// A basket.
    Basket,
}

/// Why there is no listing. Its `Display` is a sentence, but for that of `Failed`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    /// 7digital says that it does not sell the item to the user's country: code 2001 or 2002, or a listing without a download.
    #[error("{0}")]
    NotSold(String),
    /// The item is listed and has no price of its own. Only where 7digital sets the price.
    #[error("{0}")]
    NoPrice(String),
    /// The basket holds nothing.
    #[error("The basket is empty.")]
    EmptyBasket,
    /// The catalogue could not be read: a short reason in our own words, such as `7digital did not answer in time`.
    #[error("{0}")]
    Failed(String),
}

impl Listing {
    /// The item in words and ids: `“Hot Fuss” by The Killers (album, release 11700062)`.
    ///
    /// A track is `“T” by A, from “R” (track 1170006201 of release 11700062)`, a basket `basket X (2 items: “A” by B; “C” by D)`.
    pub fn describe(&self, item: &Item) -> String {
        let mut details = match self.kind {
            Kind::Basket => {
                let contents = self.contents.join("; ");
                let separator = if contents.is_empty() { "" } else { ": " };
                return format!("{item} ({}{separator}{contents})", self.title);
            }
            Kind::Album | Kind::Single => format!("{}, {item}", self.kind),
            Kind::Release | Kind::Track => item.to_string(),
        };
        if let Some(date) = &self.pre_order {
            details = format!("{details}; pre-order, out on {date}");
        }
        let mut named = named(&self.title, self.artist.as_deref());
        if self.explicit && !self.title.to_lowercase().contains("[explicit]") {
            named.push_str(" [explicit]");
        }
        if let Some(release) = &self.release {
            named = format!("{named}, from “{release}”");
        }
        format!("{named} ({details})")
    }

    /// A sentence about the price that the caller of an action sets, where it is in another currency than 7digital's, or a tenth or tenfold of it and beyond:
    /// prices in minor units are easily taken for major ones.
    ///
    /// `country` is the one whose currency the price is in where the action names none.
    pub fn price_doubt(&self, action: &Action, country: Option<&str>) -> Option<String> {
        let (Charged::CallersPrice, Some(listed)) = (action.charged, &self.list_price) else {
            return None;
        };
        let given = action.price?;
        let shown = given.shown(action.currency.as_ref(), country);
        let currency = Price::currency(action.currency.as_ref(), country);
        if let (Some(own), Some(other)) = (currency, &listed.currency)
            && !own.eq_ignore_ascii_case(other)
        {
            return Some(format!(
                "7digital lists it at {listed}, which is another currency than that of {shown}."
            ));
        }
        let (given, units) = (u64::from(given.in_minor_units()), listed.minor_units()?);
        let units = u64::from(units);
        let far = given != units && (given * 10 <= units || given >= units * 10);
        far.then(|| {
            format!(
                "7digital lists it at {listed}: is {shown} meant? Prices here are in minor units."
            )
        })
    }
}

/// `“Title” by Artist`.
pub(super) fn named(title: &str, artist: Option<&str>) -> String {
    match artist {
        Some(artist) => format!("“{title}” by {artist}"),
        None => format!("“{title}”"),
    }
}

/// That 7digital does not sell an item, and by which of its codes.
pub(super) fn not_sold(item: &Item, place: &str, code: Option<u32>) -> Unlisted {
    let code = code.map_or_else(String::new, |code| format!(" (code {code})"));
    Unlisted::NotSold(match item {
        Item::Basket(_) => format!("7digital has no {item}{place}{code}."),
        _ => format!("7digital does not sell {item}{place}{code}."),
    })
}

/// That an item is listed without a price.
pub(super) fn no_price(listing: &Listing, place: &str) -> Unlisted {
    let named = named(&listing.title, listing.artist.as_deref());
    Unlisted::NoPrice(match listing.kind {
        Kind::Track => {
            format!("{named} has no price of its own{place}; it may be sold only with its album.")
        }
        _ => format!("{named} has no price{place}."),
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Album => "album",
            Self::Single => "single",
            Self::Release => "release",
            Self::Track => "track",
            Self::Basket => "basket",
        })
    }
}
