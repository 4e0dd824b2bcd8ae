//! The page where a user allows a partner to act on the account: `/{consumer key}/oauth/authorise`.

use crate::demo;
use crate::pages::{Reply, field, hidden, is_safe_callback, page, redirect};
use crate::request::{Request, find};
use crate::state::State;

/// Whether a path is the login page's; `web` and `mobile` may replace the key.
pub(crate) fn is_at(path: &str) -> bool {
    let key = path
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix("/oauth/authorise"));
    key.is_some_and(|key| [demo::CONSUMER_KEY, "web", "mobile"].contains(&key))
}

/// Shows the form, or takes the user's decision and sends the browser back with it.
pub(crate) fn answer(state: &mut State, request: &Request) -> Reply {
    let parameters = if request.method == "POST" {
        &request.form
    } else {
        &request.query
    };
    let value = |name| find(parameters, name).unwrap_or_default();
    let (token, callback) = (value("oauth_token"), value("oauth_callback"));
    if !state.tokens.is_requested(token) {
        return page(400, "This request token is not known", "");
    }
    if !callback.is_empty() && !is_safe_callback(callback) {
        let title = "The callback must be https, or http on this machine";
        return page(400, title, "");
    }
    if request.method != "POST" {
        return form(token, callback, 200, "");
    }
    if value("action") == "deny" {
        state.tokens.deny(token);
        return send_back(token, callback, "Denied");
    }
    let user = state.user_by_password(value("email"), value("password"));
    let Some(user_id) = user.map(|user| user.id.clone()) else {
        let notice = "<p><strong>E-mail address or password is wrong.</strong></p>\n";
        return form(token, callback, 401, notice);
    };
    state.tokens.authorise(token, &user_id);
    send_back(token, callback, "Authorised")
}

fn form(token: &str, callback: &str, status: u16, notice: &str) -> Reply {
    let fields = [
        hidden("oauth_token", token),
        hidden("oauth_callback", callback),
        field("E-mail", "email", "email", demo::EMAIL),
        field("Password", "password", "password", ""),
    ];
    let body = format!(
        "{notice}<p>An application asks to act on your 7digital account. The demo password is <code>{}</code>.</p>\n<form method=\"post\" action=\"?\">\n{}<p><button name=\"action\" value=\"allow\">Allow</button> <button name=\"action\" value=\"deny\">Deny</button></p></form>",
        demo::PASSWORD,
        fields.concat()
    );
    page(status, "Log in to 7digital", &body)
}

fn send_back(token: &str, callback: &str, status: &str) -> Reply {
    if callback.is_empty() {
        page(200, status, "<p>You may close this window.</p>")
    } else {
        redirect(callback, &[("oauth_token", token), ("status", status)])
    }
}
