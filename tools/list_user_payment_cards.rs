//! `list-user-payment-cards`: the cards that the user has registered.

use sevendigital::{Auth, Effect, Endpoint};

use crate::get_user_unlimited_streaming::Whose;
use crate::models::{Document, Wallet};
use crate::{Contract, Hints, Scope, Tool};

/// The tool.
pub struct ListUserPaymentCards;

impl Tool for ListUserPaymentCards {
    const CONTRACT: Contract = Contract {
        name: "list-user-payment-cards",
        title: "7digital List User Payment Cards",
        summary: "Lists the user's cards: kind, last four digits, expiry, default.",
        description: "Lists the user's payment cards: last four digits, month of expiry (`yyyyMM`), and which one is the `default` that purchases charge. Personal data. \
            Example: {}.",
        hints: Hints::READ,
        rest: "/v1/user/payment/card",
        upstream: Endpoint::get("/user/payment/card", Auth::User, Effect::Reads),
        scope: Scope::Reads,
    };

    type Input = Whose;
    type Output = Document<Wallet>;
}
