//! Prompts as clients see them.

use rmcp::ErrorData;
use rmcp::model::{
    ContentBlock, EmbeddedResource, GetPromptResult, JsonObject, Prompt as Described,
    PromptArgument, PromptMessage, Role,
};
use sevendigital_tools::{PROMPTS, Prompt};

use super::{resources, result};
use crate::calls::{Calls, Registry, Viewer};
use crate::http::json::shown;
use crate::identity::Caller;
use crate::problem::Problem;

/// The prompts whose tools are served to the caller.
pub(super) fn list(registry: &Registry, caller: &Caller) -> Vec<Described> {
    there(registry, caller).map(describe).collect()
}

/// The prompt of that name, where it is there for the caller.
pub(super) fn find(registry: &Registry, caller: &Caller, name: &str) -> Option<&'static Prompt> {
    there(registry, caller).find(|prompt| prompt.name == name)
}

/// Words a prompt, with the catalogue's entry of the item that it is about beside it.
pub(super) async fn get(
    calls: &Calls,
    viewer: Viewer,
    name: &str,
    arguments: Option<JsonObject>,
) -> Result<GetPromptResult, ErrorData> {
    let (registry, caller) = (calls.registry(), &viewer.caller);
    let id = &viewer.context.id;
    let Some(prompt) = find(registry, caller, name) else {
        let names: Vec<&str> = there(registry, caller).map(|prompt| prompt.name).collect();
        let (name, names) = (shown(name), names.join(", "));
        let why = format!("there is no prompt {name} for this caller; there are: {names}");
        let data = result::request_data(id);
        return Err(ErrorData::invalid_params(why, Some(data)));
    };
    let is_served = is_served(registry, caller);
    let worded = prompt.word(arguments.unwrap_or_default(), &is_served);
    let worded = worded.map_err(|error| result::error_data(&Problem::from(error), id))?;
    let mut messages = vec![PromptMessage::new_text(Role::User, worded.text)];
    if let Some(item) = worded.item
        && let Some(contents) =
            resources::embedded(calls, viewer.clone(), item, worded.country).await
    {
        let block = ContentBlock::Resource(EmbeddedResource::new(contents));
        messages.push(PromptMessage::new(Role::User, block));
    }
    Ok(GetPromptResult::new(messages).with_description(prompt.description))
}

fn there(registry: &Registry, caller: &Caller) -> impl Iterator<Item = &'static Prompt> {
    let is_served = is_served(registry, caller);
    PROMPTS
        .iter()
        .filter(move |prompt| prompt.is_there(&is_served))
}

/// Whether a tool of that name is served, and the caller may use it.
fn is_served(registry: &Registry, caller: &Caller) -> impl Fn(&str) -> bool {
    |name| {
        let tool = registry.find(name);
        tool.is_some_and(|tool| caller.may(&tool.contract))
    }
}

fn describe(prompt: &Prompt) -> Described {
    let arguments = prompt.arguments().into_iter().map(|argument| {
        PromptArgument::new(argument.name)
            .with_description(argument.description)
            .with_required(argument.required)
    });
    let arguments: Vec<PromptArgument> = arguments.collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    Described::new(prompt.name, Some(prompt.description), arguments).with_title(prompt.title)
}
