//! What no outsider can provoke: a tool that panics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Endpoint};
use sevendigital_tools::{
    Action, ActionOf, Contract, Hints, Item, Payer, RateLimitClass, Route, Scope, Tool,
};

use super::*;
use crate::config::Layers;

/// A tool that breaks.
struct Breaks<const CHARGES: bool>;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Nothing {}

impl<const CHARGES: bool> Tool for Breaks<CHARGES> {
    const CONTRACT: Contract = Contract {
        name: "breaks",
        title: "Breaks",
        summary: "Breaks.",
        description: "Breaks.",
        hints: Hints::READ,
        rest: Route::get("/breaks"),
        upstream: Endpoint::get(
            "/breaks",
            Auth::User,
            if CHARGES {
                Effect::Charges
            } else {
                Effect::Reads
            },
        ),
        scope: Scope::Reads,
        rate_limit: RateLimitClass::General,
    };
    const ACTION: Option<ActionOf<Self>> = if CHARGES {
        Some(|_| {
            Ok(Action {
                verb: "Buy",
                item: Item::PaymentCard(None),
                price: None,
                currency: None,
                payer: Payer::Card,
            })
        })
    } else {
        None
    };
    type Input = Nothing;
    type Output = Nothing;

    async fn call(_: &Client, _: &Nothing) -> Result<Answer<Nothing>, ToolError> {
        panic!("a bug")
    }
}

fn guard() -> Guard {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let layers = Layers {
        variables: vec![
            set("SEVENDIGITAL_CONSUMER_KEY", "key"),
            set("SEVENDIGITAL_MCP_SANDBOX", "true"),
            set("SEVENDIGITAL_MCP_SPENDING", "allow"),
        ],
        ..Layers::default()
    };
    Guard::new(&Config::load(&layers).unwrap()).unwrap()
}

#[tokio::test]
async fn a_tool_that_panics_ends_its_call_and_nothing_else() {
    let guard = guard();
    for _ in 0..3 {
        let ended = guard
            .call(&AnyTool::new::<Breaks<false>>(), Call::default())
            .await;
        assert!(matches!(ended, Err(Failure::Broken)), "{ended:?}");
    }
}

#[tokio::test]
async fn a_charge_whose_tool_panics_has_an_unknown_outcome_and_is_not_repeated() {
    let guard = guard();
    for _ in 0..2 {
        let ended = guard
            .call(&AnyTool::new::<Breaks<true>>(), Call::default())
            .await;
        assert!(
            matches!(&ended, Err(Failure::Unsettled(entry)) if entry.id == 1),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn a_request_for_one_user_can_not_name_another() {
    let guard = guard();
    for (name, arguments) in [
        ("get-user-details", serde_json::json!({"userId": "500124"})),
        ("get-user-locker", serde_json::json!({"userId": 500_124})),
        (
            "select-user-payment-card",
            serde_json::json!({"body": {"cardId": "1", "userId": "500124"}}),
        ),
        (
            "purchase-user-item",
            serde_json::json!({"releaseId": "1", "userId": "500124"}),
        ),
    ] {
        let call = Call {
            arguments: arguments.as_object().unwrap().clone(),
            user: Some(User::Id("500123".into())),
            ..Call::default()
        };
        let tool = *guard.find(name).unwrap();
        let ended = guard.call(&tool, call).await;
        assert!(
            matches!(&ended, Err(Failure::User(why)) if why.contains("userId")),
            "{name}: {ended:?}"
        );
    }
}
