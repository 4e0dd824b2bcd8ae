//! The layers that settings come from, and what is told of a value that is not right.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;

use super::ConfigError;
use super::limits::Limits;
use super::settings::{Kind, LIMIT_VARIABLE, LIMITS, PRINCIPALS, SETTINGS, Setting};

/// Where settings come from, besides the defaults.
#[derive(Clone, Default)]
pub struct Layers {
    /// The file given with `--config`.
    pub file: Option<PathBuf>,
    /// Files looked for where none was given; the first that exists is read.
    pub usual_files: Vec<PathBuf>,
    /// Where `login` stores a user's token; read where no other layer brings one.
    pub credentials: Option<PathBuf>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// Flags that were given, as key and value.
    pub flags: Vec<(&'static str, String)>,
}

/// Values are not printed: secrets are among them.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Layers");
        shown.field("file", &self.file);
        shown.finish_non_exhaustive()
    }
}

impl Layers {
    /// The layers of this process: its environment, and the usual places of a file.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let mut usual_files = vec![PathBuf::from("sevendigital-mcp.toml")];
        let folders = directories::ProjectDirs::from("", "", "sevendigital-mcp");
        if let Some(folders) = &folders {
            usual_files.push(folders.config_dir().join("sevendigital-mcp.toml"));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment is one of the layers"
        )]
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            usual_files,
            credentials: folders.map(|folders| folders.config_dir().join("credentials.toml")),
            variables,
            flags,
        }
    }

    /// The values of all layers, later ones winning.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let mut figment = Figment::from(defaults());
        let usual = || self.usual_files.iter().find(|path| path.is_file());
        if let Some(path) = self.file.as_ref().or_else(usual) {
            figment = figment.merge(file(path)?);
        }
        for (setting, variable, value) in variables(&self.variables)? {
            let source = format!("{ENVIRONMENT} `{variable}`");
            figment = figment.merge(Layer::of_one(source, setting.key, &value));
        }
        for (key, variable, value) in limits(&self.variables)? {
            let source = format!("{ENVIRONMENT} `{variable}`");
            let limit = Dict::from([(key, value.into())]);
            figment = figment.merge(Layer {
                source,
                values: Dict::from([(LIMITS.key.to_owned(), limit.into())]),
            });
        }
        for (key, value) in &self.flags {
            let setting = SETTINGS.iter().find(|setting| setting.key == *key);
            let flag = setting.and_then(|setting| setting.flag).unwrap_or(key);
            figment = figment.merge(Layer::of_one(format!("flag `{flag}`"), key, value));
        }
        let values = figment.extract().map_err(|error| explain(&error))?;
        one_source_of_token(&figment)?;
        Ok(values)
    }
}

pub(super) const DEFAULT_BASE_URI: &str = "https://api.7digital.com/1.2";

fn defaults() -> impl Provider {
    Serialized::defaults(serde_json::json!({
        "base_uri": DEFAULT_BASE_URI,
        "oauth_placement": "auto",
        "bind": "127.0.0.1:9090",
        "hints": "accurate",
        "read_only": false,
        "tools": [],
        "exclude_tools": [],
        "auth_algorithms": ["RS256", "ES256"],
        "allowed_hosts": [],
        "allowed_origins": [],
        "user_from_headers": false,
        "max_charges_in_flight": 32,
        "log_format": "text",
        "sandbox": false,
    }))
}

/// A token with a secret from elsewhere is most likely another user's.
fn one_source_of_token(figment: &Figment) -> Result<(), ConfigError> {
    let source = |key: &str| figment.find_metadata(key).map(|found| &*found.name);
    let (Some(token), Some(secret)) = (source("access_token"), source("access_token_secret"))
    else {
        return Ok(());
    };
    let is_variable = |source: &str| source.starts_with(ENVIRONMENT);
    if is_variable(token) == is_variable(secret) {
        return Ok(());
    }
    Err(ConfigError(format!(
        "`access_token` ({token}) and `access_token_secret` ({secret}) belong together: set both in one place"
    )))
}

/// How the source of what an environment variable holds begins.
const ENVIRONMENT: &str = "environment variable";

/// Values, and where they came from.
struct Layer {
    source: String,
    values: Dict,
}

impl Layer {
    fn of_one(source: String, key: &str, value: &str) -> Self {
        Self {
            source,
            values: Dict::from([(key.to_owned(), value.into())]),
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The file's values. Unset ones (empty, or a placeholder that nobody filled in) are left out, unknown keys refused.
fn file(path: &Path) -> Result<Layer, ConfigError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError(format!(
            "configuration file `{shown}` can't be read: {error}"
        ))
    })?;
    let data = Toml::string(&text).data().map_err(|error| {
        // Only the place: the lines after it show the file's text, which may be a secret.
        let place = error.to_string();
        let place = place.lines().next().unwrap_or_default();
        ConfigError(format!("configuration file `{shown}` is not TOML: {place}"))
    })?;
    let mut dict = data.into_values().next().unwrap_or_default();
    for key in dict.keys() {
        let tables = [PRINCIPALS.key, LIMITS.key];
        let mut known = SETTINGS.iter().map(|setting| setting.key).chain(tables);
        if key == "log_filter" || !known.any(|known| known == key) {
            let known = SETTINGS.iter().map(|setting| setting.key).chain(tables);
            return Err(unknown(
                &format!("configuration file `{shown}`"),
                key,
                known,
            ));
        }
    }
    if let Some(limits) = dict.get(LIMITS.key).and_then(Value::as_dict) {
        let source = format!("configuration file `{shown}`, table `[limits]`");
        for key in limits.keys() {
            known_limit(&source, key)?;
        }
    }
    dict.retain(|_, value| !value.as_str().is_some_and(is_unset));
    Ok(Layer {
        source: format!("configuration file `{shown}`"),
        values: dict,
    })
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
        } else if name.starts_with("SEVENDIGITAL_") && !name.starts_with(LIMIT_VARIABLE) {
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

/// The limits among environment variables: key, variable and value.
fn limits(all: &[(String, String)]) -> Result<Vec<(String, &str, &str)>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in all {
        if let Some(key) = name.strip_prefix(LIMIT_VARIABLE) {
            let key = key.to_ascii_lowercase();
            known_limit(&format!("environment variable `{name}`"), &key)?;
            if !is_unset(value) {
                found.push((key, name.as_str(), value.as_str()));
            }
        }
    }
    Ok(found)
}

fn known_limit(source: &str, key: &str) -> Result<(), ConfigError> {
    let limits = Limits::defaults();
    if limits.iter().any(|(known, _)| known == key) {
        return Ok(());
    }
    Err(unknown(
        source,
        key,
        limits.iter().map(|(known, _)| known.as_str()),
    ))
}

fn names_file_of(variable: &str) -> Option<&'static Setting> {
    let of = variable.strip_suffix("_FILE")?;
    SETTINGS
        .iter()
        .find(|setting| setting.variable == of && setting.kind == Kind::Secret)
}

/// Empty, or a placeholder such as `${SECRET}` that the client which started us did not fill in.
pub(super) fn is_unset(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || (value.starts_with("${") && value.ends_with('}'))
}

fn unknown<'a>(source: &str, name: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
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
    if let Some(table) = [PRINCIPALS, LIMITS].iter().find(|table| table.key == key) {
        // serde's words show what it found, which may be a secret; the place does not.
        let place = error.path.join(".");
        return ConfigError(format!(
            "`{place}` ({source}) is not valid: expected {}",
            table.expected
        ));
    }
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
