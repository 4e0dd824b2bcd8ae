//! What no outsider can provoke: a tool that panics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sevendigital::{Answer, Auth, Endpoint};
use sevendigital_tools::{
    Action, ActionOf, Charged, Contract, Hints, Item, Payer, Scope, Tool, ToolError,
};

use super::*;
use crate::config::Layers;
use crate::problem::Kind;

/// A tool that breaks.
struct PanickingTool<const CHARGES: bool>;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Nothing {}

impl<const CHARGES: bool> Tool for PanickingTool<CHARGES> {
    const CONTRACT: Contract = Contract {
        name: "panic",
        title: "Panic",
        summary: "Panics.",
        description: "Panics.",
        hints: Hints::READ,
        rest: "/panic",
        upstream: Endpoint::get(
            "/panic",
            Auth::User,
            if CHARGES {
                Effect::Charges
            } else {
                Effect::Reads
            },
        ),
        scope: Scope::Reads,
    };
    const ACTION: Option<ActionOf<Self>> = if CHARGES {
        Some(|_| {
            Ok(Action {
                verb: "Buy",
                item: Item::PaymentCard(None),
                price: None,
                currency: None,
                payer: Payer::Card,
                charged: Charged::SevendigitalPrice,
                reference: None,
            })
        })
    } else {
        None
    };
    type Input = Nothing;
    type Output = Nothing;

    async fn call(_: &Client, _: &Nothing) -> Result<Answer<Arguments>, ToolError> {
        panic!("a bug")
    }
}

fn calls() -> Calls {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let layers = Layers {
        variables: vec![
            set("SEVENDIGITAL_CONSUMER_KEY", "key"),
            set("SEVENDIGITAL_MCP_SANDBOX", "true"),
            set("SEVENDIGITAL_MCP_SPENDING", "allow"),
        ],
        ..Layers::default()
    };
    Calls::new(&Config::load(&layers).unwrap()).unwrap()
}

fn call(arguments: &Value, user: Option<User>) -> Call {
    Call {
        arguments: arguments.as_object().unwrap().clone(),
        caller: Caller::operator(),
        user,
        context: RequestContext::default(),
        confirmation: UserAnswer::NotAsked(Asker::Client),
        idempotency_key: None,
    }
}

#[tokio::test]
async fn a_tool_that_panics_ends_its_call_and_nothing_else() {
    let calls = calls();
    let tool = AnyTool::new::<PanickingTool<false>>();
    for _ in 0..3 {
        let problem = calls.call(&tool, call(&json!({}), None)).await.unwrap_err();
        assert_eq!(problem.kind, Kind::Internal, "{problem:?}");
    }
}

#[tokio::test]
async fn a_charge_whose_tool_panics_has_an_unknown_outcome_and_is_not_repeated() {
    let calls = calls();
    let tool = AnyTool::new::<PanickingTool<true>>();
    for _ in 0..2 {
        let problem = calls.call(&tool, call(&json!({}), None)).await.unwrap_err();
        assert_eq!(problem.kind, Kind::OutcomeUnknown, "{problem:?}");
        assert!(problem.what.starts_with("Charge 1 "), "{problem:?}");
    }
}

#[tokio::test]
async fn a_request_for_one_user_can_not_name_another() {
    let calls = calls();
    for (name, arguments) in [
        ("get-user-details", json!({"userId": "500124"})),
        ("get-user-locker", json!({"userId": 500_124})),
        (
            "select-user-payment-card",
            json!({"body": {"cardId": "1", "userId": "500124"}}),
        ),
        (
            "purchase-user-item",
            json!({"releaseId": "1", "userId": "500124"}),
        ),
    ] {
        let tool = *calls.registry().find(name).unwrap();
        let user = Some(User::Id("500123".into()));
        let problem = calls.call(&tool, call(&arguments, user)).await.unwrap_err();
        assert_eq!(problem.kind, Kind::Header, "{name}: {problem:?}");
        assert!(problem.what.contains("userId"), "{name}: {problem:?}");
    }
}
