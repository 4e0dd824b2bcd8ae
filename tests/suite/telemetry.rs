//! Request ids, traces, metrics and health: what an operator sees.

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::upstream::Upstream;
use crate::support::{Client, LEGACY, Server, Setting, folder, variables};

// Every failure has a name that the log knows.
mod ids;
// Where a call stands in a trace.
mod traces;
// What is counted.
mod exposition;
mod metrics;
// Whether the process lives, and whether it takes calls.
mod health;
// What log lines are made of.
mod events;
// Traces at a collector, in a build that can send them.
#[cfg(feature = "otlp")]
mod otlp;

/// The real program before an upstream, with its ledger in a folder of its own.
struct Site {
    _folder: TempDir,
    upstream: Upstream,
    server: Server,
    /// Request ids so far.
    ids: BTreeSet<String>,
}

impl Site {
    async fn with(settings: &[Setting<'_>]) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        let variables = variables(&upstream.base_uri(), settings);
        let server = Server::serve(folder.path(), &[], &variables).await;
        Self {
            _folder: folder,
            upstream,
            server,
            ids: BTreeSet::new(),
        }
    }

    /// A client of all surfaces that can ask its user, in a session where there are sessions.
    async fn client(&self) -> Client {
        let client = self.server.caller().that_can_ask();
        client.in_session(LEGACY[0]).await
    }

    /// A failure has this request id: no other had it, and the log has a line of it with these words.
    async fn knows(&mut self, what: &str, id: &str, words: &str) {
        let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_id, "{what}: {id}");
        assert!(self.ids.insert(id.to_owned()), "{what}: {id} again");
        self.server.until_logged(id).await;
        let log = self.server.log();
        let mut lines = log.lines().filter(|line| line.contains(id));
        assert!(
            lines.any(|line| line.contains(words)),
            "{what}: no line of {id} with `{words}`: {log}"
        );
    }
}

/// The request's name at the end of a failed call's text.
fn id_in(result: &Value) -> String {
    let told = result["content"][0]["text"].as_str();
    let told = told.unwrap_or_else(|| panic!("{result}"));
    let (_, id) = told.rsplit_once(" Request id: ").expect(told);
    id.strip_suffix('.').expect(id).to_owned()
}
