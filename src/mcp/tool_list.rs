//! The tools as clients see them.

use std::sync::Arc;

use rmcp::model::{MetaObject, Tool, ToolAnnotations};
use serde_json::json;
use sevendigital_tools::{AnyTool, Contract};

use crate::config::HintSet;

/// A tool as clients see it.
pub fn describe(tool: &AnyTool, hints: HintSet) -> Tool {
    let contract = &tool.contract;
    let input = tool.listed_input_schema();
    let described = Tool::new(contract.name, contract.description, Arc::new(input))
        .with_title(contract.title)
        .with_raw_output_schema(Arc::new(tool.listed_output_schema()))
        .with_annotations(annotations(contract, hints));
    let meta = meta(tool, hints);
    if meta.is_empty() {
        described
    } else {
        described.with_meta(meta)
    }
}

fn annotations(contract: &Contract, hints: HintSet) -> ToolAnnotations {
    let hints = match hints {
        HintSet::Accurate => contract.hints.accurate,
        HintSet::Published => contract.hints.published,
    };
    // The title stands beside them.
    let mut annotations = ToolAnnotations::new();
    annotations.read_only_hint = Some(hints.read_only);
    annotations.destructive_hint = Some(hints.destructive);
    annotations.idempotent_hint = Some(hints.idempotent);
    annotations.open_world_hint = hints.open_world;
    annotations
}

/// Where we ask the user, Claude asks too: with its key it does even where other prompts are switched off.
/// The capability's own hints are there under its own name where the settings want them.
fn meta(tool: &AnyTool, hints: HintSet) -> MetaObject {
    let mut meta = MetaObject::default();
    if hints == HintSet::Published {
        let hints = tool.contract.hints.published;
        let hints = json!({"readOnly": hints.read_only, "destructive": hints.destructive, "idempotent": hints.idempotent});
        meta.insert("io.naftiko/hints".to_owned(), hints);
    }
    if tool.requires_confirmation {
        meta.insert("anthropic/requiresUserInteraction".to_owned(), json!(true));
    }
    if let Some(most) = tool.max_result_chars {
        meta.insert("anthropic/maxResultSizeChars".to_owned(), json!(most));
    }
    meta
}
