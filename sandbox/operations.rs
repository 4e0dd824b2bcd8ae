//! The seventeen operations in one table.

pub(crate) mod cards;
pub(crate) mod locker;
pub(crate) mod purchase;
pub(crate) mod subscription;
pub(crate) mod users;

use crate::call::{Answer, Call, Refusal};
use crate::state::State;

/// One operation of the user API.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// The path below `/1.2`; a last segment `{id}` stands for any one segment.
    pub(crate) path: &'static str,
    pub(crate) legs: Legs,
    pub(crate) format: Format,
    pub(crate) run: fn(&mut State, &Call) -> Result<Answer, Refusal>,
}

/// Whether an operation acts for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legs {
    /// The consumer alone signs.
    Consumer,
    /// A user token signs, or the consumer names a `userId`.
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Negotiated,
    XmlOnly,
}

/// Every operation of the card, in its order.
pub(crate) static OPERATIONS: &[Operation] = &[
    get(
        "getUserUnlimitedStreaming",
        "/user/unlimitedStreaming",
        Legs::User,
        subscription::show,
    ),
    post(
        "updateUserUnlimitedStreaming",
        "/user/unlimitedStreaming",
        Legs::Consumer,
        subscription::update,
    ),
    get("getUserLocker", "/user/locker", Legs::User, locker::show),
    get(
        "purchaseUserItem",
        "/user/purchase/item",
        Legs::User,
        purchase::item,
    ),
    get(
        "purchaseUserRrpItem",
        "/user/purchase/rrpitem",
        Legs::User,
        purchase::item,
    ),
    get(
        "purchaseUserBasket",
        "/user/purchase/basket",
        Legs::User,
        purchase::basket,
    ),
    get(
        "purchaseUserPricedItem",
        "/user/purchase/priceditem",
        Legs::User,
        purchase::priced_item,
    ),
    get(
        "listUserPaymentCards",
        "/user/payment/card",
        Legs::User,
        cards::list,
    ),
    post(
        "selectUserPaymentCard",
        "/user/payment/card/select",
        Legs::User,
        cards::select,
    ),
    post(
        "deleteUserPaymentCard",
        "/user/payment/card/delete",
        Legs::User,
        cards::delete,
    ),
    post(
        "registerUserPaymentCard",
        "/user/payment/cardregistration",
        Legs::User,
        cards::register,
    ),
    get(
        "getUserCardRegistration",
        "/user/payment/cardregistration/{id}",
        Legs::User,
        cards::registration,
    ),
    Operation {
        format: Format::XmlOnly,
        ..get(
            "deliverUserItem",
            "/user/deliveritem",
            Legs::User,
            purchase::deliver,
        )
    },
    post("signupUser", "/user/signup", Legs::Consumer, users::signup),
    get("createUser", "/user/create", Legs::Consumer, users::create),
    get(
        "getUserDetails",
        "/user/details",
        Legs::Consumer,
        users::details,
    ),
    post(
        "authenticateUser",
        "/user/authenticate",
        Legs::Consumer,
        users::authenticate,
    ),
];

type Run = fn(&mut State, &Call) -> Result<Answer, Refusal>;

const fn get(name: &'static str, path: &'static str, legs: Legs, run: Run) -> Operation {
    Operation {
        name,
        method: "GET",
        path,
        legs,
        format: Format::Negotiated,
        run,
    }
}

const fn post(name: &'static str, path: &'static str, legs: Legs, run: Run) -> Operation {
    Operation {
        name,
        method: "POST",
        path,
        legs,
        format: Format::Negotiated,
        run,
    }
}

/// The operation at a path below `/1.2`, and the `{id}` segment of the path.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Operation, &'a str)> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.method == method)
        .find_map(|operation| match operation.path.strip_suffix("{id}") {
            Some(prefix) => {
                let (start, id) = path.split_at_checked(prefix.len())?;
                let is_id = !id.is_empty() && !id.contains('/');
                (start.eq_ignore_ascii_case(prefix) && is_id).then_some((operation, id))
            }
            None => path
                .eq_ignore_ascii_case(operation.path)
                .then_some((operation, "")),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_seventeen_operations_with_names_of_their_own() {
        let names: std::collections::BTreeSet<_> =
            OPERATIONS.iter().map(|operation| operation.name).collect();
        assert_eq!(names.len(), 17);
    }

    #[test]
    fn paths_are_found_whatever_their_case_and_ids_are_one_segment() {
        let found = |method, path| find(method, path).map(|(operation, id)| (operation.name, id));
        assert_eq!(
            found("GET", "/user/unlimitedstreaming"),
            Some(("getUserUnlimitedStreaming", ""))
        );
        assert_eq!(
            found("GET", "/user/payment/cardregistration/a-b"),
            Some(("getUserCardRegistration", "a-b"))
        );
        assert_eq!(found("GET", "/user/payment/cardregistration/"), None);
        assert_eq!(found("GET", "/user/payment/cardregistration/a/b"), None);
        assert_eq!(found("DELETE", "/user/locker"), None);
    }
}
