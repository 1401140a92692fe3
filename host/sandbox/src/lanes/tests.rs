//! Claims about the lanes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::mpsc;

use futures_channel::oneshot;

use super::*;

/// Fills a lane with work that is held up, until it takes no more.
fn fill(lanes: &Lanes, lane: Lane, gate: &Arc<Mutex<()>>) -> (Vec<Work<()>>, Fault) {
    let mut works = Vec::new();
    loop {
        let gate = gate.clone();
        let work = lanes.spawn(lane, async move { drop(gate.lock()) });
        if let State::Refused(fault) = &work.0 {
            return (works, fault.clone());
        }
        works.push(work);
        assert!(works.len() < MOST_WAITING * 2, "the lane takes everything");
    }
}

#[test]
fn a_panic_is_a_fault_for_its_owner_and_leaves_the_lane_working() {
    let lanes = Lanes::start().unwrap();
    for _ in 0..64 {
        let work = lanes.spawn(Lane::Fast, async { panic!("on purpose") });
        let answer: Result<(), Fault> = pollster::block_on(work);
        assert!(matches!(answer, Err(Fault::Host(_))));
    }
    assert_eq!(pollster::block_on(lanes.spawn(Lane::Fast, async { 7 })), Ok(7));
}

#[test]
fn a_panic_after_waiting_is_a_fault_too() {
    let lanes = Lanes::start().unwrap();
    let (send, receive) = oneshot::channel::<()>();
    let work = lanes.spawn(Lane::Slow, async move {
        receive.await.unwrap();
        panic!("on purpose")
    });
    send.send(()).unwrap();
    let answer: Result<(), Fault> = pollster::block_on(work);
    assert!(matches!(answer, Err(Fault::Host(_))));
    assert_eq!(pollster::block_on(lanes.spawn(Lane::Slow, async { 7 })), Ok(7));
}

#[test]
fn work_that_waits_leaves_its_thread_to_others() {
    let lanes = Lanes::start().unwrap();
    let (mut senders, mut works) = (Vec::new(), Vec::new());
    for number in 0..cores() + 1 {
        let (send, receive) = oneshot::channel::<usize>();
        senders.push(send);
        works.push(lanes.spawn(Lane::Slow, async move { receive.await.unwrap() + number }));
    }
    assert_eq!(pollster::block_on(lanes.spawn(Lane::Slow, async { 7 })), Ok(7));
    for (send, work) in senders.into_iter().zip(works).rev() {
        send.send(100).unwrap();
        assert!(pollster::block_on(work).unwrap() >= 100);
    }
}

#[test]
fn a_full_lane_says_so_and_the_other_goes_on() {
    let lanes = Lanes::start().unwrap();
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let (works, refused) = fill(&lanes, Lane::Slow, &gate);
    assert!(matches!(refused, Fault::HostFull(_)));
    assert_eq!(pollster::block_on(lanes.spawn(Lane::Fast, async { 7 })), Ok(7));
    drop(held);
    for work in works {
        assert_eq!(pollster::block_on(work), Ok(()));
    }
}

#[test]
fn work_that_is_resumed_is_taken_back_by_a_full_lane() {
    let lanes = Lanes::start().unwrap();
    let (send, receive) = oneshot::channel::<usize>();
    let (began, begun) = mpsc::channel();
    let waits = lanes.spawn(Lane::Slow, async move {
        began.send(()).unwrap();
        receive.await.unwrap()
    });
    begun.recv().unwrap();
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let (works, _) = fill(&lanes, Lane::Slow, &gate);
    send.send(7).unwrap();
    drop(held);
    assert_eq!(pollster::block_on(waits), Ok(7));
    drop(works);
}

#[test]
fn dropping_the_work_cancels_it() {
    let lanes = Lanes::start().unwrap();
    let (_send, receive) = oneshot::channel::<()>();
    let (began, begun) = mpsc::channel();
    let work = lanes.spawn(Lane::Fast, async move {
        began.send(()).unwrap();
        assert!(receive.await.is_ok());
        began.send(()).unwrap();
    });
    begun.recv().unwrap();
    drop(work);
    // The future is dropped, and `began` with it, without having gone on.
    assert!(begun.recv().is_err());
}

#[test]
fn work_that_waits_longer_than_its_lane_lives_ends_with_a_fault() {
    let lanes = Lanes::start().unwrap();
    let (waits, waiting) = mpsc::channel();
    let never = std::future::poll_fn(move |context| {
        waits.send(context.waker().clone()).unwrap();
        Poll::<()>::Pending
    });
    let work = lanes.spawn(Lane::Fast, never);
    let waker = waiting.recv().unwrap();
    drop(lanes);
    waker.wake();
    assert!(matches!(pollster::block_on(work), Err(Fault::Host(_))));
}

#[test]
fn what_waits_in_a_lane_is_finished_when_the_lane_ends() {
    let lanes = Lanes::start().unwrap();
    let works: Vec<_> = (0..100).map(|number| lanes.spawn(Lane::Slow, async move { number })).collect();
    drop(lanes);
    for (number, work) in works.into_iter().enumerate() {
        assert_eq!(pollster::block_on(work), Ok(number));
    }
}
