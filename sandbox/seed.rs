//! What a sandbox holds when it starts: the catalogue, two users, a basket.

use chrono::{DateTime, Days, Utc};

use crate::demo;
use crate::state::{Basket, Card, Charge, Release, State, Subscription, User};

/// Everything the demo user owns (the first thirteen), then what can be bought.
#[rustfmt::skip]
static CATALOGUE: &[Release] = &[
    release(11_600_001, "Aurora Drift", "", "Album", "0075679983732", (4601, "The Paper Lanterns"), 799, &["Northbound", "Glass Harbour", "Slow Tide"]),
    release(11_600_002, "Café del Río", "Deluxe Edition", "Album", "0602517856455", (4602, "Zoë Ångström"), 899, &["Señal", "Naïve", "Über Nacht"]),
    release(11_600_003, "Salt & Sand", "", "Album", "5051083079433", (4603, "Finch & Daughters"), 699, &["Rope & Anchor", "The \"Quiet\" Hour", "3 < 4"]),
    release(11_600_004, "One", "Single", "Single", "0000000012345", (4604, "Mono Lake"), 99, &["One"]),
    release(11_600_005, "Lost Tapes", "", "Album", "0884977000016", (4605, "Velvet Ferry"), 799, &["Untitled"]),
    release(11_600_006, "Kitchen Radio", "Remastered", "Album", "0884977000023", (4601, "The Paper Lanterns"), 599, &["Static", "Weather Report"]),
    release(11_600_007, "Ökologie", "", "Album", "4006408000012", (4606, "Grüner Daumen"), 799, &["Moos", "Farn"]),
    release(11_600_008, "東京の夜", "", "EP", "4988001000011", (4607, "Hoshi"), 499, &["夜明け", "雨"]),
    release(11_600_009, "Don't Look Down", "Live", "Album", "0884977000047", (4608, "Ladder Club"), 899, &["Rung One", "Rung Two", "Encore"]),
    release(11_600_010, "Paperweight", "", "Single", "0884977000054", (4609, "Ida Moon"), 99, &["Paperweight"]),
    release(11_600_011, "Quarry Songs", "", "Album", "0884977000061", (4610, "Stonecutters"), 799, &["Chisel", "Dust", "Blast"]),
    release(11_600_012, "Zebra Crossing", "", "Album", "0884977000078", (4611, "Belisha"), 699, &["Amber", "Walk"]),
    release(11_600_013, "A Month of Sundays", "Part 1", "EP", "0884977000085", (4612, "Ásgerður"), 399, &["Sunnudagur"]),
    release(11_700_062, "Harbour Lights", "", "Album", "0884977100014", (4613, "Marlow Quay"), 799, &["Slipway", "Low Water", "Beacon", "Harbour Lights"]),
    release(11_700_063, "Night Bus", "", "Single", "0884977100021", (4614, "Penge East"), 99, &["Night Bus"]),
    Release { recommended_price: 1299, ..release(11_700_064, "Small Hours & Other Stories", "Anniversary Edition", "Album", "0884977100038", (4615, "Clémence Bär"), 1099, &["Minuit", "Deux Heures", "L'aube"]) },
    release(11_700_065, "Free Sampler", "", "EP", "0884977100045", (4616, "Various Artists"), 0, &["Hello"]),
    Release { only_in: Some("US"), ..release(11_700_066, "Route 1", "", "Album", "0884977100052", (4617, "Bayou Telegraph"), 899, &["Mile Marker", "Diner"]) },
    release(11_700_067, "Withdrawn", "", "Album", "0884977100069", (4618, "Gone Fishing"), 799, &[]),
    Release { explicit: true, pre_order: true, ..release(11_700_068, "Deep Water", "", "Album", "0884977100076", (4613, "Marlow Quay"), 999, &["Undertow", "Dead Reckoning", "Landfall"]) },
];

const OWNED: usize = 13;
/// Owned, but taken down since: the release stays in the locker without tracks.
const TAKEN_DOWN: u64 = 11_600_005;

#[expect(clippy::too_many_arguments, reason = "one row of the catalogue above")]
const fn release(
    id: u64,
    title: &'static str,
    version: &'static str,
    kind: &'static str,
    barcode: &'static str,
    (artist_id, artist): (u64, &'static str),
    price: u64,
    tracks: &'static [&'static str],
) -> Release {
    let track_price = if price < 99 { price } else { 99 };
    Release {
        id,
        title,
        version,
        kind,
        barcode,
        artist_id,
        artist,
        explicit: false,
        price,
        recommended_price: price,
        track_price,
        pre_order: false,
        only_in: None,
        tracks,
    }
}

/// The state of a sandbox that has just started.
pub(crate) fn state(now: DateTime<Utc>) -> State {
    let mut state = State::new(CATALOGUE);
    for user in [jane(now), sam(now)] {
        state.users.insert(user.id.clone(), user);
    }
    state
        .tokens
        .grant(demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET, demo::USER_ID);
    state.tokens.grant(
        demo::SECOND_ACCESS_TOKEN,
        demo::SECOND_ACCESS_TOKEN_SECRET,
        demo::SECOND_USER_ID,
    );
    let items = vec![
        (11_700_063, None),
        (11_700_064, Some(Release::track_id(11_700_064, 1))),
    ];
    state.baskets.insert(
        demo::BASKET_ID.to_owned(),
        Basket {
            country: demo::COUNTRY,
            items,
        },
    );
    state
}

fn jane(now: DateTime<Utc>) -> User {
    let card = |id, kind: &str, last_digits: &str| Card {
        id,
        kind: kind.to_owned(),
        last_digits: last_digits.to_owned(),
        holder: "Jane Smith".to_owned(),
        expiry: "209912".to_owned(),
        charge: Charge::Accepted,
    };
    let mut jane = User::new(
        demo::USER_ID,
        "7digital",
        Some(demo::EMAIL),
        Some(demo::PASSWORD),
        demo::COUNTRY,
    );
    jane.cards = vec![
        card(8_154_430, "VISA", "0485"),
        card(8_154_431, "MASTERCARD", "4444"),
    ];
    jane.default_card = Some(8_154_430);
    jane.subscription = now
        .checked_add_days(Days::new(28))
        .map(|expiry| Subscription {
            level: "premium".to_owned(),
            expiry,
        });
    for (days, release) in (1..).zip(CATALOGUE.iter().take(OWNED)) {
        let date = now.checked_sub_days(Days::new(days * 30)).unwrap_or(now);
        let mut owned = release.owned(None, 812_485_900 + days, date);
        if release.id == TAKEN_DOWN {
            owned.tracks.clear();
            owned.available = false;
        }
        jane.receive(owned);
    }
    jane
}

fn sam(now: DateTime<Utc>) -> User {
    let email = Some("sam.jones@example.com");
    let mut sam = User::new(
        demo::SECOND_USER_ID,
        "7digital",
        email,
        Some("sandbox-pass-2"),
        demo::COUNTRY,
    );
    if let Some(release) = CATALOGUE.first() {
        sam.receive(release.owned(None, 812_485_990, now));
    }
    sam
}
