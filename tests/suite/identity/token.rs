//! `sevendigital-mcp token new`: a token for a caller, and the digest that lets it in.

use serde_json::json;
use sevendigital_sandbox::Sandbox;
use tempfile::TempDir;

use crate::identity::sha256;
use crate::support::{Server, program, variables};

/// A new token, and the digest that is printed with it.
async fn new_token() -> (String, String) {
    let output = program(&["token", "new"], &[]).output().await.unwrap();
    assert!(output.status.success());
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let value = |name: &str| {
        let line = out
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{out}")).trim().to_owned()
    };
    let (token, digest) = (value("token"), value("token_sha256"));
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(!err.contains(&token) && !err.contains(&digest), "{err}");
    assert!(
        err.contains("`token_sha256`") && err.contains("[[principals]]"),
        "{err}"
    );
    (token, digest)
}

#[tokio::test]
async fn a_new_token_lets_its_caller_in_and_is_made_anew_each_time() {
    let (token, digest) = new_token().await;
    assert_eq!(digest, sha256(&token));
    let (other, other_digest) = new_token().await;
    assert_ne!((&token, &digest), (&other, &other_digest));
    for token in [&token, &other] {
        // 256 random bits, and nothing that a header or a shell would stumble over.
        let random = token.strip_prefix("sdmcp_").unwrap();
        assert_eq!(random.len(), 64);
        assert!(
            random.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{token}"
        );
    }
    let (folder, sandbox) = (TempDir::new().unwrap(), Sandbox::start().await.unwrap());
    let file = format!(
        "[[principals]]\nname = \"jane\"\ntoken_sha256 = {digest:?}\nallow = [\"reads\"]\n"
    );
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, file).unwrap();
    let more = ["--config", settings.to_str().unwrap()];
    let variables = variables(&sandbox.base_uri(), &[]);
    let server = Server::serve(folder.path(), &more, &variables).await;
    let caller = |token: &str| server.caller().showing(token);
    let result = caller(&token).call("get-user-locker", &json!({})).await;
    assert!(result["structuredContent"].is_object(), "{result}");
    for wrong in [&other, &digest] {
        let reply = caller(wrong).mcp("get-user-locker", &json!({})).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }
    let log = server.log();
    assert!(!log.contains(&token) && !log.contains(&digest), "{log}");
}
