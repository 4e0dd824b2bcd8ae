//! Which operation, OAuth endpoint or web page a request is for.

use crate::login_page;
use crate::operations::{self, Format, Operation};
use crate::request::Request;
use crate::token_endpoints::Endpoint;

/// The target of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route<'a> {
    /// An operation, with the `{id}` segment of its path.
    Operation(&'static Operation, &'a str),
    Token(Endpoint),
    UnknownEndpoint,
    /// The page of a card registration, with its id.
    CardPage(&'a str),
    LoginPage,
    UnknownPage,
}

impl<'a> Route<'a> {
    /// The route of a request.
    pub(crate) fn find(request: &'a Request) -> Self {
        let (method, path) = (request.method.as_str(), request.path.as_str());
        let is_form_method = ["GET", "POST"].contains(&method);
        let below_root = path.strip_prefix("/1.2");
        if let Some(path) = below_root.filter(|path| path.starts_with('/')) {
            return match (operations::find(method, path), Endpoint::find(path)) {
                (Some((operation, id)), _) => Self::Operation(operation, id),
                (None, Some(endpoint)) if is_form_method => Self::Token(endpoint),
                _ => Self::UnknownEndpoint,
            };
        }
        match path.strip_prefix("/cardregistration/") {
            Some(id) if is_form_method => Self::CardPage(id),
            None if is_form_method && login_page::is_at(path) => Self::LoginPage,
            _ => Self::UnknownPage,
        }
    }

    /// The name by which arrivals and faults know the operation or endpoint.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Operation(operation, _) => Some(operation.name),
            Self::Token(endpoint) => Some(endpoint.name()),
            _ => None,
        }
    }

    /// Whether this is no part of the API.
    pub(crate) fn is_page(self) -> bool {
        matches!(
            self,
            Self::CardPage(_) | Self::LoginPage | Self::UnknownPage
        )
    }

    /// Whether answers may be JSON.
    pub(crate) fn has_json(self) -> bool {
        !matches!(self, Self::Operation(operation, _) if operation.format == Format::XmlOnly)
    }
}
