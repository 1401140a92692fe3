//! What one evaluation is of: a call and its arguments, or a call that ran and its output. It judges
//! nothing.

use agenthalt_core::call::{JudgedCall, MalformedCall};
use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::subject::Subject;
use agenthalt_json::{Json, Limits};

/// What one evaluation is of.
pub(crate) struct Matter {
    pub(crate) call: JudgedCall,
    /// The arguments that the call ran with, where it has run.
    ran: Option<Json>,
    /// The arguments as text, as the call gave them.
    pub(crate) text: String,
    /// What is judged, and what guards may replace.
    pub(crate) subject: Subject,
    /// The keyed digest of all of it.
    pub(crate) digest: Digest,
    /// What tells calls of other functions or arguments apart, for those who count them.
    pub(crate) sequence: Digest,
}

impl Matter {
    /// A call that has not run, and the text of its arguments.
    pub(crate) fn of_call(call: JudgedCall, text: &str, key: &Key) -> Self {
        let digest = call.digest(&call.arguments, key);
        let sequence = call.sequence_digest(&call.arguments, key);
        let subject = Subject::Arguments(call.arguments.clone());
        Matter { subject, call, text: text.to_owned(), ran: None, digest, sequence }
    }

    /// The output of a call that ran with the arguments `ran`.
    ///
    /// # Errors
    /// [`MalformedCall`], for an output that is too long.
    pub(crate) fn of_output(
        call: JudgedCall,
        ran: &str,
        output: &str,
        limits: Limits,
        key: &Key,
    ) -> Result<Self, MalformedCall> {
        if output.len() > limits.bytes {
            return Err(MalformedCall::OutputTooLong(limits.bytes));
        }
        let unusable = |error| MalformedCall::Unusable("arguments that ran", error);
        let arguments = Json::parse_within(ran, limits).map_err(unusable)?;
        let digest = call.output_digest(&arguments, output, key);
        let sequence = call.sequence_digest(&call.arguments, key);
        let subject = Subject::Output(output.to_owned());
        Ok(Matter { sequence, call, text: ran.to_owned(), subject, ran: Some(arguments), digest })
    }

    /// The arguments that guards see: the original ones, or those that the call ran with.
    pub(crate) fn arguments(&self) -> &Json {
        self.ran.as_ref().unwrap_or(&self.call.arguments)
    }

    /// The keyed digest, with this in the place of what is judged.
    pub(crate) fn digest_with(&self, subject: &Subject, key: &Key) -> Digest {
        match subject {
            Subject::Arguments(arguments) => self.call.digest(arguments, key),
            Subject::Output(output) => self.call.output_digest(self.arguments(), output, key),
        }
    }
}
