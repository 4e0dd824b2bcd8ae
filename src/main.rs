//! The program: reads the command line, starts what it asks for, and ends the process.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use sevendigital::Effect;
use sevendigital_mcp::app::{self, App};
use sevendigital_mcp::cli::{Cli, Command};
use sevendigital_mcp::config::{Config, HintSet, Layers};
use sevendigital_mcp::guard::Guard;
use sevendigital_mcp::problem::Problem;
use sevendigital_mcp::{logging, mcp};
use sevendigital_sandbox::Sandbox;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = match runtime.block_on(run(Cli::parse())) {
        Ok(code) => code,
        Err(error) => fail(error.as_ref()),
    };
    // A read of stdin that still blocks would keep the process alive for ever.
    runtime.shutdown_background();
    code
}

fn fail(error: &dyn Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(2)
}

async fn run(cli: Cli) -> Result<ExitCode, Box<dyn Error>> {
    let layers = Layers::of_process(cli.options.config.clone(), cli.options.given());
    let config = Config::load(&layers)?;
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Tools { json } = command {
        return print_tools(&config, json);
    }
    logging::start(&config)?;
    let (config, _sandbox) = with_sandbox(config).await?;
    let guard = Guard::new(&config)?;
    match command {
        Command::Serve => serve(&config, guard).await?,
        Command::Stdio => app::serve_stdio(&config, guard, stopped()).await?,
        Command::Call { tool, args } => return call(&guard, &tool, &args).await,
        Command::Tools { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn with_sandbox(config: Config) -> Result<(Config, Option<Sandbox>), Box<dyn Error>> {
    if !config.sandbox {
        return Ok((config, None));
    }
    let sandbox = Sandbox::start().await?;
    let base_uri = sandbox.base_uri();
    tracing::info!("sandbox stands in for 7digital at {base_uri}; nothing leaves this machine");
    Ok((config.for_sandbox(base_uri.parse()?), Some(sandbox)))
}

async fn serve(config: &Config, guard: Guard) -> Result<(), Box<dyn Error>> {
    config.check_exposure()?;
    let app = App::bind(config, guard)
        .await
        .map_err(|error| format!("`bind`: {} can't be listened on: {error}", config.bind))?;
    writeln!(
        std::io::stderr(),
        "listening on http://{}/mcp",
        app.address()?
    )?;
    app.serve(stopped()).await?;
    Ok(())
}

/// Ready when the process is asked to end.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        match terminate {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => {
                let _ = interrupt.await;
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}

fn print_tools(config: &Config, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let guard = Guard::new(config)?;
    let mut out = std::io::stdout().lock();
    if json {
        let tools: Vec<_> = guard
            .tools()
            .iter()
            .map(|tool| mcp::describe(tool, config.hints))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&tools)?)?;
    } else {
        for tool in guard.tools() {
            let effect = match tool.contract.upstream.effect {
                Effect::Reads => "reads",
                Effect::Writes => "writes",
                Effect::Charges => "charges",
            };
            writeln!(
                out,
                "{:<33}{effect:<9}{}",
                tool.contract.name, tool.contract.title
            )?;
        }
    }
    if config.hints == HintSet::Published {
        writeln!(
            std::io::stderr(),
            "note: `hints = published` tells clients that purchases are read-only"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn call(guard: &Guard, name: &str, args: &str) -> Result<ExitCode, Box<dyn Error>> {
    let tool = guard
        .find(name)
        .ok_or_else(|| format!("there is no tool `{name}`; `sevendigital-mcp tools` lists them"))?;
    let arguments = serde_json::from_str(args)
        .map_err(|error| format!("`--args` is not a JSON object: {error}"))?;
    match guard.call(tool, arguments).await {
        Ok(answer) => {
            writeln!(
                std::io::stdout(),
                "{}",
                serde_json::to_string_pretty(&answer.document)?
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            let line = Problem::from(&failure).line(tool.contract.upstream.effect);
            writeln!(std::io::stderr(), "error: {line}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
