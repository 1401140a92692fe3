//! `docs`: a page for each built-in guard and an index, made from the guides and schemas of the guards
//! and from the worked cases, and the settings of each guard as a Rust type, made from its schema. It
//! judges no call: a verdict on a page is the one that a case demands.

mod case;
mod guide;
mod json;
mod markdown;
mod policy;
mod rustfmt;
mod sample;
mod schema;
mod settings;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::docs::case::Cases;
use crate::docs::guide::Filling;
use crate::docs::schema::Schema;
use crate::finding::Finding;
use crate::guest::Guest;

/// Where the pages about guards lie, from the root.
const FOLDER: &str = "docs/guards";

/// What the index is made from.
const INDEX_GUIDE: &str = "guards/guide.md";

/// The worked cases: first those that are judged, then those that are loaded.
const CASES: [&str; 2] = ["tests/cases/guards.jsonl", "tests/cases/load.jsonl"];

/// A file as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// From the root.
    path: String,
    text: String,
}

/// What one guard's page is made from; none where the file is missing.
struct GuardTexts {
    /// The folder's name, as `rate-limit`.
    folder: String,
    guide: Option<String>,
    schema: Option<String>,
}

/// Everything that the pages are made from.
struct Sources {
    index_guide: Option<String>,
    guards: Vec<GuardTexts>,
    cases: [Option<String>; 2],
}

impl Sources {
    fn read(checkout: &Checkout) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(checkout.path(path)).ok();
        let guards = checkout.guards()?;
        let guards = guards.iter().map(Guest::name).map(|folder| GuardTexts {
            folder: folder.to_owned(),
            guide: read(&format!("guards/{folder}/guide.md")),
            schema: read(&format!("guards/{folder}/schema.json")),
        });
        Ok(Self { index_guide: read(INDEX_GUIDE), guards: guards.collect(), cases: CASES.map(read) })
    }

    /// The pages that can be made, and why the others cannot; Rust is not yet formatted.
    fn pages(&self) -> (Vec<Page>, Vec<Finding>) {
        let (mut pages, mut findings) = (Vec::new(), Vec::new());
        let cases = self.cases(&mut findings);
        let mut rows = vec!["| guard | what it is for |".to_owned(), "|---|---|".to_owned()];
        for guard in &self.guards {
            match guard.pages(&cases) {
                Ok((own, purpose)) => {
                    pages.extend(own);
                    rows.push(format!("| [`{}`]({}.md) | {purpose} |", guard.policy_name(), guard.folder));
                }
                Err(found) => findings.extend(found),
            }
        }
        // An index that names some guards only would be wrong for as long as it lies there.
        if findings.is_empty() {
            match self.index(&cases, &rows.join("\n")) {
                Ok(page) => pages.push(page),
                Err(found) => findings.extend(found),
            }
        }
        (pages, findings)
    }

    fn index(&self, cases: &Cases, guards: &str) -> Result<Page, Vec<Finding>> {
        let guide =
            self.index_guide.as_deref().ok_or_else(|| vec![Finding::new(INDEX_GUIDE, 1, "the file is missing")])?;
        let filling = Filling { marker: "guards", text: guards };
        let text = guide::fill(INDEX_GUIDE, guide, &filling, cases)?;
        Ok(Page { path: format!("{FOLDER}/README.md"), text: format!("{}{text}", header(&[INDEX_GUIDE])) })
    }

    fn cases(&self, findings: &mut Vec<Finding>) -> Cases {
        let mut cases = Cases::default();
        for (path, text) in CASES.iter().zip(&self.cases) {
            match text {
                Some(text) => findings.extend(cases.add(path, text)),
                None => findings.push(Finding::new(path, 1, "the file is missing")),
            }
        }
        cases
    }
}

impl GuardTexts {
    fn policy_name(&self) -> String {
        self.folder.replace('-', "_")
    }

    /// The page and the type of the settings, and what the guard is for.
    fn pages(&self, cases: &Cases) -> Result<([Page; 2], String), Vec<Finding>> {
        let (guide_path, schema_path) =
            (format!("guards/{}/guide.md", self.folder), format!("guards/{}/schema.json", self.folder));
        let schema = self.schema.as_deref().ok_or_else(|| {
            let package = format!("agenthalt-guard-{}", self.folder);
            let message = format!("the file is missing: `cargo test -p {package} -- --ignored write_the_schema`");
            vec![Finding::new(&schema_path, 1, message)]
        })?;
        let guide = self.guide.as_deref().ok_or_else(|| vec![Finding::new(&guide_path, 1, "the file is missing")])?;
        let found = |error: anyhow::Error| vec![Finding::new(&schema_path, 1, format!("{error:#}"))];
        let schema = Schema::read(schema).map_err(found)?;
        let table = schema.table().map_err(found)?;
        let rust = settings::file(&self.policy_name(), &schema_path, &schema).map_err(found)?;
        if guide.lines().next() != Some(&format!("# {}", self.policy_name())) {
            let message = format!("the first line is `# {}`", self.policy_name());
            return Err(vec![Finding::new(&guide_path, 1, message)]);
        }
        let unknown = sample::check(&guide_path, guide, &self.policy_name(), &schema.settings());
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let filling = Filling { marker: "settings", text: &table };
        let text = guide::fill(&guide_path, guide, &filling, cases)?;
        let text = format!("{}{text}", header(&[&guide_path, &schema_path]));
        let page = Page { path: format!("{FOLDER}/{}.md", self.folder), text };
        let rust = Page { path: format!("{}/{}.rs", settings::FOLDER, self.policy_name()), text: rust };
        Ok(([page, rust], markdown::escape(schema.description())))
    }
}

/// What the page says to whoever wants to edit it.
fn header(sources: &[&str]) -> String {
    format!("<!-- Written by `cargo xtask docs` from {} and tests/cases: edit those. -->\n\n", sources.join(", "))
}

/// The pages of a checkout that can be made, as they are committed, and why the others cannot.
fn made(checkout: &Checkout) -> Result<(Vec<Page>, Vec<Finding>)> {
    let (mut pages, findings) = Sources::read(checkout)?.pages();
    let mut rust: Vec<&mut Page> = pages.iter_mut().filter(|page| page.path.ends_with(".rs")).collect();
    let files: Vec<(&str, &str)> = rust.iter().map(|page| (page.file_name(), page.text.as_str())).collect();
    let texts = rustfmt::formatted(checkout.root(), &files)?;
    for (page, text) in rust.iter_mut().zip(texts) {
        page.text = text;
    }
    Ok((pages, findings))
}

/// Writes every page that can be made and removes those that no guard has.
pub(crate) fn write(checkout: &Checkout) -> Result<()> {
    let (pages, findings) = made(checkout)?;
    for folder in [FOLDER, settings::FOLDER] {
        fs::create_dir_all(checkout.path(folder)).with_context(|| format!("cannot make `{folder}`"))?;
    }
    for page in &pages {
        // A file that is as it should be stays untouched: cargo would build anew what uses it.
        if fs::read_to_string(checkout.path(&page.path)).ok().as_deref() != Some(page.text.as_str()) {
            fs::write(checkout.path(&page.path), &page.text)
                .with_context(|| format!("cannot write `{}`", page.path))?;
        }
        println!("{}", page.path);
    }
    if !findings.is_empty() {
        for finding in &findings {
            println!("{finding}");
        }
        bail!("{} findings: not every page could be made", findings.len());
    }
    for path in surplus(&present(checkout)?, &pages) {
        println!("removing {path}: there is no such guard");
        fs::remove_file(checkout.path(&path)).with_context(|| format!("cannot remove `{path}`"))?;
    }
    Ok(())
}

/// Everything in which the pages differ from what their sources give.
pub(crate) fn check(checkout: &Checkout) -> Result<Vec<Finding>> {
    let (pages, mut findings) = made(checkout)?;
    for page in &pages {
        findings.extend(page.difference(fs::read_to_string(checkout.path(&page.path)).ok().as_deref()));
    }
    if findings.is_empty() {
        let message = "there is no such guard: run `cargo xtask docs`";
        findings.extend(surplus(&present(checkout)?, &pages).iter().map(|path| Finding::new(path, 1, message)));
    }
    Ok(findings)
}

impl Page {
    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// How the committed text differs, if it does.
    fn difference(&self, committed: Option<&str>) -> Option<Finding> {
        let Some(committed) = committed else {
            return Some(Finding::new(&self.path, 1, "the file is missing: run `cargo xtask docs`"));
        };
        if committed == self.text {
            return None;
        }
        let same = self.text.lines().zip(committed.lines()).take_while(|(ours, theirs)| ours == theirs).count();
        let message = "differs from what its sources give: run `cargo xtask docs`";
        Some(Finding::new(&self.path, same.saturating_add(1), message))
    }
}

/// The pages that lie there, from the root: all Markdown, and the Rust that says that it is made.
fn present(checkout: &Checkout) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for (folder, extension, mark) in [(FOLDER, "md", ""), (settings::FOLDER, "rs", settings::MARK)] {
        for entry in fs::read_dir(checkout.path(folder)).with_context(|| format!("cannot list `{folder}`"))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if Path::new(&path).extension().is_none_or(|found| found != extension) {
                continue;
            }
            let text = fs::read_to_string(entry.path()).with_context(|| format!("cannot read `{path}`"))?;
            if text.contains(mark) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn surplus(present: &[String], pages: &[Page]) -> Vec<String> {
    present.iter().filter(|path| !pages.iter().any(|page| page.path == **path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"description":"What calls may cost.","properties":{
        "max_calls_per_minute":{"description":"M.","type":"integer","minimum":0,"default":60},
        "max_calls_per_session":{"description":"M.","type":["integer","null"],"minimum":0,"default":null}}}"#;

    fn sources(schema: Option<&str>, guide: &str) -> Sources {
        let case = r#"{"id":"a","policy":{"guards":{}},"steps":[{"at":0,"call":{"function_name":"f","arguments":{}},
            "expect":"allow","level":"must"}]}"#;
        Sources {
            index_guide: Some("# Guards\n\n<!-- guards -->\n".to_owned()),
            guards: vec![GuardTexts {
                folder: "rate-limit".to_owned(),
                guide: Some(guide.to_owned()),
                schema: schema.map(str::to_owned),
            }],
            cases: [Some(case.replace('\n', "")), Some(String::new())],
        }
    }

    #[test]
    fn a_guard_has_a_page_a_type_and_a_row_in_the_index() {
        let (pages, findings) = sources(Some(SCHEMA), "# rate_limit\n\n<!-- settings -->\n").pages();
        assert!(findings.is_empty(), "{findings:?}");
        let paths: Vec<_> = pages.iter().map(|page| page.path.as_str()).collect();
        let rust = "host/agenthalt/src/settings/rate_limit.rs";
        assert_eq!(paths, ["docs/guards/rate-limit.md", rust, "docs/guards/README.md"]);
        assert!(pages[1].text.contains("pub struct RateLimit {"), "{}", pages[1].text);
        assert!(
            pages[2].text.contains("| [`rate_limit`](rate-limit.md) | What calls may cost. |"),
            "{}",
            pages[2].text
        );
    }

    #[test]
    fn a_missing_schema_says_how_to_make_it_and_leaves_the_index_unwritten() {
        let (pages, findings) = sources(None, "# rate_limit\n\n<!-- settings -->\n").pages();
        assert!(pages.is_empty());
        let told: Vec<_> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(
            told,
            ["guards/rate-limit/schema.json:1: the file is missing: \
              `cargo test -p agenthalt-guard-rate-limit -- --ignored write_the_schema`"]
        );
    }

    #[test]
    fn a_guide_begins_with_the_name_that_policies_use() {
        let (_, findings) = sources(Some(SCHEMA), "# Rate limit\n\n<!-- settings -->\n").pages();
        assert_eq!(findings, [Finding::new("guards/rate-limit/guide.md", 1, "the first line is `# rate_limit`")]);
    }

    #[test]
    fn a_page_that_differs_is_found_at_its_first_line_that_does() {
        let page = Page { path: "docs/guards/scope.md".to_owned(), text: "one\ntwo\nthree\n".to_owned() };
        assert_eq!(page.difference(Some("one\ntwo\nthree\n")), None);
        let lines = ["one\nTWO\nthree\n", "one\ntwo\n", ""].map(|text| page.difference(Some(text)));
        let lines = lines.map(|finding| finding.map(|finding| finding.to_string()));
        let message = "differs from what its sources give: run `cargo xtask docs`";
        assert_eq!(lines, [2, 3, 1].map(|line| Some(format!("docs/guards/scope.md:{line}: {message}"))));
        assert!(page.difference(None).is_some());
    }

    #[test]
    fn a_page_without_a_guard_is_surplus() {
        let pages = [Page { path: "docs/guards/scope.md".to_owned(), text: String::new() }];
        let present = ["docs/guards/old.md", "docs/guards/scope.md"].map(str::to_owned);
        assert_eq!(surplus(&present, &pages), ["docs/guards/old.md"]);
    }
}
