//! Which characters nobody sees: those of category Cf and those that Unicode says to ignore where they
//! cannot be shown. It never calls a blank one of them.

/// Whether a character is dropped before names are compared.
pub(crate) fn is_ignorable(c: char) -> bool {
    // Sorted; most texts are decided by the first comparison.
    c >= '\u{ad}'
        && matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use regex_syntax::hir::{Class, HirKind};

    #[test]
    fn the_list_is_the_one_of_unicode() {
        let class = regex_syntax::parse(r"[\p{Cf}\p{Default_Ignorable_Code_Point}]").unwrap();
        let HirKind::Class(Class::Unicode(class)) = class.kind().clone() else { unreachable!() };
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let listed = class.ranges().iter().any(|r| r.start() <= c && c <= r.end());
            assert_eq!(is_ignorable(c), listed, "U+{:04X}", u32::from(c));
        }
    }
}
