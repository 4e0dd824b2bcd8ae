//! What each fault does to a call.

use std::time::Duration;

use super::harness::{Response, USER, get};
use crate::{Fault, Sandbox, demo};

fn buy(sandbox: &Sandbox) -> Response {
    let item = [("releaseId", demo::RELEASE_ID), ("country", "GB")];
    get(USER, "/user/purchase/item", &item).send(sandbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_replaces_the_operation_or_loses_its_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    let cut_json = Fault::Body {
        content_type: "application/json",
        bytes: b"{\"stat".to_vec(),
    };
    let faults = [
        (Fault::Status(500, "text/html", "<h1>no".to_owned()), 500, 0),
        (cut_json, 200, 0),
        (Fault::RetryAfter(429, "7".to_owned()), 429, 0),
        (Fault::Redirect("http://127.0.0.1:1/".to_owned()), 302, 0),
        (Fault::Delay(Duration::from_millis(1)), 200, 1),
        (Fault::CutAfterHeaders, 200, 1),
        (Fault::Reset, 0, 1),
    ];
    for (fault, status, sold) in faults {
        let before = sandbox.sales().len();
        sandbox.script("purchaseUserItem", fault.clone(), 1);
        let response = buy(&sandbox);
        assert_eq!(response.status, status, "{fault:?}: {response:?}");
        assert_eq!(sandbox.sales().len() - before, sold, "{fault:?}");
        let arrival = sandbox.arrivals().pop().unwrap();
        assert_eq!(arrival.status, status);
        assert_eq!(arrival.operation, Some("purchaseUserItem"));
        match fault {
            Fault::CutAfterHeaders => {
                let length: usize = response.header("content-length").unwrap().parse().unwrap();
                assert!(response.body.starts_with('{'), "{response:?}");
                assert!(response.body.len() < length, "{response:?}");
            }
            Fault::Reset => assert!(response.head.contains("ConnectionReset"), "{response:?}"),
            _ => {}
        }
    }
    assert_eq!(buy(&sandbox).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_ends_with_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.script("getUserLocker", Fault::Hang, 1);
    let locker = get(USER, "/user/locker", &[("country", "GB")]);
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| locker.send(&sandbox));
        while sandbox.arrivals().is_empty() {
            std::thread::yield_now();
        }
        assert!(!hanging.is_finished());
        sandbox.task.abort();
        assert_eq!(hanging.join().unwrap().status, 0);
    });
}
