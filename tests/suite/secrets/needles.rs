//! A secret in every spelling in which it could stand somewhere, and the search for all of them at once.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sevendigital::oauth::encode;
use url::form_urlencoded;

/// Spellings that are shorter than this would be found everywhere.
const SHORTEST: usize = 8;

/// What is looked for.
pub(crate) struct Needles {
    /// Positions in `all`, by how their bytes begin.
    by_start: HashMap<[u8; SHORTEST], Vec<usize>>,
    all: Vec<Needle>,
}

struct Needle {
    secret: &'static str,
    spelling: &'static str,
    bytes: Vec<u8>,
}

/// A secret where it was found.
#[derive(PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) secret: &'static str,
    spelling: &'static str,
    around: String,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret,
            spelling,
            around,
        } = self;
        write!(f, "{secret} ({spelling}) in {around:?}")
    }
}

impl Needles {
    /// All spellings of these secrets, each with its name.
    pub(crate) fn of(secrets: &[(&'static str, Vec<u8>)]) -> Self {
        let mut all: Vec<Needle> = Vec::new();
        for (secret, value) in secrets {
            for (spelling, bytes) in spellings(value) {
                let known = |other: &Needle| other.secret == *secret && other.bytes == bytes;
                if bytes.len() >= SHORTEST && !all.iter().any(known) {
                    all.push(Needle {
                        secret,
                        spelling,
                        bytes,
                    });
                }
            }
        }
        let mut by_start: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, needle) in all.iter().enumerate() {
            let start = needle.bytes.first_chunk().unwrap();
            by_start.entry(*start).or_default().push(index);
        }
        Self { by_start, all }
    }

    /// How many spellings are looked for.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Each secret that stands there, where it stands first.
    pub(crate) fn find(&self, text: &[u8]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (at, window) in text.windows(SHORTEST).enumerate() {
            let start: &[u8; SHORTEST] = window.first_chunk().unwrap();
            for index in self.by_start.get(start).into_iter().flatten() {
                let Needle {
                    secret,
                    spelling,
                    bytes,
                } = &self.all[*index];
                if text[at..].starts_with(bytes) && !found.iter().any(|one| one.secret == *secret) {
                    let end = text.len().min(at + bytes.len() + 40);
                    let around = String::from_utf8_lossy(&text[at.saturating_sub(160)..end]);
                    found.push(Found {
                        secret,
                        spelling,
                        around: around.into_owned(),
                    });
                }
            }
        }
        found
    }
}

/// A value as it is, and as URLs, forms, JSON, Rust, HTML, base64 and hexadecimal dumps write it.
fn spellings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![("raw", value.to_vec())];
    let hex: Vec<String> = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = hex.concat();
    all.push(("hex in capitals", digits.to_ascii_uppercase().into()));
    all.push(("hex", digits.into()));
    for (name, between) in [("hex with blanks", " "), ("list of hex", ", 0x")] {
        all.push((name, hex.join(between).into()));
    }
    let decimals: Vec<String> = value.iter().map(u8::to_string).collect();
    all.push(("list of bytes", decimals.join(", ").into()));
    for offset in 0..3 {
        let padded = [&[0; 3][..offset], value].concat();
        // Characters that hold bits of a neighbour are left out.
        let (start, end) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            all.push(("base64", text.as_bytes()[start..end].to_vec()));
        }
    }
    let Ok(text) = std::str::from_utf8(value) else {
        return all;
    };
    let percent = encode(text);
    let small = |text: &str| {
        let mut small = text.to_owned();
        for (at, _) in text.match_indices('%') {
            small[at + 1..at + 3].make_ascii_lowercase();
        }
        small
    };
    let form: String = form_urlencoded::byte_serialize(value).collect();
    let json = serde_json::to_string(text).unwrap();
    let json = json.trim_matches('"');
    let debug = format!("{text:?}");
    all.extend([
        ("percent-encoded twice", encode(&percent).into_bytes()),
        ("percent-encoded in small letters", small(&percent).into()),
        ("percent-encoded", percent.into_bytes()),
        ("form in small letters", small(&form).into()),
        ("form", form.into_bytes()),
        ("JSON in JSON", json.replace('\\', "\\\\").into()),
        ("JSON with slashes escaped", json.replace('/', "\\/").into()),
        ("JSON", json.into()),
        ("Debug", debug.trim_matches('"').into()),
        (
            "HTML",
            text.replace('&', "&amp;").replace('<', "&lt;").into(),
        ),
    ]);
    all
}

#[test]
fn a_secret_is_found_in_every_spelling() {
    let needles = Needles::of(&[("key", "k9&Xw/3+vQ==é".into())]);
    for hay in [
        "a k9&Xw/3+vQ==é b",
        "?a=k9%26Xw%2F3%2BvQ%3D%3D%C3%A9&b",
        "?a=k9%26Xw%2f3%2bvQ%3d%3d%c3%a9&b",
        "base k9%2526Xw%252F3%252BvQ%253D%253D%25C3%25A9",
        "6b392658772f332b76513d3dc3a9",
        "6B392658772F332B76513D3DC3A9",
        // base64 of the secret behind nothing, one byte and two.
        "azkmWHcvMyt2UT09w6k=",
        "eGs5Jlh3LzMrdlE9PcOp",
        "eHhrOSZYdy8zK3ZRPT3DqQ==",
        "[107, 57, 38, 88, 119, 47, 51, 43, 118, 81, 61, 61, 195, 169]",
        "k9&amp;Xw/3+vQ==é",
        "k9&Xw\\/3+vQ==é",
    ] {
        assert_eq!(needles.find(hay.as_bytes()).len(), 1, "{hay}");
    }
    for hay in ["", "k9&Xw/3+vQ=", "azkmWHcvMyt2"] {
        assert_eq!(needles.find(hay.as_bytes()), [], "{hay}");
    }
}
