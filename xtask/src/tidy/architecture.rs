//! ARCHITECTURE.md names the test that holds each invariant: those tests must exist. What the tests
//! claim is not judged here.

use super::tree::Tree;
use crate::finding::Finding;

const FILE: &str = "ARCHITECTURE.md";

/// The heading above the table of invariants has this word.
const HEADING: &str = "never";

/// The column that names tests.
const COLUMN: &str = "held by";

/// Every test that the table of invariants names and the tree does not have.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(FILE) else {
        return vec![Finding::new(FILE, 1, "the file is missing")];
    };
    let rows = rows_of_table(text);
    if rows.is_empty() {
        let message = format!("no table with a column `{COLUMN}` stands below a heading with the word `{HEADING}`");
        return vec![Finding::new(FILE, 1, message)];
    }
    let mut findings = Vec::new();
    for (number, cell) in rows {
        for name in tests_named(cell).into_iter().filter(|name| !has_function(tree, name)) {
            findings.push(Finding::new(FILE, number, format!("there is no test `{name}`")));
        }
    }
    findings
}

/// The cells of the column in the first table below the heading, with their line numbers.
fn rows_of_table(text: &str) -> Vec<(usize, &str)> {
    let is_heading = |line: &str| line.starts_with('#');
    let below = (1..)
        .zip(text.lines())
        .skip_while(|(_, line)| !(is_heading(line) && line.to_lowercase().contains(HEADING)))
        .skip(1)
        .take_while(|(_, line)| !is_heading(line));
    let mut table = below.skip_while(|(_, line)| !line.starts_with('|')).take_while(|(_, line)| line.starts_with('|'));
    let header = table.next().map(|(_, line)| line.to_lowercase()).unwrap_or_default();
    let Some(column) = header.split('|').position(|cell| cell.contains(COLUMN)) else { return Vec::new() };
    // The line below the header draws the rule.
    table.skip(1).filter_map(|(number, line)| Some((number, line.split('|').nth(column)?))).collect()
}

/// The functions in backticks of a cell; anything else in backticks (a command, a path) is prose.
fn tests_named(cell: &str) -> Vec<&str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let names = quoted.map(|text| text.rsplit("::").next().unwrap_or(text));
    names.filter(|name| name.contains('_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).collect()
}

fn has_function(tree: &Tree, name: &str) -> bool {
    let start = format!("fn {name}(");
    tree.with_extension("rs").any(|(_, text)| text.contains(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Architecture\n\n## The never list\n\nText.\n\n| never | held by |\n|---|---|\n\
                        | A guard imports nothing | `import_is_refused`, `cargo xtask guards check` |\n\
                        | Money is an integer | `amounts::no_float_takes_part` |\n\n## Next\n\n| a | held by |\n|---|---|\n| x | `other_table` |\n";

    #[test]
    fn named_tests_that_exist_are_enough() {
        let code = "fn import_is_refused() {}\nfn no_float_takes_part() {}\n";
        assert!(check(&Tree::of(&[(FILE, PAGE), ("tests/one.rs", code)])).is_empty());
    }

    #[test]
    fn named_test_that_is_missing_is_found_with_its_line() {
        let findings = check(&Tree::of(&[(FILE, PAGE), ("tests/one.rs", "fn import_is_refused() {}\n")]));
        assert_eq!(findings, [Finding::new(FILE, 10, "there is no test `no_float_takes_part`")]);
    }

    #[test]
    fn missing_page_and_missing_table_are_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[(FILE, "# Architecture\n\n## The never list\n")])).len(), 1);
    }
}
