//! From a question to an open browser: the page's port is bound with the first question, and ends with the process.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::Request;
use sevendigital::Secret;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webbrowser::{Browser, BrowserOptions};

use super::site::Site;
use crate::calls::{Questions, ToOpen};
use crate::config::{Config, ConfigError, ConfirmWay, Limits, Spending};
use crate::http::answers::AnswerRoom;
use crate::http::listener::Listener;

/// Connections to the page. Browsers open some beforehand, and other programs on this machine may open more.
const MAX_CONNECTIONS: usize = 64;

/// Serves the page for these questions from now on, where the settings want it and there is a browser.
pub fn serve(config: &Config, questions: &Questions) {
    let ways = [ConfirmWay::Auto, ConfirmWay::Browser];
    let is_wanted = ways.iter().any(|way| config.confirm_with.contains(way));
    if !is_wanted || !config.has_browser || config.spending() != Spending::Confirm {
        return;
    }
    let limits = Limits {
        max_connections: MAX_CONNECTIONS,
        ..config.limits.clone()
    };
    // 7digital's pictures are fetched only where 7digital's API is used: a sandbox promises that nothing leaves this machine.
    let has_covers = !config.base_uri.is_loopback();
    // Before the first call can come.
    let to_open = questions.to_open();
    tokio::spawn(open_each(to_open, questions.clone(), limits, has_covers));
}

async fn open_each(
    mut to_open: mpsc::Receiver<ToOpen>,
    questions: Questions,
    limits: Limits,
    has_covers: bool,
) {
    let mut bound = None;
    while let Some(ToOpen { question, opened }) = to_open.recv().await {
        let site = match bound.take().map_or_else(|| bind(&questions, &limits), Ok) {
            Ok(site) => bound.insert(site),
            Err(problem) => {
                tracing::warn!("the user can't be asked in a browser: {problem}");
                let _ = opened.send(false);
                continue;
            }
        };
        let address = site.add(question, has_covers);
        // Some browsers take their time, and the next question need not wait.
        tokio::task::spawn_blocking(move || {
            let _ = opened.send(open(&address));
        });
    }
}

/// Binds a free port and serves the page there, until the process ends.
fn bind(questions: &Questions, limits: &Limits) -> Result<Site, ConfigError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = Listener::bind(
        "confirmation page",
        address,
        limits,
        AnswerRoom::new(limits),
    )?;
    let address = listener.address();
    let address =
        address.map_err(|error| ConfigError::new(format!("its port is not known: {error}")))?;
    let site = Site::new(address.to_string(), questions.clone());
    let serving = site.clone();
    let answer = move |request: Request| {
        let site = serving.clone();
        async move { site.answer(request).await }
    };
    let router = Router::new().fallback(answer);
    tokio::spawn(listener.serve(router, CancellationToken::new(), TaskTracker::new()));
    Ok(site)
}

/// Opens an address in the user's browser; false where none could be started.
fn open(address: &Secret) -> bool {
    let mut options = BrowserOptions::new();
    // On stdio, stdout belongs to MCP, and stdin too. Browsers in a terminal are handed both nonetheless; `mcp/stdio.rs` has put nothing there.
    options.with_suppress_output(true);
    let opened =
        webbrowser::open_browser_with_options(Browser::Default, address.expose(), &options);
    // What went wrong may name the command with the address.
    if opened.is_err() {
        tracing::warn!("no browser could be started; `BROWSER` may name one");
    }
    opened.is_ok()
}
