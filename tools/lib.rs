//! The seventeen 7digital tools.
//!
//! One tool is one file: its contract (what clients see, and what is called upstream), its input, its output and its `call`.
//! Start with [`purchase_user_item`]; [`tool`] holds what all of them share, [`deed`] what the user is asked about, [`models`] the documents, [`values`] the kinds of value.

pub mod deed;
pub mod models;
pub mod tool;
pub mod values;

mod cards;
mod schema;

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

pub use tool::{
    Accurate, AnyTool, Asks, Contract, Hints, Pace, Plan, Published, Reply, Route, Scope, Tool,
    ToolError,
};

/// Every tool, in the card's order, which is the order they are listed in.
pub const TOOLS: [AnyTool; 17] = [
    AnyTool::of::<get_user_unlimited_streaming::GetUserUnlimitedStreaming>(),
    AnyTool::of::<update_user_unlimited_streaming::UpdateUserUnlimitedStreaming>(),
    AnyTool::of::<get_user_locker::GetUserLocker>(),
    AnyTool::of::<purchase_user_item::PurchaseUserItem>(),
    AnyTool::of::<purchase_user_rrp_item::PurchaseUserRrpItem>(),
    AnyTool::of::<purchase_user_basket::PurchaseUserBasket>(),
    AnyTool::of::<purchase_user_priced_item::PurchaseUserPricedItem>(),
    AnyTool::of::<list_user_payment_cards::ListUserPaymentCards>(),
    AnyTool::of::<select_user_payment_card::SelectUserPaymentCard>(),
    AnyTool::of::<delete_user_payment_card::DeleteUserPaymentCard>(),
    AnyTool::of::<register_user_payment_card::RegisterUserPaymentCard>(),
    AnyTool::of::<get_user_card_registration::GetUserCardRegistration>(),
    AnyTool::of::<deliver_user_item::DeliverUserItem>(),
    AnyTool::of::<signup_user::SignupUser>(),
    AnyTool::of::<create_user::CreateUser>(),
    AnyTool::of::<get_user_details::GetUserDetails>(),
    AnyTool::of::<authenticate_user::AuthenticateUser>(),
];
