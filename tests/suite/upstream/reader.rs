//! Any bytes at all: what becomes of them as an answer of 7digital's.

use std::fmt::Write as _;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};
use proptest::{collection, option, sample};
use serde_json::{Map, Value, json};
use sevendigital::response::{self, Reply};
use sevendigital::{Effect, Error, text};
use sevendigital_mcp::problem::Problem;
use sevendigital_tools::get_user_locker::GetUserLocker;
use sevendigital_tools::list_user_payment_cards::ListUserPaymentCards;
use sevendigital_tools::purchase_user_item::PurchaseUserItem;
use sevendigital_tools::{Receipt, Tool, ToolError};

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
        if let Some(receipt) = Receipt::from_document(document) {
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
        let made = document.and_then(|document| Receipt::from_document(&document));
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
            Self::Text(text) => json!(text::clean(text)),
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
