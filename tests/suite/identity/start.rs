//! Settings that would let in callers by mistake: the server does not start with them, names the setting, and shows no value.

use sevendigital_mcp::config::{Config, Layers};

use crate::identity::{TOKEN, principal, sha256, token_of};
use crate::settings::config::file;
use crate::support::{Setting, program};

/// Key of the file and value, as TOML has them.
const ISSUER: &str = "auth_issuer = \"https://login.example.com\"\n";
const AUDIENCE: &str = "auth_audience = \"https://mcp.example.com/mcp\"\n";
const KEYS: &str = "auth_jwks_uri = \"https://login.example.com/jwks\"\n";

/// Loads settings as `serve` does.
fn start(text: &str, environment: &[Setting<'_>]) -> Result<(), String> {
    let (_folder, path) = file(text);
    let variables = environment.iter();
    let layers = Layers {
        file: Some(path),
        variables: variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Layers::default()
    };
    let config = Config::load(&layers).map_err(|error| error.to_string())?;
    config.check_exposure().map_err(|error| error.to_string())
}

/// It does not start, and the reason has these words and nothing secret.
#[track_caller]
fn check(text: &str, environment: &[Setting<'_>], words: &[&str]) {
    match start(text, environment) {
        Ok(()) => panic!("it starts with\n{text}{environment:?}"),
        Err(error) => {
            for word in words {
                assert!(error.contains(word), "{word} in: {error}\n{text}");
            }
            assert!(!error.contains("canary"), "{error}");
            for token in ["jane", "john", "canary"].map(token_of) {
                assert!(!error.contains(&sha256(&token)), "{error}");
            }
        }
    }
}

/// It does not start with this file.
#[track_caller]
fn refused(text: &str, words: &[&str]) {
    check(text, &[], words);
}

/// It does not start in this environment.
#[track_caller]
fn refused_in(environment: &[Setting<'_>], words: &[&str]) {
    check("", environment, words);
}

#[track_caller]
fn starts(text: &str) {
    assert_eq!(start(text, &[]), Ok(()));
}

/// A table with these lines.
fn table(lines: &str) -> String {
    format!("[[principals]]\n{lines}\n")
}

/// A good principal with further lines.
fn whole(further: &str) -> String {
    principal("jane", &["reads"], further)
}

const PLACE: &str = "`principals` number 1";

#[test]
fn a_principal_whose_token_can_not_be_known_is_refused() {
    const START: &str = "name = \"jane\"\nallow = [\"reads\"]";
    let hex = sha256(&token_of("canary"));
    for wrong in [
        "",
        "canary",
        &token_of("canary"),
        &hex[1..],
        &format!("{hex}0"),
        &format!("{}g", &hex[1..]),
        &format!(" {}", &hex[1..]),
        // What Rust reads as a number, and is no digit.
        &"+f".repeat(32),
        &"ü".repeat(32),
    ] {
        let text = table(&format!("{START}\ntoken_sha256 = {wrong:?}"));
        refused(&text, &[PLACE, "`token_sha256`", "token new"]);
    }
    refused(&table(START), &[PLACE, "`token_sha256`", "`subject`"]);
    let with_subject = table(&format!("{START}\nsubject = \"user-1\""));
    for text in [with_subject, whole("subject = \"user-1\"")] {
        refused(&text, &[PLACE, "`subject`", "`auth_issuer`"]);
        starts(&format!("{ISSUER}{AUDIENCE}{KEYS}{text}"));
    }
    let empty = format!("{ISSUER}{AUDIENCE}{KEYS}{}", whole("subject = \"\""));
    refused(&empty, &[PLACE, "`subject`"]);
}

#[test]
fn a_principal_must_say_who_it_is_and_what_it_may_do() {
    let digest = format!("token_sha256 = \"{}\"", sha256(&token_of("canary")));
    for word in ["read", "*", "Reads", "get-user-lockers", "", "all"] {
        let text = principal("jane", &["reads", word], "");
        refused(&text, &[PLACE, "`allow`", &format!("`{word}`")]);
    }
    let none = table(&format!("name = \"jane\"\n{digest}\nallow = []"));
    refused(&none, &[PLACE, "`allow`", "empty"]);
    let long = "n".repeat(65);
    for name in ["", "jane doe", "jane\nroot", "sub:jane", "jäne", &long] {
        refused(&principal(name, &["reads"], ""), &[PLACE, "`name`"]);
    }
    // Logs and confirmations know the operator by this name.
    let operator = principal("operator", &["reads"], "");
    refused(&operator, &[PLACE, "`name`", "`operator`"]);
    // What is missing, of another type, or unknown.
    for text in [
        table(&format!("name = \"jane\"\n{digest}")),
        table(&format!("name = \"jane\"\n{digest}\nallow = \"reads\"")),
        table(&format!("{digest}\nallow = [\"reads\"]")),
        whole("tokensha256 = \"canary\""),
        whole("token = \"canary\""),
        whole("user_id = 500123"),
        "principals = \"canary\"".to_owned(),
    ] {
        refused(&text, &["`principals"]);
    }
}

#[test]
fn a_principal_that_is_bound_to_half_an_account_is_refused() {
    for value in ["", " ", "${CANARY}"] {
        let user = whole(&format!("user_id = {value:?}"));
        refused(&user, &[PLACE, "`user_id`"]);
        // No caller loses its binding, and none signs with an empty token.
        for (token, secret) in [(value, value), (value, "canary"), ("canary", value)] {
            let pair = format!("access_token = {token:?}\naccess_token_secret = {secret:?}");
            refused(
                &whole(&pair),
                &[PLACE, "`access_token`", "`access_token_secret`"],
            );
        }
    }
    for half in ["access_token", "access_token_secret"] {
        let text = whole(&format!("{half} = \"canary\""));
        refused(&text, &[PLACE, "`access_token_secret`", "both or neither"]);
    }
}

#[test]
fn two_callers_are_never_one() {
    let second = "`principals` number 2";
    let jane = principal("jane", &["reads"], "");
    let twin = principal("jane", &["spend"], "");
    let digest = sha256(&token_of("jane"));
    let john = |further: &str| {
        format!("[[principals]]\nname = \"john\"\nallow = [\"reads\"]\n{further}\n")
    };
    let same_token = john(&format!("token_sha256 = \"{digest}\""));
    let in_capitals = john(&format!("token_sha256 = \"{}\"", digest.to_uppercase()));
    let subject = john("subject = \"user-1\"");
    let same_subject = subject.replace("john", "jim");
    refused(&format!("{jane}{twin}"), &[second, "`jane`"]);
    refused(&format!("{jane}{same_token}"), &[second, "`jane`"]);
    refused(&format!("{jane}{in_capitals}"), &[second, "`jane`"]);
    refused(
        &format!("{ISSUER}{AUDIENCE}{KEYS}{subject}{same_subject}"),
        &[second, "`john`"],
    );
    // The operator's token opens everything, so no other caller may have it.
    let operator = john(&format!("token_sha256 = \"{}\"", sha256(TOKEN)));
    refused(
        &format!("token = \"{TOKEN}\"\n{jane}{operator}"),
        &[second, "`token`"],
    );
    assert_eq!(
        start(
            &format!(
                "token = \"{TOKEN}\"\n{jane}{}",
                principal("john", &["reads"], "")
            ),
            &[]
        ),
        Ok(())
    );
}

#[test]
fn an_authorization_server_is_described_whole_or_not_at_all() {
    let trust = format!("{ISSUER}{AUDIENCE}");
    starts(&format!("{trust}{KEYS}"));
    let together = "belong together";
    refused(&trust, &["`auth_jwks_uri`", together]);
    refused(&format!("{ISSUER}{KEYS}"), &["`auth_audience`", together]);
    refused(&format!("{AUDIENCE}{KEYS}"), &["`auth_issuer`", together]);
    refused(ISSUER, &["`auth_audience`", together]);
    refused(AUDIENCE, &["`auth_issuer`", together]);
    refused(KEYS, &["`auth_issuer`", together]);
    for issuer in ["http://login.example.com", ""] {
        let text = format!("auth_issuer = {issuer:?}\n{AUDIENCE}{KEYS}");
        refused(&text, &["`auth_issuer`"]);
    }
    for audience in ["https://mcp.example.com/mcp#canary", "mcp", ""] {
        let text = format!("{ISSUER}auth_audience = {audience:?}\n{KEYS}");
        refused(&text, &["`auth_audience`"]);
    }
}

#[test]
fn keys_are_fetched_by_tls_or_from_this_machine() {
    let keys = |address: &str| format!("{ISSUER}{AUDIENCE}auth_jwks_uri = {address:?}\n");
    #[rustfmt::skip]
    let good = [
        "https://login.example.com/keys", "https://login.example.com/keys?policy=1", "https://localhost/keys",
        "http://127.0.0.1:9/keys", "http://127.9.9.9/keys", "http://[::1]:9/keys", "http://localhost:9/keys",
    ];
    for address in good {
        starts(&keys(address));
    }
    #[rustfmt::skip]
    let wrong = [
        "http://login.example.com/jwks", "http://127.0.0.1.example.com/jwks", "http://localhost.example.com/jwks",
        "http://192.0.2.1/jwks", "http://0.0.0.0/keys", "http://10.0.0.1/keys", "http://[::ffff:10.0.0.1]/keys",
        "ftp://127.0.0.1/keys", "file:///etc/jwks.json", "data:application/json,{}", "login.example.com/jwks",
        "https://user:canary@login.example.com/jwks", "http://user:canary@login.example.com/jwks",
        "https://canary@login.example.com/jwks",
    ];
    for address in wrong {
        refused(&keys(address), &["`auth_jwks_uri`"]);
    }
}

#[test]
fn only_algorithms_with_public_keys_can_be_configured() {
    let algorithms = |value: &str| format!("{ISSUER}{AUDIENCE}{KEYS}auth_algorithms = {value}\n");
    let good = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA";
    for name in good.split(' ') {
        starts(&algorithms(&format!("{name:?}")));
    }
    let wrong = "HS256 HS384 HS512 none None rs256 ES512 EDDSA Ed25519 ES256K RSA-OAEP RS1";
    for name in wrong.split(' ') {
        for value in [
            format!("{name:?}"),
            format!("[{name:?}]"),
            format!("\"RS256,{name}\""),
            format!("[\"RS256\", {name:?}]"),
        ] {
            refused(
                &algorithms(&value),
                &["`auth_algorithms`", &format!("`{name}`")],
            );
        }
    }
    refused(&algorithms("[]"), &["`auth_algorithms`"]);
}

#[test]
fn what_is_no_origin_is_not_allowed_as_one() {
    #[rustfmt::skip]
    let rows = [
        "app.example.com", "*", "null", "https://app.example.com/", "https://app.example.com/page",
        "https://app.example.com?x", "https://app.example.com#x", "ftp://app.example.com",
        "https://user@app.example.com", "https://user:canary@app.example.com",
        "https://:canary@app.example.com", "https://good.example.com, app.example.com",
    ];
    for wrong in rows {
        refused(
            &format!("allowed_origins = \"{wrong}\""),
            &["`allowed_origins`"],
        );
        refused_in(
            &[("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", wrong)],
            &["`allowed_origins`"],
        );
    }
}

#[test]
fn a_token_that_could_be_guessed_is_refused() {
    let (_folder, empty) = file("\n");
    let empty = empty.to_str().unwrap();
    for token in ["canary", &TOKEN[..31]] {
        refused_in(
            &[("SEVENDIGITAL_MCP_TOKEN", token)],
            &["`token`", "32 characters"],
        );
        refused(&format!("token = {token:?}"), &["`token`", "32 characters"]);
    }
    refused_in(&[("SEVENDIGITAL_MCP_TOKEN_FILE", empty)], &["`token`"]);
    assert_eq!(
        start("", &[("SEVENDIGITAL_MCP_TOKEN", &TOKEN[..32])]),
        Ok(())
    );
    // What is empty counts as not set, so no other machine is served with it.
    for bind in ["bind", "rest_bind"] {
        let text =
            format!("{bind} = \"0.0.0.0:0\"\nallowed_hosts = \"mcp.example.com\"\ntoken = \"\"");
        check(
            &text,
            &[("SEVENDIGITAL_MCP_TOKEN", "")],
            &[bind, "`token`", "`principals`", "`auth_issuer`"],
        );
    }
}

#[test]
fn others_are_served_once_it_is_known_who_they_are_and_what_they_call_us() {
    let hosts = "allowed_hosts = \"mcp.example.com\"\n";
    let jane = principal("jane", &["reads"], "");
    let trust = format!("{ISSUER}{AUDIENCE}{KEYS}");
    let token = format!("token = \"{TOKEN}\"\n");
    for bind in [
        "bind = \"0.0.0.0:0\"\n",
        "rest_bind = \"[::]:0\"\n",
        "bind = \"192.0.2.1:9090\"\n",
    ] {
        let key = format!("`{}`", bind.split(' ').next().unwrap());
        refused(bind, &[&key, "`token`"]);
        refused(
            &format!("{bind}{hosts}"),
            &[&key, "`token`", "`principals`", "`auth_issuer`"],
        );
        for who in [&token, &trust, &jane] {
            refused(&format!("{bind}{who}"), &[&key, "`allowed_hosts`"]);
            starts(&format!("{bind}{hosts}{who}"));
        }
    }
    starts("bind = \"127.0.0.1:0\"\nrest_bind = \"[::1]:0\"");
}

#[tokio::test]
async fn the_real_program_ends_before_it_listens() {
    let jane = principal("jane", &["read"], "");
    let rows = [
        ("bind = \"0.0.0.0:0\"".to_owned(), "`token`"),
        (jane, "`allow`"),
        (format!("token = \"{}\"", &TOKEN[..20]), "`token`"),
        (format!("{ISSUER}{AUDIENCE}"), "`auth_jwks_uri`"),
        (
            "[limits]\nmax_sessions = 0".to_owned(),
            "`limits.max_sessions`",
        ),
    ];
    for (text, word) in rows {
        let (_folder, path) = file(&text);
        let arguments = ["serve", "--sandbox", "--config", path.to_str().unwrap()];
        let output = program(&arguments, &[]).output().await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(output.stdout.is_empty());
        assert!(told.contains(word) && !told.contains("canary"), "{told}");
        assert!(!told.contains("listening on"), "{told}");
    }
}
