//! Every setting, declared once: its name, type and documentation, what it is called in each layer, and its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_with::{As, DisplayFromStr};
use sevendigital::{BaseUri, Consumer, Credentials, Placement, Secret, Token};
use url::Url;

use super::error::ConfigError;
use super::limits::Limits;
use super::origins::Origin;
use super::principals::Principal;
use super::values::{address, country, human_duration, keeping, optional_address, optional_whole};

/// The names of this machine to itself.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The root of 7digital's live API.
pub(super) const DEFAULT_BASE_URI: &str = "https://api.7digital.com/1.2";

/// All settings, checked.
///
/// Each field is the declaration of a setting. `--help`, the layers and the table in docs/configuration.md are made from it:
/// the doc comment says what the setting does; `extend` says what its type can't, with the keys of [`Setting`](super::Setting).
/// The variable is `SEVENDIGITAL_MCP_` and the key in capitals where `env` names no other.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Config {
    /// Consumer key, which 7digital gives to its partners.
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_CONSUMER_KEY", "secret" = true, "expected" = "the consumer key that 7digital gave you"))]
    pub consumer_key: Option<Secret>,
    /// Secret of the consumer key; without it requests are sent unsigned, with the key alone.
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_CONSUMER_SECRET", "secret" = true, "expected" = "the consumer secret that 7digital gave you"))]
    pub consumer_secret: Option<Secret>,
    /// Program and arguments that print the secret of the consumer key, run where no other source has it; in the file alone.
    #[serde(default)]
    #[schemars(skip)]
    pub(super) consumer_secret_command: Vec<String>,
    /// A user's access token.
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_ACCESS_TOKEN", "secret" = true, "expected" = "a user's access token"))]
    pub access_token: Option<Secret>,
    /// Secret of the access token.
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_ACCESS_TOKEN_SECRET", "secret" = true, "expected" = "the secret of the user's access token"))]
    pub access_token_secret: Option<Secret>,
    /// The managed user that calls without a token are for.
    #[schemars(extend("env" = "SEVENDIGITAL_USER_ID", "expected" = "the id of a managed user"))]
    pub user_id: Option<String>,
    /// Country in two letters; sent where a call names none.
    #[serde(default, deserialize_with = "country")]
    #[schemars(extend("env" = "SEVENDIGITAL_COUNTRY", "expected" = "two letters (ISO 3166-1 alpha-2), such as GB"))]
    pub country: Option<String>,
    /// Shop id, the older alternative to a country.
    #[schemars(extend("env" = "SEVENDIGITAL_SHOP_ID", "expected" = "a 7digital shop id, such as 34"))]
    pub shop_id: Option<String>,
    /// Root of 7digital's API; http is accepted for loopback only.
    #[serde(with = "As::<DisplayFromStr>")]
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_BASE_URI", "flag" = "--base-uri", "value" = "URL"))]
    #[schemars(extend("default" = DEFAULT_BASE_URI, "expected" = "an https URL such as https://api.7digital.com/1.2, or an http URL of a loopback address"))]
    pub base_uri: BaseUri,
    /// Where OAuth parameters stand: in the `query`, in the `header`, or as the method asks for (`auto`).
    #[schemars(with = "String", extend("env" = "SEVENDIGITAL_OAUTH_PLACEMENT", "default" = "auto", "expected" = "`auto`, `query` or `header`"))]
    pub oauth_placement: Placement,
    /// Where `serve` serves MCP over HTTP; port 0 picks a free one.
    #[serde(deserialize_with = "address")]
    #[schemars(extend("flag" = "--bind", "value" = "ADDRESS:PORT", "default" = "127.0.0.1:9090", "expected" = "ADDRESS:PORT, such as 127.0.0.1:9090 or localhost:9090"))]
    pub bind: SocketAddr,
    /// Where `serve` serves the tools as REST too, with a page about them at /docs.
    #[serde(default, deserialize_with = "optional_address")]
    #[schemars(extend("flag" = "--rest", "value" = "ADDRESS:PORT"))]
    #[schemars(extend("bare" = "127.0.0.1:8080", "unset" = "off", "expected" = "ADDRESS:PORT, such as 127.0.0.1:8080 or localhost:8080"))]
    pub rest_bind: Option<SocketAddr>,
    /// Hints that clients see: what is true (`accurate`), or what the capability says (`published`).
    #[schemars(extend("flag" = "--hints", "value" = "SET", "default" = "accurate", "expected" = "`accurate` or `published`"))]
    pub hints: HintSet,
    /// What happens to calls that charge: the user must `confirm` them, they are sent (`allow`), or they are refused (`off`).
    #[schemars(extend("flag" = "--spending", "value" = "POLICY", "unset" = "confirm; allow where base_uri is on loopback", "expected" = "`confirm`, `allow` or `off`"))]
    pub(super) spending: Option<Spending>,
    /// How the user is asked, the first way that there is: by the `client` (elicitation), on a page in their `browser` on this machine, or on a `terminal` with the command `confirm`. `auto` is all three in that order, without clients that are known to answer for their users.
    #[schemars(extend("default" = ["auto"], "expected" = "`auto`, or some of `client`, `browser` and `terminal` with commas between them"))]
    pub confirm_with: Vec<ConfirmWay>,
    /// How long a call waits for an answer from the browser or a terminal; a repeat of the call picks up an answer that comes later.
    #[serde(deserialize_with = "human_duration")]
    #[schemars(with = "String", extend("default" = "50s", "expected" = "a duration with its unit, such as `50s`, from `1ms` to `49d`"))]
    pub confirm_wait: Duration,
    /// Serve only the tools that read.
    #[schemars(extend("flag" = "--read-only", "default" = false))]
    pub(super) read_only: bool,
    /// Serve only these tools.
    #[schemars(extend("flag" = "--tools", "value" = "NAME,…", "default" = [], "unset" = "all", "expected" = "tool names with commas between them"))]
    pub(super) tools: Vec<String>,
    /// Serve all but these tools.
    #[schemars(extend("flag" = "--exclude-tools", "value" = "NAME,…", "default" = [], "expected" = "tool names with commas between them"))]
    pub(super) exclude_tools: Vec<String>,
    /// The operator's bearer token, of 32 characters or more.
    #[schemars(with = "String", extend("secret" = true, "expected" = "a bearer token of at least 32 characters"))]
    pub token: Option<Secret>,
    /// Callers by name, each with a token or a subject of its own: tables `[[principals]]` of the file.
    #[serde(default)]
    #[schemars(skip)]
    pub principals: Vec<Principal>,
    /// Issuer of the OAuth authorization server whose access tokens are accepted.
    #[schemars(extend("expected" = "the issuer identifier of an OAuth authorization server, such as https://login.example.com"))]
    pub auth_issuer: Option<String>,
    /// The URL by which those tokens name this server.
    #[schemars(extend("expected" = "the URL by which access tokens name this server, such as https://mcp.example.com/mcp"))]
    pub auth_audience: Option<String>,
    /// Where that server's keys are; they are fetched from this URL alone.
    #[schemars(extend("expected" = "the URL of the authorization server's keys, such as https://login.example.com/jwks.json"))]
    pub auth_jwks_uri: Option<String>,
    /// Signature algorithms that are accepted.
    #[schemars(extend("default" = ["RS256", "ES256"], "expected" = "names of signature algorithms with commas between them, such as RS256,ES256"))]
    pub auth_algorithms: Vec<String>,
    /// Names that HTTP clients may call this server by.
    #[schemars(extend("default" = [], "unset" = "loopback names", "expected" = "host names with commas between them, such as mcp.example.com"))]
    pub(super) allowed_hosts: Vec<String>,
    /// Web origins that may call besides the server's own.
    #[schemars(extend("default" = [], "expected" = "origins with commas between them, such as https://app.example.com:443"))]
    pub allowed_origins: Vec<String>,
    /// HTTP clients name the user of each call in `X-7digital-Access-Token` and `X-7digital-Access-Token-Secret`, or in `X-7digital-User-Id`.
    #[schemars(extend("default" = false))]
    pub user_from_headers: bool,
    /// Folder of the ledger of purchases.
    #[schemars(extend("flag" = "--state-dir", "value" = "FOLDER"))]
    #[schemars(extend("unset" = "the platform's state folder; memory with --sandbox", "expected" = "a folder that this server may write to"))]
    pub state_dir: Option<PathBuf>,
    /// Database of the ledger in place of the folder: PostgreSQL, shared by any number of servers.
    #[schemars(with = "String", extend("secret" = true, "unset" = "a file in `state_dir`", "expected" = "the URL of a PostgreSQL database, such as postgres://user:password@host/database"))]
    pub ledger_url: Option<Secret>,
    /// How long the ledger keeps what is settled.
    #[serde(deserialize_with = "keeping")]
    #[schemars(with = "String", extend("default" = "400d", "expected" = "a duration from `1d` to `100y`, such as `400d`"))]
    pub ledger_keep: Duration,
    /// The dearest single purchase, in minor units; one whose price is not known beforehand is refused.
    #[schemars(extend("expected" = "a price in minor units from 0 to 4294967295, such as 2000 for 20.00"))]
    pub max_price: Option<u32>,
    /// Purchases of one account in a minute.
    #[schemars(extend("expected" = "a whole number from 0 to 4294967295"))]
    pub(super) max_charges_per_minute: Option<u32>,
    /// Purchases of one account in any 24 hours.
    #[schemars(extend("expected" = "a whole number from 0 to 4294967295"))]
    pub(super) max_charges_per_day: Option<u32>,
    /// Sum of prices of one account in any 24 hours, in minor units.
    #[schemars(extend("expected" = "a sum in minor units from 0 to 18446744073709551615, such as 5000 for 50.00"))]
    pub(super) daily_budget: Option<u64>,
    /// Purchases of one account in flight.
    #[serde(default, deserialize_with = "optional_whole")]
    #[schemars(extend("default" = 32, "expected" = "a whole number from 1 to 4294967295"))]
    pub(super) max_charges_in_flight: Option<u32>,
    /// Loopback address where Prometheus may read `/metrics`: calls by tool and outcome, times, 7digital's responses and rate limit, what is in flight.
    #[serde(default, deserialize_with = "optional_address")]
    #[schemars(extend("unset" = "off", "expected" = "ADDRESS:PORT of this machine, such as 127.0.0.1:9464"))]
    pub metrics_bind: Option<SocketAddr>,
    /// Collector that traces are sent to, without the path `/v1/traces`; needs a build with `--features otlp`.
    #[serde(default, with = "As::<Option<DisplayFromStr>>")]
    #[schemars(with = "String", extend("unset" = "off", "expected" = "the http or https URL of a collector, such as http://127.0.0.1:4318"))]
    pub otlp_endpoint: Option<Url>,
    /// What requests, connections and callers may take of this server: the table `[limits]` of the file.
    #[schemars(skip)]
    pub limits: Limits,
    /// How log lines on stderr look: `text` or `json`.
    #[schemars(extend("flag" = "--log-format", "value" = "FORMAT", "default" = "text", "expected" = "`text` or `json`"))]
    pub log_format: LogFormat,
    /// Which log lines are written; not in the file. Of other crates only warnings and errors are, since they would log arguments.
    #[schemars(extend("env" = "RUST_LOG", "unset" = "info", "expected" = "a filter such as `info` or `info,sevendigital=debug`"))]
    pub log_filter: Option<String>,
    /// Stand in for 7digital with an in-memory sandbox on loopback, with demo data and demo credentials.
    #[schemars(extend("flag" = "--sandbox", "default" = false))]
    pub sandbox: bool,
    /// Whether a browser can be opened for the person at this machine.
    #[serde(skip)]
    #[schemars(skip)]
    pub has_browser: bool,
    /// What the operator should know of, though it stops nothing.
    #[serde(skip)]
    #[schemars(skip)]
    pub warnings: Vec<ConfigError>,
    /// Which values some layer gives, the defaults apart.
    #[serde(skip)]
    #[schemars(skip)]
    pub origins: Vec<Origin>,
}

/// Which hints clients see. Nothing in the server depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HintSet {
    /// What is true.
    Accurate,
    /// What the capability says, letter for letter.
    Published,
}

/// What happens to a call that charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Spending {
    /// The user is asked first.
    Confirm,
    /// It is sent.
    Allow,
    /// It is refused.
    Off,
}

impl Spending {
    /// Its name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Allow => "allow",
            Self::Off => "off",
        }
    }
}

/// A way to ask the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmWay {
    /// The first of the others that there is.
    Auto,
    /// The client shows the question (elicitation), or the program that calls over REST does.
    Client,
    /// A page in the browser of the person at this machine.
    Browser,
    /// The command `confirm` on a terminal.
    Terminal,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object on each line.
    Json,
}

/// How much may be charged to one account.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpendingLimits {
    /// Charges in any minute.
    pub per_minute: Option<u32>,
    /// Charges in any 24 hours.
    pub per_day: Option<u32>,
    /// Sum of prices in any 24 hours, in minor units.
    pub daily_budget: Option<u64>,
    /// Charges in flight.
    pub in_flight: Option<u32>,
}

impl Config {
    /// The keys, tokens and defaults that calls to 7digital are made with.
    pub fn credentials(&self) -> Credentials {
        let secret = self.consumer_secret.clone();
        let consumer = self.consumer_key.clone();
        let token = self.access_token.clone();
        let token = token.zip(self.access_token_secret.clone());
        Credentials {
            consumer: consumer.map(|key| Consumer { key, secret }),
            token: token.map(|(token, secret)| Token { token, secret }),
            user_id: self.user_id.clone(),
            country: self.country.clone(),
            shop_id: self.shop_id.clone(),
        }
    }

    /// Whether it says on whose account calls are made: by an access token, or by the id of a managed user.
    pub fn has_user(&self) -> bool {
        self.access_token.is_some() || self.user_id.is_some()
    }

    /// Whether a consumer secret is set, or a command that prints one.
    pub fn has_consumer_secret(&self) -> bool {
        self.consumer_secret.is_some() || !self.consumer_secret_command.is_empty()
    }

    /// What happens to a call that charges: unless it is set, the user confirms it on a live host, and it is sent on loopback.
    pub fn spending(&self) -> Spending {
        match self.spending {
            Some(spending) => spending,
            None if self.base_uri.is_loopback() => Spending::Allow,
            None => Spending::Confirm,
        }
    }

    /// How much may be charged to one account.
    pub fn spending_limits(&self) -> SpendingLimits {
        SpendingLimits {
            per_minute: self.max_charges_per_minute,
            per_day: self.max_charges_per_day,
            daily_budget: self.daily_budget,
            in_flight: self.max_charges_in_flight,
        }
    }

    /// Names by which HTTP clients may call this server.
    pub fn allowed_hosts(&self) -> Vec<String> {
        if self.allowed_hosts.is_empty() {
            LOOPBACK.map(str::to_owned).to_vec()
        } else {
            self.allowed_hosts.clone()
        }
    }

    /// Whether a tool is served, by its name and by whether it reads.
    pub fn serves(&self, name: &str, reads: bool) -> bool {
        let listed = |names: &[String]| names.iter().any(|other| other == name);
        (reads || !self.read_only)
            && (self.tools.is_empty() || listed(&self.tools))
            && !listed(&self.exclude_tools)
    }
}
