//! What the process keeps in memory.

/// The resident memory of this process. Keeps nothing.
pub(crate) fn resident_bytes() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<i64>().ok());
    let page_bytes = i64::try_from(rustix::param::page_size()).unwrap_or(0);
    pages.unwrap_or(0) * page_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_grows_with_what_is_touched() {
        let before = resident_bytes();
        let kept = std::hint::black_box(vec![1_u8; 64 << 20]);
        // Other tests give memory back at the same time.
        assert!(resident_bytes() - before > 32 << 20);
        drop(kept);
    }
}
