//! The flags of the command line, made from the declarations of settings.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use super::table::{SETTINGS, Setting};

/// What help calls the flags that are settings.
pub const HEADING: &str = "Settings";

/// The flags that were given, as settings and their values. They may stand before or after the command.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Setting and value of each; a flag without a value is `true`.
    pub given: Vec<(&'static Setting, String)>,
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let flags = SETTINGS.iter();
        command.args(flags.filter_map(|setting| Some(argument(setting, setting.flag.as_deref()?))))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flags = SETTINGS.iter().filter(|setting| setting.flag.is_some());
        let given = flags.filter_map(|setting| {
            let key = setting.key.as_str();
            let value = if setting.is("boolean") {
                matches.get_flag(key).then(|| "true".to_owned())
            } else {
                matches.get_one::<String>(key).cloned()
            };
            Some((setting, value?))
        });
        let given = given.collect();
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(setting: &'static Setting, flag: &'static str) -> Arg {
    let summary = setting.summary.trim_end_matches('.');
    let argument = Arg::new(&*setting.key).global(true);
    let argument = argument.help_heading(HEADING);
    let argument = argument.long(flag.trim_start_matches('-'));
    if setting.is("boolean") {
        return argument.action(ArgAction::SetTrue).help(summary);
    }
    let argument = argument
        .value_name(setting.value.as_deref().unwrap_or("VALUE"))
        .help(format!("{summary} [default: {}]", setting.default_text()));
    let is_folder = setting.value.as_deref() == Some("FOLDER");
    let argument = argument.value_hint(if is_folder {
        ValueHint::DirPath
    } else {
        ValueHint::Other
    });
    match setting.bare.as_deref() {
        // With an equals sign, so that a command after the bare flag isn't taken for its value.
        Some(bare) => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(bare),
        None => argument,
    }
}
