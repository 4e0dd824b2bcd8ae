//! The area `clock`: this machine's clock against 7digital's.

use super::context::Context;
use super::finding::{Check, Finding};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[SKEW];

const SKEW: Check = Check {
    id: "clock.skew",
    expected: "This machine's clock agrees with 7digital's.",
    why: "A signature holds the time, and 7digital refuses one that is minutes off.",
};

/// Seconds of difference that may be the way's and the answer's own.
const NOTICEABLE: u64 = 30;
/// Seconds of difference that signatures are refused for.
const TOO_MUCH: u64 = 120;

/// Compares the clocks.
pub(super) async fn examine(context: &Context<'_>) -> Vec<Finding> {
    let client = match context.client() {
        Ok((_, client)) => client,
        Err(why) => return vec![SKEW.skip(why)],
    };
    let found = match &context.probe(&client).await.answered {
        Ok(answered) => compared(answered.clock_ahead),
        Err(_) => SKEW.skip("7digital does not answer: see `network`."),
    };
    vec![found]
}

fn compared(clock_ahead: Option<i64>) -> Finding {
    let Some(seconds) = clock_ahead else {
        return SKEW.undetermined("The answer has no `Date`.", "");
    };
    let direction = if seconds < 0 { "behind" } else { "ahead of" };
    let seconds = seconds.unsigned_abs();
    let what = format!("This machine's clock is {seconds} seconds {direction} 7digital's.");
    let fix = "Let the system set its clock: `timedatectl set-ntp true` on Linux; the date and time settings elsewhere.";
    if seconds <= NOTICEABLE {
        SKEW.pass("The clocks agree.")
    } else if seconds <= TOO_MUCH {
        SKEW.warn(what, fix)
    } else {
        SKEW.fail(what, fix)
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_minute_is_a_warning_and_more_than_two_are_a_failure() {
        #[rustfmt::skip]
        let rows = [
            (Some(0), Status::Pass), (Some(-30), Status::Pass), (Some(31), Status::Warn),
            (Some(-120), Status::Warn), (Some(121), Status::Fail), (Some(i64::MIN), Status::Fail),
            (None, Status::Undetermined),
        ];
        for (ahead, status) in rows {
            assert_eq!(compared(ahead).status, status, "{ahead:?}");
        }
    }
}
