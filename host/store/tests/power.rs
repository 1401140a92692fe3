//! The level `power`: nobody is answered before the disk has the commit, and one sync serves many. The engine's files
//! are opened through a file system layer that holds every sync for 5 ms and counts it, and so does the store's own.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, unsafe_code, reason = "the layer is the engine's C interface")]

use std::ffi::{c_char, c_int};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, CallTag, Commit, Committed, CounterRead, Disk, NamedBy, ReadRequest, Record, SqliteStore, Store,
    StoreError,
};
use pollster::block_on;
use rusqlite::ffi;

const HELD: Duration = Duration::from_millis(5);
const HELD_AT_MOST: Duration = Duration::from_secs(1);

/// All syncs of this process: the engine's and the store's.
static SYNCS: AtomicUsize = AtomicUsize::new(0);
static REAL_FILE_SYSTEM: OnceLock<usize> = OnceLock::new();
static REAL_SYNC: OnceLock<unsafe extern "C" fn(*mut ffi::sqlite3_file, c_int) -> c_int> = OnceLock::new();

/// Callers that have something to do, and those of them that wait for others.
static CALLERS: AtomicUsize = AtomicUsize::new(0);
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Takes 5 ms. Where others take the processor away meanwhile, it takes 5 ms of two processors in this process's own
/// time, but not longer than until all callers wait, nor than a second: a disk is no faster because a machine is busy.
fn hold() {
    SYNCS.fetch_add(1, Ordering::SeqCst);
    let own = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
    };
    let (begun, begun_own) = (Instant::now(), own());
    loop {
        thread::sleep(HELD);
        let all_wait = WAITING.load(Ordering::SeqCst) >= CALLERS.load(Ordering::SeqCst);
        if all_wait || own() - begun_own >= 2 * HELD || begun.elapsed() >= HELD_AT_MOST {
            break;
        }
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // A caller syncs where it begins the log anew; the store's own threads have names.
    if thread::current().name().is_none() {
        waiting(hold)
    } else {
        hold()
    }
    // SAFETY: the file was opened by the layer below, whose own function this is.
    unsafe { REAL_SYNC.get().unwrap()(file, flags) }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let real = *REAL_FILE_SYSTEM.get().unwrap() as *mut ffi::sqlite3_vfs;
    // SAFETY: the engine gives what the layer below expects; its methods are copied, but for one.
    unsafe {
        let opened = (*real).xOpen.unwrap()(real, name, file, flags, flags_out);
        if opened == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            let mut methods = *(*file).pMethods;
            REAL_SYNC.get_or_init(|| methods.xSync.unwrap());
            methods.xSync = Some(sync);
            (*file).pMethods = Box::leak(Box::new(methods));
        }
        opened
    }
}

/// Puts the layer under everything that the engine opens from now on.
fn hold_every_sync() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the layer lives for ever and is the one below, but for how files are opened.
        unsafe {
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            REAL_FILE_SYSTEM.set(real as usize).unwrap();
            let mut held = *real;
            held.zName = c"held".as_ptr();
            held.xOpen = Some(open);
            held.pNext = std::ptr::null_mut();
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(held)), 1), ffi::SQLITE_OK);
        }
    });
}

/// A disk that takes 5 ms for each sync, tells how much of the log it has, and fails when it is told to.
#[derive(Default)]
struct HeldDisk {
    has: AtomicU64,
    fails: AtomicBool,
}

impl Disk for HeldDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is gone"));
        }
        let found = log.metadata()?.len();
        hold();
        log.sync_data()?;
        self.has.fetch_max(found, Ordering::SeqCst);
        Ok(())
    }
}

fn open_on(path: &Path, disk: &Arc<HeldDisk>) -> SqliteStore {
    hold_every_sync();
    SqliteStore::open_on(path, Durability::Power, Arc::clone(disk) as Arc<dyn Disk>).unwrap()
}

fn counter(partition: &str) -> CounterRead {
    CounterRead {
        counter: "guard/counter".to_owned(),
        partition: partition.to_owned(),
        window: Window::Day,
        measure: Measure::Sum,
        sequence: Digest::ZERO,
    }
}

fn request(id: &str, partition: &str) -> ReadRequest {
    ReadRequest {
        tenant: "default".to_owned(),
        call: CallTag { id: id.to_owned(), caller: Digest::ZERO, digest: Digest::ZERO, named_by: NamedBy::Caller },
        at: Timestamp::from_millis(1_768_478_400_000).unwrap(),
        zone: TimeZone::utc(),
        remembered_ms: 1_000,
        counters: vec![counter(partition)],
    }
}

fn waiting<T>(waits: impl FnOnce() -> T) -> T {
    WAITING.fetch_add(1, Ordering::SeqCst);
    let waited = waits();
    WAITING.fetch_sub(1, Ordering::SeqCst);
    waited
}

/// One evaluation that charges 1. Where another was faster, it is made again, one after another, as engines do.
fn evaluate(store: &SqliteStore, id: &str, partition: &str) -> Result<(), StoreError> {
    static QUEUE: Mutex<()> = Mutex::new(());
    let request = request(id, partition);
    for attempt in 0.. {
        let turn = (attempt > 0).then(|| waiting(|| QUEUE.lock().unwrap()));
        let version = waiting(|| block_on(store.read(request.clone())))?.version;
        let charges = vec![AppliedCharge::to(&request.counters[0], 1, false)];
        let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body: "{}".to_owned() };
        let commit = Commit::of(&request, Verdict::Allow, charges, record);
        let committed = store.commit(version, commit);
        // Nobody waits for the disk in the queue.
        drop(turn);
        if matches!(waiting(|| block_on(committed))?, Committed::Done { .. }) {
            break;
        }
    }
    Ok(())
}

/// How many syncs `evaluations` took, made by `callers` at once; the counters are shared, or each caller's own.
fn syncs_of(callers: usize, evaluations: usize, is_shared: bool) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(&folder.path().join("state.db"), &Arc::default());
    let before = SYNCS.load(Ordering::SeqCst);
    thread::scope(|scope| {
        for caller in 0..callers {
            let store = &store;
            CALLERS.fetch_add(1, Ordering::SeqCst);
            scope.spawn(move || {
                for index in 0..evaluations / callers {
                    let partition = if is_shared { "all".to_owned() } else { caller.to_string() };
                    evaluate(store, &format!("{caller}-{index}"), &partition).unwrap();
                }
                CALLERS.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let syncs = SYNCS.load(Ordering::SeqCst) - before;
    let spent = |partition| block_on(store.read(request("x", partition))).unwrap().readings[0];
    let expected = if is_shared { evaluations } else { evaluations / callers };
    assert_eq!(spent(if is_shared { "all" } else { "0" }), Some(i64::try_from(expected).unwrap()));
    syncs
}

/// Syncs are counted for the whole process, so one claim at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn sixty_four_callers_share_a_sync_among_twenty_evaluations_and_more() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let evaluations = 6_400;
    for is_shared in [false, true] {
        // Where other programs keep callers from coming in time, they are counted again.
        let fewest = (0..5).map(|_| syncs_of(64, evaluations, is_shared)).find(|syncs| {
            println!("64 callers, counters shared: {is_shared}: {evaluations} evaluations, {syncs} syncs");
            syncs * 20 <= evaluations
        });
        assert!(fewest.is_some(), "more than one sync for 20 evaluations, each of five times, shared: {is_shared}");
    }
}

#[test]
fn one_caller_waits_for_its_own_sync_and_for_no_other() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let syncs = syncs_of(1, 50, true);
    assert!((50..=55).contains(&syncs), "{syncs} syncs for 50 evaluations of one caller");
}

#[test]
fn nobody_is_answered_before_the_disk_has_the_log() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::<HeldDisk>::default();
    let store = open_on(&folder.path().join("state.db"), &disk);
    let log = folder.path().join("state.db-wal");
    for index in 0..20 {
        evaluate(&store, &index.to_string(), "all").unwrap();
        // Nobody else writes, so the log is as long as the commit left it.
        assert_eq!(disk.has.load(Ordering::SeqCst), std::fs::metadata(&log).unwrap().len());
    }
}

#[test]
fn a_disk_that_fails_once_is_never_believed_again() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let disk = Arc::<HeldDisk>::default();
    let store = open_on(&path, &disk);
    evaluate(&store, "before", "all").unwrap();
    disk.fails.store(true, Ordering::SeqCst);
    let error = evaluate(&store, "failed", "all").unwrap_err();
    assert!(error.to_string().contains("may not be on the disk: the disk is gone"), "{error}");
    // A sync that works now says nothing of what the last one lost.
    disk.fails.store(false, Ordering::SeqCst);
    assert!(matches!(evaluate(&store, "after", "all"), Err(StoreError::NotOnDisk { .. })));
    drop(store);
    let store = open_on(&path, &disk);
    evaluate(&store, "anew", "all").unwrap();
    // What was not answered may have been charged: it denies rather than spends.
    assert_eq!(block_on(store.read(request("x", "all"))).unwrap().readings, [Some(4)]);
    assert_eq!(block_on(store.verify("default")).unwrap(), Ok(4));
}
