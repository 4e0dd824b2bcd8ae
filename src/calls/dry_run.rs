//! The dry run: what a call would do, shown and not sent.

use serde_json::{Map, Value, json};
use sevendigital::{Effect, Error};
use sevendigital_tools::{AnyTool, ToolError};

use super::pending::Pending;
use super::purchase::Purchases;
use super::question::question;
use crate::config::Spending;
use crate::problem::Problem;

/// What a call would do: its effect, the question with the title and the price, what is done about spending, and the request without key, token and signature.
pub(super) async fn dry_run(
    tool: &AnyTool,
    pending: &Pending,
    spending: Spending,
    purchases: &Purchases,
) -> Result<Value, Problem> {
    let effect = match tool.contract.upstream.effect {
        Effect::Reads => "reads",
        Effect::Writes => "changes",
        Effect::Charges => "charges",
    };
    let mut shown = Map::new();
    let mut add = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    add("dryRun", json!(true));
    add("tool", json!(tool.contract.name));
    add("effect", json!(effect));
    let mut price = None;
    if let Some(action) = &pending.prepared.action {
        let question = question(pending, action, purchases);
        // Boxed, since it is large.
        let (details, offer) = Box::pin(question).await?;
        let charges = tool.contract.upstream.effect == Effect::Charges;
        let policy = match spending {
            Spending::Allow => "it is sent without a question",
            Spending::Off if charges => "it is refused",
            Spending::Confirm | Spending::Off => "the user is asked first",
        };
        add("action", json!(action.to_string()));
        add("item", json!(offer.title));
        add("price", json!(offer.price(action)));
        add("currency", json!(offer.currency(action, pending.country())));
        add("question", json!(details.message));
        add("policy", json!(policy));
        // Where nobody is asked and no limit needs it, the price is not looked up.
        let is_sent = spending != Spending::Allow || purchases.limits_need_price(action);
        price = offer.price.filter(|_| is_sent);
    }
    let client = pending.client.dry();
    let ended = pending.prepared.clone().run_at(&client, price.as_ref());
    match ended.await {
        Err(ToolError::Client(Error::DryRun(draft))) => {
            let parameters = draft.parameters.into_iter();
            let parameters = parameters.map(|(name, value)| (name, json!(value)));
            add(
                "request",
                json!({
                    "method": draft.method.as_str(),
                    "path": draft.path,
                    "parameters": parameters.collect::<Map<_, _>>(),
                }),
            );
            Ok(Value::Object(shown))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Problem::internal()),
    }
}
