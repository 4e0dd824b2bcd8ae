//! Headers with which a client asks for fewer tools. They only narrow: what the settings or a grant leave out stays out.

use http::HeaderMap;
use sevendigital::Effect;
use sevendigital_tools::{Contract, TOOLS};

use crate::headers::single_header;
use crate::problem::{Kind, Problem};

const READ_ONLY: &str = "x-mcp-readonly";
const TOOLS_ONLY: &str = "x-mcp-tools";
const EXCLUDED: &str = "x-mcp-exclude-tools";

/// The tools that a caller asks for, of those that it may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolFilter {
    read_only: bool,
    only: Option<Vec<&'static str>>,
    excluded: Vec<&'static str>,
}

impl ToolFilter {
    /// What the headers ask for; the problem names the header.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        Self::read(headers).map_err(|why| Problem::rejected(Kind::Header, why))
    }

    fn read(headers: &HeaderMap) -> Result<Self, String> {
        let text = |name: &'static str| {
            single_header(headers, name)
                .map_err(|()| format!("`{name}` is given once, in visible ASCII"))
        };
        let list = |name| {
            let value = text(name)?;
            value.map(|value| names(name, value)).transpose()
        };
        let read_only = text(READ_ONLY)?.map(|value| value.trim().to_ascii_lowercase());
        Ok(Self {
            read_only: match read_only.as_deref() {
                None | Some("false" | "0") => false,
                Some("true" | "1") => true,
                Some(_) => return Err(format!("`{READ_ONLY}` is `true` or `false`")),
            },
            only: list(TOOLS_ONLY)?,
            excluded: list(EXCLUDED)?.unwrap_or_default(),
        })
    }

    /// Whether a tool is among those that were asked for.
    pub fn includes(&self, contract: &Contract) -> bool {
        let named = |names: &[&str]| names.contains(&contract.name);
        (contract.upstream.effect == Effect::Reads || !self.read_only)
            && self.only.as_deref().is_none_or(named)
            && !named(&self.excluded)
    }
}

/// Names of tools with commas between them. None at all is refused: it could be meant as all, or as nothing.
fn names(header: &str, value: &str) -> Result<Vec<&'static str>, String> {
    let words = value.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    let known = TOOLS.iter().map(|tool| tool.contract.name);
    let tools: Option<Vec<_>> = words
        .map(|word| known.clone().find(|name| *name == word))
        .collect();
    match tools {
        None => Err(format!("`{header}` names a tool that does not exist")),
        Some(none) if none.is_empty() => Err(format!(
            "`{header}` names no tool: leave it out, or name some"
        )),
        Some(tools) => Ok(tools),
    }
}
