//! Other programs on the machine, and other pages in the browser: they see nothing and buy nothing, and the user can still answer.

use super::asking::{Asking, Page, send};
use crate::support::draft::Draft;
use crate::support::purchase_id;

type Spoil = fn(&Page, &Page) -> Draft;

/// What is wrong, the request of one page with another at hand, and the status of its answer.
#[rustfmt::skip]
const WRONG: [(&str, Spoil, u16); 27] = [
    ("no token", |page, _| page.form("yes").holding("answer=yes"), 403),
    ("an empty token", |page, _| page.form("yes").holding("token=&answer=yes"), 403),
    ("a wrong token", |page, _| page.form("yes").holding(format!("token={:032x}&answer=yes", 1)), 403),
    ("the token of another", |page, other| page.form("yes").holding(format!("token={}&answer=yes", other.token)), 403),
    ("the address in the token's place", |page, _| page.form("yes").but(&page.token, page.path().strip_prefix("/ask/").unwrap()), 403),
    ("two tokens", |page, _| page.form("yes").holding(format!("token=x&token={}&answer=yes", page.token)), 403),
    ("no cookie", |page, _| page.form("yes").without("Cookie"), 403),
    ("an empty cookie", |page, _| page.form("yes").with("Cookie", "visitor="), 403),
    ("the cookie of another", |page, other| page.form("yes").with("Cookie", &other.cookie), 403),
    ("two cookies", |page, other| page.form("yes").with("Cookie", format!("{}; {}", other.cookie, page.cookie)), 403),
    ("a foreign origin", |page, _| page.form("yes").with("Origin", "http://127.0.0.1:1"), 403),
    ("a site's origin", |page, _| page.form("yes").with("Origin", "https://www.7digital.com"), 403),
    ("the origin null", |page, _| page.form("yes").with("Origin", "null"), 403),
    ("no origin", |page, _| page.form("yes").without("Origin"), 403),
    ("two origins", |page, _| page.form("yes").and("Origin", page.origin()), 403),
    ("from another site", |page, _| page.form("yes").with("Sec-Fetch-Site", "cross-site"), 403),
    ("from the same site", |page, _| page.form("yes").with("Sec-Fetch-Site", "same-site"), 403),
    ("by another name", |page, _| page.form("yes").with("Host", "localhost"), 421),
    ("by a name that points here", |page, _| page.form("yes").with("Host", page.origin().replace("http://127.0.0.1", "rebound.example")), 421),
    ("without a question's address", |page, _| page.form("yes").to("POST", "/ask/0"), 404),
    ("below the address", |page, _| page.form("yes").to("POST", &format!("{}/answer", page.path())), 404),
    ("by PUT", |page, _| page.form("yes").to("PUT", page.path()), 405),
    ("too much", |page, _| { let form = page.form("yes"); let more = [&form.body[..], b"&x=", &[b'x'; 5_000]].concat(); form.holding(more) }, 413),
    ("JSON", |page, _| page.form("yes").with("Content-Type", "application/json").holding(format!("{{\"token\":\"{}\",\"answer\":\"yes\"}}", page.token)), 415),
    ("plain text", |page, _| page.form("yes").with("Content-Type", "text/plain"), 415),
    ("no answer", |page, _| page.form("perhaps"), 400),
    ("two answers", |page, _| page.form("no&answer=yes"), 400),
];

#[tokio::test]
async fn what_the_form_does_not_send_buys_nothing() {
    let (mut asking, call, page) = Asking::asked("11700062").await;
    asking.buy("11700063").await;
    let mut other = asking.page(2).await;
    other.open().await;
    for (what, spoiled, status) in WRONG {
        let answer = send(&spoiled(&page, &other)).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let said = String::from_utf8_lossy(&answer.body);
        assert!(!said.contains("name=\"token\""), "{what}: {answer:?}");
        assert_eq!(asking.purchases(), 0, "{what}");
    }
    let by_get = page.visit().to(
        "GET",
        &format!("{}?token={}&answer=yes", page.path(), page.token),
    );
    assert_eq!(send(&by_get).await.status, 200);
    assert_eq!(asking.purchases(), 0);
    // The question has been open all the while.
    page.say("yes").await;
    assert!(!purchase_id(&asking.result(call).await).is_empty());
    assert_eq!(asking.purchases(), 1);
    other.say("no").await;
    asking.end().await;
}

#[tokio::test]
async fn only_the_first_visitor_sees_the_question() {
    let (asking, _, page) = Asking::asked("11700062").await;
    for stranger in [
        page.visit().without("Cookie"),
        page.visit().with("Cookie", "visitor=1"),
    ] {
        let answer = send(&stranger).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.header("set-cookie"), None);
        let said = String::from_utf8(answer.body).unwrap();
        assert!(said.contains("open elsewhere"), "{said}");
        assert!(!said.contains(&page.token), "{said}");
        assert!(!said.contains("11700062"), "{said}");
    }
    let again = send(&page.visit()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.header("set-cookie"), None);
    page.say("no").await;
    asking.end().await;
}

#[tokio::test]
async fn what_no_person_opens_does_not_use_the_visit_up() {
    let mut asking = Asking::start().await;
    asking.buy("11700062").await;
    let mut page = asking.page(1).await;
    #[rustfmt::skip]
    let rows = [
        ("another site's link", page.visit().and("Sec-Fetch-Site", "cross-site"), 403),
        ("another port's link", page.visit().and("Sec-Fetch-Site", "same-site"), 403),
        ("a frame", page.visit().and("Sec-Fetch-Dest", "iframe"), 403),
        ("HEAD", page.visit().to("HEAD", page.path()), 405),
        ("OPTIONS", page.visit().to("OPTIONS", page.path()), 405),
        ("the cover", page.visit().to("GET", &format!("{}/cover", page.path())), 403),
        ("another host", page.visit().with("Host", "localhost"), 421),
        ("no path", page.visit().to("GET", "/"), 404),
        ("the browser's icon", page.visit().to("GET", "/favicon.ico"), 404),
    ];
    for (what, draft, status) in rows {
        let answer = send(&draft).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.header("set-cookie"), None, "{what}");
    }
    page.open().await;
    page.say("no").await;
    asking.end().await;
}
