//! A call whose arguments have been read and checked, before anything is sent.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Client, Effect, Error, Method, Unreadable};

use crate::amount::Amount;
use crate::arguments::{Arguments, Body, parse};
use crate::shape;
use crate::{Action, Fields, Page, Tool, ToolError};

/// A call whose arguments have been read and checked, before anything is sent.
#[derive(Clone)]
pub struct Prepared {
    /// The arguments in one form for all their spellings. Passwords are never among them.
    pub canonical: Arguments,
    /// The user and the shop that the call names.
    pub target: Target,
    /// Every user id that the call names, also where 7digital might read one: in a field `userid` that no tool declares.
    pub named_users: Vec<String>,
    /// What would be done; there is one for each tool whose calls a user must confirm.
    pub action: Option<Action>,
    /// The e-mail address whose password is tried, as it was given.
    pub email: Option<String>,
    run: Arc<dyn Fn(Client, Option<Amount>) -> Running + Send + Sync>,
}

type Running = Pin<Box<dyn Future<Output = Result<Reply, ToolError>> + Send>>;

/// The user and the shop that a call names: the fields that are the same in every operation. Serialized, they are parameters of a look-up for the same user and shop.
#[skip_serializing_none]
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The managed user.
    pub user_id: Option<String>,
    /// ISO 3166-1 alpha-2 country, in capitals.
    pub country: Option<String>,
    /// Shop id, 7digital's older alternative to `country`.
    pub shop_id: Option<String>,
}

impl Target {
    /// Read once from the fields of an input, so that no tool can forget to say for which user it is.
    fn from_fields(fields: &Fields) -> Self {
        let text = |name: &str| match fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self {
            user_id: text("userId"),
            country: text("country"),
            shop_id: text("shopId"),
        }
    }
}

/// What a call returned.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The document, and what the headers around it said.
    pub answer: Answer<Value>,
    /// Sentences of our own that help to go on.
    pub notes: Vec<String>,
    /// Paths of the values that stand in the document's `unexpected`.
    pub unexpected: Vec<String>,
    /// The page that the document leads the user to.
    pub page: Option<Page>,
}

impl Prepared {
    /// Parses and checks the arguments of a call of `T`.
    pub(crate) fn new<T: Tool>(arguments: Arguments) -> Result<Self, ToolError> {
        let in_body = T::CONTRACT.upstream.method == Method::Post;
        let input: T::Input = if in_body {
            parse::<Body<T::Input>>(arguments)?.body
        } else {
            parse(arguments)?
        };
        T::check(&input)?;
        let action = T::ACTION.map(|action| action(&input)).transpose()?;
        let Ok(Value::Object(fields)) = serde_json::to_value(&input) else {
            return Err(ToolError::Input("the arguments are not an object".into()));
        };
        if in_body {
            shape::check_names::<T::Input>(&fields)?;
        }
        let email = T::email(&input).map(|email| email.as_str().to_owned());
        let input = Arc::new(input);
        Ok(Self {
            target: Target::from_fields(&fields),
            named_users: named_users(&fields),
            canonical: if in_body {
                Map::from_iter([("body".to_owned(), fields.into())])
            } else {
                fields
            },
            action,
            email,
            run: Arc::new(move |client, price| {
                Box::pin(run::<T>(client, Arc::clone(&input), price))
            }),
        })
    }

    /// Calls 7digital. Dropping the future ends the call where it stands.
    pub async fn run(self, client: &Client) -> Result<Reply, ToolError> {
        self.run_at(client, None).await
    }

    /// Calls 7digital as [`run`](Self::run) does. The price that the user confirmed is sent to the operations that compare it with what they charge,
    /// as it was received, unless the caller gives a price itself; they refuse the purchase (code 3004) where it has changed.
    pub async fn run_at(self, client: &Client, price: Option<&Amount>) -> Result<Reply, ToolError> {
        (self.run)(client.clone(), price.cloned()).await
    }
}

/// Arguments are not printed: they hold personal data.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Prepared");
        shown.field("action", &self.action);
        shown.finish_non_exhaustive()
    }
}

/// Every user id among the fields of an input, whatever the case of its name.
fn named_users(fields: &Fields) -> Vec<String> {
    let fields = fields.iter();
    fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("userId"))
        .map(|(_, value)| match value {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        })
        .collect()
}

async fn run<T: Tool>(
    client: Client,
    input: Arc<T::Input>,
    price: Option<Amount>,
) -> Result<Reply, ToolError> {
    let mut answer = T::call_at(&client, &input, price.as_ref()).await?;
    let unexpected = shape::fit::<T::Output>(&mut answer.document);
    let status = answer.document.get("status");
    let says_ok = status.is_some_and(|status| status == "ok");
    let changes = T::CONTRACT.upstream.effect == Effect::Writes;
    if changes && !says_ok && !shape::has_payload::<T::Output>(&answer.document) {
        return Err(Error::Unreadable(Unreadable::EnvelopeStatus).into());
    }
    T::complete(&client, &input, &mut answer)?;
    let odd = match unexpected.len() {
        0 => None,
        1 => Some("1 value was not of its documented kind; it stands in `unexpected`.".to_owned()),
        many => Some(format!(
            "{many} values were not of their documented kinds; they stand in `unexpected`."
        )),
    };
    let notes = T::note(&answer.document).into_iter().chain(odd).collect();
    Ok(Reply {
        page: T::page(&input, &answer.document),
        answer: answer.map(Value::Object),
        notes,
        unexpected,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authenticate_user::AuthenticateUser;
    use crate::create_user::CreateUser;
    use crate::purchase_user_item::PurchaseUserItem;
    use crate::select_user_payment_card::SelectUserPaymentCard;

    fn prepare<T: Tool>(arguments: Value) -> Prepared {
        serde_json::from_value(arguments)
            .map(Prepared::new::<T>)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn all_spellings_of_arguments_have_one_canonical_form() {
        let given = prepare::<PurchaseUserItem>(
            json!({"releaseId": 11_700_062, "price": "999", "country": " gb", "shopId": null}),
        );
        let canonical = json!({"releaseId": "11700062", "price": 999, "country": "GB"});
        assert_eq!(json!(given.canonical), canonical);
        let action = given.action.as_ref().unwrap().to_string();
        assert_eq!(action, "Buy release 11700062");
    }

    #[test]
    fn every_user_that_a_call_names_is_found() {
        let body = json!({"body": {"cardId": "1", "userId": 500_123}});
        let card = prepare::<SelectUserPaymentCard>(body);
        assert_eq!(card.named_users, ["500123"]);
        assert_eq!(card.target.user_id.as_deref(), Some("500123"));
        let text = json!({"body": "{\"cardId\": \"1\", \"userId\": \"500123\"}"});
        let card = prepare::<SelectUserPaymentCard>(text);
        assert_eq!(card.named_users, ["500123"]);
        let user = prepare::<CreateUser>(json!({"email": "jane@example.com", "userId": "a b"}));
        assert_eq!(user.named_users, ["a b"]);
    }

    #[test]
    fn a_name_that_is_nearly_a_documented_one_is_refused_with_the_right_one() {
        let users = ["userid", "USERID", "user_id", "User-Id"].map(|name| (name, "userId"));
        let cards = ["cardid", "card_id"].map(|name| (name, "cardId"));
        for (name, right) in users.into_iter().chain(cards) {
            let body = json!({"body": {"cardId": "1", name: "2"}});
            let arguments = serde_json::from_value(body).unwrap();
            let error = Prepared::new::<SelectUserPaymentCard>(arguments).unwrap_err();
            let expected = format!("body.{name}: the name of this field is `{right}`");
            assert_eq!(error.to_string(), expected);
        }
        prepare::<SelectUserPaymentCard>(json!({"body": {"cardId": "1", "other": "2"}}));
    }

    #[test]
    fn a_password_is_not_kept_in_the_canonical_form() {
        let login = json!({"emailAddress": " Jane@example.com ", "password": "canary"});
        let login = prepare::<AuthenticateUser>(json!({"body": login}));
        assert_eq!(login.email.as_deref(), Some("Jane@example.com"));
        let canonical = json!({"body": {"emailAddress": "Jane@example.com"}});
        assert_eq!(json!(login.canonical), canonical);
        assert!(!format!("{login:?}").contains("canary"));
    }
}
