//! Completions of the arguments of prompts and resource templates.

use rmcp::model::{ArgumentInfo, CompletionInfo, Reference};
use sevendigital_tools::prompts::completions;

use super::{prompts, resources};
use crate::calls::Registry;
use crate::http::json::shown;
use crate::identity::Caller;

/// The first values of an argument that begin with what is there of it; an error says what there is no such thing of.
pub(super) fn complete(
    registry: &Registry,
    caller: &Caller,
    reference: &Reference,
    argument: &ArgumentInfo,
) -> Result<CompletionInfo, String> {
    let ArgumentInfo { name, value, .. } = argument;
    let known = match reference {
        Reference::Prompt(prompt) => {
            let found = prompts::find(registry, caller, &prompt.name);
            let found =
                found.ok_or_else(|| format!("there is no prompt {}", shown(&prompt.name)))?;
            found
                .arguments()
                .iter()
                .any(|argument| argument.name == *name)
        }
        Reference::Resource(template) => {
            let mut templates = resources::templates(caller).into_iter();
            let found = templates.find(|known| known.uri_template == template.uri);
            let found = found.ok_or("there is no such resource template")?;
            found.uri_template.contains(&format!("{{{name}}}"))
        }
        _ => return Err("`ref` is of a prompt or of a resource template".to_owned()),
    };
    if !known {
        return Err(format!("it has no argument {}", shown(name)));
    }
    let mut values = completions(name, value);
    let total = u32::try_from(values.len()).ok();
    let has_more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    CompletionInfo::with_pagination(values, total, has_more)
}
