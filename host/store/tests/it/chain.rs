//! The audit chain, and what becomes of one that was tampered with.

use agenthalt_core::digest::Digest;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{Broken, Commit, ReadRequest, Record, RecordsRequest, Store};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::*;

fn append(store: &dyn Store, tenant: &str, call: &str) {
    let request = ReadRequest { tenant: tenant.to_owned(), ..request(call, at(0), &[]) };
    let version = block_on(store.read(request.clone())).unwrap().version;
    let record = Record { body: format!("{{\"call\":\"{call}\"}}"), ..record() };
    block_on(store.commit(version, Commit::of(&request, Verdict::Allow, Vec::new(), record))).unwrap();
}

fn verify(store: &dyn Store, tenant: &str) -> Result<u64, Broken> {
    block_on(store.verify(tenant)).unwrap()
}

#[test]
fn each_tenant_has_a_chain_without_a_gap() {
    on_every_store(|store| {
        assert_eq!(verify(store, "a"), Ok(0));
        for index in 0..1_203 {
            append(store, if index % 3 == 0 { "b" } else { "a" }, &index.to_string());
        }
        assert_eq!((verify(store, "a"), verify(store, "b")), (Ok(802), Ok(401)));
        let mut seen = Vec::new();
        loop {
            let after = u64::try_from(seen.len()).unwrap();
            let page = RecordsRequest { tenant: "a".to_owned(), after, most: 100 };
            let page = block_on(store.records(page)).unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen.len(), 802);
        assert_eq!((seen[0].previous, seen[0].sequence, seen[0].call_id.as_str()), (Digest::ZERO, 1, "1"));
        assert_eq!(seen[0].body, "{\"call\":\"1\"}");
        for pair in seen.windows(2) {
            assert_eq!((pair[1].previous, pair[1].sequence), (pair[0].hash, pair[0].sequence + 1));
            assert_eq!(pair[1].link("a"), pair[1].hash);
        }
    });
}

/// Ten records, something done to them behind the store's back, and where the chain then breaks.
fn tampered(sql: &str) -> Result<u64, Broken> {
    let folder = Folder::new();
    let store = folder.open();
    for index in 1..=10 {
        append(&store, TENANT, &index.to_string());
    }
    let raw = Connection::open(folder.file()).unwrap();
    raw.execute_batch("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened;").unwrap();
    raw.execute_batch(sql).unwrap();
    verify(&store, TENANT)
}

#[test]
fn every_column_of_a_record_is_covered() {
    for change in [
        "body = '{}'",
        "verdict = 'deny'",
        "kind = 'x'",
        "call_id = 'x'",
        "at_ms = at_ms + 1",
        "previous = zeroblob(32)",
        "hash = zeroblob(32)",
        "tenant = 'other'",
        "sequence = 400",
    ] {
        let sql = format!("UPDATE audit SET {change} WHERE sequence = 4");
        assert_eq!(tampered(&sql), Err(Broken { sequence: 4 }), "{change}");
    }
    let split = "UPDATE audit SET kind = 'evaluation\",\"4', call_id = '' WHERE sequence = 4";
    assert_eq!(tampered(split), Err(Broken { sequence: 4 }));
}

#[test]
fn removed_inserted_and_moved_records_are_found() {
    assert_eq!(tampered("DELETE FROM audit WHERE sequence = 1"), Err(Broken { sequence: 1 }));
    assert_eq!(tampered("DELETE FROM audit WHERE sequence = 10"), Err(Broken { sequence: 10 }));
    assert_eq!(tampered("DELETE FROM audit"), Err(Broken { sequence: 1 }));
    let close_up = "DELETE FROM audit WHERE sequence = 4; UPDATE audit SET sequence = -sequence WHERE sequence > 4;
        UPDATE audit SET sequence = -sequence - 1 WHERE sequence < 0";
    let close_up = format!("PRAGMA ignore_check_constraints = ON; {close_up}");
    assert_eq!(tampered(&close_up), Err(Broken { sequence: 4 }));
    let insert = "INSERT INTO audit SELECT tenant, 11, at_ms, kind, call_id, verdict, body, hash, hash FROM audit
        WHERE sequence = 10";
    assert_eq!(tampered(insert), Err(Broken { sequence: 11 }));
    let swap = "UPDATE audit SET sequence = 400 WHERE sequence = 4; UPDATE audit SET sequence = 4 WHERE sequence = 5;
        UPDATE audit SET sequence = 5 WHERE sequence = 400";
    assert_eq!(tampered(swap), Err(Broken { sequence: 4 }));
}

#[test]
fn a_last_link_that_was_changed_is_found() {
    assert_eq!(tampered("DELETE FROM chain"), Err(Broken { sequence: 1 }));
    assert_eq!(tampered("UPDATE chain SET sequence = 9"), Err(Broken { sequence: 10 }));
    assert_eq!(tampered("UPDATE chain SET hash = zeroblob(32)"), Err(Broken { sequence: 10 }));
    assert_eq!(tampered("SELECT 1"), Ok(10));
}

#[test]
fn the_file_itself_refuses_to_change_a_record() {
    let folder = Folder::new();
    append(&folder.open(), TENANT, "c");
    let raw = Connection::open(folder.file()).unwrap();
    assert!(raw.execute("UPDATE audit SET verdict = 'deny'", ()).is_err());
    assert!(raw.execute("DELETE FROM audit", ()).is_err());
    assert_eq!(verify(&folder.open(), TENANT), Ok(1));
}
