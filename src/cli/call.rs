//! The command `call`: one call from the shell, with a flag for each field of the tool.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use serde_json::{Map, Value};
use sevendigital::text::{quotable, quotable_name};
use sevendigital_tools::{AnyTool, Arguments, TOOLS};

use super::fields::{Field, fields};
use super::{CommandResult, document, progress, terminal};
use crate::calls::{
    Asker, Call, CallOutcome, Calls, Completed, Question, RequestContext, UserAnswer,
};
use crate::config::{decoded, nearest};
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// Bytes of arguments from a file or from stdin at most.
const MAX_ARGS: u64 = 1 << 20;

/// What a script can tell of the end of a call.
const EXIT_CODES: &str = "\
Exit codes:
  0  Done.
  1  Failed: nothing was changed or charged.
  2  The command line, an argument or a setting is wrong: nothing was sent.
  3  Sent, and no trustworthy answer came: it may have been changed or charged.";
/// The exit code of a call whose outcome is unknown.
const UNKNOWN: u8 = 3;

/// Which call to make, and how to print it.
pub struct Options {
    tool: &'static AnyTool,
    /// The flags of fields that were given.
    given: Vec<(Field, Value)>,
    args: Option<String>,
    dry_run: bool,
    json: bool,
}

/// Arguments are not printed: a password may be among them.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Options");
        shown.field("tool", &self.tool.contract.name);
        shown.finish_non_exhaustive()
    }
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        let args = Arg::new("args").long("args").value_name("JSON|@FILE|-");
        let args = args.help("All arguments as a JSON object, here, in a file, or on stdin").long_help(
            "All arguments as a JSON object: as text, in a file (`@FILE`), or on stdin (`-`).\n\nA flag of a field wins over the same field here. What is secret, such as a password, shows in the list of processes as a flag, and doesn't in a file or on stdin.",
        );
        let dry_run = Arg::new("dry_run").long("dry-run").help("Send nothing: show what would be done, the question that the user would be asked, and the request").long_help(
            "Send nothing: show what would be done, the question that the user would be asked, and the request.\n\nThe item is looked up in 7digital's catalogue all the same, since the question names its title and price.",
        );
        let json = Arg::new("json").long("json");
        let json = json.help("Print JSON on a terminal too, where a table is the default");
        let flags = [
            args,
            dry_run.action(ArgAction::SetTrue),
            json.action(ArgAction::SetTrue),
        ];
        command
            .args(flags.map(|flag| flag.global(true).help_heading("Every tool")))
            .subcommands(TOOLS.iter().map(of_tool))
            .subcommand_required(true)
            .subcommand_value_name("TOOL")
            .subcommand_help_heading("Tools")
            // So that an unknown tool is told in our words.
            .allow_external_subcommands(true)
            .disable_help_subcommand(true)
            .after_help(EXIT_CODES)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The command of one tool. Its flags are made when they are needed, since most starts need none.
fn of_tool(tool: &AnyTool) -> Command {
    let contract = &tool.contract;
    let about = contract.summary.trim_end_matches('.');
    let command = Command::new(contract.name).about(about);
    let command = command.long_about(contract.description);
    command.after_help(EXIT_CODES).defer(|command| {
        let tool = find(command.get_name()).map(fields);
        command.args(tool.iter().flatten().map(Field::argument))
    })
}

fn find(name: &str) -> Option<&'static AnyTool> {
    TOOLS.iter().find(|tool| tool.contract.name == name)
}

/// The error for a name that no tool has, with the nearest that one has.
fn unknown(name: &str) -> Error {
    let names = TOOLS.iter().map(|tool| tool.contract.name);
    let way_out = match nearest(name, names) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "`sevendigital-mcp tools` lists them".to_owned(),
    };
    let problem = format!("there is no tool `{}`; {way_out}\n", quotable_name(name));
    Error::raw(ErrorKind::InvalidSubcommand, problem)
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let named = matches.subcommand();
        let (name, matches) = named.ok_or_else(|| Error::new(ErrorKind::MissingSubcommand))?;
        let tool = find(name).ok_or_else(|| unknown(name))?;
        let args = matches.get_one::<String>("args").cloned();
        let (fields, name) = (fields(tool), tool.contract.name);
        let is_missing =
            |field: &&Field| field.is_required && args.is_none() && field.value(matches).is_none();
        if let Some(field) = fields.iter().find(is_missing) {
            let flag = field.flag();
            let problem = format!(
                "`{name}` needs `--{flag}`; `sevendigital-mcp call {name} --help` shows all flags\n"
            );
            return Err(Error::raw(ErrorKind::MissingRequiredArgument, problem));
        }
        let given = fields.into_iter().filter_map(|field| {
            let value = field.value(matches)?;
            Some((field, value))
        });
        Ok(Self {
            tool,
            given: given.collect(),
            args,
            dry_run: matches.get_flag("dry_run"),
            json: matches.get_flag("json"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Options {
    /// The arguments of the call: those of `--args`, and over them those of the flags.
    fn arguments(&self) -> Result<Arguments, String> {
        let mut arguments = match &self.args {
            Some(args) => read(args)?,
            // Whatever is required of its fields, 7digital or the tool says.
            None => empty(self.tool),
        };
        for (field, value) in &self.given {
            field.put(&mut arguments, value.clone())?;
        }
        Ok(arguments)
    }
}

/// No arguments: with an empty object where the tool requires one.
fn empty(tool: &AnyTool) -> Arguments {
    let schema = tool.input_schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let objects = required.filter(|name| {
        let property = properties.and_then(|properties| properties.get(*name));
        property.is_some_and(|property| property.get("properties").is_some())
    });
    objects
        .map(|name| (name.to_owned(), Map::new().into()))
        .collect()
}

/// The arguments that `--args` names.
fn read(args: &str) -> Result<Arguments, String> {
    let text = match (args, args.strip_prefix('@')) {
        ("-", _) => limited(io::stdin().lock()).map_err(|problem| format!("stdin {problem}"))?,
        (_, Some(path)) => File::open(path)
            .map_err(|error| format!("can't be read: {error}"))
            .and_then(limited)
            .map_err(|problem| format!("`{path}` {problem}"))?,
        _ => args.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        let problem = quotable(&error.to_string());
        format!("`--args` is not a JSON object: {problem}")
    })
}

/// The error is the end of a sentence about what is read.
fn limited(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_ARGS + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| format!("can't be read: {error}"))?;
    if read as u64 > MAX_ARGS {
        return Err(format!("has more than {MAX_ARGS} bytes"));
    }
    decoded(bytes)
}

/// Makes one call and prints its document. Where the user must confirm it, the person at the terminal is asked.
pub async fn run(calls: &Calls, options: &Options) -> CommandResult {
    let name = options.tool.contract.name;
    let tool = calls.registry().find(name).ok_or_else(|| {
        format!("there is no tool `{name}` with these settings: `read_only`, `tools` or `exclude_tools` leaves it out")
    })?;
    let arguments = options.arguments()?;
    let call = |confirmation| Call {
        arguments: arguments.clone(),
        caller: Caller::operator(),
        user: None,
        context: RequestContext::default(),
        confirmation,
        idempotency_key: None,
    };
    if options.dry_run {
        let call = call(UserAnswer::NotAsked(Asker::Nothing));
        return match progress::beside(calls.dry_run(tool, call)).await {
            Ok(document) => print(&document, options),
            Err(problem) => Ok(fail(&problem)),
        };
    }
    let asker = if terminal::is_there() {
        Asker::Terminal
    } else {
        Asker::Nothing
    };
    let first = calls.call(tool, call(UserAnswer::NotAsked(asker)));
    let outcome = match progress::beside(first).await {
        Ok(CallOutcome::ConfirmationRequired(question)) => match ask(&question) {
            Ok(answer) => progress::beside(calls.call(tool, call(answer))).await,
            Err(problem) => Err(problem.of_call(tool.contract.upstream.effect)),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(CallOutcome::Completed(completed)) => finish(&completed, options),
        Ok(CallOutcome::ConfirmationRequired(_)) => Ok(fail(&Problem::invalid_confirmation())),
        Err(problem) => Ok(fail(&problem)),
    }
}

fn finish(completed: &Completed, options: &Options) -> CommandResult {
    let printed = print(&completed.reply.answer.document, options)?;
    for note in &completed.reply.notes {
        terminal::note(note);
    }
    Ok(printed)
}

/// Prints a document: for people on a terminal, else as JSON.
fn print(document: &Value, options: &Options) -> CommandResult {
    if !options.json && io::stdout().is_terminal() {
        document::print(document)?;
    } else {
        let document = serde_json::to_string_pretty(document)?;
        writeln!(io::stdout().lock(), "{document}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says why, and by the exit code what became of the call.
fn fail(problem: &Problem) -> ExitCode {
    terminal::error(problem.detail());
    if problem.may_have_happened() {
        ExitCode::from(UNKNOWN)
    } else if problem.kind == Kind::Argument {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}

/// Asks the person at the terminal.
fn ask(question: &Question) -> Result<UserAnswer, Problem> {
    match terminal::says_yes(&question.message) {
        Ok(true) => Ok(UserAnswer::Confirmed(question.confirmation_token.clone())),
        _ => Err(Problem::declined()),
    }
}
