//! The REST surface described as `OpenAPI` 3.1, from the same contracts that MCP clients see.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sevendigital::{Effect, Method};
use sevendigital_tools::{AnyTool, Arguments};

use super::response::{CONFIRMATION, DRY_RUN, IDEMPOTENCY_KEY};
use crate::problem::{KINDS, Kind, Spec};

const ABOUT: &str = "\
7digital's user API: the music a user owns, purchases, payment cards, accounts and streaming subscriptions.\n\n\
Operations tagged **charges** spend money, GET or not. The same purchase for the same user is sent once in 24 hours, and a repeat gets the stored outcome, with `Idempotency-Replayed: true`. \
Where the operator wants the user asked first, the answer is 409 with a question and a confirmation; the same call with `X-Confirmation` then goes through, once, within the time that the answer names. With `X-Dry-Run: true` a call shows what it would do, and sends nothing that changes or charges.\n\n\
Where the operator lets callers name the user, `X-7digital-Access-Token` with `X-7digital-Access-Token-Secret`, or `X-7digital-User-Id`, name the user of a call.\n\n\
Prices in arguments are in minor units: 999 is 9.99. Problems are RFC 9457; `type` and `code` stay the same, sentences may change.";

/// The description of these tools.
pub(super) fn document(tools: &[AnyTool]) -> Value {
    let mut paths: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for tool in tools {
        let method = tool.contract.upstream.method.as_str();
        let method = method.to_ascii_lowercase();
        let at_path = paths.entry(tool.contract.rest).or_default();
        at_path.insert(method, operation(tool));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "7digital user API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}],
        "tags": [
            {"name": "reads", "description": "Change nothing and cost nothing."},
            {"name": "writes", "description": "Change an account, a card or a subscription."},
            {"name": "charges", "description": "Spend money."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {
                "type": "http", "scheme": "bearer",
                "description": "The server's `token`, where the operator has set one.",
            }},
            "schemas": {"Problem": problem()},
            "responses": responses(),
        },
    })
}

fn operation(tool: &AnyTool) -> Value {
    let contract = tool.contract;
    let tag = match contract.upstream.effect {
        Effect::Reads => "reads",
        Effect::Writes => "writes",
        Effect::Charges => "charges",
    };
    let mut operation = BTreeMap::from([
        ("operationId", json!(camel_case(contract.name))),
        ("summary", json!(contract.title)),
        ("description", json!(contract.description)),
        ("tags", json!([tag])),
        ("parameters", json!(parameters(tool))),
        ("responses", answers(tool)),
    ]);
    if contract.upstream.method == Method::Post {
        let schema = Value::from(tool.input_schema());
        let example = example(contract.description).remove("body");
        let content = json!({"schema": schema.pointer("/properties/body"), "example": example});
        let body = json!({
            "required": true,
            "content": {"application/json": content, "application/x-www-form-urlencoded": content},
        });
        operation.insert("requestBody", body);
    }
    json!(operation)
}

/// `get-user-locker` as the capability names operations: `getUserLocker`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

fn parameters(tool: &AnyTool) -> Vec<Value> {
    let contract = tool.contract;
    let schema = tool.input_schema();
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    let example = example(contract.description);
    let mut parameters = Vec::new();
    for (name, property) in properties.into_iter().flatten() {
        if contract.upstream.method == Method::Post && name == "body" {
            continue;
        }
        let in_path = contract.rest.contains(&format!("{{{name}}}"));
        let place = if in_path { "path" } else { "query" };
        let required = required.is_some_and(|names| names.iter().any(|required| required == name));
        let mut schema = property.as_object().cloned().unwrap_or_default();
        let mut parameter = BTreeMap::from([
            ("name", json!(name)),
            ("in", json!(place)),
            ("required", json!(required)),
            ("description", json!(schema.remove("description"))),
            ("schema", json!(schema)),
        ]);
        parameter.extend(example.get(name).map(|value| ("example", value.clone())));
        parameters.push(json!(parameter));
    }
    if contract.upstream.effect == Effect::Charges {
        parameters.push(header(IDEMPOTENCY_KEY, "Names this purchase: the same key with the same arguments gets the stored outcome, with other arguments 422.", 255));
    }
    if contract.upstream.effect != Effect::Reads {
        parameters.push(header(DRY_RUN, "`true`: show what would be done, asked and sent, and send nothing that changes or charges.", 5));
    }
    if tool.requires_confirmation {
        let what = "The `confirmation` of a 409, once the user has agreed.";
        parameters.push(header(CONFIRMATION, what, 4096));
    }
    parameters
}

fn header(name: &str, description: &str, longest: usize) -> Value {
    let schema =
        json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[!-~]+$"});
    json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema})
}

/// The arguments that a description ends with as its example.
fn example(description: &str) -> Arguments {
    let (_, text) = description.split_once("Example: ").unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Arguments>();
    values.next().and_then(Result::ok).unwrap_or_default()
}

/// The document on success, and every problem that the operation may have.
fn answers(tool: &AnyTool) -> Value {
    let header = |kind: &str, what: &str| json!({"description": what, "schema": {"type": kind}});
    let limit = "7digital's quota: requests per period, where it says so.";
    let current = "Requests used in this period.";
    let reset = "Seconds until the period ends.";
    let mut headers = BTreeMap::from([
        ("X-RateLimit-Limit", header("integer", limit)),
        ("X-RateLimit-Current", header("integer", current)),
        ("X-RateLimit-Reset", header("integer", reset)),
    ]);
    if tool.contract.upstream.effect == Effect::Charges {
        let replayed = "`true` where the ledger answered: nothing was sent.";
        let first_made = "Of a replayed answer: when the purchase was sent.";
        headers.insert("Idempotency-Replayed", header("string", replayed));
        headers.insert("X-First-Made-At", header("string", first_made));
    }
    let success = json!({
        "description": "The document.",
        "headers": headers,
        "content": {"application/json": {"schema": tool.output_schema()}},
    });
    let kinds = KINDS.iter().filter(|spec| may_happen(spec.kind, tool));
    let problems = kinds.map(|Spec { status, .. }| {
        let response = format!("#/components/responses/Status{status}");
        (status.to_string(), json!({"$ref": response}))
    });
    let success = [("200".to_owned(), success)];
    success.into_iter().chain(problems).collect()
}

fn may_happen(kind: Kind, tool: &AnyTool) -> bool {
    match kind {
        // MCP's own.
        Kind::InvalidRequest
        | Kind::HeaderMismatch
        | Kind::NoSuchRpcMethod
        | Kind::NoSuchSession
        | Kind::NotAcceptable => false,
        Kind::TooLarge | Kind::MediaType | Kind::Timeout => {
            tool.contract.upstream.method == Method::Post
        }
        Kind::NoSuchPath => tool.contract.rest.contains('{'),
        Kind::ConfirmationRequired | Kind::InvalidConfirmation => tool.requires_confirmation,
        Kind::OutcomeUnknown => tool.contract.upstream.effect == Effect::Charges,
        _ => true,
    }
}

/// One response for each status, which names the types that come with it.
fn responses() -> Value {
    let mut by_status: BTreeMap<u16, Vec<&Spec>> = BTreeMap::new();
    for spec in KINDS {
        by_status.entry(spec.status).or_default().push(spec);
    }
    let response = |(status, specs): (u16, Vec<&Spec>)| {
        let (mut lines, mut examples) = (Vec::new(), BTreeMap::new());
        for spec in specs {
            let (uri, title, example) = (spec.kind.uri(), spec.title, spec.example);
            lines.push(format!("`{uri}`: {title}."));
            let problem = json!({"type": uri, "title": title, "status": status, "detail": example});
            examples.insert(spec.slug, json!({"value": problem}));
        }
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let response = json!({
            "description": lines.join("\n\n"),
            "content": {"application/problem+json": {"schema": schema, "examples": examples}},
        });
        (format!("Status{status}"), response)
    };
    by_status.into_iter().map(response).collect()
}

fn problem() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let one_of = |description: &str, values: &[&str]| json!({"type": "string", "enum": values, "description": description});
    let types: Vec<String> = KINDS.iter().map(|spec| spec.kind.uri()).collect();
    json!({
        "type": "object",
        "description": "A problem as RFC 9457 has it.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": types, "description": "Which problem it is; it stays the same."},
            "title": text("The same in a few words."),
            "requestId": text("The name of the request in the server's log, which `X-Request-Id` holds too."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": text("What happened and what to do about it, in sentences."),
            "code": {"type": "integer", "description": "7digital's numeric code, where it refused."},
            "outcome": one_of("How far the call came.", &["not_sent", "refused", "unknown"]),
            "mayHaveCharged": {"type": "boolean", "description": "Whether money may have been spent."},
            "repeat": one_of("When the same call may be made again: later as it is, after a change, or only after a look whether it took effect.", &["later", "after_change", "after_check"]),
            "message": text("409 `confirmation-needed`: the question for the user."),
            "confirmation": text("409 `confirmation-needed`: what `X-Confirmation` must hold."),
        },
    })
}
