//! How errors of the layers are worded: the key, the layer, what was expected. A secret's value is never shown.

use super::table::{LIMITS, SETTINGS, Setting};

/// What is wrong with the configuration: the key, the layer that it came from, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A key of the file that stands for a whole table, with what it must be, as the end of "expected …".
#[rustfmt::skip]
pub(super) const TABLES: [(&str, &str); 2] = [
    ("principals", "tables `[[principals]]` with the texts `name` and `token_sha256` or `subject`, the list `allow`, and if need be `user_id`, or `access_token` and `access_token_secret`"),
    ("limits", "a table `[limits]` with the keys that the README lists"),
];

/// A name that is no setting, with the nearest one that is.
pub(super) fn unknown<'a>(
    source: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> ConfigError {
    let closest = known
        .map(|candidate| (strsim::jaro_winkler(candidate, name), candidate))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let way_out = match closest {
        Some((_, candidate)) => &format!("did you mean `{candidate}`?"),
        None => "remove it; the README lists the settings",
    };
    ConfigError(format!("{source}: there is no setting `{name}`; {way_out}"))
}

/// A value that is not what its setting takes. `problem` says what is wrong with it, if more is known.
pub(super) fn invalid(setting: &Setting, source: &str, problem: Option<&str>) -> ConfigError {
    let problem = problem.filter(|_| !setting.is_secret);
    let problem = problem.map_or(String::new(), |problem| format!(" ({problem})"));
    let (path, expected) = (setting.path(), setting.expected());
    ConfigError(format!(
        "`{path}` ({source}) is not valid: expected {expected}{problem}"
    ))
}

/// figment's error in our words.
pub(super) fn explain(error: &figment::Error) -> ConfigError {
    let metadata = error.metadata.as_ref();
    let source = metadata.map_or("defaults", |metadata| &*metadata.name);
    let path = error.path.join(".");
    let mut settings = SETTINGS.iter().chain(LIMITS.iter());
    if let Some(setting) = settings.find(|setting| setting.path() == path) {
        let problem = match &error.kind {
            figment::error::Kind::Message(message) => Some(message.as_str()),
            _ => None,
        };
        return invalid(setting, source, problem);
    }
    // serde's words show what it found, which may be a secret; the path does not.
    let table = error.path.first();
    let table = TABLES
        .iter()
        .find(|(key, _)| table.is_some_and(|table| table == key));
    ConfigError(match table {
        Some((_, expected)) => format!("`{path}` ({source}) is not valid: expected {expected}"),
        None => format!("configuration: {error}"),
    })
}
