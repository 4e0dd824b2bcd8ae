//! Prompts: what people ask for often, worded so that a model uses the right tools in the right order.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::arguments::parse;
use crate::get_user_locker::GetUserLocker;
use crate::get_user_unlimited_streaming::GetUserUnlimitedStreaming;
use crate::list_user_payment_cards::ListUserPaymentCards;
use crate::purchase_user_item::PurchaseUserItem;
use crate::purchase_user_priced_item::PurchaseUserPricedItem;
use crate::purchase_user_rrp_item::PurchaseUserRrpItem;
use crate::values::{Country, Currency, Id};
use crate::{Arguments, Item, Tool as _, ToolError, schema};

/// Says whether a tool of that name is there for the caller.
pub type IsServed<'a> = dyn Fn(&str) -> bool + 'a;

/// A prompt. It names only tools that are served.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    /// Name, kebab-case.
    pub name: &'static str,
    /// Label for people.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// It is there where one of these tools is served.
    tools: &'static [&'static str],
    arguments: fn() -> Map<String, Value>,
    word: fn(Arguments, &IsServed<'_>) -> Result<Worded, ToolError>,
}

/// What a prompt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worded {
    /// The user's words.
    pub text: String,
    /// The item that it is about, to be shown beside the words.
    pub item: Option<Item>,
    /// The country to look the item up in, where that is not the configured one.
    pub country: Option<String>,
}

impl Worded {
    fn without_item(text: String) -> Self {
        Self {
            text,
            item: None,
            country: None,
        }
    }
}

/// An argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Whether the prompt needs it.
    pub required: bool,
}

/// Every prompt.
pub const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "what-i-own",
        title: "What do I own?",
        description: "Lists the music in your 7digital locker.",
        tools: &[LOCKER],
        arguments: schema::input::<Nothing>,
        word: what_i_own,
    },
    Prompt {
        name: "buy-safely",
        title: "Buy a release safely",
        description: "Looks at a release, its price, what you own and what would be charged, and asks you before it buys.",
        tools: PURCHASES,
        arguments: schema::input::<Wanted>,
        word: buy_safely,
    },
    Prompt {
        name: "subscription-status",
        title: "Is my streaming subscription running?",
        description: "Tells the level and the end of your 7digital streaming subscription.",
        tools: &[STREAMING],
        arguments: schema::input::<Nothing>,
        word: subscription_status,
    },
];

const LOCKER: &str = GetUserLocker::CONTRACT.name;
const STREAMING: &str = GetUserUnlimitedStreaming::CONTRACT.name;
const CARDS: &str = ListUserPaymentCards::CONTRACT.name;
/// The tools that buy a release, in the order in which they are tried.
const PURCHASES: &[&str] = &[
    PurchaseUserItem::CONTRACT.name,
    PurchaseUserRrpItem::CONTRACT.name,
    PurchaseUserPricedItem::CONTRACT.name,
];

impl Prompt {
    /// Whether it is there for a caller.
    pub fn is_there(&self, is_served: &IsServed<'_>) -> bool {
        self.tools.iter().any(|tool| is_served(tool))
    }

    /// Its arguments, the required ones first.
    pub fn arguments(&self) -> Vec<PromptArgument> {
        let schema = (self.arguments)();
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object);
        let argument = |(name, property): (&String, &Value)| PromptArgument {
            name: name.clone(),
            description: property
                .get("description")
                .map_or_else(String::new, |text| {
                    text.as_str().unwrap_or_default().to_owned()
                }),
            required: required
                .is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name))),
        };
        let arguments = properties.into_iter().flatten().map(argument);
        let mut arguments: Vec<PromptArgument> = arguments.collect();
        arguments.sort_by_key(|argument| !argument.required);
        arguments
    }

    /// The prompt with these arguments; an error names the one that is wrong.
    pub fn word(
        &self,
        arguments: Arguments,
        is_served: &IsServed<'_>,
    ) -> Result<Worded, ToolError> {
        (self.word)(arguments, is_served)
    }
}

/// Values of an argument of that name that begin with a text, in capitals or not: countries by code or name, currencies by code. None where nothing is known of the argument's values.
pub fn completions(argument: &str, start: &str) -> Vec<String> {
    match argument {
        "country" => Country::beginning_with(start),
        "currency" => Currency::beginning_with(start),
        _ => Vec::new(),
    }
}

/// Nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What to buy.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    /// Id of the release at 7digital, such as `11700062`.
    release_id: Id,
    /// Your country in two letters, such as `GB`, where it is not the configured one.
    country: Option<Country>,
    /// The only currency that you want to pay in, as three letters such as `GBP`.
    currency: Option<Currency>,
}

fn what_i_own(arguments: Arguments, _: &IsServed<'_>) -> Result<Worded, ToolError> {
    parse::<Nothing>(arguments)?;
    let text = format!(
        "What music do I own at 7digital? Call {LOCKER} with `view` `summary` and `pageSize` 50, page after page, until there are no more pages. \
        Then tell me how many releases there are, list them by artist with their titles, and say which ones I bought last. \
        Where I own only some tracks of a release, name the tracks."
    );
    Ok(Worded::without_item(text))
}

fn subscription_status(arguments: Arguments, _: &IsServed<'_>) -> Result<Worded, ToolError> {
    parse::<Nothing>(arguments)?;
    let text = format!(
        "Do I have a streaming subscription at 7digital? Call {STREAMING}. \
        Tell me its level, when it ends in my own time zone, and how many days that is from now; or that I have none."
    );
    Ok(Worded::without_item(text))
}

fn buy_safely(arguments: Arguments, is_served: &IsServed<'_>) -> Result<Worded, ToolError> {
    let wanted = parse::<Wanted>(arguments)?;
    let id = wanted.release_id.as_str();
    let country = wanted.country.as_ref().map(Country::as_str);
    let country = country.map(|country| format!(", `country` {country}"));
    let country = country.unwrap_or_default();
    let mut steps =
        vec!["Tell me title, artist and price as 7digital's catalogue has them.".to_owned()];
    if let Some(currency) = &wanted.currency {
        let currency = currency.as_str();
        steps.push(format!("Stop if the price is not in {currency}."));
    }
    if is_served(LOCKER) {
        steps.push(format!("Look with {LOCKER} (`releaseId` {id}, `view` `summary`) whether I own it already; if so, stop and tell me."));
    }
    if is_served(CARDS) {
        steps.push(format!(
            "Tell me which card would pay: the default one of {CARDS}."
        ));
    }
    steps.push("Ask me whether to buy it at this price, and wait for a clear yes.".to_owned());
    let tools = PURCHASES.iter().filter(|tool| is_served(tool));
    let tools: Vec<&str> = tools.copied().collect();
    let tools = match tools.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("the first that this key may use of {}", several.join(", ")),
    };
    steps.push(format!("Then call {tools}, once, with `releaseId` {id}{country} and as `price` what I agreed to, in minor units (999 is 9.99)."));
    steps.push("If the answer is lost or unclear, don't call again: look into my locker first. Else tell me the purchase id.".to_owned());
    let steps = steps.iter().zip(1..);
    let steps: Vec<String> = steps.map(|(step, n)| format!("{n}. {step}")).collect();
    Ok(Worded {
        text: format!(
            "I may want to buy release {id} from 7digital, with my money.\n{}",
            steps.join("\n")
        ),
        item: Some(Item::Release(wanted.release_id)),
        country: wanted.country.map(|country| country.as_str().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TOOLS;

    #[test]
    fn a_prompt_names_only_tools_that_are_served() {
        let arguments = serde_json::json!({"releaseId": "1", "currency": "GBP"});
        let arguments = arguments.as_object().unwrap();
        let names = || TOOLS.iter().map(|tool| tool.contract.name);
        for prompt in PROMPTS {
            for left_out in names() {
                let is_served = |name: &str| name != left_out;
                if !prompt.is_there(&is_served) {
                    continue;
                }
                let mut arguments = arguments.clone();
                arguments.retain(|name, _| prompt.arguments().iter().any(|own| own.name == *name));
                let text = prompt.word(arguments, &is_served).unwrap().text;
                assert!(!text.contains(left_out), "{}: {text}", prompt.name);
                assert!(names().any(|name| text.contains(name)), "{text}");
            }
            assert!(!prompt.is_there(&|_| false), "{}", prompt.name);
        }
    }
}
