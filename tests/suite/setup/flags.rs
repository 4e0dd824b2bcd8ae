//! Without a terminal: flags decide all, and nothing is asked.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::{Home, SECRET, WITH_SECRET_ON_STDIN};

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
    let rows: [(&[&str], &str); 13] = [
        (&["--country=UK"], "did you mean GB?"),
        (&["--consumer-key=<your key>"], "placeholder"),
        (&["--consumer-key=k", "--consumer-secret-file=/nowhere"], "`/nowhere` can't be read"),
        (&["--consumer-key=k", "--consumer-secret-file", empty], "is empty"),
        (&["--consumer-key=k", "--consumer-secret-file", two.to_str().unwrap()], "a blank or an invisible character"),
        (&["--consumer-key=k", "--consumer-secret-file=-"], "stdin is empty"),
        (&["--consumer-secret-file=-"], "add `--consumer-key KEY`"),
        (&["--confirm-with=mail"], "expected `auto`, or some of"),
        (&["--connect=nobody"], "possible values"),
        (&["--login", "--no-login"], "cannot be used with"),
        (&["--sandbox", "--login"], "`--login`"),
        (&["--sandbox", "--consumer-key=k", "--consumer-secret-file=-"], "`--consumer-key`, `--consumer-secret-file`"),
        (&["--sandbox", "--country=GB", "--confirm-with=auto"], "`--country`, `--confirm-with`"),
    ];
    for (flags, expected) in rows {
        let (code, out, err) = home.run(&[&["setup", "--yes"], flags].concat()).await;
        assert_eq!((code, &*out), (2, ""), "{flags:?}: {err}");
        assert!(err.contains(expected), "{flags:?}: {err}");
        assert!(!err.contains(SECRET), "{err}");
        assert!(!home.file().exists(), "{flags:?}");
    }
}

#[tokio::test]
async fn a_secret_on_stdin_beyond_its_limit_is_refused() {
    let home = Home::new();
    let (code, _, err) = home
        .run_with(&WITH_SECRET_ON_STDIN, &"a".repeat(9_000))
        .await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("more than 8192 bytes"), "{err}");
    assert!(!home.file().exists());
}

#[tokio::test]
async fn with_nobody_to_ask_the_environment_alone_stores_nothing() {
    let home = Home::new()
        .with("SEVENDIGITAL_CONSUMER_KEY", "the-k3y")
        .with("SEVENDIGITAL_CONSUMER_SECRET", SECRET)
        .with("SEVENDIGITAL_COUNTRY", "GB");
    let (code, out, err) = home
        .run(&["setup", "--no-login", "--confirm-with=auto"])
        .await;
    assert_eq!((code, &*out), (2, ""), "{err}");
    for flag in [
        "`--consumer-key KEY`",
        "`--consumer-secret-file FILE`",
        "`--country CODE`",
    ] {
        assert!(err.contains(flag), "{flag}: {err}");
    }
    let (code, out, err) = home.run(&["setup", "--yes"]).await;
    assert_ne!(code, 2, "{out}{err}");
    assert!(!home.file().exists(), "{}", home.settings());
}

#[tokio::test]
async fn a_key_never_gets_the_secret_of_another_key() {
    const OLD: &str = "consumer_key = \"old\"\nconsumer_secret = \"old-s3cr3t\"\n";
    const ALONE: &str = "consumer_key = \"old\"\n";
    let other = Some("other");
    #[rustfmt::skip]
    let rows = [
        (OLD, None, "--consumer-key=new", None),
        (OLD, other, "--consumer-key=new", None),
        (ALONE, other, "--consumer-key=new", Some("consumer_key = \"new\"\n")),
        (ALONE, other, "--consumer-key=old", Some(ALONE)),
        (ALONE, Some("old"), "--consumer-key=old", Some("consumer_key = \"old\"\nconsumer_secret = \"canary-s3cr3t\"\n")),
        (ALONE, other, "--no-login", Some(ALONE)),
        (OLD, other, "--consumer-key=old", Some(OLD)),
    ];
    for (file, key, flag, expected) in rows {
        let mut home = Home::new();
        if let Some(key) = key {
            home = home
                .with("SEVENDIGITAL_CONSUMER_KEY", key)
                .with("SEVENDIGITAL_CONSUMER_SECRET", SECRET);
        }
        home.configure(file);
        let (code, _, err) = home.run(&["setup", "--yes", flag]).await;
        let is_refused = err.contains("add `--consumer-secret-file FILE`");
        assert_eq!(code == 2 && is_refused, expected.is_none(), "{flag}: {err}");
        assert_eq!(home.settings(), expected.unwrap_or(file), "{flag}: {err}");
    }
}

#[tokio::test]
async fn the_entry_names_the_file_that_the_variable_names() {
    #[rustfmt::skip]
    let rows: [&[&str]; 2] = [
        &["setup", "--yes", "--country=DE", "--connect=cursor"],
        &["config", "cursor", "--write"],
    ];
    for arguments in rows {
        let home = Home::new().with_cursor();
        let file = home.put("mine.toml", "# mine\n");
        let file = file.to_str().unwrap().to_owned();
        let home = home.with("SEVENDIGITAL_MCP_CONFIG", &file);
        let (_, out, err) = home.run(arguments).await;
        let entry = &home.cursor()["sevendigital"];
        assert_eq!(
            entry["args"],
            json!(["stdio", "--config", file]),
            "{out}{err}"
        );
        let (code, _, err) = home
            .with("SEVENDIGITAL_MCP_CONFIG", "/nowhere")
            .run(&["config", "cursor", "--remove"])
            .await;
        assert_eq!(code, 0, "{err}");
    }
}

#[tokio::test]
async fn a_sandbox_of_any_layer_becomes_an_entry_of_the_sandbox() {
    let variable = Home::before("").with("SEVENDIGITAL_MCP_SANDBOX", "true");
    let file = Home::before("");
    file.configure("sandbox = true\n");
    for home in [variable, file] {
        let home = home.with_cursor();
        let (_, out, err) = home.run(&["setup", "--yes", "--connect=cursor"]).await;
        let entries = home.cursor();
        let names: Vec<_> = entries.as_object().unwrap().keys().collect();
        assert_eq!(names, ["sevendigital-sandbox"], "{out}{err}");
        let arguments = &entries["sevendigital-sandbox"]["args"];
        assert_eq!(*arguments, json!(["stdio", "--sandbox"]));
        assert!(out.contains("Now start Cursor anew"), "{out}{err}");
    }
}

#[tokio::test]
async fn a_link_to_no_file_yet_stays_a_link() {
    let home = Home::new();
    fs::create_dir_all(home.file().parent().unwrap()).unwrap();
    symlink("../../dotfiles/mine.toml", home.file()).unwrap();
    let (code, _, err) = home.run(&["setup", "--yes", "--country=DE"]).await;
    assert_ne!(code, 2, "{err}");
    assert!(home.file().is_symlink());
    let text = fs::read_to_string(home.path("dotfiles/mine.toml")).unwrap();
    assert!(text.contains("country = \"DE\"\n"), "{text}");
}
