//! How deep the tree of an expression can become, found without building it: one pass, no recursion, a stack of at most
//! [`NESTING_MAX`] frames.
//!
//! A path through such a tree goes down through brackets, and between two brackets through operators that bind ever
//! tighter; of one kind it meets at most as many as stand in one chain. So brackets and the longest chains, added up,
//! are never less than the depth. What could make this count differ from the parser's reading, such as a kind of
//! quotation that only one of the two knows, is not taken at all.

use std::collections::BTreeSet;

use super::{DEPTH_MAX, Excess, LENGTH_MAX, NESTING_MAX, TEMPLATE_LENGTH_MAX};

/// The language of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// The Common Expression Language.
    Cel,
    /// The expressions of Jinja, without multiplication and without maps: neither is needed to fill in a request, and
    /// one multiplies memory.
    Jinja,
}

/// What was seen of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// No less than the depth of its tree.
    pub depth: usize,
    /// How often a value is named; each may be copied once.
    pub names: usize,
    /// Names after a bar: the filters of Jinja.
    pub filters: BTreeSet<String>,
}

/// Kinds of operators, the loosest first. Only what surely binds looser than the rest ends their chains.
const CHOICE: usize = 0;
const OR: usize = 1;
const AND: usize = 2;
const TIGHT: usize = 3;
const KINDS: usize = 4;

/// The statements a template may hold. None of them keeps a value, so none can make it grow.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];

/// Measures an expression.
pub fn expression(text: &str, syntax: Syntax) -> Result<Outline, Excess> {
    within(text, LENGTH_MAX)?;
    let mut scan = Scan::new(syntax);
    scan.read(text)?;
    scan.end()
}

/// Measures a template of Jinja: text with expressions in it, and conditions around parts of it.
pub fn template(text: &str) -> Result<Outline, Excess> {
    within(text, TEMPLATE_LENGTH_MAX)?;
    let mut seen = Outline::default();
    let (mut rest, mut inside) = (text, String::new());
    let mut statements = 0;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min() {
        let (mark, tag) = rest[start..].split_at(2);
        match mark {
            "{#" => {
                let end = tag.find("#}").ok_or(Excess::NotTaken("a comment that does not end"))?;
                rest = &tag[end + 2..];
                continue;
            }
            "{%" => statements += 1,
            _ => {}
        }
        let (code, after) = split_tag(tag, if mark == "{{" { "}}" } else { "%}" })?;
        rest = after;
        inside.push_str(code);
        let code = if mark == "{%" { condition_of(code)? } else { code };
        let mut scan = Scan::new(Syntax::Jinja);
        scan.read(code)?;
        let tag = scan.end()?;
        seen.depth = seen.depth.max(tag.depth);
        seen.names += tag.names;
        seen.filters.extend(tag.filters);
    }
    within(&inside, LENGTH_MAX)?;
    // A condition may stand in another one, and each "elif" does.
    seen.depth += statements;
    if seen.depth > DEPTH_MAX { Err(Excess::TooDeep) } else { Ok(seen) }
}

fn within(text: &str, limit: usize) -> Result<(), Excess> {
    let length = text.chars().count();
    if length > limit { Err(Excess::TooLong { length, limit }) } else { Ok(()) }
}

/// A tag's code and what follows it. The mark of its end does not count inside of quotes.
fn split_tag<'text>(tag: &'text str, end: &str) -> Result<(&'text str, &'text str), Excess> {
    let mut at = 0;
    while let Some(letter) = tag[at..].chars().next() {
        if tag[at..].starts_with(end) {
            return Ok((&tag[..at], &tag[at + end.len()..]));
        }
        at += match letter {
            '\'' | '"' => quoted(&tag[at..], Syntax::Jinja)?,
            letter => letter.len_utf8(),
        };
    }
    Err(Excess::NotTaken("a tag that does not end"))
}

/// What a statement decides by.
fn condition_of(code: &str) -> Result<&str, Excess> {
    // One sign behind the mark is about blanks around the tag; everything else counts.
    let code = code.strip_prefix(['-', '+']).unwrap_or(code).trim_start();
    let word = code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next();
    let word = word.filter(|word| STATEMENTS.contains(word));
    let word = word.ok_or(Excess::NotTaken("a statement other than if, elif, else and endif"))?;
    Ok(&code[word.len()..])
}

/// The length of a quotation with its quotes, in bytes.
fn quoted(text: &str, syntax: Syntax) -> Result<usize, Excess> {
    let quote = text.chars().next().unwrap_or_default();
    if syntax == Syntax::Cel && text.chars().take_while(|letter| *letter == quote).count() >= 3 {
        return Err(Excess::NotTaken("a text in three quotes"));
    }
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok(at + letter.len_utf8()),
            '\\' => {
                let escaped = letters.next().map(|(_, letter)| letter);
                let plain = |letter: char| matches!(letter, 'n' | 'r' | 't' | '\\' | '\'' | '"');
                if !escaped.is_some_and(plain) {
                    return Err(Excess::NotTaken(
                        r#"a backslash before something other than n, r, t, \, ' or ""#,
                    ));
                }
            }
            '\n' | '\r' => return Err(Excess::NotTaken("a text over several lines")),
            _ => {}
        }
    }
    Err(Excess::NotTaken("a text that does not end"))
}

/// What stands between two brackets, or around all of them.
struct Frame {
    bracket: char,
    /// The chain of each kind that goes on here, and the longest there was.
    chains: [usize; KINDS],
    longest: [usize; KINDS],
    /// Of the deepest bracket inside.
    inner: usize,
}

struct Scan {
    syntax: Syntax,
    /// The brackets that are open.
    frames: Vec<Frame>,
    top: Frame,
    seen: Outline,
    /// The letter before, blanks left out.
    before: char,
}

impl Frame {
    const fn new(bracket: char) -> Self {
        Self { bracket, chains: [0; KINDS], longest: [0; KINDS], inner: 0 }
    }

    fn depth(&self) -> usize {
        1 + self.longest.iter().sum::<usize>() + self.inner
    }
}

impl Scan {
    fn new(syntax: Syntax) -> Self {
        Self { syntax, frames: Vec::new(), top: Frame::new(' '), seen: Outline::default(), before: ' ' }
    }

    fn read(&mut self, text: &str) -> Result<(), Excess> {
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let length = match letter {
                letter if letter.is_whitespace() => {
                    at += letter.len_utf8();
                    continue;
                }
                '\'' | '"' => {
                    if self.syntax == Syntax::Cel && text[..at].ends_with(is_of_word) {
                        return Err(Excess::NotTaken("a letter before a quote, such as r'' or b''"));
                    }
                    quoted(&text[at..], self.syntax)?
                }
                letter if is_of_word(letter) => self.word(&text[at..])?,
                letter => {
                    self.sign(letter, &text[at + letter.len_utf8()..])?;
                    letter.len_utf8()
                }
            };
            at += length;
            self.before = letter;
        }
        Ok(())
    }

    /// A name, a word of the language, or a number. How long it is.
    fn word(&mut self, text: &str) -> Result<usize, Excess> {
        let length = text.find(|letter| !is_of_word(letter)).unwrap_or(text.len());
        let word = &text[..length];
        match (self.syntax, word) {
            (Syntax::Jinja, "if" | "else") => self.operator(CHOICE)?,
            (Syntax::Jinja, "or") => self.operator(OR)?,
            (Syntax::Jinja, "and") => self.operator(AND)?,
            (Syntax::Jinja, "not" | "is") | (_, "in") => self.operator(TIGHT)?,
            (Syntax::Jinja, filter) if self.before == '|' => {
                self.seen.filters.insert(filter.to_owned());
            }
            (_, name) => {
                let is_value = !name.starts_with(|letter: char| letter.is_ascii_digit());
                if is_value && self.before != '.' {
                    self.seen.names += 1;
                }
            }
        }
        Ok(length)
    }

    fn sign(&mut self, letter: char, after: &str) -> Result<(), Excess> {
        match (self.syntax, letter) {
            (Syntax::Jinja, '{' | '}') => Err(Excess::NotTaken("a curly bracket")),
            (Syntax::Jinja, '*') => Err(Excess::NotTaken("a multiplication")),
            (Syntax::Cel, '/') if after.starts_with('/') => Err(Excess::NotTaken("a comment")),
            (_, '(' | '[' | '{') => self.open(letter),
            (_, ')' | ']' | '}') => self.close(letter),
            (_, ',') => {
                self.top.chains = [0; KINDS];
                Ok(())
            }
            (_, '?' | ':') => self.operator(CHOICE),
            (Syntax::Cel, '|') => self.double(letter, after, OR),
            (Syntax::Cel, '&') => self.double(letter, after, AND),
            // The second half of ==, !=, <= and >=.
            (_, '=') if matches!(self.before, '=' | '!' | '<' | '>') => Ok(()),
            (_, '+' | '-' | '*' | '/' | '%' | '~' | '!' | '=' | '<' | '>' | '.' | '|') => {
                self.operator(TIGHT)
            }
            _ => Err(Excess::NotTaken("a character that stands only in texts")),
        }
    }

    /// An operator of two equal letters counts with its second one.
    fn double(&mut self, letter: char, after: &str, kind: usize) -> Result<(), Excess> {
        if self.before == letter {
            return self.operator(kind);
        }
        if after.starts_with(letter) { Ok(()) } else { Err(Excess::NotTaken("a single & or |")) }
    }

    fn operator(&mut self, kind: usize) -> Result<(), Excess> {
        let top = &mut self.top;
        top.chains[kind] += 1;
        top.longest[kind] = top.longest[kind].max(top.chains[kind]);
        top.chains[kind + 1..].fill(0);
        if top.depth() > DEPTH_MAX { Err(Excess::TooDeep) } else { Ok(()) }
    }

    fn open(&mut self, bracket: char) -> Result<(), Excess> {
        if self.frames.len() >= NESTING_MAX {
            return Err(Excess::TooNested);
        }
        self.frames.push(std::mem::replace(&mut self.top, Frame::new(bracket)));
        Ok(())
    }

    fn close(&mut self, bracket: char) -> Result<(), Excess> {
        let opened = match bracket {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        if self.top.bracket != opened {
            return Err(Excess::NotTaken("brackets that do not fit each other"));
        }
        let around = self.frames.pop().unwrap_or(Frame::new(' '));
        let inner = std::mem::replace(&mut self.top, around);
        self.top.inner = self.top.inner.max(inner.depth());
        // A call, an index: it is one more level over what stands before it.
        self.operator(TIGHT)
    }

    fn end(mut self) -> Result<Outline, Excess> {
        if !self.frames.is_empty() {
            return Err(Excess::NotTaken("a bracket that is not closed"));
        }
        self.seen.depth = self.top.depth();
        if self.seen.depth > DEPTH_MAX { Err(Excess::TooDeep) } else { Ok(self.seen) }
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}
