//! A console in a pseudo-terminal that answers, times out, closes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use agenthalt::testing;
use agenthalt::{ApprovalFilter, Call, ConsoleApprovalHandler, Evaluation, PolicyEngine, Standing, Verdict};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::stage::*;

/// A pseudo-terminal: this end is the person's, the path is the program's.
struct Terminal {
    person: File,
    path: PathBuf,
    /// Keeps it open while nobody asks.
    _program: File,
}

impl Terminal {
    fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let path = PathBuf::from(ptsname(&person, Vec::new()).unwrap().into_string().unwrap());
        let program = File::options().read(true).write(true).open(&path).unwrap();
        Terminal { person: person.into(), path, _program: program }
    }

    /// Reads up to and with this text.
    fn read_to(&mut self, text: &str) -> String {
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains(text) {
            let mut bytes = [0; 1_024];
            let count = self.person.read(&mut bytes).unwrap();
            read.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8(read).unwrap()
    }

    fn types(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).unwrap();
    }
}

fn engine_at(terminal: &Terminal, timeout: Duration) -> PolicyEngine {
    let engine = testing::engine(MAIL);
    engine.set_approval_handler(ConsoleApprovalHandler::new().terminal(&terminal.path).timeout(timeout)).unwrap();
    engine
}

/// What comes of a call while a person does this at the terminal.
fn judged(
    mut terminal: Terminal,
    timeout: Duration,
    call: &Call,
    does: impl FnOnce(&PolicyEngine, &mut Terminal) + Send,
) -> Evaluation {
    let engine = engine_at(&terminal, timeout);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.evaluate_blocking(call));
        does(&engine, &mut terminal);
        waiting.join().unwrap()
    })
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_clear_yes_and_nothing_else_approves() {
    for (typed, allowed) in [
        ("y\n", true),
        (" YES \n", true),
        ("n\n", false),
        ("\n", false),
        ("yy\n", false),
        ("yes please\n", false),
        ("\u{4}", false),
    ] {
        let evaluation = judged(Terminal::new(), LONG, &mail(), |_, terminal| {
            terminal.read_to("s) ");
            terminal.types(typed);
            terminal.read_to(if allowed { ": approved" } else { ": denied" });
        });
        assert_eq!(evaluation.is_allowed(), allowed, "{typed:?}: {}", evaluation.reason());
    }
}

#[test]
fn the_person_sees_what_would_run_and_no_secret() {
    let arguments = r#"{"to":"ada@example.org","text":"the key is AKIAIOSFODNN7EXAMPLE\u001b[2J"}"#;
    let call = Call { arguments: arguments.into(), ..mail() };
    judged(Terminal::new(), LONG, &call, |_, terminal| {
        let seen = terminal.read_to("s) ");
        for text in ["send_mail", "agent bot", "session monday", "ada@example.org", "risk ", "scope", "[REDACTED]"] {
            assert!(seen.contains(text), "{text}: {seen}");
        }
        assert!(!seen.contains("AKIA") && !seen.contains("\u{1b}"), "{seen}");
        terminal.types("n\n");
    });
}

#[test]
fn the_end_of_the_time_is_a_no() {
    let evaluation = judged(Terminal::new(), Duration::from_millis(300), &mail(), |_, terminal| {
        terminal.read_to("nobody answered within");
    });
    denied_for(&evaluation, "denied by `console`: nobody answered within");
}

#[test]
fn the_end_of_the_input_is_a_no() {
    let terminal = Terminal::new();
    let engine = engine_at(&terminal, LONG);
    let evaluation = thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.evaluate_blocking(&mail()));
        let mut terminal = terminal;
        terminal.read_to("s) ");
        drop(terminal);
        waiting.join().unwrap()
    });
    denied_for(&evaluation, "denied by `console`: the input ended");
}

#[test]
fn without_a_terminal_it_is_a_no() {
    for path in ["/dev/null", "/nowhere/tty"] {
        let engine = testing::engine(MAIL);
        engine.set_approval_handler(ConsoleApprovalHandler::new().terminal(path)).unwrap();
        denied_for(&engine.evaluate_blocking(&mail()), "terminal");
    }
}

#[test]
fn what_was_typed_before_the_question_stood_there_is_no_answer() {
    let mut terminal = Terminal::new();
    terminal.types("y\ny\n");
    let evaluation = judged(terminal, Duration::from_millis(400), &mail(), |_, terminal| {
        terminal.read_to("s) ");
    });
    assert_eq!(evaluation.verdict, Verdict::Deny);
}

#[test]
fn two_questions_stand_there_one_after_another() {
    let mut terminal = Terminal::new();
    let engine = engine_at(&terminal, LONG);
    let call = |to: &str| Call { arguments: format!("{{\"to\":\"{to}\"}}"), ..mail() };
    let verdicts = thread::scope(|scope| {
        let calls: Vec<_> = ["ada", "bea"]
            .into_iter()
            .map(|to| {
                scope.spawn({
                    let (engine, call) = (&engine, call(to));
                    move || (to, engine.evaluate_blocking(&call).verdict)
                })
            })
            .collect();
        for _ in 0..2 {
            let seen = terminal.read_to("s) ");
            assert_eq!(seen.matches("[y/N]").count(), 1);
            // The first one stands alone; what is answered is the one that was shown.
            terminal.types(if seen.contains("\"ada\"") { "y\n" } else { "n\n" });
        }
        calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(verdicts, [("ada", Verdict::Allow), ("bea", Verdict::Deny)]);
}

#[test]
fn an_answer_from_elsewhere_ends_the_prompt() {
    let evaluation = judged(Terminal::new(), LONG, &mail(), |engine, terminal| {
        terminal.read_to("s) ");
        let open = engine.approvals_blocking(&ApprovalFilter::open()).unwrap();
        assert_eq!(engine.approve_blocking(open[0].id, bob()).unwrap(), Standing::Approved);
        terminal.read_to("decided elsewhere");
    });
    assert!(evaluation.is_allowed());
}
