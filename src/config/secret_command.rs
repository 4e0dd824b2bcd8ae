//! The consumer secret from another program, such as that of a password manager.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sevendigital::Secret;

use super::error::{ConfigError, Fault};
use super::folders::quiet_folder;
use super::own_file::credential;

/// The key in the file.
pub(super) const KEY: &str = "consumer_secret_command";

/// How long the program may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the program has ended, once it has said all.
const POLL: Duration = Duration::from_millis(10);
/// Bytes that it may print.
const MAX_OUTPUT: u64 = 8_192;

/// Starts the program, without a shell, and takes what it prints. Errors name the setting and the exit code, and show no output.
pub(super) fn run(words: &[String]) -> Result<Secret, ConfigError> {
    run_within(TIMEOUT, words)
        .map_err(|problem| ConfigError::of(Fault::Command, format!("`{KEY}`: {problem}")))
}

fn run_within(timeout: Duration, words: &[String]) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program")?;
    let path = Path::new(program);
    // A relative path would lead into the folder that the server was started in, which may be anybody's.
    if !path.is_absolute() && path.components().count() != 1 {
        return Err(format!(
            "`{program}` must be the name of a program, or an absolute path"
        ));
    }
    let deadline = Instant::now() + timeout;
    let mut child = Command::new(program)
        .args(arguments)
        // It may look for files where it stands, and the working folder may be anybody's.
        .current_dir(quiet_folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let output = output(&mut child, deadline);
    let ended = output.and_then(|output| Some((output, ended(&mut child, deadline)?)));
    let Some((output, status)) = ended else {
        let _ = child.kill();
        let _ = child.wait();
        let seconds = timeout.as_secs();
        return Err(format!("`{program}` took more than {seconds} seconds"));
    };
    let unreadable = |error: io::Error| format!("`{program}` can't be read: {error}");
    let (output, status) = (output.map_err(unreadable)?, status.map_err(unreadable)?);
    match status.code() {
        _ if output.len() as u64 > MAX_OUTPUT => {
            return Err(format!(
                "`{program}` printed more than {MAX_OUTPUT} bytes, which is no secret"
            ));
        }
        Some(0) => {}
        Some(code) => return Err(format!("`{program}` failed with exit code {code}")),
        None => return Err(format!("`{program}` was ended by a signal")),
    }
    let junk = |problem: &str| format!("what `{program}` printed is not used: {problem}");
    let output = String::from_utf8(output).map_err(|_| junk("it is not UTF-8"))?;
    let secret = credential(&output).map_err(|problem| junk(&problem))?;
    secret.ok_or_else(|| format!("`{program}` printed nothing"))
}

/// All that it prints; nothing where that has no end in time.
fn output(child: &mut Child, deadline: Instant) -> Option<io::Result<Vec<u8>>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    let left = deadline.saturating_duration_since(Instant::now());
    receiver.recv_timeout(left).ok()
}

/// How it ended; nothing where it does not end in time.
fn ended(child: &mut Child, deadline: Instant) -> Option<io::Result<ExitStatus>> {
    loop {
        match child.try_wait().transpose() {
            None if Instant::now() >= deadline => return None,
            None => thread::sleep(POLL),
            ended => return ended,
        }
    }
}
