//! Bringing a document into the shape that its schema promises, in place and in one walk.
//!
//! 7digital sends one value in several forms: XML has no lists and no numbers, conversions of XML collapse lists, and people write flags in words.
//! What can be read in its field is put into the field's type. What can't is moved to `unexpected`, as it came: nothing is lost, and nothing fails for one odd field.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::ToolError;
use crate::coercion::{flag, says_nothing, whole};
use crate::schema;

/// The root's field for what does not fit.
const UNEXPECTED: &str = "unexpected";

/// What a value is brought to.
#[derive(Debug)]
enum Shape {
    Text,
    /// A text of digits or letters, where a number has no fraction.
    Id,
    Count,
    Flag,
    List(Box<Shape>),
    Object(Fields),
    /// Not described: it stays as it came.
    Any,
}

/// The documented fields of an object.
#[derive(Debug)]
struct Fields {
    fields: BTreeMap<String, Shape>,
    /// The names of those that hold lists.
    lists: Vec<String>,
}

/// The shapes that were compiled, by the type of the document.
static SHAPES: Mutex<BTreeMap<TypeId, &'static Fields>> = Mutex::new(BTreeMap::new());

/// The shape of a type's documents, compiled from its schema at the first use.
fn of<T: JsonSchema + 'static>() -> &'static Fields {
    // There is one for each type of document, for as long as the program runs.
    let compile = || &*Box::leak(Box::new(Fields::compile(&schema::whole::<T>())));
    let mut shapes = SHAPES.lock();
    shapes.entry(TypeId::of::<T>()).or_insert_with(compile)
}

impl Shape {
    fn compile(schema: &Value) -> Self {
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Self::Text,
            Some("integer") => Self::Count,
            Some("boolean") => Self::Flag,
            Some("array") => {
                let items = schema.get("items").map_or(Self::Any, Self::compile);
                Self::List(Box::new(items))
            }
            Some("object") => {
                let fields = schema.as_object().map(Fields::compile);
                fields.map_or(Self::Any, Self::Object)
            }
            _ => Self::Any,
        }
    }
}

impl Fields {
    fn compile(schema: &Map<String, Value>) -> Self {
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flatten();
        let fields: BTreeMap<String, Shape> = properties
            .filter(|(name, _)| *name != UNEXPECTED)
            .map(|(name, schema)| {
                let is_id = name == "id" || name.ends_with("Id");
                let shape = match Shape::compile(schema) {
                    Shape::Text if is_id => Shape::Id,
                    shape => shape,
                };
                (name.clone(), shape)
            })
            .collect();
        let is_list = |(_, shape): &(&String, &Shape)| matches!(shape, Shape::List(_));
        let lists = fields.iter().filter(is_list);
        let lists = lists.map(|(name, _)| name.clone()).collect();
        Self { fields, lists }
    }

    /// The field that holds the object's one list, where there is just one.
    fn list(&self) -> Option<&String> {
        match self.lists.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    fn find_in_any_case(&self, name: &str) -> Option<(&String, &Shape)> {
        let mut fields = self.fields.iter();
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// Brings a document into the shape of `T`. What does not fit is in its field `unexpected` then; the paths of it are returned.
pub fn fit<T: JsonSchema + 'static>(document: &mut Map<String, Value>) -> Vec<String> {
    let mut walk = Walk::default();
    if let Some(value) = document.remove(UNEXPECTED) {
        walk.misfits.push((UNEXPECTED.to_owned(), value));
    }
    walk.fields(of::<T>(), document);
    if walk.misfits.is_empty() {
        return Vec::new();
    }
    let listed = walk.misfits.iter();
    let listed = listed.map(|(path, value)| json!({"path": path, "value": value}));
    document.insert(UNEXPECTED.to_owned(), listed.collect());
    walk.misfits.into_iter().map(|(path, _)| path).collect()
}

/// Whether a document has a field that is described for `T`, besides the envelope's.
pub(crate) fn has_payload<T: JsonSchema + 'static>(document: &Map<String, Value>) -> bool {
    let fields = of::<T>().fields.keys();
    let mut payload = fields.filter(|name| !["status", "version"].contains(&name.as_str()));
    payload.any(|name| document.contains_key(name))
}

/// Refuses names in the `body` of arguments that differ from a documented one only in case or separators: 7digital might read them, and nothing here does.
pub(crate) fn check_names<T: JsonSchema + 'static>(
    body: &Map<String, Value>,
) -> Result<(), ToolError> {
    let documented = &of::<T>().fields;
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    for name in body.keys().filter(|name| !documented.contains_key(*name)) {
        if let Some(known) = documented.keys().find(|known| plain(known) == plain(name)) {
            let problem = format!("the name of this field is `{known}`");
            return Err(ToolError::input(&format!("body.{name}"), &problem));
        }
    }
    Ok(())
}

/// A walk through a document: where it is, and what it has found that does not fit.
#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    misfits: Vec<(String, Value)>,
}

#[derive(Clone, Copy)]
enum Step {
    Field(&'static str),
    Item(usize),
}

impl Walk {
    /// Brings the fields of an object into shape; lists that are not there are empty.
    fn fields(&mut self, shape: &'static Fields, object: &mut Map<String, Value>) {
        let (mut gone, mut misspelt) = (Vec::new(), Vec::new());
        for (name, value) in object.iter_mut() {
            match shape.fields.get_key_value(name) {
                Some((known, shape)) => {
                    if !self.at(Step::Field(known), |walk| walk.fit(shape, value)) {
                        gone.push(name.clone());
                    }
                }
                None => misspelt.extend(
                    shape
                        .find_in_any_case(name)
                        .map(|field| (name.clone(), field)),
                ),
            }
        }
        for name in gone {
            object.remove(&name);
        }
        for (name, (known, shape)) in misspelt {
            if !object.contains_key(known)
                && let Some(mut value) = object.remove(&name)
                && self.at(Step::Field(known), |walk| walk.fit(shape, &mut value))
            {
                object.insert(known.clone(), value);
            }
        }
        for name in &shape.lists {
            if !object.contains_key(name) {
                object.insert(name.clone(), json!([]));
            }
        }
    }

    /// Brings a value into shape; `false` where nothing is left of it in its place.
    fn fit(&mut self, shape: &'static Shape, value: &mut Value) -> bool {
        match shape {
            Shape::Any => true,
            Shape::List(item) => {
                self.list(item, value);
                true
            }
            Shape::Object(fields) => self.object(fields, value),
            Shape::Text | Shape::Id | Shape::Count | Shape::Flag => {
                self.reduce(value);
                let is_text = matches!(shape, Shape::Text | Shape::Id) && value.is_string();
                if says_nothing(value) && !is_text {
                    return false;
                }
                written(shape, value) || self.misfit(value)
            }
        }
    }

    fn list(&mut self, item: &'static Shape, value: &mut Value) {
        let mut all = match value.take() {
            Value::Array(all) => all,
            nothing if says_nothing(&nothing) => Vec::new(),
            one => vec![one],
        };
        let mut places = 0..;
        all.retain_mut(|value| {
            let place = places.next().unwrap_or_default();
            let keep = !value.is_null();
            keep && self.at(Step::Item(place), |walk| walk.fit(item, value))
        });
        *value = Value::Array(all);
    }

    fn object(&mut self, shape: &'static Fields, value: &mut Value) -> bool {
        match value {
            Value::Object(fields) => {
                let is_there = !fields.is_empty() || shape.list().is_some();
                self.fields(shape, fields);
                is_there
            }
            Value::Null => false,
            Value::Array(all) => {
                let known = |name: &String| shape.find_in_any_case(name).is_some();
                let one = match all.as_mut_slice() {
                    [Value::Object(one)] if one.keys().any(known) => {
                        Some(Value::Object(std::mem::take(one)))
                    }
                    [one] if shape.list().is_none() => Some(one.take()),
                    _ => None,
                };
                match (one, shape.list()) {
                    (Some(one), _) => {
                        *value = one;
                        self.object(shape, value)
                    }
                    (None, Some(list)) => {
                        *value = json!({list: value.take()});
                        self.object(shape, value)
                    }
                    (None, None) if all.is_empty() => false,
                    (None, None) => self.misfit(value),
                }
            }
            Value::String(text) if text.trim().is_empty() => {
                *value = json!({});
                shape.list().is_some() && self.object(shape, value)
            }
            _ => self.misfit(value),
        }
    }

    /// Takes a text, number or flag out of what stands around it: a list of one, or an XML element whose attributes nobody knows.
    fn reduce(&mut self, value: &mut Value) {
        loop {
            let inner = match value {
                Value::Array(all) => match all.as_mut_slice() {
                    [] => Value::Null,
                    [one] => one.take(),
                    _ => return,
                },
                Value::Object(element) if element.is_empty() => Value::Null,
                Value::Object(element) => {
                    let Some(text) = element.remove("_") else {
                        return;
                    };
                    let path = self.path();
                    let attributes = std::mem::take(element).into_iter();
                    let attributes =
                        attributes.map(|(name, value)| (format!("{path}.{name}"), value));
                    self.misfits.extend(attributes);
                    text
                }
                _ => return,
            };
            *value = inner;
        }
    }

    fn misfit(&mut self, value: &mut Value) -> bool {
        self.misfits.push((self.path(), value.take()));
        false
    }

    fn at<R>(&mut self, step: Step, walk: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(step);
        let result = walk(self);
        self.path.pop();
        result
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Item(place) => {
                    // Writing to a String does not fail.
                    let _ = write!(path, "[{place}]");
                }
            }
        }
        path
    }
}

/// Writes a value as its type is written, if it can be read as one.
fn written(shape: &Shape, value: &mut Value) -> bool {
    let written = match (shape, &*value) {
        (Shape::Text | Shape::Id, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => {
            return true;
        }
        (Shape::Id, Value::Number(number)) if number.is_f64() => {
            let whole = whole(number.as_f64()).unwrap_or_else(|| json!(number));
            Some(Value::from(whole.to_string()))
        }
        (Shape::Text | Shape::Id, Value::Number(number)) => Some(Value::from(number.to_string())),
        (Shape::Text | Shape::Id, Value::Bool(flag)) => Some(Value::from(flag.to_string())),
        (Shape::Count, Value::Number(number)) if number.is_i64() => return true,
        (Shape::Count, Value::Number(number)) => whole(number.as_f64()),
        (Shape::Count, Value::String(text)) => {
            let text = text.trim();
            let digits = text.parse().ok().map(|number: i64| Value::from(number));
            digits.or_else(|| whole(text.parse().ok()))
        }
        (Shape::Flag, Value::Number(number)) => flag(&number.to_string()),
        (Shape::Flag, Value::String(text)) => flag(text),
        _ => None,
    };
    let readable = written.is_some();
    if let Some(written) = written {
        *value = written;
    }
    readable
}
