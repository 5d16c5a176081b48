//! The engines of other languages answer, and programs that do not are told of.

use serde_json::json;

use slotpark_report::Metric;

use super::*;
use crate::bench::registry;
use crate::bench::request::Request;

/// Every shape that some engine answers, small.
fn shapes() -> Vec<Value> {
    let sleepers = json!({"call": "wake_one", "sleepers": 3, "stride": 4096});
    vec![
        json!({"shape": "calls", "parameters": sleepers}),
        json!({"shape": "calls", "parameters": {"call": "wake_all", "threads": 2, "draw": "zipf"}}),
        json!({"shape": "calls", "parameters": {"call": "wait_stale", "draw": "uniform"}}),
        json!({"shape": "calls", "parameters": {"call": "wait_timeout"}}),
        json!({"shape": "round_trip", "parameters": {"pairs": 2}}),
        json!({"shape": "round_trip", "parameters": {"busy": true}}),
        json!({"shape": "round_trip", "parameters": {"pairs": 2, "shared_keys": 4}}),
        json!({"shape": "storm", "parameters": {"keys": 2, "waiters": 2, "notifiers": 1}}),
        json!({"shape": "wake_all", "parameters": {"waiters": 8}}),
        json!({"shape": "regime", "parameters": {}}),
        json!({"shape": "wait_memory", "parameters": {"keys": 1000}}),
        json!({"shape": "polled", "parameters": {"call": "wait_wake"}}),
        json!({"shape": "wake_tasks", "parameters": {"waiters": 8}}),
        json!({"shape": "locks", "parameters": {"threads": 2, "keys": 100}}),
        json!({"shape": "locks", "parameters": {"threads": 2, "keys": 100, "draw": "zipf"}}),
        json!({"shape": "locks_polled", "parameters": {}}),
        json!({"shape": "lock_memory", "parameters": {"keys": 1000}}),
        json!({"shape": "permits", "parameters": {"threads": 4, "permits": 2}}),
        json!({"shape": "flight", "parameters": {"threads": 1}}),
        json!({"shape": "flight", "parameters": {"threads": 4}}),
    ]
}

fn request(shape: &Value) -> Request {
    let mut request = json!({
        "at": 4.0, "pace": {"kind": "closed"}, "latency": false, "quick": true, "seed": 7,
        "window_ms": 10, "warm_up_ms": 5, "cut_off_ms": 1000,
    });
    let fields = request.as_object_mut().unwrap();
    fields.extend(shape.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

fn storm() -> Request {
    request(&json!({"shape": "storm", "parameters": {"keys": 4, "waiters": 2, "notifiers": 1}}))
}

#[test]
fn a_request_is_told_as_names_and_values() {
    let mut request = storm();
    request.at = None;
    request.pace = serde_json::from_value(
        json!({"kind": "open", "operations_per_second": 500.5, "arrivals": "even"}),
    )
    .unwrap();
    let mut told = arguments(&request).unwrap();
    told.sort();
    let expected = "arrivals=even cut_off_ms=1000 keys=4 latency=false notifiers=1 \
                    operations_per_second=500.5 pace=open quick=true seed=7 shape=storm waiters=2 \
                    warm_up_ms=5 window_ms=10";
    assert_eq!(told.join(" "), expected);
}

/// What a shell that runs this script, in place of a program, is understood to have said.
fn said(script: &str, limit: Duration) -> anyhow::Result<Answer> {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    ask(command, &storm(), limit)
}

#[test]
fn what_a_program_says_is_understood_or_refused() {
    let limit = Duration::from_secs(60);
    let error = |script| format!("{:#}", said(script, limit).unwrap_err());
    let answer = said(r#"echo '{"figures":{"time":7}}'"#, limit).unwrap();
    assert_eq!(answer, Answer::of([(Metric::Time, 7.0)]));
    let answer = said(r#"echo '{"skipped":"no"}'"#, limit).unwrap();
    assert_eq!(answer, Answer::skipped("no"));
    let garbage = error("echo 'what?'");
    assert!(
        garbage.starts_with("sh gave no answer, but `what?`"),
        "{garbage}"
    );
    let unknown = error(r#"echo '{"figures":{"speed":7}}'"#);
    assert!(unknown.contains("unknown variant `speed`"), "{unknown}");
    assert_eq!(
        error("echo 'no such word' >&2; exit 2"),
        "sh ended with exit status: 2: no such word"
    );
    let killed = error("kill -SEGV $$");
    assert!(killed.starts_with("sh ended with signal: 11"), "{killed}");
    assert_eq!(error(r"echo '{}'"), "sh gave an answer without figures");
    // More than a pipe holds.
    let long = error("head -c 1000000 /dev/zero | tr '\\0' x");
    assert!(long.len() > 1_000_000, "{} bytes", long.len());
}

#[test]
fn a_program_that_is_silent_for_too_long_has_hung_and_is_ended_with_its_children() {
    // The pipes stay open for as long as the child has them.
    let answer = said("sleep 3600 & sleep 3600", Duration::from_millis(50)).unwrap();
    assert!(answer.hung, "{answer:?}");
    assert_eq!(answer.notes, ["it did not answer within 0.05 s"]);
}

/// What of a toolchain may be missing here; then no engine of it can be tried.
const MISSING: [&str; 3] = ["is not installed", "clang++ fails", "golang.org/x/sync"];
/// What an engine may be without.
const LACKS: [&str; 2] = ["has no ", "no deadline"];

fn has_any(reason: &str, of: &[&str]) -> bool {
    of.iter().any(|part| reason.contains(part))
}

fn engines() -> impl Iterator<Item = (&'static str, registry::Outside)> {
    registry::all().filter_map(|engine| Some((engine.name, engine.outside()?)))
}

#[test]
fn every_engine_answers_or_says_what_it_is_without() {
    for (name, sample) in engines() {
        let mut answered = 0;
        for shape in &shapes() {
            let answer = sample(&request(shape)).unwrap();
            if let Some(reason) = answer.skipped {
                println!("{name} skips {shape}: {reason}");
                assert!(
                    has_any(&reason, &LACKS) || has_any(&reason, &MISSING),
                    "{reason}"
                );
                answered += usize::from(has_any(&reason, &MISSING));
                continue;
            }
            println!("{name} {shape}: {:?} {:?}", answer.figures, answer.notes);
            check(&answer);
            answered += 1;
        }
        assert!(answered > 0, "{name} answers nothing");
    }
}

fn check(answer: &Answer) {
    assert!(!answer.hung && answer.latency.is_none(), "{answer:?}");
    assert!(
        answer.notes.last().unwrap().starts_with("built by "),
        "{answer:?}"
    );
    for (&metric, &figure) in &answer.figures {
        let allowed = match metric {
            Metric::Time | Metric::Cpu | Metric::Call => 1e-3..1e10,
            Metric::LeastShare | Metric::Made => 0.0..1.000_001,
            _ => 0.0..1e10,
        };
        assert!(allowed.contains(&figure), "{metric:?} of {answer:?}");
    }
}

#[test]
fn single_operations_are_recorded_where_they_are_asked_for() {
    let trips = json!({"shape": "round_trip", "parameters": {}});
    for (name, sample) in engines() {
        let mut request = request(&trips);
        request.latency = true;
        request.pace = serde_json::from_value(
            json!({"kind": "open", "operations_per_second": 1000, "arrivals": "even"}),
        )
        .unwrap();
        let answer = sample(&request).unwrap();
        if let Some(reason) = answer.skipped {
            println!("{name} skips {trips}: {reason}");
            continue;
        }
        let latency = answer.latency.unwrap();
        assert!(
            latency.is_sorted_by(|one, next| one.0 < next.0),
            "{name}: {latency:?}"
        );
        let all_count = latency.iter().all(|bucket| bucket.1 > 0);
        assert!(all_count && !latency.is_empty(), "{name}: {latency:?}");
    }
}
