//! The shell: reads lines, and runs each as a pipeline.

use slotpark_managers::{ChildChange, Errno, ExitStatus, Pid};

use super::guest::{Guest, Trap};

/// Reads lines from its descriptor 0 until there are no more.
pub(crate) fn shell(shell: &Guest) -> Result<i32, Trap> {
    // A group of its own: what is sent to the foreground passes it by.
    shell.set_group(Pid(0), Pid(0))?;
    loop {
        shell.print("$ ")?;
        let Some(line) = read_line(shell)? else {
            shell.print("exit\n")?;
            return Ok(0);
        };
        pipeline(shell, &line)?;
    }
}

/// Byte by byte: what follows the line is for the children that it starts.
fn read_line(shell: &Guest) -> Result<Option<String>, Trap> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        match shell.read(0, &mut byte)? {
            0 => return Ok(None),
            _ if byte == *b"\n" => return Ok(Some(String::from_utf8_lossy(&line).into())),
            _ => line.push(byte[0]),
        }
    }
}

/// `first | second | third`: each child reads what the one before it writes. All are one group, in
/// the foreground; the shell waits for each, and then says how they ended.
fn pipeline(shell: &Guest, line: &str) -> Result<(), Trap> {
    let commands: Vec<&str> = line.split('|').collect();
    let mut group = None;
    let mut input = None;
    let mut children = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let name = words.first().cloned().unwrap_or_default();
        let is_last = at + 1 == commands.len();
        let pipe = if is_last { None } else { Some(shell.pipe()?) };
        let output = pipe.map(|(_, writer)| writer);
        let child = shell.fork(move |child| {
            child.set_group(Pid(0), group.unwrap_or(Pid(0)))?;
            if let Some(input) = input {
                child.dup2(input, 0)?;
            }
            if let Some(output) = output {
                child.dup2(output, 1)?;
            }
            // The numbers that the pipes had in the shell are closed by this: they are marked.
            child.exec(&words)
        })?;
        let group = *group.get_or_insert(child);
        match shell.set_group(child, group) {
            // It has done that itself, and runs its program already.
            Ok(()) | Err(Trap::Failed(Errno::Access)) => {}
            Err(error) => return Err(error),
        }
        // As long as the shell has an end too, nobody downstream would see the end of the bytes.
        for own in [input, output].into_iter().flatten() {
            shell.close(own)?;
        }
        input = pipe.map(|(reader, _)| reader);
        children.push((name, child));
    }
    if let Some(group) = group {
        shell.set_foreground(group);
    }
    let mut report = String::new();
    for (name, child) in children {
        report += &format!("[{name}: {}]", ended(shell.wait(child)?));
    }
    shell.print(&format!("{report}\n"))
}

fn ended(change: ChildChange) -> String {
    match change {
        ChildChange::Ended(ExitStatus::Exited(code)) => format!("exited with {code}"),
        ChildChange::Ended(ExitStatus::Signaled { signal, .. }) => format!("died of {signal:?}"),
        other => format!("{other:?}"),
    }
}
