//! How errors of the layers are worded: the key, the layer, what was expected. A secret's value is never shown.

use figment::error::Kind;

use super::error::{ConfigError, Fault};
use super::secret_command;
use super::table::{LIMITS, SETTINGS, Setting};

/// A key that only the file has, with what it must be, as the end of "expected …".
#[rustfmt::skip]
pub(super) const TABLES: [(&str, &str); 3] = [
    ("principals", "tables `[[principals]]` with the texts `name` and `token_sha256` or `subject`, the list `allow`, and if need be `user_id`, or `access_token` and `access_token_secret`"),
    (secret_command::KEY, "a list of texts, a program and its arguments, such as [\"op\", \"read\", \"op://vault/7digital/secret\"]"),
    ("limits", "a table `[limits]` with the keys that docs/limits.md lists"),
];

/// A name that is no setting, with the nearest one that is.
pub(super) fn unknown<'a>(
    source: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> ConfigError {
    let way_out = match nearest(name, known) {
        Some(nearest) => &format!("did you mean `{nearest}`?"),
        None => "remove it; docs/configuration.md lists the settings",
    };
    let text = format!("{source}: there is no setting `{name}`; {way_out}");
    ConfigError::of(Fault::Name, text)
}

/// The name that is most like one which nobody has, if any is like it.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, nearest)| nearest)
}

/// The warning about a value that stands for another, which nobody put in.
pub(super) fn placeholder(setting: &Setting, source: &str) -> ConfigError {
    let (key, expected) = (&setting.key, setting.expected());
    let text = format!(
        "`{key}` ({source}) holds a placeholder, and counts as not set: put in {expected}, or take it out"
    );
    ConfigError::of(Fault::Placeholder, text)
}

/// figment's error in our words.
pub(super) fn explain(error: &figment::Error) -> ConfigError {
    let metadata = error.metadata.as_ref();
    let source = metadata.map_or("defaults", |metadata| &*metadata.name);
    let path = error.path.join(".");
    let mut settings = SETTINGS.iter().chain(LIMITS.iter());
    let setting = settings.find(|setting| setting.path() == path);
    let mut tables = TABLES.into_iter();
    let table = tables.find(|(key, _)| error.path.first().is_some_and(|first| first == key));
    let expected = setting.map(Setting::expected);
    let Some(expected) = expected.or(table.map(|(_, expected)| expected)) else {
        return ConfigError::new(format!("configuration: {error}"));
    };
    // serde's words show what it found, which in a secret and in a table may be a secret; the path does not.
    let problem = match &error.kind {
        Kind::Message(message) if setting.is_some_and(|setting| !setting.is_secret) => {
            format!(" ({message})")
        }
        _ => String::new(),
    };
    let fault = match &*path {
        "base_uri" => Fault::BaseUri,
        _ => Fault::Value,
    };
    let text = format!("`{path}` ({source}) is not valid: expected {expected}{problem}");
    ConfigError::of(fault, text)
}
