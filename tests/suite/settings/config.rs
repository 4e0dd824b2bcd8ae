//! Where settings come from, and which of them wins.

use std::path::PathBuf;

use clap::Parser as _;
use sevendigital_mcp::cli::args::Cli;
use sevendigital_mcp::config::{Config, LIMITS, Layers, SETTINGS, Setting, Spending};
use tempfile::TempDir;

/// Keys and values.
pub(crate) type Values<'a> = &'a [(&'a str, &'a str)];

/// Key, two good values, and what else must be set in the same layer.
type Row = (&'static str, [&'static str; 2], Values<'static>);

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
    ("confirm_with", ["browser", "client, terminal"], &[]),
    ("confirm_wait", ["5s", "50s"], &[]),
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
    ("ledger_url", ["postgres://one@127.0.0.1:1/ledger", "postgres://two@127.0.0.1:1/ledger"], &[]),
    ("ledger_keep", ["30d", "2y"], &[]),
    ("max_price", ["2000", "3000"], &[]),
    ("max_charges_per_minute", ["2", "3"], &[]),
    ("max_charges_per_day", ["20", "30"], &[]),
    ("daily_budget", ["5000", "6000"], &[]),
    ("max_charges_in_flight", ["4", "5"], &[]),
    ("sandbox", ["true", "false"], &[]),
];

/// Settings whose flag stands for yes and takes no value.
pub(crate) const SWITCHES: [&str; 2] = ["read_only", "sandbox"];

/// The setting or the limit of that key.
pub(crate) fn setting(key: &str) -> &'static Setting {
    let found = SETTINGS
        .iter()
        .chain(LIMITS.iter())
        .find(|setting| setting.key == key);
    found.unwrap_or_else(|| panic!("there is no setting `{key}`"))
}

/// Two good values of a setting, and what must be set beside it. Each new setting needs a row; limits need none.
pub(crate) fn row_of(setting: &Setting) -> ([&'static str; 2], Values<'static>) {
    let key = &setting.key;
    match VALUES.iter().find(|row| row.0 == key) {
        Some((_, values, beside)) => (*values, beside),
        None if setting.expected().contains("duration") => (["46s", "47s"], &[]),
        None if setting.path() != *key => (["7", "8"], &[]),
        None => panic!("tests/suite/config.rs: VALUES has no row for `{key}`"),
    }
}

/// A file of that text, in a folder that is removed with the first half.
pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// The settings of a file, an environment and a command line that hold these values.
pub(crate) fn load(in_file: Values, environment: Values, flags: Values) -> Result<Config, String> {
    let line = |(key, value): &(&str, &str)| format!("{} = {value:?}\n", setting(key).path());
    let (_folder, path) = file(&in_file.iter().map(line).collect::<String>());
    let flag = |(key, value): &(&str, &str)| {
        let flag = setting(key).flag.clone().unwrap();
        if SWITCHES.contains(key) {
            flag
        } else {
            format!("{flag}={value}")
        }
    };
    let program = ["sevendigital-mcp".to_owned()];
    let command_line = program.into_iter().chain(flags.iter().map(flag));
    let cli = Cli::try_parse_from(command_line).map_err(|error| error.to_string())?;
    let variable =
        |(key, value): &(&str, &str)| (setting(key).variable.clone(), (*value).to_owned());
    let layers = Layers {
        file: Some(path),
        variables: environment.iter().map(variable).collect(),
        flags: cli.flags.given,
        ..Layers::default()
    };
    Config::load(&layers).map_err(|error| error.to_string())
}

/// All that is in a configuration, secrets too.
pub(crate) fn all_of(config: &Config) -> String {
    let secrets = [
        &config.consumer_key,
        &config.consumer_secret,
        &config.access_token,
        &config.access_token_secret,
        &config.token,
        &config.ledger_url,
    ];
    let secrets = secrets.map(|secret| secret.as_ref().map(|secret| secret.expose().to_owned()));
    let mut values = config.clone();
    values.origins.clear();
    format!("{values:?} {secrets:?}")
}

#[test]
fn each_setting_can_be_given_in_each_layer_and_later_layers_win() {
    for setting in SETTINGS.iter().chain(LIMITS.iter()) {
        let key = &*setting.key;
        let ([one, two], beside) = row_of(setting);
        let with = |value| [&[(key, value)], beside].concat();
        let shown = |file: Values, environment: Values, flags: Values| {
            let config = load(file, environment, flags);
            all_of(&config.unwrap_or_else(|error| panic!("{key}: {error}")))
        };
        let first = shown(&[], &with(one), &[]);
        let second = shown(&[], &with(two), &[]);
        let default = shown(&beside_alone(key, beside), &[], &[]);
        assert_ne!(first, second, "{key}");
        assert!(first != default || second != default, "{key}");
        if setting.is_in_file() {
            assert_eq!(shown(&with(one), &[], &[]), first, "{key}: the file");
            let both = shown(&with(one), &with(two), &[]);
            assert_eq!(both, second, "{key}: the environment wins over the file");
        }
        if setting.flag.is_some() {
            assert_eq!(shown(&[], &[], &[(key, one)]), first, "{key}: the flag");
            let both = shown(&[], &with(two), &[(key, one)]);
            assert_eq!(both, first, "{key}: the flag wins over the environment");
        }
    }
}

/// What must be set beside a setting, as far as it can stand without it.
fn beside_alone<'a>(key: &str, beside: Values<'a>) -> Vec<(&'a str, &'a str)> {
    let half = |other: &str| {
        ["access_token", "auth_"]
            .iter()
            .any(|part| key.starts_with(part) && other.starts_with(part))
    };
    let beside = beside.iter().copied();
    beside.filter(|(other, _)| !half(other)).collect()
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
        let given = cli.flags.given.iter();
        let given: Vec<_> = given
            .map(|(setting, value)| (&*setting.key, &**value))
            .collect();
        assert_eq!(given, [("bind", "127.0.0.1:1")]);
    }
}

#[test]
fn what_is_empty_or_not_filled_in_counts_as_unset() {
    let shown = |file: Values, environment: Values| all_of(&load(file, environment, &[]).unwrap());
    let default = shown(&[], &[]);
    for setting in SETTINGS.iter().chain(LIMITS.iter()) {
        let key = &*setting.key;
        for value in ["", "  ", "${SEVENDIGITAL_ANY}", "${SEVENDIGITAL_ANY:-}"] {
            assert_eq!(shown(&[], &[(key, value)]), default, "{key} {value}");
            if setting.is_in_file() {
                assert_eq!(shown(&[(key, value)], &[]), default, "{key} {value}");
            }
        }
        if setting.is_in_file() {
            let ([one, _], beside) = row_of(setting);
            let file = [&[(key, one)], beside].concat();
            let both = shown(&file, &[(key, "${X}")]);
            assert_eq!(both, shown(&file, &[]), "{key}: the file's value stays");
        }
    }
}

#[test]
fn a_secret_may_come_from_a_file_that_a_variable_names() {
    for setting in SETTINGS.iter() {
        let ([value, _], beside) = row_of(setting);
        let (_folder, path) = file(&format!("{value}\n"));
        let variable = &setting.variable;
        let load = |own: &[(&str, &str)]| {
            let beside = beside
                .iter()
                .map(|(key, value)| (&*self::setting(key).variable, *value));
            let all = beside.chain(own.iter().copied());
            let layers = Layers {
                variables: all
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                ..Layers::default()
            };
            Config::load(&layers).map_err(|error| error.to_string())
        };
        let plain = (&**variable, value);
        let name = format!("{variable}_FILE");
        let named = (&*name, path.to_str().unwrap());
        let found = load(&[named]);
        if setting.is_secret {
            let expected = load(&[plain]).unwrap();
            assert_eq!(all_of(&found.unwrap()), all_of(&expected), "{variable}");
            let error = load(&[named, plain]).unwrap_err();
            for part in [&**variable, &name, "unset one"] {
                assert!(error.contains(part), "{error}");
            }
            let error = load(&[(&name, "/no/such/file")]).unwrap_err();
            assert!(error.contains("can't be read"), "{error}");
        } else if setting.is_in_file() {
            let error = found.unwrap_err();
            assert!(error.contains("_FILE`"), "{error}");
        } else {
            // `RUST_LOG_FILE` is another program's.
            assert!(found.is_ok());
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
        let environment = [("base_uri", base_uri), ("spending", spending)];
        let config = load(&[], &environment, &[]).unwrap();
        assert_eq!(config.spending(), expected, "{base_uri} {spending}");
    }
}
