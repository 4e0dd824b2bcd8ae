//! Settings: defaults, then a stored login, then a TOML file, then the environment, then flags. The only place that reads the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sevendigital::{BaseUri, Client, Consumer, Credentials, Placement, Secret, Token};
use sevendigital_tools::TOOLS;
use url::Url;

use self::layers::DEFAULT_BASE_URI;
pub use self::layers::Layers;
pub use self::limits::Limits;
pub use self::principals::Principal;
pub use self::settings::{Kind, SETTINGS, Setting};
use self::values::{country, flag, optional, parsed, words};
use crate::digest;
use crate::ledger::{Allowance, Ledger};

mod auth;
mod layers;
mod limits;
mod principals;
mod settings;
pub mod stored_login;
mod values;

/// The names of this machine to itself.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is wrong with the configuration: the key, the layer that it came from, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// All settings, checked.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    consumer_key: Option<Secret>,
    consumer_secret: Option<Secret>,
    access_token: Option<Secret>,
    access_token_secret: Option<Secret>,
    user_id: Option<String>,
    #[serde(default, deserialize_with = "country")]
    country: Option<String>,
    shop_id: Option<String>,
    /// Root of 7digital's API.
    #[serde(deserialize_with = "parsed")]
    pub base_uri: BaseUri,
    /// Where OAuth parameters stand.
    pub oauth_placement: Placement,
    /// Where MCP is served over HTTP.
    #[serde(deserialize_with = "parsed")]
    pub bind: SocketAddr,
    /// Where REST is served over HTTP; nothing if it is not.
    #[serde(default, deserialize_with = "optional")]
    pub rest_bind: Option<SocketAddr>,
    /// Which hints clients are told.
    pub hints: HintSet,
    spending: Option<Spending>,
    #[serde(deserialize_with = "flag")]
    read_only: bool,
    #[serde(deserialize_with = "words")]
    tools: Vec<String>,
    #[serde(deserialize_with = "words")]
    exclude_tools: Vec<String>,
    /// Bearer token that HTTP clients must show.
    pub token: Option<Secret>,
    /// Callers by name, each with a token or a subject of its own.
    #[serde(default)]
    pub principals: Vec<Principal>,
    auth_issuer: Option<String>,
    auth_audience: Option<String>,
    auth_jwks_uri: Option<String>,
    #[serde(deserialize_with = "words")]
    auth_algorithms: Vec<String>,
    #[serde(deserialize_with = "words")]
    allowed_hosts: Vec<String>,
    /// Web origins that may call.
    #[serde(deserialize_with = "words")]
    pub allowed_origins: Vec<String>,
    /// Whether HTTP clients name the user of each call in headers.
    #[serde(deserialize_with = "flag")]
    pub user_from_headers: bool,
    state_dir: Option<PathBuf>,
    /// The dearest single purchase, in minor units.
    #[serde(default, deserialize_with = "optional")]
    pub max_price: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    max_charges_per_minute: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    max_charges_per_day: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    daily_budget: Option<u64>,
    #[serde(default, deserialize_with = "optional")]
    max_charges_in_flight: Option<u32>,
    /// Where Prometheus may read figures.
    #[serde(default, deserialize_with = "optional")]
    pub metrics_bind: Option<SocketAddr>,
    /// Collector that traces are sent to, without the path `/v1/traces`.
    #[serde(default, deserialize_with = "optional")]
    pub otlp_endpoint: Option<Url>,
    /// What requests, connections and callers may take of this server.
    #[serde(default)]
    pub limits: Limits,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_filter: Option<String>,
    /// Whether a sandbox stands in for 7digital.
    #[serde(deserialize_with = "flag")]
    pub sandbox: bool,
    /// What the operator should know of, though it stops nothing.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Which hints clients are told. Nothing in the server depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HintSet {
    /// What is true.
    Accurate,
    /// What the card says, letter for letter.
    Published,
}

/// What happens to a call that charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spending {
    /// The user is asked first.
    Confirm,
    /// It is sent.
    Allow,
    /// It is refused.
    Off,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object on each line.
    Json,
}

impl Config {
    /// Reads all layers and checks what came together.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        let mut config: Self = layers.read()?;
        config.check()?;
        let origins = config.allowed_origins.iter();
        config.allowed_origins = origins.filter_map(|value| auth::origin(value)).collect();
        if let Some(path) = &layers.credentials {
            config.add_stored_login(path)?;
        }
        Ok(config)
    }

    /// As whom 7digital is called.
    pub fn credentials(&self) -> Credentials {
        let token = self
            .access_token
            .clone()
            .zip(self.access_token_secret.clone());
        Credentials {
            consumer: self.consumer_key.clone().map(|key| Consumer {
                key,
                secret: self.consumer_secret.clone(),
            }),
            token: token.map(|(token, secret)| Token { token, secret }),
            user_id: self.user_id.clone(),
            country: self.country.clone(),
            shop_id: self.shop_id.clone(),
        }
    }

    /// The client that calls 7digital as these settings say.
    pub fn client(&self) -> Result<Client, ConfigError> {
        let program = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        Client::builder(self.base_uri.clone())
            .placement(self.oauth_placement)
            .credentials(self.credentials())
            .user_agent(program)
            .limits(self.limits.upstream())
            .build()
            .map_err(|error| ConfigError(format!("the HTTPS client can't be started: {error}")))
    }

    /// What happens to a call that charges. On a live host the user is asked, on loopback it is sent.
    pub fn spending(&self) -> Spending {
        let default = if self.base_uri.is_loopback() {
            Spending::Allow
        } else {
            Spending::Confirm
        };
        self.spending.unwrap_or(default)
    }

    /// How much may be charged to one account.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            per_minute: self.max_charges_per_minute,
            per_day: self.max_charges_per_day,
            daily_budget: self.daily_budget,
            in_flight: self.max_charges_in_flight,
        }
    }

    /// Where the ledger is: in the state folder, or in memory for a sandbox that was given none.
    pub fn ledger(&self) -> Ledger {
        let usual = || {
            let folders = directories::ProjectDirs::from("", "", "sevendigital-mcp")?;
            Some(
                folders
                    .state_dir()
                    .unwrap_or(folders.data_local_dir())
                    .to_owned(),
            )
        };
        match &self.state_dir {
            Some(folder) => Ledger::in_folder(folder.clone()),
            None if self.sandbox => Ledger::in_memory(),
            None => usual().map_or_else(Ledger::nowhere, Ledger::in_folder),
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

    /// Whether a tool of that name and harmlessness is served.
    pub fn serves(&self, name: &str, reads: bool) -> bool {
        let listed = |names: &[String]| names.iter().any(|other| other == name);
        (reads || !self.read_only)
            && (self.tools.is_empty() || listed(&self.tools))
            && !listed(&self.exclude_tools)
    }

    /// The same settings, pointed at a sandbox: its address, its demo credentials, its country.
    #[must_use]
    pub fn for_sandbox(mut self, base_uri: BaseUri) -> Self {
        use sevendigital_sandbox::demo;
        self.base_uri = base_uri;
        self.consumer_key = Some(demo::CONSUMER_KEY.into());
        self.consumer_secret = Some(demo::CONSUMER_SECRET.into());
        self.access_token = Some(demo::ACCESS_TOKEN.into());
        self.access_token_secret = Some(demo::ACCESS_TOKEN_SECRET.into());
        self.country = Some(demo::COUNTRY.into());
        self.user_id = None;
        self.shop_id = None;
        self
    }

    /// Takes the token of a stored login where nothing else says who the user is.
    ///
    /// It goes to the API root that issued it and nowhere else.
    fn add_stored_login(&mut self, path: &Path) -> Result<(), ConfigError> {
        if self.sandbox || self.access_token.is_some() {
            return Ok(());
        }
        let Some(login) = stored_login::read(path)? else {
            return Ok(());
        };
        let (theirs, ours) = (login.base_uri.to_string(), self.base_uri.to_string());
        let obstacle = if theirs != ours {
            format!("it is for `{theirs}`, and `base_uri` is `{ours}`")
        } else if self.user_id.is_some() {
            "`user_id` names the user".to_owned()
        } else if self.consumer_secret.is_none() {
            "a call for a user needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`)".to_owned()
        } else {
            self.access_token = Some(login.token.token);
            self.access_token_secret = Some(login.token.secret);
            return Ok(());
        };
        self.warnings.push(format!(
            "the stored login is not used: {obstacle}; `sevendigital-mcp logout` removes it"
        ));
        Ok(())
    }

    /// What no single setting shows.
    fn check(&self) -> Result<(), ConfigError> {
        let fail = |problem: String| Err(ConfigError(problem));
        if self.access_token.is_some() != self.access_token_secret.is_some() {
            return fail("`access_token` and `access_token_secret` belong together: set both (`SEVENDIGITAL_ACCESS_TOKEN`, `SEVENDIGITAL_ACCESS_TOKEN_SECRET`) or neither".into());
        }
        if self.access_token.is_some() && self.consumer_secret.is_none() {
            return fail("`access_token` needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`): a call for a user must be signed".into());
        }
        if self.consumer_secret.is_some() && self.consumer_key.is_none() {
            return fail(
                "`consumer_secret` needs `consumer_key` (`SEVENDIGITAL_CONSUMER_KEY`)".into(),
            );
        }
        if self.sandbox && self.base_uri.to_string() != DEFAULT_BASE_URI {
            return fail("`sandbox` brings its own `base_uri`: set one of the two".into());
        }
        if self
            .token
            .as_ref()
            .is_some_and(|token| token.expose().len() < 32)
        {
            return fail("`token` (`SEVENDIGITAL_MCP_TOKEN`) is too short: expected at least 32 characters, for instance from `openssl rand -hex 32`".into());
        }
        if self.limits.drain_changes_ms.time() <= self.limits.change_ms.time() {
            return fail("`limits.drain_changes_ms` must be more than `limits.change_ms`, or a purchase under way would be given up at every stop".into());
        }
        self.check_auth()?;
        let operator = self.token.as_ref();
        principals::check(
            &self.principals,
            operator.map(|token| digest::sha256(token.expose())),
            self.auth_issuer.is_some(),
        )?;
        let mut origins = self.allowed_origins.iter();
        if let Some(wrong) = origins.position(|value| auth::origin(value).is_none()) {
            return fail(format!(
                "`allowed_origins`: number {} is not an origin, such as https://app.example.com",
                wrong + 1
            ));
        }
        for (key, names) in [
            ("tools", &self.tools),
            ("exclude_tools", &self.exclude_tools),
        ] {
            if let Some(name) = names
                .iter()
                .find(|name| !TOOLS.iter().any(|tool| tool.contract.name == **name))
            {
                return fail(format!(
                    "`{key}`: there is no tool `{name}`; `sevendigital-mcp tools` lists them"
                ));
            }
        }
        Ok(())
    }

    /// What must hold before the server listens on a network.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let mut binds = [("bind", Some(self.bind)), ("rest_bind", self.rest_bind)].into_iter();
        let exposed = binds.find_map(|(key, bind)| {
            Some((key, bind?)).filter(|(_, bind)| !bind.ip().is_loopback())
        });
        let Some((key, bind)) = exposed else {
            return Ok(());
        };
        let asks =
            self.token.is_some() || !self.principals.is_empty() || self.auth_issuer.is_some();
        let missing = match (asks, self.allowed_hosts.is_empty()) {
            (true, false) => return Ok(()),
            (false, _) => {
                "`token` (`SEVENDIGITAL_MCP_TOKEN`), the bearer token that clients must show, or `principals` or `auth_issuer`,"
            }
            (true, true) => {
                "`allowed_hosts` (`SEVENDIGITAL_MCP_ALLOWED_HOSTS`), the names that clients call it by"
            }
        };
        Err(ConfigError(format!(
            "`{key}` is {bind}, which other machines reach: set {missing}, or bind to 127.0.0.1"
        )))
    }
}
