//! Stacks of some waits: taken by who waits, made readable by who looks.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

/// Stacks that are kept at most: the latest.
const STACKS_MAX: usize = 256;

/// Frames of a stack that are shown at most.
const FRAMES_MAX: usize = 32;

struct Stacks {
    next: u64,
    kept: VecDeque<(u64, Arc<Backtrace>)>,
}

static STACKS: Mutex<Stacks> = Mutex::new(Stacks {
    next: 1,
    kept: VecDeque::new(),
});

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Takes the stack of this thread; none, if it is taking one.
pub(crate) fn take() -> Option<NonZeroU64> {
    if INSIDE.try_with(|own| own.replace(true)).unwrap_or(true) {
        return None;
    }
    let stack = Arc::new(Backtrace::force_capture());
    let number = {
        let mut stacks = STACKS.lock().unwrap_or_else(PoisonError::into_inner);
        let number = stacks.next;
        stacks.next += 1;
        let oldest = (stacks.kept.len() >= STACKS_MAX).then(|| stacks.kept.pop_front());
        stacks.kept.push_back((number, stack));
        drop(stacks);
        drop(oldest);
        number
    };
    let _ = INSIDE.try_with(|own| own.set(false));
    NonZeroU64::new(number)
}

/// The frames of a stack, innermost first; empty if it is kept no more.
pub(crate) fn frames(number: u64) -> Vec<String> {
    let found = {
        let stacks = STACKS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stacks.kept.iter().find(|(kept, _)| *kept == number);
        found.map(|(_, stack)| Arc::clone(stack))
    };
    found.map_or_else(Vec::new, |stack| readable(&stack.to_string()))
}

/// The standard library prints a line with number and name for each frame, and one with its place
/// below where it knows it. What this crate and the engine add at the inner end is left out.
fn readable(text: &str) -> Vec<String> {
    let mut frames = Vec::<String>::new();
    for line in text.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                *frame = format!("{frame} at {place}");
            }
        } else if let Some((_, name)) = line.split_once(": ") {
            frames.push(name.to_owned());
        }
    }
    let ours = |frame: &String| {
        [
            "std::backtrace",
            "slotpark_inspect::",
            "slotpark_core::",
            "<slotpark_",
        ]
        .iter()
        .any(|start| frame.starts_with(start))
    };
    let frames = frames.into_iter().skip_while(ours);
    frames.take(FRAMES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_found_by_its_number_and_no_other_is() {
        let number = take().expect("nobody takes one inside").get();
        assert!(!frames(number).is_empty());
        assert!(frames(u64::MAX).is_empty());
        for _ in 0..STACKS_MAX {
            let _ = take();
        }
        assert!(frames(number).is_empty(), "there were newer ones");
    }

    #[test]
    fn frames_have_names_and_places_and_begin_outside() {
        let text = "   0: std::backtrace::Backtrace::create\n             at /rustc/x.rs:1:2\n   \
                    1: slotpark_inspect::stacks::take\n   2: app::wait\n             at \
                    ./src/main.rs:7:9\n   3: main\n";
        assert_eq!(readable(text), ["app::wait at ./src/main.rs:7:9", "main"]);
    }
}
