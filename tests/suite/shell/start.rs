//! What the first start says to the person who started it.

use std::fs;

use crate::support::{Server, program};

#[tokio::test]
async fn the_first_start_says_what_to_do_next() {
    let home = tempfile::tempdir().unwrap();
    let connect = "note: connect a client with `sevendigital-mcp config CLIENT --write`";
    let in_sandbox =
        "note: connect a client with `sevendigital-mcp config CLIENT --write --sandbox`";
    let buy = "note: then ask it to buy release 11700062";
    let entry = r#"{"mcpServers": {"sevendigital": {"command": "/x/sevendigital-mcp"}}}"#;
    #[rustfmt::skip]
    let rows: [(&[&str], &str, &[&str]); 5] = [
        (&[], "{}", &[connect]),
        (&["--sandbox"], "", &[in_sandbox, buy]),
        (&["--sandbox", "--rest=127.0.0.1:0"], "", &[in_sandbox, buy, "/docs"]),
        (&["--sandbox", "--log-format", "json"], "", &[]),
        (&["--sandbox"], entry, &[]),
    ];
    for (flags, cursor, expected) in rows {
        let file = home.path().join(".cursor/mcp.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, cursor).unwrap();
        let words = [&["serve", "--bind", "127.0.0.1:0"], flags].concat();
        let mut command = program(&words, &[]);
        command.env("HOME", home.path());
        let mut server = Server::spawn(command);
        server.listens(1).await;
        server.signal("TERM");
        server.ended_by_itself().await;
        server.ended().await;
        let log = server.log();
        let notes: Vec<_> = log
            .lines()
            .filter(|line| line.starts_with("note: "))
            .collect();
        assert_eq!(notes.len(), expected.len(), "{flags:?}: {log}");
        for (note, expected) in notes.iter().zip(expected) {
            assert!(note.contains(expected), "{flags:?}: {note}");
        }
        // Other programs wait for the address; what follows is for people.
        let address = log.find("listening on http://").unwrap();
        assert!(
            log.find("note: ").is_none_or(|note| note > address),
            "{log}"
        );
    }
}

#[tokio::test]
async fn over_stdio_nothing_is_said_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::piped(folder.path(), &["--sandbox"], &[]);
    server.hello().await;
    server.ended().await;
    assert!(!server.log().contains("note: "), "{}", server.log());
}
