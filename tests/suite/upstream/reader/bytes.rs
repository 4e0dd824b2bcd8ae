//! Bytes that are no answer, or were one before they were spoilt: a document or an error, and nothing hidden in either.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, sample};
use serde_json::{Map, Value, json};
use sevendigital::reply::Reply;
use sevendigital::response;
use sevendigital::{Answer, Effect, Error};
use sevendigital_tools::Standing;
use sevendigital_tools::Tool as _;
use sevendigital_tools::get_user_locker::GetUserLocker;
use sevendigital_tools::list_user_payment_cards::ListUserPaymentCards;
use sevendigital_tools::purchase_user_item::PurchaseUserItem;

use super::{Found, check, document_of, ensure, same};
use crate::support::internals::told;
use crate::upstream::answers::{discreet, hidden, ok, xml};

/// The first text with an invisible character, in a value or in a name.
fn find_hidden(value: &Value) -> Option<String> {
    let spoilt = |text: &String| text.chars().any(hidden).then(|| format!("{text:?}"));
    match value {
        Value::String(text) => spoilt(text),
        Value::Array(all) => all.iter().find_map(find_hidden),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| spoilt(name).or_else(|| find_hidden(value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// An answer, which is shown as text where it is shown.
struct Said(Reply);

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Reply {
            status,
            content_type,
            body,
            ..
        } = &self.0;
        write!(
            f,
            "HTTP {status} {content_type} {:?}",
            String::from_utf8_lossy(body)
        )
    }
}

/// Reads, and holds what comes of it to what must be so of any answer.
fn check_read(Said(reply): &Said) -> Found {
    for upstream in [
        GetUserLocker::CONTRACT.upstream,
        PurchaseUserItem::CONTRACT.upstream,
    ] {
        match response::read(reply, &upstream) {
            Ok(read) => check_success(reply, &read, upstream.effect)?,
            Err(error) => check_failure(reply, &error)?,
        }
    }
    Ok(())
}

fn check_success(reply: &Reply, read: &Map<String, Value>, effect: Effect) -> Found {
    ensure((200..300).contains(&reply.status), || {
        "a success with that status".into()
    })?;
    let status = read.get("status").map(Value::as_str);
    let plain = matches!(status, None | Some(Some("ok")));
    ensure(plain || effect != Effect::Writes, || format!("{status:?}"))?;
    let documents = [
        Value::Object(read.clone()),
        document_of::<GetUserLocker>(read),
        document_of::<ListUserPaymentCards>(read),
        document_of::<PurchaseUserItem>(read),
    ];
    for document in documents {
        same(&find_hidden(&document), &None)?;
        let answer = Answer::new(document);
        if let Standing::Made(receipt) = Standing::from_answer(&answer) {
            let document = &answer.document;
            let id = document["purchase"]["id"].as_str().map(str::trim);
            same(&id, &Some(receipt.purchase_id.as_str()))?;
            ensure(!receipt.purchase_id.trim().is_empty(), || {
                "a blank id".into()
            })?;
            let kept = receipt.document.to_string();
            ensure(!kept.contains("lockerReleases"), || kept.clone())?;
        }
    }
    Ok(())
}

fn check_failure(reply: &Reply, error: &Error) -> Found {
    ensure(
        !matches!(error, Error::NotSent(_) | Error::Interrupted(_)),
        || format!("{error:?}"),
    )?;
    for effect in [Effect::Reads, Effect::Writes, Effect::Charges] {
        let told = told(error.clone(), effect);
        discreet(&told, &reply.body)?;
        ensure(told.chars().count() < 900, || told.clone())?;
    }
    Ok(())
}

/// An answer of that body, with any status and label.
fn reply(body: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Said> {
    #[rustfmt::skip]
    const LABELS: [&str; 9] = [
        "application/json; charset=utf-8", "text/xml; charset=utf-8", "application/xml; charset=iso-8859-1",
        "text/plain; charset=utf-16", "text/html; charset=shift_jis", "text/xml; charset=\"x-user-defined\"",
        "application/json; charset=", "İ; charset=utf-8", "",
    ];
    let status = prop_oneof![
        6 => Just(200_u16),
        2 => sample::select(vec![201, 204, 302, 400, 401, 403, 404, 418, 429, 500, 502, 503]),
        1 => 200..1000_u16,
    ];
    (status, sample::select(&LABELS[..]), body).prop_map(|(status, content_type, body)| {
        Said(Reply {
            status,
            content_type: content_type.to_owned(),
            body,
            ..Reply::default()
        })
    })
}

/// Pieces of answers, good and bad.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "<response status=\"ok\">", "<response status=\"error\">", "<response>", "</response>", "<response/>", "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
    "<error code=\"1002\">", "<errorMessage>", "</errorMessage>", "</error>", "<purchase id=\"1\">", "<purchase>", "</purchase>", "<id>", "</id>",
    "<a b=\"1\" b=\"2\"/>", "<a xsi:nil=\"true\"/>", "<:a/>", "<a:b:c/>", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE a [", "<!ENTITY b \"c\">", "&b;", "&#0;", "&#x110000;", "&#xD800;", "&amp", "&lt;",
    "<", ">", "</", "/>", "<?", "?>", "=", "'", "\"", "\u{feff}", "\u{202e}", "\u{200b}", "\u{0}", "\u{1b}[31m", "\u{e0041}",
    "{", "}", "[", "]", ":", ",", "\"status\"", "\"ok\"", "\"error\"", "\"errors\"", "\"code\"", "\"message\"", "\"purchase\"", "\"id\"", "\"\\ud800\"", "\"\\u202e\"", "1e999", "-0", "123456789012345678901234567890", "null", "true",
    "\"response\"", "OAuth authentication error: ", "Access to resource denied", "limit", "http://x.example/?oauth_token=1", "<html>", " ", "\n", "é", "🎵",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    collection::vec(sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn any_bytes_are_a_document_or_an_error() {
    let bytes = prop_oneof![
        3 => pieces(),
        2 => collection::vec(any::<u8>(), 0..200),
        1 => (sample::select(vec!["{", "<", "<response status=\"ok\">", "OAuth", "\u{feff}"]), collection::vec(any::<u8>(), 0..100))
            .prop_map(|(start, rest)| [start.as_bytes(), rest.as_slice()].concat()),
    ];
    check(&reply(bytes), check_read);
}

/// Answers as 7digital's sources show them.
fn samples() -> Vec<Vec<u8>> {
    let user = "<user id=\"1\"><type>7digital</type><emailAddress>a&amp;b@example.com</emailAddress></user>";
    let purchase = "<purchase id=\"49193524\"><purchaseDate>2009-08-10T11:00:00+01:00</purchaseDate><lockerReleases><lockerRelease><release id=\"1\"/><lockerTracks/></lockerRelease></lockerReleases></purchase>";
    let locker = json!({"locker": {"lockerReleases": {"page": 1, "pageSize": "10", "totalItems": 1, "lockerRelease": {"release": {"id": 7, "title": "Ä"}, "lockerTracks": {"lockerTrack": [{"remainingDownloads": 5, "downloadUrls": ""}]}, "available": "true"}}}});
    let refusal = json!({"status": "error", "version": "1.2", "error": {"code": 1002, "errorMessage": "Value of parameter x is not valid"}});
    let mut all = vec![
        xml(user),
        xml(purchase),
        xml("<cards><card id=\"1\"><last4digits>0042</last4digits><default>true</default></card></cards>"),
        "<response status=\"error\" version=\"1.2\"><error code=\"2001\"><errorMessage><![CDATA[Not <found>]]></errorMessage></error></response>".to_owned(),
        ok(&locker).to_string(),
        refusal.to_string(),
        json!({"response": ok(&json!({"purchase": {"id": 49_193_524, "purchaseDate": "2009"}}))}).to_string(),
        "OAuth authentication error: Resource requires access token".to_owned(),
    ];
    all.push(all[0].replace("utf-8", "iso-8859-1"));
    let mut all: Vec<Vec<u8>> = all.into_iter().map(String::into_bytes).collect();
    let units = xml(user);
    let units = std::iter::once(0xfeff).chain(units.encode_utf16());
    all.push(units.flat_map(u16::to_le_bytes).collect());
    all
}

/// A change to bytes.
#[derive(Debug, Clone)]
enum Change {
    Put(usize, &'static str),
    Flip(usize, u8),
    Cut(usize, usize),
    Double(usize, usize),
    End(usize),
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        let span = |from: usize, to: usize| {
            let (from, to) = (from % length, to % length);
            from.min(to)..from.max(to)
        };
        match *change {
            _ if bytes.is_empty() => {}
            Change::Put(at, piece) => {
                bytes.splice(at % length..at % length, piece.bytes());
            }
            Change::Flip(at, by) => bytes[at % length] ^= by,
            Change::Cut(from, to) => drop(bytes.drain(span(from, to))),
            Change::Double(from, to) => {
                let part = bytes[span(from, to)].to_vec();
                bytes.splice(to % length..to % length, part);
            }
            Change::End(at) => bytes.truncate(at % length),
        }
    }
    bytes
}

#[test]
fn a_good_answer_that_was_spoilt_is_a_document_or_an_error() {
    let change = prop_oneof![
        4 => (any::<usize>(), sample::select(PIECES)).prop_map(|(at, piece)| Change::Put(at, piece)),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(at, by)| Change::Flip(at, by)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Change::Cut(from, to)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Change::Double(from, to)),
        1 => any::<usize>().prop_map(Change::End),
    ];
    let bytes = (sample::select(samples()), collection::vec(change, 0..4))
        .prop_map(|(bytes, changes)| changed(bytes, &changes));
    check(&reply(bytes), check_read);
}

/// Names that mean something, and some that don't.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "status", "version", "error", "errors", "code", "message", "errorMessage", "response", "purchase", "id", "purchaseDate", "lockerReleases", "lockerRelease",
    "lockerTracks", "lockerTrack", "track", "release", "artist", "downloadUrls", "downloadUrl", "url", "format", "page", "totalItems", "available", "locker",
    "cards", "card", "default", "last4digits", "cardHolderName", "cardholderName", "schema", "xmlns:a", "xsi:b", "_", "", "ti\u{202e}tle",
];

/// Any tree of values, with the names of answers.
fn tree() -> impl Strategy<Value = Value> {
    let texts = sample::select(vec![
        "ok",
        "error",
        "1",
        "",
        " ",
        "true",
        "a\u{202e}b",
        "http://x.xsd",
        "-1",
        "2.0",
    ]);
    let leaf = prop_oneof![
        3 => texts.prop_map(Value::from),
        2 => (0..3000).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            1 => collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => collection::vec((sample::select(NAMES), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
                .prop_map(Value::Object),
        ]
    })
}

#[test]
fn a_document_of_any_nesting_is_a_document_or_an_error() {
    let document = collection::vec((sample::select(NAMES), tree()), 0..5);
    let bytes = (any::<bool>(), document).prop_map(|(is_ok, fields)| {
        let mut document = json!({});
        for (name, value) in fields {
            document[name] = value;
        }
        if is_ok {
            document["status"] = json!("ok");
        }
        document.to_string().into_bytes()
    });
    check(&reply(bytes), check_read);
}
