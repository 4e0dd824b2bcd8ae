//! The area `state`: the ledger of purchases, and the room that it has.

use std::path::Path;

use super::context::Context;
use super::filesystem::{existing, free_space, is_shared_by_all, may_write};
use super::finding::{Check, Finding, skipped};
use crate::ledger::{Inspection, Ledger, State};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[LEDGER, VERSION, WRITABLE, SPACE, UNKNOWN, PROCESSES];

const LEDGER: Check = Check {
    id: "state.ledger",
    expected: "The ledger can be read, and is whole.",
    why: "Nothing is bought that can't be written down.",
};
const VERSION: Check = Check {
    id: "state.version",
    expected: "The ledger is of a version that this program knows.",
    why: "A program does not touch a ledger that a later version wrote.",
};
const WRITABLE: Check = Check {
    id: "state.writable",
    expected: "The state folder can be written to, and is not shared by all users.",
    why: "Nothing is bought that can't be written down.",
};
const SPACE: Check = Check {
    id: "state.space",
    expected: "There is room for more.",
    why: "On a full disk nothing can be written down, so nothing can be bought.",
};
const UNKNOWN: Check = Check {
    id: "state.unknown",
    expected: "The outcome of every purchase is known.",
    why: "A purchase that may have been made is not sent again before somebody has looked.",
};
const PROCESSES: Check = Check {
    id: "state.processes",
    expected: "The servers that use the ledger are shown.",
    why: "Servers that use one ledger buy the same thing once, however many clients ask.",
};

/// Bytes below which room is short, and below which there is none.
const SHORT: u64 = 100 << 20;
const FULL: u64 = 1 << 20;

/// Looks at the ledger.
pub(super) async fn examine(context: &Context<'_>) -> Vec<Finding> {
    let Ok(config) = context.loaded else {
        return skipped(CHECKS, "The settings can't be read.");
    };
    let ledger = match Ledger::from_config(config) {
        Ok(ledger) => ledger,
        Err(error) => return skipped(CHECKS, &format!("{error}.")),
    };
    if context.offline && config.ledger_url.is_some() {
        return skipped(CHECKS, "The database is not asked with `--offline`.");
    }
    let mut found = inspected(&ledger).await;
    if let Some(folder) = ledger.folder() {
        found.extend([writable(&folder), space(existing(&folder))]);
    } else {
        let why = format!(
            "There is no state folder: the ledger is {}.",
            ledger.place()
        );
        found.extend([WRITABLE.skip(&why), SPACE.skip(&why)]);
    }
    found
}

async fn inspected(ledger: &Ledger) -> Vec<Finding> {
    let place = ledger.place();
    let others = [&VERSION, &UNKNOWN, &PROCESSES];
    match ledger.inspect().await {
        Ok(inspection) => {
            let what = match inspection.version {
                None if ledger.folder().is_some() => {
                    format!("There is none yet; the first purchase makes it: {place}.")
                }
                _ => format!("It is {place}."),
            };
            vec![
                LEDGER.pass(what).with(counts(&inspection)),
                version(&inspection),
                unknown(&inspection),
                processes(&inspection),
            ]
        }
        Err(error) => {
            let fix = "Repair it or put it back from a copy; `state_dir` or `ledger_url` names another one. A new ledger knows of no purchase, so look into the locker before you buy again.";
            let fail = LEDGER.fail(format!("{error}."), fix);
            let skipped = others.map(|check| check.skip("The ledger can't be read."));
            [fail].into_iter().chain(skipped).collect()
        }
    }
}

fn counts(inspection: &Inspection) -> Vec<String> {
    let counts = inspection.charges.iter();
    let counts = counts.map(|(state, count)| format!("{}: {count}", state.as_str()));
    counts.collect()
}

fn version(inspection: &Inspection) -> Finding {
    let today = Inspection::VERSION;
    match inspection.version {
        Some(found) if found > today => VERSION.fail(
            format!("A later version of this program wrote it (version {found}; this one knows {today})."),
            "Use the later version, everywhere.",
        ),
        Some(found) if found < today => VERSION.pass(format!(
            "It is of version {found}, and becomes {today} with the next purchase."
        )),
        Some(found) => VERSION.pass(format!("It is of version {found}, today's.")),
        None => VERSION.pass("There is no ledger yet."),
    }
}

fn unknown(inspection: &Inspection) -> Finding {
    let mut charges = inspection.charges.iter();
    match charges.find(|(state, _)| *state == State::Unknown) {
        Some((_, count)) => UNKNOWN.warn(
            format!("{count} of the purchases may or may not have been made."),
            "Type `sevendigital-mcp ledger list`, compare with the locker, and take out what was not bought with `sevendigital-mcp ledger forget NUMBER`.",
        ),
        None => UNKNOWN.pass("Nothing is unknown."),
    }
}

fn processes(inspection: &Inspection) -> Finding {
    match inspection.processes {
        Some(count) => PROCESSES.pass(format!(
            "{count} running servers have bought something with it."
        )),
        None => PROCESSES.skip("The database knows, and is not asked."),
    }
}

fn writable(folder: &Path) -> Finding {
    let (there, shown) = (existing(folder), folder.display());
    let fix = "Set `state_dir` (`SEVENDIGITAL_MCP_STATE_DIR`) to a folder of your own.";
    if folder.exists() && is_shared_by_all(folder) {
        return WRITABLE.fail(format!("All users of this machine share `{shown}`."), fix);
    }
    if !there.is_dir() {
        let what = format!("`{}` stands where a folder should be.", there.display());
        return WRITABLE.fail(what, fix);
    }
    match may_write(there) {
        Ok(()) if there == folder => WRITABLE.pass(format!("`{shown}` can be written to.")),
        Ok(()) => WRITABLE.pass(format!("`{shown}` can be made with the first purchase.")),
        Err(error) => {
            let what = format!("`{}` can't be written to: {error}.", there.display());
            WRITABLE.fail(what, fix)
        }
    }
}

fn space(folder: &Path) -> Finding {
    let Some(free) = free_space(folder) else {
        return SPACE.skip("This system is not asked for it.");
    };
    let what = format!("{} MiB are free.", free >> 20);
    let fix = "Make room, or set `state_dir` to a folder on another disk.";
    if free < FULL {
        SPACE.fail(what, fix)
    } else if free < SHORT {
        SPACE.warn(what, fix)
    } else {
        SPACE.pass(what)
    }
}
