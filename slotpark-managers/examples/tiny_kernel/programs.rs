//! What the children of the shell run. Each is a function of its arguments, which calls the kernel
//! through its [`Guest`], and is ended by the first call that says so.

use slotpark_managers::{Signal, SignalFlags};

use super::guest::{Guest, Trap};

pub(crate) type Program = fn(&Guest, Option<u64>) -> Result<i32, Trap>;

/// The programs by name: what exec finds.
pub(crate) const ALL: [(&str, Program); 5] = [
    ("ask", ask),
    ("count", count),
    ("head", head),
    ("multiples", multiples),
    ("sum", sum),
];

/// Writes the numbers from 1 to `last`, or for ever.
fn count(guest: &Guest, last: Option<u64>) -> Result<i32, Trap> {
    for number in 1..=last.unwrap_or(u64::MAX) {
        guest.print(&format!("{number}\n"))?;
    }
    Ok(0)
}

/// Passes on what can be divided.
fn multiples(guest: &Guest, of: Option<u64>) -> Result<i32, Trap> {
    let mut input = Input::new(guest);
    while let Some(number) = input.next()? {
        if number % of.unwrap_or(1) == 0 {
            guest.print(&format!("{number}\n"))?;
        }
    }
    Ok(0)
}

/// Adds up, and says the sum at the end.
fn sum(guest: &Guest, _: Option<u64>) -> Result<i32, Trap> {
    let mut input = Input::new(guest);
    let mut sum = 0;
    while let Some(number) = input.next()? {
        sum += number;
    }
    guest.print(&format!("{sum}\n"))?;
    Ok(0)
}

/// Passes on the first few, and leaves.
fn head(guest: &Guest, lines: Option<u64>) -> Result<i32, Trap> {
    let mut input = Input::new(guest);
    for _ in 0..lines.unwrap_or(10) {
        let Some(number) = input.next()? else { break };
        guest.print(&format!("{number}\n"))?;
    }
    Ok(0)
}

/// Passes on what is typed, and is not ended by Ctrl-C.
fn ask(guest: &Guest, _: Option<u64>) -> Result<i32, Trap> {
    guest.set_handler(Signal::INT, SignalFlags::RESTART, |guest| {
        guest.write_all(2, b"ask: interrupted, I read on\n")
    })?;
    let mut input = Input::new(guest);
    let mut numbers = 0;
    while let Some(number) = input.next()? {
        guest.print(&format!("{number}\n"))?;
        numbers += 1;
    }
    guest.write_all(2, format!("ask: {numbers} numbers\n").as_bytes())?;
    Ok(0)
}

/// The numbers that are read from descriptor 0, one a line.
struct Input<'g> {
    guest: &'g Guest,
    read: Vec<u8>,
}

impl<'g> Input<'g> {
    fn new(guest: &'g Guest) -> Self {
        let read = Vec::new();
        Self { guest, read }
    }

    /// The next one; lines that are none are passed over.
    fn next(&mut self) -> Result<Option<u64>, Trap> {
        loop {
            while let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                if let Ok(number) = String::from_utf8_lossy(&line).trim().parse() {
                    return Ok(Some(number));
                }
            }
            let mut bytes = [0; 512];
            match self.guest.read(0, &mut bytes)? {
                0 => return Ok(None),
                count => self.read.extend_from_slice(&bytes[..count]),
            }
        }
    }
}
