//! Threads by the operating system's number: what they are called.

use std::collections::HashMap;

/// The names that were asked for, of one look.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<u32, Option<String>>);

impl Names {
    /// What a thread of this process is called; `None` where the system does not tell, or where
    /// the thread has ended.
    pub(crate) fn of(&mut self, thread: u32) -> Option<String> {
        self.0.entry(thread).or_insert_with(|| name(thread)).clone()
    }
}

#[cfg(target_os = "linux")]
fn name(thread: u32) -> Option<String> {
    let text = std::fs::read(format!("/proc/self/task/{thread}/comm")).ok()?;
    Some(String::from_utf8_lossy(&text).trim_end().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn name(_: u32) -> Option<String> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_its_name_and_no_thread_has_none() {
        let run = || {
            let link = std::fs::read_link("/proc/thread-self").expect("Linux has it");
            let id = link.file_name().and_then(|id| id.to_str()?.parse().ok());
            Names::default().of(id.expect("it is a number"))
        };
        let thread = std::thread::Builder::new().name("loader-7".into());
        let found = thread.spawn(run).expect("there is room").join();
        assert_eq!(found.expect("no panic").as_deref(), Some("loader-7"));
        assert_eq!(Names::default().of(u32::MAX), None);
    }
}
