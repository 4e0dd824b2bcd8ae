//! Any bytes at all: what the reader makes of them, and what the signer signs, held against second opinions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroU64;

use oauth1_request::signature_method::{Sign as _, SignatureMethod as _};
use oauth1_request::{Builder, Credentials, HMAC_SHA1, ParameterList};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};
use proptest::{collection, option, sample};
use serde_json::{Map, Value, json};
use sevendigital::oauth::{self, Stamp};
use sevendigital::response::{self, Reply};
use sevendigital::{Consumer, Effect, Error, Secret, Token};
use sevendigital_mcp::problem::Problem;
use sevendigital_tools::deed::receipt;
use sevendigital_tools::get_user_locker::GetUserLocker;
use sevendigital_tools::list_user_payment_cards::ListUserPaymentCards;
use sevendigital_tools::purchase_user_item::PurchaseUserItem;
use sevendigital_tools::{Tool, ToolError};
use url::Url;

use crate::upstream::answers::{discreet, hidden, ok, xml};

/// Cases of each property.
const CASES: u32 = 10_000;

/// What a property found wrong; a panic in place of it would be printed for each case on the way to the smallest.
type Found = Result<(), String>;

fn check<S: Strategy>(strategy: &S, property: impl Fn(&S::Value) -> Found) {
    let mut cases = Cases::with_cases(CASES);
    cases.failure_persistence = None;
    let result = TestRunner::new(cases).run(strategy, |value| {
        property(&value).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn ensure(so: bool, problem: impl FnOnce() -> String) -> Found {
    if so { Ok(()) } else { Err(problem()) }
}

/// The same twice, or else.
fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Found {
    ensure(found == expected, || {
        format!("{found:?}\nin place of\n{expected:?}")
    })
}

/// An answer that a tool's document is made of, as the server makes it.
fn document_of<T: Tool>(read: &Map<String, Value>) -> Option<Value> {
    let document: T::Output = serde_json::from_value(Value::Object(read.clone())).ok()?;
    Some(serde_json::to_value(&document).unwrap())
}

/// What nobody sees, in a value or in a name.
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
    match response::read(reply) {
        Ok(read) => check_success(reply, &read),
        Err(error) => check_failure(reply, error),
    }
}

fn check_success(reply: &Reply, read: &Map<String, Value>) -> Found {
    ensure((200..300).contains(&reply.status), || {
        "a success with that status".into()
    })?;
    let status = read.get("status").map(Value::as_str);
    ensure(matches!(status, None | Some(Some("ok"))), || {
        format!("{status:?}")
    })?;
    let read_as_it_is = Value::Object(read.clone());
    let documents = [
        Some(read_as_it_is),
        document_of::<GetUserLocker>(read),
        document_of::<ListUserPaymentCards>(read),
        document_of::<PurchaseUserItem>(read),
    ];
    for document in documents.iter().flatten() {
        same(&find_hidden(document), &None)?;
        if let Some(receipt) = receipt(document) {
            let id = &document["purchase"]["id"];
            same(id, &json!(receipt.purchase_id))?;
            ensure(!receipt.purchase_id.trim().is_empty(), || {
                "a blank id".into()
            })?;
            let kept = receipt.document.to_string();
            ensure(!kept.contains("lockerReleases"), || kept.clone())?;
        }
    }
    Ok(())
}

fn check_failure(reply: &Reply, error: Error) -> Found {
    ensure(
        !matches!(error, Error::NotSent(_) | Error::Interrupted(_)),
        || format!("{error:?}"),
    )?;
    let problem = Problem::from(&ToolError::Client(error));
    for effect in [Effect::Reads, Effect::Writes, Effect::Charges] {
        let told = problem.line(effect);
        discreet(&told, &reply.body)?;
        ensure(told.chars().count() < 900, || told.clone())?;
    }
    Ok(())
}

/// An answer of that body, with any status and label.
fn reply(body: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Said> {
    const LABELS: [&str; 9] = [
        "application/json; charset=utf-8",
        "text/xml; charset=utf-8",
        "application/xml; charset=iso-8859-1",
        "text/plain; charset=utf-16",
        "text/html; charset=shift_jis",
        "text/xml; charset=\"x-user-defined\"",
        "application/json; charset=",
        "İ; charset=utf-8",
        "",
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

/// Whether there is a purchase, and an id in it.
#[derive(Debug, Clone)]
enum Named {
    Nothing,
    WithoutId,
    With(Value),
}

/// What an answer to a purchase may say.
#[derive(Debug, Clone)]
struct Sale {
    http: u16,
    envelope: Option<&'static str>,
    purchase: Named,
    said: Option<(&'static str, &'static str)>,
    is_xml: bool,
}

impl Sale {
    fn was_made(&self) -> bool {
        let id = match &self.purchase {
            Named::With(Value::String(id)) => !id.chars().all(|c| c.is_whitespace() || hidden(c)),
            Named::With(Value::Number(_) | Value::Bool(_)) => true,
            Named::Nothing | Named::WithoutId | Named::With(_) => false,
        };
        let failed = self.said.is_some_and(|(_, said)| {
            !["", "ok", "success", "complete", "completed"].contains(&said.to_lowercase().as_str())
        });
        (200..300).contains(&self.http) && self.envelope != Some("error") && id && !failed
    }

    fn reply(&self) -> Reply {
        let body = if self.is_xml { self.xml() } else { self.json() };
        Reply {
            status: self.http,
            body: body.into_bytes(),
            ..Reply::default()
        }
    }

    fn xml(&self) -> String {
        let mut inner = String::new();
        if !matches!(self.purchase, Named::Nothing) {
            let text = match &self.purchase {
                Named::With(Value::String(id)) => format!(" id=\"{}\"", escaped(id)),
                Named::With(Value::Array(_) | Value::Object(_)) => " id=\"\"".to_owned(),
                Named::With(Value::Null) | Named::Nothing | Named::WithoutId => String::new(),
                Named::With(other) => format!(" id=\"{other}\""),
            };
            let said = self.said.map_or(String::new(), |(name, said)| {
                format!("<{name}>{said}</{name}>")
            });
            write!(
                inner,
                "<purchase{text}>{said}<purchaseDate>2009</purchaseDate></purchase>"
            )
            .unwrap();
        }
        let envelope = self
            .envelope
            .map_or(String::new(), |envelope| format!(" status=\"{envelope}\""));
        format!("<response{envelope} version=\"1.2\">{inner}</response>")
    }

    fn json(&self) -> String {
        let mut document = json!({"version": "1.2"});
        if let Some(envelope) = self.envelope {
            document["status"] = json!(envelope);
        }
        if !matches!(self.purchase, Named::Nothing) {
            document["purchase"] = json!({"purchaseDate": "2009"});
            if let Some((name, said)) = self.said {
                document["purchase"][name] = json!(said);
            }
            if let Named::With(id) = &self.purchase {
                document["purchase"]["id"] = id.clone();
            }
        }
        document.to_string()
    }
}

#[test]
fn only_an_answer_with_a_purchase_id_is_a_purchase() {
    let ids = vec![
        json!("49193524"),
        json!(49_193_524),
        json!("0"),
        json!("a b"),
        json!(""),
        json!(" \t"),
        json!("\u{200b}\u{feff}"),
        json!(null),
        json!([]),
        json!({}),
    ];
    let said = sample::select(vec![
        "ok",
        "OK",
        "success",
        "Success",
        "complete",
        "completed",
        "failure",
        "Failure",
        "pending",
        "declined",
        "error",
        "false",
    ]);
    let sale = (
        prop_oneof![4 => Just(200), 1 => sample::select(vec![201, 302, 400, 404, 429, 500, 503])],
        sample::select(vec![Some("ok"), Some("ok"), Some("error"), None]),
        prop_oneof![
            8 => sample::select(ids).prop_map(Named::With),
            1 => Just(Named::WithoutId),
            1 => Just(Named::Nothing),
        ],
        option::weighted(0.4, (sample::select(vec!["status", "paymentStatus"]), said)),
        any::<bool>(),
    );
    let sale = sale.prop_map(|(http, envelope, purchase, said, is_xml)| Sale {
        http,
        envelope,
        purchase,
        said,
        is_xml,
    });
    check(&sale, |sale| {
        let read = response::read(&sale.reply()).ok();
        let document = read.and_then(|read| document_of::<PurchaseUserItem>(&read));
        let made = document.and_then(|document| receipt(&document));
        same(&made.is_some(), &sale.was_made())
    });
}

/// A piece of a locker, in the one model that all its forms are made of.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Id(u64),
    Count(i64),
    Flag(bool),
    Fields(Vec<(&'static str, Node)>),
    /// A field that is a list, however many elements it has.
    Many(Vec<Node>),
}

impl Node {
    fn xml(&self, name: &str) -> String {
        let (mut attributes, mut inner) = (String::new(), String::new());
        match self {
            Self::Many(all) => return all.iter().map(|node| node.xml(name)).collect(),
            Self::Text(text) => inner = escaped(text),
            Self::Id(number) => inner = number.to_string(),
            Self::Count(number) => inner = format!(" {number}\n"),
            Self::Flag(flag) => inner = flag.to_string(),
            Self::Fields(fields) => {
                for (name, node) in fields {
                    match node {
                        Self::Id(number) if *name == "id" => {
                            write!(attributes, " {name}=\"{number}\"").unwrap();
                        }
                        node => inner += &node.xml(name),
                    }
                    inner.push_str("\n  ");
                }
            }
        }
        format!("<{name}{attributes}>{inner}</{name}>")
    }

    /// As 7digital's JSON has it.
    fn typed(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Id(number) => json!(number),
            Self::Count(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Many(all) => all.iter().map(Self::typed).collect(),
            Self::Fields(fields) => object(fields, Self::typed),
        }
    }

    /// As a conversion of the XML has it.
    fn naive(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Id(number) => json!(number.to_string()),
            Self::Count(number) => json!(number.to_string()),
            Self::Flag(flag) => json!(flag.to_string()),
            Self::Many(all) => match all.as_slice() {
                [] => json!(""),
                [one] => one.naive(),
                all => all.iter().map(Self::naive).collect(),
            },
            Self::Fields(fields) => match fields.as_slice() {
                [(_, Self::Many(all))] if all.is_empty() => json!(""),
                fields => object(fields, Self::naive),
            },
        }
    }

    /// As the one document has it.
    fn document(&self) -> Value {
        match self {
            Self::Text(text) => json!(response::clean(text)),
            Self::Id(number) => json!(number.to_string()),
            Self::Count(_) | Self::Flag(_) => self.typed(),
            Self::Many(all) => all.iter().map(Self::document).collect(),
            Self::Fields(fields) => object(fields, Self::document),
        }
    }
}

fn object(fields: &[(&'static str, Node)], form: impl Fn(&Node) -> Value) -> Value {
    let fields = fields.iter();
    fields
        .map(|(name, node)| ((*name).to_owned(), form(node)))
        .collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => write!(escaped, "&#{};", u32::from(c)).unwrap(),
            'é' => escaped.push_str("&#xE9;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text that XML can hold, and that is not blank: XML can't tell blanks from indentation.
fn text() -> impl Strategy<Value = Node> {
    let pieces = sample::select(vec![
        "Awake", " ", "&", "<b>", "]]>", "\"", "'", "&amp;", "é", "你好", "🎵", "\u{202e}",
        "\u{200b}", "\n", "\t", "null", "true", "0012", "1.20", "{}", "[1]",
    ]);
    let text = prop_oneof![
        3 => collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => Just(String::new()),
    ];
    text.prop_map(|text| {
        let held = |c: &char| {
            matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        };
        let text: String = text.chars().filter(held).collect();
        let blank = text.trim().is_empty();
        Node::Text(if blank { String::new() } else { text })
    })
}

fn number() -> impl Strategy<Value = Node> {
    any::<u64>().prop_map(Node::Id)
}

fn count() -> impl Strategy<Value = Node> {
    prop_oneof![0_i64..100, any::<i64>()].prop_map(Node::Count)
}

fn flag() -> impl Strategy<Value = Node> {
    any::<bool>().prop_map(Node::Flag)
}

/// Fields, of which any but the first may be missing.
fn fields<const N: usize>(all: [(&'static str, BoxedStrategy<Node>); N]) -> BoxedStrategy<Node> {
    let mut whole: BoxedStrategy<Vec<(&'static str, Node)>> = Just(Vec::new()).boxed();
    for (number, (name, node)) in all.into_iter().enumerate() {
        let node = if number == 0 {
            node.prop_map(Some).boxed()
        } else {
            option::weighted(0.7, node).boxed()
        };
        whole = (whole, node)
            .prop_map(move |(mut fields, node)| {
                fields.extend(node.map(|node| (name, node)));
                fields
            })
            .boxed();
    }
    whole.prop_map(Node::Fields).boxed()
}

fn many(node: BoxedStrategy<Node>) -> BoxedStrategy<Node> {
    collection::vec(node, 0..3).prop_map(Node::Many).boxed()
}

fn locker() -> impl Strategy<Value = Node> {
    let artist = || {
        fields([
            ("id", number().boxed()),
            ("name", text().boxed()),
            ("appearsAs", text().boxed()),
            ("slug", text().boxed()),
        ])
    };
    let named = || fields([("id", number().boxed()), ("name", text().boxed())]);
    let release = fields([
        ("id", number().boxed()),
        ("title", text().boxed()),
        ("version", text().boxed()),
        ("type", text().boxed()),
        ("barcode", text().boxed()),
        ("artist", artist()),
        ("label", named()),
        ("licensor", named()),
        ("download", fields([("releaseDate", text().boxed())])),
    ]);
    let track = fields([
        ("id", number().boxed()),
        ("title", text().boxed()),
        ("artist", artist()),
        ("trackNumber", count().boxed()),
        ("duration", count().boxed()),
        ("isrc", text().boxed()),
    ]);
    let url = fields([
        ("url", text().boxed()),
        (
            "format",
            fields([("id", number().boxed()), ("description", text().boxed())]),
        ),
    ]);
    let owned = fields([
        ("track", track),
        ("remainingDownloads", count().boxed()),
        ("purchaseId", number().boxed()),
        ("purchaseDate", text().boxed()),
        ("completeAlbumPurchase", flag().boxed()),
        ("downloadUrls", fields([("downloadUrl", many(url))])),
    ]);
    let release = fields([
        ("release", release),
        ("lockerTracks", fields([("lockerTrack", many(owned))])),
        ("available", flag().boxed()),
    ]);
    let releases = fields([
        ("lockerRelease", many(release)),
        ("page", count().boxed()),
        ("pageSize", count().boxed()),
        ("totalItems", count().boxed()),
    ]);
    fields([("locker", fields([("lockerReleases", releases)]))])
}

#[test]
fn a_locker_is_one_document_in_xml_in_json_and_in_json_made_of_xml() {
    check(&locker(), |locker| {
        let expected = Some(ok(&locker.document()));
        let Node::Fields(fields) = locker else {
            unreachable!("a locker has fields")
        };
        let inner: String = fields.iter().map(|(name, node)| node.xml(name)).collect();
        let forms = [
            xml(&inner),
            ok(&locker.typed()).to_string(),
            ok(&locker.naive()).to_string(),
        ];
        for body in forms {
            let reply = Reply {
                status: 200,
                body: body.clone().into_bytes(),
                ..Reply::default()
            };
            let read = response::read(&reply).map_err(|error| format!("{error}: {body}"))?;
            same(&document_of::<GetUserLocker>(&read), &expected)?;
        }
        Ok(())
    });
}

#[test]
fn of_all_characters_those_that_nobody_sees_are_removed_and_letters_are_kept() {
    let removed = |c: &char| response::clean(&c.to_string()).is_empty();
    let all = || '\0'..=char::MAX;
    let kept: Vec<char> = all().filter(|c| hidden(*c) && !removed(c)).collect();
    assert!(kept.is_empty(), "hidden and kept: {kept:?}");
    let seen = |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ';
    let lost: Vec<char> = all()
        .filter(|c| seen(c) && !hidden(*c) && removed(c))
        .collect();
    assert!(lost.is_empty(), "seen and removed: {lost:?}");
}

#[test]
fn words_of_7digitals_stay_within_their_bound_and_hold_no_link() {
    let pieces = sample::select(vec![
        "http",
        "https",
        ":",
        "/",
        "//",
        "://",
        "oauth",
        "_",
        "OAUTH_",
        "oauth_token=x",
        "<",
        ">",
        "\u{200b}",
        "\u{202e}",
        "\u{e0041}",
        " ",
        "\n",
        "\t",
        "\u{2028}",
        "\u{85}",
        "\u{0}",
        "é",
        "🎵",
        "word",
        "\"",
        "İ",
    ]);
    let text = prop_oneof![
        3 => collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => (any::<char>(), 0..600_usize).prop_map(|(c, times)| c.to_string().repeat(times)),
    ];
    check(&text, |text| {
        let words = response::quotable(text);
        let lower = words.to_lowercase();
        let own = words.strip_suffix('…').unwrap_or(&words);
        let good = !lower.contains("://")
            && !lower.contains("oauth_")
            && !words.contains(['<', '>', '\n', '\t'])
            && !words.chars().any(hidden)
            && own.chars().count() <= 200;
        ensure(good, || format!("{words:?}"))
    });
}

/// A request to be signed.
#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    address: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    consumer: (String, String),
    token: Option<(String, String)>,
    nonce: String,
    timestamp: u64,
}

/// A text with everything in it that is encoded in one way or another.
fn word() -> BoxedStrategy<String> {
    let pieces = sample::select(vec![
        "a", "b", "A", "z2", "0", " ", "+", "%", "%20", "%2B", "&", "=", "?", "#", "/", ";", ":",
        "@", "!", "'", "(", ")", "*", "~", "-", ".", "_", "é", "İ", "ß", "你", "🎵", "\u{202e}",
        "\n", "\0", "\"", "\\", "[", "]", "oauth_",
    ]);
    prop_oneof![
        4 => collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
    .boxed()
}

fn request(name: &BoxedStrategy<String>) -> impl Strategy<Value = Request> + use<> {
    let host = sample::select(vec![
        "api.7digital.com",
        "API.7digital.COM",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "bücher.example",
    ]);
    let port = option::of(sample::select(vec![80_u16, 443, 8080, 1, 65_535]));
    let path = sample::select(vec![
        "1.2", "user", "locker", "a%20b", "a%2Fb", "~x", "ü", "A;b=c", "x:y@z", "*", "'", "",
    ]);
    let path = collection::vec(path, 0..4);
    let address = (sample::select(vec!["http", "https"]), host, port, path);
    let address = address.prop_map(|(scheme, host, port, path)| {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        format!("{scheme}://{host}{port}/{}", path.join("/"))
    });
    let pairs = || collection::vec((name.clone(), word()), 0..5);
    let request = (
        sample::select(vec!["GET", "POST"]),
        address,
        (pairs(), pairs()),
        (word(), word()),
        option::of((word(), word())),
        "[A-Za-z0-9]{1,40}",
        1..u64::from(u32::MAX) * 4,
    );
    request.prop_map(
        |(method, address, (query, form), consumer, token, nonce, timestamp)| Request {
            method,
            address,
            query,
            form,
            consumer,
            token,
            nonce,
            timestamp,
        },
    )
}

impl Request {
    fn bare_url(&self) -> Url {
        Url::parse(&self.address).unwrap()
    }

    /// The OAuth parameters as our signer makes them, without the signature, and the signature.
    fn signed(&self) -> (Vec<(String, String)>, String) {
        let mut url = self.bare_url();
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let (key, secret) = &self.consumer;
        let secret = Secret::from(secret.as_str());
        let consumer = Consumer {
            key: Secret::from(key.as_str()),
            secret: Some(secret.clone()),
        };
        let token = self.token.as_ref().map(|(token, secret)| Token {
            token: Secret::from(token.as_str()),
            secret: Secret::from(secret.as_str()),
        });
        let stamp = Stamp {
            timestamp: self.timestamp,
            nonce: self.nonce.clone(),
        };
        let mut signed = oauth::sign(
            self.method,
            &url,
            &self.form,
            &consumer,
            &secret,
            token.as_ref(),
            &stamp,
        );
        let (name, signature) = signed.pop().unwrap();
        assert_eq!(name, "oauth_signature");
        (signed, signature)
    }
}

fn decoded(encoded: &str) -> String {
    let pair = format!("s={encoded}");
    let (_, text) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
    text.into_owned()
}

/// The signature as the crate oauth1-request makes it of the whole request.
fn whole_second_opinion(request: &Request) -> String {
    let (key, secret) = &request.consumer;
    let client = Credentials::new(key.as_str(), secret.as_str());
    let mut builder = Builder::<_, _, &str>::new(client, HMAC_SHA1);
    if let Some((token, secret)) = &request.token {
        builder.token(Credentials::new(token.as_str(), secret.as_str()));
    }
    builder
        .nonce(request.nonce.as_str())
        .timestamp(NonZeroU64::new(request.timestamp).unwrap())
        .version(true);
    let parameters = request.query.iter().chain(&request.form);
    let parameters: Vec<(&str, &str)> = parameters
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let address = request.bare_url();
    let parameters = ParameterList::new(parameters);
    let header = builder.authorize(request.method, address.as_str(), &parameters);
    let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
    decoded(rest.split('"').next().unwrap())
}

/// RFC 5849 §3.6, byte by byte.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

/// The signature by the same crate's HMAC, over parameters that were sorted here after they were encoded (RFC 5849 §3.4.1.3.2).
///
/// The crate itself sorts before it encodes, which is another order where a name holds a character that is encoded.
fn second_opinion(request: &Request, oauth: &[(String, String)]) -> String {
    let token_secret = request.token.as_ref().map(|(_, secret)| secret.as_str());
    let mut sign = HMAC_SHA1.sign_with(&request.consumer.1, token_secret);
    sign.request_method(request.method);
    sign.uri(encoded(request.bare_url().as_str()));
    let parameters = request.query.iter().chain(&request.form).chain(oauth);
    let mut parameters: Vec<(String, String)> = parameters
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    parameters.sort();
    for (number, (name, value)) in parameters.iter().enumerate() {
        if number > 0 {
            sign.delimiter();
        }
        sign.parameter(&encoded(name), encoded(value));
    }
    decoded(&sign.end().to_string())
}

#[test]
fn a_second_implementation_signs_every_request_alike() {
    check(&request(&word()), |request| {
        let (oauth, signature) = request.signed();
        same(&oauth.len(), &(5 + usize::from(request.token.is_some())))?;
        same(&signature, &second_opinion(request, &oauth))?;
        let sent = oauth::encode_form(&request.form);
        let received: Vec<(String, String)> = url::form_urlencoded::parse(sent.as_bytes())
            .into_owned()
            .collect();
        same(&received, &request.form)
    });
}

#[test]
fn a_second_implementation_makes_the_same_of_a_whole_request() {
    // Names that are sorted alike before and after they are encoded, each once.
    let name = "[A-Za-z0-9._~-]{1,8}".boxed();
    let once = request(&name).prop_filter("each once", |request| {
        let names = request.query.iter().chain(&request.form);
        let names: Vec<&String> = names.map(|(name, _)| name).collect();
        names.iter().collect::<BTreeSet<_>>().len() == names.len()
    });
    check(&once, |request| {
        same(&request.signed().1, &whole_second_opinion(request))
    });
}
