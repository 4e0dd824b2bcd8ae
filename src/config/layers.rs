//! The layers that settings come from: defaults, a TOML file, the environment and flags.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::messages::{ConfigError, TABLES, explain, unknown};
use super::table::{LIMIT_VARIABLE, LIMITS, SETTINGS, Setting};
use super::values::is_unset;

/// Where settings come from, besides the defaults.
#[derive(Clone, Default)]
pub struct Layers {
    /// The file given with `--config`.
    pub file: Option<PathBuf>,
    /// Files looked for where none was given; the first that exists is read.
    pub usual_files: Vec<PathBuf>,
    /// Where `login` stores a user's token; read where no other layer has one.
    pub credentials: Option<PathBuf>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// Flags that were given, as setting and value.
    pub flags: Vec<(&'static Setting, String)>,
}

/// Values are not printed: secrets are among them.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Layers {
    /// The layers of this process: its environment, and the usual locations of a file.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static Setting, String)>) -> Self {
        const NAME: &str = "sevendigital-mcp.toml";
        let folders = directories::ProjectDirs::from("", "", "sevendigital-mcp");
        let in_folder = |name| Some(folders.as_ref()?.config_dir().join(name));
        let usual_files = [Some(NAME.into()), in_folder(NAME)];
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment is one of the layers"
        )]
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            usual_files: usual_files.into_iter().flatten().collect(),
            credentials: in_folder("credentials.toml"),
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
        for (setting, variable, value) in environment(&self.variables)? {
            let source = format!("{ENVIRONMENT} `{variable}`");
            figment = figment.merge(Layer::of_one(source, setting, value));
        }
        for (setting, value) in &self.flags {
            let flag = setting.flag.as_deref().unwrap_or(&setting.key);
            let source = format!("flag `{flag}`");
            figment = figment.merge(Layer::of_one(source, setting, value.clone()));
        }
        let values = figment.extract().map_err(|error| explain(&error))?;
        one_source_of_token(&figment)?;
        Ok(values)
    }
}

fn defaults() -> impl Provider {
    let of = |settings: &[Setting]| -> serde_json::Map<_, _> {
        settings.iter().filter_map(Setting::default).collect()
    };
    let mut defaults = of(&SETTINGS);
    defaults.insert("limits".to_owned(), json!(of(&LIMITS)));
    Serialized::defaults(defaults)
}

/// A token with a secret from elsewhere is most likely another user's.
fn one_source_of_token(figment: &Figment) -> Result<(), ConfigError> {
    let source = |key: &str| figment.find_metadata(key).map(|found| &*found.name);
    if let Some((token, secret)) = source("access_token").zip(source("access_token_secret"))
        && token.starts_with(ENVIRONMENT) != secret.starts_with(ENVIRONMENT)
    {
        return Err(ConfigError(format!(
            "`access_token` ({token}) and `access_token_secret` ({secret}) belong together: set both in one layer"
        )));
    }
    Ok(())
}

/// How the source of what an environment variable holds begins.
const ENVIRONMENT: &str = "environment variable";

/// Values, and where they came from.
struct Layer {
    source: String,
    values: Dict,
}

impl Layer {
    fn of_one(source: String, setting: &Setting, value: String) -> Self {
        let values = nest(&setting.path(), typed(setting, value.into()));
        let values = values.into_dict().unwrap_or_default();
        Self { source, values }
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

/// A text read as its setting's type, so that each layer may write numbers, lists, and yes or no as text. What can't be read stays, and serde refuses it.
fn typed(setting: &Setting, value: Value) -> Value {
    let text = match value {
        Value::String(_, text) if !setting.is_secret => text,
        Value::Array(tag, mut words) if setting.is("array") => {
            for word in &mut words {
                if let Value::String(_, word) = word {
                    *word = word.trim().to_owned();
                }
            }
            words.retain(|word| word.as_str() != Some(""));
            return Value::Array(tag, words);
        }
        other => return other,
    };
    let text = text.trim();
    if setting.is("array") {
        let words: Vec<Value> = text.split(',').map(Value::from).collect();
        return typed(setting, words.into());
    }
    let number = text.parse::<u64>().ok().filter(|_| setting.is("integer"));
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" if setting.is("boolean") => true.into(),
        "false" | "0" | "no" | "off" if setting.is("boolean") => false.into(),
        _ => number.map_or_else(|| text.into(), Value::from),
    }
}

/// The file's values.
fn file(path: &Path) -> Result<Layer, ConfigError> {
    let source = format!("configuration file `{}`", path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("{source} can't be read: {error}")))?;
    let data = Toml::string(&text).data().map_err(|error| {
        // Only line and column: what follows shows the file's text, which may be a secret.
        let error = error.to_string();
        let location = error.lines().next().unwrap_or_default();
        ConfigError(format!("{source} is not TOML: {location}"))
    })?;
    let values = data.into_values().next().unwrap_or_default();
    let mut values = known(values, &SETTINGS, &TABLES.map(|(key, _)| key), &source)?;
    if let Some(Value::Dict(_, limits)) = values.get_mut("limits") {
        let source = format!("{source}, table `[limits]`");
        *limits = known(std::mem::take(limits), &LIMITS, &[], &source)?;
    }
    Ok(Layer { source, values })
}

/// The values of a table of the file. Unset ones are left out, unknown keys refused.
fn known(
    values: Dict,
    settings: &[Setting],
    tables: &[&str],
    source: &str,
) -> Result<Dict, ConfigError> {
    let settings = || settings.iter().filter(|setting| setting.is_in_file());
    let mut known = Dict::new();
    for (key, value) in values {
        let is_unset = value.as_str().is_some_and(is_unset);
        let value = match settings().find(|setting| setting.key == key) {
            Some(setting) => typed(setting, value),
            None if tables.contains(&&*key) => value,
            None => {
                let keys = settings().map(|setting| &*setting.key);
                return Err(unknown(source, &key, keys.chain(tables.iter().copied())));
            }
        };
        if !is_unset {
            known.insert(key, value);
        }
    }
    Ok(known)
}

/// A setting that the environment has, with its variable and its value.
type Found<'a> = (&'static Setting, &'a str, String);

/// The settings among environment variables, `…_FILE` ones read. A `SEVENDIGITAL_` variable that is none is refused.
fn environment(variables: &[(String, String)]) -> Result<Vec<Found<'_>>, ConfigError> {
    let mut found: Vec<Found> = Vec::new();
    for (name, value) in variables {
        let Some((setting, is_file)) = setting_of(name) else {
            not_ours(name)?;
            continue;
        };
        if is_unset(value) {
            continue;
        }
        let key = &setting.key;
        if let Some((_, other, _)) = found.iter().find(|(twin, ..)| std::ptr::eq(*twin, setting)) {
            return Err(ConfigError(format!(
                "`{key}`: both `{other}` and `{name}` are set; unset one"
            )));
        }
        let value = if is_file {
            let text = std::fs::read_to_string(value).map_err(|error| {
                ConfigError(format!(
                    "`{key}`: the file that {ENVIRONMENT} `{name}` names can't be read: {error}"
                ))
            })?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            value.clone()
        };
        found.push((setting, name, value));
    }
    Ok(found)
}

/// A variable that is no setting has to be another program's.
fn not_ours(name: &str) -> Result<(), ConfigError> {
    if let Some(limit) = name.strip_prefix(LIMIT_VARIABLE) {
        let source = format!("{ENVIRONMENT} `{name}`");
        let key = limit.to_ascii_lowercase();
        let keys = LIMITS.iter().map(|limit| &*limit.key);
        return Err(unknown(&source, &key, keys));
    }
    if name.starts_with("SEVENDIGITAL_") {
        let names = SETTINGS.iter().map(|setting| &*setting.variable);
        return Err(unknown("environment", name, names));
    }
    Ok(())
}

/// The setting of an environment variable, and whether the variable names a file that holds the value.
fn setting_of(variable: &str) -> Option<(&'static Setting, bool)> {
    let secret = variable.strip_suffix("_FILE");
    SETTINGS.iter().chain(LIMITS.iter()).find_map(|setting| {
        let is_file = setting.is_secret && secret == Some(&*setting.variable);
        (is_file || setting.variable == variable).then_some((setting, is_file))
    })
}
