//! One question to an address and its answer, with attempts. It waits for no human.

use std::collections::BTreeMap;
use std::thread;

use agenthalt_core::approval::ApprovalId;
use serde::Deserialize;
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use super::WebhookApprovalHandler;
use super::signature::{SIGNATURE, TIMESTAMP, WebhookSecret, now};
use crate::approval::handler::{ApprovalResponse, HandlerError};
use crate::approval::{Approval, Approver};

/// The most bytes of an answer.
const MOST_BYTES: u64 = 64 << 10;

/// An answer as it comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    id: String,
    approved: bool,
    approver: String,
    account: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    conditions: BTreeMap<String, String>,
}

/// Why there is no answer.
enum Failure {
    /// It may be another time.
    Passing(String),
    /// It is always so.
    Lasting(String),
}

impl WebhookApprovalHandler {
    /// Asks; none where the answer comes later by another way.
    // INVARIANT: nothing counts as an answer but what the holder of the secret signed, now, about this question.
    pub(super) fn exchange(&self, approval: &Approval) -> Result<Option<ApprovalResponse>, HandlerError> {
        let body = serde_json::to_vec(approval)?;
        let config = Agent::config_builder().timeout_global(Some(self.timeout)).max_redirects(0);
        let agent: Agent = config.http_status_as_error(false).build().into();
        let mut backoff = self.backoff;
        let mut attempt = 1;
        loop {
            match self.attempt(&agent, approval.id, &body) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Passing(_)) if attempt < self.attempts => {
                    thread::sleep(backoff);
                    backoff = backoff.saturating_mul(2);
                    attempt += 1;
                }
                Err(Failure::Passing(text)) => return Err(format!("{text}, in {attempt} attempts").into()),
                Err(Failure::Lasting(text)) => return Err(text.into()),
            }
        }
    }

    fn attempt(&self, agent: &Agent, id: ApprovalId, body: &[u8]) -> Result<Option<ApprovalResponse>, Failure> {
        let seconds = now().ok_or_else(|| Failure::Lasting("the clock stands before 1970".to_owned()))?;
        let request = agent.post(&self.url).header("content-type", "application/json");
        let request = request.header(TIMESTAMP, seconds.to_string()).header(SIGNATURE, self.secret.sign(seconds, body));
        let mut response = request.send(body).map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::RequireHttpsOnly(_) => {
                Failure::Lasting(format!("the address cannot be used: {error}"))
            }
            error => Failure::Passing(format!("the address cannot be reached: {error}")),
        })?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::ACCEPTED => return Ok(None),
            status => {
                let text = format!("the address gave status {}", status.as_u16());
                let may_pass = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
                return Err(if may_pass { Failure::Passing(text) } else { Failure::Lasting(text) });
            }
        }
        let read = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
        let read = read.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(most) => Failure::Lasting(format!("its answer is larger than {most} bytes")),
            error => Failure::Passing(format!("its answer cannot be read: {error}")),
        })?;
        let answer = answer(&self.secret, &response, &read, id);
        answer.map(Some).map_err(Failure::Lasting)
    }
}

fn answer<T>(
    secret: &WebhookSecret,
    response: &Response<T>,
    body: &[u8],
    id: ApprovalId,
) -> Result<ApprovalResponse, String> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let seconds = header(TIMESTAMP).and_then(|seconds| seconds.parse().ok());
    let (Some(seconds), Some(signature), Some(now)) = (seconds, header(SIGNATURE), now()) else {
        return Err("its answer is not signed".to_owned());
    };
    secret.verify(seconds, signature, body, now).map_err(|error| format!("its answer is not trusted: {error}"))?;
    let answer: Answer = serde_json::from_slice(body).map_err(|error| format!("its answer is none: {error}"))?;
    if answer.id != id.to_string() {
        return Err("its answer is one to another question".to_owned());
    }
    let mut approver = Approver::named(answer.approver);
    if let Some(account) = answer.account {
        approver = approver.account(account);
    }
    if let Some(reason) = answer.reason {
        approver = approver.reason(reason);
    }
    let response = if answer.approved { ApprovalResponse::yes(approver) } else { ApprovalResponse::no(approver) };
    Ok(answer.conditions.into_iter().fold(response, |response, (name, value)| response.condition(name, value)))
}
