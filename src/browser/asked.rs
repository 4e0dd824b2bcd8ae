//! A question with its page: who may see it, what an answer must bring, and what was answered.

use std::sync::OnceLock;

use sevendigital::{Picture, Secret, picture};
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;

use crate::calls::OpenQuestion;

/// A question that a browser was opened for.
pub(super) struct Asked {
    pub(super) question: OpenQuestion,
    /// The random part of the address. It is good for one visit, and then the cookie is asked for.
    key: Secret,
    /// What the page's form brings along.
    form_token: Secret,
    /// The cookie of the first visitor.
    visitor: OnceLock<Secret>,
    /// The picture, once it was looked for.
    cover: OnceCell<Option<Picture>>,
    /// The answer that was given on this page.
    said: OnceLock<Said>,
}

/// What the user said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Yes,
    No,
}

/// Who asks for the page.
pub(super) enum Visitor {
    /// The first one, who gets this cookie.
    First(Secret),
    /// The first one again.
    Known,
    /// Somebody else.
    Stranger,
}

impl Asked {
    pub(super) fn new(question: OpenQuestion) -> Self {
        Self {
            question,
            key: random(),
            form_token: random(),
            visitor: OnceLock::new(),
            cover: OnceCell::new(),
            said: OnceLock::new(),
        }
    }

    pub(super) fn key(&self) -> &Secret {
        &self.key
    }

    pub(super) fn form_token(&self) -> &Secret {
        &self.form_token
    }

    pub(super) fn has_key(&self, key: &str) -> bool {
        is(&self.key, key)
    }

    pub(super) fn has_form_token(&self, token: &str) -> bool {
        is(&self.form_token, token)
    }

    /// Whether it is the first visitor's cookie.
    pub(super) fn knows(&self, cookie: Option<&str>) -> bool {
        let visitor = self.visitor.get();
        visitor.is_some_and(|visitor| cookie.is_some_and(|cookie| is(visitor, cookie)))
    }

    /// Lets the first visitor in, and that one only from then on.
    pub(super) fn visit(&self, cookie: Option<&str>) -> Visitor {
        if self.knows(cookie) {
            return Visitor::Known;
        }
        let new = random();
        match self.visitor.set(new.clone()) {
            Ok(()) => Visitor::First(new),
            Err(_) => Visitor::Stranger,
        }
    }

    pub(super) fn said(&self) -> Option<Said> {
        self.said.get().copied()
    }

    /// Remembers the answer that was written down.
    pub(super) fn answered(&self, said: Said) {
        let _ = self.said.set(said);
    }

    /// The cover, which is fetched once; none where there is none or it can't be had.
    pub(super) async fn cover(&self) -> Option<&Picture> {
        let fetched = self.cover.get_or_init(async || {
            let address = self.question.details.cover.as_deref()?;
            picture::fetch(address).await
        });
        fetched.await.as_ref()
    }

    /// Leaves the cover out.
    pub(super) fn without_cover(mut self) -> Self {
        self.question.details.cover = None;
        self
    }
}

fn is(secret: &Secret, given: &str) -> bool {
    secret.expose().as_bytes().ct_eq(given.as_bytes()).into()
}

/// 128 random bits.
fn random() -> Secret {
    Secret::from(format!("{:032x}", rand::random::<u128>()))
}
