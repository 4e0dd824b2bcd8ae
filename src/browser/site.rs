//! The site on loopback: the questions that it has pages for, and what it answers to a request.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::Mutex;
use sevendigital::Secret;

use super::asked::{Asked, Said, Visitor};
use super::page::{self, Notice};
use super::request::{
    COOKIE, Rejected, check_host, check_method, check_visit, cookie, read_answer,
};
use crate::calls::{OpenQuestion, Questions};

/// Questions that are remembered; of more, the oldest is forgotten, and its page gone.
const MAX_ASKED: usize = 64;

/// The site. Cheap to clone.
#[derive(Clone)]
pub(super) struct Site(Arc<Shared>);

struct Shared {
    /// Address and port.
    host: String,
    questions: Questions,
    /// Oldest first.
    asked: Mutex<VecDeque<Arc<Asked>>>,
}

impl Site {
    pub(super) fn new(host: String, questions: Questions) -> Self {
        Self(Arc::new(Shared {
            host,
            questions,
            asked: Mutex::default(),
        }))
    }

    /// Makes a page for a question, and gives its address.
    pub(super) fn add(&self, question: OpenQuestion, has_cover: bool) -> Secret {
        let asked = Asked::new(question);
        let asked = Arc::new(if has_cover {
            asked
        } else {
            asked.without_cover()
        });
        let address = format!("http://{}{}", self.0.host, path(&asked));
        let cover = Arc::clone(&asked);
        // While the browser starts.
        tokio::spawn(async move { cover.cover().await.is_some() });
        let mut all = self.0.asked.lock();
        all.push_back(asked);
        if all.len() > MAX_ASKED {
            all.pop_front();
        }
        Secret::from(address)
    }

    /// Answers a request, whatever it is.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let answered = self.route(request).await;
        let response = answered.unwrap_or_else(|(status, why)| {
            // No path: it may be a question's address.
            tracing::debug!(%status, "the confirmation page rejects a request: {why}");
            notice(status, Notice::Rejected)
        });
        page::with_headers(response)
    }

    async fn route(&self, request: Request) -> Result<Response, Rejected> {
        let (parts, body) = request.into_parts();
        check_host(&parts, &self.0.host)?;
        let rest = parts.uri.path().strip_prefix("/ask/").unwrap_or_default();
        let (key, below) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(asked) = self.find(key) else {
            return Ok(notice(StatusCode::NOT_FOUND, Notice::Gone));
        };
        match below {
            "" if !rest.ends_with('/') => check_method(&parts, &[Method::GET, Method::POST])?,
            "cover" => {
                check_method(&parts, &[Method::GET])?;
                check_visit(&parts.headers)?;
                return Ok(cover(&asked, cookie(&parts.headers)).await);
            }
            _ => return Err((StatusCode::NOT_FOUND, "an unknown path")),
        }
        if parts.method == Method::GET {
            check_visit(&parts.headers)?;
            return Ok(self.show(&asked, cookie(&parts.headers)).await);
        }
        let said = read_answer(&parts, body, &asked, &self.0.host).await?;
        Ok(self.take(&asked, said).await)
    }

    fn find(&self, key: &str) -> Option<Arc<Asked>> {
        let all = self.0.asked.lock();
        all.iter().find(|asked| asked.has_key(key)).cloned()
    }

    /// The page of a question for its first visitor.
    async fn show(&self, asked: &Asked, cookie: Option<&str>) -> Response {
        let new = match asked.visit(cookie) {
            Visitor::First(new) => Some(new),
            Visitor::Known => None,
            Visitor::Stranger => return notice(StatusCode::FORBIDDEN, Notice::AlreadyOpened),
        };
        let mut response = match asked.said() {
            Some(Said::Yes) => notice(StatusCode::OK, Notice::SaidYes),
            Some(Said::No) => notice(StatusCode::OK, Notice::SaidNo),
            None => match self.0.questions.find(&asked.question.id).await {
                Ok(Some(_)) => {
                    let has_cover = asked.cover().await.is_some();
                    page::question(asked, &path(asked), has_cover).into_response()
                }
                Ok(None) => notice(StatusCode::GONE, Notice::Gone),
                Err(error) => unreadable(&error),
            },
        };
        if let Some(new) = new {
            let path = path(asked);
            let value = format!(
                "{COOKIE}={}; Path={path}; HttpOnly; SameSite=Strict",
                new.expose()
            );
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
        }
        response
    }

    /// Writes an answer down: the first one counts.
    async fn take(&self, asked: &Asked, said: Said) -> Response {
        let yes = said == Said::Yes;
        match self.0.questions.answer(&asked.question.id, yes).await {
            Ok(true) => {
                asked.answered(said);
                // So that a reload asks for the page, and sends no form.
                let location = [(header::LOCATION, path(asked))];
                (StatusCode::SEE_OTHER, location).into_response()
            }
            Ok(false) => notice(StatusCode::CONFLICT, Notice::Gone),
            Err(error) => unreadable(&error),
        }
    }
}

/// The path of a question's page.
fn path(asked: &Asked) -> String {
    format!("/ask/{}", asked.key().expose())
}

async fn cover(asked: &Asked, cookie: Option<&str>) -> Response {
    if !asked.knows(cookie) {
        return notice(StatusCode::FORBIDDEN, Notice::AlreadyOpened);
    }
    match asked.cover().await {
        Some(picture) => {
            let kind = [(header::CONTENT_TYPE, picture.media_type)];
            (kind, picture.bytes.clone()).into_response()
        }
        None => notice(StatusCode::NOT_FOUND, Notice::Gone),
    }
}

fn notice(status: StatusCode, notice: Notice) -> Response {
    (status, page::notice(notice)).into_response()
}

fn unreadable(error: &crate::ledger::LedgerError) -> Response {
    tracing::warn!("the confirmation page can't use the ledger: {error}");
    notice(StatusCode::SERVICE_UNAVAILABLE, Notice::Failed)
}
