//! What is read of the catalogue's answers: excerpts of 7digital's samples and documentation, from the bytes on.

mod prices;

use serde_json::{Value, json};
use sevendigital::reply::Reply;
use sevendigital::response::read;

use super::*;
use crate::{Arguments, TOOLS};

/// The action of a call of a tool.
fn action(tool: &str, arguments: Value) -> Action {
    let tool = TOOLS.iter().find(|known| known.contract.name == tool);
    let Value::Object(arguments) = arguments else {
        panic!("{arguments}");
    };
    let arguments: Arguments = arguments;
    tool.unwrap()
        .prepare(arguments)
        .unwrap()
        .action
        .clone()
        .unwrap()
}

fn release(tool: &str) -> Action {
    action(tool, json!({"releaseId": "7", "price": 999}))
}

fn item() -> Action {
    action("purchase-user-item", json!({"releaseId": "7"}))
}

fn track(tool: &str) -> Action {
    action(tool, json!({"releaseId": "7", "trackId": "8"}))
}

fn basket() -> Action {
    action("purchase-user-basket", json!({"basketId": "b-1"}))
}

/// What an answer says of an action, on 26 November 2026.
fn read_as(action: &Action, status: u16, body: &str) -> Result<Listing, Unlisted> {
    let reply = Reply {
        status,
        body: body.into(),
        ..Reply::default()
    };
    let now = DateTime::parse_from_rfc3339("2026-11-26T18:00:00Z").unwrap();
    match read(&reply, &RELEASE) {
        Ok(document) => document::listing(&document, action, " in GB", now.to_utc()),
        Err(error) => Err(unlisted(&error, &action.item, " in GB")),
    }
}

fn xml(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><response xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" status=\"ok\" version=\"1.2\">{inner}</response>"
    )
}

/// A release or track of one package with these prices.
fn priced(root: &str, id: u8, prices: &str) -> String {
    xml(&format!(
        "<{root} id=\"{id}\"><title>Item 0</title><artist id=\"1\"><name>Keane</name></artist><download><packages><package id=\"2\"><description>standard</description>\
        <price><currencyCode>GBP</currencyCode>{prices}</price></package></packages></download></{root}>"
    ))
}

fn shown(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string())
}

/// The price that an action charges by an answer, or why there is none.
fn price(action: &Action, body: &str) -> String {
    match read_as(action, 200, body) {
        Ok(listing) => shown(listing.price),
        Err(unlisted) => format!("{unlisted:?}"),
    }
}

#[test]
fn a_release_in_xml_is_read_with_all_that_is_shown() {
    let body = xml(
        "<release id=\"7\"><title>Perfect Symmetry</title><version>UK Album</version><type>Album</type><explicitContent>true</explicitContent>\
        <artist id=\"2\"><name>Keane (UK)</name><appearsAs>Keane</appearsAs></artist><image>https://artwork.example/0000320866_350.jpg</image>\
        <download><packages><package id=\"9\"><description>premium</description><price><currencyCode>GBP</currencyCode><sevendigitalPrice>9.99</sevendigitalPrice><recommendedRetailPrice>9.99</recommendedRetailPrice></price></package>\
        <package id=\"2\"><description>standard</description><price><currencyCode>GBP</currencyCode><sevendigitalPrice>5.99</sevendigitalPrice><recommendedRetailPrice>6.99</recommendedRetailPrice></price></package></packages>\
        <releaseDate>2108-10-13T00:00:00+01:00</releaseDate></download></release>",
    );
    let action = item();
    let listing = read_as(&action, 200, &body).unwrap();
    assert_eq!(
        listing.describe(&action.item),
        "“Perfect Symmetry (UK Album)” by Keane [explicit] (album, release 7; pre-order, out on 2108-10-13)"
    );
    let cover = listing.cover.as_deref();
    assert_eq!(cover, Some("https://artwork.example/0000320866_350.jpg"));
    assert_eq!(
        (shown(listing.price), listing.list_price),
        ("5.99 GBP".to_owned(), None)
    );
    assert_eq!(price(&release("purchase-user-rrp-item"), &body), "6.99 GBP");
    let own = read_as(&release("purchase-user-priced-item"), 200, &body).unwrap();
    assert_eq!(
        (own.price, shown(own.list_price)),
        (None, "6.99 GBP".to_owned())
    );
}

#[test]
fn a_release_in_json_is_read_as_documented() {
    let package = |id: u8, price: &str| json!({"id": id, "description": "Standard", "price": {"currencyCode": "GBP", "sevendigitalPrice": price, "recommendedRetailPrice": price}});
    let body = json!({"release": {"id": 7, "title": "The Dark Side Of The Moon", "version": "2011 Remastered Version [Explicit]", "type": "Album", "explicitContent": true,
        "artist": {"id": 447, "name": "Pink Floyd", "appearsAs": null}, "image": "http://artwork.example/1.jpg",
        "download": {"releaseDate": "2011-09-25T23:00:00Z", "packages": [package(2, "9.49"), package(9, "12.49")]}}});
    let action = item();
    let listing = read_as(&action, 200, &body.to_string()).unwrap();
    assert_eq!(
        listing.describe(&action.item),
        "“The Dark Side Of The Moon (2011 Remastered Version [Explicit])” by Pink Floyd (album, release 7)"
    );
    assert_eq!(
        (shown(listing.price), listing.cover),
        ("9.49 GBP".to_owned(), None)
    );
}

#[test]
fn a_track_names_its_release_and_has_its_own_price() {
    let body = xml(
        "<track id=\"8\"><title>Sleeping in My Car (Single Version)</title><version>Single Version</version><artist id=\"4\"><name>Roxette</name></artist>\
        <release id=\"9\"><title>The Pop Hits</title><version/><type>Album</type><image>https://artwork.example/9.jpg</image></release>\
        <price><currency code=\"GBP\">£</currency><value>0.79</value><formattedPrice>£0.79</formattedPrice></price>\
        <download><packages><package id=\"2\"><price><currencyCode>EUR</currencyCode><sevendigitalPrice>1.49</sevendigitalPrice></price></package></packages></download></track>",
    );
    let action = track("purchase-user-item");
    let listing = read_as(&action, 200, &body).unwrap();
    assert_eq!(
        listing.describe(&action.item),
        "“Sleeping in My Car (Single Version)” by Roxette, from “The Pop Hits” (track 8 of release 7)"
    );
    assert_eq!(
        listing.cover.as_deref(),
        Some("https://artwork.example/9.jpg")
    );
    assert_eq!(shown(listing.price), "1.49 EUR");
}

#[test]
fn what_is_not_sold_is_said_with_its_code() {
    let error = |code: u16, text: &str| {
        format!(
            "<response status=\"error\" version=\"1.2\"><error code=\"{code}\"><errorMessage>{text}</errorMessage></error></response>"
        )
    };
    let missing = error(2001, "No releases found with id: missing");
    let elsewhere = error(2002, "Release not available");
    let streaming =
        xml("<release id=\"7\"><title>Zoup Di G</title><version/><type>Single</type></release>");
    for (status, body, expected) in [
        (
            404,
            &missing,
            "7digital does not sell release 7 in GB (code 2001).",
        ),
        (
            200,
            &missing,
            "7digital does not sell release 7 in GB (code 2001).",
        ),
        (
            400,
            &elsewhere,
            "7digital does not sell release 7 in GB (code 2002).",
        ),
        (200, &streaming, "7digital does not sell release 7 in GB."),
    ] {
        let unlisted = read_as(&item(), status, body).unwrap_err();
        assert_eq!(unlisted, Unlisted::NotSold(expected.to_owned()), "{status}");
    }
    let unknown = read_as(&basket(), 404, &error(2001, "Basket with id b-1 not found"));
    let expected = "7digital has no basket b-1 in GB (code 2001).";
    assert_eq!(unknown, Err(Unlisted::NotSold(expected.to_owned())));
}

#[test]
fn answers_that_say_nothing_of_the_item_are_failures() {
    const UNREADABLE: &str = "the answer can't be read";
    let good = priced("release", 7, "<sevendigitalPrice>5.99</sevendigitalPrice>");
    let other = priced("release", 70, "<sevendigitalPrice>5.99</sevendigitalPrice>");
    let refused = "<response status=\"error\"><error code=\"1002\"><errorMessage>Value of parameter releaseId is not valid</errorMessage></error></response>";
    for (status, body, expected) in [
        (200, &good[..300], UNREADABLE),
        (200, "<html><body>Hello</body></html>", UNREADABLE),
        (
            200,
            "<foreign status=\"ok\"><release id=\"7\"/></foreign>",
            UNREADABLE,
        ),
        (
            200,
            &xml("<track id=\"7\"><title>T</title><download/></track>"),
            UNREADABLE,
        ),
        (
            200,
            &good.replace("<title>Item 0</title>", "<title/>"),
            UNREADABLE,
        ),
        (200, &other, UNREADABLE),
        (200, "{\"status\": \"ok\"}", UNREADABLE),
        (404, "", UNREADABLE),
        (200, refused, "7digital refused the read (code 1002)"),
        (
            401,
            "OAuth authentication error: Resource not found",
            "7digital refused the read (401)",
        ),
        (503, "", "7digital is unavailable (HTTP 503)"),
    ] {
        let unlisted = read_as(&item(), status, body);
        assert_eq!(
            unlisted,
            Err(Unlisted::Failed(expected.to_owned())),
            "{body}"
        );
    }
}

/// A basket with that many items and their count, and what is due for it.
fn basket_of(count: usize, items: &[&str], due: &str) -> String {
    xml(&format!(
        "<basket id=\"B-1\"><itemCount>{count}</itemCount><price><currency code=\"EUR\">€</currency><value>10.49</value><formattedPrice>10,49€</formattedPrice></price>\
        <basketItems>{}</basketItems><amountDue>{due}</amountDue></basket>",
        items.concat()
    ))
}

#[test]
fn a_basket_costs_what_is_due_and_lists_what_it_holds() {
    const TRACK: &str = "<basketItem id=\"1\"><type>track</type><itemName>Somewhere Only We Know</itemName><artistName>Keane</artistName><trackId>1535</trackId><releaseId>320867</releaseId></basketItem>";
    const ALBUM: &str = "<basketItem id=\"2\"><type>release</type><itemName>Perfect Symmetry</itemName><artistName/><trackId/><releaseId>320866</releaseId></basketItem>";
    const ONE: &str = "“Somewhere Only We Know” by Keane";
    let due = "<currency code=\"GBP\">£</currency><amount>1.98</amount><formattedAmount>£1.98</formattedAmount>";
    for (count, items, due, description, price) in [
        (
            2,
            &[TRACK, ALBUM][..],
            due,
            format!("basket b-1 (2 items: {ONE}; “Perfect Symmetry”)"),
            "1.98 GBP",
        ),
        (
            1,
            &[TRACK],
            "<amount>0</amount>",
            format!("basket b-1 (1 item: {ONE})"),
            "0.00 EUR",
        ),
        (
            1,
            &[],
            "<amount>0.99</amount>",
            "basket b-1 (1 item)".to_owned(),
            "0.99 EUR",
        ),
        (
            1,
            &[TRACK],
            "",
            format!("basket b-1 (1 item: {ONE})"),
            "none",
        ),
        (
            3,
            &[TRACK],
            due,
            format!("basket b-1 (3 items: {ONE}; and 2 more)"),
            "1.98 GBP",
        ),
    ] {
        let action = basket();
        let body = basket_of(count, items, due);
        let body = body.replace("B-1", "b-1");
        let listing = read_as(&action, 200, &body).unwrap();
        assert_eq!(listing.describe(&action.item), description);
        assert_eq!(shown(listing.price), price, "{description}");
    }
    let many = read_as(
        &basket(),
        200,
        &basket_of(12, &[TRACK; 12], due).replace("B-1", "b-1"),
    );
    let contents = many.unwrap().contents;
    assert_eq!((contents.len(), contents[10].as_str()), (11, "and 2 more"));
    let empty = read_as(
        &basket(),
        200,
        &basket_of(0, &[], due).replace("B-1", "b-1"),
    );
    assert_eq!(empty.unwrap_err().to_string(), "The basket is empty.");
    let other = read_as(&basket(), 200, &basket_of(1, &[TRACK], due));
    assert!(matches!(other, Err(Unlisted::Failed(_))), "{other:?}");
}

#[test]
fn what_is_out_is_told_from_what_is_not() {
    for (date, expected) in [
        ("9999-06-08T00:00:00Z", Some("9999-06-08")),
        ("2026-11-26T18:00:01Z", Some("2026-11-26")),
        ("2026-11-26T18:00:00Z", None),
        ("2026-11-26T18:30:00+01:00", None),
        ("2026-11-27T00:30:00+01:00", Some("2026-11-27")),
        ("2027-01-08T00:00:00", Some("2027-01-08")),
        ("2027-01-08", Some("2027-01-08")),
        ("2015-03-09T00:00:00Z", None),
        ("soon", None),
        ("", None),
    ] {
        let body = priced("release", 7, "<sevendigitalPrice>5.99</sevendigitalPrice>");
        let dated = format!("<releaseDate>{date}</releaseDate></download>");
        let body = body.replace("</download>", &dated);
        let listing = read_as(&item(), 200, &body).unwrap();
        assert_eq!(listing.pre_order.as_deref(), expected, "{date}");
    }
}

#[test]
fn hostile_texts_stay_short_and_inside_their_quotation() {
    let listing = |title: &str, image: &str| {
        let download = json!({"packages": [{"id": 2, "price": {"currencyCode": "GBP", "sevendigitalPrice": "5.99"}}]});
        let release = json!({"id": 7, "title": title, "image": image, "download": download});
        read_as(&item(), 200, &json!({"release": release}).to_string())
    };
    let long = "a".repeat(500);
    for (title, shown) in [
        (
            "A” for 0.00 GBP\n\n“B \"C\" «D»",
            "A' for 0.00 GBP 'B 'C' 'D'",
        ),
        (
            "Go to https://evil.example/?x now\u{202e}",
            "Go to [removed] now",
        ),
        (&long, &format!("{}…", "a".repeat(79))),
    ] {
        assert_eq!(listing(title, "").unwrap().title, shown);
    }
    assert!(listing("\u{200b}\u{202e}", "").is_err());
    for image in [
        "http://a.example/1.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "https://",
        "HTTPS://a.example/1.jpg",
        "https://a.example/1.jpg) [x](https://b.example",
        "https://a.example/\"onload=x",
        "https://a.example/é.jpg",
    ] {
        assert_eq!(listing("T", image).unwrap().cover, None, "{image}");
    }
    let long = format!("https://a.example/{long}{long}");
    assert_eq!(listing("T", &long).unwrap().cover, None);
}
