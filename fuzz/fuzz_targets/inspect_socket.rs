//! Bytes from either end of the socket: what a server takes for requests stays bounded, and what a
//! client takes for an answer can be looked at from all sides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotpark_inspect::socket::protocol::{Answer, REQUEST_MAX, Request};
use slotpark_inspect::{Snapshot, dump, folded, page, prometheus};

fuzz_target!(|bytes: &[u8]| {
    serve(bytes);
    ask(bytes);
});

/// As a server reads: never more than it has room for, and to the end of the first that is none.
fn serve(mut bytes: &[u8]) {
    let mut come = Vec::new();
    loop {
        assert!(come.len() <= REQUEST_MAX);
        match Request::take(&mut come) {
            Some(Ok(request)) => assert_eq!(Request::parse(request.line().as_bytes()), Ok(request)),
            Some(Err(_)) => return,
            None => {
                let (now, later) = bytes.split_at(bytes.len().min(REQUEST_MAX - come.len()));
                if now.is_empty() {
                    return;
                }
                come.extend_from_slice(now);
                bytes = later;
            }
        }
    }
}

fn ask(bytes: &[u8]) {
    let Ok(Answer::Snapshot(snapshot)) = Answer::parse(bytes) else {
        return;
    };
    let again = Snapshot::from_json(&snapshot.to_json()).expect("it is a snapshot");
    assert_eq!(again.tables.len(), snapshot.tables.len());
    for deadlock in snapshot.suspects() {
        assert!(!deadlock.links.is_empty() && !deadlock.to_string().is_empty());
    }
    for table in &snapshot.tables {
        let _verdict = table.spreading().verdict;
    }
    let _texts = [dump(&snapshot), folded(&snapshot), prometheus(&snapshot)];
    if snapshot.tables.iter().all(|table| table.slot_count <= 4096) {
        let _page = page(&snapshot);
    }
}
