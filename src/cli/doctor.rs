//! The command `doctor`: looks at everything that has to be right, and changes nothing.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::CommandResult;
use super::args::{Area, Doctor};
use crate::config::{Config, ConfigError, Layers};

use self::context::Context;
use self::finding::{Check, Finding, Status};

mod account;
mod clients;
mod clock;
mod confirmation;
mod context;
mod entries;
mod files;
mod filesystem;
pub mod finding;
mod network;
mod ports;
mod report;
mod settings;
mod shapes;
mod state;

/// The exit code where nothing but a login is missing.
const LOGIN_MISSING: u8 = 4;

/// What is looked at in an area, in the order of its findings.
pub fn checks(area: Area) -> &'static [Check] {
    match area {
        Area::Settings => settings::CHECKS,
        Area::Files => files::CHECKS,
        Area::Network => network::CHECKS,
        Area::Clock => clock::CHECKS,
        Area::Account => account::CHECKS,
        Area::State => state::CHECKS,
        Area::Ports => ports::CHECKS,
        Area::Clients => clients::CHECKS,
        Area::Confirmation => confirmation::CHECKS,
        Area::Shapes => shapes::CHECKS,
    }
}

/// Looks at the areas that are named, or at all but `shapes`, and prints what was found.
pub async fn run(
    layers: &Layers,
    loaded: Result<&Config, &ConfigError>,
    options: &Doctor,
) -> CommandResult {
    let context = Context::new(layers, loaded, options.offline);
    let all = Area::ALL.into_iter();
    let named = all.filter(|area| match &*options.areas {
        [] => *area != Area::Shapes,
        named => named.contains(area),
    });
    let mut findings = Vec::new();
    for area in named {
        findings.extend(examine(area, &context, options).await);
    }
    let mut out = io::stdout().lock();
    if options.json {
        let report = serde_json::to_string_pretty(&report::json(&findings))?;
        writeln!(out, "{report}")?;
    } else {
        write!(out, "{}", report::text(&findings, options.verbose))?;
    }
    Ok(exit_code(&findings))
}

async fn examine(area: Area, context: &Context<'_>, options: &Doctor) -> Vec<Finding> {
    match area {
        Area::Settings => settings::examine(context),
        Area::Files => files::examine(context),
        Area::Network => network::examine(context).await,
        Area::Clock => clock::examine(context).await,
        Area::Account => account::examine(context).await,
        Area::State => state::examine(context).await,
        Area::Ports => ports::examine(context).await,
        Area::Clients => clients::examine(context),
        Area::Confirmation => confirmation::examine(context),
        Area::Shapes => shapes::examine(context, &options.arguments).await,
    }
}

fn exit_code(findings: &[Finding]) -> ExitCode {
    let failed = findings.iter().filter(|found| found.status == Status::Fail);
    let failed: Vec<&str> = failed.map(|found| found.check.id).collect();
    match &*failed {
        [] => ExitCode::SUCCESS,
        [only] if *only == account::LOGIN.id => ExitCode::from(LOGIN_MISSING),
        _ => ExitCode::FAILURE,
    }
}
