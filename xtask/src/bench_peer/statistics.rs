//! Numbers out of what was measured: percentiles, what rounds come to, and how two sides stand to each
//! other. It measures nothing and drops no value.

/// Values in order, at least one.
#[derive(Debug)]
pub(super) struct Sample(Vec<u64>);

impl Sample {
    /// None for no values.
    pub(super) fn new(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        (!values.is_empty()).then_some(Self(values))
    }

    /// The least value that `percent` of all values do not exceed: one of the values, never one between.
    pub(super) fn percentile(&self, percent: usize) -> u64 {
        let rank = self.0.len().saturating_mul(percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).or(self.0.last()).copied().unwrap_or_default()
    }

    pub(super) fn median(&self) -> u64 {
        self.percentile(50)
    }
}

/// What one side took for one round of one case.
#[derive(Debug)]
pub(super) struct Round {
    /// Nanoseconds of each call.
    pub(super) latencies: Sample,
    /// Processor time of the process, in nanoseconds; none where the system does not tell it.
    pub(super) cpu: Option<u64>,
    /// Nanoseconds from the first call to the last.
    pub(super) wall: u64,
}

/// What all rounds of one side and one case come to; times in nanoseconds.
#[derive(Debug, PartialEq)]
pub(super) struct Summary {
    /// The median of the rounds' medians.
    pub(super) median: u64,
    /// The 10th and the 90th percentile of the rounds' medians.
    pub(super) spread: (u64, u64),
    /// The 99th percentile of all calls of all rounds.
    pub(super) p99: u64,
    /// Processor time for a call, over all rounds.
    pub(super) cpu: Option<u64>,
    /// Calls in a second, one after another, over all rounds.
    pub(super) rate: u64,
}

impl Summary {
    /// None for no rounds.
    pub(super) fn of(rounds: &[Round]) -> Option<Self> {
        let medians = medians(rounds)?;
        let all = Sample::new(rounds.iter().flat_map(|round| round.latencies.0.iter().copied()).collect())?;
        let calls = u64::try_from(all.0.len()).unwrap_or(u64::MAX);
        let wall: u128 = rounds.iter().map(|round| u128::from(round.wall)).sum();
        let cpu: Option<u64> = rounds.iter().map(|round| round.cpu).sum();
        let rate = (u128::from(calls) * 1_000_000_000).checked_div(wall).unwrap_or_default();
        Some(Self {
            median: medians.median(),
            spread: (medians.percentile(10), medians.percentile(90)),
            p99: all.percentile(99),
            cpu: cpu.and_then(|cpu| cpu.checked_div(calls)),
            rate: u64::try_from(rate).unwrap_or(u64::MAX),
        })
    }
}

/// How many times as long one side takes as another.
#[derive(Debug, PartialEq)]
pub(super) struct Ratio {
    /// Of the medians over all rounds.
    pub(super) whole: f64,
    /// Of the round where it is least.
    pub(super) least: f64,
    /// Of the round where it is most.
    pub(super) most: f64,
}

impl Ratio {
    /// None for no rounds. Rounds are compared in pairs: what disturbs the machine for a while disturbs
    /// both sides of a pair.
    pub(super) fn of(slow: &[Round], fast: &[Round]) -> Option<Self> {
        let whole = quotient(medians(slow)?.median(), medians(fast)?.median());
        let pairs =
            slow.iter().zip(fast).map(|(slow, fast)| quotient(slow.latencies.median(), fast.latencies.median()));
        let (least, most) =
            pairs.fold((f64::INFINITY, 0.0), |(least, most), ratio| (ratio.min(least), ratio.max(most)));
        Some(Self { whole, least, most })
    }
}

fn medians(rounds: &[Round]) -> Option<Sample> {
    Sample::new(rounds.iter().map(|round| round.latencies.median()).collect())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people, of some digits")]
fn quotient(one: u64, other: u64) -> f64 {
    one as f64 / other.max(1) as f64
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn round(latencies: &[u64], cpu: Option<u64>) -> Round {
        Round { latencies: Sample::new(latencies.to_vec()).unwrap(), cpu, wall: latencies.iter().sum() }
    }

    #[test]
    fn percentile_is_one_of_the_values_in_any_order() {
        let sample = Sample::new((1..=200).rev().collect()).unwrap();
        assert_eq!([1, 10, 50, 90, 99, 100].map(|percent| sample.percentile(percent)), [2, 20, 100, 180, 198, 200]);
        assert_eq!([0, 50, 99, 100].map(|percent| Sample::new(vec![7]).unwrap().percentile(percent)), [7; 4]);
        assert_eq!(Sample::new(vec![9, 1, 5]).unwrap().median(), 5);
    }

    #[test]
    fn nothing_measured_has_no_figures() {
        assert!(Sample::new(Vec::new()).is_none());
        assert!(Summary::of(&[]).is_none());
        assert!(Ratio::of(&[], &[round(&[1], None)]).is_none());
    }

    #[test]
    fn one_slow_call_is_seen_in_p99_and_not_in_the_median() {
        let rounds: Vec<_> = (0..10).map(|_| round(&[10, 10, 10, 10, 5_000], Some(100))).collect();
        let summary = Summary::of(&rounds).unwrap();
        assert_eq!((summary.median, summary.spread, summary.p99), (10, (10, 10), 5_000));
    }

    #[test]
    fn one_slow_round_is_seen_in_the_range_and_not_in_the_ratio() {
        let slow: Vec<_> = [400, 400, 4_000].iter().map(|nanos| round(&[*nanos], None)).collect();
        let fast: Vec<_> = [100, 200, 100].iter().map(|nanos| round(&[*nanos], None)).collect();
        assert_eq!(Ratio::of(&slow, &fast).unwrap(), Ratio { whole: 4.0, least: 2.0, most: 40.0 });
    }

    #[test]
    fn processor_time_is_shared_by_all_calls() {
        let summary = Summary::of(&[round(&[100; 4], Some(800)), round(&[100; 4], Some(1_600))]).unwrap();
        assert_eq!((summary.cpu, summary.rate), (Some(300), 10_000_000));
    }

    #[test]
    fn processor_time_that_one_round_lacks_is_not_made_up() {
        let summary = Summary::of(&[round(&[100], Some(800)), round(&[100], None)]).unwrap();
        assert_eq!(summary.cpu, None);
    }
}
