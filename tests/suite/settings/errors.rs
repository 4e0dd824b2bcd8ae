//! What is said of settings that are wrong, and what never is.

use sevendigital_mcp::config::{Config, Kind, Layers, SETTINGS};

use crate::settings::config::{Given, SWITCHES, all_of, check, file, row_of, setting};

/// Key and value of a setting.
type Value = (&'static str, &'static str);

/// A value that must never be seen.
const CANARY: &str = "canary-in-a-coal-mine-0123456789";

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let of_file = |text: &str| {
        let (_folder, path) = file(text);
        let layers = Layers {
            file: Some(path),
            ..Layers::default()
        };
        Config::load(&layers).unwrap_err().to_string()
    };
    let of_environment = |name: &str| {
        let variables = vec![(name.to_owned(), CANARY.to_owned())];
        let layers = Layers {
            variables,
            ..Layers::default()
        };
        Config::load(&layers).unwrap_err().to_string()
    };
    #[rustfmt::skip]
    let rows = [
        (of_file("consumer_kee = \"canary-in-a-coal-mine-0123456789\""), "`consumer_kee`", "`consumer_key`"),
        (of_file("Bind = \"127.0.0.1:1\""), "`Bind`", "`bind`"),
        (of_file("[server]\nport = 1"), "`server`", ""),
        (of_file("log_filter = \"info\""), "`log_filter`", ""),
        (of_environment("SEVENDIGITAL_CONSUMER_KEE"), "`SEVENDIGITAL_CONSUMER_KEE`", "`SEVENDIGITAL_CONSUMER_KEY`"),
        (of_environment("SEVENDIGITAL_MCP_READONLY"), "`SEVENDIGITAL_MCP_READONLY`", "`SEVENDIGITAL_MCP_READ_ONLY`"),
        (of_environment("SEVENDIGITAL_TOKEN"), "`SEVENDIGITAL_TOKEN`", "did you mean"),
        (of_environment("SEVENDIGITAL_MCP_BIND_FILE"), "`SEVENDIGITAL_MCP_BIND_FILE`", "`SEVENDIGITAL_MCP_BIND`"),
    ];
    for (error, name, suggestion) in rows {
        assert!(
            error.contains(name) && error.contains(suggestion),
            "{error}"
        );
        assert!(!error.contains(CANARY), "{error}");
    }
    let others = vec![
        ("PATH".to_owned(), "/bin".to_owned()),
        ("HOME".to_owned(), "/".to_owned()),
    ];
    let layers = Layers {
        variables: others,
        ..Layers::default()
    };
    assert!(Config::load(&layers).is_ok(), "other programs' variables");
}

#[test]
fn a_wrong_value_is_told_with_key_layer_and_what_was_expected() {
    const WRONG: &[(&str, &[&str])] = &[
        ("country", &["GBR", "G", "44"]),
        (
            "base_uri",
            &[
                "http://api.7digital.com/1.2",
                "api.7digital.com",
                "ftp://127.0.0.1",
                "https://u:p@x.example",
            ],
        ),
        ("oauth_placement", &["body", "Query"]),
        (
            "bind",
            &["9090", "localhost", "127.0.0.1:99999", "nowhere:1"],
        ),
        ("hints", &["true", "honest"]),
        ("spending", &["yes", "ask"]),
        ("read_only", &["maybe", "2"]),
        ("log_format", &["xml"]),
        ("sandbox", &["please"]),
    ];
    for (key, values) in WRONG {
        for value in *values {
            let wrong = vec![(*key, *value)];
            let of = |given: Given| check(&given).map(|_| ()).unwrap_err();
            let variable = setting(key).variable;
            let mut errors = vec![
                (
                    of(Given {
                        file: wrong.clone(),
                        ..Given::default()
                    }),
                    "settings.toml".to_owned(),
                ),
                (
                    of(Given {
                        environment: wrong.clone(),
                        ..Given::default()
                    }),
                    format!("environment variable `{variable}`"),
                ),
            ];
            if let Some(flag) = setting(key).flag.filter(|_| !SWITCHES.contains(key)) {
                errors.push((
                    of(Given {
                        flags: wrong,
                        ..Given::default()
                    }),
                    format!("flag `{flag}`"),
                ));
            }
            for (error, layer) in errors {
                assert!(error.contains(&format!("`{key}`")), "{value}: {error}");
                assert!(error.contains(&layer), "{key} {value}: {error}");
                assert!(
                    error.contains(setting(key).expected),
                    "{key} {value}: {error}"
                );
            }
        }
    }
}

#[test]
fn what_does_not_go_together_is_told_with_the_way_out() {
    #[rustfmt::skip]
    let rows: [(&[(&str, &str)], &str); 8] = [
        (&[("consumer_secret", CANARY)], "SEVENDIGITAL_CONSUMER_KEY"),
        (&[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token", CANARY)], "SEVENDIGITAL_ACCESS_TOKEN_SECRET"),
        (&[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token_secret", CANARY)], "SEVENDIGITAL_ACCESS_TOKEN"),
        (&[("consumer_key", "k"), ("access_token", CANARY), ("access_token_secret", CANARY)], "SEVENDIGITAL_CONSUMER_SECRET"),
        (&[("sandbox", "true"), ("base_uri", "https://x.example")], "base_uri"),
        (&[("token", "short-canary")], "32 characters"),
        (&[("tools", "get-user-lockers")], "`get-user-lockers`"),
        (&[("exclude_tools", "get-user-locker,x")], "`x`"),
    ];
    for (values, expected) in rows {
        for in_file in [true, false] {
            let values = values.to_vec();
            let given = if in_file {
                Given {
                    file: values,
                    ..Given::default()
                }
            } else {
                Given {
                    environment: values,
                    ..Given::default()
                }
            };
            let error = check(&given).map(|_| ()).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}

#[test]
fn a_secret_is_never_shown_not_even_a_wrong_one() {
    for setting in SETTINGS
        .iter()
        .filter(|setting| setting.kind == Kind::Secret)
    {
        let row = row_of(setting.key);
        let values = [&[(setting.key, CANARY)], row.2].concat();
        let config = check(&Given {
            environment: values,
            ..Given::default()
        })
        .unwrap();
        let shown = format!("{config:?} {:#?} {:?}", config, config.credentials());
        assert!(!shown.contains(CANARY), "{}: {shown}", setting.key);
        assert!(all_of(&config).contains(CANARY), "{}", setting.key);
        // A file of the wrong shape: what stands in it is not repeated.
        for text in [
            format!("{} = [\"{CANARY}\"]", setting.key),
            format!("{} = {{ value = \"{CANARY}\" }}", setting.key),
            format!("{} = \"{CANARY}", setting.key),
            format!("{} = {CANARY}", setting.key),
        ] {
            let (_folder, path) = file(&text);
            let layers = Layers {
                file: Some(path),
                ..Layers::default()
            };
            let error = Config::load(&layers).map(|_| ()).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(CANARY), "{shown}");
        }
    }
}

#[test]
fn other_machines_are_served_only_with_a_token_and_known_names() {
    const TOKEN: Value = ("token", "0123456789abcdef0123456789abcdef");
    const HOSTS: Value = ("allowed_hosts", "mcp.example.com");
    #[rustfmt::skip]
    let rows: [(&str, &[Value], Option<&str>); 8] = [
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
        let config = check(&Given {
            environment,
            ..Given::default()
        })
        .unwrap();
        match (config.check_exposure(), missing) {
            (Ok(()), None) => {}
            (Err(error), Some(missing)) => {
                let error = error.to_string();
                assert!(
                    error.contains(missing) && error.contains("`bind`"),
                    "{error}"
                );
            }
            (found, _) => panic!("{bind} {with:?}: {found:?}"),
        }
    }
}
