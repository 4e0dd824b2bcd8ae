//! What the user is asked: title, artist, price and currency as 7digital's catalogue has them, and that no other price is charged than the one that was agreed to.

use serde_json::{Value, json};
use sevendigital_sandbox::{Fault, Price, demo};

use super::confirmation::{CONFIRM, actions, asking};
use super::{TOOL, release};
use crate::support::{Client, World, fails_with, folder, ledger, purchase_id, question, yes};

const RRP: &str = "purchase-user-rrp-item";
const BASKET: &str = "purchase-user-basket";
const PRICED: &str = "purchase-user-priced-item";
const SALE: &str = "deliver-user-item";
const CARD: &str =
    "The card ending in 0485 of the user who is signed in is charged, and it can't be undone here.";

/// A call, and the question about it.
type Row = (&'static str, Value, String);

#[rustfmt::skip]
fn questions() -> Vec<Row> {
    let track = json!({"releaseId": "11700062", "trackId": "1170006201"});
    let abroad = json!({"releaseId": "11700062", "trackId": "1170006201", "country": "DE"});
    let billed = "7digital bills the partner for it, and it can't be undone here.";
    let basket = format!("basket {} (2 items: “Night Bus” by Penge East; “Minuit” by Clémence Bär)", demo::BASKET_ID);
    let small_hours = "“Small Hours & Other Stories (Anniversary Edition)” by Clémence Bär (album, release 11700064)";
    vec![
        (TOOL, release(), format!("Buy “Harbour Lights” by Marlow Quay (album, release 11700062) for 7.99 GBP? {CARD}")),
        (TOOL, json!({"releaseId": 11_700_062, "price": 799}), format!("Buy “Harbour Lights” by Marlow Quay (album, release 11700062) for 7.99 GBP? {CARD}")),
        (TOOL, track, format!("Buy “Slipway” by Marlow Quay, from “Harbour Lights” (track 1170006201 of release 11700062) for 0.99 GBP? {CARD}")),
        (TOOL, abroad, format!("Buy “Slipway” by Marlow Quay, from “Harbour Lights” (track 1170006201 of release 11700062) for 1.29 EUR? {CARD}")),
        (TOOL, json!({"releaseId": "11700065"}), format!("Buy “Free Sampler” by Various Artists (release 11700065) for free (0.00 GBP)? {CARD}")),
        (TOOL, json!({"releaseId": demo::SALE_RELEASE_ID}), format!("Buy {small_hours} for 10.99 GBP? {CARD}")),
        (RRP, json!({"releaseId": demo::SALE_RELEASE_ID}), format!("Buy {small_hours} for 12.99 GBP? {CARD}")),
        (BASKET, json!({"basketId": demo::BASKET_ID}), format!("Buy {basket} for 1.98 GBP? {CARD}")),
        (PRICED, json!({"releaseId": demo::SALE_RELEASE_ID, "price": 1099}), format!("Buy {small_hours} for 10.99 GBP (7digital's recommended retail price: 12.99 GBP)? {CARD}")),
        (PRICED, json!({"releaseId": demo::SALE_RELEASE_ID, "price": 12}), format!("Buy {small_hours} for 0.12 GBP (7digital's recommended retail price: 12.99 GBP)? {CARD} 7digital lists it at 12.99 GBP: is 0.12 GBP meant? Prices here are in minor units.")),
        (SALE, json!({"releaseId": demo::SALE_RELEASE_ID, "retailPrice": 1299}), format!("Log a sale of {small_hours} for 12.99 GBP (7digital's recommended retail price: 12.99 GBP) to the user who is signed in? {billed}")),
        ("delete-user-payment-card", json!({"body": {"cardId": "8154431"}}), "Delete card 8154431 (ending in 4444) of the user who is signed in? It can't be brought back.".to_owned()),
    ]
}

#[tokio::test]
async fn a_question_names_item_price_currency_and_payer() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    for (tool, arguments, expected) in questions() {
        let result = caller.call(tool, &arguments).await;
        let (message, _) = question(&result);
        assert_eq!(message, expected, "{tool} {arguments}");
        let schema = &result["inputRequests"]["confirm"]["params"]["requestedSchema"];
        assert_eq!(schema["required"], json!(["confirm"]), "{result}");
        assert_eq!(schema["properties"]["confirm"]["type"], "boolean");
        assert_eq!(schema["properties"]["confirm"]["default"], false);
    }
    let owned = json!({"releaseId": "11600001"});
    let (message, _) = question(&caller.call(TOOL, &owned).await);
    let has_it = "The locker has it already; 7digital calls it \"Aurora Drift\".";
    assert!(message.ends_with(has_it), "{message}");
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn a_question_says_in_plain_words_that_the_lookup_failed() {
    let reads = ["getReleaseDetails", "getTrackDetails", "getBasket"];
    let html = Fault::Status(200, "text/html", "<html>Maintenance</html>".to_owned());
    let denied = Fault::Status(
        401,
        "text/plain",
        "OAuth authentication error: no".to_owned(),
    );
    for (fault, reason) in [
        (html, "the answer can't be read"),
        (denied, "7digital refused the read (401)"),
    ] {
        let folder = folder();
        let world = asking(&folder).await;
        let caller = Client::of(&world).that_can_ask();
        for read in reads {
            world.sandbox.script(read, fault.clone(), usize::MAX);
        }
        let unread = format!("? Its title and price could not be read from 7digital ({reason}).");
        for (tool, arguments, _) in questions() {
            let (message, _) = question(&caller.call(tool, &arguments).await);
            let is_about_cards = tool.starts_with("delete-");
            assert_eq!(
                message.contains(&unread),
                !is_about_cards,
                "{tool}: {message}"
            );
            let names_a_price = arguments
                .get("price")
                .or(arguments.get("retailPrice"))
                .is_some();
            let says = message.contains("for 7digital's current price?");
            assert_eq!(says, !names_a_price && !is_about_cards, "{tool}: {message}");
        }
        // A yes to a price that is not known buys at 7digital's.
        let (_, token) = question(&caller.call(TOOL, &release()).await);
        purchase_id(&caller.agree(TOOL, &release(), &token).await);
        assert_eq!(actions(&world), 1);
    }
}

#[tokio::test]
async fn what_is_not_sold_is_refused_without_a_question() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    #[rustfmt::skip]
    let rows = [
        (TOOL, json!({"releaseId": demo::WITHDRAWN_ID}), "7digital does not sell release 11700067 in GB."),
        (TOOL, json!({"releaseId": demo::US_RELEASE_ID}), "7digital does not sell release 11700066 in GB (code 2002)."),
        (RRP, json!({"releaseId": "5"}), "7digital does not sell release 5 in GB (code 2001)."),
        (PRICED, json!({"releaseId": demo::US_RELEASE_ID, "price": 899}), "7digital does not sell release 11700066 in GB (code 2002)."),
        (SALE, json!({"releaseId": "5"}), "7digital does not sell release 5 in GB (code 2001)."),
        (BASKET, json!({"basketId": "0f8fad5b-d9cb-469f-a165-000000000000"}), "7digital has no basket 0f8fad5b-d9cb-469f-a165-000000000000 in GB (code 2001)."),
    ];
    for (tool, arguments, says) in rows {
        let result = caller.call(tool, &arguments).await;
        fails_with(
            &result,
            &[says, "Nothing was bought.", "Nothing was charged"],
        );
    }
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn a_price_that_changes_after_the_yes_is_not_charged() {
    let dearer = Price {
        sevendigital: 899,
        recommended: 1_399,
    };
    let basket = json!({"basketId": demo::BASKET_ID});
    #[rustfmt::skip]
    let rows = [
        (TOOL, release(), "Code 3004", 1, "for 8.99 GBP?"),
        (RRP, release(), "Code 3004", 1, "for 13.99 GBP?"),
        (BASKET, basket, "The amount due of the basket was 1.98 GBP and is 9.98 GBP now; it was not bought.", 0, "for 9.98 GBP?"),
    ];
    for (tool, arguments, says, sent, anew) in rows {
        let folder = folder();
        let world = asking(&folder).await;
        let caller = Client::of(&world).that_can_ask();
        let (_, token) = question(&caller.call(tool, &arguments).await);
        world.sandbox.set_price(11_700_062, dearer);
        world.sandbox.set_price(11_700_063, dearer);
        let result = caller.agree(tool, &arguments, &token).await;
        fails_with(&result, &[says, "Nothing was charged"]);
        assert_eq!(actions(&world), sent, "{tool}");
        assert_eq!(world.sandbox.sales().len(), 0, "{tool}");
        // Asked anew, the new price is named, and charged with a yes.
        let (message, token) = question(&caller.call(tool, &arguments).await);
        assert!(message.contains(anew), "{tool}: {message}");
        purchase_id(&caller.agree(tool, &arguments, &token).await);
    }
}

#[tokio::test]
async fn a_named_price_that_is_not_7digitals_is_refused_with_both() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    for (tool, price, theirs) in [(TOOL, 1_299, "10.99 GBP"), (RRP, 1_099, "12.99 GBP")] {
        let arguments = json!({"releaseId": demo::SALE_RELEASE_ID, "price": price});
        let result = caller.call(tool, &arguments).await;
        let own = format!("`price` says {}.{} GBP", price / 100, price % 100);
        fails_with(&result, &[theirs, &own, "Nothing was charged"]);
    }
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn the_receipt_names_what_was_bought_and_what_is_left() {
    let folder = folder();
    let state = folder.path().to_str().unwrap();
    let world = World::with(&[
        CONFIRM,
        ("SEVENDIGITAL_MCP_STATE_DIR", state),
        ("SEVENDIGITAL_MCP_DAILY_BUDGET", "2000"),
        ("SEVENDIGITAL_MCP_MAX_CHARGES_PER_DAY", "5"),
    ])
    .await;
    let caller = Client::of(&world).that_can_ask();
    let (_, token) = question(&caller.call(TOOL, &release()).await);
    let bought = caller.agree(TOOL, &release(), &token).await;
    purchase_id(&bought);
    let notes = bought["content"].to_string();
    let title = "“Harbour Lights” by Marlow Quay (album, release 11700062)";
    for part in [
        &format!("Bought {title} for 7.99 GBP."),
        "4 of 5 purchases in 24 hours, 12.01 GBP of 20.00 GBP in 24 hours",
    ] {
        assert!(notes.contains(part), "no `{part}` in: {notes}");
    }
    let (_, shown, _) = ledger(folder.path(), &["show", "1"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!([&shown["title"], &shown["currency"]], [title, "GBP"]);
    assert_eq!(shown["price"], 799, "{shown}");
    let (_, listed, _) = ledger(folder.path(), &["list"]).await;
    assert!(
        listed.contains(title) && listed.contains("7.99 GBP"),
        "{listed}"
    );
    let again = caller.call(TOOL, &release()).await;
    assert!(again["content"].to_string().contains(title), "{again}");
}

#[tokio::test]
async fn a_limit_on_prices_looks_a_price_up_that_the_call_does_not_name() {
    for (limit, most, passes) in [
        ("MAX_PRICE", "799", true),
        ("MAX_PRICE", "798", false),
        ("DAILY_BUDGET", "799", true),
        ("DAILY_BUDGET", "798", false),
    ] {
        let variable = format!("SEVENDIGITAL_MCP_{limit}");
        let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "allow"), (&variable, most)]).await;
        let result = world.call(TOOL, release()).await;
        assert_eq!(world.arrived("getReleaseDetails"), 1);
        if passes {
            purchase_id(&result);
            let sent = world.arrivals().pop().unwrap();
            let guard = ("price".to_owned(), "7.99".to_owned());
            assert!(sent.query.contains(&guard), "{sent:?}");
        } else {
            fails_with(&result, &[&limit.to_lowercase(), "Nothing was charged"]);
            assert_eq!(actions(&world), 0, "{limit}");
        }
    }
    let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "allow")]).await;
    purchase_id(&world.call(TOOL, release()).await);
    assert_eq!(world.arrived("getReleaseDetails"), 0);
}

#[tokio::test]
async fn a_lookup_that_hangs_holds_the_question_up_for_seconds_only() {
    let folder = folder();
    let world = asking(&folder).await;
    world
        .sandbox
        .script("getReleaseDetails", Fault::Hang, usize::MAX);
    let caller = Client::of(&world).that_can_ask();
    let (message, _) = question(&caller.call(TOOL, &release()).await);
    assert!(
        message.contains("(7digital did not answer in time)"),
        "{message}"
    );
}

#[tokio::test]
async fn a_no_uses_the_confirmation_up() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    let (_, token) = question(&caller.call(TOOL, &release()).await);
    let no = json!({"confirm": {"action": "decline"}});
    for (said, says) in [
        (no, "The client answered the question with a no"),
        (yes(), "was used before"),
    ] {
        let result = caller.answer(TOOL, &release(), &token, said).await;
        fails_with(&result, &[says, "Nothing was charged"]);
    }
    assert_eq!(actions(&world), 0);
}
