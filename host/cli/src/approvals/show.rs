//! Questions for people: many as a table, one at length.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use agenthalt::{Approval, Standing, Timestamp, printable};
use anstyle::{AnsiColor, Style};

/// Characters of a function's and an agent's name in the table.
const NAME_COLUMNS: usize = 24;
const AGENT_COLUMNS: usize = 12;

/// The questions, a row each.
pub(super) fn table(approvals: &[Approval]) -> anyhow::Result<()> {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    if approvals.is_empty() {
        writeln!(out, "no question waits")?;
    }
    for approval in approvals {
        writeln!(out, "{}", row(approval))?;
    }
    Ok(out.flush()?)
}

/// One question on one line.
pub(super) fn row(approval: &Approval) -> String {
    let Approval { id, standing, asked, .. } = approval;
    let style = style(*standing);
    let width = 8_usize.saturating_sub(standing.as_str().len());
    let cell = |text: &str, columns: usize| printable(text).chars().take(columns).collect::<String>();
    let name = cell(&asked.function_name, NAME_COLUMNS);
    let agent = cell(asked.agent.as_deref().unwrap_or("no agent"), AGENT_COLUMNS);
    let reason = match (&asked.withheld, asked.reasons.first()) {
        (Some(_), _) => "what it asks is withheld".to_owned(),
        (None, reason) => reason.map(|reason| printable(&reason.reason)).unwrap_or_default(),
    };
    let left = left(approval).unwrap_or_default();
    format!(
        "{id}  {style}{standing}{style:#}{:width$}  {name:<NAME_COLUMNS$}  {agent:<AGENT_COLUMNS$}  {left:<5}  {reason}",
        ""
    )
}

/// One question with all that one needs to decide.
pub(super) fn at_length(approval: &Approval) -> anyhow::Result<()> {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let Approval { id, standing, .. } = approval;
    let style = style(*standing);
    let ends = match (approval.used, approval.expires, left(approval)) {
        (Some(used), ..) => format!("used {used}"),
        (None, Some(at), Some(left)) => format!("expires {at}, in {left}"),
        (None, Some(at), None) => format!("its time ends {at}"),
        (None, None, _) => "never expires".to_owned(),
    };
    writeln!(out, "{id}  {style}{standing}{style:#}  asked {}, {ends}\n", approval.created)?;
    write!(out, "{}", approval.text())?;
    Ok(out.flush()?)
}

/// How long a question may still be answered or used, in its largest unit; none where that is over or has no end.
fn left(approval: &Approval) -> Option<String> {
    if !matches!(approval.standing, Standing::Pending | Standing::Approved) {
        return None;
    }
    let seconds = seconds_between(now()?, approval.expires?);
    (seconds >= 0).then(|| match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    })
}

fn seconds_between(now: Timestamp, end: Timestamp) -> i64 {
    (end.as_millis() - now.as_millis()) / 1_000
}

fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?).ok()
}

fn style(standing: Standing) -> Style {
    let colour = match standing {
        Standing::Pending => AnsiColor::Yellow,
        Standing::Approved | Standing::Used => AnsiColor::Green,
        Standing::Denied | Standing::Revoked => AnsiColor::Red,
        Standing::Expired => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(colour.into()))
}
