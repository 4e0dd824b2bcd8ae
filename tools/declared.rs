//! What a tool declares of its arguments: their names, and of what kind each is. Read from the schema of its input.

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

/// The declared arguments of one object.
#[derive(Debug)]
pub(crate) struct Declared {
    arguments: BTreeMap<String, Kind>,
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
        let properties = schema.get("properties").and_then(Value::as_object);
        let arguments = properties.into_iter().flatten();
        let arguments = arguments.map(|(name, schema)| (name.clone(), Kind::read(schema)));
        Self {
            arguments: arguments.collect(),
        }
    }

    /// The kind of the argument of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Kind> {
        self.arguments.get(name)
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        match schema.get(schema::KIND).and_then(Value::as_str) {
            Some("id") => Self::Id,
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
