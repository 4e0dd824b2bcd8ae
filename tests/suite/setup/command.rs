//! The consumer secret from a command: what it prints is used, and shown nowhere.

use std::fs;

use sevendigital_sandbox::{Sandbox, demo};

use super::{Home, SECRET};

const CALL: [&str; 2] = ["call", "get-user-locker"];

/// A file with this command, for the demo user.
fn configure(home: &Home, words: &[&str]) {
    let (key, token) = (demo::CONSUMER_KEY, demo::ACCESS_TOKEN);
    let token_secret = demo::ACCESS_TOKEN_SECRET;
    home.configure(&format!(
        "consumer_key = {key:?}\naccess_token = {token:?}\naccess_token_secret = {token_secret:?}\ncountry = \"GB\"\nconsumer_secret_command = {words:?}\n"
    ));
}

/// A shell line that says so in a file when it is run, and prints the demo secret.
fn noted(home: &Home) -> String {
    let note = home.path("note");
    format!(
        "echo >'{}'; echo ' {}'",
        note.display(),
        demo::CONSUMER_SECRET
    )
}

#[tokio::test]
async fn a_command_gives_the_secret_that_signs() {
    let sandbox = Sandbox::start().await.unwrap();
    let home = Home::before(sandbox.base_uri().as_str());
    configure(&home, &["/bin/sh", "-c", &noted(&home)]);
    let (code, out, err) = home.run(&CALL).await;
    assert_eq!(code, 0, "{out}{err}");
    let (_, out, err) = home.run(&["doctor", "settings", "--verbose"]).await;
    assert!(
        out.contains("consumer_secret = [redacted]  (`consumer_secret_command`)"),
        "{out}{err}"
    );
}

#[tokio::test]
async fn a_command_that_gives_none_is_named_and_its_output_not_shown() {
    let long = format!("head -c 9000 /dev/zero | tr '\\0' 'a'; echo {SECRET}");
    let shell = |line: &str| vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()];
    let fails = format!("echo {SECRET}; echo {SECRET} >&2; exit 7");
    let slow = format!("echo {SECRET}; exec sleep 60");
    #[rustfmt::skip]
    let rows = [
        (shell(&fails), "`/bin/sh` failed with exit code 7"),
        (shell("kill -9 $$"), "ended by a signal"),
        (shell(&slow), "took more than 10 seconds"),
        (shell(&long), "more than 8192 bytes"),
        (shell(&format!("echo {SECRET} two")), "a blank or an invisible character"),
        (shell(&format!("printf '{SECRET}\\n{SECRET}'")), "a blank or an invisible character"),
        (shell(&format!("printf '\\377{SECRET}'")), "it is not UTF-8"),
        (shell("echo '<your secret>'"), "placeholder"),
        (shell("echo"), "`/bin/sh` printed nothing"),
        (vec!["/nowhere/op".to_owned()], "`/nowhere/op` can't be started"),
        (vec!["./op".to_owned()], "an absolute path"),
    ];
    for (words, expected) in rows {
        let home = Home::new();
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        configure(&home, &words);
        let (code, out, err) = home.run(&CALL).await;
        assert_eq!((code, &*out), (2, ""), "{words:?}: {err}");
        assert!(err.contains("`consumer_secret_command`"), "{err}");
        assert!(err.contains(expected), "{words:?}: {err}");
        assert!(!err.contains(SECRET), "{err}");
    }
    let home = Home::new();
    home.configure("consumer_key = 'k'\nconsumer_secret_command = 'op read'\n");
    let (_, _, err) = home.run(&CALL).await;
    assert!(err.contains("expected a list of texts"), "{err}");
    let home = Home::new().with("SEVENDIGITAL_MCP_CONSUMER_SECRET_COMMAND", "op");
    let (_, _, err) = home.run(&CALL).await;
    assert!(err.contains("there is no setting"), "{err}");
}

#[tokio::test]
async fn a_command_is_run_only_where_nothing_else_has_the_secret() {
    let other = Home::new().with("SEVENDIGITAL_CONSUMER_SECRET", SECRET);
    let unsigned = Home::new();
    #[rustfmt::skip]
    let rows: [(&Home, &[&str]); 4] = [
        (&other, &CALL),
        (&unsigned, &["tools"]),
        (&unsigned, &["health"]),
        (&unsigned, &["setup", "--yes", "--sandbox"]),
    ];
    for (home, arguments) in rows {
        configure(home, &["/bin/sh", "-c", &noted(home)]);
        home.run(arguments).await;
        assert!(!home.path("note").exists(), "{arguments:?}");
    }
}

#[tokio::test]
async fn no_command_is_run_out_of_the_working_folder() {
    let home = Home::new();
    configure(&home, &["/bin/sh", "-c", &noted(&home)]);
    let project = home.path("project");
    fs::create_dir_all(&project).unwrap();
    home.put("project/below/mine.toml", &home.settings());
    fs::rename(home.file(), project.join("sevendigital-mcp.toml")).unwrap();
    for more in [
        &[][..],
        &["--config", "sevendigital-mcp.toml"],
        &["--config", "below/mine.toml"],
    ] {
        let mut program = home.program(&[&CALL, more].concat());
        let output = program.current_dir(&project).output().await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{err}");
        assert!(
            err.contains("working folder, which may be anybody's"),
            "{err}"
        );
        assert!(!home.path("note").exists(), "{err}");
    }
}

#[tokio::test]
async fn a_script_in_the_working_folder_is_not_run() {
    let home = Home::new();
    configure(&home, &["sh", "secret.sh"]);
    let script = home.put("project/secret.sh", &noted(&home));
    let mut program = home.program(&CALL);
    let project = script.parent().unwrap();
    let output = program.current_dir(project).output().await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("`sh` failed with exit code"), "{err}");
    assert!(!home.path("note").exists(), "{err}");
}

#[tokio::test]
async fn a_file_that_is_named_runs_its_command_from_the_root() {
    let home = Home::new();
    configure(&home, &["/bin/sh", "-c", &noted(&home)]);
    let named = home.put("mine.toml", &home.settings());
    let arguments = [&CALL[..], &["--config", named.to_str().unwrap()]].concat();
    let mut program = home.program(&arguments);
    let output = program.current_dir("/").output().await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(home.path("note").exists(), "{err}");
}
