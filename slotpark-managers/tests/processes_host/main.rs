//! Signals and processes beside the host's: the same random calls on the managers and on real
//! processes, and every result compared.
//!
//! A program without a test harness and so with one thread: what it forks may do anything.

#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod record;
#[cfg(target_os = "linux")]
mod signals;

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let Some([serve, at]) = arguments.get(1..3).and_then(|rest| rest.first_chunk()) {
        if serve == "--serve" {
            processes::serve::serve(at.parse().expect("a place"), true);
        }
    }
    signals::random_calls();
    processes::random_calls();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: processes_host: the host is not Linux");
}
