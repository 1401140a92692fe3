//! Bytes that were cut or changed on the way. The host never panics: a component is still one and
//! judges, or it denies with a fault.

use agenthalt::{Digest, Fault, Verdict};

use crate::guest::GOOD;
use crate::stage::{Seat, Stage, judge};

/// Judges a call under a policy with these bytes as its one guard; none where the guard refuses its
/// settings, so that the policy itself is refused.
fn fault_of(stage: &Stage, bytes: &[u8], more: &str) -> Option<Fault> {
    let seats: [Seat<'_>; 1] = [("corrupted", bytes, more)];
    let Ok(engine) = stage.try_engine(&seats) else { return None };
    let evaluation = judge(&engine, "plain");
    match evaluation.fault() {
        Some(fault) => {
            assert_eq!(evaluation.verdict, Verdict::Deny);
            assert_eq!(evaluation.refusal, None);
            Some(fault.clone())
        }
        None => {
            assert_eq!(engine.faults(), []);
            None
        }
    }
}

/// The good component with one bit changed, at every place that a step of 11 meets.
fn flipped() -> impl Iterator<Item = Vec<u8>> {
    (0..GOOD.len()).step_by(11).map(|place| {
        let mut bytes = GOOD.clone();
        bytes[place] ^= 1 << (place % 8);
        bytes
    })
}

#[test]
fn cut_bytes_are_no_component() {
    let stage = Stage::new();
    for size in (0..GOOD.len()).step_by(37) {
        let fault = fault_of(&stage, &GOOD[..size], "");
        // A cut between two sections leaves a whole component that lacks its export.
        let is_right = matches!(fault, Some(Fault::NotAComponent(_) | Fault::Incompatible(_)));
        assert!(is_right, "{size} bytes: {fault:?}");
    }
    stage.assert_serves_others();
}

#[test]
fn a_flipped_bit_never_harms_the_host() {
    let stage = Stage::new();
    let mut faults = 0;
    let mut tried = 0;
    for bytes in flipped() {
        tried += 1;
        faults += u32::from(fault_of(&stage, &bytes, "").is_some());
    }
    assert!(tried > 100 && faults > tried / 4, "{faults} of {tried} were noticed");
    stage.assert_serves_others();
}

#[test]
fn a_pinned_component_notices_every_flipped_bit() {
    let stage = Stage::new();
    let more = format!("sha256: '{}'", Digest::of(&GOOD));
    for bytes in flipped() {
        assert!(matches!(fault_of(&stage, &bytes, &more), Some(Fault::WrongDigest { .. })));
    }
    assert_eq!(stage.sandbox.compiled(), 0);
    assert_eq!(fault_of(&stage, &GOOD, &more), None);
}

#[test]
fn noise_is_no_component() {
    let stage = Stage::new();
    let mut state = 1_u32;
    let mut noise = |size: usize| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(size).collect()
    };
    for size in [1, 8, 64, 4_096] {
        let plain = noise(size);
        let headed = [&GOOD[..8], &noise(size)].concat();
        for bytes in [plain, headed] {
            assert!(matches!(fault_of(&stage, &bytes, ""), Some(Fault::NotAComponent(_))));
        }
    }
    stage.assert_serves_others();
}
