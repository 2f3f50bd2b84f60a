//! What a condition can cost at most, found before it is evaluated. The evaluator copies what it names: a list of an
//! order's lines in the body of a loop over those lines is a million lines, and forty of them in a chain fill a machine.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

/// The lines of the largest order there usually is; a condition that is too much for it is not stored.
pub const LINES_USUAL: usize = 1_000;
/// All values of one evaluation that may exist at the same time, in bytes.
const MEMORY_MAX: u64 = 16 << 20;
/// All values that are ever made, in bytes.
const WORK_MAX: u64 = 128 << 20;

/// A number, an empty text, or what a list needs beside its elements.
const UNIT: u64 = 32;
const TEXT: u64 = UNIT + 4 * 128;
const NOTE: u64 = UNIT + 4 * 500;
/// A line with its five fields.
const LINE: u64 = 512;
/// An order is known to at most this many other systems.
const SYSTEMS: u64 = 100;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it could take {what} than a condition may ({most}); it names lists too often, or in a loop")]
pub struct TooCostly {
    what: &'static str,
    most: u64,
}

/// An upper bound of a value: all of it, and as a list how many elements, each how large.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    whole: u64,
    items: u64,
    item: u64,
}

/// A walk over a condition that was read.
struct Scales<'a> {
    lines: u64,
    /// Names that the loop around this place has bound.
    bound: Vec<(&'a str, Size)>,
    /// How often this place is evaluated.
    times: u64,
    memory: u64,
    work: u64,
}

/// Refuses what could cost too much for an order of so many lines.
pub fn check(condition: &IdedExpr, lines: usize) -> Result<(), TooCostly> {
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    let mut scales = Scales { lines, bound: Vec::new(), times: 1, memory: 0, work: 0 };
    scales.weigh(condition);
    if scales.memory > MEMORY_MAX {
        return Err(TooCostly { what: "more memory", most: MEMORY_MAX });
    }
    if scales.work > WORK_MAX {
        return Err(TooCostly { what: "more work", most: WORK_MAX });
    }
    Ok(())
}

impl Size {
    const SCALAR: Self = Self { whole: UNIT, items: 0, item: UNIT };

    const fn list(items: u64, item: u64) -> Self {
        Self { whole: UNIT.saturating_add(items.saturating_mul(item)), items, item }
    }

    /// Some part of a value: no larger than it, and of elements that are no smaller than a number.
    const fn part(whole: u64) -> Self {
        Self { whole, items: whole / UNIT, item: whole }
    }

    /// Both behind each other.
    fn and(self, other: Self) -> Self {
        Self {
            whole: self.whole.saturating_add(other.whole),
            items: self.items.saturating_add(other.items),
            item: self.item.max(other.item),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            items: self.items.max(other.items),
            item: self.item.max(other.item),
        }
    }

    const fn repeated(self, times: u64) -> Self {
        Self {
            whole: self.whole.saturating_mul(times),
            items: self.items.saturating_mul(times),
            item: self.item,
        }
    }
}

impl<'a> Scales<'a> {
    fn weigh(&mut self, at: &'a IdedExpr) -> Size {
        let size = match &at.expr {
            Expr::Unspecified | Expr::Struct(_) => Size::SCALAR,
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => self.of_name(name),
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr
                    && self.bound_to(name).is_none()
                {
                    self.of_field(&select.field)
                } else {
                    Size::part(self.weigh(&select.operand).whole)
                }
            }
            Expr::Call(call) => self.weigh_call(call),
            Expr::List(list) => {
                let items = list.elements.iter().map(|element| self.weigh(element).whole);
                of_parts(&items.collect::<Vec<_>>())
            }
            Expr::Map(map) => {
                let parts = map.entries.iter().map(|entry| match &entry.expr {
                    EntryExpr::StructField(field) => self.weigh(&field.value).whole,
                    EntryExpr::MapEntry(entry) => {
                        self.weigh(&entry.key).whole.saturating_add(self.weigh(&entry.value).whole)
                    }
                });
                of_parts(&parts.collect::<Vec<_>>())
            }
            Expr::Comprehension(looped) => self.weigh_loop(looped),
        };
        self.memory = self.memory.saturating_add(size.whole);
        self.work = self.work.saturating_add(size.whole.saturating_mul(self.times));
        size
    }

    fn weigh_call(&mut self, call: &'a CallExpr) -> Size {
        let parts = call.target.iter().map(|target| &**target).chain(&call.args);
        let parts: Vec<Size> = parts.map(|part| self.weigh(part)).collect();
        match (call.func_name.as_str(), parts.as_slice()) {
            (
                operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS
                | operators::LOGICAL_AND
                | operators::LOGICAL_OR
                | operators::LOGICAL_NOT
                | operators::NOT_STRICTLY_FALSE
                | operators::IN
                | "size"
                | "contains"
                | "startsWith"
                | "endsWith",
                _,
            ) => Size::SCALAR,
            (operators::CONDITIONAL, [_, yes, no]) => yes.or(*no),
            (operators::INDEX, [list, _]) => Size::part(list.item),
            // Sums of texts and lists, and all that is not known here.
            (_, parts) => parts.iter().fold(Size::SCALAR, |sum, part| sum.and(*part)),
        }
    }

    /// Loops do not stand in loops, so what is bound and how often is that of one loop.
    fn weigh_loop(&mut self, looped: &'a ComprehensionExpr) -> Size {
        let range = self.weigh(&looped.iter_range);
        let first = self.weigh(&looped.accu_init);
        let element = Size::part(range.item);
        let before = (std::mem::take(&mut self.bound), self.times);
        self.times = self.times.saturating_mul(range.items);
        self.bound = vec![(&looped.iter_var, element), (&looped.accu_var, Size::default())];
        self.bound.extend(looped.iter_var2.as_deref().map(|name| (name, element)));
        self.weigh(&looped.loop_cond);
        // What one turn adds: the macros that make loops name the sum of the turns before once in it.
        let added = self.weigh(&looped.loop_step);
        self.times = before.1;
        self.bound = vec![(&looped.accu_var, first.and(added.repeated(range.items)))];
        let result = self.weigh(&looped.result);
        self.bound = before.0;
        result
    }

    fn bound_to(&self, name: &str) -> Option<Size> {
        self.bound.iter().find(|(bound, _)| *bound == name).map(|(_, size)| *size)
    }

    fn of_name(&self, name: &str) -> Size {
        let order = || self.of_field("lines").and(Size::list(SYSTEMS + 14, TEXT));
        self.bound_to(name).unwrap_or_else(|| if name == "order" { order() } else { Size::list(14, NOTE) })
    }

    fn of_field(&self, field: &str) -> Size {
        match field {
            "lines" => Size::list(self.lines, LINE),
            "systems" => Size::list(SYSTEMS, TEXT),
            "note" => Size::part(NOTE),
            "total_minor" | "placed_minor" | "amount_minor" | "units" => Size::SCALAR,
            _ => Size::part(TEXT),
        }
    }
}

fn of_literal(literal: &LiteralValue) -> Size {
    let bytes = match literal {
        LiteralValue::String(text) => text.inner().len(),
        LiteralValue::Bytes(bytes) => bytes.inner().len(),
        LiteralValue::Boolean(_)
        | LiteralValue::Double(_)
        | LiteralValue::Int(_)
        | LiteralValue::Null
        | LiteralValue::UInt(_) => 0,
    };
    Size::part(UNIT.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)))
}

fn of_parts(parts: &[u64]) -> Size {
    let items = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let whole = parts.iter().fold(UNIT, |sum, part| sum.saturating_add(*part));
    Size { whole, items, item: parts.iter().copied().max().unwrap_or(UNIT) }
}
