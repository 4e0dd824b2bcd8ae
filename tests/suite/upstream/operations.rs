//! What each operation of 7digital-api.md §1 answers: as XML, as typed JSON and as JSON that was naively made of XML.

use serde_json::{Value, json};

use crate::support::text;
use crate::upstream::answers::{Expected, JSON, Row, XML, beside, check, ok, row, xml};

/// An operation's success in all its forms.
struct Success {
    tool: &'static str,
    what: &'static str,
    /// As 7digital's XML has it, below `response`.
    xml: &'static str,
    /// As its JSON has it, numbers as numbers.
    typed: Value,
    /// As a conversion of the XML has it: every value a text, lists of one collapsed.
    naive: Value,
    /// The one document that comes of each.
    document: Value,
}

/// A success without anything that is a number, a flag or a list.
fn plain(tool: &'static str, what: &'static str, xml: &'static str, payload: Value) -> Success {
    Success {
        tool,
        what,
        xml,
        typed: payload.clone(),
        naive: payload.clone(),
        document: payload,
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
    let named = |form: &str| format!("{} {form}", success.what);
    let schema = json!({"schema": "http://api.7digital.com/1.2/static/7digitalAPI.xsd"});
    let noise = json!({"xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:noNamespaceSchemaLocation": "http://api.7digital.com/1.2/static/7digitalAPI.xsd"});
    let typed = beside(ok(&success.typed), &schema).to_string();
    let naive = beside(ok(&success.naive), &noise);
    let wrapped = json!({"response": naive}).to_string();
    let tool = success.tool;
    [
        row(named("in XML"), tool, XML, xml(success.xml), whole.clone()),
        row(named("in typed JSON"), tool, JSON, typed, whole.clone()),
        row(
            named("in naive JSON"),
            tool,
            JSON,
            naive.to_string(),
            whole.clone(),
        ),
        row(
            named("in naive JSON with its root"),
            tool,
            JSON,
            wrapped,
            whole,
        ),
        row(
            named("in bare JSON"),
            tool,
            JSON,
            success.typed.to_string(),
            Expected::Document(document),
        ),
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
async fn users_are_told_alike_in_every_form() {
    const TOOLS: [&str; 4] = [
        "signup-user",
        "create-user",
        "get-user-details",
        "authenticate-user",
    ];
    let mut successes = Vec::new();
    for tool in TOOLS {
        successes.push(Success {
            tool,
            what: "a user",
            xml: "<user id=\"123456\"><type>7digital</type><emailAddress>user@example.com</emailAddress></user>",
            typed: json!({"user": {"id": 123_456, "type": "7digital", "emailAddress": "user@example.com"}}),
            naive: json!({"user": {"id": "123456", "type": "7digital", "emailAddress": "user@example.com"}}),
            document: json!({"user": {"id": "123456", "type": "7digital", "emailAddress": "user@example.com"}}),
        });
        successes.push(plain(
            tool,
            "a user with an address alone",
            "<user><emailAddress>user@example.com</emailAddress></user>",
            json!({"user": {"emailAddress": "user@example.com"}}),
        ));
    }
    check_all(successes).await;
}

#[tokio::test]
async fn subscriptions_are_told_alike_in_every_form() {
    let mut successes = Vec::new();
    for tool in [
        "get-user-unlimited-streaming",
        "update-user-unlimited-streaming",
    ] {
        successes.push(plain(
            tool,
            "a subscription",
            "<streaming><level>premium</level><expiryDate>2021-10-11T10:54:35Z</expiryDate></streaming>",
            json!({"streaming": {"level": "premium", "expiryDate": "2021-10-11T10:54:35Z"}}),
        ));
        successes.push(plain(tool, "no subscription", "", json!({})));
    }
    check_all(successes).await;
}

#[tokio::test]
async fn cards_and_registrations_are_told_alike_in_every_form() {
    let mut successes = vec![
        Success {
            tool: "list-user-payment-cards",
            what: "a card",
            xml: "<cards><card id=\"8154430\"><type>Visa</type><last4digits>0485</last4digits><default>true</default>\
                <cardHolderName>MR I HUNT</cardHolderName><expiryDate>201202</expiryDate><country>NZ</country></card></cards>",
            typed: json!({"cards": {"card": [{"id": 8_154_430, "type": "Visa", "last4digits": "0485", "default": true, "cardHolderName": "MR I HUNT", "expiryDate": "201202", "country": "NZ"}]}}),
            naive: json!({"cards": {"card": {"id": "8154430", "type": "Visa", "last4digits": "0485", "default": "true", "cardHolderName": "MR I HUNT", "expiryDate": "201202", "country": "NZ"}}}),
            document: json!({"cards": {"card": [{"id": "8154430", "type": "Visa", "last4digits": "0485", "default": true, "cardHolderName": "MR I HUNT", "expiryDate": "201202", "country": "NZ"}]}}),
        },
        Success {
            tool: "list-user-payment-cards",
            what: "no card",
            xml: "<cards/>",
            typed: json!({"cards": {"card": []}}),
            naive: json!({"cards": ""}),
            document: json!({"cards": {"card": []}}),
        },
        plain("select-user-payment-card", "a choice", "", json!({})),
        plain("delete-user-payment-card", "a deletion", "", json!({})),
    ];
    for tool in ["register-user-payment-card", "get-user-card-registration"] {
        successes.push(plain(
            tool,
            "a registration under way",
            "<cardRegistration id=\"0f8fad5b-d9cb-469f-a165-70867728950e\" status=\"pending\"><redirectUrl>https://shop.example/done?a=1&amp;b=2</redirectUrl></cardRegistration>",
            json!({"cardRegistration": {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "status": "pending", "redirectUrl": "https://shop.example/done?a=1&b=2"}}),
        ));
    }
    successes.push(Success {
        tool: "get-user-card-registration",
        what: "a registration that is complete",
        xml: "<cardRegistration id=\"0f8f\" status=\"complete\"><card id=\"1\"><type>VISA</type><last4digits>1111</last4digits>\
            <cardholderName>Bob</cardholderName><expiryDate>194209</expiryDate></card></cardRegistration>",
        typed: json!({"cardRegistration": {"id": "0f8f", "status": "complete", "card": {"id": 1, "type": "VISA", "last4digits": "1111", "cardholderName": "Bob", "expiryDate": "194209"}}}),
        naive: json!({"cardRegistration": {"id": "0f8f", "status": "complete", "card": {"id": "1", "type": "VISA", "last4digits": "1111", "cardHolderName": "Bob", "expiryDate": "194209"}}}),
        document: json!({"cardRegistration": {"id": "0f8f", "status": "complete", "card": {"id": "1", "type": "VISA", "last4digits": "1111", "cardHolderName": "Bob", "expiryDate": "194209"}}}),
    });
    check_all(successes).await;
}

#[tokio::test]
async fn where_the_browser_sends_a_card_is_told_and_not_followed() {
    const TOOL: &str = "register-user-payment-card";
    let opened = |location: &str| {
        Expected::Document(ok(
            &json!({"cardRegistration": {"id": "0f8f", "status": "pending", "location": location}}),
        ))
    };
    let payload = "<cardRegistration id=\"0f8f\" status=\"pending\"/>";
    let rows = vec![
        row(
            "a `Location` header",
            TOOL,
            XML,
            xml(payload),
            opened("https://account.7digital.com/cardregistration/0f8f"),
        )
        .header(
            "Location",
            "https://account.7digital.com/cardregistration/0f8f",
        ),
        row(
            "a `Location` header with 201",
            TOOL,
            XML,
            xml(payload),
            opened("/cardregistration/0f8f"),
        )
        .status(201)
        .header("Location", "/cardregistration/0f8f"),
    ];
    check(rows).await;
}

/// A purchase as 7digital's stub has it, with the older description of a format, and as it has been since 2018.
#[tokio::test]
async fn purchases_and_sales_are_told_alike_in_every_form() {
    const TOOLS: [&str; 5] = [
        "purchase-user-item",
        "purchase-user-rrp-item",
        "purchase-user-basket",
        "purchase-user-priced-item",
        "deliver-user-item",
    ];
    let mut successes = Vec::new();
    for (number, tool) in TOOLS.into_iter().enumerate() {
        successes.push(Success {
            tool,
            what: "a purchase",
            xml: "<purchase id=\"49193524\"><purchaseDate>2009-08-10T11:00:00+01:00</purchaseDate></purchase>",
            typed: json!({"purchase": {"id": 49_193_524, "purchaseDate": "2009-08-10T11:00:00+01:00"}}),
            naive: json!({"purchase": {"id": "49193524", "purchaseDate": "2009-08-10T11:00:00+01:00"}}),
            document: json!({"purchase": {"id": "49193524", "purchaseDate": "2009-08-10T11:00:00+01:00"}}),
        });
        if number == 0 || number == 4 {
            successes.push(with_its_items(tool));
        }
    }
    check_all(successes).await;
}

fn with_its_items(tool: &'static str) -> Success {
    let artist = json!({"id": "1", "name": "Keane", "appearsAs": "Keane", "slug": "keane"});
    let release = json!({"id": "320866", "title": "Perfect Symmetry", "version": "UK Album", "type": "Album", "barcode": "00602517856455", "artist": artist});
    let track = |number: Value, duration: Value| json!({"id": "3615513", "title": "Spiralling", "version": "", "trackNumber": number, "duration": duration});
    let item = |track: Value, remaining: Value, urls: Value| json!({"track": track, "remainingDownloads": remaining, "purchaseDate": "2012-05-28T14:01:14+01:00", "downloadUrls": urls});
    let format = json!({"id": "17", "fileFormat": "MP3"});
    let url = json!({"url": "http://media3.7digital.com/media/user/downloadtrack?formatid=17&oauth_signature=q2n%3D", "format": format});
    let typed = item(
        track(json!(1), json!(258)),
        json!(5),
        json!({"downloadUrl": [url]}),
    );
    let naive = item(
        track(json!("1"), json!("258")),
        json!("5"),
        json!({"downloadUrl": url}),
    );
    let typed = json!({"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [{"release": release, "lockerTracks": {"lockerTrack": [typed]}}]});
    let naive = json!({"page": "1", "pageSize": "10", "totalItems": "1", "lockerRelease": {"release": release, "lockerTracks": {"lockerTrack": naive}}});
    let typed = json!({"purchase": {"id": "123", "purchaseDate": "2009-08-10T11:00:00+01:00", "lockerReleases": typed}});
    Success {
        tool,
        what: "a purchase with its items",
        xml: "<purchase id=\"123\"><purchaseDate>2009-08-10T11:00:00+01:00</purchaseDate><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>1</totalItems>\
            <lockerRelease><release id=\"320866\"><title>Perfect Symmetry</title><version>UK Album</version><type>Album</type><barcode>00602517856455</barcode>\
            <artist id=\"1\"><name>Keane</name><appearsAs>Keane</appearsAs><slug>keane</slug></artist></release>\
            <lockerTracks><lockerTrack><track id=\"3615513\"><title>Spiralling</title><version/><trackNumber>1</trackNumber><duration>258</duration></track>\
            <remainingDownloads>5</remainingDownloads><purchaseDate>2012-05-28T14:01:14+01:00</purchaseDate><downloadUrls><downloadUrl>\
            <url>http://media3.7digital.com/media/user/downloadtrack?formatid=17&amp;oauth_signature=q2n%3D</url><format id=\"17\"><fileFormat>MP3</fileFormat></format>\
            </downloadUrl></downloadUrls></lockerTrack></lockerTracks></lockerRelease></lockerReleases></purchase>",
        naive: json!({"purchase": {"id": "123", "purchaseDate": "2009-08-10T11:00:00+01:00", "lockerReleases": naive}}),
        document: typed.clone(),
        typed,
    }
}

#[tokio::test]
async fn a_locker_is_told_alike_in_every_form() {
    const XML: &str = "<locker>
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
    let locker = |releases: Value| json!({"locker": {"lockerReleases": releases}});
    let release = |id: Value, artist: Value, label: Value, licensor: Value| {
        json!({"id": id, "title": "Awake & Alive", "version": "", "type": "Album", "barcode": "075679983732",
            "artist": {"id": artist, "name": "Skillet", "appearsAs": "Skillet", "slug": "skillet"}, "slug": "awake-569720", "image": "http://artwork-cdn.7static.com/1.jpg",
            "label": {"id": label, "name": "Atlantic Records"}, "licensor": {"id": licensor, "name": "Warner"}, "download": {"releaseDate": "2013-10-21T13:00:00Z"}})
    };
    let url = |format: Value| json!({"url": "http://media.geo.7digital.com/media/user/downloadtrack?presigned=1&oauth_signature=a%2Bb", "format": {"id": format, "description": "MP3 320"}});
    let track = |id: Value, artist: Value, number: Value, duration: Value| json!({"id": id, "title": "Hero", "version": "", "artist": artist, "trackNumber": number, "duration": duration, "isrc": "USAT20901234"});
    let owned = |track: Value, remaining: Value, purchase: Value, complete: Value, urls: Value| json!({"track": track, "remainingDownloads": remaining, "purchaseId": purchase, "purchaseDate": "2014-04-16T16:08:55+01:00", "completeAlbumPurchase": complete, "downloadUrls": {"downloadUrl": urls}});
    let typed = owned(
        track(json!(6_313_215), json!({}), json!(1), json!(186)),
        json!(5),
        json!(812_485_994),
        json!(false),
        json!([url(json!(17))]),
    );
    let naive = owned(
        track(json!("6313215"), json!(""), json!("1"), json!("186")),
        json!("5"),
        json!("812485994"),
        json!("false"),
        url(json!("17")),
    );
    let document = owned(
        track(json!("6313215"), json!({}), json!(1), json!(186)),
        json!(5),
        json!("812485994"),
        json!(false),
        json!([url(json!("17"))]),
    );
    let in_text = release(json!("569720"), json!("4617"), json!("116"), json!("18"));
    let in_numbers = release(json!(569_720), json!(4617), json!(116), json!(18));
    let of_one = |release: &Value, tracks: Value| json!({"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [{"release": release, "lockerTracks": {"lockerTrack": tracks}, "available": true}]});
    check_all(vec![
        Success {
            tool: "get-user-locker",
            what: "a locker",
            xml: XML,
            typed: locker(of_one(&in_numbers, json!([typed]))),
            naive: locker(json!({"page": "1", "pageSize": "10", "totalItems": "1", "lockerRelease": {"release": in_text, "lockerTracks": {"lockerTrack": naive}, "available": "true"}})),
            document: locker(of_one(&in_text, json!([document]))),
        },
    ])
    .await;
}

#[tokio::test]
async fn a_locker_with_little_in_it_is_told_alike_in_every_form() {
    let locker = |releases: Value| json!({"locker": {"lockerReleases": releases}});
    check_all(vec![
        Success {
            tool: "get-user-locker",
            what: "a locker of releases that were taken down",
            xml: "<locker><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>2</totalItems>\
                <lockerRelease><release id=\"1\"/><lockerTracks/><available>false</available></lockerRelease>\
                <lockerRelease><release id=\"2\"/><lockerTracks><lockerTrack><track id=\"3\"/><downloadUrls/></lockerTrack></lockerTracks></lockerRelease></lockerReleases></locker>",
            typed: locker(json!({"page": 1, "pageSize": 10, "totalItems": 2, "lockerRelease": [
                {"release": {"id": 1}, "lockerTracks": {"lockerTrack": []}, "available": false},
                {"release": {"id": 2}, "lockerTracks": {"lockerTrack": [{"track": {"id": 3}, "downloadUrls": {"downloadUrl": []}}]}}]})),
            naive: locker(json!({"page": "1", "pageSize": "10", "totalItems": "2", "lockerRelease": [
                {"release": {"id": "1"}, "lockerTracks": "", "available": "false"},
                {"release": {"id": "2"}, "lockerTracks": {"lockerTrack": {"track": {"id": "3"}, "downloadUrls": ""}}}]})),
            document: locker(json!({"page": 1, "pageSize": 10, "totalItems": 2, "lockerRelease": [
                {"release": {"id": "1"}, "lockerTracks": {"lockerTrack": []}, "available": false},
                {"release": {"id": "2"}, "lockerTracks": {"lockerTrack": [{"track": {"id": "3"}, "downloadUrls": {"downloadUrl": []}}]}}]})),
        },
        Success {
            tool: "get-user-locker",
            what: "an empty locker",
            xml: "<locker><lockerReleases><page>1</page><pageSize>10</pageSize><totalItems>0</totalItems></lockerReleases></locker>",
            typed: locker(json!({"page": 1, "pageSize": 10, "totalItems": 0, "lockerRelease": []})),
            naive: locker(json!({"page": "1", "pageSize": "10", "totalItems": "0", "lockerRelease": ""})),
            document: locker(json!({"page": 1, "pageSize": 10, "totalItems": 0, "lockerRelease": []})),
        },
        Success {
            tool: "get-user-locker",
            what: "a format as it was described in former days",
            xml: "<locker><lockerReleases><lockerRelease><lockerTracks><lockerTrack><downloadUrls><downloadUrl><format id=\"17\"><fileFormat>MP3</fileFormat><bitRate>320</bitRate><drmFree>true</drmFree></format></downloadUrl></downloadUrls></lockerTrack></lockerTracks></lockerRelease></lockerReleases></locker>",
            typed: locker(json!({"lockerRelease": [{"lockerTracks": {"lockerTrack": [{"downloadUrls": {"downloadUrl": [{"format": {"id": 17, "fileFormat": "MP3", "bitRate": 320, "drmFree": true}}]}}]}}]})),
            naive: locker(json!({"lockerRelease": {"lockerTracks": {"lockerTrack": {"downloadUrls": {"downloadUrl": {"format": {"id": "17", "fileFormat": "MP3", "bitRate": "320", "drmFree": "true"}}}}}}})),
            document: locker(json!({"lockerRelease": [{"lockerTracks": {"lockerTrack": [{"downloadUrls": {"downloadUrl": [{"format": {"id": "17", "fileFormat": "MP3", "bitRate": 320, "drmFree": true}}]}}]}}]})),
        },
    ])
    .await;
}
