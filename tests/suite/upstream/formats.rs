//! What 7digital answers: formats, envelopes and the traps between XML and JSON (7digital-api.md §2.1, §2.2, §2.4).

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::TOOLS;

use super::answers::{
    Expected, JSON, Row, TEXT, XML, beside, check, document, foreign, hidden, ok, row, unreadable,
    xml,
};

const DETAILS: &str = "get-user-details";
const CARDS: &str = "list-user-payment-cards";
const LOCKER: &str = "get-user-locker";

#[tokio::test]
async fn the_bytes_decide_what_an_answer_is_and_a_wrong_label_is_survived() {
    let user =
        json!({"user": {"id": "4874230", "type": "7digital", "emailAddress": "björk@example.com"}});
    let inner = "<user id=\"4874230\"><type>7digital</type><emailAddress>björk@example.com</emailAddress></user>";
    let (json, xml) = (ok(&user).to_string(), xml(inner));
    let latin = |text: &str| -> Vec<u8> {
        text.replace("utf-8", "iso-8859-1")
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = std::iter::once(mark).chain(xml.encode_utf16());
        units.flat_map(bytes).collect()
    };
    #[rustfmt::skip]
    let rows = [
        ("JSON", JSON, json.clone().into_bytes()),
        ("JSON without a charset", "application/json", json.clone().into_bytes()),
        ("XML as the client library saw it", "application/xml", xml.clone().into_bytes()),
        ("XML as the stub says it", XML, xml.clone().into_bytes()),
        ("JSON labelled XML", XML, json.clone().into_bytes()),
        ("JSON labelled a page", "text/html", json.clone().into_bytes()),
        ("JSON labelled nonsense", ";;;=,", json.clone().into_bytes()),
        ("XML labelled JSON", JSON, xml.clone().into_bytes()),
        ("XML labelled text", TEXT, xml.clone().into_bytes()),
        ("XML in Latin-1 as it declares", "application/xml", latin(&xml)),
        ("XML in Latin-1 as the header says", "application/xml; charset=\"ISO-8859-1\"", latin(&xml)),
        ("XML in Latin-1 labelled UTF-8", XML, latin(&xml)),
        ("JSON in Latin-1 labelled so", "application/json; charset=iso-8859-1", latin(&json)),
        ("XML in UTF-8 labelled with no such charset", "text/xml; charset=klingon", xml.clone().into_bytes()),
        ("XML in UTF-16, little end first", "application/xml", utf16(0xfeff, u16::to_le_bytes)),
        ("XML in UTF-16, big end first", "application/xml", utf16(0xfeff, u16::to_be_bytes)),
        ("JSON behind a byte order mark", JSON, format!("\u{feff}{json}").into_bytes()),
        ("XML behind a byte order mark", XML, format!("\u{feff}{xml}").into_bytes()),
        ("JSON behind blanks", JSON, format!("\r\n \t{json}\n\n").into_bytes()),
        ("XML behind blanks", XML, format!("\n\n {xml}\n").into_bytes()),
        ("JSON inside `response`", JSON, json!({"response": ok(&user)}).to_string().into_bytes()),
    ];
    let rows = rows.map(|(what, label, body)| row(what, DETAILS, label, body, document(&user)));
    check(rows.into()).await;
}

#[tokio::test]
async fn entities_comments_and_namespaces_of_xml_leave_only_what_they_say() {
    let user = |name: &str| document(&json!({"user": {"id": "1", "type": name}}));
    #[rustfmt::skip]
    let rows = [
        ("entities", xml("<user id=\"1\"><type>a &amp; b &lt;c&gt; &quot;d&apos; &#233;&#xE9;</type></user>"), "a & b <c> \"d' éé"),
        ("entities in attributes", xml("<user id=\"1\" type=\"a &amp; &#x1F3B5;\"/>"), "a & 🎵"),
        ("entities of HTML", xml("<user id=\"1\"><type>&eacute;t&eacute; &amp;&nbsp;bar</type></user>"), "été &\u{a0}bar"),
        ("an entity that nobody knows, and a lone one", xml("<user id=\"1\"><type>&lol; R&B & more</type></user>"), "&lol; R&B & more"),
        ("CDATA", xml("<user id=\"1\"><type><![CDATA[a & <b>]]></type></user>"), "a & <b>"),
        ("comments and instructions", xml("<!-- no --><?go on?><user id=\"1\"><type>a<!-- no -->b</type></user>"), "ab"),
        ("a default namespace", xml("<user xmlns=\"urn:x\" id=\"1\"><type>a</type></user>"), "a"),
        ("prefixes", xml("<p:user xmlns:p=\"urn:x\" p:id=\"1\"><p:type>a</p:type></p:user>"), "a"),
        ("single quotes and blanks in tags", xml("<user  id = '1' ><type >a</type ></user >"), "a"),
        ("a child in place of an attribute", xml("<user><id>1</id><type>a</type></user>"), "a"),
    ];
    let mut rows: Vec<Row> = rows
        .map(|(what, body, kind)| row(what, DETAILS, XML, body, user(kind)))
        .into();
    #[rustfmt::skip]
    let refused = [
        ("an entity of its own", "<!DOCTYPE a [<!ENTITY b \"c\">]><response status=\"ok\"/>".to_owned(), "XML with a document type"),
        ("an external entity", "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x\"><response status=\"ok\"/>".to_owned(), "XML with a document type"),
        ("depth 10,000", xml(&"<a>".repeat(10_000)), "XML nested too deeply"),
    ];
    rows.extend(refused.map(|(what, body, why)| row(what, DETAILS, XML, body, unreadable(why))));
    check(rows).await;
}

#[tokio::test]
async fn an_envelope_may_be_whole_or_bare_or_empty() {
    const STREAMING: &str = "get-user-unlimited-streaming";
    let streaming =
        json!({"streaming": {"level": "premium", "expiryDate": "2021-10-11T10:54:35Z"}});
    let nothing = json!({});
    #[rustfmt::skip]
    let rows = vec![
        row("XML with a payload", STREAMING, XML, xml("<streaming><level>premium</level><expiryDate>2021-10-11T10:54:35Z</expiryDate></streaming>"), document(&streaming)),
        row("XML without one", STREAMING, XML, xml(""), document(&nothing)),
        row("XML without one, in one tag", STREAMING, XML, "<response status=\"ok\" version=\"1.2\" />", document(&nothing)),
        row("XML without status and version", STREAMING, XML, "<response><streaming level=\"premium\"/></response>", Expected::Document(json!({"streaming": {"level": "premium"}}))),
        row("JSON with `schema`", STREAMING, JSON, beside(ok(&streaming), &json!({"schema": "http://api.7digital.com/1.2/static/7digitalAPI.xsd"})).to_string(), document(&streaming)),
        row("JSON as the documentation shows it", STREAMING, JSON, streaming.to_string(), Expected::Document(streaming.clone())),
        row("JSON without a payload", STREAMING, JSON, ok(&nothing).to_string(), document(&nothing)),
        row("JSON of nothing", STREAMING, JSON, "{}", Expected::Document(nothing.clone())),
        row("JSON with a version that is a number", STREAMING, JSON, r#"{"status":"ok","version":1.2}"#, document(&nothing)),
        row("HTTP 201", STREAMING, JSON, ok(&streaming).to_string(), document(&streaming)).status(201),
        row("a payload that is null", STREAMING, JSON, r#"{"status":"ok","version":"1.2","streaming":null}"#, document(&nothing)),
        row("a payload that is empty", STREAMING, JSON, r#"{"status":"ok","version":"1.2","streaming":""}"#, document(&nothing)),
        row("an unknown status in JSON", STREAMING, JSON, r#"{"status":"maybe"}"#, unreadable("it does not say whether it succeeded")),
        row("an unknown status in XML", STREAMING, XML, "<response status=\"queued\"/>", unreadable("it does not say whether it succeeded")),
        row("a status that is no text", STREAMING, JSON, r#"{"status":{"a":1}}"#, unreadable("it does not say whether it succeeded")),
        row("an empty answer", STREAMING, JSON, "", unreadable("it is empty")),
        row("blanks alone", STREAMING, XML, " \r\n\t", unreadable("it is empty")),
        row("an HTML page", STREAMING, "text/html", "<!-- hi --><html><body>Hello</body></html>", foreign("an HTML page")),
        row("other XML", STREAMING, XML, "<rss><channel/></rss>", foreign("XML that is not a 7digital answer")),
        row("plain text", STREAMING, TEXT, "Hello", foreign("it is plain text")),
        row("cut XML", STREAMING, XML, "<response status=\"ok\"><streaming>", unreadable("XML that ends too early")),
        row("no content", STREAMING, JSON, "", unreadable("it is empty")).status(204),
    ];
    check(rows).await;
}

/// One card as XML, as typed JSON and as a naive conversion of XML, in the middle of a list.
fn cards(list: &Value) -> Expected {
    document(&json!({"cards": {"card": list}}))
}

#[tokio::test]
async fn lists_are_lists_however_many_there_are_and_in_whatever_form_they_come() {
    let one = json!({"id": "8154430", "last4digits": "0485"});
    let two = json!([one, {"id": "8154431", "last4digits": "0042"}]);
    let in_json = |card: &Value| ok(&json!({"cards": {"card": card}})).to_string();
    #[rustfmt::skip]
    let rows = vec![
        row("none in XML", CARDS, XML, xml("<cards/>"), cards(&json!([]))),
        row("none in XML, opened and closed", CARDS, XML, xml("<cards>\n  </cards>"), cards(&json!([]))),
        row("one in XML", CARDS, XML, xml("<cards><card id=\"8154430\"><last4digits>0485</last4digits></card></cards>"), cards(&json!([one]))),
        row("two in XML", CARDS, XML, xml("<cards><card id=\"8154430\"><last4digits>0485</last4digits></card>\n<card id=\"8154431\"><last4digits>0042</last4digits></card></cards>"), cards(&two)),
        row("none in JSON", CARDS, JSON, in_json(&json!([])), cards(&json!([]))),
        row("none as a text", CARDS, JSON, in_json(&json!("")), cards(&json!([]))),
        row("none as null", CARDS, JSON, in_json(&json!(null)), cards(&json!([]))),
        row("no list at all", CARDS, JSON, ok(&json!({"cards": {}})).to_string(), cards(&json!([]))),
        row("no cards as a text", CARDS, JSON, ok(&json!({"cards": ""})).to_string(), cards(&json!([]))),
        row("one in JSON", CARDS, JSON, in_json(&json!([one])), cards(&json!([one]))),
        row("one collapsed", CARDS, JSON, in_json(&one), cards(&json!([one]))),
        row("two in JSON", CARDS, JSON, in_json(&two), cards(&two)),
        row("one that is empty", CARDS, XML, xml("<cards><card/></cards>"), cards(&json!([]))),
    ];
    check(rows).await;
}

#[tokio::test]
async fn lists_below_a_purchase_are_lists_as_well() {
    let bought = |id: &str| {
        document(
            &json!({"purchase": {"id": id, "lockerReleases": {"lockerRelease": [
                {"release": {"id": "1"}, "lockerTracks": {"lockerTrack": [
                    {"track": {"id": "2"}, "remainingDownloads": 3, "downloadUrls": {"downloadUrl": [{"url": "http://media.example/1?oauth_signature=x"}]}}
                ]}},
                {"release": {"id": "3"}, "lockerTracks": {"lockerTrack": []}},
            ]}}}),
        )
    };
    let inner = |id: &str| {
        format!(
            "<purchase id=\"{id}\"><lockerReleases><lockerRelease><release id=\"1\"/><lockerTracks><lockerTrack><track id=\"2\"/>\
            <remainingDownloads>3</remainingDownloads><downloadUrls><downloadUrl><url>http://media.example/1?oauth_signature=x</url></downloadUrl></downloadUrls>\
            </lockerTrack></lockerTracks></lockerRelease><lockerRelease><release id=\"3\"/><lockerTracks/></lockerRelease></lockerReleases></purchase>"
        )
    };
    let naive = |id: &str| {
        ok(&json!({"purchase": {"id": id, "lockerReleases": {"lockerRelease": [
            {"release": {"id": "1"}, "lockerTracks": {"lockerTrack":
                {"track": {"id": 2}, "remainingDownloads": "3", "downloadUrls": {"downloadUrl": {"url": "http://media.example/1?oauth_signature=x"}}}
            }},
            {"release": {"id": 3}, "lockerTracks": ""},
        ]}}}))
        .to_string()
    };
    let mut rows = Vec::new();
    let charges = TOOLS
        .iter()
        .filter(|tool| tool.contract.upstream.effect == Effect::Charges);
    for (number, tool) in charges.map(|tool| tool.contract.name).enumerate() {
        let (one, two) = (format!("5{number}1"), format!("5{number}2"));
        let expected = |id: &str| match bought(id) {
            Expected::Document(document) if tool == "deliver-user-item" => {
                Expected::Document(beside(document, &json!({"transactionId": "t-1"})))
            }
            other => other,
        };
        rows.push(row("XML", tool, XML, xml(&inner(&one)), expected(&one)));
        rows.push(row("naive JSON", tool, JSON, naive(&two), expected(&two)));
    }
    check(rows).await;
}

#[tokio::test]
async fn attributes_text_and_nothing_become_what_they_are_in_json() {
    let user = |fields: Value| document(&json!({"user": fields}));
    #[rustfmt::skip]
    let rows = vec![
        row("attributes and children share one room", DETAILS, XML, xml("<user id=\"1\" new=\"a\"><other>b</other></user>"), user(json!({"id": "1", "new": "a", "other": "b"}))),
        row("text beside an attribute", DETAILS, XML, xml("<user id=\"1\"><currency code=\"GBP\">£</currency></user>"), user(json!({"id": "1", "currency": {"code": "GBP", "_": "£"}}))),
        row("the same as xml2js has it", DETAILS, JSON, ok(&json!({"user": {"id": "1", "currency": {"_": "£", "code": "GBP"}}})).to_string(), user(json!({"id": "1", "currency": {"code": "GBP", "_": "£"}}))),
        row("`xsi:nil` where nothing is known of the field", DETAILS, XML, xml("<user id=\"1\"><other xsi:nil=\"true\"/></user>"), user(json!({"id": "1", "other": null}))),
        row("`xsi:nil` in a known field", DETAILS, XML, xml("<user id=\"1\"><type xsi:nil=\"true\"/><emailAddress xsi:nil=\"1\"></emailAddress></user>"), user(json!({"id": "1"}))),
        row("`xsi:nil` that says no", DETAILS, XML, xml("<user id=\"1\"><type xsi:nil=\"false\">a</type></user>"), user(json!({"id": "1", "type": "a"}))),
        row("null in a known field", DETAILS, JSON, ok(&json!({"user": {"id": "1", "type": null}})).to_string(), user(json!({"id": "1"}))),
        row("`nil` by another prefix", DETAILS, XML, xml("<user id=\"1\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><type i:nil=\"true\"/></user>"), user(json!({"id": "1"}))),
        row("an attribute at a field that is text", DETAILS, XML, xml("<user id=\"1\"><type lang=\"en\">7digital</type></user>"), document(&json!({"user": {"id": "1", "type": "7digital"}, "unexpected": [{"path": "user.type.lang", "value": "en"}]}))),
        row("an empty element", DETAILS, XML, xml("<user id=\"1\"><type/></user>"), user(json!({"id": "1", "type": ""}))),
        row("an unknown list", DETAILS, XML, xml("<user id=\"1\"><a>1</a><a>2</a></user>"), user(json!({"id": "1", "a": ["1", "2"]}))),
        row("namespaces and their noise", DETAILS, XML, xml("<user id=\"1\" xmlns:xsd=\"urn:x\" xsi:type=\"User\"><type xmlns=\"\">a</type></user>"), user(json!({"id": "1", "type": "a"}))),
        row("noise of a naive conversion", DETAILS, JSON, beside(ok(&json!({"user": {"id": "1"}})), &json!({"xmlns:xsi": "urn:a", "xmlns:xsd": "urn:b", "xmlns": "urn:c", "xsi:noNamespaceSchemaLocation": "urn:d"})).to_string(), user(json!({"id": "1"}))),
        row("unknown fields", DETAILS, JSON, beside(ok(&json!({"user": {"id": "1", "new": {"a": [1, true, null, 0.5]}}})), &json!({"also": "here"})).to_string(), Expected::Document(beside(ok(&json!({"user": {"id": "1", "new": {"a": [1, true, null, 0.5]}}})), &json!({"also": "here"})))),
    ];
    check(rows).await;
}

#[tokio::test]
async fn identifiers_stay_the_texts_they_are_and_counts_become_numbers() {
    let track = |extra: Value| {
        let track = json!({"lockerTrack": [extra]});
        document(
            &json!({"locker": {"lockerReleases": {"page": 1, "lockerRelease": [{"release": {"barcode": "00602517856455", "version": "1.10", "id": "007"}, "lockerTracks": track, "available": false}]}}}),
        )
    };
    let typed = json!({"track": {"isrc": "000012345678", "version": "2.0", "trackNumber": 1, "duration": 258}, "purchaseId": "0812", "remainingDownloads": 0, "completeAlbumPurchase": true});
    let inner = "<locker><lockerReleases><page> 1 </page><pageSize/><lockerRelease><release id=\"007\"><barcode>00602517856455</barcode><version>1.10</version></release><lockerTracks><lockerTrack>\
        <track><isrc>000012345678</isrc><version>2.0</version><trackNumber>1</trackNumber><duration>258</duration></track><purchaseId>0812</purchaseId><remainingDownloads>0</remainingDownloads>\
        <completeAlbumPurchase>1</completeAlbumPurchase></lockerTrack></lockerTracks><available>false</available></lockerRelease></lockerReleases></locker>";
    let wallet = |default: bool| {
        cards(
            &json!([{"id": "1", "last4digits": "0042", "expiryDate": "201202", "default": default}]),
        )
    };
    let card = |id: Value, default: Value, expiry: Value| {
        ok(&json!({"cards": {"card": [{"id": id, "last4digits": "0042", "expiryDate": expiry, "default": default}]}})).to_string()
    };
    let users = |id: &str| document(&json!({"user": {"id": id}}));
    let user = |id: Value| ok(&json!({"user": {"id": id}})).to_string();
    #[rustfmt::skip]
    let rows = vec![
        row("a locker in XML", LOCKER, XML, xml(inner), track(typed)),
        row("a card in XML", CARDS, XML, xml("<cards><card id=\"1\"><last4digits>0042</last4digits><expiryDate>201202</expiryDate><default>true</default></card></cards>"), wallet(true)),
        row("a card in JSON", CARDS, JSON, card(json!(1), json!(false), json!("201202")), wallet(false)),
        row("a card in quoted JSON", CARDS, JSON, card(json!("1"), json!("true"), json!(201_202)), wallet(true)),
        row("a user's id with zeros", DETAILS, JSON, user(json!("0042")), users("0042")),
        row("a user's id that is a number", DETAILS, JSON, user(json!(4_874_230)), users("4874230")),
        row("a user's id that is a long number", DETAILS, JSON, user(json!(u64::MAX)), users("18446744073709551615")),
        row("a user's id that is no number", DETAILS, XML, xml("<user id=\"0x1F 2e5\"/>"), users("0x1F 2e5")),
    ];
    check(rows).await;
}

#[tokio::test]
async fn what_can_not_be_seen_does_not_come_through() {
    const HIDDEN: &str = "\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}\u{ad}\u{2060}\u{180e}\u{e0041}\u{e007f}\u{fff9}\u{34f}\u{115f}\u{3164}\u{ffa0}\u{fe00}\u{1d173}";
    let spoil = |text: &str| -> String {
        let mut spoilt = String::new();
        for (part, c) in text.chars().zip(HIDDEN.chars().cycle()) {
            spoilt.push(c);
            spoilt.push(part);
        }
        spoilt + HIDDEN
    };
    let clean = json!({"locker": {"lockerReleases": {"lockerRelease": [{"release": {"title": "Awake ❤\u{fe0f} 你好\n\tß", "new": {"field": "seen"}}}]}}});
    let title = spoil("Awake ❤\u{fe0f} 你好\n\tß");
    let escapes = "\u{1b}[31m\u{7}\u{8}\u{81}31m\u{0}\u{7f}";
    let in_xml = format!(
        "<locker><lockerReleases><lockerRelease><release><title>{title}</title><new><field>{}</field></new></release></lockerRelease></lockerReleases></locker>",
        spoil("seen")
    );
    let in_json = ok(
        &json!({"locker": {"lockerReleases": {"lockerRelease": [{"release": {"title": title, "new": {"field": spoil("seen")}}}]}}}),
    );
    let named = ok(
        &json!({"locker": {"lockerReleases": {"lockerRelease": [{"release": {spoil("title"): "Awake ❤\u{fe0f} 你好\n\tß", "new": {spoil("field"): "seen"}}}]}}}),
    );
    let ansi = ok(&json!({"user": {"id": "1", "type": escapes}}));
    #[rustfmt::skip]
    let rows = vec![
        row("in XML", LOCKER, XML, xml(&in_xml), document(&clean)),
        row("in JSON", LOCKER, JSON, in_json.to_string(), document(&clean)),
        row("in names", LOCKER, JSON, named.to_string(), document(&clean)),
        row("escapes of terminals", DETAILS, JSON, ansi.to_string(), document(&json!({"user": {"id": "1", "type": "[31m31m"}}))),
    ];
    for result in check(rows).await {
        let seen = result.to_string().chars().find(|c| hidden(*c));
        assert_eq!(seen, None, "{result}");
    }
}
