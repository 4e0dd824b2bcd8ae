//! Characters, and 7digital's own words in an error.

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{collection, sample};
use sevendigital::response;

use super::{check, ensure};
use crate::upstream::answers::hidden;

#[test]
fn characters_that_are_not_seen_are_removed_and_letters_are_kept() {
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
