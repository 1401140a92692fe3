//! A webhook that answers, is slow, dead, replayed, badly signed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agenthalt::testing;
use agenthalt::{
    ApprovalFilter, Call, Evaluation, PolicyEngine, Standing, Verdict, WebhookApprovalHandler, WebhookSecret,
};
use serde_json::{Value, json};

use crate::stage::*;

const SHORT: Duration = Duration::from_millis(10);

fn secret() -> WebhookSecret {
    WebhookSecret::new(b"thirty-two bytes that nobody has").unwrap()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A request as it came.
pub(crate) struct Request {
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => headers.push(line.to_owned()),
            }
        }
        let mut request = Request { headers, body: Vec::new() };
        request.body = vec![0; request.header("content-length").unwrap().parse().unwrap()];
        reader.read_exact(&mut request.body).unwrap();
        request
    }

    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ String| line.to_lowercase().starts_with(&format!("{name}:"));
        self.headers.iter().find(|line| named(line)).and_then(|line| Some(line.split_once(':')?.1.trim()))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }
}

/// An address that does this with every request, and how many came.
pub(crate) fn address(
    does: impl Fn(usize, Request, &mut TcpStream) + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, came) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = came.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let request = Request::read(&stream);
            does(number, request, &mut stream);
        }
    });
    (address, came)
}

/// Who asked may have gone; that is no failure of the address.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn signed(secret: &WebhookSecret, seconds: u64, body: &str) -> String {
    let signature = secret.sign(seconds, body.as_bytes());
    format!("agenthalt-timestamp: {seconds}\r\nagenthalt-signature: {signature}\r\n")
}

fn yes(id: &str) -> String {
    json!({"id": id, "approved": true, "approver": "ann", "account": "ann@example.org"}).to_string()
}

/// Gives an answer that is signed as it ought to be.
fn answer(stream: &mut TcpStream, body: &str) {
    respond(stream, "200 OK", &signed(&secret(), now(), body), body);
}

fn engine_at(address: SocketAddr) -> PolicyEngine {
    engine_with(address, Duration::from_secs(20))
}

/// Its handler lets an attempt take so long.
fn engine_with(address: SocketAddr, timeout: Duration) -> PolicyEngine {
    let engine = testing::engine(MAIL);
    let handler = WebhookApprovalHandler::new(format!("http://{address}/questions"), secret());
    engine.set_approval_handler(handler.timeout(timeout).attempts(3, SHORT)).unwrap();
    engine
}

/// What comes of a call whose question is put to an address that does this, and how often it was put.
fn judged(does: impl Fn(usize, Request, &mut TcpStream) + Send + 'static) -> (Evaluation, usize) {
    let (address, came) = address(does);
    (engine_at(address).evaluate_blocking(&mail()), came.load(Ordering::SeqCst))
}

#[test]
fn a_signed_yes_lets_the_call_run_and_a_signed_no_does_not() {
    let (evaluation, came) = judged(|_, request, stream| answer(stream, &yes(&request.id())));
    assert_eq!((evaluation.verdict, came), (Verdict::Allow, 1));
    let (evaluation, _) = judged(|_, request, stream| {
        let id = request.id();
        answer(stream, &json!({"id": id, "approved": false, "approver": "ann", "reason": "no mail"}).to_string());
    });
    denied_for(&evaluation, "denied by `ann`: no mail");
}

#[test]
fn what_is_put_is_signed_and_holds_no_secret() {
    let (address, _) = address(|_, request, stream| {
        let seconds = request.header("agenthalt-timestamp").unwrap().parse().unwrap();
        let signature = request.header("agenthalt-signature").unwrap();
        secret().verify(seconds, signature, &request.body, now()).unwrap();
        let question = request.json();
        assert_eq!(question["arguments"], json!({"text": "the key is [REDACTED]"}));
        assert_eq!((&question["function_name"], &question["standing"]), (&json!("send_mail"), &json!("pending")));
        assert!(!String::from_utf8(request.body.clone()).unwrap().contains("AKIA"));
        answer(stream, &yes(&request.id()));
    });
    let call = Call { arguments: r#"{"text":"the key is AKIAIOSFODNN7EXAMPLE"}"#.into(), ..mail() };
    assert!(engine_at(address).evaluate_blocking(&call).is_allowed());
}

#[test]
fn an_answer_that_is_not_signed_as_it_ought_to_be_denies_and_is_not_asked_for_again() {
    type Does = fn(usize, Request, &mut TcpStream);
    let cases: [(&str, Does); 8] = [
        ("its answer is not signed", |_, request, stream| respond(stream, "200 OK", "", &yes(&request.id()))),
        ("not that of this text", |_, request, stream| {
            let other = WebhookSecret::new(b"another secret of another desk!!").unwrap();
            let body = yes(&request.id());
            respond(stream, "200 OK", &signed(&other, now(), &body), &body);
        }),
        ("not that of this text", |_, request, stream| {
            let headers = signed(&secret(), now(), &yes(&request.id()).replace("true", "false"));
            respond(stream, "200 OK", &headers, &yes(&request.id()));
        }),
        ("not that of this text", |_, request, stream| {
            // The question's own signature is none of an answer.
            let (seconds, signature) =
                (request.header("agenthalt-timestamp").unwrap(), request.header("agenthalt-signature").unwrap());
            let headers = format!("agenthalt-timestamp: {seconds}\r\nagenthalt-signature: {signature}\r\n");
            respond(stream, "200 OK", &headers, &yes(&request.id()));
        }),
        ("its answer is none", |_, request, stream| {
            // The question given back as it came is signed, and no answer.
            let body = String::from_utf8(request.body.clone()).unwrap();
            respond(stream, "200 OK", &signed(&secret(), now(), &body), &body);
        }),
        ("not from now", |_, request, stream| {
            let body = yes(&request.id());
            respond(stream, "200 OK", &signed(&secret(), now() - 301, &body), &body);
        }),
        ("not from now", |_, request, stream| {
            let body = yes(&request.id());
            respond(stream, "200 OK", &signed(&secret(), now() + 400, &body), &body);
        }),
        ("one to another question", |_, _, stream| answer(stream, &yes("ap-0123456789abcdef"))),
    ];
    for (why, does) in cases {
        let (evaluation, came) = judged(does);
        denied_for(&evaluation, why);
        assert_eq!(came, 1, "{why}");
    }
}

#[test]
fn an_answer_that_is_replayed_answers_no_other_question() {
    let first: Arc<std::sync::Mutex<Option<(String, String)>>> = Arc::default();
    let (address, _) = address(move |_, request, stream| {
        let mut first = first.lock().unwrap();
        let body = yes(&request.id());
        let (headers, body) = first.get_or_insert_with(|| (signed(&secret(), now(), &body), body)).clone();
        respond(stream, "200 OK", &headers, &body);
    });
    let engine = engine_at(address);
    assert!(engine.evaluate_blocking(&mail()).is_allowed());
    denied_for(&engine.evaluate_blocking(&mail()), "one to another question");
}

#[test]
fn what_is_no_answer_denies() {
    let bodies = [
        ("its answer is none", "{".to_owned()),
        ("its answer is none", "[]".to_owned()),
        ("its answer is none", r#"{"id":"ID","approved":"yes","approver":"ann"}"#.to_owned()),
        ("its answer is none", r#"{"id":"ID","approved":true}"#.to_owned()),
        ("its answer is none", r#"{"id":"ID","approved":true,"approver":"ann","unless":"it rains"}"#.to_owned()),
        ("its answer is none", r#"{"id":"ID","approved":false,"approved":true,"approver":"ann"}"#.to_owned()),
        ("not known here", r#"{"id":"ID","approved":true,"approver":"ann","conditions":{"at_most":"5"}}"#.to_owned()),
        ("larger than", format!(r#"{{"id":"ID","approved":true,"approver":"{}"}}"#, "a".repeat(100_000))),
    ];
    for (why, body) in bodies {
        let (evaluation, came) = judged(move |_, request, stream| answer(stream, &body.replace("ID", &request.id())));
        denied_for(&evaluation, why);
        assert_eq!(came, 1, "{why}");
    }
}

#[test]
fn an_address_that_fails_for_now_is_tried_again() {
    for status in ["500 Oops", "503 Busy", "429 Slowly", "408 Late"] {
        let (evaluation, came) = judged(move |number, request, stream| match number {
            1 => respond(stream, status, "", ""),
            2 => drop(stream.shutdown(std::net::Shutdown::Both)),
            _ => answer(stream, &yes(&request.id())),
        });
        assert_eq!((evaluation.verdict, came), (Verdict::Allow, 3), "{status}: {}", evaluation.reason());
    }
    let (evaluation, came) = judged(|_, _, stream| respond(stream, "500 Oops", "", ""));
    denied_for(&evaluation, "the address gave status 500, in 3 attempts");
    assert_eq!(came, 3);
}

#[test]
fn an_address_that_refuses_is_not_tried_again() {
    for status in ["404 Nowhere", "401 Who", "204 Empty", "302 Elsewhere"] {
        let headers = "location: http://127.0.0.1:1/\r\n";
        let (evaluation, came) = judged(move |_, _, stream| respond(stream, status, headers, ""));
        denied_for(&evaluation, "the address gave status");
        assert_eq!(came, 1, "{status}");
    }
}

#[test]
fn an_address_that_is_dead_denies() {
    // Nobody listens where somebody just did.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    denied_for(&engine_at(address).evaluate_blocking(&mail()), "cannot be reached");
    let engine = testing::engine(MAIL);
    let handler = WebhookApprovalHandler::new("no address", secret()).attempts(2, SHORT);
    engine.set_approval_handler(handler).unwrap();
    denied_for(&engine.evaluate_blocking(&mail()), "the handler failed");
}

#[test]
fn an_address_that_is_slow_denies() {
    let impatient = |address| engine_with(address, Duration::from_millis(300)).evaluate_blocking(&mail());
    let (silent, _) = address(|_, _, _| thread::sleep(Duration::from_millis(400)));
    denied_for(&impatient(silent), "in 3 attempts");
    // One that gives a byte now and then is slow as well.
    let (dripping, _) = address(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        for _ in 0..10 {
            let _ = stream.write_all(b"{");
            thread::sleep(Duration::from_millis(100));
        }
    });
    denied_for(&impatient(dripping), "in 3 attempts");
}

#[test]
fn an_answer_may_come_later_by_another_way() {
    let (address, _) = address(|_, _, stream| respond(stream, "202 Accepted", "", ""));
    let engine = engine_at(address);
    let evaluation = thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.evaluate_blocking(&mail()));
        let id = loop {
            match engine.approvals_blocking(&ApprovalFilter::open()).unwrap().first() {
                Some(open) => break open.id,
                None => thread::sleep(SHORT),
            }
        };
        engine.approve_blocking(id, ann()).unwrap();
        waiting.join().unwrap()
    });
    assert!(evaluation.is_allowed());
    let handler = WebhookApprovalHandler::new(format!("http://{address}/"), secret()).wait(SHORT);
    engine.set_approval_handler(handler).unwrap();
    let evaluation = engine.evaluate_blocking(&mail());
    assert_eq!(evaluation.verdict, Verdict::RequireApproval, "nobody answered, so it goes on waiting");
    assert_eq!(standing(&engine, evaluation.approval.unwrap()), Standing::Pending);
}

#[test]
fn a_secret_is_long_enough_and_never_shows() {
    assert!(WebhookSecret::new(b"fifteen bytes..").is_err());
    assert_eq!(format!("{:?}", secret()), "WebhookSecret");
    for signature in ["", "v1=", "v1=zz", "v2=00", "v1=0", "v1=é"] {
        assert!(secret().verify(now(), signature, b"", now()).is_err(), "{signature}");
    }
}
