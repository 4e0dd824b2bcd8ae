//! The table of settings: what each is called in the layers, and what it takes.

/// A setting: the names that it has in the layers, and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Key in the file.
    pub key: &'static str,
    /// Environment variable.
    pub variable: &'static str,
    /// Flag, or nothing for what does not belong on a command line.
    pub flag: Option<&'static str>,
    /// What a value must be, as the end of "expected …".
    pub expected: &'static str,
    /// How far a value may be shown.
    pub kind: Kind,
}

/// How far a setting's value may be shown, and where it may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// May be shown.
    Plain,
    /// Never shown; may come from the file that `VARIABLE_FILE` names.
    Secret,
}

const fn setting(
    key: &'static str,
    variable: &'static str,
    flag: Option<&'static str>,
    expected: &'static str,
) -> Setting {
    Setting {
        key,
        variable,
        flag,
        expected,
        kind: Kind::Plain,
    }
}

const fn secret(key: &'static str, variable: &'static str, expected: &'static str) -> Setting {
    Setting {
        key,
        variable,
        flag: None,
        expected,
        kind: Kind::Secret,
    }
}

/// A table of the file, which no single variable or flag stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    /// Key in the file.
    pub(super) key: &'static str,
    /// What it must be, as the end of "expected …".
    pub(super) expected: &'static str,
}

/// Callers by name.
pub(super) const PRINCIPALS: Table = Table {
    key: "principals",
    expected: "tables `[[principals]]` with the texts `name` and `token_sha256` or `subject`, the list `allow`, and if need be `user_id`, or `access_token` and `access_token_secret`",
};
/// The limit sheet. Each of its keys has an environment variable: [`LIMIT_VARIABLE`] and the key in capitals.
pub(super) const LIMITS: Table = Table {
    key: "limits",
    expected: "a table `[limits]` of whole numbers from 1 to 4294967295, by the keys that the README lists",
};
/// How the environment variable of a limit begins.
pub(super) const LIMIT_VARIABLE: &str = "SEVENDIGITAL_MCP_LIMIT_";

/// Every setting, in the order of the README's table.
pub const SETTINGS: &[Setting] = &[
    secret(
        "consumer_key",
        "SEVENDIGITAL_CONSUMER_KEY",
        "the consumer key that 7digital gave you",
    ),
    secret(
        "consumer_secret",
        "SEVENDIGITAL_CONSUMER_SECRET",
        "the consumer secret that 7digital gave you",
    ),
    secret(
        "access_token",
        "SEVENDIGITAL_ACCESS_TOKEN",
        "a user's access token",
    ),
    secret(
        "access_token_secret",
        "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
        "the secret of the user's access token",
    ),
    setting(
        "user_id",
        "SEVENDIGITAL_USER_ID",
        None,
        "the id of a managed user",
    ),
    setting(
        "country",
        "SEVENDIGITAL_COUNTRY",
        None,
        "two letters (ISO 3166-1 alpha-2), such as GB",
    ),
    setting(
        "shop_id",
        "SEVENDIGITAL_SHOP_ID",
        None,
        "a 7digital shop id, such as 34",
    ),
    setting(
        "base_uri",
        "SEVENDIGITAL_BASE_URI",
        Some("--base-uri"),
        "an https URL such as https://api.7digital.com/1.2, or an http URL of a loopback address",
    ),
    setting(
        "oauth_placement",
        "SEVENDIGITAL_OAUTH_PLACEMENT",
        None,
        "`auto`, `query` or `header`",
    ),
    setting(
        "bind",
        "SEVENDIGITAL_MCP_BIND",
        Some("--bind"),
        "ADDRESS:PORT, such as 127.0.0.1:9090",
    ),
    setting(
        "rest_bind",
        "SEVENDIGITAL_MCP_REST_BIND",
        Some("--rest"),
        "ADDRESS:PORT, such as 127.0.0.1:8080",
    ),
    setting(
        "hints",
        "SEVENDIGITAL_MCP_HINTS",
        Some("--hints"),
        "`accurate` or `published`",
    ),
    setting(
        "spending",
        "SEVENDIGITAL_MCP_SPENDING",
        Some("--spending"),
        "`confirm`, `allow` or `off`",
    ),
    setting(
        "read_only",
        "SEVENDIGITAL_MCP_READ_ONLY",
        Some("--read-only"),
        "`true` or `false`",
    ),
    setting(
        "tools",
        "SEVENDIGITAL_MCP_TOOLS",
        Some("--tools"),
        "tool names with commas between them",
    ),
    setting(
        "exclude_tools",
        "SEVENDIGITAL_MCP_EXCLUDE_TOOLS",
        Some("--exclude-tools"),
        "tool names with commas between them",
    ),
    secret(
        "token",
        "SEVENDIGITAL_MCP_TOKEN",
        "a bearer token of at least 32 characters",
    ),
    setting(
        "auth_issuer",
        "SEVENDIGITAL_MCP_AUTH_ISSUER",
        None,
        "the issuer identifier of an OAuth authorization server, such as https://login.example.com",
    ),
    setting(
        "auth_audience",
        "SEVENDIGITAL_MCP_AUTH_AUDIENCE",
        None,
        "the URL by which access tokens name this server, such as https://mcp.example.com/mcp",
    ),
    setting(
        "auth_jwks_uri",
        "SEVENDIGITAL_MCP_AUTH_JWKS_URI",
        None,
        "the URL of the authorization server's keys, such as https://login.example.com/jwks.json",
    ),
    setting(
        "auth_algorithms",
        "SEVENDIGITAL_MCP_AUTH_ALGORITHMS",
        None,
        "names of signature algorithms with commas between them, such as RS256,ES256",
    ),
    setting(
        "allowed_hosts",
        "SEVENDIGITAL_MCP_ALLOWED_HOSTS",
        None,
        "host names with commas between them, such as mcp.example.com",
    ),
    setting(
        "allowed_origins",
        "SEVENDIGITAL_MCP_ALLOWED_ORIGINS",
        None,
        "origins with commas between them, such as https://app.example.com:443",
    ),
    setting(
        "user_from_headers",
        "SEVENDIGITAL_MCP_USER_FROM_HEADERS",
        None,
        "`true` or `false`",
    ),
    setting(
        "state_dir",
        "SEVENDIGITAL_MCP_STATE_DIR",
        Some("--state-dir"),
        "a folder that this server may write to",
    ),
    setting(
        "max_price",
        "SEVENDIGITAL_MCP_MAX_PRICE",
        None,
        "a price in minor units, such as 2000 for 20.00",
    ),
    setting(
        "max_charges_per_minute",
        "SEVENDIGITAL_MCP_MAX_CHARGES_PER_MINUTE",
        None,
        "a whole number",
    ),
    setting(
        "max_charges_per_day",
        "SEVENDIGITAL_MCP_MAX_CHARGES_PER_DAY",
        None,
        "a whole number",
    ),
    setting(
        "daily_budget",
        "SEVENDIGITAL_MCP_DAILY_BUDGET",
        None,
        "a sum in minor units, such as 5000 for 50.00",
    ),
    setting(
        "max_charges_in_flight",
        "SEVENDIGITAL_MCP_MAX_CHARGES_IN_FLIGHT",
        None,
        "a whole number from 1",
    ),
    setting(
        "metrics_bind",
        "SEVENDIGITAL_MCP_METRICS_BIND",
        None,
        "ADDRESS:PORT of this machine, such as 127.0.0.1:9464",
    ),
    setting(
        "otlp_endpoint",
        "SEVENDIGITAL_MCP_OTLP_ENDPOINT",
        None,
        "the http or https URL of a collector, such as http://127.0.0.1:4318",
    ),
    setting(
        "log_format",
        "SEVENDIGITAL_MCP_LOG_FORMAT",
        Some("--log-format"),
        "`text` or `json`",
    ),
    setting(
        "log_filter",
        "RUST_LOG",
        None,
        "a filter such as `info` or `info,sevendigital=debug`",
    ),
    setting(
        "sandbox",
        "SEVENDIGITAL_MCP_SANDBOX",
        Some("--sandbox"),
        "`true` or `false`",
    ),
];
