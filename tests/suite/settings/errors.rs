//! What is reported of settings that are wrong, and what never is.

use sevendigital_mcp::config::{Config, LIMITS, Layers, SETTINGS};

use crate::settings::config::{SWITCHES, Values, all_of, file, load, row_of, setting};

/// A value that must never be seen.
const CANARY: &str = "canary-in-a-coal-mine-0123456789";

/// What is wrong with a file of that text.
fn error_of_file(text: &str) -> String {
    let (_folder, path) = file(text);
    let layers = Layers {
        file: Some(path),
        ..Layers::default()
    };
    let error = Config::load(&layers).unwrap_err();
    format!("{error} {error:?}")
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let of_environment = |name: &str| {
        let layers = Layers {
            variables: vec![(name.to_owned(), CANARY.to_owned())],
            ..Layers::default()
        };
        Config::load(&layers)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    #[rustfmt::skip]
    let files = [
        ("consumer_kee = \"canary-in-a-coal-mine-0123456789\"", "`consumer_kee`", "`consumer_key`"),
        ("Bind = \"127.0.0.1:1\"", "`Bind`", "`bind`"),
        ("[server]\nport = 1", "`server`", ""),
        ("log_filter = \"info\"", "`log_filter`", ""),
        ("[limits]\nxyz = 1", "`xyz`", "docs/"),
        ("[limits]\nMax_sessions = 1", "table `[limits]`", "`max_sessions`"),
        ("[limits]\nmax_sesions = 1", "`max_sesions`", "`max_sessions`"),
    ];
    let variables = [
        ("SEVENDIGITAL_CONSUMER_KEE", "`SEVENDIGITAL_CONSUMER_KEY`"),
        ("SEVENDIGITAL_MCP_READONLY", "`SEVENDIGITAL_MCP_READ_ONLY`"),
        ("SEVENDIGITAL_TOKEN", "did you mean"),
        ("SEVENDIGITAL_MCP_BIND_FILE", "`SEVENDIGITAL_MCP_BIND`"),
        ("SEVENDIGITAL_MCP_LIMIT_BODY_BYTE", "`body_bytes`"),
        ("SEVENDIGITAL_MCP_LIMIT_XYZ", "docs/"),
    ];
    let files = files.map(|(text, name, nearest)| (error_of_file(text), name, nearest));
    let variables =
        variables.map(|(name, nearest)| (of_environment(name).unwrap_err(), name, nearest));
    for (error, name, nearest) in files.into_iter().chain(variables) {
        assert!(error.contains(name) && error.contains(nearest), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
    for other in ["PATH", "HOME"] {
        assert!(of_environment(other).is_ok(), "other programs' variables");
    }
}

#[test]
fn a_wrong_value_is_reported_with_key_layer_and_what_was_expected() {
    #[rustfmt::skip]
    const WRONG: &[(&str, &[&str])] = &[
        ("country", &["GBR", "G", "44", "UK", "ZZ"]),
        ("base_uri", &["http://api.7digital.com/1.2", "api.7digital.com", "ftp://127.0.0.1", "https://u:p@x.example"]),
        ("oauth_placement", &["body", "Query"]),
        ("bind", &["9090", "localhost", "127.0.0.1:99999", "nowhere:1"]),
        ("hints", &["true", "honest"]),
        ("spending", &["yes", "ask"]),
        ("read_only", &["maybe", "2"]),
        ("max_price", &["9.99", "-1", "4294967296"]),
        ("log_format", &["xml"]),
        ("sandbox", &["please"]),
        ("max_sessions", &["0", "-1", "many", "4294967296"]),
        ("caller_reads_burst", &["0"]),
        ("header_timeout", &["300", "0s", "0.0005s", "999us", "10 apples", "50d", "1000000years", "-1s"]),
    ];
    for (key, values) in WRONG {
        let setting = setting(key);
        let variable = format!("environment variable `{}`", setting.variable);
        for value in *values {
            let wrong = [(*key, *value)];
            let mut errors = vec![
                (load(&wrong, &[], &[]), "settings.toml".to_owned()),
                (load(&[], &wrong, &[]), variable.clone()),
            ];
            if let Some(flag) = setting.flag.as_ref().filter(|_| !SWITCHES.contains(key)) {
                errors.push((load(&[], &[], &wrong), format!("flag `{flag}`")));
            }
            for (found, layer) in errors {
                let error = found.map(drop).unwrap_err();
                for part in [&format!("`{}`", setting.path()), &layer, setting.expected()] {
                    assert!(error.contains(part), "{key} {value}: {error}");
                }
            }
        }
    }
    let number = error_of_file("limits.header_timeout = 300");
    assert!(
        number.contains("such as `500ms`, `10s` or `2m`"),
        "{number}"
    );
}

#[test]
fn no_limit_is_zero_and_none_is_unbounded() {
    for limit in LIMITS.iter() {
        let path = limit.path();
        for wrong in ["0", "-1", "4294967296", "1.5", "canary"] {
            let values = [(&*limit.key, wrong)];
            let in_file = load(&values, &[], &[]).map(drop).unwrap_err();
            let in_environment = load(&[], &values, &[]).map(drop).unwrap_err();
            let bare = error_of_file(&format!("{path} = {wrong}"));
            for error in [in_file, bare] {
                assert!(error.contains("settings.toml"), "{path} {wrong}: {error}");
            }
            for part in [&path, &limit.variable] {
                assert!(
                    in_environment.contains(part),
                    "{part} {wrong}: {in_environment}"
                );
            }
        }
    }
    let error = error_of_file("limits = 5");
    assert!(error.contains("`limits`"), "{error}");
}

#[test]
fn what_does_not_go_together_is_reported_with_the_way_out() {
    #[rustfmt::skip]
    let rows: [(Values, &str); 9] = [
        (&[("consumer_secret", CANARY)], "SEVENDIGITAL_CONSUMER_KEY"),
        (&[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token", CANARY)], "SEVENDIGITAL_ACCESS_TOKEN_SECRET"),
        (&[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token_secret", CANARY)], "SEVENDIGITAL_ACCESS_TOKEN"),
        (&[("consumer_key", "k"), ("access_token", CANARY), ("access_token_secret", CANARY)], "SEVENDIGITAL_CONSUMER_SECRET"),
        (&[("sandbox", "true"), ("base_uri", "https://x.example")], "base_uri"),
        (&[("token", "short-canary")], "32 characters"),
        (&[("change_deadline", "50s")], "`limits.drain_changes_timeout`"),
        (&[("tools", "get-user-lockers")], "`get-user-lockers`"),
        (&[("exclude_tools", "get-user-locker,x")], "`x`"),
    ];
    for (values, expected) in rows {
        for error in [load(values, &[], &[]), load(&[], values, &[])] {
            let error = error.map(drop).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}

#[test]
fn a_secret_is_never_shown_not_even_a_wrong_one() {
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret) {
        let (key, (_, beside)) = (&*setting.key, row_of(setting));
        let values = [&[(key, CANARY)], beside].concat();
        let config = load(&[], &values, &[]).unwrap();
        let shown = format!("{config:?} {config:#?} {:?}", config.credentials());
        assert!(!shown.contains(CANARY), "{key}: {shown}");
        assert!(all_of(&config).contains(CANARY), "{key}");
        // A file of the wrong shape: what stands in it is not repeated.
        for text in [
            format!("{key} = [\"{CANARY}\"]"),
            format!("{key} = {{ value = \"{CANARY}\" }}"),
            format!("{key} = \"{CANARY}"),
            format!("{key} = {CANARY}"),
        ] {
            let error = error_of_file(&text);
            assert!(!error.contains(CANARY), "{error}");
        }
    }
}

#[test]
fn other_machines_are_served_only_with_a_token_and_known_names() {
    const TOKEN: (&str, &str) = ("token", "0123456789abcdef0123456789abcdef");
    const HOSTS: (&str, &str) = ("allowed_hosts", "mcp.example.com");
    #[rustfmt::skip]
    let rows: [(&str, Values, Option<&str>); 8] = [
        ("127.0.0.1:9090", &[], None),
        ("127.9.9.9:0", &[], None),
        ("[::1]:9090", &[], None),
        ("0.0.0.0:9090", &[], Some("SEVENDIGITAL_MCP_TOKEN")),
        ("[::]:9090", &[HOSTS], Some("SEVENDIGITAL_MCP_TOKEN")),
        ("192.0.2.1:9090", &[TOKEN], Some("SEVENDIGITAL_MCP_ALLOWED_HOSTS")),
        ("0.0.0.0:9090", &[TOKEN, HOSTS], None),
        ("[::ffff:127.0.0.1]:9090", &[TOKEN, HOSTS], None),
    ];
    for (bind, with, missing) in rows {
        let environment = [&[("bind", bind)], with].concat();
        let config = load(&[], &environment, &[]).unwrap();
        let error = config.check_exposure().err().map(|error| error.to_string());
        assert_eq!(error.is_some(), missing.is_some(), "{bind} {with:?}");
        if let Some((error, missing)) = error.zip(missing) {
            assert!(
                error.contains(missing) && error.contains("`bind`"),
                "{error}"
            );
        }
    }
}
