//! The example in Slack's form: a chat that gets the message and signs the button, and somebody who does not.

use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::webhook::{address, now, respond};

const SECRET: &str = "the signing secret of the app";

/// The form that Slack sends when a button is pressed.
fn pressed(action: &str, id: &str) -> String {
    let payload = json!({
        "type": "block_actions",
        "user": {"id": "U024BE7LH", "username": "ann"},
        "actions": [{"action_id": action, "value": id}],
    });
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// Sends a form under a signature by this secret, and gives the status and text that come back.
fn send(to: SocketAddr, secret: &str, seconds: u64, form: &str) -> String {
    let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    code.update(format!("v0:{seconds}:{form}").as_bytes());
    let digits: String = code.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: desk\r\nconnection: close\r\ncontent-length: {}\r\nX-Slack-Request-Timestamp: {seconds}\r\n\
         X-Slack-Signature: v0={digits}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What the example says in the end, where a chat does this with the message.
fn run(does: impl FnOnce(SocketAddr, &Value, &str)) -> String {
    let program = env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("slack");
    assert!(program.is_file(), "run `cargo build -p agenthalt --examples` first");
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    std::fs::write(&policy, "guards: {scope: {require_approval_functions: ['issue_*']}}").unwrap();
    let (sender, messages) = mpsc::channel();
    let (chat, _) = address(move |_, request, stream| {
        sender.send(request.json()).unwrap();
        respond(stream, "200 OK", "", "ok");
    });
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(program);
    command.arg(policy).args(["issue_refund", r#"{"order": 4711, "key": "AKIAIOSFODNN7EXAMPLE"}"#]);
    command.env("SLACK_WEBHOOK_URL", format!("http://{chat}/services/x")).env("SLACK_SIGNING_SECRET", SECRET);
    let child = command.env("LISTEN", listen.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let message = messages.recv_timeout(Duration::from_secs(60)).unwrap();
    let id = message["blocks"][2]["elements"][0]["value"].as_str().unwrap();
    does(listen, &message, id);
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_button_that_is_pressed_lets_the_call_run() {
    let said = run(|desk, message, id| {
        let shown = message["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(shown.contains("issue_refund") && shown.contains("[REDACTED]"), "{shown}");
        assert!(!message.to_string().contains("AKIA"));
        let answer = send(desk, SECRET, now(), &pressed("yes", id));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("is approved"), "{answer}");
    });
    assert!(said.starts_with("allow"), "{said}");
}

#[test]
fn what_the_chat_has_not_signed_just_now_is_no_answer() {
    let said = run(|desk, _, id| {
        for (secret, seconds, form) in [
            ("another secret", now(), pressed("yes", id)),
            (SECRET, now() - 301, pressed("yes", id)),
            (SECRET, now(), "payload=%7B%7D".to_owned()),
            (SECRET, now(), pressed("maybe", id)),
        ] {
            let answer = send(desk, secret, seconds, &form);
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        }
        let other = send(desk, SECRET, now(), &pressed("yes", "ap-0123456789abcdef"));
        assert!(other.contains("there is no question"), "{other}");
        let answer = send(desk, SECRET, now(), &pressed("no", id));
        assert!(answer.ends_with("is denied"), "{answer}");
    });
    assert!(said.starts_with("deny") && said.contains("denied by `ann`"), "{said}");
}
