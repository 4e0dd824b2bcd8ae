//! The kinds of facts about a client: where its file is, how it is written, which fields an entry has.

/// What is known of a client.
#[derive(Debug)]
pub struct Client {
    /// What the command line calls it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How its file is written.
    pub syntax: Syntax,
    /// The key under which its servers stand.
    pub key: &'static str,
    /// Where its file may be.
    pub(super) places: Places,
    /// The fields of an entry that starts a program, in their order.
    pub(super) stdio: &'static [Field],
    /// The fields of an entry for streamable HTTP.
    pub(super) http: &'static [Field],
    /// What stands before and behind the name of an environment variable that a value refers to.
    pub(super) reference: (&'static str, &'static str),
    /// The kind of its install links, if it has any.
    pub(super) link: Option<Link>,
    /// Whether it shows its user the questions of a server (elicitation). Of those for which that is not known, false.
    pub shows_questions: bool,
    /// Whether it writes its file anew while it runs, and so drops what was added meanwhile.
    pub rewrites_file: bool,
    /// The program of its own that adds and removes servers, as `PROGRAM mcp add-json NAME JSON --scope user`.
    pub own_command: Option<&'static str>,
}

impl Client {
    /// The key of the address in an entry for streamable HTTP; none where the client starts programs only.
    pub fn address_key(&self) -> Option<&'static str> {
        let mut fields = self.http.iter();
        let (key, _) = fields.find(|(_, what)| matches!(what, What::Url))?;
        Some(key)
    }

    /// What has to stand under `type` in an entry for streamable HTTP, if anything has to.
    pub fn http_type(&self) -> Option<&'static str> {
        let mut fields = self.http.iter();
        fields.find_map(|(key, what)| match what {
            What::Text(word) if *key == "type" => Some(*word),
            _ => None,
        })
    }

    /// Whether a text is a reference that the client fills in; where it fills none in, such a text stays as it is.
    pub fn fills_in(&self, text: &str) -> bool {
        let fields = self.stdio.iter().chain(self.http);
        let refers = fields
            .into_iter()
            .any(|(_, what)| matches!(what, What::Env | What::Headers));
        let (before, _) = self.reference;
        // VS Code's second kind asks the user for a value.
        refers && (text.contains(before) || (self.key == "servers" && text.contains("${input:")))
    }
}

/// What a client's file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON as its standard has it.
    Json,
    /// JSON in which comments may stand.
    JsonWithComments,
    /// JSON in which comments and trailing commas may stand.
    JsonWithCommas,
    /// TOML.
    Toml,
    /// YAML, which is printed, and neither read nor written.
    Yaml,
}

/// A file below a folder of the user's; with an empty path the folder is the file.
#[derive(Debug)]
pub(super) struct Place(pub(super) Base, pub(super) &'static str);

/// A folder of the user's.
#[derive(Debug)]
pub(super) enum Base {
    /// The user's home.
    Home,
    /// `XDG_CONFIG_HOME`, else `.config` in the home.
    ConfigHome,
    /// The same for a program that may be a Flatpak, which is given another `XDG_CONFIG_HOME`.
    FlatpakConfigHome,
    /// `Library/Application Support` in the home.
    ApplicationSupport,
    /// `APPDATA`.
    AppData,
    /// What a packaged app has in place of `APPDATA`, for packages whose name begins so. Only those that are there.
    Package(&'static str),
    /// What a variable names; where it is set, no other place counts.
    Variable(&'static str),
}

/// The places of a client: on every system, and on each.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) any: &'static [Place],
    pub(super) linux: &'static [Place],
    pub(super) mac: &'static [Place],
    pub(super) windows: &'static [Place],
}

impl Places {
    pub(super) const NONE: Self = Self::home(&[]);

    /// The same on every system.
    pub(super) const fn home(any: &'static [Place]) -> Self {
        Self {
            any,
            linux: &[],
            mac: &[],
            windows: &[],
        }
    }
}

/// A field of an entry: its key, and what stands there.
pub(super) type Field = (&'static str, What);

/// What stands in a field.
#[derive(Debug)]
pub(super) enum What {
    /// The path of the program.
    Command,
    /// Its arguments.
    Args,
    /// The address.
    Url,
    /// The entry's name.
    Name,
    /// This text.
    Text(&'static str),
    /// This number.
    Number(u32),
    /// `true`.
    Yes,
    /// `false`.
    No,
    /// `{}`.
    Object,
    /// `[]`.
    List,
    /// References to the credentials, if they are wanted.
    Env,
    /// The names of the credentials' variables, if they are wanted.
    EnvNames,
    /// A bearer token by reference, if it is wanted.
    Headers,
    /// The name of the token's variable, if it is wanted.
    TokenName,
    /// The arguments of the program that speaks HTTP in the client's place.
    Bridge,
    /// The tools that ask the user, for each of which the client shall ask too.
    AskedTools,
}

/// The kinds of links.
#[derive(Debug)]
pub(super) enum Link {
    /// The entry in base64.
    Cursor,
    /// The entry with its name, as JSON.
    VsCode,
    /// The entry in base64.
    LmStudio,
}
