//! An entry goes into a file and out again, and every other byte of the file stays.

use sevendigital_mcp::connect::{Client, Syntax};

use super::{Home, written};

/// What may stand in a client's file, by what is special about it. `KEY` is the key of its servers.
const JSON: &[(&str, &str)] = &[
    (
        "foreign entries",
        "{\n  \"KEY\": {\n    \"b\": {\n      \"command\": \"x\"\n    },\n    \"a\": {\"args\": [1,  2.50]}\n  },\n  \"theme\": \"dark\"\n}\n",
    ),
    (
        "the key last, no end to the last line",
        "{\n    \"theme\" : \"d\\u00e4rk\",\n\n    \"KEY\" : { \"b\": {} }\n}",
    ),
    (
        "no servers yet",
        "{\n  \"theme\": \"dark\",\n\n  \"z\": [ 1,\n 2 ]\n}\n",
    ),
    (
        "all on one line",
        "{\"theme\":\"dark\",\"KEY\":{\"b\":{\"command\":\"x\"}},\"z\":1}",
    ),
    ("nothing but braces", "{}"),
    ("braces and a line", "{}\n"),
];

const COMMENTS: &[(&str, &str)] = &[
    (
        "comments",
        "// top\n{ // servers\n  /* here */ \"KEY\": { // each\n    // of b\n    \"b\": {} // behind b\n    // last\n  } // end\n}\n// bottom\n",
    ),
    (
        "comments alone below the key",
        "{\n  \"KEY\": {\n    // none yet\n  }\n}\n",
    ),
    (
        "a comment of two lines behind the brace",
        "{ /* a\n  b */\n  \"theme\": 1\n}\n",
    ),
];

const COMMAS: &[(&str, &str)] = &[
    (
        "trailing commas",
        "{\n  \"KEY\": {\n    \"b\": {\n      \"command\": \"x\",\n    },\n  },\n}\n",
    ),
    (
        "a trailing comma and a comment",
        "{\n  \"theme\": 1, // why\n\n}\n",
    ),
];

const TOML: &[(&str, &str)] = &[
    (
        "foreign entries and comments",
        "# top\nmodel = \"x\" # why\n\n[KEY.b] # b\ncommand = 'x'\nargs = [ 1,\n  2 ]\n\n# other\n[other]\nk = 1\n",
    ),
    ("no servers yet", "model = \"x\"\n"),
    ("no end to the last line", "[KEY.b]\ncommand = \"x\""),
    (
        "blank lines and a comment at the end",
        "[KEY]\n\n[KEY.b]\n\n\n# end\n\n\n",
    ),
];

/// The texts that the client's syntax allows, each also with tabs, CRLF and a byte order mark.
fn texts(client: &Client) -> Vec<(String, String)> {
    let tables: &[_] = match client.syntax {
        Syntax::Toml => &[TOML],
        Syntax::JsonWithCommas => &[JSON, COMMENTS, COMMAS],
        Syntax::JsonWithComments => &[JSON, COMMENTS],
        _ => &[JSON],
    };
    let mut texts = Vec::new();
    for (what, text) in tables.iter().copied().flatten() {
        let text = text.replace("KEY", client.key);
        let what = format!("{}: {what}", client.name);
        let windows = text.replace("  ", "\t").replace('\n', "\r\n");
        let from_windows = format!("{what}, with tabs, CRLF and a byte order mark");
        texts.push((from_windows, format!("\u{feff}{windows}")));
        texts.push((what, text));
    }
    texts
}

/// Whether `longer` is `text` with one piece put in.
fn is_with_one_piece(longer: &str, text: &str) -> bool {
    let same = |pair: &(u8, u8)| pair.0 == pair.1;
    let head = longer.bytes().zip(text.bytes()).take_while(same).count();
    let tails = longer.bytes().rev().zip(text.bytes().rev());
    head + tails.take_while(same).count() >= text.len()
}

#[tokio::test]
async fn an_entry_is_one_piece_of_text_and_its_removal_restores_the_file() {
    for client in written() {
        for (what, text) in texts(client) {
            let home = Home::holding(client, &text);
            let (code, out, err) = home.write().await;
            assert_eq!(code, 0, "{what}: {err}");
            let with = home.text();
            assert!(is_with_one_piece(&with, &text), "{what}: {with}");
            assert_ne!(with, text, "{what}: {out}");
            let lone = with.replace("\r\n", "").contains('\n');
            assert!(!lone || !text.contains("\r\n"), "{what}: {with:?}");

            let (code, out, err) = home.write().await;
            assert_eq!((code, home.text()), (0, with), "{what}: {err}");
            assert!(out.contains("already"), "{what}: {out}");
            assert_eq!(home.copies().len(), 1, "{what}: nothing was written again");

            let (code, _, err) = home.config(&["--remove"]).await;
            assert_eq!((code, home.text()), (0, text), "{what}: {err}");
        }
    }
}

#[tokio::test]
async fn what_a_client_can_not_read_is_told_by_line_and_column_and_stays() {
    let broken: [(&[Syntax], &str, &str); 5] = [
        (&[Syntax::Json], COMMENTS[0].1, "line 1, column 1"),
        (
            &[Syntax::Json, Syntax::JsonWithComments],
            COMMAS[0].1,
            "line 4, column 21",
        ),
        (
            &[
                Syntax::Json,
                Syntax::JsonWithComments,
                Syntax::JsonWithCommas,
            ],
            "{\n  \"KEY\": {\n    \"b\": {} \"c\": {}\n  }\n}\n",
            "line 3, column 12",
        ),
        (
            &[
                Syntax::Json,
                Syntax::JsonWithComments,
                Syntax::JsonWithCommas,
            ],
            "{\n  'KEY': {}\n}\n",
            "line 2, column 3",
        ),
        (&[Syntax::Toml], "a = 1\nb = = 2\n", "line 2, column 5"),
    ];
    for client in written() {
        for (syntaxes, text, place) in broken {
            if syntaxes.contains(&client.syntax) {
                check_refused(client, text, place).await;
            }
        }
    }
}

#[tokio::test]
async fn what_stands_in_the_place_of_servers_is_never_lost() {
    const JSON: [(&str, &str); 7] = [
        ("[]", "a list"),
        ("[\n]\n", "a list"),
        ("null", "`null`"),
        ("{\"KEY\": []}", "a list under `KEY`"),
        ("{\"KEY\": null}", "`null` under `KEY`"),
        ("{\"KEY\": {}, \"KEY\": {}}", "`KEY` twice"),
        (
            "{\"KEY\": {\"sevendigital\": 1, \"sevendigital\": 2}}",
            "`sevendigital` twice",
        ),
    ];
    const TOML: [(&str, &str); 4] = [
        ("KEY = []\n", "an array under `KEY`"),
        ("[[KEY]]\na = 1\n", "under `KEY`"),
        ("KEY = { b = {} }\n", "edit it by hand"),
        (
            "[KEY]\nsevendigital = { command = 'x' }\n",
            "edit it by hand",
        ),
    ];
    for client in written() {
        let rows = if client.syntax == Syntax::Toml {
            &TOML[..]
        } else {
            &JSON[..]
        };
        for (text, problem) in rows {
            check_refused(client, text, problem).await;
        }
    }
}

/// A file with this text is left alone, with and without force, and the reason names the file and the problem.
async fn check_refused(client: &'static Client, text: &str, problem: &str) {
    let (text, problem) = (
        text.replace("KEY", client.key),
        problem.replace("KEY", client.key),
    );
    let home = Home::holding(client, &text);
    for arguments in [&["--write", "--force"][..], &["--write"]] {
        let (code, out, err) = home.config(arguments).await;
        assert_eq!((code, &*out), (1, ""), "{}: {text}: {err}", client.name);
        let is_asked = err.contains("`--force`") && arguments.len() == 1;
        let is_told = is_asked || err.contains(&problem);
        assert!(is_told, "{}: {text}: {err}", client.name);
        assert_eq!(home.text(), text, "{}", client.name);
        assert!(home.copies().is_empty(), "{}", client.name);
    }
}

#[tokio::test]
async fn another_entry_is_shown_and_replaced_by_force_alone() {
    for client in written() {
        let key = client.key;
        let (text, old) = if client.syntax == Syntax::Toml {
            let old =
                "[KEY.sevendigital]\ncommand = \"old\"\nargs = [\"stdio\"]\nenv.A = \"canary\"\n";
            let text = format!(
                "# top\n{old}\n[KEY.sevendigital.env.x]\ny = 1\n\n# of b\n[KEY.b]\nz = 1\n"
            );
            (text, old.to_owned() + "\n[KEY.sevendigital.env.x]\ny = 1\n")
        } else {
            let old = "{ \"command\": \"old\", \"env\": {\"A\": \"canary\"} }";
            let text = format!(
                "{{\n  \"KEY\": {{\n    \"a\": {{}},\n    \"sevendigital\": {old},\n    \"b\": {{}}\n  }}\n}}\n"
            );
            (text, old.to_owned())
        };
        let (text, old) = (text.replace("KEY", key), old.replace("KEY", key));
        let home = Home::holding(client, &text);
        let (code, out, err) = home.write().await;
        assert_eq!((code, &*out), (1, ""), "{err}");
        for line in ["-     \"A\": \"[hidden]\"", "\"old\"", "`--force`"] {
            assert!(err.contains(line), "{}: {err}", client.name);
        }
        assert!(!err.contains("canary"), "{err}");
        assert_eq!(home.text(), text);

        let (code, _, err) = home.config(&["--write", "--force"]).await;
        assert_eq!(code, 0, "{err}");
        let new = home.text();
        let (before, after) = text.split_once(&old).unwrap();
        assert!(new.starts_with(before), "{}: {new}", client.name);
        assert!(new.ends_with(after), "{}: {new}", client.name);
        assert!(!new.contains("old"), "{}: {new}", client.name);
        let (code, out, _) = home.write().await;
        assert!(code == 0 && out.contains("already"), "{out}");
    }
}

#[tokio::test]
async fn an_entry_among_others_takes_no_comment_and_no_comma_with_it() {
    const ROWS: [(&str, &str); 6] = [
        (
            "{\"KEY\": {\"a\": 1, \"sevendigital\": {}}}",
            "{\"KEY\": {\"a\": 1}}",
        ),
        (
            "{\"KEY\": {\"sevendigital\": {}, \"a\": 1}}",
            "{\"KEY\": {\"a\": 1}}",
        ),
        (
            "{\n \"KEY\": {\n  \"a\": 1, // of a\n  \"sevendigital\": {} // ours\n }\n}",
            "{\n \"KEY\": {\n  \"a\": 1 // of a\n  // ours\n }\n}",
        ),
        (
            "{\n \"KEY\": {\n  \"a\": 1, // of a\n  \"sevendigital\": {}, \"b\": 2\n }\n}",
            "{\n \"KEY\": {\n  \"a\": 1, // of a\n  \"b\": 2\n }\n}",
        ),
        (
            "{\n \"KEY\": {\n  \"sevendigital\": {}, // ours\n  \"b\": 2,\n },\n}",
            "{\n \"KEY\": {\n  // ours\n  \"b\": 2,\n },\n}",
        ),
        (
            "{\n \"KEY\": {\n  \"a\": 1\n  // of us, \"x\"\n  , \"sevendigital\": {}\n }\n}",
            "{\n \"KEY\": {\n  \"a\": 1\n  // of us, \"x\"\n  \n }\n}",
        ),
    ];
    for client in written().filter(|client| client.syntax == Syntax::JsonWithCommas) {
        for (text, left) in ROWS {
            let (text, left) = (
                text.replace("KEY", client.key),
                left.replace("KEY", client.key),
            );
            let home = Home::holding(client, &text);
            let (code, _, err) = home.config(&["--remove"]).await;
            assert_eq!((code, home.text()), (0, left), "{err}");
        }
    }
}
