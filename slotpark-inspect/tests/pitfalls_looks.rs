//! Stories of those who look from outside: garbage on the socket harms nobody.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use common::watchdog::watchdog;
use slotpark_inspect::socket::protocol::{Answer, REQUEST_MAX};
use slotpark_inspect::socket::{Client, ServeOptions, serve};

/// The path of a socket that nobody else has.
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("slotpark-{name}-{}", std::process::id()))
}

/// What is answered to these bytes, until the connection ends.
fn answered(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(path).expect("somebody listens");
    stream.write_all(bytes).expect("there is room");
    let mut answer = Vec::new();
    // What was sent beyond the first line may reset the connection once the answer is here.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// A line without an end was kept and kept, or its sender left without a word.
#[test]
fn a_line_without_an_end_is_refused() {
    let _watchdog = watchdog("a_line_without_an_end_is_refused");
    let server = serve(&ServeOptions::default().with_path(place("endless")));
    let server = server.expect("there is a place for it");
    let answer = answered(server.path(), &[b'x'; REQUEST_MAX]);
    let answer = Answer::parse(&answer).expect("an answer");
    assert!(matches!(answer, Answer::Error(_)), "{answer:?}");
    let mut next = Client::open(server.path()).expect("it still listens");
    assert!(next.version().is_ok());
}

/// One who sends what is no request was served on, line by line.
#[test]
fn who_sends_garbage_is_sent_away() {
    let _watchdog = watchdog("who_sends_garbage_is_sent_away");
    let server = serve(&ServeOptions::default().with_path(place("garbage")));
    let server = server.expect("there is a place for it");
    let answers = answered(server.path(), b"\xff\xfe\nversion\nversion\n");
    let answers = String::from_utf8(answers).expect("answers are text");
    assert_eq!(answers.lines().count(), 1, "{answers}");
    let mut next = Client::open(server.path()).expect("it still listens");
    assert!(next.version().is_ok());
}
