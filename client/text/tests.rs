//! Which characters are removed, and what is left of 7digital's words.

use proptest::prelude::*;
use proptest::{collection, sample};
use serde_json::json;

use super::*;

/// Characters before, and after where that differs.
#[rustfmt::skip]
const TEXTS: &[(&str, &str, &str)] = &[
    ("Persian, with a non-joiner", "می\u{200c}خواهم", "می\u{200c}خواهم"),
    ("Persian, a joiner at the end", "ه\u{200d}.", "ه\u{200d}."),
    ("Arabic, marks before a joiner", "بَ\u{200d}ب", "بَ\u{200d}ب"),
    ("Urdu", "نستعلیق\u{200c}ہے", "نستعلیق\u{200c}ہے"),
    ("Hindi, half letters", "क्\u{200d}ष", "क्\u{200d}ष"),
    ("Hindi, no ligature", "क्\u{200c}ष", "क्\u{200c}ष"),
    ("Bengali", "র\u{200d}্য", "র\u{200d}্য"),
    ("Sinhala", "ශ්\u{200d}රී", "ශ්\u{200d}රී"),
    ("Malayalam, at the end", "ന്\u{200d} ക", "ന്\u{200d} ക"),
    ("Khmer", "ក្\u{200d}ក", "ក្\u{200d}ក"),
    ("a family", "👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
    ("a pirate's flag", "🏴\u{200d}☠\u{fe0f}", "🏴\u{200d}☠\u{fe0f}"),
    ("a burning heart", "❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
    ("a shade of skin", "👩🏽\u{200d}🎤", "👩🏽\u{200d}🎤"),
    ("England's flag", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!"),
    ("a keycap", "1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
    ("text style", "☎\u{fe0e}", "☎\u{fe0e}"),
    ("an ideograph's variant", "葛\u{e0100}城", "葛\u{e0100}城"),
    ("a mathematical variant", "≨\u{fe00}", "≨\u{fe00}"),
    ("a Mongolian variant", "ᠠ\u{180b}", "ᠠ\u{180b}"),
    ("direction marks", "שלום\u{200f}! a\u{200e}b ؟\u{61c}", "שלום\u{200f}! a\u{200e}b ؟\u{61c}"),
    ("C1 codes", "\u{80}5 it\u{92}s \u{93}so\u{94}\u{81}", "€5 it’s “so”"),
    ("joiners in Latin", "a\u{200d}b\u{200c}c", "abc"),
    ("joiners in a row", "م\u{200c}\u{200c}\u{200d}ی", "م\u{200d}ی"),
    ("a joiner and no emoji", "👨\u{200d} a", "👨 a"),
    ("stray tags", "a\u{e0062}\u{e0075}\u{e0079}", "a"),
    ("tags without an end", "🏴\u{e0067}\u{e0062}\u{e0065} a", "🏴 a"),
    ("a message in tags", "🏴\u{e0062}\u{e0075}\u{e0079}\u{e0020}\u{e0061}\u{e006c}\u{e006c}\u{e007f}", "🏴"),
    ("selectors in a row", "❤\u{fe0f}\u{fe0f}\u{fe0e}葛\u{e0100}\u{e0101}", "❤\u{fe0f}葛\u{e0100}"),
    ("a selector after a letter", "a\u{fe0f}b\u{e0100}", "ab"),
    ("marks in a row", "a\u{200e}\u{200f}\u{200e}b", "a\u{200e}b"),
    ("overrides and isolates", "a\u{202e}b\u{202c}\u{2066}c\u{2069}", "abc"),
    ("fillers", "a\u{ad}\u{34f}\u{115f}\u{3164}\u{2060}\u{feff}b", "ab"),
];

#[test]
fn what_can_be_seen_stays_as_people_wrote_it() {
    for (what, before, after) in TEXTS {
        assert_eq!(clean(before), *after, "{what}");
        for body in [
            json!({"status": "ok", "a": before}).to_string(),
            format!("<response status=\"ok\"><a>{before}</a></response>"),
        ] {
            let reply = crate::reply::Reply {
                status: 200,
                body: body.into_bytes(),
                ..Default::default()
            };
            let read = crate::response::read(&reply, &crate::upstream::LOCKER).unwrap();
            assert_eq!(read["a"], *after, "{what}");
        }
    }
}

/// A list of its own, by the Unicode property `Default_Ignorable_Code_Point` and the controls.
fn hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn invisible_characters_are_removed_from_names_and_texts() {
    let mut document = json!({
        "title\u{200b}": "a\u{200b}b\u{202e}c\u{e0041}\u{7}d é 🎵",
        "list": [{"x": "\u{2066}y\n"}, "1\r\n2\r3\u{2028}4\u{b}5"],
        "id": "a\u{200b}b",
        "url": "https://media.example/\u{200d}a?b=\u{202e}",
        "two": 1,
        "two\u{200b}": 2,
    });
    clean_all(
        document.as_object_mut().unwrap(),
        &["a\u{200b}b".to_owned()],
    );
    let expected = json!({
        "title": "abcd é 🎵",
        "list": [{"x": "y\n"}, "1\n2\n3\n4\n5"],
        "id": "a\u{200b}b",
        "url": "https://media.example/%E2%80%8Da?b=%E2%80%AE",
        "two": [1, 2],
    });
    assert_eq!(document, expected);
}

#[test]
fn of_all_characters_the_hidden_are_removed_and_letters_are_kept() {
    let removed = |c: &char| clean(&c.to_string()).is_empty();
    let all = || '\0'..=char::MAX;
    // Direction marks say something by themselves, and C1 codes are characters of Windows-1252.
    let alone = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{80}'..='\u{9f}');
    let kept = all().filter(|c| hidden(*c) && !removed(c) && !alone(c));
    let kept: Vec<char> = kept.collect();
    assert!(kept.is_empty(), "hidden and kept: {kept:?}");
    let seen = |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ';
    let lost: Vec<char> = all()
        .filter(|c| seen(c) && !hidden(*c) && removed(c))
        .collect();
    assert!(lost.is_empty(), "seen and removed: {lost:?}");
}

#[test]
fn quoted_words_are_short_and_hold_no_link() {
    assert_eq!(
        quotable("See http://x/?oauth_signature=a%3D\n and oauth_token=b <b>now</b>\u{202e}"),
        "See [removed] and [removed] bnow/b"
    );
    let long = quotable(&"word ".repeat(100));
    assert_eq!(long.chars().count(), 201);
}

fn words() -> impl Strategy<Value = String> {
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
    prop_oneof![
        3 => collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => (any::<char>(), 0..600_usize).prop_map(|(c, times)| c.to_string().repeat(times)),
    ]
}

/// Pieces of which texts with invisible characters are made.
fn odd_texts() -> impl Strategy<Value = String> {
    let pieces = TEXTS.iter().map(|(_, before, _)| *before);
    let pieces = pieces.chain([
        "\u{200d}",
        "\u{200c}",
        "\u{fe0f}",
        "\u{e0067}",
        "\u{e007f}",
        "🏴",
        "a",
        "م",
        "\u{85}",
    ]);
    let pieces = sample::select(pieces.collect::<Vec<_>>());
    prop_oneof![
        2 => collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

/// What a person sees of a text.
fn seen(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let seen = text.chars().filter_map(|c| match c {
        '\u{80}'..='\u{9f}' => windows_1252(c),
        '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        c => Some(c).filter(|c| !is_invisible(*c)),
    });
    seen.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_stay_within_their_bound_and_hold_no_link(text in words()) {
        let words = quotable(&text);
        let lower = words.to_lowercase();
        prop_assert!(!lower.contains("://") && !lower.contains("oauth_"));
        prop_assert!(!words.contains(['<', '>', '\n', '\t', '"']));
        prop_assert_eq!(clean(&words), words.as_str());
        prop_assert!(words.strip_suffix('…').unwrap_or(&words).chars().count() <= 200);
    }

    #[test]
    fn what_was_seen_before_is_seen_after_and_cleaning_twice_changes_nothing(text in odd_texts()) {
        let cleaned = clean(&text);
        prop_assert_eq!(seen(&cleaned), seen(&text));
        prop_assert_eq!(clean(&cleaned), cleaned.as_str());
    }
}
