//! The annotations of a tool, in named sets. They inform clients and decide nothing here: [`sevendigital::Effect`] does.

/// Both sets of annotations of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// What is true.
    pub accurate: Accurate,
    /// What the capability publishes, letter for letter.
    pub published: Published,
}

/// The four hints of MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "MCP has four hints, each a yes or no"
)]
pub struct Accurate {
    /// Changes nothing.
    pub read_only: bool,
    /// May delete or spend what can't be restored.
    pub destructive: bool,
    /// The same call again changes nothing more.
    pub idempotent: bool,
    /// Reaches beyond the user's own account.
    pub open_world: bool,
}

/// The three hints that the capability publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The capability's `readOnly`.
    pub read_only: bool,
    /// The capability's `destructive`.
    pub destructive: bool,
    /// The capability's `idempotent`.
    pub idempotent: bool,
}

const CHANGES_NOTHING: Accurate = Accurate {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

const CREATES: Accurate = Accurate {
    read_only: false,
    destructive: false,
    idempotent: false,
    open_world: false,
};

const REPLACES: Accurate = Accurate {
    destructive: true,
    idempotent: true,
    ..CREATES
};

/// The capability derives its hints from the HTTP method, and 7digital spends and creates with GET.
const PUBLISHED_GET: Published = Published {
    read_only: true,
    destructive: false,
    idempotent: true,
};

const PUBLISHED_POST: Published = Published {
    read_only: false,
    destructive: false,
    idempotent: false,
};

impl Hints {
    /// Reads.
    pub const READ: Self = Self {
        accurate: CHANGES_NOTHING,
        published: PUBLISHED_GET,
    };
    /// Charges the user's payment card. Idempotent, since the same purchase is sent once in 24 hours.
    pub const PURCHASE: Self = Self {
        accurate: Accurate {
            open_world: true,
            ..REPLACES
        },
        published: PUBLISHED_GET,
    };
    /// Logs a sale that the partner is billed for.
    pub const SALE: Self = Self {
        accurate: REPLACES,
        published: PUBLISHED_GET,
    };
    /// Replaces or deletes what is stored; the same call again changes nothing more.
    pub const REPLACEMENT: Self = Self {
        accurate: REPLACES,
        published: PUBLISHED_POST,
    };
    /// Has an effect with each call, and takes nothing away: opens an account, tries a password.
    pub const NON_IDEMPOTENT: Self = Self {
        accurate: CREATES,
        published: PUBLISHED_POST,
    };
    /// Creates something once, however often it is called.
    pub const IDEMPOTENT_CREATION: Self = Self {
        accurate: Accurate {
            idempotent: true,
            ..CREATES
        },
        published: PUBLISHED_GET,
    };
    /// Starts or ends a subscription; the same call again may report another fee.
    pub const SUBSCRIPTION: Self = Self {
        accurate: Accurate {
            destructive: true,
            ..CREATES
        },
        published: Published {
            read_only: true,
            ..PUBLISHED_POST
        },
    };
}
