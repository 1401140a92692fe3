//! JSON trees, and the many ways to write one: order of keys, space, forms of a number, escapes. It
//! never writes two different values for one tree.

/// A JSON value; numbers are kept as a whole number and a power of ten.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(i64, i8),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn text(text: impl Into<String>) -> Tree {
        Tree::Text(text.into())
    }

    /// An object of these entries; of a key that comes twice the first stays.
    pub(crate) fn object(entries: impl IntoIterator<Item = (String, Tree)>) -> Tree {
        let mut kept: Vec<(String, Tree)> = Vec::new();
        for (key, value) in entries {
            if kept.iter().all(|(other, _)| *other != key) {
                kept.push((key, value));
            }
        }
        Tree::Object(kept)
    }

    /// The tree in one plain form.
    pub(crate) fn plain(&self) -> String {
        self.written(&mut Style(0))
    }

    /// The tree in a form that the style chooses.
    pub(crate) fn written(&self, style: &mut Style) -> String {
        let mut out = String::new();
        self.write(style, &mut out);
        out
    }

    fn write(&self, style: &mut Style, out: &mut String) {
        style.space(out);
        match self {
            Tree::Null => out.push_str("null"),
            Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Tree::Number(whole, power) => write_number(*whole, *power, style, out),
            Tree::Text(text) => write_text(text, style, out),
            Tree::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(style, out);
                }
                out.push(']');
            }
            Tree::Object(entries) => {
                let mut order: Vec<usize> = (0..entries.len()).collect();
                for last in (1..order.len()).rev() {
                    let other = last - style.below(last + 1).min(last);
                    order.swap(last, other);
                }
                out.push('{');
                for (place, entry) in order.into_iter().enumerate() {
                    let (key, value) = &entries[entry];
                    if place > 0 {
                        out.push(',');
                    }
                    style.space(out);
                    write_text(key, style, out);
                    style.space(out);
                    out.push(':');
                    value.write(style, out);
                }
                out.push('}');
            }
        }
        style.space(out);
    }
}

fn write_number(whole: i64, power: i8, style: &mut Style, out: &mut String) {
    let zeros = style.below(4);
    let sign = if whole < 0 { "-" } else { "" };
    let digits = whole.unsigned_abs().to_string();
    let power = i32::from(power);
    let shown = match style.below(3) {
        // 10e-1
        1 => {
            let shifted = power - i32::try_from(zeros).unwrap();
            let e = if style.below(2) == 0 { "e" } else { "E" };
            let zeros = if whole == 0 { 0 } else { zeros };
            format!("{sign}{digits}{}{e}{shifted}", "0".repeat(zeros))
        }
        // 0.1e1
        2 => {
            let shifted = power + i32::try_from(digits.len()).unwrap();
            let plus = if shifted >= 0 && style.below(2) == 1 { "+" } else { "" };
            format!("{sign}0.{digits}{}e{plus}{shifted}", "0".repeat(zeros))
        }
        // 1, 1.00
        _ => {
            let (mut before, mut after) = (digits, String::new());
            if power >= 0 {
                before.push_str(&"0".repeat(usize::try_from(power).unwrap()));
            } else {
                let places = usize::try_from(-power).unwrap();
                before = format!("{}{before}", "0".repeat((places + 1).saturating_sub(before.len())));
                after = before.split_off(before.len() - places);
            }
            let before = Some(before.trim_start_matches('0')).filter(|digits| !digits.is_empty()).unwrap_or("0");
            after.push_str(&"0".repeat(zeros));
            let point = if after.is_empty() { "" } else { "." };
            format!("{sign}{before}{point}{after}")
        }
    };
    out.push_str(&shown);
}

fn write_text(text: &str, style: &mut Style, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            _ if style.below(8) == 7 => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            '"' | '\\' => out.extend(['\\', c]),
            '/' if style.below(2) == 1 => out.push_str("\\/"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Chooses among the ways to write; zero always chooses the plain one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style(pub(crate) u64);

impl Style {
    /// A choice among so many; the first is the plain one.
    fn below(&mut self, most: usize) -> usize {
        // Shifts and exclusive ors, after Marsaglia: zero stays zero.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (most as u64)).unwrap()
    }

    fn space(&mut self, out: &mut String) {
        if self.below(4) == 3 {
            out.push_str(["", " ", "\n\t", "  \r\n"][self.below(4)]);
        }
    }
}

#[test]
fn every_way_to_write_a_tree_is_the_same_value() {
    let tree = Tree::object([
        ("a/b\"\\\u{e9}\u{1f600}\n".to_owned(), Tree::List(vec![Tree::Number(1, 0), Tree::Number(-25, -2)])),
        (
            "z".to_owned(),
            Tree::List(vec![Tree::Number(0, 3), Tree::Number(7, 2), Tree::Number(12_345, -5), Tree::Null]),
        ),
        ("m".to_owned(), Tree::object([("x".to_owned(), Tree::Bool(true))])),
    ]);
    let plain = agenthalt::Json::parse(&tree.plain()).unwrap();
    let shown = r#"{"a/b\"\\é😀\n":[1,-0.25],"m":{"x":true},"z":[0,700,0.12345,null]}"#;
    assert_eq!(plain, agenthalt::Json::parse(shown).unwrap());
    for seed in 1..2_000 {
        let text = tree.written(&mut Style(seed));
        assert_eq!(agenthalt::Json::parse(&text).as_ref(), Ok(&plain), "{text}");
    }
}
