//! What a tool declares of its arguments: their names, of what kind each is, and which are required. Read from the schema of its input.

use std::any::TypeId;
use std::collections::BTreeMap;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::schema;

/// What the type of an argument says about what may stand in it.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Names something: an id of 7digital's, or one that a partner chose.
    Id,
    /// Names a payment card: the one id in whose place people put the card's number.
    CardId,
    /// A web or an e-mail address.
    Address,
    /// A password, which may be any text at all.
    Password,
    /// A text of which no form is known here.
    Text,
    /// Arguments inside an argument: the `body` of an operation that is called with POST.
    Object(Declared),
    /// What its own type knows the form of: a number, a code, one of a few words.
    Formed,
}

/// One declared argument.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// The declared arguments of one object.
#[derive(Debug)]
pub(crate) struct Declared {
    arguments: BTreeMap<String, Argument>,
    /// Whether others may stand beside them.
    pub(crate) open: bool,
}

/// The declarations that were read, by the type of the input.
static DECLARED: Mutex<BTreeMap<TypeId, &'static Declared>> = Mutex::new(BTreeMap::new());

/// The arguments of a type, read from its schema at the first use.
pub(crate) fn of<T: JsonSchema + 'static>() -> &'static Declared {
    // There is one for each tool, for as long as the program runs.
    let read = || &*Box::leak(Box::new(Declared::read(&schema::whole::<T>())));
    let mut declared = DECLARED.lock();
    declared.entry(TypeId::of::<T>()).or_insert_with(read)
}

impl Declared {
    fn read(schema: &Map<String, Value>) -> Self {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &String| {
            let mut required = required.into_iter().flatten();
            required.any(|required| required == name)
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let arguments = properties.into_iter().flatten();
        let arguments = arguments.map(|(name, schema)| {
            let argument = Argument {
                kind: Kind::read(schema),
                required: is_required(name),
            };
            (name.clone(), argument)
        });
        Self {
            arguments: arguments.collect(),
            open: schema.get("additionalProperties") != Some(&Value::Bool(false)),
        }
    }

    /// The names of all, of those in `body` with their path, and each without it.
    pub(crate) fn names(&self) -> Vec<(String, &str)> {
        let mut names = Vec::new();
        for (name, argument) in &self.arguments {
            names.push((name.clone(), name.as_str()));
            if let Kind::Object(inside) = &argument.kind {
                let inside = inside.names().into_iter();
                names.extend(inside.map(|(path, last)| (format!("{name}.{path}"), last)));
            }
        }
        names
    }

    /// The argument of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Argument> {
        self.arguments.get(name)
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        match schema.get(schema::KIND).and_then(Value::as_str) {
            Some("id") => Self::Id,
            Some("card id") => Self::CardId,
            Some("address") => Self::Address,
            Some("password") => Self::Password,
            Some("text") => Self::Text,
            _ => match schema.as_object() {
                Some(fields) if fields.contains_key("properties") => {
                    Self::Object(Declared::read(fields))
                }
                _ => Self::Formed,
            },
        }
    }
}
