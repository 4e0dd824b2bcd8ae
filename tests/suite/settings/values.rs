//! Values as tools and people leave them: what stands around them, what was never filled in, and what was meant.

use std::fs;

use sevendigital_mcp::config::{Config, Layers, SETTINGS, Setting};

use super::config::{Values, all_of, file, load, row_of, setting};

/// What `kubectl create secret --from-file`, `echo`, editors and clipboards leave before and after a value.
const AROUND: [(&str, &str); 8] = [
    ("", "\n"),
    ("", "\r\n"),
    ("", "\n\n"),
    ("\u{feff}", ""),
    ("\u{feff}", "\r\n"),
    (" ", " \t"),
    ("\n", "\u{feff}"),
    ("\u{a0}", "\u{200b}"),
];

/// The settings of an environment, by the names of variables.
fn environment(variables: &[(&str, &str)]) -> Result<Config, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let layers = Layers {
        variables: variables.iter().map(owned).collect(),
        ..Layers::default()
    };
    Config::load(&layers).map_err(|error| error.to_string())
}

/// The settings of a file of these bytes.
fn of_file(bytes: &[u8]) -> Result<Config, String> {
    let (_folder, path) = file("");
    fs::write(&path, bytes).unwrap();
    let layers = Layers {
        file: Some(path),
        ..Layers::default()
    };
    Config::load(&layers).map_err(|error| error.to_string())
}

/// The bytes of a text in UTF-16, with or without its mark, in either order.
fn utf16(text: &str) -> [Vec<u8>; 3] {
    let units = || text.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    [
        [&[0xff, 0xfe][..], &little].concat(),
        [&[0xfe, 0xff][..], &big].concat(),
        little,
    ]
}

/// A setting beside what it needs.
fn with<'a>(key: &'a str, value: &'a str, beside: Values<'a>) -> Vec<(&'a str, &'a str)> {
    [&[(key, value)], beside].concat()
}

#[test]
fn what_stands_around_a_value_is_no_part_of_it() {
    for setting in SETTINGS.iter() {
        let (key, ([value, _], beside)) = (&*setting.key, row_of(setting));
        let plain = all_of(&load(&[], &with(key, value, beside), &[]).unwrap());
        for (before, after) in AROUND {
            let framed = format!("{before}{value}{after}");
            let of_variable = load(&[], &with(key, &framed, beside), &[]).unwrap();
            assert_eq!(all_of(&of_variable), plain, "{key}: {framed:?}");
            if setting.is_in_file() {
                // Rust writes some escapes that TOML does not have.
                let quoted = serde_json::to_string(&framed).unwrap();
                let rest = beside
                    .iter()
                    .map(|(key, value)| format!("{key} = {value:?}\n"));
                let text = format!("{key} = {quoted}\n{}", rest.collect::<String>());
                let of_file = of_file(text.as_bytes()).unwrap();
                assert_eq!(all_of(&of_file), plain, "{key}: {framed:?}");
            }
            if setting.is_secret {
                let (_folder, path) = file(&framed);
                let path = format!("{}\n", path.display());
                let name = format!("{}_FILE", setting.variable);
                let beside = beside.iter();
                let beside = beside.map(|(key, value)| (&*self::setting(key).variable, *value));
                let variables: Vec<_> = beside.chain([(&*name, &*path)]).collect();
                let of_secret = environment(&variables).unwrap();
                assert_eq!(all_of(&of_secret), plain, "{name}: {framed:?}");
            }
        }
    }
}

#[test]
fn the_secrets_of_a_principal_are_trimmed_too() {
    let principal = |before: &str, after: &str| {
        let digest = "0".repeat(64);
        let value = |text: &str| serde_json::to_string(&format!("{before}{text}{after}")).unwrap();
        let text = format!(
            "consumer_key = \"k\"\nconsumer_secret = \"s\"\n[[principals]]\nname = \"jane\"\nallow = [\"reads\"]\ntoken_sha256 = {}\naccess_token = {}\naccess_token_secret = {}\n",
            value(&digest),
            value("token"),
            value("secret"),
        );
        let config = of_file(text.as_bytes()).unwrap();
        let jane = &config.principals[0];
        let token = jane.token().unwrap();
        let (token, secret) = (
            token.token.expose().to_owned(),
            token.secret.expose().to_owned(),
        );
        (jane.digest(), token, secret)
    };
    for (before, after) in AROUND {
        assert_eq!(
            principal(before, after),
            principal("", ""),
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark() {
    let config = of_file("\u{feff}country = \"DE\"\r\n".as_bytes()).unwrap();
    assert_eq!(config.country.as_deref(), Some("DE"));
}

#[test]
fn utf_16_is_an_error_that_says_what_to_do() {
    for bytes in utf16("consumer_key = \"canary\"\n") {
        let error = of_file(&bytes).map(drop).unwrap_err();
        assert!(error.contains("settings.toml` is UTF-16"), "{error}");
        assert!(error.contains("UTF-8"), "{error}");
    }
    for bytes in utf16("canary") {
        let (_folder, path) = file("");
        fs::write(&path, bytes).unwrap();
        let named = ("SEVENDIGITAL_CONSUMER_KEY_FILE", path.to_str().unwrap());
        let error = environment(&[named]).map(drop).unwrap_err();
        for part in ["`consumer_key`", named.0, "is UTF-16", "UTF-8"] {
            assert!(error.contains(part), "{error}");
        }
    }
    let error = of_file(b"country = \"G\xfc\"").map(drop).unwrap_err();
    assert!(error.contains("is not UTF-8"), "{error}");
}

#[rustfmt::skip]
const PLACEHOLDERS: [&str; 26] = [
    "…", "...", "....", "<your key>", "<key>", "xxx", "XXXXXXXX", "YOUR_KEY", "your-consumer-key", "YourKey", "yourConsumerKeyHere",
    "changeme", "CHANGE_ME", "replace-me", "[key]", "{{ key }}", "{key}", "$SEVENDIGITAL_CONSUMER_KEY", "%SEVENDIGITAL_CONSUMER_KEY%",
    "***", "TODO", "\"…\"", "abc…", "SEVENDIGITAL_CONSUMER_KEY", "key-goes-here", "undefined",
];

/// The settings that a placeholder in them leaves unset: those that say who calls 7digital, and for whom.
fn is_pasted(setting: &Setting) -> bool {
    let own = setting.variable.starts_with("SEVENDIGITAL_MCP_");
    setting.is_in_file() && !own && !["base_uri", "oauth_placement"].contains(&&*setting.key)
}

#[test]
fn a_placeholder_that_was_pasted_counts_as_not_set() {
    let pasted = SETTINGS.iter().filter(|setting| is_pasted(setting));
    let default = load(&[], &[], &[]).unwrap();
    for setting in pasted {
        let key = &*setting.key;
        for value in PLACEHOLDERS {
            let in_file = load(&[(key, value)], &[], &[]).unwrap();
            let in_environment = load(&[], &[(key, value)], &[]).unwrap();
            for (mut config, layer) in [
                (in_file, "settings.toml"),
                (in_environment, &*setting.variable),
            ] {
                let warnings = std::mem::take(&mut config.warnings);
                let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
                assert_eq!(all_of(&config), all_of(&default), "{key} {value}");
                let [warning] = &*warnings else {
                    panic!("{key} {value}: {warnings:?}")
                };
                for part in [
                    &format!("`{key}`"),
                    layer,
                    "placeholder",
                    setting.expected(),
                ] {
                    assert!(warning.contains(part), "{warning}");
                }
                assert!(
                    value.len() < 8
                        || setting.variable == value
                        || !warning.contains(value)
                        || warning.contains("SEVENDIGITAL"),
                    "{warning}"
                );
            }
        }
    }
    let (_folder, path) = file("\n");
    let named = ("SEVENDIGITAL_CONSUMER_KEY_FILE", path.to_str().unwrap());
    let config = environment(&[named]).unwrap();
    assert!(config.consumer_key.is_none() && config.warnings.len() == 1);
}

#[test]
fn a_placeholder_opens_nothing() {
    for value in PLACEHOLDERS {
        let error = load(&[], &[("token", value)], &[]).map(drop).unwrap_err();
        assert!(error.contains("`token`"), "{value}: {error}");
    }
}

#[test]
fn what_is_a_key_is_no_placeholder() {
    #[rustfmt::skip]
    let keys = ["7d4vr6cgb392", "k", "x", "key-one", "sandbox-key", "Yourcenar", "a.b-c_d", "5x5x", "there", "pa$$word", "<3", "nullable"];
    for key in keys {
        let config = load(&[], &[("consumer_key", key)], &[]).unwrap();
        assert_eq!(config.consumer_key.unwrap().expose(), key);
        assert_eq!(config.warnings, [], "{key}");
    }
}

#[test]
fn a_country_is_one_and_the_one_that_was_meant_is_named() {
    let rows = [
        ("UK", "did you mean GB?"),
        ("uk", "did you mean GB?"),
        ("GBR", "did you mean GB?"),
        ("USA", "did you mean US?"),
        ("England", "did you mean GB?"),
        ("Germany", "did you mean DE?"),
        ("EL", "did you mean GR?"),
        ("ZZ", "that is no country"),
        ("XX", "that is no country"),
        ("44", "that is no country"),
    ];
    for (value, expected) in rows {
        for error in [
            load(&[("country", value)], &[], &[]),
            load(&[], &[("country", value)], &[]),
        ] {
            let error = error.map(drop).unwrap_err();
            assert!(
                error.contains("`country`") && error.contains(expected),
                "{error}"
            );
        }
    }
    // XW is 7digital's shop for the rest of the world.
    for (value, code) in [("gb", "GB"), (" DE ", "DE"), ("XW", "XW"), ("XK", "XK")] {
        let config = load(&[], &[("country", value)], &[]).unwrap();
        assert_eq!(config.country.as_deref(), Some(code));
    }
}

#[test]
fn localhost_is_an_address_to_listen_on_and_no_other_name_is() {
    for key in ["bind", "rest_bind", "metrics_bind"] {
        let shown = |value: &str| load(&[], &[(key, value)], &[]).map(|config| all_of(&config));
        let address = shown("127.0.0.1:9191");
        assert!(address.is_ok());
        assert_eq!(shown("localhost:9191"), address);
        assert_eq!(shown("LOCALHOST:9191"), address);
        for wrong in [
            "localhost",
            "localhost:",
            "localhost:99999",
            "localhost:http",
            "example.com:80",
            "localhost.:80",
        ] {
            let error = shown(wrong).unwrap_err();
            assert!(
                error.contains("ADDRESS:PORT") && error.contains(&format!("`{key}`")),
                "{error}"
            );
        }
    }
    let by_flag = load(
        &[],
        &[],
        &[("bind", "localhost:9191"), ("rest_bind", "localhost:0")],
    );
    assert_eq!(by_flag.unwrap().bind.to_string(), "127.0.0.1:9191");
}

#[test]
fn a_number_out_of_range_is_told_with_its_name_and_range() {
    #[rustfmt::skip]
    let rows = [
        ("max_sessions", "4294967296", "`limits.max_sessions`", "from 1 to 4294967295"),
        ("header_timeout", "50d", "`limits.header_timeout`", "from `1ms` to `49d`"),
        ("confirm_wait", "0s", "`confirm_wait`", "from `1ms` to `49d`"),
        ("ledger_keep", "1h", "`ledger_keep`", "from `1d` to `100y`"),
        ("max_price", "4294967296", "`max_price`", "from 0 to 4294967295"),
        ("max_charges_per_minute", "-1", "`max_charges_per_minute`", "from 0 to 4294967295"),
        ("max_charges_per_day", "99999999999", "`max_charges_per_day`", "from 0 to 4294967295"),
        ("max_charges_in_flight", "0", "`max_charges_in_flight`", "from 1 to 4294967295"),
        ("daily_budget", "1.5", "`daily_budget`", "from 0 to 18446744073709551615"),
    ];
    for (key, value, name, range) in rows {
        for error in [
            load(&[(key, value)], &[], &[]),
            load(&[], &[(key, value)], &[]),
        ] {
            let error = error.map(drop).unwrap_err();
            assert!(error.contains(name) && error.contains(range), "{error}");
        }
    }
}
