//! A pseudo-terminal with the program on it: what it shows, and a person who types.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::process::{Child, Command};

use crate::support::{signal, until, within};

/// A terminal on which a program runs.
pub(super) struct Terminal {
    keyboard: File,
    shown: Arc<Mutex<Vec<u8>>>,
    /// How much of it was looked at.
    seen: usize,
    child: Child,
    /// The program's own end, which is looked at after its death.
    pub(super) line: File,
}

impl Terminal {
    /// Starts the program with all three streams on a terminal.
    pub(super) fn start(mut command: Command) -> Self {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&main).unwrap();
        unlockpt(&main).unwrap();
        let name = ptsname(&main, Vec::new()).unwrap();
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let stream = || Stdio::from(line.try_clone().unwrap());
        let child = command
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        let keyboard = File::from(main);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut screen) = (Arc::clone(&shown), keyboard.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut part) {
                kept.lock().unwrap().extend_from_slice(&part[..count]);
            }
        });
        Self {
            keyboard,
            shown,
            seen: 0,
            child,
            line,
        }
    }

    /// All that was shown so far.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until a text is shown that was not there at the last answer; returns what came from it on.
    pub(super) async fn until(&mut self, text: &str) -> String {
        let mut found = None;
        until(&format!("`{text}` on the terminal"), || {
            let shown = self.shown();
            found = shown.get(self.seen..).and_then(|rest| rest.find(text));
            found.is_some()
        })
        .await;
        let shown = self.shown();
        let from = self.seen + found.unwrap();
        self.seen = from + text.len();
        shown[from..].to_owned()
    }

    /// Types an answer to a question.
    pub(super) async fn answer(&mut self, question: &str, answer: &str) {
        self.until(question).await;
        self.keyboard
            .write_all(format!("{answer}\n").as_bytes())
            .unwrap();
    }

    /// Interrupts the program.
    pub(super) fn interrupt(&self) {
        signal(self.child.id().unwrap(), "INT");
    }

    /// Waits for the end; returns the exit code and all that was shown.
    pub(super) async fn ended(&mut self) -> (i32, String) {
        let ended = within("the end of the program", self.child.wait()).await;
        // What it wrote last is on its way through the terminal.
        self.line.write_all(b"(end)").unwrap();
        until("the last words", || self.shown().ends_with("(end)")).await;
        (ended.unwrap().code().unwrap(), self.shown())
    }
}
