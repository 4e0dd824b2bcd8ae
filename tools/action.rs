//! What a call that spends or deletes would do: in checked words for a person, and in ids for the ledger.

use std::fmt;

use crate::ToolError;
use crate::values::{Currency, Id, Price};

/// What a call would do. Its `Display` is the start of a sentence, of our own words and checked ids: `Buy release 11700062`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What is done, as an imperative: `Buy`.
    pub verb: &'static str,
    /// What it is done to.
    pub item: Item,
    /// The price that the caller gives, where it gives one.
    pub price: Option<Price>,
    /// The price's currency, where it is given.
    pub currency: Option<Currency>,
    /// Who pays.
    pub payer: Payer,
    /// Which price is charged.
    pub charged: Charged,
    /// The caller's own reference, where it gives one: two sales with two references are two.
    pub reference: Option<String>,
}

/// What an action is done to. Its `Display` names the item the same way for every tool and every spelling of its ids: `release 11700062`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole release.
    Release(Id),
    /// One track.
    Track {
        /// The track.
        track: Id,
        /// The release that it is on, where the call names it.
        release: Option<Id>,
    },
    /// Everything in a basket.
    Basket(Id),
    /// A payment card, where the call names one.
    PaymentCard(Option<Id>),
}

/// Which price an action charges.
///
/// 7digital documents the prices in words ("as advertised on 7digital.com", "recommended retail price"); which fields of its catalogue hold them is inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// What 7digital's own shop takes, promotions included: `sevendigitalPrice`.
    SevendigitalPrice,
    /// What 7digital recommends to shops: `recommendedRetailPrice`.
    RecommendedRetailPrice,
    /// What is due for a basket, less its vouchers: its `amountDue`.
    AmountDue,
    /// What the caller says: the [`price`](Action::price) of the action.
    CallersPrice,
    /// The action costs nothing.
    Nothing,
}

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// The user, with the default payment card.
    Card,
    /// The partner: 7digital sends the bill.
    Partner,
    /// The action costs nothing.
    None,
}

impl Payer {
    /// Its name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Partner => "partner",
            Self::None => "none",
        }
    }
}

impl Action {
    /// A purchase that the user's payment card pays.
    pub(crate) fn purchase(item: Item, price: Option<Price>, charged: Charged) -> Self {
        Self {
            verb: "Buy",
            item,
            price,
            currency: None,
            payer: Payer::Card,
            charged,
            reference: None,
        }
    }

    /// A sale that the partner is billed for.
    pub(crate) fn sale(
        item: Item,
        price: Option<Price>,
        currency: Option<Currency>,
        reference: Option<String>,
    ) -> Self {
        Self {
            verb: "Log a sale of",
            item,
            price,
            currency,
            payer: Payer::Partner,
            charged: Charged::CallersPrice,
            reference,
        }
    }

    /// A look at an item, for whoever wants to know its price.
    pub fn look(item: Item) -> Self {
        Self {
            verb: "Look at",
            ..Self::deletion(item)
        }
    }

    /// A deletion that can't be undone.
    pub(crate) fn deletion(item: Item) -> Self {
        Self {
            verb: "Delete",
            item,
            price: None,
            currency: None,
            payer: Payer::None,
            charged: Charged::Nothing,
            reference: None,
        }
    }

    /// The price for people, such as `7.99 GBP`: in its own currency, or else the country's.
    pub fn shown_price(&self, country: Option<&str>) -> Option<String> {
        self.price
            .map(|price| price.shown(self.currency.as_ref(), country))
    }
}

impl Item {
    /// The track if there is one, else the release. One of them must be named: 7digital can't be asked to sell nothing.
    pub(crate) fn from_ids(release: Option<&Id>, track: Option<&Id>) -> Result<Self, ToolError> {
        match (release.cloned(), track.cloned()) {
            (release, Some(track)) => Ok(Self::Track { track, release }),
            (Some(release), None) => Ok(Self::Release(release)),
            (None, None) => Err(ToolError::input(
                "releaseId",
                "give `releaseId`, or `releaseId` and `trackId`",
            )),
        }
    }

    /// The release that the item is or is on, where the call names it.
    pub fn release(&self) -> Option<&Id> {
        match self {
            Self::Release(release) => Some(release),
            Self::Track { release, .. } => release.as_ref(),
            Self::Basket(_) | Self::PaymentCard(_) => None,
        }
    }

    /// The track that the item is.
    pub fn track(&self) -> Option<&Id> {
        match self {
            Self::Track { track, .. } => Some(track),
            Self::Release(_) | Self::Basket(_) | Self::PaymentCard(_) => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.item)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(release) => write!(f, "release {}", release.canonical()),
            Self::Track {
                track,
                release: Some(release),
            } => write!(
                f,
                "track {} of release {}",
                track.canonical(),
                release.canonical()
            ),
            Self::Track {
                track,
                release: None,
            } => write!(f, "track {}", track.canonical()),
            Self::Basket(basket) => write!(f, "basket {}", basket.canonical()),
            Self::PaymentCard(Some(card)) => write!(f, "card {}", card.canonical()),
            Self::PaymentCard(None) => f.write_str("a card that is not named"),
        }
    }
}
