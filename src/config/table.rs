//! The tables of settings and limits, made from their declarations.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde::Deserialize;
use serde_json::Value;

use super::limits::Limits;
use super::settings::Config;

/// Every setting that has a variable of its own, in the order of declaration.
pub static SETTINGS: LazyLock<Vec<Setting>> =
    LazyLock::new(|| declared::<Config>("SEVENDIGITAL_MCP_"));

/// Every limit, in the order of declaration.
pub static LIMITS: LazyLock<Vec<Setting>> = LazyLock::new(|| declared::<Limits>(LIMIT_VARIABLE));

/// How the environment variable of a limit begins; its key in capitals follows.
pub(super) const LIMIT_VARIABLE: &str = "SEVENDIGITAL_MCP_LIMIT_";

/// A setting: what it is called in the layers, and what it takes.
#[derive(Debug, Clone, Deserialize)]
pub struct Setting {
    /// Key in the file; a limit's is in the table `[limits]`.
    #[serde(default)]
    pub key: String,
    /// Environment variable; unless declared, that of all settings or of limits with the key in capitals.
    #[serde(default, rename = "env")]
    pub variable: String,
    /// Flag such as `--bind`, if it has one.
    pub flag: Option<String>,
    /// What help calls the value of the flag.
    pub value: Option<String>,
    /// The value of a flag that is given without one, if that may be.
    pub bare: Option<String>,
    /// The default, if it has one.
    default: Option<Value>,
    /// What holds without a value, in words, where `default` doesn't say it.
    unset: Option<String>,
    #[serde(default)]
    expected: String,
    /// Whether values are never shown. A secret has no flag, and may come from the file that `VARIABLE_FILE` names.
    #[serde(default, rename = "secret")]
    pub is_secret: bool,
    /// What it does.
    #[serde(rename = "description")]
    pub summary: String,
    /// Its type in JSON, one or several.
    #[serde(default, rename = "type")]
    types: Value,
}

impl Setting {
    /// Where it stands in the file: the key, and for a limit the table before it.
    pub fn path(&self) -> String {
        let is_limit = self.variable.starts_with(LIMIT_VARIABLE);
        [if is_limit { "limits." } else { "" }, &self.key].concat()
    }

    /// What a value must be, as the end of "expected …".
    pub fn expected(&self) -> &str {
        match self.expected.as_str() {
            "" if self.is("boolean") => "`true` or `false`",
            "" => "a whole number from 1 to 4294967295",
            expected => expected,
        }
    }

    /// What holds where no layer has a value, as people write it.
    pub fn default_text(&self) -> String {
        let default = self.default.as_ref().map(shown).unwrap_or_default();
        let default = Some(&*default).filter(|text| !text.is_empty());
        let text = self.unset.as_deref().or(default).unwrap_or("none");
        match (&self.bare, &self.flag) {
            (Some(bare), Some(flag)) => format!("{text}; {bare} with a bare `{flag}`"),
            _ => text.to_owned(),
        }
    }

    /// Whether the file has a key for it. `RUST_LOG` is other programs' variable too, and stays in the environment.
    pub fn is_in_file(&self) -> bool {
        self.variable.starts_with("SEVENDIGITAL_")
    }

    /// Whether it says who calls 7digital and for whom: there a placeholder is nothing, while it stays an error where nothing would mean more rights.
    pub(super) fn is_credential(&self) -> bool {
        const CREDENTIALS: [&str; 7] = [
            "consumer_key",
            "consumer_secret",
            "access_token",
            "access_token_secret",
            "user_id",
            "country",
            "shop_id",
        ];
        CREDENTIALS.contains(&&*self.key)
    }

    /// The default, for the lowest layer.
    pub(super) fn default(&self) -> Option<(String, Value)> {
        Some((self.key.clone(), self.default.clone()?))
    }

    /// Whether it is of that type: `boolean`, `integer`, `array` or `string`.
    pub(super) fn is(&self, kind: &str) -> bool {
        let kinds = self.types.as_array();
        self.types == kind || kinds.is_some_and(|kinds| kinds.iter().any(|other| other == kind))
    }
}

/// A value as people write it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(",")
        }
        value => value.to_string(),
    }
}

/// The settings that the fields of a struct declare, with the beginning of their variables. One whose declaration is not whole is left out, which a test notices.
fn declared<T: JsonSchema>(variable: &str) -> Vec<Setting> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.contract = Contract::Serialize;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    // `properties` are sorted. `required` is in the order of declaration and, in this contract, has every field.
    let keys = schema.get("required").and_then(Value::as_array);
    let setting = |key: &Value| {
        let key = key.as_str()?;
        let declaration = schema.get("properties")?.get(key)?;
        let mut setting = Setting::deserialize(declaration).ok()?;
        key.clone_into(&mut setting.key);
        if setting.variable.is_empty() {
            setting.variable = format!("{variable}{}", key.to_uppercase());
        }
        Some(setting)
    };
    keys.into_iter().flatten().filter_map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_declares_a_setting() {
        assert_eq!((SETTINGS.len(), LIMITS.len()), (39, 42));
        for setting in SETTINGS.iter().chain(LIMITS.iter()) {
            let is_plain = setting.is("boolean") || setting.is("integer");
            assert!(is_plain || !setting.expected.is_empty(), "{setting:?}");
            assert!(!setting.is_secret || setting.flag.is_none(), "{setting:?}");
        }
    }
}
