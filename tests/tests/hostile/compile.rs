//! Components that cost far more to compile than they weigh: refused by a look at their structure in
//! this process, and by limits on time and memory in a child.

use std::path::PathBuf;

use agenthalt::{CompileLimits, CompilerProcess, Fault, Sandbox};

use crate::guest::{GOOD, Guest, Place};
use crate::stage::{Stage, assert_never_serves};

fn with_function(body: &str) -> Vec<u8> {
    Guest::default().with(Place::Module, format!("(func {body})")).component()
}

const LOOP: &str = "loop local.get 0 i32.const 3 i32.add local.set 0 ";
const END: &str = "local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end ";

/// 2,000 loops within each other.
fn loops() -> Vec<u8> {
    with_function(&format!("(local i32) {}{}", LOOP.repeat(2_000), END.repeat(2_000)))
}

/// 20,000 loops behind each other.
fn loops_in_a_row() -> Vec<u8> {
    with_function(&format!("(local i32) {}", format!("{LOOP}{END}").repeat(20_000)))
}

const BRANCH: &str = "block local.get 0 br_if 0 ";

/// 20,000 blocks within each other.
fn blocks() -> Vec<u8> {
    with_function(&format!("(local i32) {}{}", BRANCH.repeat(20_000), "end ".repeat(20_000)))
}

/// 80,000 blocks behind each other.
fn blocks_in_a_row() -> Vec<u8> {
    with_function(&format!("(local i32) {}", format!("{BRANCH}end ").repeat(80_000)))
}

/// A module of 50,000 functions, each exported.
fn exports() -> Vec<u8> {
    let functions = |number| format!("(func (export \"e{number}\") (param i32) (result i32) local.get 0)");
    Guest::default().with(Place::Module, (0..50_000).map(functions).collect::<String>()).component()
}

/// 25 modules with one function each, exported by 1,000 names.
fn names() -> Vec<u8> {
    let exports: String = (0..1_000).map(|number| format!("(export \"e{number}\" (func 0))")).collect();
    let module = format!("(core module (func) {exports})");
    wat::parse_str(format!("(component {})", module.repeat(25))).unwrap()
}

/// 25 modules of 1,000 functions each.
fn modules() -> Vec<u8> {
    let module = format!("(core module {})", "(func (param i32) (result i32) local.get 0)".repeat(1_000));
    wat::parse_str(format!("(component {})", module.repeat(25))).unwrap()
}

/// One component that calls another in 100 ways.
fn callers() -> Vec<u8> {
    let lower = "(core func (canon lower (func $f)))".repeat(100);
    wat::parse_str(format!(
        "(component
            (component $a
                (core module $m (func (export \"f\")))
                (core instance $i (instantiate $m))
                (func (export \"f\") (canon lift (core func $i \"f\"))))
            (component $b (import \"f\" (func $f)) {lower})
            (instance $a (instantiate $a))
            (instance (instantiate $b (with \"f\" (func $a \"f\")))))"
    ))
    .unwrap()
}

/// Components that hold the one before twice: what is made doubles with each.
fn doubling(deep: usize, leaf: &str) -> Vec<u8> {
    let mut text = format!("(component (component $c0 {leaf})");
    for level in 1..=deep {
        let below = level - 1;
        text += &format!(
            "(component $c{level} (alias outer 1 $c{below} (component $x))
                (instance (instantiate $x)) (instance (instantiate $x)))"
        );
    }
    wat::parse_str(text + &format!("(instance (instantiate $c{deep})))")).unwrap()
}

const LEAF: &str = "(core module $m (func (export \"f\"))) (core instance (instantiate $m))";

fn failed(said: &str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::FailedToCompile(text) if text.contains(said))
}

#[test]
fn nested_loops_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &loops(), "", failed("64 loops"));
}

#[test]
fn nested_blocks_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &blocks(), "", failed("5000 blocks"));
}

#[test]
fn many_exports_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &exports(), "", failed("more than 20000 items"));
}

#[test]
fn many_exports_in_many_modules_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &names(), "", failed("more than 20000 items"));
}

#[test]
fn many_functions_in_many_modules_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &modules(), "", failed("20000 functions"));
}

#[test]
fn components_that_call_each_other_much_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &callers(), "", failed("64 ways"));
}

#[test]
fn doubling_instances_are_refused_by_their_structure() {
    assert_never_serves(&Stage::new(), &doubling(24, LEAF), "", failed("component instances"));
}

#[test]
fn many_loops_and_blocks_in_a_row_are_refused_by_their_structure() {
    for guest in [loops_in_a_row(), blocks_in_a_row()] {
        assert_never_serves(&Stage::new(), &guest, "", failed("too large"));
    }
}

#[test]
fn many_functions_with_many_loops_are_refused_by_their_structure() {
    let nest = format!("(func (local i32) {}{})", LOOP.repeat(60), END.repeat(60)).repeat(400);
    let guest = Guest::default().with(Place::Module, nest).component();
    assert_never_serves(&Stage::new(), &guest, "", failed("too large"));
}

#[test]
fn long_code_is_refused_by_its_structure() {
    let long = "nop ".repeat(2_100_000);
    assert_never_serves(&Stage::new(), &with_function(&long), "", failed("too large"));
}

#[test]
fn doubled_core_instances_are_refused() {
    // 900 instances, doubled seven times: cheap to compile, and more than may ever be made.
    let leaf = format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(900));
    assert_never_serves(&Stage::new(), &doubling(7, &leaf), "", |fault| {
        matches!(fault, Fault::FailedToCompile(_) | Fault::Incompatible(_))
    });
}

/// The command line's own compiler, which lies beside the test programs' folder.
fn child() -> CompilerProcess {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program: PathBuf = folder.join(format!("agenthalt{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "the command line is not built: run `cargo build -p agenthalt-cli` first, it makes `{}`",
        program.display()
    );
    CompilerProcess::new(program, ["compile-component"])
}

fn limited(seconds: u64, mebibytes: u64) -> Stage {
    let limits = CompileLimits::new(seconds, mebibytes << 20).unwrap();
    Stage::on(Sandbox::builder().compiler(child()).compile_limits(limits).build().unwrap())
}

#[test]
fn a_child_compiles_what_the_host_would() {
    let stage = limited(30, 2_048);
    stage.assert_serves_others();
    assert_eq!((stage.sandbox.compiled(), stage.sandbox.take_notices()), (1, Vec::new()));
}

#[test]
fn a_child_says_what_is_no_component() {
    let is_right = |fault: &Fault| matches!(fault, Fault::NotAComponent(text) if !text.is_empty());
    assert_never_serves(&limited(30, 2_048), b"nonsense", "", is_right);
    assert_never_serves(&limited(30, 2_048), &GOOD[..GOOD.len() / 2], "", is_right);
}

#[test]
fn nested_loops_are_stopped_in_the_child() {
    assert_never_serves(&limited(3, 1_024), &loops(), "", failed("3 s"));
}

#[test]
fn nested_blocks_are_stopped_in_the_child() {
    assert_never_serves(&limited(3, 1_024), &blocks(), "", failed(""));
}

#[test]
fn many_exports_are_stopped_in_the_child() {
    assert_never_serves(&limited(3, 256), &exports(), "", failed("256 MiB"));
}

#[test]
fn doubling_instances_are_stopped_in_the_child() {
    assert_never_serves(&limited(3, 512), &doubling(24, LEAF), "", failed("512 MiB"));
}

#[test]
fn a_compiler_that_does_not_start_or_answer_denies() {
    for program in ["/nowhere/agenthalt", "/bin/true", "/bin/false"] {
        let none: [&str; 0] = [];
        let sandbox = Sandbox::builder().compiler(CompilerProcess::new(program, none)).build().unwrap();
        let stage = Stage::on(sandbox);
        let engine = stage.engine(&[("unlucky", &GOOD, "")]);
        assert!(matches!(&engine.faults()[..], [(_, Fault::FailedToCompile(_))]), "{:?}", engine.faults());
        crate::stage::assert_faulty(&crate::stage::judge(&engine, "plain"), "unlucky", failed("compiler"));
    }
}

#[test]
fn code_from_a_compiler_that_is_none_is_not_run() {
    let compiler = CompilerProcess::new("/bin/echo", ["no code"]);
    let stage = Stage::on(Sandbox::builder().compiler(compiler).build().unwrap());
    let engine = stage.engine(&[("unlucky", &GOOD, "")]);
    crate::stage::assert_faulty(&crate::stage::judge(&engine, "plain"), "unlucky", failed(""));
}
