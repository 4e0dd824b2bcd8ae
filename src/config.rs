//! Settings: defaults, then a TOML file, then the environment, then flags. The only place that reads the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::{Figment, Provider};
use serde::Deserialize;
use serde::de::{self, Deserializer, IntoDeserializer as _};
use sevendigital::{BaseUri, Consumer, Credentials, Placement, Secret, Token};
use sevendigital_tools::TOOLS;

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
    #[serde(deserialize_with = "words")]
    allowed_hosts: Vec<String>,
    /// Web origins that may call.
    #[serde(deserialize_with = "words")]
    pub allowed_origins: Vec<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_filter: Option<String>,
    /// Whether a sandbox stands in for 7digital.
    #[serde(deserialize_with = "flag")]
    pub sandbox: bool,
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

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The file given with `--config`.
    pub file: Option<PathBuf>,
    /// Files looked for where none was given; the first that exists is read.
    pub usual_files: Vec<PathBuf>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// Flags that were given, as key and value.
    pub flags: Vec<(&'static str, String)>,
}

impl Layers {
    /// The layers of this process: its environment, and the usual places of a file.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let mut usual_files = vec![PathBuf::from("sevendigital-mcp.toml")];
        if let Some(folders) = directories::ProjectDirs::from("", "", "sevendigital-mcp") {
            usual_files.push(folders.config_dir().join("sevendigital-mcp.toml"));
        }
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            usual_files,
            variables,
            flags,
        }
    }
}

impl Config {
    /// Reads all layers and checks what came together.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(defaults());
        let usual = || layers.usual_files.iter().find(|path| path.is_file());
        if let Some(path) = layers.file.as_ref().or_else(usual) {
            figment = figment.merge(file(path)?);
        }
        for (setting, variable, value) in variables(&layers.variables)? {
            let source = format!("environment variable `{variable}`");
            figment = figment.merge(Layer {
                source,
                key: setting.key,
                value,
            });
        }
        for (key, value) in &layers.flags {
            let flag = SETTINGS
                .iter()
                .find(|setting| setting.key == *key)
                .and_then(|setting| setting.flag);
            let source = format!("flag `{}`", flag.unwrap_or(key));
            figment = figment.merge(Layer {
                source,
                key,
                value: value.clone(),
            });
        }
        let config: Self = figment.extract().map_err(|error| explain(&error))?;
        config.check()?;
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

    /// What happens to a call that charges. On a live host the user is asked, on loopback it is sent.
    pub fn spending(&self) -> Spending {
        let default = if self.base_uri.is_loopback() {
            Spending::Allow
        } else {
            Spending::Confirm
        };
        self.spending.unwrap_or(default)
    }

    /// Names by which HTTP clients may call this server.
    pub fn allowed_hosts(&self) -> Vec<String> {
        if self.allowed_hosts.is_empty() {
            ["localhost", "127.0.0.1", "::1"]
                .map(str::to_owned)
                .to_vec()
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
        if self.bind.ip().is_loopback() {
            return Ok(());
        }
        let missing = match (self.token.is_some(), self.allowed_hosts.is_empty()) {
            (true, false) => return Ok(()),
            (false, _) => {
                "`token` (`SEVENDIGITAL_MCP_TOKEN`), the bearer token that clients must show"
            }
            (true, true) => {
                "`allowed_hosts` (`SEVENDIGITAL_MCP_ALLOWED_HOSTS`), the names that clients call it by"
            }
        };
        Err(ConfigError(format!(
            "`bind` is {}, which other machines reach: set {missing}, or bind to 127.0.0.1",
            self.bind
        )))
    }
}

const DEFAULT_BASE_URI: &str = "https://api.7digital.com/1.2";

fn defaults() -> impl Provider {
    Serialized::defaults(serde_json::json!({
        "base_uri": DEFAULT_BASE_URI,
        "oauth_placement": "auto",
        "bind": "127.0.0.1:9090",
        "hints": "accurate",
        "read_only": false,
        "tools": [],
        "exclude_tools": [],
        "allowed_hosts": [],
        "allowed_origins": [],
        "log_format": "text",
        "sandbox": false,
    }))
}

/// One value, and where it came from.
struct Layer {
    source: String,
    key: &'static str,
    value: String,
}

impl Provider for Layer {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named(self.source.clone())
    }

    fn data(
        &self,
    ) -> Result<figment::value::Map<figment::Profile, figment::value::Dict>, figment::Error> {
        Serialized::default(self.key, &self.value).data()
    }
}

/// The file's values. Unset ones (empty, or a placeholder that nobody filled in) are left out, unknown keys refused.
fn file(path: &Path) -> Result<impl Provider + use<>, ConfigError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError(format!(
            "configuration file `{shown}` can't be read: {error}"
        ))
    })?;
    let data = Toml::string(&text).data().map_err(|error| {
        ConfigError(format!("configuration file `{shown}` is not TOML: {error}"))
    })?;
    let mut dict = data.into_values().next().unwrap_or_default();
    for key in dict.keys() {
        if !SETTINGS
            .iter()
            .any(|setting| setting.key == key && setting.key != "log_filter")
        {
            return Err(unknown(
                &format!("configuration file `{shown}`"),
                key,
                SETTINGS.iter().map(|setting| setting.key),
            ));
        }
    }
    dict.retain(|_, value| !value.as_str().is_some_and(is_unset));
    Ok(FileLayer {
        source: format!("configuration file `{shown}`"),
        dict,
    })
}

struct FileLayer {
    source: String,
    dict: figment::value::Dict,
}

impl Provider for FileLayer {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named(self.source.clone())
    }

    fn data(
        &self,
    ) -> Result<figment::value::Map<figment::Profile, figment::value::Dict>, figment::Error> {
        Ok(figment::Profile::Default.collect(self.dict.clone()))
    }
}

/// The settings among environment variables, `…_FILE` ones read. A `SEVENDIGITAL_` variable that is none is refused.
fn variables(
    all: &[(String, String)],
) -> Result<Vec<(&'static Setting, String, String)>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in all {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) {
            if !is_unset(value) {
                found.push((setting, name.clone(), value.clone()));
            }
        } else if let Some(setting) = names_file_of(name) {
            if !is_unset(value) {
                let text = std::fs::read_to_string(value).map_err(|error| {
                    ConfigError(format!("`{}`: the file that environment variable `{name}` names can't be read: {error}", setting.key))
                })?;
                found.push((
                    setting,
                    name.clone(),
                    text.trim_end_matches(['\r', '\n']).to_owned(),
                ));
            }
        } else if name.starts_with("SEVENDIGITAL_") {
            return Err(unknown(
                "environment",
                name,
                SETTINGS.iter().map(|setting| setting.variable),
            ));
        }
    }
    for (setting, name, _) in &found {
        if let Some((_, other, _)) = found
            .iter()
            .find(|(twin, other, _)| twin.key == setting.key && other != name)
        {
            return Err(ConfigError(format!(
                "`{}`: both `{name}` and `{other}` are set; unset one",
                setting.key
            )));
        }
    }
    Ok(found)
}

fn names_file_of(variable: &str) -> Option<&'static Setting> {
    let of = variable.strip_suffix("_FILE")?;
    SETTINGS
        .iter()
        .find(|setting| setting.variable == of && setting.kind == Kind::Secret)
}

/// Empty, or a placeholder such as `${SECRET}` that the client which started us did not fill in.
fn is_unset(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || (value.starts_with("${") && value.ends_with('}'))
}

fn unknown(source: &str, name: &str, known: impl Iterator<Item = &'static str>) -> ConfigError {
    let closest = known
        .map(|candidate| (strsim::jaro_winkler(candidate, name), candidate))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let way_out = match closest {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None => "remove it; the README lists the settings".to_owned(),
    };
    ConfigError(format!("{source}: there is no setting `{name}`; {way_out}"))
}

/// figment's error in our words: the key, the layer, what was expected; a secret's value is never shown.
fn explain(error: &figment::Error) -> ConfigError {
    let key = error.path.first().cloned().unwrap_or_default();
    let source = error
        .metadata
        .as_ref()
        .map_or("defaults".into(), |metadata| metadata.name.clone());
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
        return ConfigError(format!("configuration: {error}"));
    };
    let problem = match (&error.kind, setting.kind) {
        (figment::error::Kind::Message(message), Kind::Plain) => format!(" ({message})"),
        _ => String::new(),
    };
    ConfigError(format!(
        "`{key}` ({source}) is not valid: expected {}{problem}",
        setting.expected
    ))
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?
        .trim()
        .parse()
        .map_err(de::Error::custom)
}

/// A yes or no as TOML writes it, or as people write it in an environment variable.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Plain(bool),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Plain(flag) => Ok(flag),
        Written::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(de::Error::custom("neither true nor false")),
        },
    }
}

/// A list as TOML writes it, or words with commas between them.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<String>),
        Text(String),
    }
    let words = match Written::deserialize(deserializer)? {
        Written::List(words) => words,
        Written::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    Ok(words
        .iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect())
}

/// A country as 7digital takes it: two letters, in capitals.
fn country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    sevendigital_tools::values::Country::deserialize(text.into_deserializer())
        .map(|country| Some(country.as_str().to_owned()))
}
