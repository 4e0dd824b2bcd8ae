//! Which payment card an action charges or deletes, as a person recognises it.

use sevendigital::Client;

use crate::action::{Action, Item};
use crate::list_user_payment_cards::ListUserPaymentCards;
use crate::look_up::look_up;
use crate::models::{Card, Wallet};
use crate::target::Target;
use crate::tool::Tool as _;
use crate::values::Id;

/// The last four digits of the payment card that an action deletes, or of the default one that purchases charge.
pub async fn card_digits(client: &Client, action: &Action, target: &Target) -> Option<String> {
    let upstream = &ListUserPaymentCards::CONTRACT.upstream;
    let wallet: Wallet = look_up(client, upstream, target).await.ok()?;
    let wanted = |card: &Card| match &action.item {
        Item::PaymentCard(named) => {
            let named = named.as_ref().map(Id::as_str);
            named.is_some() && card.id.as_deref() == named
        }
        Item::Release(_) | Item::Track { .. } | Item::Basket(_) => card.default == Some(true),
    };
    let cards = wallet.cards?.card;
    let digits = cards.into_iter().find(wanted)?.last_four_digits?;
    let four_digits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    four_digits.then_some(digits)
}
