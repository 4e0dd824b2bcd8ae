//! One row per tool: what is published of it, and one good call. A new tool needs a row here and no other edit in the tests.

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::{AnyTool, TOOLS};

/// One tool as the published capability and the design have it, and one good call of it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rest: &'static str,
    pub(crate) upstream: &'static str,
    /// Who signs, and what the call does.
    pub(crate) nature: &'static str,
    /// The scope that a caller needs.
    pub(crate) scope: &'static str,
    /// Whether the user has to confirm it.
    pub(crate) confirmed: bool,
    /// Read-only, destructive, idempotent, open-world: what is true.
    pub(crate) accurate: &'static str,
    /// Read-only, destructive, idempotent: what the capability publishes.
    pub(crate) published: &'static str,
    /// The capability's inputs with their JSON types; required ones with a `!`.
    pub(crate) inputs: &'static str,
    /// The arguments of a good call, as JSON.
    pub(crate) arguments: &'static str,
    /// What that call sends besides OAuth, sorted by name; `*` stands for what is made anew each time.
    pub(crate) sent: &'static [&'static str],
}

/// Stands for the id that `register-user-payment-card` gave.
pub(crate) const REGISTRATION: &str = "the-id-of-the-registration";

/// Every tool, in the order of [`TOOLS`]; made one after another, the calls hang together.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "get-user-unlimited-streaming", title: "7digital Get User Unlimited Streaming",
        rest: "GET /v1/user/unlimited-streaming", upstream: "GET /user/unlimitedStreaming",
        nature: "User Reads", scope: "reads", confirmed: false, accurate: "TFTF", published: "TFT",
        inputs: "",
        arguments: "{}",
        sent: &["country=GB"],
    },
    Row {
        name: "update-user-unlimited-streaming", title: "7digital Update User Unlimited Streaming",
        rest: "POST /v1/user/unlimited-streaming", upstream: "POST /user/unlimitedStreaming",
        nature: "Consumer Writes", scope: "partner", confirmed: false, accurate: "FTFF", published: "TFF",
        inputs: "body:object!",
        arguments: r#"{"body": {
            "userId": "500123", "planCode": "premium-unlimited-streaming", "status": "active",
            "currency": "GBP", "recurringFee": 999, "country": "GB",
            "activatedAt": "2026-01-01T00:00:00Z", "currentPeriodStartDate": "2026-01-01T00:00:00Z",
            "expiryDate": "2026-01-31T00:00:00Z"
        }}"#,
        sent: &[
            "activatedAt=2026-01-01T00:00:00Z", "country=GB", "currency=GBP", "currentPeriodStartDate=2026-01-01T00:00:00Z",
            "expiryDate=2026-01-31T00:00:00Z", "planCode=premium-unlimited-streaming", "recurringFee=999", "status=active",
            "userId=500123",
        ],
    },
    Row {
        name: "get-user-locker", title: "7digital Get User Locker",
        rest: "GET /v1/user/locker", upstream: "GET /user/locker",
        nature: "User Reads", scope: "reads", confirmed: false, accurate: "TFTF", published: "TFT",
        inputs: "page:integer pageSize:integer",
        arguments: r#"{"page": 1, "pageSize": 3}"#,
        sent: &["country=GB", "page=1", "pageSize=3"],
    },
    Row {
        name: "purchase-user-item", title: "7digital Purchase User Item",
        rest: "GET /v1/user/purchase/item", upstream: "GET /user/purchase/item",
        nature: "User Charges", scope: "spend", confirmed: true, accurate: "FTTT", published: "TFT",
        inputs: "releaseId:string trackId:string",
        arguments: r#"{"releaseId": "11700062", "trackId": "1170006201"}"#,
        sent: &["country=GB", "releaseId=11700062", "trackId=1170006201"],
    },
    Row {
        name: "purchase-user-rrp-item", title: "7digital Purchase User Rrp Item",
        rest: "GET /v1/user/purchase/rrpitem", upstream: "GET /user/purchase/rrpitem",
        nature: "User Charges", scope: "spend", confirmed: true, accurate: "FTTT", published: "TFT",
        inputs: "releaseId:string",
        arguments: r#"{"releaseId": "11700063"}"#,
        sent: &["country=GB", "releaseId=11700063"],
    },
    Row {
        name: "purchase-user-basket", title: "7digital Purchase User Basket",
        rest: "GET /v1/user/purchase/basket", upstream: "GET /user/purchase/basket",
        nature: "User Charges", scope: "spend", confirmed: true, accurate: "FTTT", published: "TFT",
        inputs: "basketId:string!",
        arguments: r#"{"basketId": "0f8fad5b-d9cb-469f-a165-70867728950e"}"#,
        sent: &["basketId=0f8fad5b-d9cb-469f-a165-70867728950e", "country=GB"],
    },
    Row {
        name: "purchase-user-priced-item", title: "7digital Purchase User Priced Item",
        rest: "GET /v1/user/purchase/priceditem", upstream: "GET /user/purchase/priceditem",
        nature: "User Charges", scope: "spend", confirmed: true, accurate: "FTTT", published: "TFT",
        inputs: "releaseId:string price:number!",
        arguments: r#"{"releaseId": "11700064", "price": 999}"#,
        sent: &["country=GB", "price=9.99", "releaseId=11700064"],
    },
    Row {
        name: "list-user-payment-cards", title: "7digital List User Payment Cards",
        rest: "GET /v1/user/payment/card", upstream: "GET /user/payment/card",
        nature: "User Reads", scope: "reads", confirmed: false, accurate: "TFTF", published: "TFT",
        inputs: "",
        arguments: "{}",
        sent: &["country=GB"],
    },
    Row {
        name: "select-user-payment-card", title: "7digital Select User Payment Card",
        rest: "POST /v1/user/payment/card/select", upstream: "POST /user/payment/card/select",
        nature: "User Writes", scope: "cards", confirmed: false, accurate: "FTTF", published: "FFF",
        inputs: "body:object!",
        arguments: r#"{"body": {"cardId": "8154431"}}"#,
        sent: &["cardId=8154431", "country=GB"],
    },
    Row {
        name: "delete-user-payment-card", title: "7digital Delete User Payment Card",
        rest: "POST /v1/user/payment/card/delete", upstream: "POST /user/payment/card/delete",
        nature: "User Writes", scope: "cards", confirmed: true, accurate: "FTTF", published: "FFF",
        inputs: "body:object!",
        arguments: r#"{"body": {"cardId": "8154430"}}"#,
        sent: &["cardId=8154430", "country=GB"],
    },
    Row {
        name: "register-user-payment-card", title: "7digital Register User Payment Card",
        rest: "POST /v1/user/payment/cardregistration", upstream: "POST /user/payment/cardregistration",
        nature: "User Writes", scope: "cards", confirmed: false, accurate: "FFFF", published: "FFF",
        inputs: "body:object!",
        arguments: r#"{"body": {"redirectUrl": "https://shop.example/cards/done?a=1&b=ü"}}"#,
        sent: &["country=GB", "redirectUrl=https://shop.example/cards/done?a=1&b=ü"],
    },
    Row {
        name: "get-user-card-registration", title: "7digital Get User Card Registration",
        rest: "GET /v1/user/payment/cardregistration/{id}", upstream: "GET /user/payment/cardregistration/{id}",
        nature: "User Reads", scope: "reads", confirmed: false, accurate: "TFTF", published: "TFT",
        inputs: "id:string!",
        arguments: r#"{"id": "the-id-of-the-registration"}"#,
        sent: &["country=GB"],
    },
    Row {
        name: "deliver-user-item", title: "7digital Deliver User Item",
        rest: "GET /v1/user/deliveritem", upstream: "GET /user/deliveritem",
        nature: "User Charges", scope: "spend", confirmed: true, accurate: "FTTF", published: "TFT",
        inputs: "releaseId:string trackId:string",
        arguments: r#"{"releaseId": "11700065"}"#,
        sent: &["country=GB", "releaseId=11700065", "transactionId=*"],
    },
    Row {
        name: "signup-user", title: "7digital Signup User",
        rest: "POST /v1/user/signup", upstream: "POST /user/signup",
        nature: "Consumer Writes", scope: "account", confirmed: false, accurate: "FFFF", published: "FFF",
        inputs: "body:object!",
        arguments: r#"{"body": {"emailAddress": "new+one@example.com", "password": "p&ss w%rd=é~*"}}"#,
        sent: &["country=GB", "emailAddress=new+one@example.com", "password=p&ss w%rd=é~*"],
    },
    Row {
        name: "create-user", title: "7digital Create User",
        rest: "GET /v1/user/create", upstream: "GET /user/create",
        nature: "Consumer Writes", scope: "account", confirmed: false, accurate: "FFTF", published: "TFT",
        inputs: "email:string!",
        arguments: r#"{"email": "managed@example.com"}"#,
        sent: &["country=GB", "emailAddress=managed@example.com", "userId=*"],
    },
    Row {
        name: "get-user-details", title: "7digital Get User Details",
        rest: "GET /v1/user/details", upstream: "GET /user/details",
        nature: "Consumer Reads", scope: "partner", confirmed: false, accurate: "TFTF", published: "TFT",
        inputs: "userId:string!",
        arguments: r#"{"userId": "500123"}"#,
        sent: &["country=GB", "userId=500123"],
    },
    Row {
        name: "authenticate-user", title: "7digital Authenticate User",
        rest: "POST /v1/user/authenticate", upstream: "POST /user/authenticate",
        nature: "Consumer Writes", scope: "account", confirmed: false, accurate: "FFFF", published: "FFF",
        inputs: "body:object!",
        arguments: r#"{"body": {"emailAddress": "jane.smith@example.com", "password": "sandbox-pass"}}"#,
        sent: &["country=GB", "emailAddress=jane.smith@example.com", "password=sandbox-pass"],
    },
];

impl Row {
    /// The arguments of the good call.
    pub(crate) fn arguments(&self) -> Value {
        serde_json::from_str(self.arguments)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// The tool of that name.
pub(crate) fn tool(name: &str) -> &'static AnyTool {
    let tools: &'static [AnyTool] = TOOLS;
    let tool = tools.iter().find(|tool| tool.contract.name == name);
    tool.unwrap_or_else(|| panic!("no tool `{name}`"))
}

/// A good call of each tool: name and arguments.
pub(crate) fn calls() -> Vec<(&'static str, Value)> {
    ROWS.iter().map(|row| (row.name, row.arguments())).collect()
}

/// A good call of each tool with one of these effects.
pub(crate) fn calls_with(effects: &[Effect]) -> Vec<(&'static str, Value)> {
    let mut calls = calls();
    calls.retain(|(name, _)| effects.contains(&tool(name).contract.upstream.effect));
    calls
}

/// The arguments of a good call of that tool.
pub(crate) fn good(name: &str) -> Value {
    let row = ROWS.iter().find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("no row for `{name}`"))
        .arguments()
}

/// Makes all calls through `call`, which gives the whole result of one, and hands all results back.
pub(crate) async fn make_all(
    mut call: impl AsyncFnMut(&'static str, Value) -> Value,
) -> Vec<(&'static str, Value)> {
    let mut results = Vec::new();
    let mut registration = json!(REGISTRATION);
    for (tool, mut arguments) in calls() {
        if arguments["id"] == REGISTRATION {
            arguments["id"] = registration.clone();
        }
        let result = call(tool, arguments).await;
        let made = &result["structuredContent"]["cardRegistration"]["id"];
        if tool == "register-user-payment-card" {
            registration = made.clone();
        }
        results.push((tool, result));
    }
    results
}
