//! What a caller may look at beside the tools: the account, its receipts, and an item of 7digital's catalogue. Nothing here changes or charges.

use sevendigital::{Client, Effect};
use sevendigital_tools::catalogue::{self, Listing, Unlisted};
use sevendigital_tools::values::Price;
use sevendigital_tools::{Action, Item, Target};
use tracing::{Instrument as _, field};

use super::call::{Calls, RequestContext};
use super::pending::{account, in_words};
use super::upstream;
use crate::config::Spending;
use crate::identity::{Caller, User};
use crate::ledger::{Entry, LimitUse};
use crate::problem::{Kind, Problem};
use crate::telemetry;
use crate::telemetry::trace_context::TraceContext;

/// Receipts that are shown at most.
const MAX_RECEIPTS: u32 = 100;

/// Who looks, as a surface received the request.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who asks.
    pub caller: Caller,
    /// The user, where the request's headers name one.
    pub user: Option<User>,
    /// The request that it came with.
    pub context: RequestContext,
}

/// The account that a viewer's calls act on, and what they may spend. It holds no secret.
#[derive(Debug, Clone)]
pub struct Account {
    /// Whose it is, in words.
    pub user: String,
    /// The configured country, in two letters.
    pub country: Option<String>,
    /// The configured shop.
    pub shop_id: Option<String>,
    /// The currency (ISO 4217) of the country.
    pub currency: Option<&'static str>,
    /// What happens to calls that charge.
    pub spending: Spending,
    /// The most that one purchase may cost, in minor units.
    pub max_price: Option<u32>,
    /// What is used of the operator's limits; empty where none is set.
    pub limits: Vec<LimitUse>,
}

impl Calls {
    /// The viewer's account. Nothing is sent to 7digital; what is used of the limits is read from the ledger.
    pub async fn account(&self, viewer: Viewer) -> Result<Account, Problem> {
        let client = self.client_of(&viewer, None)?;
        let credentials = client.credentials();
        let (key, limits) = (account(&client, None), self.purchases.limits);
        Ok(Account {
            user: in_words(credentials, None),
            country: credentials.country.clone(),
            shop_id: credentials.shop_id.clone(),
            currency: Price::currency(None, credentials.country.as_deref()),
            spending: self.purchases.spending,
            max_price: self.purchases.max_price,
            limits: self.ledger.limits_used(&key, limits).await?,
        })
    }

    /// The newest purchases of the viewer's account, and of no other.
    pub async fn receipts(&self, viewer: Viewer) -> Result<Vec<Entry>, Problem> {
        let client = self.client_of(&viewer, None)?;
        let account = account(&client, None);
        Ok(self.ledger.of_account(&account, MAX_RECEIPTS).await?)
    }

    /// What 7digital's catalogue says of an item, for that country (two letters) or the configured one: one read, with a permit as other reads have.
    ///
    /// Dropping the future ends it. An item that is not sold is a problem of the kind `NotForSale`.
    pub async fn listing(
        &self,
        viewer: Viewer,
        item: &Item,
        country: Option<String>,
    ) -> Result<Listing, Problem> {
        let span = tracing::error_span!(
            "look",
            caller = viewer.caller.label(),
            request_id = %viewer.context.id,
            trace_id = field::Empty,
            span_id = field::Empty,
        );
        let trace = telemetry::enter(&span, viewer.context.trace.as_ref());
        let action = Action::look(item.clone());
        let target = Target {
            country,
            ..Target::default()
        };
        let look = async move {
            let client = self.client_of(&viewer, trace)?;
            let permit = self.admission.admit(&viewer.caller, Effect::Reads).await?;
            let look_up = async move {
                let _permit = permit;
                let listed = catalogue::look_up(&client, &action, &target).await;
                listed.map_err(unlisted)
            };
            self.executor.read(look_up).await
        };
        look.instrument(span).await
    }

    /// Authorizes a look and counts it; gives the client of its account.
    fn client_of(&self, viewer: &Viewer, trace: Option<TraceContext>) -> Result<Client, Problem> {
        let Viewer { caller, user, .. } = viewer;
        caller.authorize_look()?;
        self.rate_limits.check_read(caller)?;
        let configured = self.client.credentials().user_id.as_deref();
        let user = caller.user_of_look(user.clone(), configured)?;
        upstream::for_call(&self.client, user, trace)
    }
}

fn unlisted(unlisted: Unlisted) -> Problem {
    match unlisted {
        Unlisted::Failed(reason) => {
            let what = format!("The catalogue could not be read: {reason}.");
            Problem::new(Kind::Unavailable, what, "Try again later.")
        }
        unlisted => Problem::new(Kind::NotForSale, unlisted.to_string(), ""),
    }
}
