//! The pages: plain HTML without a script, and the headers that keep it to itself.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::response::{Html, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};

use super::asked::Asked;
use super::html::Text;
use crate::calls::Details;
use crate::digest::sha256;

const STYLE: &str = include_str!("page.css");
/// A record, where there is no cover.
const RECORD: &str = include_str!("record.svg");

/// The page loads its cover from here and nothing else, its form goes here, and no other page frames it or keeps a hold of it.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    // With `no-referrer` browsers send the form with `Origin: null`.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(sha256(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
});

/// What a small page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// The answer was yes.
    SaidYes,
    /// The answer was no.
    SaidNo,
    /// There is no such question any more.
    Gone,
    /// The question is open in another window.
    AlreadyOpened,
    /// The request was none that the page makes.
    Rejected,
    /// The ledger can't be used.
    Failed,
}

impl Notice {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SaidYes => (
                "You said yes",
                "The program that asked goes on now, or the next time that it asks, and says what came of it. You can close this window.",
            ),
            Self::SaidNo => (
                "You said no",
                "Nothing was sent to 7digital. You can close this window.",
            ),
            Self::Gone => (
                "This question is closed",
                "It was answered already, or it has expired. Nothing more happens here, and you can close this window.",
            ),
            Self::AlreadyOpened => (
                "This question is open elsewhere",
                "It can be answered only in the window that opened first. If that was not yours, another program on this computer has opened it: tell the program that you use that you don't want this.",
            ),
            Self::Rejected => (
                "This can't be done here",
                "The request did not come from the window with the question, so nothing was answered.",
            ),
            Self::Failed => (
                "Your answer could not be saved",
                "Nothing was sent to 7digital. Go back and try again.",
            ),
        }
    }
}

/// The page of a question.
pub(super) fn question(asked: &Asked, path: &str, has_cover: bool) -> Html<String> {
    let details = &asked.question.details;
    let (verb, price) = (verb(details), price(details));
    let cover = if has_cover {
        format!("<img class=\"cover\" src=\"{path}/cover\" alt=\"\" width=\"112\" height=\"112\">")
    } else {
        format!("<div class=\"cover\" aria-hidden=\"true\">{RECORD}</div>")
    };
    let body = format!(
        "<header>{cover}<div><p class=\"who\">A program on this computer asks</p>\
         <h1>{headline}</h1></div></header>\n\
         {warnings}{facts}\
         <form method=\"post\" action=\"{path}\">\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <button class=\"no\" name=\"answer\" value=\"no\">No, don’t {verb} it</button>\
         <button class=\"yes\" name=\"answer\" value=\"yes\">Yes, {verb} it{price}</button></form>\n\
         <p class=\"note\">What you say yes to can’t be undone here. \
         If you say no or close this window, nothing happens.</p>",
        headline = headline(&details.headline),
        warnings = warnings(details),
        facts = facts(details),
        token = asked.form_token().expose(),
        verb = Text(&verb),
        price = Text(&price),
    );
    document(&details.headline, &body)
}

/// A small page.
pub(super) fn notice(notice: Notice) -> Html<String> {
    let (title, words) = notice.words();
    let body = format!(
        "<h1>{}</h1>\n<p class=\"said\">{}</p>",
        Text(title),
        Text(words)
    );
    document(title, &body)
}

/// The response with the headers that every answer has.
pub(super) fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn document(title: &str, body: &str) -> Html<String> {
    let title = Text(title);
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} – sevendigital-mcp</title>\
         <style>{STYLE}</style></head>\n\
         <body><main>\n{body}\n</main></body></html>\n"
    ))
}

/// The headline, with kind and id less loud than what the item is called.
fn headline(headline: &str) -> String {
    let split = headline
        .strip_suffix(")?")
        .and_then(|rest| rest.rsplit_once(" ("));
    match split {
        Some((name, ids)) => format!("{} <span>({})?</span>", Text(name), Text(ids)),
        None => Text(headline).to_string(),
    }
}

fn warnings(details: &Details) -> String {
    if details.warnings.is_empty() {
        return String::new();
    }
    let items = details
        .warnings
        .iter()
        .fold(String::new(), |mut all, warning| {
            let _ = write!(all, "<li>{}</li>", Text(warning));
            all
        });
    format!(
        "<section class=\"warning\" aria-labelledby=\"warning\">\
         <h2 id=\"warning\">Before you answer</h2><ul>{items}</ul></section>\n"
    )
}

fn facts(details: &Details) -> String {
    let rows = details
        .facts
        .iter()
        .fold(String::new(), |mut all, (name, value)| {
            let class = if name == PRICE {
                " class=\"price\""
            } else {
                ""
            };
            let _ = write!(
                all,
                "<div{class}><dt>{}</dt><dd>{}</dd></div>",
                Text(name),
                Text(value)
            );
            all
        });
    format!("<dl>{rows}</dl>\n")
}

/// The name of the fact that is what it costs.
const PRICE: &str = "Price";

/// What would be done, in one word: the headline's first.
fn verb(details: &Details) -> String {
    let first = details.headline.split_whitespace().next();
    first.unwrap_or("do").to_lowercase()
}

/// For how much, where the price is known.
fn price(details: &Details) -> String {
    let mut facts = details.facts.iter();
    let price = facts.find(|(name, _)| name == PRICE);
    // What it is compared with stands in brackets.
    let amount = price.map(|(_, value)| value.split(" (").next().unwrap_or(value));
    match amount {
        Some(amount)
            if amount == "free" || amount.starts_with(|first: char| first.is_ascii_digit()) =>
        {
            // Amount and currency stay on one line.
            format!(" for {}", amount.replace(' ', "\u{a0}"))
        }
        _ => String::new(),
    }
}
