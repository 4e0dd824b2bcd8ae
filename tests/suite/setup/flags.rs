//! Without a terminal: flags decide all, and nothing is asked.

use std::fs;

use super::{Home, SECRET};

/// Flags for all but the secret.
const FLAGS: [&str; 8] = [
    "setup",
    "--consumer-key",
    "the-k3y",
    "--country=gb",
    "--no-login",
    "--confirm-with=browser,terminal",
    "--connect",
    "cursor",
];

#[tokio::test]
async fn without_a_terminal_the_missing_flags_are_named() {
    let home = Home::new().with_cursor();
    let (code, out, err) = home.run(&["setup"]).await;
    assert_eq!((code, &*out), (2, ""), "{err}");
    for flag in [
        "`--consumer-key KEY`",
        "`--consumer-secret-file FILE`",
        "`--country CODE`",
        "`--confirm-with WAY`",
        "`--login` or `--no-login`",
        "`--connect CLIENT` (cursor)",
        "`--yes`",
    ] {
        assert!(err.contains(flag), "{flag}: {err}");
    }
    let (_, _, err) = home
        .run(&[&FLAGS[..4], &["--connect=cursor"]].concat())
        .await;
    for given in ["consumer-key", "--country", "--connect"] {
        assert!(!err.contains(given), "{given}: {err}");
    }
    assert!(!home.file().exists());
}

#[tokio::test]
async fn flags_write_the_file_and_connect_the_client() {
    let file = Home::new().with_cursor();
    let path = file.put("secret", &format!("{SECRET}\r\n"));
    let pipe = Home::new().with_cursor();
    let variable = Home::new()
        .with_cursor()
        .with("SEVENDIGITAL_CONSUMER_SECRET", SECRET);
    for (home, secret, stdin) in [
        (
            &file,
            &["--consumer-secret-file", path.to_str().unwrap()][..],
            "",
        ),
        (
            &pipe,
            &["--consumer-secret-file", "-"],
            &format!(" {SECRET}\n"),
        ),
        (&variable, &[], ""),
    ] {
        let (code, out, err) = home.run_with(&[&FLAGS, secret].concat(), stdin).await;
        assert_ne!(code, 2, "{out}{err}");
        assert!(!format!("{out}{err}").contains(SECRET), "{out}{err}");
        home.check_file();
        home.check_cursor();
        let mut lines: Vec<_> = fs::read_to_string(home.file())
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        lines.sort();
        let expected = [
            "confirm_with = [\"browser\",\"terminal\"]".to_owned(),
            "consumer_key = \"the-k3y\"".to_owned(),
            format!("consumer_secret = \"{SECRET}\""),
            "country = \"GB\"".to_owned(),
        ];
        assert_eq!(lines, expected);
        assert!(
            out.contains("network.connect") || out.contains("fail"),
            "{out}"
        );
        let last = out.lines().last().unwrap();
        assert!(
            last.starts_with(
                "Now log in with `sevendigital-mcp login`, start Cursor anew, and say"
            ),
            "{last}"
        );
    }
}

#[tokio::test]
async fn other_lines_survive_and_yes_leaves_out_what_no_flag_gives() {
    let home = Home::new().with_cursor();
    let before =
        "# mine\r\nhints = 'accurate'   # why\r\n\r\n# tight\r\n[limits]\r\nmax_sessions = 5\r\n";
    home.configure(before);
    let (code, out, err) = home
        .run(&["setup", "--yes", "--country=DE", "--spending=off"])
        .await;
    assert_ne!(code, 2, "{out}{err}");
    let added = "why\r\nspending = \"off\"\r\ncountry = \"DE\"\r\n";
    let reversed = "why\r\ncountry = \"DE\"\r\nspending = \"off\"\r\n";
    let text = home.settings();
    let expected = [added, reversed].map(|added| before.replace("why\r\n", added));
    assert!(expected.contains(&text), "{text}");
    home.check_file();
    let cursor = fs::read_to_string(home.path(".cursor/mcp.json")).unwrap();
    assert_eq!(cursor, "{}\n");
}

#[tokio::test]
async fn a_wrong_flag_changes_nothing() {
    let home = Home::new().with_cursor();
    let empty = home.put("empty", "\n");
    let empty = empty.to_str().unwrap();
    let two = home.put("two", &format!("{SECRET} {SECRET}"));
    #[rustfmt::skip]
    let rows: [(&[&str], &str); 9] = [
        (&["--country=UK"], "did you mean GB?"),
        (&["--consumer-key=<your key>"], "placeholder"),
        (&["--consumer-secret-file=/nowhere"], "`/nowhere` can't be read"),
        (&["--consumer-secret-file", empty], "is empty"),
        (&["--consumer-secret-file", two.to_str().unwrap()], "a blank or an invisible character"),
        (&["--consumer-secret-file=-"], "stdin is empty"),
        (&["--confirm-with=mail"], "expected `auto`, or some of"),
        (&["--connect=nobody"], "possible values"),
        (&["--login", "--no-login"], "cannot be used with"),
    ];
    for (flags, expected) in rows {
        let (code, out, err) = home.run(&[&["setup", "--yes"], flags].concat()).await;
        assert_eq!((code, &*out), (2, ""), "{flags:?}: {err}");
        assert!(err.contains(expected), "{flags:?}: {err}");
        assert!(!err.contains(SECRET), "{err}");
        assert!(!home.file().exists(), "{flags:?}");
    }
}
