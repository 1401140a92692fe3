//! The command line's words, each with an example in its help.

use std::path::PathBuf;
use std::time::Duration;

use agenthalt::{ApprovalId, ArgumentTerm, CounterFilter, parse_time_ms};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};

/// Decides, before an AI agent's function call runs, whether it may: allow, modify, require approval,
/// deny.
#[derive(Debug, Parser)]
#[command(
    name = "agenthalt",
    version = crate::host::version(),
    after_help = "Exit codes: 0 done, or the call may run; 1 no call to judge; 2 usage or policy; 10 denied; 11 a human must decide.\n\nExample: agenthalt init && agenthalt check agenthalt.yaml"
)]
pub(crate) struct Arguments {
    /// Keeps compiled guards in this folder [default: $XDG_CACHE_HOME/agenthalt]
    // An empty variable is one that is not set, as with all variables that name folders.
    #[arg(long, global = true, value_name = "FOLDER", env = "AGENTHALT_CACHE_DIR",
        value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) cache_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) word: Word,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Word {
    /// Tells whether a policy can serve, or everything that is wrong with it
    #[command(after_help = "Exit codes: 0 valid, 2 not.\n\nExample: agenthalt check policy.yaml")]
    Check {
        /// The policy
        policy: PathBuf,
    },
    /// Judges one call, stamped with this machine's clock
    #[command(
        after_help = "Exit codes: 0 allow and modify, 10 deny, 11 require approval, 1 no call to judge, 2 usage or policy.\n\nExample: echo '{\"function_name\":\"send_email\",\"arguments\":{\"to\":\"a\"}}' | agenthalt evaluate --policy policy.yaml"
    )]
    Evaluate {
        /// The policy
        #[arg(long)]
        policy: PathBuf,
        /// Keeps limits and the audit log in this file [default: what the policy says]
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
        /// Presents the call under the yes to this question
        #[arg(long, value_name = "ID")]
        approval: Option<ApprovalId>,
        /// How the answer is printed
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
        /// The call, one JSON object; `-` is standard input
        #[arg(default_value = "-")]
        call: PathBuf,
    },
    /// Judges many calls in order under their own time stamps, with state in memory
    #[command(
        after_help = "Each line is one call: {\"call_id\"?, \"function_name\", \"arguments\", \"agent_id\"?, \"session_id\"?, \"timestamp\" (RFC 3339 or Unix seconds), \"metadata\"?, \"human\"?: \"approve\" or \"deny\"}\n\nExit codes: 0 at the end of the input, 1 the input cannot be read, 2 usage or policy.\n\nExample: agenthalt simulate --policy policy.yaml --calls calls.jsonl"
    )]
    Simulate {
        /// The policy
        #[arg(long)]
        policy: PathBuf,
        /// The calls, one JSON object a line; `-` is standard input
        #[arg(long)]
        calls: PathBuf,
        /// How the answers are printed
        #[arg(long, value_enum, default_value_t = SimulateFormat::Table)]
        format: SimulateFormat,
    },
    /// Shows questions to humans, and answers them
    Approvals {
        #[command(subcommand)]
        word: ApprovalsWord,
    },
    /// Shows what is spent and left, exports it, or lets limits begin anew
    State {
        #[command(subcommand)]
        word: StateWord,
    },
    /// Tells about guards
    Guard {
        #[command(subcommand)]
        word: GuardWord,
    },
    /// Prints the JSON Schema (2020-12) of policies, for editors
    #[command(after_help = "Example: agenthalt schema > agenthalt.schema.json")]
    Schema,
    /// Shows an agent's session judged, call by call
    #[command(after_help = "Example: agenthalt demo")]
    Demo,
    /// Writes a commented policy to start from; never overwrites
    #[command(after_help = "Example: agenthalt init policy.yaml")]
    Init {
        /// Where to
        #[arg(default_value = "agenthalt.yaml")]
        file: PathBuf,
    },
    /// Prints a completion script for a shell
    #[command(after_help = "Example: agenthalt completions bash > /etc/bash_completion.d/agenthalt")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Compiles a component from standard input to standard output, within limits
    #[command(name = crate::host::COMPILE_WORD, hide = true)]
    CompileComponent,
}

/// Which state.
#[derive(Debug, Args)]
pub(crate) struct StateFile {
    /// The policy, whose guards say what is counted
    #[arg(long)]
    pub(crate) policy: PathBuf,
    /// The state [default: what the policy says]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

/// Who answers a question, and why.
#[derive(Debug, Args)]
pub(crate) struct Answering {
    /// The question's name
    pub(crate) id: ApprovalId,
    #[command(flatten)]
    pub(crate) of: StateFile,
    /// Why; it is recorded, and of a no it is told to the agent
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who answers, as the policy lists approvers [default: the user of this system]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// For how long a yes is meant, and for which calls besides.
#[derive(Debug, Args)]
pub(crate) struct Lasting {
    /// Lets the yes serve only so long, as `10m`; never longer than the policy says
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) within: Option<Duration>,
    /// A standing grant: the yes serves so many calls like this one
    #[arg(long, value_name = "NUMBER")]
    pub(crate) times: Option<u32>,
    /// What an argument of such calls may be, as `/to=*@example.org` or `/amount<=50`; others are as shown
    #[arg(long, value_name = "TERM", requires = "times")]
    pub(crate) like: Vec<ArgumentTerm>,
    /// Such calls may come in any session of the agent
    #[arg(long, requires = "times")]
    pub(crate) any_session: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = parse_time_ms(text).map(Duration::from_millis);
    time.ok_or_else(|| "write a time as `90s`, `10m` or `24h`".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalsWord {
    /// Lists the questions that may still be answered, or whose yes was not used yet
    #[command(
        after_help = "JSON: a list of questions.\n\nExit codes: 0 shown, 2 usage, policy or state.\n\nExample: agenthalt approvals list --policy policy.yaml"
    )]
    List {
        #[command(flatten)]
        of: StateFile,
        /// Also those that are closed
        #[arg(long)]
        all: bool,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
    },
    /// Shows one question: what would run, why a human must decide, what was changed, what it costs
    #[command(
        after_help = "Exit codes: 0 shown, 2 usage, policy or state.\n\nExample: agenthalt approvals show ap-0123456789abcdef --policy policy.yaml"
    )]
    Show {
        /// The question's name
        id: ApprovalId,
        #[command(flatten)]
        of: StateFile,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
    },
    /// Says yes: the call may run when the agent presents it again, once
    #[command(
        after_help = "Exit codes: 0 it counts, 2 it does not, or usage, policy or state.\n\nExample: agenthalt approvals approve ap-0123456789abcdef --policy policy.yaml --reason 'as agreed'\n         agenthalt approvals approve ap-0123456789abcdef --policy policy.yaml --times 5 --like '/to=*@example.org'"
    )]
    Approve {
        #[command(flatten)]
        answering: Answering,
        #[command(flatten)]
        lasting: Lasting,
    },
    /// Says no, which is final
    #[command(
        after_help = "Exit codes: 0 it counts, 2 it does not, or usage, policy or state.\n\nExample: agenthalt approvals deny ap-0123456789abcdef --policy policy.yaml --reason 'too much'"
    )]
    Deny(Answering),
    /// Takes back a question, or a yes that was not used yet
    #[command(
        after_help = "Exit codes: 0 it counts, 2 it does not, or usage, policy or state.\n\nExample: agenthalt approvals revoke ap-0123456789abcdef --policy policy.yaml"
    )]
    Revoke(Answering),
    /// Tells of questions as they come and are answered, until it is interrupted
    #[command(after_help = "Example: agenthalt approvals watch --policy policy.yaml")]
    Watch {
        #[command(flatten)]
        of: StateFile,
        /// How it is printed: for people, or one JSON object a line
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
    },
}

/// Whose counters.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// Only what is counted for this agent
    #[arg(long)]
    agent: Option<String>,
    /// Only what is counted for this session
    #[arg(long)]
    session: Option<String>,
}

impl Whose {
    /// The counters that are meant.
    pub(crate) fn counters(&self, guard: Option<&str>) -> CounterFilter {
        CounterFilter { guard: guard.map(str::to_owned), agent: self.agent.clone(), session: self.session.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateWord {
    /// Shows what is spent and left of each limit, by agent and session
    #[command(
        after_help = "JSON: a list of counters; what is money is in millionths.\n\nExit codes: 0 shown, 2 usage, policy or state.\n\nExample: agenthalt state show --policy policy.yaml --agent assistant"
    )]
    Show {
        #[command(flatten)]
        of: StateFile,
        #[command(flatten)]
        filter: Whose,
        /// Also limits on which nothing is spent now, and in JSON counters without a limit
        #[arg(long)]
        all: bool,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
    },
    /// Lets the counters of a guard begin at nothing, after asking; recorded in the audit log
    #[command(
        after_help = "Exit codes: 0 done or declined, 2 usage, policy or state.\n\nExample: agenthalt state reset --policy policy.yaml --guard budget --agent assistant"
    )]
    Reset {
        #[command(flatten)]
        of: StateFile,
        /// The guard
        #[arg(long, value_name = "NAME")]
        guard: String,
        #[command(flatten)]
        filter: Whose,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
    /// Prints every counter, one JSON object a line
    #[command(after_help = "Example: agenthalt state export --policy policy.yaml > counters.jsonl")]
    Export {
        #[command(flatten)]
        of: StateFile,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GuardWord {
    /// Shows what a guard is and what it says of itself under a configuration
    #[command(
        after_help = "Exit codes: 0 it can serve with these settings, 2 it cannot.\n\nExamples: agenthalt guard inspect budget\n          agenthalt guard inspect hours.wasm --settings '{\"opens\": 9}'"
    )]
    Inspect {
        /// A component's file, or the name of a built-in guard
        guard: PathBuf,
        /// The settings to configure it with, one JSON object
        #[arg(long, value_name = "JSON", default_value = "{}")]
        settings: String,
        /// How the answer is printed
        #[arg(long, value_enum, default_value_t = EvaluateFormat::Text)]
        format: EvaluateFormat,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvaluateFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SimulateFormat {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
}

/// The command line without the words that are not for people.
pub(crate) fn visible() -> Command {
    let whole = Arguments::command();
    let words = whole.get_subcommands().filter(|word| !word.is_hide_set()).cloned();
    Command::new("agenthalt").args(whole.get_arguments().cloned()).subcommands(words.collect::<Vec<_>>())
}
