//! Patterns of function names for which a policy asks more of those who approve. They tighten, so they meet the folded
//! forms of a name and of its last part.

use agenthalt_names::{fold, fold_unbroken, last_part};

/// The two ways in which what tightens is folded: no change of case alone escapes both.
const FOLDS: [fn(&str) -> String; 2] = [fold, fold_unbroken];

/// A function's name, in which `*` stands for anything.
///
/// ```
/// # use agenthalt_core::approval::FunctionPattern;
/// let pattern = FunctionPattern::new("wire_*")?;
/// assert!(pattern.meets("bank.wireTransfer") && !pattern.meets("rewire_it"));
/// # Ok::<(), agenthalt_core::approval::BadFunctionPattern>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionPattern(String);

/// A text that is no pattern here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern of function names is not blank, and `*` is all that it may hold beside names: no `?` and no `[`")]
pub struct BadFunctionPattern;

impl FunctionPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadFunctionPattern`].
    pub fn new(pattern: &str) -> Result<Self, BadFunctionPattern> {
        let pattern = pattern.trim();
        if pattern.is_empty() || pattern.contains(['?', '[', ']']) {
            return Err(BadFunctionPattern);
        }
        Ok(FunctionPattern(pattern.to_owned()))
    }

    /// The pattern as it is written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it meets a function's name, or the last part of it.
    pub fn meets(&self, function_name: &str) -> bool {
        FOLDS.into_iter().any(|fold| {
            let pieces: Vec<String> = self.0.split('*').map(|piece| fold_piece(piece, fold)).collect();
            let (whole, last) = (fold(function_name), fold(last_part(function_name)));
            [whole.as_str(), last_part(&whole), last.as_str()].into_iter().any(|name| matches(&pieces, name))
        })
    }
}

/// Folds what stands between two stars; a blank or a dash at its ends stays what it stands for.
fn fold_piece(piece: &str, fold: fn(&str) -> String) -> String {
    let folded = fold(&format!(".{piece}."));
    folded.strip_prefix('.').and_then(|piece| piece.strip_suffix('.')).unwrap_or(&folded).to_owned()
}

pub(super) fn matches(pieces: &[String], name: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return false };
    let Some((last, between)) = rest.split_last() else { return name == first };
    let inner = name.strip_prefix(first.as_str()).and_then(|left| left.strip_suffix(last.as_str()));
    let Some(mut left) = inner else { return false };
    for piece in between {
        let Some((_, behind)) = left.split_once(piece.as_str()) else { return false };
        left = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_pattern_meets_a_name_in_every_disguise() {
        for (pattern, met, left) in [
            (
                "wire_*",
                &["wire_money", "Wire-Money", "bank.wireTransfer", "mcp__bank__wire_", "ｗｉｒｅ x"][..],
                &["wire"][..],
            ),
            ("*", &["anything", "a.b"], &[]),
            ("*delete*", &["bulkDelete", "delete", "undelete_all"], &["del_ete"]),
            ("payOut", &["pay_out", "PAYOUT", "payout", "x.payOut"], &["pay_outs"]),
            ("a*b*c", &["abc", "axbxc"], &["acb", "ab"]),
            ("ab*ba", &["abba", "abxba"], &["aba"]),
        ] {
            let pattern = FunctionPattern::new(pattern).unwrap();
            assert!(met.iter().all(|name| pattern.meets(name)), "{}", pattern.text());
            assert!(!left.iter().any(|name| pattern.meets(name)), "{}", pattern.text());
        }
        assert!(["", "  ", "a?", "[ab]"].iter().all(|text| FunctionPattern::new(text).is_err()));
    }
}
