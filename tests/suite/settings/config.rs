//! Where settings come from, and which of them wins.

use std::path::PathBuf;

use clap::Parser as _;
use sevendigital_mcp::cli::args::Cli;
use sevendigital_mcp::config::{Config, Kind, Layers, SETTINGS, Setting, Spending};
use tempfile::TempDir;

/// Key, two good values, and what else must be set in the same layer.
pub(crate) type Row = (
    &'static str,
    [&'static str; 2],
    &'static [(&'static str, &'static str)],
);

/// Two good values of each setting, and what else must be set in the same layer.
#[rustfmt::skip]
const VALUES: &[Row] = &[
    ("consumer_key", ["key-one", "key-two"], &[]),
    ("consumer_secret", ["secret-one", "secret-two"], &[("consumer_key", "k")]),
    ("access_token", ["token-one", "token-two"], &[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token_secret", "t")]),
    ("access_token_secret", ["hidden-one", "hidden-two"], &[("consumer_key", "k"), ("consumer_secret", "s"), ("access_token", "t")]),
    ("user_id", ["500123", "500124"], &[]),
    ("country", ["GB", "DE"], &[]),
    ("shop_id", ["34", "35"], &[]),
    ("base_uri", ["https://one.example/1.2", "http://127.0.0.1:9070/1.2"], &[]),
    ("oauth_placement", ["query", "header"], &[]),
    ("bind", ["127.0.0.1:9091", "127.0.0.1:0"], &[]),
    ("rest_bind", ["127.0.0.1:8081", "127.0.0.1:0"], &[]),
    ("hints", ["published", "accurate"], &[]),
    ("spending", ["off", "allow"], &[]),
    ("read_only", ["true", "false"], &[]),
    ("tools", ["get-user-locker", "create-user, signup-user"], &[]),
    ("exclude_tools", ["get-user-locker", "create-user,signup-user"], &[]),
    ("token", ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"], &[]),
    ("auth_issuer", ["https://login.example.com", "http://127.0.0.1:8070"], &[("auth_audience", "https://mcp.example.com/mcp"), ("auth_jwks_uri", "https://login.example.com/jwks.json")]),
    ("auth_audience", ["https://mcp.example.com/mcp", "https://mcp.example.com"], &[("auth_issuer", "https://login.example.com"), ("auth_jwks_uri", "https://login.example.com/jwks.json")]),
    ("auth_jwks_uri", ["https://login.example.com/jwks.json", "http://127.0.0.1:8070/jwks"], &[("auth_issuer", "https://login.example.com"), ("auth_audience", "https://mcp.example.com/mcp")]),
    ("auth_algorithms", ["RS256", "ES256,EdDSA"], &[]),
    ("allowed_hosts", ["mcp.example.com", "one.example,two.example"], &[]),
    ("allowed_origins", ["https://one.example:443", "https://one.example:443, https://two.example:443"], &[]),
    ("log_format", ["json", "text"], &[]),
    ("otlp_endpoint", ["http://127.0.0.1:4318", "https://collector.example.com"], &[]),
    ("log_filter", ["debug", "warn"], &[]),
    ("metrics_bind", ["127.0.0.1:9464", "127.0.0.1:0"], &[]),
    ("user_from_headers", ["true", "false"], &[]),
    ("state_dir", ["/tmp/one", "/tmp/two"], &[]),
    ("max_price", ["2000", "3000"], &[]),
    ("max_charges_per_minute", ["2", "3"], &[]),
    ("max_charges_per_day", ["20", "30"], &[]),
    ("daily_budget", ["5000", "6000"], &[]),
    ("max_charges_in_flight", ["4", "5"], &[]),
    ("sandbox", ["true", "false"], &[]),
];

/// Settings whose flag stands for yes and takes no value.
pub(crate) const SWITCHES: [&str; 2] = ["read_only", "sandbox"];

/// Values by layer, as keys of the file; the file's folder lives as long as this.
#[derive(Default)]
pub(crate) struct Given<'a> {
    pub(crate) file: Vec<(&'a str, &'a str)>,
    pub(crate) environment: Vec<(&'a str, &'a str)>,
    pub(crate) flags: Vec<(&'a str, &'a str)>,
}

pub(crate) fn setting(key: &str) -> &'static Setting {
    let found = SETTINGS.iter().find(|setting| setting.key == key);
    found.unwrap_or_else(|| panic!("there is no setting `{key}`"))
}

/// The row of a setting; each new setting needs one.
pub(crate) fn row_of(key: &str) -> &'static Row {
    let row = VALUES.iter().find(|row| row.0 == key);
    row.unwrap_or_else(|| panic!("tests/suite/config.rs: VALUES has no row for `{key}`"))
}

/// A file of that text, in a folder that is removed with the first half.
pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

pub(crate) fn check(given: &Given) -> Result<Config, String> {
    let lines: Vec<String> = given
        .file
        .iter()
        .map(|(key, value)| format!("{key} = {value:?}\n"))
        .collect();
    let (_folder, path) = file(&lines.concat());
    let mut command_line = vec!["sevendigital-mcp".to_owned()];
    for (key, value) in &given.flags {
        let flag = setting(key).flag.unwrap();
        command_line.push(if SWITCHES.contains(key) {
            flag.to_owned()
        } else {
            format!("{flag}={value}")
        });
    }
    let cli = Cli::try_parse_from(command_line).map_err(|error| error.to_string())?;
    let variable =
        |(key, value): &(&str, &str)| (setting(key).variable.to_owned(), (*value).to_owned());
    let layers = Layers {
        file: Some(path),
        variables: given.environment.iter().map(variable).collect(),
        flags: cli.options.given(),
        ..Layers::default()
    };
    Config::load(&layers).map_err(|error| error.to_string())
}

/// All that is in a configuration, secrets too.
pub(crate) fn all_of(config: &Config) -> String {
    let known = config.credentials();
    let consumer = known.consumer.map(|consumer| {
        let secret = consumer.secret.map(|secret| secret.expose().to_owned());
        (consumer.key.expose().to_owned(), secret)
    });
    let token = known.token.map(|token| {
        (
            token.token.expose().to_owned(),
            token.secret.expose().to_owned(),
        )
    });
    let bearer = config.token.as_ref().map(|token| token.expose().to_owned());
    format!("{config:?} {consumer:?} {token:?} {bearer:?}")
}

#[test]
fn each_setting_can_be_given_in_each_layer_and_later_layers_win() {
    for setting in SETTINGS {
        let key = setting.key;
        let (_, [one, two], beside) = row_of(key);
        let with = |value: &'static str| [&[(key, value)], *beside].concat();
        let load =
            |given: Given| all_of(&check(&given).unwrap_or_else(|error| panic!("{key}: {error}")));
        let default = load(Given {
            file: beside_alone(key, beside),
            ..Given::default()
        });

        let in_environment = |value| {
            load(Given {
                environment: with(value),
                ..Given::default()
            })
        };
        assert_ne!(in_environment(one), in_environment(two), "{key}");
        assert!(
            in_environment(one) != default || in_environment(two) != default,
            "{key}"
        );

        // `RUST_LOG` is the whole world's name, so it is not in our file.
        if key != "log_filter" {
            let in_file = load(Given {
                file: with(one),
                ..Given::default()
            });
            assert_eq!(in_file, in_environment(one), "{key}: the file");
            let both = load(Given {
                file: with(one),
                environment: with(two),
                ..Given::default()
            });
            assert_eq!(
                both,
                in_environment(two),
                "{key}: the environment wins over the file"
            );
        }
        if setting.flag.is_some() {
            let flags = vec![(key, *one)];
            let flag = load(Given {
                flags: flags.clone(),
                ..Given::default()
            });
            assert_eq!(flag, in_environment(one), "{key}: the flag");
            let both = load(Given {
                environment: with(two),
                flags,
                ..Given::default()
            });
            assert_eq!(
                both,
                in_environment(one),
                "{key}: the flag wins over the environment"
            );
        } else {
            let whole = setting.kind == Kind::Secret || key.starts_with("auth_");
            assert!(beside.is_empty() || whole, "{key}");
        }
    }
}

/// What must be set beside a setting, as far as it can stand without it.
fn beside_alone<'a>(key: &str, beside: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let half = |other: &str| {
        ["access_token", "auth_"]
            .iter()
            .any(|part| key.starts_with(part) && other.starts_with(part))
    };
    beside
        .iter()
        .copied()
        .filter(|(other, _)| !half(other))
        .collect()
}

#[test]
fn flags_may_stand_before_or_after_the_command() {
    for command_line in [
        &["sevendigital-mcp", "--bind", "127.0.0.1:1", "serve"][..],
        &["sevendigital-mcp", "serve", "--bind", "127.0.0.1:1"],
        &["sevendigital-mcp", "--bind=127.0.0.1:1"],
        &["sevendigital-mcp", "stdio", "--bind", "127.0.0.1:1"],
    ] {
        let cli = Cli::try_parse_from(command_line).unwrap();
        assert_eq!(cli.options.given(), [("bind", "127.0.0.1:1".to_owned())]);
    }
}

#[test]
fn what_is_empty_or_not_filled_in_counts_as_unset() {
    let default = all_of(&check(&Given::default()).unwrap());
    for setting in SETTINGS {
        for value in ["", "  ", "${SEVENDIGITAL_ANY}", "${SEVENDIGITAL_ANY:-}"] {
            let unset = vec![(setting.key, value)];
            let environment = check(&Given {
                environment: unset.clone(),
                ..Given::default()
            });
            assert_eq!(
                all_of(&environment.unwrap()),
                default,
                "{} {value}",
                setting.key
            );
            if setting.key != "log_filter" {
                let file = check(&Given {
                    file: unset,
                    ..Given::default()
                });
                assert_eq!(all_of(&file.unwrap()), default, "{} {value}", setting.key);
            }
        }
        let one = row_of(setting.key);
        let with = [&[(setting.key, one.1[0])], one.2].concat();
        if setting.key != "log_filter" {
            let file = check(&Given {
                file: with.clone(),
                ..Given::default()
            })
            .unwrap();
            let environment = vec![(setting.key, "${X}")];
            let both = check(&Given {
                file: with,
                environment,
                ..Given::default()
            })
            .unwrap();
            assert_eq!(
                all_of(&both),
                all_of(&file),
                "{}: the file's value stays",
                setting.key
            );
        }
    }
}

#[test]
fn a_secret_may_come_from_a_file_that_a_variable_names() {
    for setting in SETTINGS {
        let row = row_of(setting.key);
        let (_folder, path) = file(&format!("{}\n", row.1[0]));
        let mut variables: Vec<(String, String)> = row
            .2
            .iter()
            .map(|(key, value)| (self::setting(key).variable.to_owned(), (*value).to_owned()))
            .collect();
        let plain = [(setting.variable.to_owned(), row.1[0].to_owned())];
        let named = (
            format!("{}_FILE", setting.variable),
            path.display().to_string(),
        );
        let load = |variables: Vec<(String, String)>| {
            let layers = Layers {
                variables,
                ..Layers::default()
            };
            Config::load(&layers).map_err(|error| error.to_string())
        };
        let expected = load([&variables[..], &plain].concat()).unwrap();
        variables.push(named);
        match setting.kind {
            Kind::Secret => {
                let found = load(variables.clone()).unwrap();
                assert_eq!(all_of(&found), all_of(&expected), "{}", setting.key);
                let error = load([&variables[..], &plain].concat()).unwrap_err();
                for part in [
                    setting.variable,
                    &format!("{}_FILE", setting.variable),
                    "unset one",
                ] {
                    assert!(error.contains(part), "{error}");
                }
                let mut missing = variables.clone();
                missing.last_mut().unwrap().1 = "/no/such/file".to_owned();
                let error = load(missing).unwrap_err();
                assert!(error.contains("can't be read"), "{error}");
            }
            // `RUST_LOG_FILE` is somebody else's business.
            Kind::Plain if setting.key == "log_filter" => assert!(load(variables).is_ok()),
            Kind::Plain => {
                let error = load(variables).unwrap_err();
                assert!(error.contains("_FILE`"), "{error}");
            }
        }
    }
}

#[test]
fn spending_is_asked_about_on_a_live_host_and_allowed_on_loopback() {
    for (base_uri, spending, expected) in [
        ("", "", Spending::Confirm),
        ("https://api.7digital.com/1.2", "", Spending::Confirm),
        ("https://127.0.0.1.example/1.2", "", Spending::Confirm),
        ("http://127.0.0.1:9070/1.2", "", Spending::Allow),
        ("http://localhost:9070/1.2", "", Spending::Allow),
        ("http://[::1]:9070/1.2", "", Spending::Allow),
        ("http://127.0.0.1:9070/1.2", "confirm", Spending::Confirm),
        ("", "allow", Spending::Allow),
        ("http://127.0.0.1:9070/1.2", "off", Spending::Off),
    ] {
        let environment = vec![("base_uri", base_uri), ("spending", spending)];
        let config = check(&Given {
            environment,
            ..Given::default()
        })
        .unwrap();
        assert_eq!(config.spending(), expected, "{base_uri} {spending}");
    }
}
