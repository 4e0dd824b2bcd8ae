//! What is wrong with the configuration, and of which kind it is.

/// What is wrong with the configuration: the key, the layer that it came from, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ConfigError {
    /// What kind of thing is wrong.
    pub fault: Fault,
    text: String,
}

/// A kind of thing that is wrong with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A file can't be read, or is not TOML.
    File,
    /// There is no setting of that name.
    Name,
    /// A value is not what its setting takes.
    Value,
    /// `base_uri` is no address that is called.
    BaseUri,
    /// A value stands for another, which nobody put in.
    Placeholder,
    /// A file in the working folder, which is not read.
    WorkingFolder,
    /// The stored login can't be read, or is not used.
    StoredLogin,
    /// The command for a secret gave none.
    Command,
    /// Values that don't go together, and all else.
    Other,
}

impl ConfigError {
    /// In words.
    pub fn new(text: impl Into<String>) -> Self {
        Self::of(Fault::Other, text)
    }

    /// In words, with its kind.
    pub(super) fn of(fault: Fault, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { fault, text }
    }
}
