//! A start that fails, while everything is logged: it says which setting is wrong, and shows no value.

use std::path::Path;

use serde_json::json;

use super::{Needles, all, secret, settings_file, variables};
use crate::support::upstream::Upstream;
use crate::support::{Server, Variable, folder, program};

/// What is wrong: further environment variables, and the text of the settings file.
type Row = (&'static str, Vec<(&'static str, String)>, String);

fn rows(folder: &Path) -> Vec<Row> {
    let key = |name: &str| json!(secret(name)).to_string();
    let (consumer, token) = (key("consumer secret"), key("access token secret"));
    let nowhere = folder.join("nowhere").display().to_string();
    let open = folder.join("open");
    std::fs::write(&open, secret("consumer secret")).unwrap();
    let set = |name, value: &str| vec![(name, value.to_owned())];
    let principal = |more: &str| {
        format!("[[principals]]\nname = \"a\"\nallow = [\"reads\"]\naccess_token = {token}\n{more}")
    };
    #[rustfmt::skip]
    let rows = vec![
        ("a short token", set("SEVENDIGITAL_MCP_TOKEN", &secret("operator's bearer")[..31]), String::new()),
        ("half a token", set("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""), String::new()),
        ("no consumer secret", set("SEVENDIGITAL_CONSUMER_SECRET", ""), String::new()),
        ("a secret twice", set("SEVENDIGITAL_CONSUMER_SECRET_FILE", open.to_str().unwrap()), String::new()),
        ("a secret in a file that is not there", vec![("SEVENDIGITAL_CONSUMER_SECRET", String::new()), ("SEVENDIGITAL_CONSUMER_SECRET_FILE", nowhere)], String::new()),
        ("a secret under a wrong name", set("SEVENDIGITAL_CONSUMER_SECRETS", secret("consumer secret")), String::new()),
        ("a secret in an address", set("SEVENDIGITAL_BASE_URI", "https://partner:np6Tk73sVwJ8cF2@api.7digital.com/1.2"), String::new()),
        ("a secret in an address that is none", set("SEVENDIGITAL_BASE_URI", "https://partner:np6Tk73sVwJ8cF2@api.7digital.com:port/1.2"), String::new()),
        ("a secret in the query of an address", set("SEVENDIGITAL_BASE_URI", "https://api.7digital.com/1.2?key=np6Tk73sVwJ8cF2"), String::new()),
        ("a setting that is wrong beside secrets", set("SEVENDIGITAL_MCP_HINTS", "nowhere"), String::new()),
        ("an exposed bind", vec![("SEVENDIGITAL_MCP_REST_BIND", "0.0.0.0:0".to_owned())], String::new()),
        ("figures on a network", set("SEVENDIGITAL_MCP_METRICS_BIND", "0.0.0.0:0"), String::new()),
        ("a log filter that is none", set("RUST_LOG", "a=b=c=np6Tk73sVwJ8cF2"), String::new()),
        ("a file that is no TOML", vec![], format!("consumer_secret = {consumer} and more")),
        ("a file that ends early", vec![], format!("consumer_secret = {consumer}\naccess_token_secret = \"{}", secret("access token secret"))),
        ("an unknown key", vec![], format!("consumer_sekret = {consumer}")),
        ("a secret that is a list", vec![], format!("consumer_secret = [{consumer}]")),
        ("a secret that is a table", vec![], format!("[consumer_secret]\nvalue = {consumer}")),
        ("a principal without a digest", vec![], principal(&format!("token_sha256 = {consumer}\naccess_token_secret = {token}\n"))),
        ("a principal with half a token", vec![], principal(&format!("token_sha256 = \"{}\"\n", "ab".repeat(32)))),
        ("a principal with an unknown key", vec![], principal(&format!("token = {consumer}\n"))),
        ("a principal with a secret that is a list", vec![], principal(&format!("access_token_secret = [{token}]\n"))),
    ];
    rows
}

/// The environment of a row. What the file brings, it does not.
fn environment(base_uri: &str, format: &str, set: &[(&str, String)], file: &str) -> Vec<Variable> {
    let of_logs = [
        ("RUST_LOG", "trace"),
        ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
    ];
    let mut all = variables(base_uri, "http://127.0.0.1:1/keys", &of_logs);
    let of_file = |name: &str| name.contains("CONSUMER_SECRET") || name.contains("ACCESS_TOKEN");
    all.retain(|(name, _)| file.is_empty() || !of_file(name));
    all.retain(|(name, _)| !set.iter().any(|(other, _)| name == other));
    all.extend(
        set.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    all
}

#[tokio::test]
async fn a_start_that_fails_shows_no_secret() {
    // What only `serve` minds.
    const OF_SERVE: [&str; 3] = [
        "an exposed bind",
        "figures on a network",
        "a log filter that is none",
    ];
    let upstream = Upstream::start().await;
    let mut secrets = all();
    secrets.push(("password of an address", "np6Tk73sVwJ8cF2".into()));
    secrets.push(("short token", secret("operator's bearer")[..31].into()));
    let needles = Needles::of(&secrets);
    let (mut wrong, mut starts) = (Vec::new(), 0);
    let folder = folder();
    for (what, set, file) in rows(folder.path()) {
        let settings = settings_file(folder.path());
        if !file.is_empty() {
            std::fs::write(&settings, &file).unwrap();
        }
        for format in ["text", "json"] {
            let variables = environment(&upstream.base_uri(), format, &set, &file);
            for command in [
                "serve --bind 127.0.0.1:0",
                "stdio",
                "tools",
                "call get-user-locker",
                "login --no-browser",
            ] {
                let words = command.split(' ').chain(["--config", &settings]);
                let mut program = Server::spawn(program(&words.collect::<Vec<_>>(), &variables));
                let status = program.ended().await;
                let may_start = !command.starts_with("serve") && OF_SERVE.contains(&what);
                assert!(may_start || !status.success(), "{what}: {command}");
                starts += 1;
                for written in [program.out(), program.log()] {
                    let found = needles.find(written.as_bytes()).into_iter();
                    wrong.extend(found.map(|found| format!("{what}, {command}: {found:?}")));
                }
            }
        }
    }
    println!("{starts} starts, {} spellings each", needles.count());
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
