//! Paths as rules compare them: without `//`, `.` and `..`. It never looks at a file system, and leaves
//! alone what holds no `/`.

use std::borrow::Cow;

/// A path without empty and `.` parts, each `..` taken together with the part before it.
///
/// A `/` at the end goes. `..` stays where nothing is before it, and goes behind the root.
///
/// ```
/// use agenthalt_guard::normalised_path;
/// assert_eq!(normalised_path("/tmp/../etc//./passwd"), "/etc/passwd");
/// assert_eq!(normalised_path("inbox/"), "inbox");
/// assert_eq!(normalised_path("temp/../../x"), "../x");
/// ```
pub fn normalised_path(path: &str) -> Cow<'_, str> {
    if !path.bytes().any(|b| b == b'/') {
        return Cow::Borrowed(path);
    }
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    if rest.split('/').all(|part| !matches!(part, "" | "." | "..")) {
        return Cow::Borrowed(path);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    match (root, parts.is_empty()) {
        ("", true) => Cow::Borrowed("."),
        (root, _) => Cow::Owned([root, &parts.join("/")].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_ways_to_write_a_path_are_one() {
        for path in ["/etc/passwd", "/etc//passwd", "//etc/./passwd/", "/tmp/../etc/passwd", "/../etc/x/../passwd"] {
            assert_eq!(normalised_path(path), "/etc/passwd", "{path}");
        }
        for (path, normal) in [
            ("a/..", "."),
            ("./", "."),
            ("/", "/"),
            ("/..", "/"),
            ("../a/../..", "../.."),
            ("a/b/../c", "a/c"),
            ("./x", "x"),
            (".../x", ".../x"),
            ("..", ".."),
            ("", ""),
            ("a//", "a"),
        ] {
            assert_eq!(normalised_path(path), normal, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_stays() {
        for text in ["temp_1", "a..b", "x.", "a\\..\\b", "..."] {
            assert_eq!(normalised_path(text), text);
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(path in "(a|\\.|\\.\\.|/|é){0,12}") {
            let once = normalised_path(&path).into_owned();
            prop_assert_eq!(normalised_path(&once), once.as_str());
            prop_assert!(!once.contains("//") && !once.contains("/./"));
        }
    }
}
