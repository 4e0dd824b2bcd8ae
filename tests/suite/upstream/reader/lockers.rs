//! A locker in each of the forms that 7digital's answers have: XML, JSON, and JSON that was made of XML.

use std::fmt::Write as _;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use proptest::{collection, option, sample};
use serde_json::{Value, json};
use sevendigital::reply::Reply;
use sevendigital::response;
use sevendigital::text::clean;
use sevendigital_tools::Tool as _;
use sevendigital_tools::get_user_locker::GetUserLocker;

use super::{check, document_of, escaped, same};
use crate::upstream::answers::{ok, xml};

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
            Self::Text(text) => json!(clean(text)),
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

/// A text that XML can hold, and that is not blank: XML can't tell blanks from indentation.
fn text() -> BoxedStrategy<Node> {
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
    .boxed()
}

fn number() -> BoxedStrategy<Node> {
    any::<u64>().prop_map(Node::Id).boxed()
}

fn count() -> BoxedStrategy<Node> {
    prop_oneof![0_i64..100, any::<i64>()]
        .prop_map(Node::Count)
        .boxed()
}

fn flag() -> BoxedStrategy<Node> {
    any::<bool>().prop_map(Node::Flag).boxed()
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

#[rustfmt::skip]
fn locker() -> BoxedStrategy<Node> {
    let artist = || fields([("id", number()), ("name", text()), ("appearsAs", text()), ("slug", text())]);
    let named = || fields([("id", number()), ("name", text())]);
    let release = fields([
        ("id", number()), ("title", text()), ("version", text()), ("type", text()), ("barcode", text()),
        ("artist", artist()), ("label", named()), ("licensor", named()),
        ("download", fields([("releaseDate", text())])),
    ]);
    let track = fields([
        ("id", number()), ("title", text()), ("artist", artist()),
        ("trackNumber", count()), ("duration", count()), ("isrc", text()),
    ]);
    let url = fields([("url", text()), ("format", fields([("id", number()), ("description", text())]))]);
    let owned = fields([
        ("track", track), ("remainingDownloads", count()), ("purchaseId", number()), ("purchaseDate", text()),
        ("completeAlbumPurchase", flag()), ("downloadUrls", fields([("downloadUrl", many(url))])),
    ]);
    let tracks = fields([("lockerTrack", many(owned))]);
    let release = fields([("release", release), ("lockerTracks", tracks), ("available", flag())]);
    let releases = [("lockerRelease", many(release)), ("page", count()), ("pageSize", count()), ("totalItems", count())];
    fields([("locker", fields([("lockerReleases", fields(releases))]))])
}

#[test]
fn a_locker_is_one_document_in_xml_in_json_and_in_json_made_of_xml() {
    check(&locker(), |locker| {
        let expected = ok(&locker.document());
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
            let upstream = &GetUserLocker::CONTRACT.upstream;
            let read =
                response::read(&reply, upstream).map_err(|error| format!("{error}: {body}"))?;
            same(&document_of::<GetUserLocker>(&read), &expected)?;
        }
        Ok(())
    });
}
