//! Users: sign-up, managed users, details and passwords.

use crate::call::{Answer, Call};
use crate::document::Node;
use crate::refusal::Refusal;
use crate::state::{State, User};

/// `signupUser`: a user with an e-mail address and a password.
pub(crate) fn signup(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let email = email(call)?.ok_or_else(|| Refusal::missing("emailAddress"))?;
    let password = call.required("password")?;
    let country = country_or_default(call)?;
    if state.user_by_email(email).is_some() {
        return Err(Refusal::new(2003, "User with given email already exists"));
    }
    let id = state.next_id().to_string();
    let user = User::new(&id, "7digital", Some(email), Some(password), &country);
    let answer = show(&user);
    state.add_user(user)?;
    Ok(answer)
}

/// `createUser`: a user that the partner manages, under the partner's own id.
pub(crate) fn create(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call
        .user_id_parameter()?
        .ok_or_else(|| Refusal::missing("userId"))?;
    let country = call.country()?;
    let email = email(call)?;
    if state.users.contains_key(id) {
        return Err(Refusal::new(
            2003,
            format!("User with id {id} already exists"),
        ));
    }
    let user = User::new(id, "partner", email, None, &country);
    let answer = show(&user);
    state.add_user(user)?;
    Ok(answer)
}

/// `getUserDetails`: of the `userId`, or of the token's user.
pub(crate) fn details(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.subject()?;
    Ok(show(state.user(id)?))
}

/// `authenticateUser`. What a wrong password gives is documented nowhere; here it is 1002 with
/// HTTP 401, the same for an unknown address, and neither value is echoed.
pub(crate) fn authenticate(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (email, password) = (call.required("emailAddress")?, call.required("password")?);
    let user = state
        .user_by_password(email, password)
        .ok_or_else(|| Refusal::Api {
            code: 1002,
            message: "Value of parameter emailAddress or password is not valid".to_owned(),
            status: 401,
        })?;
    Ok(show(user))
}

fn show(user: &User) -> Answer {
    let node = Node::default()
        .attribute("id", &user.id)
        .element("type", user.kind)
        .element("emailAddress", user.email.as_deref().unwrap_or_default());
    Answer::new(Node::default().child("user", node))
}

fn email<'a>(call: &'a Call) -> Result<Option<&'a str>, Refusal> {
    let looks_right = |email: &str| {
        let halves = email
            .split_once('@')
            .filter(|(name, host)| !name.is_empty() && host.contains('.'));
        email.len() <= 255 && halves.is_some() && !email.contains(char::is_whitespace)
    };
    match call.optional("emailAddress") {
        Some(email) if !looks_right(email) => Err(Refusal::invalid("emailAddress", email)),
        email => Ok(email),
    }
}

fn country_or_default(call: &Call) -> Result<String, Refusal> {
    match (call.optional("country"), call.optional("shopId")) {
        (None, None) => Ok(crate::demo::COUNTRY.to_owned()),
        _ => call.country(),
    }
}
