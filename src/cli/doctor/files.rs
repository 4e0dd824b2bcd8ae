//! The area `files`: which files and folders are used, really, and who may read them.

use std::path::Path;

use super::context::Context;
use super::filesystem::{existing, is_open_to_others, poor_storage};
use super::finding::{Check, Finding};
use crate::config::{Config, Fault};
use crate::ledger::Ledger;

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[CONFIG, LOGIN, SECRETS, WORKING_FOLDER, STATE];

const CONFIG: Check = Check {
    id: "files.config",
    expected: "The configuration file is yours alone where it holds secrets.",
    why: "Whoever reads the secrets can spend the user's money.",
};
const LOGIN: Check = Check {
    id: "files.login",
    expected: "The stored login is readable by you alone, and used.",
    why: "The stored token is enough to spend the user's money, so one that is open to others is not used.",
};
const SECRETS: Check = Check {
    id: "files.secrets",
    expected: "The files that variables name for secrets are readable by you alone.",
    why: "Other users of this machine could read a secret, and call or spend with it.",
};
const WORKING_FOLDER: Check = Check {
    id: "files.working-folder",
    expected: "No configuration file in the working folder is passed over.",
    why: "The folder that a server is started in may be anybody's, so no settings are read from it.",
};
const STATE: Check = Check {
    id: "files.state",
    expected: "The state folder keeps what is written, and all programs see the same one.",
    why: "The ledger there is what makes the same purchase happen once: one that is lost, or that another program does not see, forgets purchases.",
};

/// Looks at the files.
pub(super) fn examine(context: &Context<'_>) -> Vec<Finding> {
    let state = match context.loaded {
        Ok(config) => state(config),
        Err(_) => STATE.skip("The settings can't be read."),
    };
    vec![
        config_file(context),
        login(context),
        secrets(context),
        working_folder(context),
        state,
    ]
}

fn config_file(context: &Context<'_>) -> Finding {
    let layers = context.layers;
    let Some(path) = layers.file_to_read() else {
        let usual = layers.usual_file.as_ref();
        let usual = usual.map(|path| format!(" It would be `{}`.", path.display()));
        let usual = usual.unwrap_or_default();
        return CONFIG.pass(format!("There is no configuration file.{usual}"));
    };
    let shown = path.display();
    let has_secret = context.loaded.is_ok_and(|config| {
        let mut origins = config.origins.iter();
        origins.any(|origin| {
            let is_secret = origin.value.as_deref() == Some("[redacted]");
            is_secret && origin.source.contains(&*path.display().to_string())
        })
    });
    if has_secret && is_open_to_others(&path) {
        let what = format!("`{shown}` holds secrets, and other users of this machine can read it.");
        return CONFIG.warn(what, format!("Type `chmod 600 '{shown}'`."));
    }
    CONFIG.pass(format!("`{shown}` is read."))
}

fn login(context: &Context<'_>) -> Finding {
    if let Err(error) = context.loaded
        && error.fault == Fault::StoredLogin
    {
        return LOGIN.fail(format!("{error}."), "Do as it says, and run this again.");
    }
    let warnings = context.loaded.map(|config| &*config.warnings);
    let mut warnings = warnings.unwrap_or_default().iter();
    if let Some(warning) = warnings.find(|warning| warning.fault == Fault::StoredLogin) {
        let fix = "Correct the setting, or type `sevendigital-mcp logout`.";
        return LOGIN.warn(format!("{warning}."), fix);
    }
    let path = context.layers.credentials.as_ref();
    match path.filter(|path| path.exists()) {
        Some(path) if is_open_to_others(path) => LOGIN.warn(
            format!(
                "`{}` is open to other users of this machine.",
                path.display()
            ),
            format!("Type `chmod 600 '{}'`.", path.display()),
        ),
        Some(path) => LOGIN.pass(format!("`{}` is yours alone.", path.display())),
        None => LOGIN.pass("No login is stored."),
    }
}

fn secrets(context: &Context<'_>) -> Finding {
    let files = context.layers.secret_files();
    let open: Vec<&Path> = files.filter(|path| is_open_to_others(path)).collect();
    let Some(first) = open.first() else {
        return SECRETS.pass("None is open to other users.");
    };
    let shown = first.display();
    let what = match open.len() {
        1 => format!("Other users of this machine can read `{shown}`."),
        count => format!("Other users of this machine can read {count} files."),
    };
    let details = open.iter().map(|path| path.display().to_string());
    SECRETS
        .warn(what, format!("Type `chmod 600 '{shown}'`."))
        .with(details)
}

fn working_folder(context: &Context<'_>) -> Finding {
    let warnings = context.loaded.map(|config| &*config.warnings);
    let mut warnings = warnings.unwrap_or_default().iter();
    match warnings.find(|warning| warning.fault == Fault::WorkingFolder) {
        Some(warning) => WORKING_FOLDER.warn(
            format!("{warning}."),
            "Move it to the config folder, or name it with `--config`.",
        ),
        None => WORKING_FOLDER.pass("No file is passed over."),
    }
}

fn state(config: &Config) -> Finding {
    let ledger = match Ledger::from_config(config) {
        Ok(ledger) => ledger,
        Err(error) => return STATE.fail(format!("{error}."), "Correct `ledger_url`."),
    };
    let Some(real) = ledger.folder() else {
        return STATE.pass(format!("The ledger is {}.", ledger.place()));
    };
    let shown = real.display();
    let fix = "Set `state_dir` (`SEVENDIGITAL_MCP_STATE_DIR`) to a folder on a disk that stays; in a container, to a volume.";
    if let Some(storage) = poor_storage(existing(&real)) {
        return STATE.warn(format!("`{shown}` is on {storage}."), fix);
    }
    if is_redirected(&real) {
        let what = format!(
            "`{shown}` is in AppData, which Windows redirects for packaged apps: they have another ledger than the shell."
        );
        return STATE.warn(what, fix);
    }
    let asked = config.state_dir.as_ref();
    let asked = asked.filter(|asked| std::path::absolute(asked).ok().as_ref() != Some(&real));
    let leads = asked.map(|asked| format!(" `{}` leads there.", asked.display()));
    let leads = leads.unwrap_or_default();
    STATE.pass(format!("It is `{shown}`.{leads}"))
}

/// Whether Windows gives packaged apps a copy of their own of this folder.
fn is_redirected(path: &Path) -> bool {
    let mut parts = path.components().map(std::path::Component::as_os_str);
    parts.any(|part| part.eq_ignore_ascii_case("AppData"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_appdata_is_redirected() {
        for (path, expected) in [
            ("/c/Users/jane/AppData/Local/sevendigital-mcp", true),
            ("/c/Users/jane/.sevendigital-mcp", false),
        ] {
            assert_eq!(is_redirected(Path::new(path)), expected, "{path}");
        }
    }
}
