//! The settings among environment variables.

use std::path::Path;

use super::error::{ConfigError, Fault};
use super::messages::{placeholder, unknown};
use super::origins::{ENVIRONMENT, Notes};
use super::service_links::is_service_link;
use super::table::{LIMIT_VARIABLE, LIMITS, SETTINGS, Setting};
use super::text::{self, is_placeholder, is_unset, trimmed};

/// The variable for `--config`, which is no setting of its own.
pub(super) const CONFIG_VARIABLE: &str = "SEVENDIGITAL_MCP_CONFIG";

/// A setting that the environment has, with its variable and its value.
type Found<'a> = (&'static Setting, &'a str, String);

/// The settings among environment variables, `…_FILE` ones read. A `SEVENDIGITAL_` variable that is none is refused, unless Kubernetes set it.
pub(super) fn read<'a>(
    variables: &'a [(String, String)],
    notes: &mut Notes,
) -> Result<Vec<Found<'a>>, ConfigError> {
    let mut found: Vec<Found> = Vec::new();
    for (name, value) in variables {
        let Some((setting, is_file)) = setting_of(name) else {
            not_ours(name, value)?;
            continue;
        };
        if is_unset(value) {
            // An empty value says itself that it is none.
            if !trimmed(value).is_empty() {
                notes.add(setting.path(), &format!("{ENVIRONMENT} `{name}`"), None);
            }
            continue;
        }
        let key = &setting.key;
        if let Some((_, other, _)) = found.iter().find(|(twin, ..)| std::ptr::eq(*twin, setting)) {
            return Err(ConfigError::new(format!(
                "`{key}`: both `{other}` and `{name}` are set; unset one"
            )));
        }
        let value = if is_file {
            text::read(Path::new(trimmed(value))).map_err(|problem| {
                let text = format!("`{key}`: the file that {ENVIRONMENT} `{name}` names {problem}");
                ConfigError::of(Fault::File, text)
            })?
        } else {
            value.clone()
        };
        if setting.is_credential() && (is_unset(&value) || is_placeholder(&value)) {
            notes
                .warnings
                .push(placeholder(setting, &format!("{ENVIRONMENT} `{name}`")));
            continue;
        }
        found.push((setting, name, value));
    }
    Ok(found)
}

/// The files that variables name for secrets.
pub(super) fn secret_files(variables: &[(String, String)]) -> impl Iterator<Item = &Path> {
    variables
        .iter()
        .filter(|(name, value)| {
            setting_of(name).is_some_and(|(_, is_file)| is_file) && !is_unset(value)
        })
        .map(|(_, path)| Path::new(trimmed(path)))
}

/// A variable that is no setting has to be another program's.
fn not_ours(name: &str, value: &str) -> Result<(), ConfigError> {
    if name == CONFIG_VARIABLE || is_service_link(name, value) {
        return Ok(());
    }
    if let Some(limit) = name.strip_prefix(LIMIT_VARIABLE) {
        let source = format!("{ENVIRONMENT} `{name}`");
        let key = limit.to_ascii_lowercase();
        let keys = LIMITS.iter().map(|limit| &*limit.key);
        return Err(unknown(&source, &key, keys));
    }
    if name.starts_with("SEVENDIGITAL_") {
        let names = SETTINGS.iter().map(|setting| &*setting.variable);
        let names = names.chain([CONFIG_VARIABLE]);
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
