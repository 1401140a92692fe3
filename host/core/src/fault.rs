//! What goes wrong in a guard or around it. It names causes and decides nothing.

/// What went wrong. Any of these in an enforcing guard denies the call.
///
/// ```
/// # use agenthalt_core::fault::Fault;
/// let fault = Fault::OutOfFuel(50_000_000);
/// assert_eq!((fault.code(), fault.to_string().as_str()), ("out_of_fuel", "ran out of fuel (limit 50000000)"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The guard burnt all its fuel.
    #[error("ran out of fuel (limit {0})")]
    OutOfFuel(u64),
    /// The guard ran past its time. The clock said so, not the guard.
    #[error("ran past its time limit of {0} ms")]
    Deadline(u64),
    /// The guard wanted more memory than its limit in bytes.
    #[error("wanted more memory than its limit of {0} bytes")]
    Memory(u64),
    /// The guard wanted a table of more elements than the limit.
    #[error("wanted a table of more than {0} elements")]
    Table(u64),
    /// The guard's calls went too deep.
    #[error("overflowed its stack")]
    StackOverflow,
    /// The guard trapped; says how.
    #[error("trapped: {0}")]
    Trap(String),
    /// The guard said itself that it cannot judge.
    #[error("reported an error: {0}")]
    GuestError(String),
    /// The guard's answer is not one.
    #[error("gave a malformed answer: {0}")]
    MalformedAnswer(String),
    /// The guard's answer is too large.
    #[error("gave too large an answer: {0}")]
    TooLarge(String),
    /// The component is not one of this contract.
    #[error("is incompatible: {0}")]
    Incompatible(String),
    /// The component wants something of the host, which has nothing to give.
    #[error("imports {0}; a guard imports nothing")]
    ForbiddenImport(String),
    /// The bytes are no component.
    #[error("is not a component: {0}")]
    NotAComponent(String),
    /// The component could not be compiled within the limits.
    #[error("failed to compile: {0}")]
    FailedToCompile(String),
    /// The guard could not be configured.
    #[error("failed to configure: {0}")]
    FailedToConfigure(String),
    /// The component's bytes are not there.
    #[error("has no component: {0}")]
    Missing(String),
    /// The component's bytes are others than those pinned.
    #[error("has a component with the digest {found}, pinned is {pinned}")]
    WrongDigest {
        /// What the policy or the lock names.
        pinned: String,
        /// What the bytes have.
        found: String,
    },
    /// The host has no room for another run; not the guard's fault.
    #[error("the host is full: {0}")]
    HostFull(String),
    /// State could not be read or written, or the audit record could not.
    #[error("state is unusable: {0}")]
    State(String),
    /// Guards undid each other's rewriting without an end.
    #[error("rewriting does not come to rest: {0}")]
    Oscillation(String),
    /// A hook of the program that embeds the host failed; says which, and what it said.
    #[error("a hook failed: {0}")]
    Hook(String),
    /// A call that was answered before cannot get its answer again; says why.
    #[error("the call was answered before, and {0}")]
    Repeat(String),
    /// A human would have to decide, or has, and that does not serve the call; says why.
    #[error("the approval does not serve: {0}")]
    Approval(String),
    /// Something that went wrong when the call was judged first; only its word is on record.
    #[error("went wrong when the call was judged first: `{0}`")]
    Recorded(&'static str),
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}

/// Every word that a record may hold.
const CODES: [&str; 23] = [
    "out_of_fuel",
    "deadline",
    "memory",
    "table",
    "stack_overflow",
    "trap",
    "guest_error",
    "malformed_answer",
    "too_large",
    "incompatible",
    "forbidden_import",
    "not_a_component",
    "failed_to_compile",
    "failed_to_configure",
    "missing",
    "wrong_digest",
    "host_full",
    "state",
    "oscillation",
    "hook",
    "repeat",
    "approval",
    "host",
];

impl Fault {
    /// What a record says of a fault: its word alone. None for a word that this release does not know.
    ///
    /// ```
    /// # use agenthalt_core::fault::Fault;
    /// assert_eq!(Fault::recorded("deadline").map(|fault| fault.code()), Some("deadline"));
    /// assert_eq!(Fault::recorded("headline"), None);
    /// ```
    pub fn recorded(code: &str) -> Option<Fault> {
        CODES.into_iter().find(|known| *known == code).map(Fault::Recorded)
    }

    /// The word for programs, the same in every release.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::OutOfFuel(_) => "out_of_fuel",
            Fault::Deadline(_) => "deadline",
            Fault::Memory(_) => "memory",
            Fault::Table(_) => "table",
            Fault::StackOverflow => "stack_overflow",
            Fault::Trap(_) => "trap",
            Fault::GuestError(_) => "guest_error",
            Fault::MalformedAnswer(_) => "malformed_answer",
            Fault::TooLarge(_) => "too_large",
            Fault::Incompatible(_) => "incompatible",
            Fault::ForbiddenImport(_) => "forbidden_import",
            Fault::NotAComponent(_) => "not_a_component",
            Fault::FailedToCompile(_) => "failed_to_compile",
            Fault::FailedToConfigure(_) => "failed_to_configure",
            Fault::Missing(_) => "missing",
            Fault::WrongDigest { .. } => "wrong_digest",
            Fault::HostFull(_) => "host_full",
            Fault::State(_) => "state",
            Fault::Oscillation(_) => "oscillation",
            Fault::Hook(_) => "hook",
            Fault::Repeat(_) => "repeat",
            Fault::Approval(_) => "approval",
            Fault::Recorded(code) => code,
            Fault::Host(_) => "host",
        }
    }
}
