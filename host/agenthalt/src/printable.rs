//! Text from outside, made fit for a terminal.

/// Text from outside, without what a terminal would obey and without what turns the direction of writing.
///
/// ```
/// assert_eq!(agenthalt::printable("a\u{1b}[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\n\\u{202e}c");
/// assert_eq!(agenthalt::printable("naïve 日本"), "naïve 日本");
/// ```
pub fn printable(text: &str) -> String {
    let shown =
        |c: char| if c.is_control() || is_direction(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Characters that turn the direction of writing and so show a text other than it is.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
