//! Plain YAML scalars that are numbers (YAML 1.2 core schema), by their exact value.

use agenthalt_json::Number;

/// What a plain scalar is as a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    /// A number.
    Number(Number),
    /// `.inf`, `.nan`: numbers to YAML, but nothing one can count with.
    NotFinite,
    /// No number.
    No,
}

pub(super) fn read(text: &str) -> Numeric {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (if text.starts_with('-') { "-" } else { "" }, rest),
        None => ("", text),
    };
    match digits {
        ".inf" | ".Inf" | ".INF" => return Numeric::NotFinite,
        ".nan" | ".NaN" | ".NAN" if sign.is_empty() => return Numeric::NotFinite,
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let plain = !rest.starts_with('+');
            return match u64::from_str_radix(rest, radix) {
                Ok(value) if plain => Numeric::Number(Number::from(value)),
                _ => Numeric::No,
            };
        }
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Numeric::No;
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (digits, String::new()),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Numeric::No;
    }
    // JSON writes no leading zeros and no bare point.
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    match Number::parse(&format!("{sign}{whole}{fraction}{exponent}")) {
        Some(number) => Numeric::Number(number),
        None => Numeric::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_numbers_are_read_exactly() {
        let number = |text: &str| match read(text) {
            Numeric::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        for (text, value) in [
            ("10.0", "10"),
            ("0.1", "0.1"),
            ("+5", "5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("1e3", "1000"),
            ("0x1F", "31"),
            ("0o17", "15"),
            (".inf", "NotFinite"),
            ("-.INF", "NotFinite"),
            (".nan", "NotFinite"),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
        for text in ["", ".", "-", "ten", "1_000", "1.2.3", "0x", "0x+1", "1e", "${MAX}", "12:30", "e3", "++1"] {
            assert_eq!(number(text), "No", "{text}");
        }
    }
}
