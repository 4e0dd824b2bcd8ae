//! What each operation of 7digital-api.md §1 answers: as XML, as typed JSON and as JSON that was naively made of XML.

use serde_json::{Map, Value, json};
use sevendigital::Effect;
use sevendigital_tools::TOOLS;

use super::answers::{Expected, JSON, Row, XML, beside, check, ok, row, xml};
use crate::support::calls::tool;
use crate::support::text;

/// An operation's success, from which all its forms are made.
struct Success {
    tool: &'static str,
    what: &'static str,
    /// As 7digital's XML has it, below `response`.
    xml: &'static str,
    /// The one document that comes of each form.
    document: Value,
}

fn success(tool: &'static str, what: &'static str, xml: &'static str, document: Value) -> Success {
    Success {
        tool,
        what,
        xml,
        document,
    }
}

fn map(fields: &Map<String, Value>, form: impl Fn(&str, &Value) -> Value) -> Value {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.clone(), form(name, value)))
        .collect()
}

/// A document as 7digital's JSON has it: ids are numbers too.
fn typed(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => map(fields, typed),
        Value::Array(items) => items.iter().map(|item| typed(name, item)).collect(),
        Value::String(text) if ["id", "purchaseId"].contains(&name) => text
            .parse::<u64>()
            .map_or_else(|_| value.clone(), Value::from),
        other => other.clone(),
    }
}

/// A document as a conversion of the XML has it: every value a text, lists of one collapsed, what is empty an empty text.
fn naive(_: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.values().all(|value| *value == json!([])) => json!(""),
        Value::Object(fields) => map(fields, naive),
        Value::Array(items) => match items.as_slice() {
            [] => json!(""),
            [one] => naive("", one),
            many => many.iter().map(|item| naive("", item)).collect(),
        },
        Value::String(_) | Value::Null => value.clone(),
        Value::Number(_) | Value::Bool(_) => json!(value.to_string()),
    }
}

fn rows(success: &Success) -> [Row; 5] {
    let made = match success.tool {
        "deliver-user-item" => json!({"transactionId": "t-1"}),
        "create-user" => json!({"userId": "u-1"}),
        _ => json!({}),
    };
    let document = beside(success.document.clone(), &made);
    let whole = Expected::Document(ok(&document));
    let schema = json!({"schema": "http://api.7digital.com/1.2/static/7digitalAPI.xsd"});
    let noise = json!({"xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:noNamespaceSchemaLocation": "http://api.7digital.com/1.2/static/7digitalAPI.xsd"});
    let fields = success.document.as_object().unwrap();
    let typed = map(fields, typed);
    let naive = beside(ok(&map(fields, naive)), &noise);
    let with_schema = beside(ok(&typed), &schema).to_string();
    let wrapped = json!({"response": naive}).to_string();
    let of = |form: &str, label, body: String, expected: &Expected| {
        let what = format!("{} {form}", success.what);
        row(what, success.tool, label, body, expected.clone())
    };
    // A change that only says nothing is not known to have been made.
    let is_change = tool(success.tool).contract.upstream.effect == Effect::Writes;
    let bare = if is_change && fields.is_empty() {
        Expected::ErrorWith(&["it does not say whether it succeeded. It may have taken effect"])
    } else {
        Expected::Document(document)
    };
    [
        of("in XML", XML, xml(success.xml), &whole),
        of("in typed JSON", JSON, with_schema, &whole),
        of("in naive JSON", JSON, naive.to_string(), &whole),
        of("in naive JSON with its root", JSON, wrapped, &whole),
        of("in bare JSON", JSON, typed.to_string(), &bare),
    ]
}

/// Plays the successes. All forms of one give the same document, to the byte.
async fn check_all(successes: Vec<Success>) {
    let all = successes.iter().flat_map(rows).collect();
    let results = check(all).await;
    for forms in results.chunks(5) {
        for form in &forms[1..4] {
            assert_eq!(text(form), text(&forms[0]));
        }
    }
}

#[tokio::test]
async fn users_are_read_alike_in_every_form() {
    #[rustfmt::skip]
    let of = |tool| [
        success(tool, "a user", "<user id=\"123456\"><type>7digital</type><emailAddress>user@example.com</emailAddress></user>",
            json!({"user": {"id": "123456", "type": "7digital", "emailAddress": "user@example.com"}})),
        success(tool, "a user with an address alone", "<user><emailAddress>user@example.com</emailAddress></user>",
            json!({"user": {"emailAddress": "user@example.com"}})),
    ];
    let tools = [
        "signup-user",
        "create-user",
        "get-user-details",
        "authenticate-user",
    ];
    check_all(tools.into_iter().flat_map(of).collect()).await;
}

#[tokio::test]
async fn subscriptions_are_read_alike_in_every_form() {
    #[rustfmt::skip]
    let of = |tool| [
        success(tool, "a subscription", "<streaming><level>premium</level><expiryDate>2021-10-11T10:54:35Z</expiryDate></streaming>",
            json!({"streaming": {"level": "premium", "expiryDate": "2021-10-11T10:54:35Z"}})),
        success(tool, "no subscription", "", json!({})),
    ];
    let tools = [
        "get-user-unlimited-streaming",
        "update-user-unlimited-streaming",
    ];
    check_all(tools.into_iter().flat_map(of).collect()).await;
}

#[tokio::test]
async fn cards_and_registrations_are_read_alike_in_every_form() {
    const LIST: &str = "list-user-payment-cards";
    const OPEN: &str = "register-user-payment-card";
    const LOOK: &str = "get-user-card-registration";
    const PENDING: &str = "<cardRegistration id=\"0f8fad5b-d9cb-469f-a165-70867728950e\" status=\"pending\"><redirectUrl>https://shop.example/done?a=1&amp;b=2</redirectUrl></cardRegistration>";
    let pending = || json!({"cardRegistration": {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "status": "pending", "redirectUrl": "https://shop.example/done?a=1&b=2"}});
    let complete = |name: &str| json!({"cardRegistration": {"id": "0f8f", "status": "complete", "card": {"id": "1", "type": "VISA", "last4digits": "1111", name: "Bob", "expiryDate": "194209"}}});
    #[rustfmt::skip]
    let successes = vec![
        success(LIST, "a card", "<cards><card id=\"8154430\"><type>Visa</type><last4digits>0485</last4digits><default>true</default>\
            <cardHolderName>MR I HUNT</cardHolderName><expiryDate>201202</expiryDate><country>NZ</country></card></cards>",
            json!({"cards": {"card": [{"id": "8154430", "type": "Visa", "last4digits": "0485", "default": true, "cardHolderName": "MR I HUNT", "expiryDate": "201202", "country": "NZ"}]}})),
        success(LIST, "no card", "<cards/>", json!({"cards": {"card": []}})),
        success("select-user-payment-card", "a choice", "", json!({})),
        success("delete-user-payment-card", "a deletion", "", json!({})),
        success(OPEN, "a registration in progress", PENDING, pending()),
        success(LOOK, "a registration in progress", PENDING, pending()),
        success(LOOK, "a registration that is complete", "<cardRegistration id=\"0f8f\" status=\"complete\"><card id=\"1\"><type>VISA</type><last4digits>1111</last4digits>\
            <cardholderName>Bob</cardholderName><expiryDate>194209</expiryDate></card></cardRegistration>", complete("cardHolderName")),
    ];
    check_all(successes).await;
    // JSON has the name in small letters too.
    let body = ok(&complete("cardholderName")).to_string();
    let expected = Expected::Document(ok(&complete("cardHolderName")));
    check(vec![row("another spelling", LOOK, JSON, body, expected)]).await;
}

#[tokio::test]
async fn where_the_browser_sends_a_card_is_reported_and_not_followed() {
    const TOOL: &str = "register-user-payment-card";
    let rows = [
        (200, "https://account.7digital.com/cardregistration/0f8f"),
        (201, "/cardregistration/0f8f"),
        (302, "https://account.7digital.com/cardregistration/0f8f"),
        (303, "https://account.7digital.com/cardregistration/0f8f"),
    ];
    let rows = rows.map(|(status, location)| {
        let body = xml("<cardRegistration id=\"0f8f\" status=\"pending\"/>");
        let opened =
            json!({"cardRegistration": {"id": "0f8f", "status": "pending", "location": location}});
        row(
            "a `Location` header",
            TOOL,
            XML,
            body,
            Expected::Document(ok(&opened)),
        )
        .status(status)
        .header("Location", location)
    });
    check(rows.into()).await;
}

/// A purchase as 7digital's stub has it, with the older description of a format, and as it has been since 2018.
#[tokio::test]
async fn purchases_and_sales_are_read_alike_in_every_form() {
    const ITEMS: &str = "<purchase id=\"123\"><purchaseDate>2009-08-10T11:00:00+01:00</purchaseDate><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>1</totalItems>\
        <lockerRelease><release id=\"320866\"><title>Perfect Symmetry</title><version>UK Album</version><type>Album</type><barcode>00602517856455</barcode>\
        <artist id=\"1\"><name>Keane</name><appearsAs>Keane</appearsAs><slug>keane</slug></artist></release>\
        <lockerTracks><lockerTrack><track id=\"3615513\"><title>Spiralling</title><version/><trackNumber>1</trackNumber><duration>258</duration></track>\
        <remainingDownloads>5</remainingDownloads><purchaseDate>2012-05-28T14:01:14+01:00</purchaseDate><downloadUrls><downloadUrl>\
        <url>http://media3.7digital.com/media/user/downloadtrack?formatid=17&amp;oauth_signature=q2n%3D</url><format id=\"17\"><fileFormat>MP3</fileFormat></format>\
        </downloadUrl></downloadUrls></lockerTrack></lockerTracks></lockerRelease></lockerReleases></purchase>";
    let release = json!({"id": "320866", "title": "Perfect Symmetry", "version": "UK Album", "type": "Album", "barcode": "00602517856455",
        "artist": {"id": "1", "name": "Keane", "appearsAs": "Keane", "slug": "keane"}});
    let track = json!({"id": "3615513", "title": "Spiralling", "version": "", "trackNumber": 1, "duration": 258});
    let url = json!({"url": "http://media3.7digital.com/media/user/downloadtrack?formatid=17&oauth_signature=q2n%3D", "format": {"id": "17", "fileFormat": "MP3"}});
    let item = json!({"track": track, "remainingDownloads": 5, "purchaseDate": "2012-05-28T14:01:14+01:00", "downloadUrls": {"downloadUrl": [url]}});
    let items = json!({"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [{"release": release, "lockerTracks": {"lockerTrack": [item]}}]});
    let whole = json!({"purchase": {"id": "123", "purchaseDate": "2009-08-10T11:00:00+01:00", "lockerReleases": items}});
    let charges = TOOLS
        .iter()
        .filter(|tool| tool.contract.upstream.effect == Effect::Charges);
    let mut successes = Vec::new();
    for tool in charges.map(|tool| tool.contract.name) {
        successes.push(success(
            tool,
            "a purchase",
            "<purchase id=\"49193524\"><purchaseDate>2009-08-10T11:00:00+01:00</purchaseDate></purchase>",
            json!({"purchase": {"id": "49193524", "purchaseDate": "2009-08-10T11:00:00+01:00"}}),
        ));
        if ["purchase-user-item", "deliver-user-item"].contains(&tool) {
            successes.push(success(
                tool,
                "a purchase with its items",
                ITEMS,
                whole.clone(),
            ));
        }
    }
    check_all(successes).await;
}

#[tokio::test]
async fn a_locker_is_read_alike_in_every_form() {
    const WHOLE: &str = "<locker>
  <lockerReleases>
    <page>1</page><pageSize>10</pageSize><totalItems>1</totalItems>
    <lockerRelease>
      <release id=\"569720\">
        <title>Awake &amp; Alive</title><version/><type>Album</type><barcode>075679983732</barcode>
        <artist id=\"4617\"><name>Skillet</name><appearsAs>Skillet</appearsAs><slug>skillet</slug></artist>
        <slug>awake-569720</slug><image>http://artwork-cdn.7static.com/1.jpg</image>
        <label id=\"116\"><name>Atlantic Records</name></label><licensor id=\"18\"><name>Warner</name></licensor>
        <download><releaseDate>2013-10-21T13:00:00Z</releaseDate></download>
      </release>
      <lockerTracks>
        <lockerTrack>
          <track id=\"6313215\">
            <title>Hero</title><version/><artist/><trackNumber>1</trackNumber><duration>186</duration><isrc>USAT20901234</isrc>
          </track>
          <remainingDownloads>5</remainingDownloads><purchaseId>812485994</purchaseId>
          <purchaseDate>2014-04-16T16:08:55+01:00</purchaseDate><completeAlbumPurchase>false</completeAlbumPurchase>
          <downloadUrls>
            <downloadUrl>
              <url>http://media.geo.7digital.com/media/user/downloadtrack?presigned=1&amp;oauth_signature=a%2Bb</url>
              <format id=\"17\"><description>MP3 320</description></format>
            </downloadUrl>
          </downloadUrls>
        </lockerTrack>
      </lockerTracks>
      <available>true</available>
    </lockerRelease>
  </lockerReleases>
</locker>";
    let release = json!({"id": "569720", "title": "Awake & Alive", "version": "", "type": "Album", "barcode": "075679983732",
        "artist": {"id": "4617", "name": "Skillet", "appearsAs": "Skillet", "slug": "skillet"}, "slug": "awake-569720", "image": "http://artwork-cdn.7static.com/1.jpg",
        "label": {"id": "116", "name": "Atlantic Records"}, "licensor": {"id": "18", "name": "Warner"}, "download": {"releaseDate": "2013-10-21T13:00:00Z"}});
    let url = json!({"url": "http://media.geo.7digital.com/media/user/downloadtrack?presigned=1&oauth_signature=a%2Bb", "format": {"id": "17", "description": "MP3 320"}});
    let track = json!({"id": "6313215", "title": "Hero", "version": "", "trackNumber": 1, "duration": 186, "isrc": "USAT20901234"});
    let owned = json!({"track": track, "remainingDownloads": 5, "purchaseId": "812485994", "purchaseDate": "2014-04-16T16:08:55+01:00", "completeAlbumPurchase": false, "downloadUrls": {"downloadUrl": [url]}});
    let releases = json!({"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [{"release": release, "lockerTracks": {"lockerTrack": [owned]}, "available": true}]});
    check_all(vec![success(
        "get-user-locker",
        "a locker",
        WHOLE,
        locker(&releases),
    )])
    .await;
}

fn locker(releases: &Value) -> Value {
    json!({"locker": {"lockerReleases": releases}})
}

#[tokio::test]
async fn a_locker_with_little_in_it_is_read_alike_in_every_form() {
    const TOOL: &str = "get-user-locker";
    #[rustfmt::skip]
    let successes = vec![
        success(TOOL, "a locker of releases that were taken down",
            "<locker><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>2</totalItems>\
            <lockerRelease><release id=\"1\"/><lockerTracks/><available>false</available></lockerRelease>\
            <lockerRelease><release id=\"2\"/><lockerTracks><lockerTrack><track id=\"3\"/><downloadUrls/></lockerTrack></lockerTracks></lockerRelease></lockerReleases></locker>",
            locker(&json!({"page": 1, "pageSize": 10, "totalItems": 2, "lockerRelease": [
                {"release": {"id": "1"}, "lockerTracks": {"lockerTrack": []}, "available": false},
                {"release": {"id": "2"}, "lockerTracks": {"lockerTrack": [{"track": {"id": "3"}, "downloadUrls": {"downloadUrl": []}}]}}]}))),
        success(TOOL, "an empty locker",
            "<locker><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>0</totalItems></lockerReleases></locker>",
            locker(&json!({"page": 1, "pageSize": 10, "totalItems": 0, "lockerRelease": []}))),
        success(TOOL, "a format in its older description",
            "<locker><lockerReleases><lockerRelease><lockerTracks><lockerTrack><downloadUrls><downloadUrl><format id=\"17\"><fileFormat>MP3</fileFormat><bitRate>320</bitRate><drmFree>true</drmFree></format></downloadUrl></downloadUrls></lockerTrack></lockerTracks></lockerRelease></lockerReleases></locker>",
            locker(&json!({"lockerRelease": [{"lockerTracks": {"lockerTrack": [{"downloadUrls": {"downloadUrl": [{"format": {"id": "17", "fileFormat": "MP3", "bitRate": 320, "drmFree": true}}]}}]}}]}))),
    ];
    check_all(successes).await;
}
