//! The findings for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::{Finding, Status};

/// The findings as JSON: `ok`, the version, and a list. Fields are added and never renamed.
pub(super) fn json(findings: &[Finding]) -> Value {
    let ok = findings
        .iter()
        .all(|finding| finding.status != Status::Fail);
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "id": finding.check.id,
                "area": finding.check.area(),
                "status": finding.status.as_str(),
                "what": finding.what,
                "why": finding.check.why,
                "fix": finding.fix,
                "details": finding.details,
            })
        })
        .collect();
    json!({"ok": ok, "version": env!("CARGO_PKG_VERSION"), "findings": findings})
}

/// The findings for people: what is wrong first, and the rest in a few lines; `verbose` shows all of it in order.
pub(super) fn text(findings: &[Finding], verbose: bool) -> String {
    let mut text = String::new();
    let is_shown = |finding: &&Finding| verbose || is_wrong(finding);
    for finding in findings.iter().filter(is_shown) {
        write_finding(&mut text, finding);
    }
    let count = |status| {
        let found = findings.iter().filter(|finding| finding.status == status);
        found.count()
    };
    let (failures, warnings) = (count(Status::Fail), count(Status::Warn));
    let verdict = match (failures, warnings) {
        (0, 0) => "No failure and no warning".to_owned(),
        _ => format!(
            "{}, {}",
            many(failures, "failure"),
            many(warnings, "warning")
        ),
    };
    let _ = writeln!(text, "{verdict} in {}.", many(findings.len(), "check"));
    if !verbose {
        write_rest(&mut text, findings);
    }
    text
}

/// Whether people see it without asking.
fn is_wrong(finding: &Finding) -> bool {
    match finding.status {
        Status::Fail | Status::Warn | Status::Undetermined => true,
        Status::Pass | Status::Skipped => false,
    }
}

fn many(count: usize, name: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {name}{ending}")
}

fn write_finding(text: &mut String, finding: &Finding) {
    let (check, what) = (finding.check, &finding.what);
    let mark = match finding.status {
        Status::Pass => "ok",
        Status::Warn => "WARN",
        Status::Fail => "FAIL",
        Status::Skipped => "skip",
        Status::Undetermined => "?",
    };
    // Writing to a text does not fail.
    let _ = writeln!(text, "{mark:<4}  {}: {what}", check.id);
    for line in &finding.details {
        let _ = writeln!(text, "        {line}");
    }
    if is_wrong(finding) {
        let _ = writeln!(text, "      Why: {}", check.why);
        if !finding.fix.is_empty() {
            let _ = writeln!(text, "      Do:  {}", finding.fix);
        }
        text.push('\n');
    }
}

/// Which areas are well, what was skipped, and how to see more.
fn write_rest(text: &mut String, findings: &[Finding]) {
    let mut areas: Vec<&str> = findings
        .iter()
        .map(|finding| finding.check.area())
        .collect();
    areas.dedup();
    let of = |area: &str, status| {
        let mut all = findings.iter().filter(|found| found.check.area() == area);
        all.any(|found| found.status == status)
    };
    let is_well = |area: &&str| {
        let mut all = findings.iter().filter(|found| found.check.area() == *area);
        of(area, Status::Pass) && !all.any(is_wrong)
    };
    let well: Vec<&str> = areas.iter().copied().filter(is_well).collect();
    if !well.is_empty() {
        let _ = writeln!(text, "Well: {}.", well.join(", "));
    }
    let skipped = findings
        .iter()
        .filter(|found| found.status == Status::Skipped);
    let skipped: Vec<&str> = skipped.map(|found| found.check.id).collect();
    if !skipped.is_empty() {
        let _ = writeln!(text, "Skipped: {}.", skipped.join(", "));
    }
    let _ = writeln!(
        text,
        "`--verbose` shows every check, with values and where they came from."
    );
}
