//! The program: reads the command line, starts what it asks for, and ends the process.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::FromArgMatches as _;
use sevendigital_mcp::browser;
use sevendigital_mcp::calls::{Calls, Questions};
use sevendigital_mcp::cli::args::{Cli, Command, Doctor, Login, Setup, TokenCommand};
use sevendigital_mcp::cli::{
    CommandResult, call, confirm, connect, doctor, generated, health, ledger, login, next_steps,
    setup, terminal, token, tools,
};
use sevendigital_mcp::config::{Config, ConfigError, Layers};
use sevendigital_mcp::http::metrics_page;
use sevendigital_mcp::ledger::{Ledger, LedgerError};
use sevendigital_mcp::mcp::stdio;
use sevendigital_mcp::problem::find_cause;
use sevendigital_mcp::serve::App;
use sevendigital_mcp::telemetry::logging;
use sevendigital_sandbox::{Sandbox, demo};
use tokio_util::sync::CancellationToken;

/// Gives memory back after load.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time to write down abandoned purchases, when asked to stop twice.
const ABANDON_TIMEOUT: Duration = Duration::from_millis(800);

fn main() -> ExitCode {
    #[cfg(unix)]
    write_no_core();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let cli = Cli::from_arg_matches(&Cli::command_line().get_matches());
    let cli = cli.unwrap_or_else(|error| error.exit());
    let code = match runtime.block_on(run(cli)) {
        Ok(code) => code,
        // The reader of our output has enough of it: `tools --json | head`.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    };
    // A read of stdin that still blocks would keep the process alive.
    runtime.shutdown_background();
    code
}

/// A process that crashes leaves its memory behind in a core file, and ours holds keys, tokens and passwords.
#[cfg(unix)]
fn write_no_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let (current, maximum) = (Some(0), Some(0));
    // A limit can always be lowered.
    let _ = setrlimit(Resource::Core, Rlimit { current, maximum });
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    let is_found_by_doctor = error.is::<ConfigError>() || error.is::<LedgerError>();
    let hint = if is_found_by_doctor {
        format!("\n{}", find_cause(""))
    } else {
        String::new()
    };
    terminal::error(format!("{error}{hint}"));
    ExitCode::from(2)
}

async fn run(cli: Cli) -> CommandResult {
    let layers = Layers::of_process(cli.config, cli.flags.given);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let (_guards, config, calls) = start(&layers).await?;
            tell_without_key(&config);
            serve(&config, calls).await?;
        }
        Command::Stdio => {
            let (_guards, config, calls) = start(&layers).await?;
            browser::serve(&config, calls.questions());
            tell_without_key(&config);
            let stop = stop_signal(&calls);
            stdio::serve(&config, calls, stop.cancelled_owned()).await?;
        }
        Command::Call(options) => {
            let mut config = warned(Config::load(&layers)?);
            // The outcome itself is printed; a log is for those who ask for one.
            config.log_filter.get_or_insert_with(|| "error".to_owned());
            let _logging = logging::start(&config)?;
            let (config, _sandbox) = with_sandbox(config).await?;
            return call::run(&Calls::new(&config)?, &options).await;
        }
        Command::Setup(options) => return set_up(layers, &options).await,
        Command::Login(options) => return log_in(layers, &options).await,
        // Whatever the settings are.
        Command::Logout => login::forget(layers.credentials.as_deref().ok_or(login::NO_FOLDER)?)?,
        Command::Tools { json } => return tools::run(&load(&layers)?, json),
        Command::Ledger(command) => return ledger::run(&load(&layers)?, command).await,
        Command::Confirm => {
            let config = load(&layers)?;
            let questions = Questions::new(&config, Ledger::from_config(&config)?);
            return confirm::run(&questions).await;
        }
        Command::Health { url: Some(url) } => return health::run(&url).await,
        Command::Health { url: None } => {
            let bind = Config::load_unsigned(&layers)?.bind;
            return health::run(&health::server_at(bind)?).await;
        }
        Command::Config(options) => return connect::run(&layers, &options),
        Command::Token(TokenCommand::New) => return token::new(),
        Command::Doctor(options) => return examine(&layers, &options).await,
        Command::Completions { shell } => return generated::completions(shell),
        Command::Man { folder } => return generated::man(&folder),
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings, for what has no log: warnings are told as errors are.
fn load(layers: &Layers) -> Result<Config, Box<dyn Error>> {
    Ok(warned(Config::load_unsigned(layers)?))
}

/// The same settings, once their warnings are told.
fn warned(config: Config) -> Config {
    config.warnings.iter().for_each(terminal::warning);
    config
}

/// Says at once what every call would say later, when perhaps nobody looks at its cause any more.
fn tell_without_key(config: &Config) {
    if config.consumer_key.is_none() {
        let cause = find_cause("settings");
        tracing::error!(
            "no 7digital consumer key is set, so every call will fail: set `SEVENDIGITAL_CONSUMER_KEY` and `SEVENDIGITAL_CONSUMER_SECRET` where this server is started and start it again, or try it without a key by `--sandbox`. {cause}"
        );
    }
}

/// Sets up what is missing, and looks at what that makes.
async fn set_up(layers: Layers, options: &Setup) -> CommandResult {
    // Cancelled, a terminal that shows nothing of what is typed shows it again.
    let done = tokio::select! {
        done = setup::run(layers, options) => done?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted: what was not yet written is as it was".into()),
    };
    let code = examine(&done.layers, &Doctor::default()).await?;
    setup::finish(&done, code)
}

/// Looks at everything, whether or not there are settings to start with.
async fn examine(layers: &Layers, options: &Doctor) -> CommandResult {
    match Config::load(layers) {
        Ok(config) => {
            let (config, _sandbox) = with_sandbox(config).await?;
            doctor::run(layers, Ok(&config), options).await
        }
        Err(error) => doctor::run(layers, Err(&error), options).await,
    }
}

/// What calls need, and what has to live as long as they do: the logging and perhaps a sandbox.
async fn start(layers: &Layers) -> Result<(impl Sized, Config, Calls), Box<dyn Error>> {
    let config = Config::load(layers)?;
    let logging = logging::start(&config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let (config, sandbox) = with_sandbox(config).await?;
    let calls = Calls::new(&config)?;
    Ok(((sandbox, logging), config, calls))
}

/// Logs a user in. What is stored already is not read: it may be broken, and is about to be replaced.
async fn log_in(mut layers: Layers, options: &Login) -> CommandResult {
    let path = layers.credentials.take();
    let config = Config::load(&layers)?;
    let _logging = logging::start(&config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let client = login::client(&config)?;
    let path = if options.print {
        None
    } else {
        Some(path.ok_or(login::NO_FOLDER)?)
    };
    let token = login::ask(&client, !options.no_browser).await;
    let done = token.and_then(|token| match &path {
        Some(path) => login::store(path, &config, token),
        None => login::print(&token),
    });
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(error);
            ExitCode::FAILURE
        }
    })
}

/// The same settings, pointed at a sandbox: its address, its demo credentials, its country.
async fn with_sandbox(mut config: Config) -> Result<(Config, Option<Sandbox>), Box<dyn Error>> {
    if !config.sandbox {
        return Ok((config, None));
    }
    let sandbox = Sandbox::start().await?;
    let base_uri = sandbox.base_uri();
    tracing::info!("sandbox stands in for 7digital at {base_uri}; nothing leaves this machine");
    config.base_uri = base_uri.parse()?;
    config.consumer_key = Some(demo::CONSUMER_KEY.into());
    config.consumer_secret = Some(demo::CONSUMER_SECRET.into());
    config.access_token = Some(demo::ACCESS_TOKEN.into());
    config.access_token_secret = Some(demo::ACCESS_TOKEN_SECRET.into());
    config.country = Some(demo::COUNTRY.into());
    (config.user_id, config.shop_id) = (None, None);
    Ok((config, Some(sandbox)))
}

async fn serve(config: &Config, calls: Calls) -> Result<(), Box<dyn Error>> {
    config.check_exposure()?;
    let mut stderr = std::io::stderr();
    if let Some(address) = config.metrics_bind {
        let address = metrics_page::serve(address, config)?;
        writeln!(stderr, "listening on http://{address}/metrics")?;
    }
    // Elsewhere the user is not at this machine.
    if config.bind.ip().is_loopback() {
        browser::serve(config, calls.questions());
    }
    let stop = stop_signal(&calls);
    let app = App::bind(config, calls)?;
    writeln!(stderr, "listening on http://{}/mcp", app.address()?)?;
    if let Some(address) = app.rest_address()? {
        writeln!(stderr, "listening on http://{address}/v1")?;
    }
    next_steps::tell(config, app.rest_address()?);
    app.serve(stop.cancelled_owned()).await?;
    Ok(())
}

/// Cancelled when the process is asked to end. Asked once more, it ends at once, and the purchases in flight are written down as unknown.
fn stop_signal(calls: &Calls) -> CancellationToken {
    let (stop, calls) = (CancellationToken::new(), calls.clone());
    let first = stop.clone();
    tokio::spawn(async move {
        signalled().await;
        first.cancel();
        signalled().await;
        tracing::warn!("asked to stop twice: stopping without waiting for calls in flight");
        let _ = tokio::time::timeout(ABANDON_TIMEOUT, calls.abandon_in_flight()).await;
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "the person who asks twice wants no more waiting"
        )]
        std::process::exit(1);
    });
    stop
}

/// Ready when the process gets SIGTERM or SIGINT.
async fn signalled() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {} _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}
