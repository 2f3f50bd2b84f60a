//! Filling in what a tenant has written: templates of requests, and rules that read answers. Each is measured before the
//! parser sees it and evaluated on a thread of its own ([`types::bounded`]).
//!
//! Nothing here keeps a value under a name, so a value is copied at most as often as it is named; what is named and how
//! large it is, is known before. Only the filters below exist, and what those make that can grow is counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, filters, tests};
use types::bounded::{self, Excess, Outline, Syntax};

use super::secrets::Drawn;

/// In steps of the evaluator.
const FUEL: u64 = 50_000;
/// All texts that filters make in one evaluation, in bytes.
const MADE_MAX: usize = 256 * 1024;
/// The size of an answer, once for each time a rule names a value.
const ANSWER_COPIES_MAX: usize = 4 << 20;
/// The longest text that a template becomes, in bytes.
const OUTPUT_MAX: usize = 64 * 1024;

const FILTERS: [&str; 16] = [
    "abs",
    "default",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "round",
    "string",
    "tojson",
    "trim",
    "upper",
    "urlencode",
];

/// What is filled in, by name.
pub type Values = BTreeMap<&'static str, Value>;

/// How a value stands in the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As a part of an address: percent-encoded.
    Url,
    Plain,
}

/// Measures a template before any parser sees it.
pub fn measure(template: &str) -> Result<(), String> {
    known_filters(bounded::template(template)).map(|_| ())
}

/// Measures a rule that reads answers.
pub fn measure_rule(rule: &str) -> Result<(), String> {
    known_filters(bounded::expression(rule, Syntax::Jinja)).map(|_| ())
}

fn known_filters(outline: Result<Outline, Excess>) -> Result<Outline, String> {
    let outline = outline.map_err(|excess| excess.to_string())?;
    match outline.filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        Some(unknown) => Err(format!("there is no filter {unknown}; there are {}", FILTERS.join(", "))),
        None => Ok(outline),
    }
}

/// Fills in a template that was measured. For the evaluating thread.
pub fn fill(template: &str, place: Place, values: &Values, drawn: &Drawn) -> Result<String, String> {
    let mut environment = environment(UndefinedBehavior::Strict);
    if place == Place::Url {
        environment.set_formatter(percent_encoded);
    }
    let vault = drawn.clone();
    environment.add_function("secret", move |name: &str| {
        vault.draw(name).map_err(|problem| Error::new(ErrorKind::InvalidOperation, problem))
    });
    let filled = environment
        .render_str(template, Value::from_pairs(values.iter().map(|(name, value)| (*name, value.clone()))));
    let filled = filled.map_err(|problem| {
        // The text of an error may quote a value.
        if drawn.is_empty() { problem.to_string() } else { problem.kind().to_string() }
    })?;
    if filled.len() > OUTPUT_MAX {
        return Err(format!("it becomes longer than {OUTPUT_MAX} bytes"));
    }
    Ok(filled)
}

/// Reads a template that was measured, without filling it in. For the evaluating thread.
pub fn parse(template: &str) -> Result<(), String> {
    let environment = environment(UndefinedBehavior::Strict);
    environment.template_from_str(template).map(|_| ()).map_err(|problem| problem.to_string())
}

/// Reads a rule that was measured, without evaluating it. For the evaluating thread.
pub fn read_rule(rule: &str) -> Result<(), String> {
    let environment = environment(UndefinedBehavior::Chainable);
    environment.compile_expression(rule).map(|_| ()).map_err(|problem| problem.to_string())
}

/// Whether a rule holds for an answer. For the evaluating thread.
pub fn holds(rule: &str, status: u16, body: &[u8]) -> Result<bool, String> {
    let outline = known_filters(bounded::expression(rule, Syntax::Jinja))?;
    if outline.names.saturating_mul(body.len()) > ANSWER_COPIES_MAX {
        return Err(format!("it names values too often for an answer of {} bytes", body.len()));
    }
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
    let environment = environment(UndefinedBehavior::Chainable);
    let rule = environment.compile_expression(rule).map_err(|problem| problem.to_string())?;
    let value = rule.eval(minijinja::context! { status, body => Value::from(Serde(&body)) });
    value.map(|value| value.is_true()).map_err(|problem| problem.to_string())
}

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("abs", filters::abs);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("float", filters::float);
    environment.add_filter("int", filters::int);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("round", filters::round);
    environment.add_filter("string", filters::string);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    let made = Arc::new(Made::default());
    let counted = Arc::clone(&made);
    environment.add_filter("join", move |list: &Value, between: Option<String>| {
        join(&counted, list, between.as_deref().unwrap_or_default())
    });
    let counted = Arc::clone(&made);
    environment.add_filter("replace", move |text: String, from: String, to: String| {
        let more = text.matches(from.as_str()).count().saturating_mul(to.len());
        counted.count(text.len().saturating_add(more))?;
        Ok::<_, Error>(text.replace(from.as_str(), &to))
    });
    let counted = Arc::clone(&made);
    environment.add_filter("tojson", move |value: &Value| {
        let text = serde_json::to_string(value);
        let text = text.map_err(|problem| Error::new(ErrorKind::BadSerialization, problem.to_string()))?;
        counted.count(text.len())?;
        Ok::<_, Error>(text)
    });
    environment.add_filter("urlencode", move |text: String| {
        made.count(text.len().saturating_mul(3))?;
        Ok::<_, Error>(encoded(&text))
    });
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("number", tests::is_number);
    environment.add_test("string", tests::is_string);
    environment.add_test("mapping", tests::is_mapping);
    environment.add_test("sequence", tests::is_sequence);
    environment.add_test("startingwith", tests::is_startingwith);
    environment.add_test("endingwith", tests::is_endingwith);
    environment
}

/// What filters have made in one evaluation.
#[derive(Default)]
struct Made(AtomicUsize);

impl Made {
    fn count(&self, bytes: usize) -> Result<(), Error> {
        let before = self.0.fetch_add(bytes.min(MADE_MAX + 1), Ordering::Relaxed);
        if before.saturating_add(bytes) > MADE_MAX {
            return Err(Error::new(ErrorKind::InvalidOperation, "its filters make too much"));
        }
        Ok(())
    }
}

fn join(made: &Made, list: &Value, between: &str) -> Result<String, Error> {
    if list.kind() != ValueKind::Seq {
        return Err(Error::new(ErrorKind::InvalidOperation, "only lists are joined"));
    }
    let mut joined = String::new();
    for (index, item) in list.try_iter()?.enumerate() {
        let before = joined.len();
        let gap = if index == 0 { "" } else { between };
        write!(joined, "{gap}{item}").map_err(|_| Error::new(ErrorKind::WriteFailure, "joining"))?;
        made.count(joined.len() - before)?;
    }
    Ok(joined)
}

fn percent_encoded(out: &mut Output<'_>, _state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    out.write_str(&encoded(&value.to_string())).map_err(Error::from)
}

/// Everything but letters, digits, and what means nothing in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text in memory takes what is written to it");
        }
    }
    encoded
}
