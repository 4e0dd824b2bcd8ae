//! An HTTP response, and what a tool's result and a failure must look like.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// The content type without its parameters.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.headers.get(CONTENT_TYPE);
        let kind = kind.map_or("", |value| value.to_str().unwrap());
        kind.split(';').next().unwrap()
    }

    /// The JSON in it, alone or as the last event of a stream.
    pub(crate) fn message(&self) -> Value {
        let text = match self.kind() {
            "text/event-stream" => self
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .rfind(|data| !data.trim().is_empty())
                .unwrap_or_else(|| panic!("no event in {self:?}")),
            _ => &self.text,
        };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The result in it.
    pub(crate) fn result(&self) -> Value {
        let mut message = self.message();
        assert_eq!(self.status, 200, "{self:?}");
        assert!(message["error"].is_null(), "{message}");
        message["result"].take()
    }

    /// The id of the session that it opened.
    pub(crate) fn session(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.headers["mcp-session-id"].to_str().unwrap().to_owned()
    }
}

/// The text of a result's first block. A second one may help a model to go on.
pub(crate) fn text(result: &Value) -> &str {
    let blocks = result["content"].as_array().unwrap();
    for block in blocks {
        assert_eq!(block["type"], "text", "{result}");
    }
    let told = blocks[0]["text"].as_str().unwrap();
    if result["isError"] != true {
        return told;
    }
    // Every failure ends with the id of its request, which is another each time.
    let (told, id) = told.split_once(" Request id: ").expect(told);
    let id = id.strip_suffix('.').expect(id);
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    told
}

/// The text of a failed call; fails where the call did not.
#[track_caller]
pub(crate) fn failure(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["structuredContent"].is_null(), "{result}");
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
    text(result)
}

/// The call failed, and its text has all of these parts; gives the text.
#[track_caller]
pub(crate) fn fails_with<'a>(result: &'a Value, parts: &[&str]) -> &'a str {
    let told = failure(result);
    for part in parts {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
    told
}

/// A problem of that status and type; fails where the response is none.
#[track_caller]
pub(crate) fn problem(reply: &Reply, status: u16, slug: &str) -> Value {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.kind(), "application/problem+json", "{reply:?}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{reply:?}");
    let document = reply.message();
    assert_eq!(document["type"], format!("/problems/{slug}"), "{reply:?}");
    assert_eq!(document["status"], status, "{reply:?}");
    for field in ["title", "detail"] {
        assert!(document[field].as_str().unwrap().len() > 5, "{reply:?}");
    }
    document
}

/// The question of a result, and the confirmation token that an answer needs.
pub(crate) fn question(result: &Value) -> (String, String) {
    assert_eq!(result["resultType"], "input_required", "{result}");
    let asked = &result["inputRequests"]["confirm"];
    assert_eq!(asked["method"], "elicitation/create", "{result}");
    let message = asked["params"]["message"].as_str().unwrap().to_owned();
    let sealed = result["requestState"].as_str().unwrap().to_owned();
    (message, sealed)
}

/// 7digital's id of a purchase that was made.
pub(crate) fn purchase_id(result: &Value) -> &str {
    let id = &result["structuredContent"]["purchase"]["id"];
    id.as_str().unwrap_or_else(|| panic!("{result}"))
}

/// Whether the ledger answered instead of 7digital.
pub(crate) fn is_replayed(result: &Value) -> bool {
    result["_meta"]["replayed"] == true
}

/// All these calls were one purchase: one of them made it, and the ledger answered the others.
pub(crate) fn check_one(results: &[Value]) {
    let made = results.iter().filter(|result| !is_replayed(result)).count();
    assert_eq!(made, 1, "{results:?}");
    for result in results {
        assert_ne!(result["isError"], true, "{result}");
        assert_eq!(purchase_id(result), purchase_id(&results[0]));
        assert_eq!(
            result["_meta"]["firstMadeAt"].is_string(),
            is_replayed(result),
            "{result}"
        );
    }
}
