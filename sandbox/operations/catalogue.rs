//! The catalogue: what a release, a track or a basket is and costs. Purchases charge just that.

use super::locker::{artist_node, release_node};
use crate::call::{Answer, Call, timestamp};
use crate::demo;
use crate::document::{Envelope, Node};
use crate::prices::{Price, currency, decimal, formatted, premium, symbol};
use crate::refusal::Refusal;
use crate::state::{Release, State};

/// `getReleaseDetails`: without a `download` where the release was withdrawn.
pub(crate) fn release(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.required("releaseId")?;
    let id = call.number("releaseId")?.unwrap_or_default();
    let release = state.release(id)?;
    let country = country(call)?;
    if !release.is_sold_in(&country) {
        return Err(Refusal::not_available("Release", &id.to_string()));
    }
    let node = release_node(release, image_size(call)?)
        .element("explicitContent", release.explicit)
        .element("trackCount", release.tracks.len() as u64);
    let node = match release.tracks {
        [] => node,
        _ => node.child("download", download(state, release, None, &country, call)),
    };
    Ok(bare("release", node))
}

/// `getTrackDetails`.
pub(crate) fn track(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.required("trackId")?;
    let id = call.number("trackId")?.unwrap_or_default();
    let release = state.release_of(id)?;
    let country = country(call)?;
    if !release.is_sold_in(&country) {
        return Err(Refusal::not_available("Track", &id.to_string()));
    }
    let node = Node::default()
        .attribute("id", id)
        .element("title", release.track_title(id).unwrap_or_default())
        .element("version", "")
        .element("type", "audio")
        .element("number", Release::track_number(id))
        .element("explicitContent", release.explicit)
        .child("artist", artist_node(release))
        .child("release", release_node(release, image_size(call)?))
        .child(
            "download",
            download(state, release, Some(id), &country, call),
        );
    Ok(bare("track", node))
}

/// `getBasket`: for the country that the basket was filled for.
pub(crate) fn basket(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.required("basketId")?;
    let key = uuid::Uuid::try_parse(id)
        .map_err(|_| Refusal::invalid("BasketId", id))?
        .to_string();
    let basket = state
        .baskets
        .get(&key)
        .ok_or_else(|| Refusal::not_found("Basket", id))?;
    let country = basket.country;
    if call.optional("country").is_some() && call.country()? != country {
        return Err(Refusal::not_available("Basket", id));
    }
    let items = basket.items.iter().zip(205_791_050_u64..);
    let items = items.map(|(item, number)| basket_item(state, *item, number, country));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let due: u64 = items.iter().map(|(_, due)| due).sum();
    let currency = currency(country);
    let code = || {
        let node = Node::default().attribute("code", currency);
        node.text(symbol(currency))
    };
    let price = money("value", "formattedPrice", due, currency).child("currency", code());
    let amount_due = money("amount", "formattedAmount", due, currency).child("currency", code());
    let nodes: Vec<Node> = items.into_iter().map(|(node, _)| node).collect();
    let node = Node::default()
        .attribute("id", key)
        .element("itemCount", nodes.len() as u64)
        .child("price", price)
        .child("basketItems", Node::default().list("basketItem", nodes))
        .child("amountDue", amount_due);
    Ok(Answer::new(Node::default().child("basket", node)))
}

/// An item of a basket, and what is due for it.
fn basket_item(
    state: &State,
    (release_id, track_id): (u64, Option<u64>),
    number: u64,
    country: &str,
) -> Result<(Node, u64), Refusal> {
    let release = state.release(release_id)?;
    let due = state.price(release, track_id, country).sevendigital;
    let currency = currency(country);
    let title = track_id.and_then(|id| release.track_title(id));
    let kind = if track_id.is_some() {
        "track"
    } else {
        "release"
    };
    let track_id = track_id.map(|id| id.to_string()).unwrap_or_default();
    let node = Node::default()
        .attribute("id", number)
        .element("type", kind)
        .element("itemName", title.unwrap_or(release.title))
        .element("artistName", release.artist)
        .element("trackId", track_id)
        .element("releaseId", release.id)
        .child("price", money("value", "formattedPrice", due, currency))
        .child("package", Node::default().attribute("id", 2_u64))
        .child(
            "amountDue",
            money("amount", "formattedAmount", due, currency),
        );
    Ok((node, due))
}

fn money(name: &'static str, shown: &'static str, amount: u64, currency: &str) -> Node {
    let node = Node::default().element(name, decimal(amount));
    node.element(shown, formatted(amount, currency))
}

/// How an item is sold: as MP3 and as FLAC.
fn download(
    state: &State,
    release: &Release,
    track_id: Option<u64>,
    country: &str,
    call: &Call,
) -> Node {
    let price = state.price(release, track_id, country);
    let standard = package(
        (2, "standard"),
        price,
        country,
        &[(17, "MP3 320"), (33, "AAC 320")],
    );
    let lossless = &[(45, "FLAC 16-bit 44.1kHz")];
    let premium = package((9, "premium"), premium(price), country, lossless);
    // 7digital's order is not fixed: the standard one is not always first.
    Node::default()
        .element("releaseDate", timestamp(release.release_date(call.now)))
        .wrapped_list("packages", "package", vec![premium, standard])
}

fn package(
    (id, description): (u64, &str),
    price: Price,
    country: &str,
    formats: &[(u64, &str)],
) -> Node {
    let price = Node::default()
        .element("currencyCode", currency(country))
        .element("sevendigitalPrice", decimal(price.sevendigital))
        .element("recommendedRetailPrice", decimal(price.recommended));
    let formats = formats.iter().map(|(id, description)| {
        let node = Node::default().attribute("id", *id);
        node.element("description", *description)
    });
    Node::default()
        .attribute("id", id)
        .element("description", description)
        .child("price", price)
        .wrapped_list("formats", "format", formats.collect())
}

/// The country of a read; without one, that of the key.
fn country(call: &Call) -> Result<String, Refusal> {
    match (call.optional("country"), call.optional("shopId")) {
        (None, None) => Ok(demo::COUNTRY.to_owned()),
        _ => call.country(),
    }
}

/// The width of covers, in pixels.
fn image_size(call: &Call) -> Result<u64, Refusal> {
    Ok(call.number("imageSize")?.unwrap_or(50))
}

/// The catalogue's JSON has no `status` and no `version`.
fn bare(name: &'static str, node: Node) -> Answer {
    Answer {
        envelope: Envelope::Bare,
        ..Answer::new(Node::default().child(name, node))
    }
}
