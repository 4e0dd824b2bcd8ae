//! The keys, ids and card numbers of the demo account.

/// The consumer key that the sandbox knows.
pub const CONSUMER_KEY: &str = "sandbox-key";
/// The secret of [`CONSUMER_KEY`].
pub const CONSUMER_SECRET: &str = "sandbox-secret";
/// An access token of the demo user.
pub const ACCESS_TOKEN: &str = "sandbox-token";
/// The secret of [`ACCESS_TOKEN`].
pub const ACCESS_TOKEN_SECRET: &str = "sandbox-token-secret";
/// The demo user: two cards, a subscription, and a locker of more than one page.
pub const USER_ID: &str = "500123";
/// The demo user's e-mail address.
pub const EMAIL: &str = "jane.smith@example.com";
/// The demo user's password.
pub const PASSWORD: &str = "sandbox-pass";
/// The country of both demo users and of the demo basket.
pub const COUNTRY: &str = "GB";
/// A user without a card, whose token pair is the demo user's with `-2` at the end.
pub const SECOND_USER_ID: &str = "500124";
/// An access token of the second user.
pub const SECOND_ACCESS_TOKEN: &str = "sandbox-token-2";
/// The secret of [`SECOND_ACCESS_TOKEN`].
pub const SECOND_ACCESS_TOKEN_SECRET: &str = "sandbox-token-secret-2";
/// The card that is charged, until another is selected.
pub const DEFAULT_CARD: &str = "8154430";
/// The demo user's other card.
pub const OTHER_CARD: &str = "8154431";
/// A basket of two items, which can be bought once.
pub const BASKET_ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
/// A release that can be bought: 7.99 as a whole, 0.99 a track.
pub const RELEASE_ID: &str = "11700062";
/// A release whose price is below the recommended one: 10.99 and 12.99.
pub const SALE_RELEASE_ID: &str = "11700064";
/// A release that is out in two months.
pub const PRE_ORDER_ID: &str = "11700068";
/// A release that nobody can buy any more.
pub const WITHDRAWN_ID: &str = "11700067";
/// A release that is sold only in the United States.
pub const US_RELEASE_ID: &str = "11700066";
/// A card number that registers well and then counts as expired: charges fail with 3001.
pub const EXPIRED_CARD_NUMBER: &str = "4000000000000069";
/// A card number that registers well and is declined when charged: charges fail with 3102.
pub const DECLINED_CARD_NUMBER: &str = "4000000000000341";
