//! The programs, who compiles them, and the engines that they are.

use std::path::Path;
use std::sync::OnceLock;

use super::compile::Recipe;
use super::sample;
use crate::bench::registry::Entry;
use crate::bench::shapes::Question;

/// The engines; each names what of its program it is.
pub(in crate::bench) static ENGINES: [Entry; 11] = [
    Entry::by_program(
        "cpp_atomic_wait",
        "C++: std::atomic<int32_t>::wait and notify, libstdc++",
        |request| sample(&LIBSTDCXX_WAITS, "word=int32", WAITS, request),
    ),
    Entry::by_program(
        "cpp_atomic_wait_64",
        "the same of int64_t, which waits on a word that addresses share by their hash",
        |request| sample(&LIBSTDCXX_WAITS, "word=int64", WAITS, request),
    ),
    Entry::by_program(
        "libcxx_atomic_wait",
        "C++: std::atomic<int32_t>::wait and notify, libc++",
        |request| sample(&LIBCXX_WAITS, "word=int32", WAITS, request),
    ),
    Entry::by_program(
        "libcxx_atomic_wait_64",
        "the same of int64_t, which waits on a word that addresses share by their hash",
        |request| sample(&LIBCXX_WAITS, "word=int64", WAITS, request),
    ),
    Entry::by_program(
        "cpp_striped_512",
        "C++: 512 std::mutex by hash; no lock by key",
        |request| {
            sample(
                &LIBSTDCXX_LOCKS,
                "locks=stripes",
                &[Question::Locks],
                request,
            )
        },
    ),
    Entry::by_program(
        "cpp_map",
        "C++: unordered_map of std::mutex under a std::mutex, removed by the last",
        |request| sample(&LIBSTDCXX_LOCKS, "locks=map", &[Question::Locks], request),
    ),
    Entry::by_program(
        "cpp_semaphore",
        "C++: std::counting_semaphore, libstdc++",
        |request| {
            sample(
                &LIBSTDCXX_LOCKS,
                "locks=none",
                &[Question::Permits],
                request,
            )
        },
    ),
    Entry::by_program(
        "go_map",
        "Go: map of sync.Cond or sync.Mutex under a sync.Mutex, removed by the last",
        |request| sample(&GO_SYNC, "map=removed", GO, request),
    ),
    Entry::by_program(
        "go_sync_map",
        "Go: sync.Map of sync.Cond or sync.Mutex, kept",
        |request| sample(&GO_SYNC, "map=kept", GO, request),
    ),
    Entry::by_program(
        "go_channel",
        "Go: a channel with room for a value per permit",
        |request| sample(&GO_SYNC, "map=none", &[Question::Permits], request),
    ),
    Entry::by_program(
        "go_singleflight",
        "Go: golang.org/x/sync/singleflight",
        |request| sample(&GO_SINGLEFLIGHT, "map=none", &[Question::Flights], request),
    ),
];

const WAITS: &[Question] = &[Question::Wakes, Question::Threads];
const GO: &[Question] = &[Question::Wakes, Question::Threads, Question::Locks];

static LIBSTDCXX_WAITS: Recipe = cpp("g++", &GXX_WAITS, atomic_wait);
static LIBCXX_WAITS: Recipe = cpp("clang++", &CLANGXX_WAITS, atomic_wait);
static LIBSTDCXX_LOCKS: Recipe = cpp("g++", &GXX_LOCKS, mutexes);
static GO_SYNC: Recipe = go(&["build", "-o"], go_sync);
// Without its sums, `go.sum`, which are those of the version that it gets.
static GO_SINGLEFLIGHT: Recipe = go(
    &["build", "-mod=mod", "-tags=singleflight", "-o"],
    go_singleflight,
);

const GXX_WAITS: [&str; 5] = ["-std=c++20", "-O2", "-pthread", "atomic_wait.cpp", "-o"];
const GXX_LOCKS: [&str; 5] = ["-std=c++20", "-O2", "-pthread", "mutexes.cpp", "-o"];
const CLANGXX_WAITS: [&str; 6] = [
    "-stdlib=libc++",
    "-std=c++20",
    "-O2",
    "-pthread",
    "atomic_wait.cpp",
    "-o",
];

const fn cpp(
    compiler: &'static str,
    arguments: &'static [&'static str],
    files: fn() -> Vec<(&'static str, String)>,
) -> Recipe {
    Recipe {
        compiler,
        version: "--version",
        arguments,
        environment: &[],
        files,
        once: OnceLock::new(),
    }
}

const fn go(
    arguments: &'static [&'static str],
    files: fn() -> Vec<(&'static str, String)>,
) -> Recipe {
    Recipe {
        compiler: "go",
        version: "version",
        arguments,
        // No other toolchain is to be fetched, and no surrounding workspace or flags count.
        environment: &[("GOTOOLCHAIN", "local"), ("GOWORK", "off"), ("GOFLAGS", "")],
        files,
        once: OnceLock::new(),
    }
}

/// Files of this package, as they are embedded.
macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        vec![$(
            ($name, include_str!(concat!("../../../outside/", $folder, "/", $name)).to_owned())
        ),+]
    };
}

fn atomic_wait() -> Vec<(&'static str, String)> {
    files!("cpp": "request.hpp", "threads.hpp", "crew.hpp", "atomic_wait.cpp")
}

fn mutexes() -> Vec<(&'static str, String)> {
    files!("cpp": "request.hpp", "threads.hpp", "crew.hpp", "mutexes.cpp")
}

fn go_sync() -> Vec<(&'static str, String)> {
    files!("go": "go.mod", "main.go", "request.go", "crew.go", "keyed.go", "waits.go", "locks.go")
}

/// Where Debian's package `golang-golang-x-sync-dev` has the module.
const PACKAGED: &str = "/usr/share/gocode/src/golang.org/x/sync";

/// The module comes from Debian's package where it is installed, else from Go's own place for
/// modules.
fn go_singleflight() -> Vec<(&'static str, String)> {
    let mut files = go_sync();
    files.extend(files!("go": "flight.go"));
    let (name, module) = &mut files[0];
    assert_eq!(*name, "go.mod", "it is the first of them");
    module.push_str("\nrequire golang.org/x/sync v0.7.0\n");
    if Path::new(PACKAGED).join("go.mod").exists() {
        module.push_str(&format!("\nreplace golang.org/x/sync => {PACKAGED}\n"));
    }
    files
}
