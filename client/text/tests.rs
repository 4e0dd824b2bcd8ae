//! Which characters are removed, and what is left of 7digital's words.

use proptest::prelude::*;
use proptest::{collection, sample};
use serde_json::json;

use super::*;

/// A list of its own, by the Unicode property `Default_Ignorable_Code_Point` and the controls.
fn hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn invisible_characters_are_removed_from_names_and_texts() {
    let mut document = json!({
        "title\u{200b}": "a\u{200b}b\u{202e}c\u{e0041}\u{7}d é 🎵",
        "list": [{"x": "\u{2066}y\n"}],
    });
    clean_all(document.as_object_mut().unwrap());
    let expected = json!({"title": "abcd é 🎵", "list": [{"x": "y\n"}]});
    assert_eq!(document, expected);
}

#[test]
fn of_all_characters_the_hidden_are_removed_and_letters_are_kept() {
    let removed = |c: &char| clean(&c.to_string()).is_empty();
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_stay_within_their_bound_and_hold_no_link(text in words()) {
        let words = quotable(&text);
        let lower = words.to_lowercase();
        prop_assert!(!lower.contains("://") && !lower.contains("oauth_"));
        prop_assert!(!words.contains(['<', '>', '\n', '\t', '"']) && !words.chars().any(hidden));
        prop_assert!(words.strip_suffix('…').unwrap_or(&words).chars().count() <= 200);
    }
}
