//! An answer of 7digital's, and what comes of it over MCP: rows of both, and the server that they are played on.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::calls::{REGISTRATION, good};
use crate::support::upstream::{Act, Upstream, http};
use crate::support::{World, failure, text};

pub(crate) const JSON: &str = "application/json; charset=utf-8";
pub(crate) const XML: &str = "text/xml; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// How failures of a read end.
pub(crate) const AGAIN_IN_VAIN: &str = "Nothing was changed. The same call would fail again.";
pub(crate) const AGAIN_LATER: &str = "Nothing was changed; the call can safely be repeated later.";

/// One answer of 7digital's, and what comes of it.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) tool: &'static str,
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    /// Further headers, each with its line break.
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What comes of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// Exactly this document.
    Document(Value),
    /// Exactly this text.
    Error(String),
    /// A text with all of these in it.
    ErrorWith(&'static [&'static str]),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => write!(f, "{document}"),
            Self::Error(sentence) => f.write_str(sentence),
            Self::ErrorWith(parts) => write!(f, "{}", parts.join(" … ")),
        }
    }
}

/// A row of an answer with HTTP 200.
pub(crate) fn row(
    what: impl Into<String>,
    tool: &'static str,
    content_type: &'static str,
    body: impl Into<Vec<u8>>,
    expected: Expected,
) -> Row {
    Row {
        what: what.into(),
        tool,
        status: 200,
        content_type,
        headers: String::new(),
        body: body.into(),
        expected,
    }
}

impl Row {
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.headers, "{name}: {value}\r\n").unwrap();
        self
    }
}

/// An upstream with a script, the server before it, and the schemas that the server promises.
pub(crate) struct Stage {
    pub(crate) upstream: Upstream,
    pub(crate) world: World,
    schemas: BTreeMap<String, Validator>,
    calls: usize,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let upstream = Upstream::start().await;
        let world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
        let schemas = world.tools().await.into_iter().map(|tool| {
            let schema = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
            (tool["name"].as_str().unwrap().to_owned(), schema)
        });
        Self {
            schemas: schemas.collect(),
            upstream,
            world,
            calls: 0,
        }
    }

    /// Plays the row; gives the result, or why it is not the expected one.
    pub(crate) async fn play(&mut self, row: &Row) -> Result<Value, String> {
        self.calls += 1;
        let headers = format!("Content-Type: {}\r\n{}", row.content_type, row.headers);
        let answer = http(row.status, &headers, &row.body);
        self.upstream.script("", [Act::Say(answer)]);
        let arguments = another(row.tool, self.calls);
        let result = self.world.call(row.tool, arguments).await;
        let told = match &row.expected {
            Expected::Document(document) => self.compare(row.tool, &result, document),
            Expected::Error(sentence) => compare_error(&result, &row.body, |told| told == sentence),
            Expected::ErrorWith(parts) => compare_error(&result, &row.body, |told| {
                parts.iter().all(|part| told.contains(part))
            }),
        };
        match told {
            Ok(()) => Ok(result),
            Err(problem) => {
                let Row { what, tool, .. } = row;
                Err(format!(
                    "{what} ({tool}): {problem}\nin place of\n{}",
                    row.expected
                ))
            }
        }
    }

    fn compare(&self, tool: &str, result: &Value, expected: &Value) -> Result<(), String> {
        if result["isError"] == true {
            return Err(format!("failed with `{}`", text(result)));
        }
        let document = &result["structuredContent"];
        if document != expected {
            return Err(format!("gave\n{document}"));
        }
        let rendered = document.to_string();
        if text(result) != rendered {
            return Err(format!("the text is not the document: {}", text(result)));
        }
        let validator = &self.schemas[tool];
        match validator.iter_errors(document).next() {
            Some(error) => Err(format!("not of the promised shape: {error}\n{document}")),
            None => Ok(()),
        }
    }
}

fn compare_error(
    result: &Value,
    body: &[u8],
    is_expected: impl Fn(&str) -> bool,
) -> Result<(), String> {
    if result["isError"] != true {
        return Err(format!("succeeded with {}", result["structuredContent"]));
    }
    let told = failure(result);
    discreet(told, body)?;
    if is_expected(told) {
        Ok(())
    } else {
        Err(format!("told\n{told}"))
    }
}

/// An error tells no link, no secret and no body, and 7digital's words only where they are marked.
pub(crate) fn discreet(told: &str, body: &[u8]) -> Result<(), String> {
    #[rustfmt::skip]
    let secrets = [
        "oauth_", "://", "sandbox-key", "sandbox-secret", "sandbox-token", "signature=",
    ];
    for secret in secrets {
        if told.to_ascii_lowercase().contains(secret) {
            return Err(format!("`{secret}` in: {told}"));
        }
    }
    let body = String::from_utf8_lossy(body);
    let structured = body.trim_start().starts_with(['{', '<', '[']);
    if structured && told.contains(body.trim()) {
        return Err(format!("the whole body in: {told}"));
    }
    if let Some(seen) = told.chars().find(|c| hidden(*c) || *c == '\n') {
        return Err(format!("{seen:?} in: {told}"));
    }
    match told.split_once("7digital's words: \"") {
        Some((_, rest)) => {
            let words = rest.split('"').next().unwrap();
            let length = words.trim_end_matches('…').chars().count();
            if length > 200 || rest.matches('"').count() != 1 {
                return Err(format!("{length} characters, or a mark too many: {told}"));
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// Invisible characters: Unicode's `Default_Ignorable_Code_Point` but for the two that choose between text and emoji and the marks of direction, line and
/// paragraph separators, interlinear annotations, and control characters but for tab and line feed.
pub(crate) fn hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A good call of the tool; what may be bought once alone is another thing each time.
fn another(tool: &str, number: usize) -> Value {
    let mut arguments = good(tool);
    let another = [
        ("releaseId", json!(format!("{}", 20_000_000 + number))),
        ("basketId", json!(format!("basket-{number}"))),
        ("id", json!(REGISTRATION)),
    ];
    for (name, value) in another {
        if let Some(given) = arguments.get_mut(name) {
            *given = value;
        }
    }
    match tool {
        "deliver-user-item" => arguments["transactionId"] = json!("t-1"),
        "create-user" => arguments["userId"] = json!("u-1"),
        _ => {}
    }
    arguments
}

/// Plays all rows and tells of all that went wrong; gives the results.
pub(crate) async fn check(rows: Vec<Row>) -> Vec<Value> {
    let mut stage = Stage::start().await;
    let (mut results, mut wrong) = (Vec::new(), Vec::new());
    for row in rows {
        match stage.play(&row).await {
            Ok(result) => results.push(result),
            Err(problem) => wrong.push(problem),
        }
    }
    let arrivals: usize = stage.upstream.counts().values().sum();
    assert_eq!(arrivals, stage.calls, "each call is one request");
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n\n{}",
        wrong.len(),
        stage.calls,
        wrong.join("\n\n")
    );
    results
}

/// An answer in XML as 7digital writes it.
pub(crate) fn xml(payload: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
        <response xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" status=\"ok\" version=\"1.2\" \
        xsi:noNamespaceSchemaLocation=\"http://api.7digital.com/1.2/static/7digitalAPI.xsd\">{payload}</response>"
    )
}

/// These fields, then those.
pub(crate) fn beside(mut fields: Value, others: &Value) -> Value {
    let map: &mut Map<String, Value> = fields.as_object_mut().unwrap();
    map.extend(others.as_object().unwrap().clone());
    fields
}

/// A document with the envelope's attributes.
pub(crate) fn ok(payload: &Value) -> Value {
    beside(json!({"status": "ok", "version": "1.2"}), payload)
}

pub(super) fn document(payload: &Value) -> Expected {
    Expected::Document(ok(payload))
}

pub(super) fn unreadable(why: &str) -> Expected {
    Expected::Error(format!(
        "7digital's answer could not be read: {why}. 7digital has a fault: report it there if it stays. {AGAIN_LATER}"
    ))
}

/// An answer that is most likely another server's.
pub(super) fn foreign(why: &str) -> Expected {
    Expected::Error(format!(
        "7digital's answer could not be read: {why}. Check `SEVENDIGITAL_BASE_URI`; if it is right, 7digital has a fault. {AGAIN_LATER}"
    ))
}
