//! Components that are not of the contract: another version, other types, imports, no component at all.
//! Each keeps its seat and denies.

use agenthalt::Fault;

use crate::guest::{GOOD, Guest, Place};
use crate::stage::{Stage, assert_faulty, assert_never_serves, assert_serves, judge};

fn incompatible(fault: &Fault) -> bool {
    matches!(fault, Fault::Incompatible(text) if !text.is_empty())
}

fn no_component(fault: &Fault) -> bool {
    matches!(fault, Fault::NotAComponent(text) if !text.is_empty())
}

#[test]
fn another_version_of_the_contract_is_incompatible() {
    for version in ["0.2.0", "1.0.0", "0.0.1"] {
        let guest = Guest::default().version(version).component();
        assert_never_serves(&Stage::new(), &guest, "", incompatible);
    }
}

#[test]
fn a_missing_function_is_incompatible() {
    let guest = Guest::default().contract("schema: func() -> string;", "").component();
    assert_never_serves(&Stage::new(), &guest, "", incompatible);
}

#[test]
fn a_component_that_exports_nothing_is_incompatible() {
    let empty = wat::parse_str("(component)").unwrap();
    assert_never_serves(&Stage::new(), &empty, "", incompatible);
}

#[test]
fn a_function_in_the_place_of_the_interface_is_incompatible() {
    let guest = wat::parse_str(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "judge") (canon lift (core func $i "f"))))"#,
    );
    assert_never_serves(&Stage::new(), &guest.unwrap(), "", incompatible);
}

#[test]
fn types_that_differ_are_incompatible() {
    for (from, to) in [
        ("        phase: phase,\n", "        phase: phase,\n        more: string,\n"),
        ("        charges: list<charge>,\n", "        charges: list<charge>,\n        more: option<string>,\n"),
        ("enum verdict {", "enum verdict { perhaps,"),
        ("risk: f64", "risk: f32"),
        ("        amount: s64,\n", "        amount: u64,\n"),
        ("schema: func() -> string;", "schema: func() -> result<string>;"),
    ] {
        let guest = Guest::default().contract(from, to).component();
        assert_never_serves(&Stage::new(), &guest, "", incompatible);
    }
}

#[test]
fn a_function_of_the_host_is_a_forbidden_import() {
    let guest = Guest::default()
        .contract("    export judge;", "    import log: func(text: string);\n    export judge;")
        .with(Place::Imports, r#"(import "$root" "log" (func $log (param i32 i32)))"#)
        .with(Place::Special, "(call $log (i32.const 0) (i32.const 0))");
    let is_named = |fault: &Fault| *fault == Fault::ForbiddenImport("`log`".to_owned());
    assert_never_serves(&Stage::new(), &guest.component(), "", is_named);
}

#[test]
fn wasi_is_a_forbidden_import() {
    let guest = Guest::default()
        .contract("    export judge;", "    import wasi:cli/environment@0.2.0;\n    export judge;")
        .with(Place::Imports, r#"(import "wasi:cli/environment@0.2.0" "get-environment" (func $env (param i32)))"#)
        .with(Place::Special, "(call $env (i32.const 4096))");
    let is_named = |fault: &Fault| *fault == Fault::ForbiddenImport("`wasi:cli/environment@0.2.0`".to_owned());
    assert_never_serves(&Stage::new(), &guest.component(), "", is_named);
}

#[test]
fn an_import_of_types_alone_is_forbidden_too() {
    let guest = wat::parse_str(r#"(component (import "t" (type (sub resource))))"#).unwrap();
    assert_never_serves(&Stage::new(), &guest, "", |fault| matches!(fault, Fault::ForbiddenImport(_)));
}

#[test]
fn a_core_module_is_no_component() {
    assert_never_serves(&Stage::new(), &Guest::default().core_module(), "", no_component);
}

#[test]
fn text_is_no_component() {
    assert_never_serves(&Stage::new(), b"(component)", "", no_component);
    assert_never_serves(&Stage::new(), Guest::default().wat().as_bytes(), "", no_component);
}

#[test]
fn an_empty_file_is_no_component() {
    assert_never_serves(&Stage::new(), b"", "", no_component);
}

#[test]
fn an_invalid_module_inside_is_no_component() {
    // `i32.add` without operands; the text format does not mind.
    let guest = wat::parse_str("(component (core module (func (result i32) i32.add)))").unwrap();
    assert_never_serves(&Stage::new(), &guest, "", no_component);
}

#[test]
fn features_that_hosts_may_answer_differently_are_not_taken() {
    for what in
        ["(memory i64 1)", "(func (result v128) (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))"]
    {
        let guest = wat::parse_str(format!("(component (core module {what}))")).unwrap();
        assert_never_serves(&Stage::new(), &guest, "", no_component);
    }
}

#[test]
fn a_missing_file_keeps_its_seat() {
    let stage = Stage::new();
    let engine = stage.engine_of("guards:\n  hostile: { component: nowhere.wasm }\n").unwrap();
    let [(name, Fault::Missing(text))] = &engine.faults()[..] else { panic!("it is missing") };
    assert!(name == "hostile" && text.contains("nowhere.wasm"), "{name}: {text}");
    let is_missing = |fault: &Fault| matches!(fault, Fault::Missing(_));
    assert_faulty(&judge(&engine, "plain"), "hostile", is_missing);
    stage.assert_serves_others();
}

#[test]
fn a_folder_in_the_place_of_the_file_keeps_its_seat() {
    let stage = Stage::new();
    let engine = stage.engine_of("guards:\n  hostile: { component: '.' }\n").unwrap();
    let is_missing = |fault: &Fault| matches!(fault, Fault::Missing(_));
    assert_faulty(&judge(&engine, "plain"), "hostile", is_missing);
    stage.assert_serves_others();
}

#[test]
fn another_digest_than_the_pinned_one_keeps_its_seat() {
    let pinned = agenthalt::Digest::of(b"another component").to_string();
    let found = agenthalt::Digest::of(&GOOD).to_string();
    let more = format!("sha256: '{pinned}'");
    let is_right = |fault: &Fault| *fault == Fault::WrongDigest { pinned: pinned.clone(), found: found.clone() };
    assert_never_serves(&Stage::new(), &GOOD, &more, is_right);
}

#[test]
fn exports_that_a_toolchain_adds_are_not_called() {
    let guest = Guest::default()
        .contract("    export judge;", "    export judge;\n    export run: func();")
        .with(Place::Module, r#"(func (export "run") (unreachable))"#);
    let stage = Stage::new();
    let engine = stage.engine(&[("chatty", &guest.component(), "")]);
    assert_eq!(engine.faults(), []);
    assert_serves(&engine, 0);
}
