//! Parsing of an address.

use proto::order::v1 as wire;
use types::{Reason, Refusal};

use super::convert::{line, missing, optional, required, required_line, too_many};
use crate::domain::address::Address;

const LINES_MAX: usize = 4;
const TEXT_LENGTH_MAX: usize = 128;
const POSTAL_CODE_LENGTH_MAX: usize = 32;
const REGION_LENGTH_MAX: usize = 64;

pub fn address(at: &str, given: &wire::Address) -> Result<Address, Refusal> {
    let field = |name: &str| format!("{at}.{name}");
    match given.lines.len() {
        0 => return Err(missing(&field("lines"), "an address has at least one line")),
        1..=LINES_MAX => {}
        count => return Err(too_many(&field("lines"), LINES_MAX, count)),
    }
    let lines = given.lines.iter().enumerate();
    let lines =
        lines.map(|(index, line)| required_line(&format!("{at}.lines[{index}]"), TEXT_LENGTH_MAX, line));
    let country_code = required(&field("country_code"), 2, &given.country_code)?;
    if country_code.len() != 2 || !country_code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let message = "a country is two upper-case letters, such as GB";
        return Err(Refusal::new(Reason::FieldInvalid, message).field(field("country_code")));
    }
    Ok(Address {
        recipient: required_line(&field("recipient"), TEXT_LENGTH_MAX, &given.recipient)?,
        lines: lines.collect::<Result<_, _>>()?,
        city: required_line(&field("city"), TEXT_LENGTH_MAX, &given.city)?,
        postal_code: optional(&field("postal_code"), POSTAL_CODE_LENGTH_MAX, &given.postal_code)?,
        region: line(&field("region"), REGION_LENGTH_MAX, &given.region)?,
        country_code,
    })
}
