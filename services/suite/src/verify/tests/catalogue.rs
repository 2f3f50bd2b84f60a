//! What the reliability page says is checked is what is checked.

use std::fmt::Write as _;

use crate::verify::equations;

const PAGE: &str = include_str!("../../../../../docs/reliability.md");

#[test]
fn the_page_has_every_equation_and_no_other() {
    let mut table = "| Invariant | Equation |\n|---|---|\n".to_owned();
    for equation in equations::ALL {
        writeln!(table, "| {} | {} |", equation.id, equation.says).unwrap();
    }

    assert!(PAGE.contains(&format!("\n\n{table}\n")), "docs/reliability.md should have this table:\n{table}");
}
