//! The tools: operations of 7digital's user API, one file each.
//!
//! A tool's file has its contract (what clients see, and what is called upstream), its input and its call.
//! [`TOOLS`] holds all of them. [`AnyTool::prepare`] reads and checks the arguments of a call, once; [`Prepared::run`] sends it.
//! Start with [`purchase_user_item`]; [`tool`] says what all tools share, [`action`] what the user confirms, [`catalogue`] what 7digital says of it, [`prompts`] has what people ask for often, [`models`] has the documents, [`values`] the kinds of value.

pub mod action;
pub mod any_tool;
pub mod arguments;
pub mod catalogue;
pub mod contract;
pub mod error;
pub mod lookup;
pub mod models;
pub mod page;
pub mod prepared;
pub mod prompts;
pub mod receipt;
pub mod reconcile;
pub mod shape;
pub mod tool;
pub mod values;

mod amount;
mod card_data;
mod coercion;
mod declared;
mod filled;
mod hosts;
mod schema;
mod sent;

pub mod authenticate_user;
pub mod create_user;
pub mod delete_user_payment_card;
pub mod deliver_user_item;
pub mod get_user_card_registration;
pub mod get_user_details;
pub mod get_user_locker;
pub mod get_user_unlimited_streaming;
pub mod list_user_payment_cards;
pub mod purchase_user_basket;
pub mod purchase_user_item;
pub mod purchase_user_priced_item;
pub mod purchase_user_rrp_item;
pub mod register_user_payment_card;
pub mod select_user_payment_card;
pub mod signup_user;
pub mod update_user_unlimited_streaming;

pub use action::{Action, Charged, Item, Payer};
pub use any_tool::AnyTool;
pub use arguments::Arguments;
pub use contract::{Annotations, Contract, Hints, RateLimitClass, Scope};
pub use error::ToolError;
pub use page::Page;
pub use prepared::{Prepared, Reply, Target};
pub use prompts::{PROMPTS, Prompt};
pub use receipt::{Receipt, Standing};
pub use tool::{ActionOf, Fields, Tool};

/// Every tool, in the capability's order, which is the order they are listed in.
pub const TOOLS: &[AnyTool] = &[
    AnyTool::new::<get_user_unlimited_streaming::GetUserUnlimitedStreaming>(),
    AnyTool::new::<update_user_unlimited_streaming::UpdateUserUnlimitedStreaming>(),
    AnyTool::new::<get_user_locker::GetUserLocker>(),
    AnyTool::new::<purchase_user_item::PurchaseUserItem>(),
    AnyTool::new::<purchase_user_rrp_item::PurchaseUserRrpItem>(),
    AnyTool::new::<purchase_user_basket::PurchaseUserBasket>(),
    AnyTool::new::<purchase_user_priced_item::PurchaseUserPricedItem>(),
    AnyTool::new::<list_user_payment_cards::ListUserPaymentCards>(),
    AnyTool::new::<select_user_payment_card::SelectUserPaymentCard>(),
    AnyTool::new::<delete_user_payment_card::DeleteUserPaymentCard>(),
    AnyTool::new::<register_user_payment_card::RegisterUserPaymentCard>(),
    AnyTool::new::<get_user_card_registration::GetUserCardRegistration>(),
    AnyTool::new::<deliver_user_item::DeliverUserItem>(),
    AnyTool::new::<signup_user::SignupUser>(),
    AnyTool::new::<create_user::CreateUser>(),
    AnyTool::new::<get_user_details::GetUserDetails>(),
    AnyTool::new::<authenticate_user::AuthenticateUser>(),
];

#[cfg(test)]
mod tests {
    use sevendigital::Effect;

    use super::*;

    #[test]
    fn each_example_is_understood_and_what_charges_says_who_pays() {
        for tool in TOOLS {
            let name = tool.contract.name;
            let (_, example) = tool.contract.description.split_once("Example: ").unwrap();
            let mut examples = serde_json::Deserializer::from_str(example).into_iter::<Arguments>();
            let prepared = tool.prepare(examples.next().unwrap().unwrap());
            let prepared = prepared.unwrap_or_else(|error| panic!("{name}: {error}"));
            let action = prepared.action.as_ref();
            let required = tool.requires_confirmation;
            assert_eq!(action.is_some(), required, "{name}");
            let paid = action.is_some_and(|action| action.payer != Payer::None);
            let charges = tool.contract.upstream.effect == Effect::Charges;
            assert_eq!(paid, charges, "{name}");
            let login = tool.rate_limit == RateLimitClass::Login;
            assert!(!login || prepared.email.is_some(), "{name}");
        }
    }
}
