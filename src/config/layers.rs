//! The layers that settings come from: defaults, a TOML file, the environment and flags.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::environment::{self, CONFIG_VARIABLE};
use super::error::{ConfigError, Fault};
use super::folders::config_folder;
use super::messages::{TABLES, explain, placeholder, unknown};
use super::origins::{ENVIRONMENT, FILE, FLAG, Notes};
use super::proxies::{self, Proxy};
use super::table::{LIMITS, SETTINGS, Setting, shown};
use super::text::{self, is_placeholder, is_unset, trimmed};

/// Where settings come from, besides the defaults.
#[derive(Clone, Default)]
pub struct Layers {
    /// The file given with `--config`, before that of `SEVENDIGITAL_MCP_CONFIG`.
    pub file: Option<PathBuf>,
    /// The user's own file, read where none was given and it exists.
    pub usual_file: Option<PathBuf>,
    /// Where a file would be that is not read: whoever wrote the folder that the server was started in would set its limits.
    pub passed_over: Option<PathBuf>,
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
    /// The layers of this process: its environment, and the user's own folder.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static Setting, String)>) -> Self {
        const NAME: &str = "sevendigital-mcp.toml";
        let folder = config_folder();
        let in_folder = |name| Some(folder.as_ref()?.join(name));
        // A folder that was removed has no name.
        let working_folder = std::env::current_dir().ok();
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment is one of the layers"
        )]
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            usual_file: in_folder(NAME),
            passed_over: working_folder.map(|folder| folder.join(NAME)),
            credentials: in_folder("credentials.toml"),
            variables,
            flags,
        }
    }

    /// The values of all layers, later ones winning, and what the operator should know of them.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<(T, Notes), ConfigError> {
        let mut figment = Figment::from(defaults());
        let mut notes = Notes::default();
        let path = self.file_to_read();
        let passed_over = self.warn_of_working_folder(path.as_deref());
        notes.warnings.extend(passed_over);
        if let Some(path) = path {
            figment = figment.merge(file(&path, &mut notes)?);
        }
        for (setting, variable, value) in environment::read(&self.variables, &mut notes)? {
            let source = format!("{ENVIRONMENT} `{variable}`");
            figment = figment.merge(Layer::of_one(source, setting, value));
        }
        for (setting, value) in &self.flags {
            let flag = setting.flag.as_deref().unwrap_or(&setting.key);
            let source = format!("{FLAG} `{flag}`");
            figment = figment.merge(Layer::of_one(source, setting, value.clone()));
        }
        let values = figment.extract().map_err(|error| explain(&error))?;
        one_source_of_token(&figment)?;
        note_origins(&figment, &mut notes);
        Ok((values, notes))
    }

    /// The proxies that the environment names.
    pub fn proxies(&self) -> Vec<Proxy> {
        proxies::proxies(&self.variables)
    }

    /// Whether the environment's `NO_PROXY` names this machine.
    pub fn passes_by_loopback(&self) -> bool {
        proxies::passes_by_loopback(&self.variables)
    }

    /// The files that the environment names for secrets.
    pub fn secret_files(&self) -> impl Iterator<Item = &Path> {
        environment::secret_files(&self.variables)
    }

    /// The file that was given, else the user's own, whether or not there is one.
    pub fn own_file(&self) -> Option<PathBuf> {
        self.named_file().or_else(|| self.usual_file.clone())
    }

    /// Whether the file to read is in the working folder or below it, and not the user's own for all that.
    pub(super) fn reads_working_folder(&self) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let usual = self.usual_file.as_deref();
        let named = self.named_file().and_then(|path| real(&path));
        let named = named.filter(|path| usual.and_then(real).as_ref() != Some(path));
        let working_folder = self.passed_over.as_deref().and_then(Path::parent);
        let (Some(named), Some(folder)) = (named, working_folder.and_then(real)) else {
            return false;
        };
        // Clients start servers in the home or at the root too, which hold the user's own folders and all others.
        let own = usual.and_then(|path| path.ancestors().find_map(real));
        if own.is_some_and(|own| own.starts_with(&folder)) {
            return named.parent() == Some(&folder);
        }
        named.starts_with(&folder)
    }

    /// The file that was given, else the user's own, if there is one.
    pub fn file_to_read(&self) -> Option<PathBuf> {
        let usual = || self.usual_file.clone().filter(|path| path.is_file());
        self.named_file().or_else(usual)
    }

    /// The file that was given, by a flag or by the variable.
    pub fn named_file(&self) -> Option<PathBuf> {
        let mut named = self
            .variables
            .iter()
            .filter(|(name, _)| name == CONFIG_VARIABLE);
        let named = named.find(|(_, value)| !is_unset(value));
        let named = named.map(|(_, path)| trimmed(path).into());
        self.file.clone().or(named)
    }

    /// What to say of a file in the working folder that is not the one to read.
    fn warn_of_working_folder(&self, read: Option<&Path>) -> Option<ConfigError> {
        let path = self.passed_over.as_ref().filter(|path| path.is_file())?;
        let place = |path: &Path| path.canonicalize().ok();
        if read.is_some_and(|read| place(read) == place(path)) {
            return None;
        }
        // The folder's name may be another's choice, and this may go to a terminal.
        let path = path.display().to_string();
        let text = format!(
            "`{}` is not read: no settings come from the working folder, which may be anybody's; if the file is yours, name it with `--config` or `{CONFIG_VARIABLE}`",
            path.escape_debug()
        );
        Some(ConfigError::of(Fault::WorkingFolder, text))
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
        return Err(ConfigError::new(format!(
            "`access_token` ({token}) and `access_token_secret` ({secret}) belong together: set both in one layer"
        )));
    }
    Ok(())
}

/// Notes which layer each value comes from, the defaults apart.
fn note_origins(figment: &Figment, notes: &mut Notes) {
    for setting in SETTINGS.iter().chain(LIMITS.iter()) {
        let path = setting.path();
        let source = figment.find_metadata(&path).map(|found| &*found.name);
        let is_given = |source: &&str| {
            let mut layers = [FILE, ENVIRONMENT, FLAG].iter();
            layers.any(|layer| source.starts_with(layer))
        };
        let value = figment.find_value(&path).ok();
        let value = value.and_then(|value| serde_json::to_value(value).ok());
        if let (Some(source), Some(value)) = (source.filter(is_given), value) {
            let value = if setting.is_secret {
                "[redacted]".to_owned()
            } else {
                shown(&value)
            };
            notes.add(path, source, Some(value));
        }
    }
}

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
        Value::String(_, text) => text,
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
    let text = trimmed(&text);
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
fn file(path: &Path, notes: &mut Notes) -> Result<Layer, ConfigError> {
    let source = format!("{FILE} `{}`", path.display());
    let wrong = |problem: &str| ConfigError::of(Fault::File, format!("{source} {problem}"));
    let text = text::read(path).map_err(|problem| wrong(&problem))?;
    let data = Toml::string(&text).data().map_err(|error| {
        // Only line and column: what follows shows the file's text, which may be a secret.
        let error = error.to_string();
        let location = error.lines().next().unwrap_or_default();
        wrong(&format!("is not TOML: {location}"))
    })?;
    let values = data.into_values().next().unwrap_or_default();
    let mut values = known(
        values,
        &SETTINGS,
        &TABLES.map(|(key, _)| key),
        &source,
        notes,
    )?;
    if let Some(Value::Dict(_, limits)) = values.get_mut("limits") {
        let source = format!("{source}, table `[limits]`");
        *limits = known(std::mem::take(limits), &LIMITS, &[], &source, notes)?;
    }
    Ok(Layer { source, values })
}

/// The values of a table of the file. Unset ones are left out, unknown keys refused.
fn known(
    values: Dict,
    settings: &[Setting],
    tables: &[&str],
    source: &str,
    notes: &mut Notes,
) -> Result<Dict, ConfigError> {
    let settings = || settings.iter().filter(|setting| setting.is_in_file());
    let mut known = Dict::new();
    for (key, value) in values {
        let mut is_unset = value.as_str().is_some_and(is_unset);
        let value = match settings().find(|setting| setting.key == key) {
            Some(setting) => {
                let is_pasted =
                    setting.is_credential() && value.as_str().is_some_and(is_placeholder);
                if is_unset {
                    // An empty value says itself that it is none.
                    if value.as_str().is_some_and(|text| !trimmed(text).is_empty()) {
                        notes.add(setting.path(), source, None);
                    }
                } else if is_pasted {
                    notes.warnings.push(placeholder(setting, source));
                    is_unset = true;
                }
                typed(setting, value)
            }
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
