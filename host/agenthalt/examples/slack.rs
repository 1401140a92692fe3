//! Puts questions to a chat in Slack's form: a message with two buttons, and the signed answer of the button that was
//! pressed. It judges one call, given as a JSON object of arguments, and tells what came of it.
//!
//! ```sh
//! export SLACK_WEBHOOK_URL=https://hooks.slack.com/services/...   # an incoming webhook of the app
//! export SLACK_SIGNING_SECRET=...                                 # of the app, under "Basic Information"
//! export LISTEN=127.0.0.1:3000                                    # where the app's "Interactivity" leads to
//! cargo run -p agenthalt --example slack -- policy.yaml issue_refund '{"order": 4711}'
//! ```

use std::env;
use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use agenthalt::{
    Approval, ApprovalId, ApprovalResponse, Approver, Call, CallbackApprovalHandler, HandlerError, PolicyEngine,
    StoredApprovalHandler,
};
use agenthalt::{ApprovalHandler, ApprovalRequest};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tiny_http::{Request, Response, Server};

/// How many seconds old a signature may be.
const MOST_AGE: u64 = 300;
/// The most bytes of an answer.
const MOST_BYTES: u64 = 64 << 10;
/// The most characters of a question that one block of a message takes.
const MOST_TEXT: usize = 2_800;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let usage = "name a policy, a function and its arguments";
    let (policy, function) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let call = Call::new(function, arguments.next().ok_or(usage)?).agent("assistant");
    let url = env::var("SLACK_WEBHOOK_URL")?;
    let secret = env::var("SLACK_SIGNING_SECRET")?;
    let server = Server::http(env::var("LISTEN")?).map_err(|error| error.to_string())?;

    let engine = PolicyEngine::from_policy_file(policy)?;
    let receiver = engine.clone();
    thread::spawn(move || server.incoming_requests().for_each(|request| receive(&receiver, &secret, request)));
    engine.set_approval_handler(slack(url))?;
    let evaluation = engine.evaluate_blocking(&call);
    println!("{}: {}", evaluation.verdict, evaluation.reason());
    Ok(())
}

/// Sends the message; the answer comes by the button, whenever that is.
fn slack(url: String) -> CallbackApprovalHandler {
    let (url, later) = (Arc::new(url), StoredApprovalHandler::new());
    CallbackApprovalHandler::new("slack", move |request: ApprovalRequest| {
        let (url, later) = (url.clone(), later.clone());
        async move {
            let message = message(&request.approval).to_string();
            ureq::post(&*url).header("content-type", "application/json").send(message)?;
            let answered: Result<ApprovalResponse, HandlerError> = later.ask(request).await;
            answered
        }
    })
}

/// The question as Slack's blocks.
fn message(approval: &Approval) -> Value {
    let text: String = approval.text().replace("```", "'''").chars().take(MOST_TEXT).collect();
    let button = |label: &str, style: &str, action: &str| {
        let text = json!({"type": "plain_text", "text": label});
        json!({"type": "button", "text": text, "style": style, "action_id": action, "value": approval.id.to_string()})
    };
    json!({
        "text": format!("{}: a human must decide", approval.id),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "A human must decide"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": format!("```{text}```")}},
            {"type": "actions", "elements": [button("Let it run", "primary", "yes"), button("No", "danger", "no")]},
        ],
    })
}

/// Takes an answer, and says what came of it.
fn receive(engine: &PolicyEngine, secret: &str, mut request: Request) {
    let (status, text) = match answer(secret, &mut request) {
        Ok((id, response)) => match pollster::block_on(engine.respond(id, response, "slack")) {
            Ok(standing) => (200, format!("{id} is {standing}")),
            Err(error) => (200, error.to_string()),
        },
        Err(error) => (401, error.to_string()),
    };
    let _ = request.respond(Response::from_string(text).with_status_code(status));
}

/// Which button was pressed, by whom; nothing that Slack has not signed just now.
fn answer(secret: &str, request: &mut Request) -> Result<(ApprovalId, ApprovalResponse), Box<dyn Error>> {
    let header = |name: &'static str| {
        let header = request.headers().iter().find(|header| header.field.equiv(name));
        header.map(|header| header.value.as_str().to_owned()).ok_or(format!("there is no {name}"))
    };
    let (stamp, signature) = (header("X-Slack-Request-Timestamp")?, header("X-Slack-Signature")?);
    let mut body = Vec::new();
    request.as_reader().take(MOST_BYTES).read_to_end(&mut body)?;
    verify(secret, &stamp, &signature, &body)?;
    let payload = form_urlencoded::parse(&body).find(|(name, _)| name == "payload").ok_or("there is no payload")?.1;
    let payload: Value = serde_json::from_str(&payload)?;
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).ok_or(format!("no {pointer}"));
    let approver = Approver::named(text("/user/username")?).account(text("/user/id")?);
    let id = text("/actions/0/value")?.parse()?;
    match text("/actions/0/action_id")? {
        "yes" => Ok((id, ApprovalResponse::yes(approver))),
        "no" => Ok((id, ApprovalResponse::no(approver))),
        other => Err(format!("no such button: {other}").into()),
    }
}

/// Slack's signature: `v0=` and the HMAC-SHA256 of `v0:TIMESTAMP:BODY` by the signing secret.
fn verify(secret: &str, stamp: &str, signature: &str, body: &[u8]) -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    if stamp.parse::<u64>()?.abs_diff(now) > MOST_AGE {
        return Err("the signature is not from now".into());
    }
    let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes())?;
    code.update(format!("v0:{stamp}:").as_bytes());
    code.update(body);
    let digits =
        signature.strip_prefix("v0=").filter(|digits| digits.len() == 64 && digits.is_ascii()).ok_or("no signature")?;
    let bytes = (0..64).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or_default());
    let bytes = bytes.map(|pair| u8::from_str_radix(pair, 16)).collect::<Result<Vec<_>, _>>()?;
    code.verify_slice(&bytes).map_err(|_| "the signature is not that of this text".into())
}
