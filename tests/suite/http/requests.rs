//! Good requests that a test spoils.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::World;
use crate::support::draft::Draft;
use crate::support::rest::SELECT;

/// The ways in, each with a good request that reaches 7digital once.
pub(crate) fn doors(world: &World) -> [(&'static str, Draft); 2] {
    let card = json!({"cardId": "8154431"});
    let arguments = json!({"body": card});
    let rest = Draft::new(&world.rest, "POST", SELECT).and("Content-Type", "application/json");
    [
        (
            "MCP",
            Draft::call(&world.url, "select-user-payment-card", &arguments),
        ),
        ("REST", rest.saying(&card)),
    ]
}

/// So much has arrived at 7digital and no more, and the server serves on.
pub(crate) async fn unharmed(world: &World, arrivals: usize) {
    assert_eq!(world.arrivals().len(), arrivals);
    for (door, good) in doors(world) {
        let answer = good.send().await;
        assert_eq!(answer.status, 200, "{door}: {answer:?}");
    }
    assert_eq!(world.arrivals().len(), arrivals + 2);
}

/// Fields that do nothing.
pub(crate) fn fields(count: usize) -> String {
    (0..count).fold(String::new(), |mut all, number| {
        let _ = write!(all, "X-Field-{number}: 1\r\n");
        all
    })
}
