//! The area `confirmation`: which way the user is asked before money is spent.

use super::clients::connected;
use super::context::Context;
use super::finding::{Check, Finding, skipped};
use crate::browser;
use crate::calls::{Asker, Calls, Way};
use crate::config::{Config, Spending};
use crate::connect::Client;

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[POLICY, ASKING, NOT_ASKING];

const POLICY: Check = Check {
    id: "confirmation.policy",
    expected: "What is spent is confirmed, limited, or spent in a sandbox.",
    why: "With `spending = \"allow\"` an agent buys without asking; limits are all that stops it.",
};
const ASKING: Check = Check {
    id: "confirmation.client",
    expected: "There is a way to ask the user of a client that shows questions.",
    why: "A purchase that must be confirmed, and can't be, is refused.",
};
const NOT_ASKING: Check = Check {
    id: "confirmation.other",
    expected: "There is a way to ask the user of a client that shows none.",
    why: "Claude Desktop, Zed, Gemini CLI and LM Studio show no question, so their users are asked in the browser or on a terminal.",
};

/// Looks at the ways.
pub(super) fn examine(context: &Context<'_>) -> Vec<Finding> {
    let Ok(config) = context.loaded else {
        return skipped(CHECKS, "The settings can't be read.");
    };
    let calls = match Calls::new(config) {
        Ok(calls) => calls,
        Err(error) => return skipped(CHECKS, &format!("{error}.")),
    };
    // As `stdio` and `serve` do: nothing is bound or opened before there is a question.
    browser::serve(config, calls.questions());
    let (showing, other): (Vec<_>, Vec<_>) = connected()
        .into_iter()
        .partition(|client| client.shows_questions);
    let is_known = !(showing.is_empty() && other.is_empty());
    let way = |check: &'static Check, clients: Vec<&Client>, asker| {
        if config.spending() != Spending::Confirm {
            return check.skip("Nobody is asked: see `confirmation.policy`.");
        }
        if is_known && clients.is_empty() {
            return check.skip("No client with an entry is of this kind.");
        }
        let titles = clients.iter().map(|client| client.title.to_owned());
        way(&calls, check, asker).with(titles)
    };
    vec![
        policy(config),
        way(&ASKING, showing, Asker::Client),
        way(&NOT_ASKING, other, Asker::Nothing),
    ]
}

fn policy(config: &Config) -> Finding {
    let limits = config.spending_limits();
    let is_limited =
        config.max_price.is_some() || limits.per_day.is_some() || limits.daily_budget.is_some();
    match config.spending() {
        Spending::Confirm => POLICY.pass("The user is asked before each purchase."),
        Spending::Off => POLICY.pass("Purchases are refused."),
        Spending::Allow if config.base_uri.is_loopback() => {
            POLICY.pass("Purchases are sent without asking, to a stand-in on this machine.")
        }
        Spending::Allow if is_limited => {
            POLICY.pass("Purchases are sent without asking, within the limits.")
        }
        Spending::Allow => POLICY.warn(
            "Purchases are sent without asking, and without a limit.",
            "Set `spending = \"confirm\"`, or `max_price`, `daily_budget` or `max_charges_per_day`.",
        ),
    }
}

fn way(calls: &Calls, check: &'static Check, asker: Asker) -> Finding {
    match calls.way_to_ask(asker) {
        Some(Way::Caller) => check.pass("The client shows the question."),
        Some(Way::Browser) => check.pass("A page in the user's browser on this machine asks."),
        Some(Way::Terminal) => check.pass(
            "The question waits for `sevendigital-mcp confirm` on a terminal, since no browser can be opened here.",
        ),
        None => check.fail(
            "There is no way to ask, so purchases are refused.",
            "Set `confirm_with = \"auto\"`, run the server on the user's own desktop, or give it a state folder, so that `sevendigital-mcp confirm` can answer.",
        ),
    }
}
