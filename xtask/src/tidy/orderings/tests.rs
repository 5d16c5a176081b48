//! Planted violations of the rules for orderings, next to the same code without them.

use super::check;
use crate::tidy::rules_broken;

const PATH: &str = "slotpark-core/src/lock.rs";

/// Two sides of a pair, as they should be.
const LOCK: &str = "\
// ORDERING: LOCK release side: what was written inside is visible to the next one.
w.store(0, Ordering::Release);

// ORDERING: LOCK acquire side: the last holder's writes are visible
// from here; relaxed on failure.
w.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
";
const ROW: (&str, &str) = (
    "slotpark/docs/orderings.md",
    "# Orderings\n\n| LOCK | .. | .. |\n",
);
const TEST: (&str, &str) = (
    "slotpark-core/tests/loom.rs",
    "#[test]\n// Two threads.\nfn pair_lock_two() {}\n",
);

fn broken(files: &[(&str, &str)]) -> Vec<String> {
    rules_broken(files, check)
}

/// What code without any pair breaks in a file of its own.
fn broken_in(path: &str, code: &str) -> Vec<String> {
    broken(&[(path, code)])
}

#[test]
fn a_whole_triangle_is_right() {
    assert_eq!(broken(&[(PATH, LOCK), ROW, TEST]), [""; 0]);
    let headed = (ROW.0, "# Orderings\n\n## `LOCK`: the slot lock\n");
    assert_eq!(broken(&[(PATH, LOCK), headed, TEST]), [""; 0]);
}

#[test]
fn every_corner_of_the_triangle_is_missed() {
    assert_eq!(broken(&[(PATH, LOCK), TEST]), ["pair-row:1"]);
    assert_eq!(broken(&[(PATH, LOCK), ROW]), ["pair-test:1"]);
    assert_eq!(broken(&[ROW]), ["pair-row:3"]);
    assert_eq!(broken(&[TEST]), ["pair-test:3"]);
}

#[test]
fn a_function_that_is_not_a_test_is_no_pair_test() {
    let helper = (TEST.0, "fn pair_lock() {}\n");
    assert_eq!(broken(&[(PATH, LOCK), ROW, helper]), ["pair-test:1"]);
    let other = (TEST.0, "#[test]\nfn pair_locker() {}\n");
    assert_eq!(
        broken(&[(PATH, LOCK), ROW, other]),
        ["pair-test:1", "pair-test:2"]
    );
    let elsewhere = ("slotpark-core/tests/stress.rs", TEST.1);
    assert_eq!(broken(&[(PATH, LOCK), ROW, elsewhere]), ["pair-test:1"]);
}

#[test]
fn a_pair_has_two_sites_with_two_sides() {
    let one = "// ORDERING: LOCK both: x.\nfence(Ordering::SeqCst);\n";
    assert_eq!(broken(&[(PATH, one), ROW, TEST]), ["pair-sites:1"]);
    let twice = format!("{one}\n{one}");
    assert_eq!(broken(&[(PATH, &twice), ROW, TEST]), ["pair-sites:1"]);
    let relaxed = LOCK
        .replace("Release", "Relaxed")
        .replace("Acquire", "Relaxed");
    assert_eq!(broken(&[(PATH, &relaxed), ROW, TEST]), ["pair-sites:1"]);
}

#[test]
fn a_fence_shared_by_both_sides_pairs_with_the_relaxed_accesses_that_name_it() {
    let code = "// ORDERING: LOCK both sides: x.\nfence(Ordering::SeqCst);\n\n\
                // ORDERING: LOCK side A, relaxed: the fence orders it.\n\
                w.load(Ordering::Relaxed);\n";
    assert_eq!(broken(&[(PATH, code), ROW, TEST]), [""; 0]);
}

#[test]
fn an_ordering_is_explained_near_by() {
    for code in [
        "w.load(Ordering::Acquire);\n",
        "w.load(Ordering::Relaxed);\n",
        "w.load(atomic_ordering::Ordering::SeqCst);\n",
        "w.load(\n    Ordering::Relaxed,\n);\n",
    ] {
        let line = 1 + code
            .lines()
            .position(|line| line.contains("Ordering"))
            .unwrap();
        assert_eq!(
            broken_in(PATH, code),
            [format!("ordering:{line}")],
            "{code}"
        );
    }
    // A comment behind a blank line, or too far above, explains something else.
    let relaxed = "// ORDERING: none, relaxed: a count.\n";
    let load = "w.load(Ordering::Relaxed);\n";
    assert_eq!(broken_in(PATH, &format!("{relaxed}{load}")), [""; 0]);
    assert_eq!(
        broken_in(PATH, &format!("// Relaxed: a count.\n{load}")),
        [""; 0]
    );
    assert_eq!(
        broken_in(
            PATH,
            "w.load(Ordering::Relaxed); // ORDERING: none: a count.\n"
        ),
        [""; 0]
    );
    assert_eq!(
        broken_in(PATH, &format!("{relaxed}\n{load}")),
        ["ordering:3"]
    );
    assert_eq!(
        broken_in(PATH, &format!("{relaxed}{}{load}", "a();\n".repeat(5))),
        [""; 0]
    );
    assert_eq!(
        broken_in(PATH, &format!("{relaxed}{}{load}", "a();\n".repeat(6))),
        ["ordering:8"]
    );
}

#[test]
fn what_is_not_relaxed_names_its_pair() {
    for comment in ["none: x.", "lock acquire: x.", "LOCK: x.", "LOCK acquire"] {
        let code = format!("// ORDERING: {comment}\nw.load(Ordering::Acquire);\n");
        assert_eq!(broken_in(PATH, &code), ["ordering:2"], "{comment}");
    }
    let relaxed = "// Relaxed: x.\nw.load(Ordering::Acquire);\n";
    assert_eq!(broken_in(PATH, relaxed), ["ordering:2"]);
}

#[test]
fn short_names_of_orderings_are_seen() {
    assert_eq!(
        broken_in(PATH, "use Ordering::{Acquire};\nw.load(Acquire);\n"),
        ["ordering:2"]
    );
    assert_eq!(
        broken_in(PATH, "use Ordering::*;\nw.load(Relaxed);\n"),
        ["ordering:2"]
    );
    let renamed = "use x::Ordering as O;\nw.load(O::Acquire);\n";
    assert_eq!(broken_in(PATH, renamed), ["ordering:1"]);
    // Variants of other enums are no orderings.
    assert_eq!(
        broken_in(PATH, "enum Event { Acquire }\nlet e = Event::Acquire;\n"),
        [""; 0]
    );
    assert_eq!(
        broken_in(PATH, "impl X + use<'a> {}\nenum E { Acquire }\n"),
        [""; 0]
    );
}

#[test]
fn where_the_rules_hold() {
    let load = "w.load(Ordering::Acquire);\nw.load(Ordering::Relaxed);\n";
    assert_eq!(
        broken_in("slotpark/src/a.rs", load),
        ["ordering:1", "ordering:2"]
    );
    assert_eq!(broken_in("slotpark-cli/src/a.rs", load), ["ordering:1"]);
    assert_eq!(broken_in("slotpark-preload/src/a.rs", load), ["ordering:1"]);
    assert_eq!(broken_in("slotpark-core/tests/a.rs", load), [""; 0]);
    assert_eq!(
        broken_in(PATH, &format!("#[cfg(test)]\nmod t {{\n{load}}}\n")),
        [""; 0]
    );
    let free = format!("// ORDERING: for the kernel, not for us.\n{load}");
    assert_eq!(broken_in("slotpark-cli/src/a.rs", &free), [""; 0]);
}

#[test]
fn atomics_have_one_door() {
    for import in [
        "use core::sync::atomic::AtomicU32;",
        "use std::{mem, sync::atomic};",
    ] {
        assert_eq!(broken_in(PATH, import), ["atomics:1"], "{import}");
        assert_eq!(broken_in("slotpark-core/src/sync/real.rs", import), [""; 0]);
        assert_eq!(broken_in("slotpark/src/a.rs", import), [""; 0]);
        assert_eq!(broken_in(PATH, &format!("#[cfg(test)]\n{import}")), [""; 0]);
    }
}
