//! Garbage that was met, again: the fuzzer's files, and what is next to them.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use slotpark_inspect::socket::protocol::{Answer, REQUEST_MAX, Request};
use slotpark_inspect::{dump, folded, page, prometheus};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/inspect_socket");
    // A package has no corpus beside it.
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = files.map(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        (name, fs::read(file.path()).expect("it is readable"))
    });
    files.collect()
}

/// Each file, each beginning of it, and each with one byte changed.
fn next_to(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = (0..=bytes.len()).map(|end| bytes[..end].to_vec());
    let changed = (0..bytes.len()).flat_map(move |place| {
        [0, b'"', b'9', b'}', 0xff].map(|byte| {
            let mut changed = bytes.to_vec();
            changed[place] = byte;
            changed
        })
    });
    cut.chain(changed)
}

#[test]
fn garbage_is_refused_or_looked_at() {
    let (mut answers, mut refused) = (0, 0);
    for (name, bytes) in corpus() {
        for bytes in next_to(&bytes) {
            match Answer::parse(&bytes) {
                Ok(Answer::Snapshot(mut snapshot)) => {
                    answers += 1;
                    for table in &mut snapshot.tables {
                        table.slot_count = table.slot_count.min(4096);
                        let _verdict = table.spreading();
                    }
                    let _texts = [dump(&snapshot), folded(&snapshot), prometheus(&snapshot)];
                    assert!(page(&snapshot).ends_with("</html>"), "{name}");
                }
                Ok(_) => answers += 1,
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
            let mut come = bytes;
            come.truncate(REQUEST_MAX);
            while let Some(Ok(_)) = Request::take(&mut come) {}
        }
    }
    assert!(
        corpus().is_empty() || answers > 100 && refused > 1_000,
        "{answers}, {refused}"
    );
}
