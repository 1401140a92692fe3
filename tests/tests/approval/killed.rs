//! Processes that are killed between question, answer and execution, at every step, and go on.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agenthalt::{Approval, ApprovalFilter, Call, CounterFilter, PolicyEngine, Sandbox, Standing, State};

use crate::stage::{ann, standing};

const ORDER: &str = "AGENTHALT_APPROVAL_TEST_ORDER";
const FILE: &str = "AGENTHALT_APPROVAL_TEST_FILE";
const POLICY: &str = "guards: {purchase: {max_daily_purchases: 1000, require_approval_above: 50}}";

fn buy(number: usize) -> Call {
    Call::new("purchase_item", format!("{{\"amount\":60,\"item\":{number}}}")).id(format!("call-{number}"))
}

fn open(file: &Path) -> PolicyEngine {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guards");
    let sandbox = Sandbox::builder().cache(folder).build().unwrap();
    let builder = PolicyEngine::builder().sandbox(sandbox).policy_text(POLICY, "");
    builder.state(State::File(file.to_owned())).build().unwrap()
}

/// Lets a child do one thing with a call and kills it as soon as it has said so, or at once.
fn kill(order: &str, number: usize, file: &Path, at_once: bool) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "killed::as_child", "--nocapture"]).stdout(Stdio::piped());
    let mut child = command.env(ORDER, format!("{order} {number}")).env(FILE, file).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let wanted = if at_once { "begin" } else { "done" };
    let heard = said.lines().map_while(Result::ok).any(|line| line == wanted);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(heard, "the child never said that");
}

fn spent(engine: &PolicyEngine) -> i64 {
    let counters = engine.counters_blocking(&CounterFilter::default()).unwrap();
    counters.iter().filter(|it| it.counter == "daily_purchases").filter_map(|it| it.reading).sum()
}

fn questions(engine: &PolicyEngine) -> Vec<Approval> {
    engine.approvals_blocking(&ApprovalFilter::default()).unwrap()
}

#[test]
fn a_process_may_die_between_any_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    kill("ask", 1, &file, false);
    let [pending] = questions(&open(&file)).try_into().unwrap();
    assert_eq!((pending.standing, pending.asked.call_id.as_str()), (Standing::Pending, "call-1"));
    kill("approve", 1, &file, false);
    assert_eq!(standing(&open(&file), pending.id), Standing::Approved);
    kill("run", 1, &file, false);
    let engine = open(&file);
    assert_eq!((standing(&engine, pending.id), spent(&engine)), (Standing::Used, 60_000_000));
    // Who did not live to run the call hears the same again, and nothing is charged for it.
    let again = engine.evaluate_blocking(&buy(1));
    assert!(again.is_allowed() && again.repeats);
    assert_eq!(spent(&engine), 60_000_000);
}

#[test]
fn a_process_that_dies_within_a_step_has_done_it_or_has_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let mut done = [0; 3];
    for number in 1..=30 {
        kill("ask", number, &file, true);
        let engine = open(&file);
        let asked: Vec<Approval> =
            questions(&engine).into_iter().filter(|it| it.asked.call_id == format!("call-{number}")).collect();
        done[0] += asked.len();
        assert!(asked.len() <= 1);
        let id = engine.evaluate_blocking(&buy(number)).approval.unwrap();
        assert!(asked.iter().all(|asked| asked.id == id), "it is asked once");
        drop(engine);
        kill("approve", number, &file, true);
        let engine = open(&file);
        match standing(&engine, id) {
            Standing::Approved => done[1] += 1,
            Standing::Pending => assert_eq!(engine.approve_blocking(id, ann()).unwrap(), Standing::Approved),
            other => panic!("{other}"),
        }
        let before = spent(&engine);
        drop(engine);
        kill("run", number, &file, true);
        let engine = open(&file);
        let (ran, now) = (standing(&engine, id) == Standing::Used, spent(&engine));
        done[2] += usize::from(ran);
        assert_eq!(now - before, if ran { 60_000_000 } else { 0 }, "the yes is used with its charge");
        let last = engine.evaluate_blocking(&buy(number));
        assert_eq!((last.is_allowed(), last.repeats), (true, ran));
        assert_eq!((spent(&engine) - before, standing(&engine, id)), (60_000_000, Standing::Used));
        // Room for the next one.
        engine.settle_blocking(&last.call_id, agenthalt::Outcome::not_started()).unwrap();
    }
    println!("done before the end: {done:?} of 30");
}

/// What a child does; without an order there is nothing to do.
#[test]
fn as_child() {
    let (Ok(order), Some(file)) = (env::var(ORDER), env::var_os(FILE)) else { return };
    let (order, number) = order.split_once(' ').unwrap();
    let call = buy(number.parse().unwrap());
    let engine = open(&PathBuf::from(file));
    let say = |word: &str| std::io::stdout().write_all(format!("\n{word}\n").as_bytes()).unwrap();
    say("begin");
    match order {
        "ask" => assert!(engine.evaluate_blocking(&call).needs_approval()),
        "approve" => {
            let open = engine.approvals_blocking(&ApprovalFilter::open()).unwrap();
            let id = open.iter().find(|approval| Some(&approval.asked.call_id) == call.id.as_ref()).unwrap().id;
            engine.approve_blocking(id, ann()).unwrap();
        }
        "run" => assert!(engine.evaluate_blocking(&call).is_allowed()),
        other => panic!("{other}"),
    }
    say("done");
    // The parent ends this.
    std::thread::sleep(std::time::Duration::from_secs(60));
}
