//! What the doctor looks at, and what it found there.

use sevendigital::text::is_invisible;

/// Something that is looked at. Its id is an interface: programs and documents name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The area, a dot and a name: `clock.skew`.
    pub id: &'static str,
    /// What is so if all is well, as a sentence.
    pub expected: &'static str,
    /// Why it matters, as a sentence.
    pub why: &'static str,
}

/// Nothing of an area was looked at, for that reason.
pub(super) fn skipped(checks: &'static [Check], why: &str) -> Vec<Finding> {
    checks.iter().map(|check| check.skip(why)).collect()
}

/// How it stands with what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Pass,
    /// It works, and will perhaps not.
    Warn,
    /// It does not work.
    Fail,
    /// It was not looked at.
    Skipped,
    /// It was looked at, and nothing can be said.
    Undetermined,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static Check,
    /// How it stands.
    pub status: Status,
    /// What is so, as one or more sentences. No secret is in it.
    pub what: String,
    /// What to do or type; empty where there is nothing to do.
    pub fix: String,
    /// Lines that belong to it: values, addresses, paths.
    pub details: Vec<String>,
}

impl Check {
    /// The area that it belongs to.
    pub fn area(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(area, _)| area)
    }

    /// As it should be.
    pub fn pass(&'static self, what: impl AsRef<str>) -> Finding {
        self.found(Status::Pass, what.as_ref(), "")
    }

    /// It works, and will perhaps not.
    pub fn warn(&'static self, what: impl AsRef<str>, fix: impl AsRef<str>) -> Finding {
        self.found(Status::Warn, what.as_ref(), fix.as_ref())
    }

    /// It does not work.
    pub fn fail(&'static self, what: impl AsRef<str>, fix: impl AsRef<str>) -> Finding {
        self.found(Status::Fail, what.as_ref(), fix.as_ref())
    }

    /// It was not looked at, for that reason.
    pub fn skip(&'static self, why: impl AsRef<str>) -> Finding {
        self.found(Status::Skipped, why.as_ref(), "")
    }

    /// Nothing can be said, for that reason.
    pub fn undetermined(&'static self, why: impl AsRef<str>, fix: impl AsRef<str>) -> Finding {
        self.found(Status::Undetermined, why.as_ref(), fix.as_ref())
    }

    fn found(&'static self, status: Status, what: &str, fix: &str) -> Finding {
        Finding {
            check: self,
            status,
            what: printable(what),
            fix: printable(fix),
            details: Vec::new(),
        }
    }
}

impl Finding {
    /// With lines that belong to it.
    #[must_use]
    pub fn with(mut self, details: impl IntoIterator<Item = String>) -> Self {
        let details = details.into_iter().map(|line| printable(&line));
        self.details.extend(details);
        self
    }
}

impl Status {
    /// Its name, as programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A text in which nothing moves the cursor or hides: names of files and values of settings are other people's choice.
fn printable(text: &str) -> String {
    let shown = |c: char| {
        let hides = c.is_control() || is_invisible(c);
        if hides {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_written_out() {
        const CHECK: Check = Check {
            id: "area.name",
            expected: "",
            why: "",
        };
        let found = CHECK.fail("a\u{1b}[2Jb", "é…“ok”").with(["x\ny".into()]);
        assert_eq!(found.what, "a\\u{1b}[2Jb");
        assert_eq!(found.fix, "é…“ok”");
        assert_eq!(found.details, ["x\\u{a}y"]);
        assert_eq!(CHECK.area(), "area");
    }
}
