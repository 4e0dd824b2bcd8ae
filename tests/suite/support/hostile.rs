//! Hostile arguments: strategies for properties.rs.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, sample};
use serde_json::{Map, Value, json};
use sevendigital::Method;
use sevendigital_tools::AnyTool;

use crate::support::calls;

/// Pieces of hostile texts.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "../", "..", ".", "/", "//evil.example/", "\\", "%2f", "%2F..", "%00", "\0", "%", "%%", "%zz", "?", "#",
    "&", "=", ";", "+", "\r\n", "\n", "\t", " ", "\u{202e}", "\u{feff}", "\u{200d}", "😀", "é", "ß", "İ", "'",
    "\"", "`", "<", ">", "@", ":", ",", "{id}", "{", "oauth_token", "&oauth_signature=x", "userId=2",
    "Host: evil.example", "null", "a", "Z", "0", "7", "-", "_", "~", "*", "１", "GB", "500123", "a@b.c",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => collection::vec(sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => collection::vec(sample::select(PIECES), 300..400).prop_map(|pieces| pieces.concat()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => text().prop_map(Value::from),
        2 => sample::select(vec!["1", "GB", "jp", "GBP", "11700062", "500123", "a@b.c"]).prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => (0..3000).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((text(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The names of a schema's properties.
fn names(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object();
    properties.map_or_else(Vec::new, |properties| properties.keys().cloned().collect())
}

/// The fields that a tool's call is made of: its arguments, or those inside `body`.
pub(crate) fn fields(tool: &AnyTool) -> Vec<String> {
    let schema = Value::Object(tool.input_schema());
    match tool.contract.upstream.method {
        Method::Get => names(&schema),
        Method::Post => names(&schema["properties"]["body"]),
    }
}

/// Whether a field is for an id, an address or a password, in which a number is no card's. In place of a card's id it is one.
pub(crate) fn is_typed(field: &str) -> bool {
    let typed = ["id", "email", "emailAddress", "password", "redirectUrl"];
    typed.contains(&field) || (field.ends_with("Id") && field != "cardId")
}

/// A good call of the tool.
pub(crate) fn good(tool: &AnyTool) -> Map<String, Value> {
    let arguments = calls::good(tool.contract.name);
    arguments.as_object().unwrap().clone()
}

/// Good arguments with some of them replaced, removed or added, or no good ones at all.
pub(crate) fn arguments(tool: &AnyTool) -> impl Strategy<Value = Map<String, Value>> + use<> {
    let mut known = fields(tool);
    known.extend(
        [
            "id",
            "oauth_token",
            "OAUTH_NONCE",
            "onBehalfOfPartnerId",
            "body",
        ]
        .map(str::to_owned),
    );
    let name = prop_oneof![8 => sample::select(known), 1 => text(), 1 => "[a-zA-Z_-]{1,70}"];
    let change = (
        name,
        prop_oneof![9 => value().prop_map(Some), 1 => Just(None)],
    );
    let good = good(tool);
    let is_post = tool.contract.upstream.method == Method::Post;
    let shape = prop_oneof![16 => Just(0), 2 => Just(1), 1 => Just(2), 1 => Just(3)];
    (collection::vec(change, 0..4), shape, value()).prop_map(move |(changes, shape, other)| {
        let mut all = good.clone();
        let place = match all.get_mut("body") {
            Some(Value::Object(body)) if is_post && shape != 1 => body,
            _ => &mut all,
        };
        for (name, value) in changes {
            match value {
                Some(value) => place.insert(name, value),
                None => place.remove(&name),
            };
        }
        match (shape, all.get("body").cloned()) {
            // Some clients send the text of an object.
            (2, Some(body)) => all.insert("body".into(), Value::from(body.to_string())),
            (3, _) => all.insert("body".into(), other),
            _ => None,
        };
        all
    })
}

/// Prefixes and lengths that the issuers of cards give.
#[rustfmt::skip]
const ISSUED: &[(&str, usize)] = &[
    ("4", 13), ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 19),
    ("300", 14), ("36", 14), ("3528", 16), ("3589", 19), ("62", 16), ("62", 19), ("5018", 12), ("6759", 18), ("6763", 19),
];

/// A number that an issuer could have given to a card, without separators.
pub(crate) fn card_number() -> impl Strategy<Value = String> {
    let rest = collection::vec(0..10_u32, 19);
    (sample::select(ISSUED), rest).prop_map(|((prefix, length), rest)| {
        let prefix = prefix.chars().filter_map(|c| c.to_digit(10));
        let mut digits: Vec<u32> = prefix.chain(rest).take(length - 1).collect();
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match (place % 2, digit * 2) {
                (1, _) => *digit,
                (_, doubled) => doubled / 10 + doubled % 10,
            })
            .sum();
        digits.push((10 - sum % 10) % 10);
        digits.iter().map(u32::to_string).collect()
    })
}

/// The ways in which people and programs write a card number.
pub(crate) fn spellings() -> Vec<fn(&str) -> Value> {
    fn with(number: &str, separator: char) -> String {
        let groups = number
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join(&separator.to_string())
    }
    vec![
        |number| Value::from(number),
        |number| Value::from(with(number, ' ')),
        |number| Value::from(with(number, '-')),
        |number| Value::from(with(number, '\u{a0}')),
        |number| Value::from(format!("my card is {number}, thank you")),
        |number| json!({"note": [[{"deep": number}]]}),
        |number| json!([number]),
        |number| {
            Value::from(
                number
                    .chars()
                    .map(|c| char::from_u32(c as u32 + 0xfee0).unwrap())
                    .collect::<String>(),
            )
        },
        |number| serde_json::from_str(number).unwrap(),
    ]
}
