//! The operations of 7digital's user API in one table, and the reads of its catalogue in another.

pub(crate) mod cards;
pub(crate) mod catalogue;
pub(crate) mod locker;
pub(crate) mod purchase;
pub(crate) mod subscription;
pub(crate) mod users;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::state::State;

/// One operation of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// The path below `/1.2`; a last segment `{id}` stands for any one segment.
    pub(crate) path: &'static str,
    pub(crate) legs: Legs,
    pub(crate) format: Format,
    pub(crate) run: Run,
}

type Run = fn(&mut State, &Call) -> Result<Answer, Refusal>;

/// Whether an operation acts for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legs {
    /// Only the consumer signs.
    Consumer,
    /// A user token signs, or the consumer names a `userId`.
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Negotiated,
    XmlOnly,
}

/// Every operation of the capability, in its order.
#[rustfmt::skip]
pub(crate) static OPERATIONS: &[Operation] = &[
    get("getUserUnlimitedStreaming", "/user/unlimitedStreaming", Legs::User, subscription::show),
    post("updateUserUnlimitedStreaming", "/user/unlimitedStreaming", Legs::Consumer, subscription::update),
    get("getUserLocker", "/user/locker", Legs::User, locker::show),
    get("purchaseUserItem", "/user/purchase/item", Legs::User, purchase::item),
    get("purchaseUserRrpItem", "/user/purchase/rrpitem", Legs::User, purchase::rrp_item),
    get("purchaseUserBasket", "/user/purchase/basket", Legs::User, purchase::basket),
    get("purchaseUserPricedItem", "/user/purchase/priceditem", Legs::User, purchase::priced_item),
    get("listUserPaymentCards", "/user/payment/card", Legs::User, cards::list),
    post("selectUserPaymentCard", "/user/payment/card/select", Legs::User, cards::select),
    post("deleteUserPaymentCard", "/user/payment/card/delete", Legs::User, cards::delete),
    post("registerUserPaymentCard", "/user/payment/cardregistration", Legs::User, cards::register),
    get("getUserCardRegistration", "/user/payment/cardregistration/{id}", Legs::User, cards::registration),
    Operation { format: Format::XmlOnly, ..get("deliverUserItem", "/user/deliveritem", Legs::User, purchase::deliver) },
    post("signupUser", "/user/signup", Legs::Consumer, users::signup),
    get("createUser", "/user/create", Legs::Consumer, users::create),
    get("getUserDetails", "/user/details", Legs::Consumer, users::details),
    post("authenticateUser", "/user/authenticate", Legs::Consumer, users::authenticate),
];

/// What says what an item is and costs; no part of the user API.
#[rustfmt::skip]
pub(crate) static CATALOGUE: &[Operation] = &[
    get("getReleaseDetails", "/release/details", Legs::Consumer, catalogue::release),
    get("getTrackDetails", "/track/details", Legs::Consumer, catalogue::track),
    get("getBasket", "/basket", Legs::Consumer, catalogue::basket),
];

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
        method: "POST",
        ..get(name, path, legs, run)
    }
}

/// The operation at a path below `/1.2`, and the `{id}` segment of the path.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Operation, &'a str)> {
    OPERATIONS
        .iter()
        .chain(CATALOGUE)
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
    fn every_operation_has_a_name_of_its_own() {
        let operations = OPERATIONS.iter().chain(CATALOGUE);
        let mut names: Vec<_> = operations.map(|operation| operation.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPERATIONS.len() + CATALOGUE.len());
    }

    #[test]
    fn paths_are_found_whatever_their_case_and_ids_are_one_segment() {
        let found = |method, path| find(method, path).map(|(operation, id)| (operation.name, id));
        let streaming = found("GET", "/user/unlimitedstreaming");
        assert_eq!(streaming, Some(("getUserUnlimitedStreaming", "")));
        let registration = found("GET", "/user/payment/cardregistration/a-b");
        assert_eq!(registration, Some(("getUserCardRegistration", "a-b")));
        assert_eq!(found("GET", "/user/payment/cardregistration/"), None);
        assert_eq!(found("GET", "/user/payment/cardregistration/a/b"), None);
        assert_eq!(found("DELETE", "/user/locker"), None);
    }
}
