//! What the sandbox stores: users, their lockers and cards, the catalogue, baskets and sales.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::prices::Price;
use crate::refusal::Refusal;
use crate::tokens::Tokens;

const MOST_USERS: usize = 100_000;
const MOST_LOCKER_TRACKS: usize = 20_000;
const MOST_SALES: usize = 1_000_000;
pub(crate) const MOST_REGISTRATIONS: usize = 10_000;

/// Everything that operations read and change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) catalogue: &'static [Release],
    /// Prices that were set since the start, by the id of the release or track.
    pub(crate) prices: BTreeMap<u64, Price>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) baskets: BTreeMap<String, Basket>,
    pub(crate) registrations: BTreeMap<String, Registration>,
    pub(crate) tokens: Tokens,
    pub(crate) sales: Vec<Sale>,
    last_id: u64,
}

/// A release of the catalogue; prices are in pence, and [`State::price`] says what they are elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) title: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) barcode: &'static str,
    pub(crate) artist_id: u64,
    pub(crate) artist: &'static str,
    pub(crate) explicit: bool,
    pub(crate) price: u64,
    pub(crate) recommended_price: u64,
    pub(crate) track_price: u64,
    /// Whether it is not out yet.
    pub(crate) pre_order: bool,
    /// The one country where it is sold, if it is not sold everywhere.
    pub(crate) only_in: Option<&'static str>,
    /// Track titles; none means that the release was withdrawn.
    pub(crate) tracks: &'static [&'static str],
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) email: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) country: String,
    pub(crate) cards: Vec<Card>,
    pub(crate) default_card: Option<u64>,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) locker: Vec<Owned>,
}

/// A release in a locker, with those of its tracks that the user has.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) release: &'static Release,
    pub(crate) tracks: Vec<OwnedTrack>,
    pub(crate) last_purchase: (DateTime<Utc>, u64),
    pub(crate) available: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct OwnedTrack {
    /// The track's number on its release, from 1.
    pub(crate) number: u64,
    pub(crate) title: &'static str,
    pub(crate) purchase_id: u64,
    pub(crate) purchased: DateTime<Utc>,
    pub(crate) whole_release: bool,
}

/// The stored part of a payment card: never its number.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) last_digits: String,
    pub(crate) holder: String,
    /// `yyyyMM`.
    pub(crate) expiry: String,
    pub(crate) charge: Charge,
}

/// What happens when a card is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    Accepted,
    Declined,
}

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) level: String,
    pub(crate) expiry: DateTime<Utc>,
}

#[derive(Debug)]
pub(crate) struct Basket {
    pub(crate) country: &'static str,
    /// Release ids, each with a track id where one track is bought alone.
    pub(crate) items: Vec<(u64, Option<u64>)>,
}

#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) user_id: String,
    pub(crate) redirect_url: String,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Pending,
    Complete(Card),
    Failed { code: u64, message: &'static str },
}

/// One sale that the sandbox made since it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The purchase id that the answer and the locker show.
    pub purchase_id: u64,
    /// The operation that made it, such as `purchaseUserItem`.
    pub operation: &'static str,
    /// The buyer.
    pub user_id: String,
    /// Release ids, each with a track id where one track was bought alone.
    pub items: Vec<(u64, Option<u64>)>,
    /// What was charged or logged, in minor units.
    pub amount: u64,
    /// The card that was charged; none for `deliverUserItem`.
    pub card_id: Option<u64>,
    /// The partner's id of a sale logged with `deliverUserItem`.
    pub transaction_id: Option<String>,
}

impl State {
    pub(crate) fn new(catalogue: &'static [Release]) -> Self {
        Self {
            catalogue,
            prices: BTreeMap::new(),
            users: BTreeMap::new(),
            baskets: BTreeMap::new(),
            registrations: BTreeMap::new(),
            tokens: Tokens::default(),
            sales: Vec::new(),
            last_id: 813_000_000,
        }
    }

    /// A number not used before, for purchases, cards and users alike.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn add_user(&mut self, user: User) -> Result<(), Refusal> {
        if self.users.len() >= MOST_USERS {
            return Err(Refusal::new(7001, "Too many users"));
        }
        self.users.insert(user.id.clone(), user);
        Ok(())
    }

    pub(crate) fn user(&mut self, id: &str) -> Result<&mut User, Refusal> {
        self.users
            .get_mut(id)
            .ok_or_else(|| Refusal::not_found("User", id))
    }

    pub(crate) fn user_by_email(&self, email: &str) -> Option<&User> {
        let matches = |user: &&User| {
            user.email
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(email))
        };
        self.users.values().find(matches)
    }

    /// The user whose e-mail address and password these are.
    pub(crate) fn user_by_password(&self, email: &str, password: &str) -> Option<&User> {
        self.user_by_email(email)
            .filter(|user| user.password.as_deref() == Some(password))
    }

    pub(crate) fn release(&self, id: u64) -> Result<&'static Release, Refusal> {
        self.catalogue
            .iter()
            .find(|release| release.id == id)
            .ok_or_else(|| Refusal::not_found("Release", &id.to_string()))
    }

    /// What a release, or one track of it, costs in a country: what was set since the start, else by the catalogue.
    pub(crate) fn price(&self, release: &Release, track_id: Option<u64>, country: &str) -> Price {
        let set = self.prices.get(&track_id.unwrap_or(release.id));
        let (sevendigital, recommended) = match track_id {
            Some(_) => (release.track_price, release.track_price),
            None => (release.price, release.recommended_price),
        };
        let british = Price {
            sevendigital,
            recommended,
        };
        set.copied().unwrap_or_else(|| british.in_country(country))
    }

    /// The release that a track is on.
    pub(crate) fn release_of(&self, track_id: u64) -> Result<&'static Release, Refusal> {
        let mut catalogue = self.catalogue.iter();
        let release = catalogue.find(|release| release.has_track(track_id));
        release.ok_or_else(|| Refusal::not_found("Track", &track_id.to_string()))
    }

    pub(crate) fn record_sale(&mut self, sale: Sale) {
        if self.sales.len() < MOST_SALES {
            self.sales.push(sale);
        }
    }
}

impl User {
    pub(crate) fn new(
        id: &str,
        kind: &'static str,
        email: Option<&str>,
        password: Option<&str>,
        country: &str,
    ) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            email: email.map(str::to_owned),
            password: password.map(str::to_owned),
            country: country.to_owned(),
            cards: Vec::new(),
            default_card: None,
            subscription: None,
            locker: Vec::new(),
        }
    }

    /// Puts what was bought into the locker. A repeat adds to what is there.
    pub(crate) fn receive(&mut self, bought: Owned) {
        let same = |owned: &&mut Owned| owned.release.id == bought.release.id;
        match self.locker.iter_mut().find(same) {
            Some(owned) => {
                owned.tracks.extend(bought.tracks);
                owned.last_purchase = bought.last_purchase;
            }
            None => self.locker.push(bought),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        let tracks: usize = self.locker.iter().map(|owned| owned.tracks.len()).sum();
        tracks < MOST_LOCKER_TRACKS
    }
}

impl Release {
    /// The id of the track with that number, counted from 1.
    pub(crate) const fn track_id(release_id: u64, number: u64) -> u64 {
        release_id * 100 + number
    }

    /// Whether it is sold in that country.
    pub(crate) fn is_sold_in(&self, country: &str) -> bool {
        self.only_in.is_none_or(|only| only == country)
    }

    /// A track's number on its release, from 1.
    pub(crate) const fn track_number(track_id: u64) -> u64 {
        track_id % 100
    }

    pub(crate) fn has_track(&self, track_id: u64) -> bool {
        self.track_title(track_id).is_some()
    }

    pub(crate) fn track_title(&self, track_id: u64) -> Option<&'static str> {
        let mut tracks = (1_u64..).zip(self.tracks);
        let track = tracks.find(|(number, _)| Self::track_id(self.id, *number) == track_id);
        track.map(|(_, title)| *title)
    }

    /// When it is out: in two months, or since years.
    pub(crate) fn release_date(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let day = if self.pre_order {
            now.date_naive().checked_add_days(Days::new(60))
        } else {
            NaiveDate::from_ymd_opt(2019, 10, 21)
        };
        day.map_or(now, |day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The release as a locker shows it after one purchase of it or of one track.
    pub(crate) fn owned(
        &'static self,
        track_id: Option<u64>,
        purchase_id: u64,
        date: DateTime<Utc>,
    ) -> Owned {
        let tracks = (1_u64..).zip(self.tracks).filter(|(number, _)| {
            track_id.is_none_or(|track_id| Self::track_id(self.id, *number) == track_id)
        });
        let tracks = tracks.map(|(number, title)| OwnedTrack {
            number,
            title,
            purchase_id,
            purchased: date,
            whole_release: track_id.is_none(),
        });
        Owned {
            release: self,
            tracks: tracks.collect(),
            last_purchase: (date, purchase_id),
            available: true,
        }
    }
}

impl Card {
    /// Whether the card's month has passed.
    pub(crate) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expiry < now.format("%Y%m").to_string()
    }
}
