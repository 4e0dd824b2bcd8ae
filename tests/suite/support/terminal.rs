//! The real binary on a pseudo-terminal, with a person who types.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::process::program;
use super::wait::within;
use super::world::Setting;

/// What a terminal showed, and the exit code.
pub(crate) async fn on_terminal(
    arguments: &[&str],
    variables: &[Setting<'_>],
    typed: &str,
) -> (i32, String) {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let program = program(arguments, &variables);
    let program = program.as_std();
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words = words.map(|word| format!("'{}'", word.to_str().unwrap()));
    let words = words.collect::<Vec<_>>().join(" ");
    let mut script = Command::new("script");
    let line = format!("stty rows 40 cols 100; exec {words}");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm")
        .envs(
            program
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        )
        .current_dir(program.get_current_dir().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut script = script.spawn().unwrap();
    let mut stdin = script.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).await.unwrap();
    stdin.flush().await.unwrap();
    let output = within("the terminal", script.wait_with_output()).await;
    drop(stdin);
    let output = output.unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), shown.replace("\r\n", "\n"))
}
