//! Conditions of rules, in the Common Expression Language, over what happened and the order it happened to.
//!
//! A condition is checked when its rule is stored, and again before it is evaluated: its length and depth before any
//! parser sees it ([`types::bounded`]), that it names only what there is, that its loops do not nest, and what it may
//! cost at most ([`cost`]). So evaluating one takes microseconds to milliseconds, whatever somebody wrote.

mod cost;

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Program, Value};
use serde::Serialize;
use types::bounded::{self, Excess, Syntax};
use types::{Reason, Refusal};

/// The longest condition, in characters.
pub const LENGTH_MAX: usize = bounded::LENGTH_MAX;
/// How many loops (`all`, `exists`, `filter`, `map`) one condition may have, beside each other.
const LOOPS_MAX: usize = 4;

const FIELD: &str = "rule.condition";

/// What a condition may name, and the fields of each.
const NAMES: [(&str, &[&str]); 3] = [
    ("event", &["type", "folder", "before_folder"]),
    (
        "order",
        &[
            "id",
            "number",
            "state",
            "currency",
            "total_minor",
            "placed_minor",
            "customer_id",
            "buyer",
            "supplier",
            "source_router",
            "created_by_org",
            "folder",
            "systems",
            "lines",
        ],
    ),
    (
        "change",
        &[
            "id",
            "type",
            "state",
            "reason_code",
            "note",
            "channel",
            "stage",
            "amount_minor",
            "units",
            "by_user",
            "by_org",
            "by_role",
        ],
    ),
];

/// What happened, the order as it is, and the change it was about, if it was about one.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    pub event: EventFacts,
    pub order: OrderFacts,
    /// Empty in every field where there is no change.
    pub change: ChangeFacts,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct EventFacts {
    /// Such as "order.folder_changed".
    pub r#type: String,
    pub folder: String,
    pub before_folder: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct OrderFacts {
    pub id: String,
    pub number: String,
    pub state: String,
    pub currency: String,
    pub total_minor: i64,
    pub placed_minor: i64,
    pub customer_id: String,
    pub buyer: String,
    pub supplier: String,
    pub source_router: String,
    pub created_by_org: String,
    pub folder: String,
    /// Names of the other systems that know the order.
    pub systems: Vec<String>,
    pub lines: Vec<LineFacts>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct LineFacts {
    pub sku: String,
    pub ordered: i64,
    pub open: i64,
    pub cancelled: i64,
    pub shipped: i64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeFacts {
    pub id: String,
    pub r#type: String,
    pub state: String,
    pub reason_code: String,
    pub note: String,
    pub channel: String,
    pub stage: String,
    pub amount_minor: i64,
    pub units: i64,
    pub by_user: String,
    pub by_org: String,
    pub by_role: String,
}

/// A condition that was checked. An empty one holds always.
#[derive(Debug, Clone)]
pub struct Condition(Option<Arc<Program>>);

impl Condition {
    /// Reads a condition, or says what is wrong with it, and where.
    pub fn compile(text: &str) -> Result<Self, Refusal> {
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        bounded::expression(text, Syntax::Cel).map_err(too_much)?;
        let text = text.to_owned();
        let program = bounded::run(move || read(&text)).map_err(too_much)??;
        Ok(Self(Some(Arc::new(program))))
    }

    /// Whether it holds. What cannot be compared or is not true or false is a mistake of the rule.
    pub fn holds(&self, facts: &Facts) -> Result<bool, Refusal> {
        let Some(program) = &self.0 else { return Ok(true) };
        let (program, facts) = (Arc::clone(program), facts.clone());
        bounded::run(move || evaluate(&program, &facts)).map_err(|excess| failed(&excess))?
    }
}

fn read(text: &str) -> Result<Program, Refusal> {
    let program = Program::compile(text).map_err(|problems| {
        let Some(first) = problems.errors.first() else { return invalid("the condition cannot be read") };
        let (line, column) = first.pos;
        invalid(format!("line {line}, column {column}: {}", first.msg))
            .detail("line", line)
            .detail("column", column)
    })?;
    let mut check = Check { program: &program, bound: Vec::new(), loops: 0 };
    check.expression(program.expression())?;
    cost::check(program.expression(), cost::LINES_USUAL).map_err(|problem| invalid(problem.to_string()))?;
    Ok(program)
}

fn evaluate(program: &Program, facts: &Facts) -> Result<bool, Refusal> {
    let Facts { event, order, change } = facts;
    cost::check(program.expression(), order.lines.len()).map_err(|problem| failed(&problem))?;
    let mut context = Context::default();
    for (name, value) in
        [("event", cel::to_value(event)), ("order", cel::to_value(order)), ("change", cel::to_value(change))]
    {
        context.add_variable_from_value(name, value.map_err(|problem| failed(&problem))?);
    }
    match program.execute(&context).map_err(|problem| failed(&problem))? {
        Value::Bool(holds) => Ok(holds),
        other => Err(failed(&format!("it is true or false, not {:?}", other.type_of()))),
    }
}

/// A walk over a condition that was read.
struct Check<'a> {
    program: &'a Program,
    /// Names that loops around this place have bound.
    bound: Vec<&'a str>,
    loops: usize,
}

impl<'a> Check<'a> {
    fn expression(&mut self, at: &'a IdedExpr) -> Result<(), Refusal> {
        match &at.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(at, name),
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr
                    && !self.bound.contains(&name.as_str())
                {
                    return self.field(at, name, &select.field);
                }
                self.expression(&select.operand)
            }
            Expr::Call(call) => call
                .target
                .iter()
                .map(|target| &**target)
                .chain(&call.args)
                .try_for_each(|part| self.expression(part)),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.expression(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::StructField(field) => self.expression(&field.value),
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key)?;
                    self.expression(&entry.value)
                }
            }),
            Expr::Struct(_) => Err(self.refuse(at, "messages cannot be made in a condition")),
            Expr::Comprehension(looped) => {
                self.expression(&looped.iter_range)?;
                self.loops += 1;
                if !self.bound.is_empty() {
                    return Err(self.refuse(at, "loops may not stand in loops"));
                }
                if self.loops > LOOPS_MAX {
                    return Err(self.refuse(at, &format!("there are more than {LOOPS_MAX} loops")));
                }
                self.bound = vec![&looped.iter_var, &looped.accu_var];
                self.bound.extend(looped.iter_var2.as_deref());
                for part in [&looped.accu_init, &looped.loop_cond, &looped.loop_step, &looped.result] {
                    self.expression(part)?;
                }
                self.bound.clear();
                Ok(())
            }
        }
    }

    fn name(&self, at: &IdedExpr, name: &str) -> Result<(), Refusal> {
        let known = NAMES.iter().any(|(known, _)| *known == name);
        if known || self.bound.contains(&name) {
            return Ok(());
        }
        Err(self.refuse(at, &format!("there is no {name}; a condition is about event, order and change")))
    }

    fn field(&self, at: &IdedExpr, name: &str, field: &str) -> Result<(), Refusal> {
        self.name(at, name)?;
        let fields = NAMES.iter().find(|(known, _)| *known == name).map(|(_, fields)| *fields);
        match fields {
            Some(fields) if !fields.contains(&field) => {
                let message = format!("{name} has no {field}; it has {}", fields.join(", "));
                Err(self.refuse(at, &message))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn refuse(&self, at: &IdedExpr, message: &str) -> Refusal {
        let source = self.program.source_info();
        let Some((start, _)) = source.offset_for(at.id) else { return invalid(message) };
        let before: String = source.source.chars().take(usize::try_from(start).unwrap_or_default()).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        invalid(format!("line {line}, column {column}: {message}"))
            .detail("line", line)
            .detail("column", column)
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::FieldInvalid, message).field(FIELD)
}

fn too_much(excess: Excess) -> Refusal {
    Refusal::from(excess).field(FIELD)
}

fn failed(problem: &impl ToString) -> Refusal {
    Refusal::new(Reason::StateConflict, format!("the condition cannot be evaluated: {}", problem.to_string()))
}
