//! Fields at any depth of a JSON tree, found by their folded names. It never changes the tree.

use agenthalt_json::Json;

use crate::{FoldedName, Place};

/// Visits every field of that name at any depth, the outer before the inner, with its place.
///
/// ```
/// use agenthalt_guard::{FoldedName, Json, visit_fields};
/// let json = Json::parse(r#"{"a":[{"EstimatedCost":2}],"estimated_cost":1}"#)?;
/// let mut found = Vec::new();
/// visit_fields(&json, &FoldedName::new("estimated_cost"), &mut |place, _| found.push(place.pointer()));
/// assert_eq!(found, ["/a/0/EstimatedCost", "/estimated_cost"]);
/// # Ok::<(), agenthalt_guard::JsonError>(())
/// ```
pub fn visit_fields<'a>(json: &'a Json, name: &FoldedName, visit: &mut dyn FnMut(&Place<'_>, &'a Json)) {
    visit_from(json, &Place::ROOT, name, visit);
}

/// The depth is bounded: the host refuses a call that nests deeper than 64.
fn visit_from<'a>(json: &'a Json, at: &Place<'_>, name: &FoldedName, visit: &mut dyn FnMut(&Place<'_>, &'a Json)) {
    match json {
        Json::Object(object) => {
            for (key, value) in object.iter() {
                let here = at.key(key);
                if name.meets(key) {
                    visit(&here, value);
                }
                visit_from(value, &here, name, visit);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit_from(item, &at.index(index), name, visit);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
