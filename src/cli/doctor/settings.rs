//! The area `settings`: whether the layers can be read, and where each value came from.

use super::context::Context;
use super::finding::{Check, Finding, skipped};
use crate::config::{Config, ConfigError, Fault};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[
    FILE,
    NAMES,
    VALUES,
    BASE_URI,
    TOGETHER,
    PLACEHOLDERS,
    SECRETS,
    LAYERS,
];

const FILE: Check = Check {
    id: "settings.file",
    expected: "The configuration file, and each file that a variable names for a secret, can be read.",
    why: "A server whose settings can't be read does not start.",
};
const NAMES: Check = Check {
    id: "settings.names",
    expected: "Every key and variable is the name of a setting.",
    why: "A misspelt limit would be no limit, so the server does not start with one.",
};
const VALUES: Check = Check {
    id: "settings.values",
    expected: "Every value is one that its setting takes.",
    why: "The server does not start with a value that it does not understand.",
};
const BASE_URI: Check = Check {
    id: "settings.base-uri",
    expected: "`base_uri` is an https address, or an http address of this machine.",
    why: "Over plain http everybody on the way reads passwords, tokens and purchases.",
};
const TOGETHER: Check = Check {
    id: "settings.together",
    expected: "The values go together.",
    why: "The server does not start with settings that contradict each other.",
};
const PLACEHOLDERS: Check = Check {
    id: "settings.placeholders",
    expected: "No value is a placeholder that nobody filled in.",
    why: "A placeholder such as `${NAME}` counts as not set: the program that started the server did not put the value in.",
};
const SECRETS: Check = Check {
    id: "settings.secrets",
    expected: "Keys, tokens and secrets hold no blank or invisible character.",
    why: "A blank or a line break that was copied along makes every signature wrong.",
};
const LAYERS: Check = Check {
    id: "settings.layers",
    expected: "The layer that each value came from is shown.",
    why: "A flag wins over the environment, that over the file, and that over a stored login.",
};

/// Looks at the settings.
pub(super) fn examine(context: &Context<'_>) -> Vec<Finding> {
    let config = match context.loaded {
        Ok(config) => config,
        Err(error) => return broken(error),
    };
    let file = context.layers.file_to_read();
    let file = file.map_or_else(
        || "There is no configuration file.".to_owned(),
        |path| format!("`{}` is read.", path.display()),
    );
    let base_uri = format!("`base_uri` is {}.", config.base_uri);
    vec![
        FILE.pass(file),
        NAMES.pass("All names are known."),
        VALUES.pass("All values are understood."),
        BASE_URI.pass(base_uri),
        TOGETHER.pass("The values go together."),
        placeholders(config),
        secrets(config),
        layers(config),
    ]
}

/// Settings that can't be read: the first fault is reported, and hides what comes after it.
fn broken(error: &ConfigError) -> Vec<Finding> {
    let (check, fix) = match error.fault {
        Fault::File => (&FILE, "Correct the file that it names, and run this again."),
        Fault::Name => (&NAMES, "Correct or remove the name, and run this again."),
        Fault::Value => (&VALUES, "Correct the value, and run this again."),
        Fault::Command => (
            &VALUES,
            "Run the command itself in a shell until it prints the secret and nothing else, and run this again.",
        ),
        Fault::BaseUri => (
            &BASE_URI,
            "Remove `base_uri` (`SEVENDIGITAL_BASE_URI`, `--base-uri`), or use https.",
        ),
        Fault::Placeholder | Fault::WorkingFolder | Fault::Other => {
            (&TOGETHER, "Set what it asks for, and run this again.")
        }
        // The area `files` looks at it.
        Fault::StoredLogin => {
            let why = "The stored login can't be used: see `files.login`.";
            return skipped(CHECKS, why);
        }
    };
    let skipped = CHECKS.iter().filter(|other| *other != check);
    let skipped = skipped.map(|check| check.skip("The settings can't be read to their end."));
    let text = format!("{error}.");
    [check.fail(text, fix)].into_iter().chain(skipped).collect()
}

fn placeholders(config: &Config) -> Finding {
    let unfilled = config
        .origins
        .iter()
        .filter(|origin| origin.value.is_none());
    let unfilled = unfilled.map(|origin| {
        let (path, source) = (&origin.path, &origin.source);
        format!("`{path}` ({source}) is a placeholder such as `${{NAME}}`, and counts as not set")
    });
    let pasted = config.warnings.iter();
    let pasted = pasted.filter(|warning| warning.fault == Fault::Placeholder);
    let found: Vec<String> = unfilled.chain(pasted.map(ToString::to_string)).collect();
    let Some(first) = found.first() else {
        return PLACEHOLDERS.pass("No value is a placeholder.");
    };
    let what = match found.len() {
        1 => format!("{first}."),
        count => format!("{count} values are placeholders, and count as not set."),
    };
    let fix = "Write the value itself into `env` of the client's file, or better none at all: the configuration file and `sevendigital-mcp login` are read whoever starts the server.";
    PLACEHOLDERS.warn(what, fix).with(found)
}

fn secrets(config: &Config) -> Finding {
    let secrets = [
        ("consumer_key", &config.consumer_key),
        ("consumer_secret", &config.consumer_secret),
        ("access_token", &config.access_token),
        ("access_token_secret", &config.access_token_secret),
        ("token", &config.token),
    ];
    let is_odd = |text: &str| !text.chars().all(|c| c.is_ascii_graphic());
    let odd = secrets.into_iter().filter(|(_, secret)| {
        let secret = secret.as_ref();
        secret.is_some_and(|secret| is_odd(secret.expose()))
    });
    let odd: Vec<String> = odd.map(|(key, _)| format!("`{key}`")).collect();
    if odd.is_empty() {
        return SECRETS.pass("None has a blank, a line break or an invisible character inside.");
    }
    let names = odd.join(", ");
    let what =
        format!("Inside {names} is a blank, a line break or another character that no key has.");
    SECRETS.warn(what, "Copy the value anew, without what stands around it.")
}

fn layers(config: &Config) -> Finding {
    let origins = config.origins.iter();
    let given = origins.filter_map(|origin| {
        let value = origin.value.as_ref()?;
        Some(format!("{} = {value}  ({})", origin.path, origin.source))
    });
    let mut given: Vec<String> = given.collect();
    if config.sandbox {
        given.push("base_uri, the credentials and the country are the sandbox's own".to_owned());
    }
    let what = match config.origins.len() {
        0 => "All settings have their defaults.".to_owned(),
        1 => "One value is set; the others have their defaults.".to_owned(),
        count => format!("{count} values are set; the others have their defaults."),
    };
    LAYERS.pass(what).with(given)
}
