//! A tiny userspace kernel: guests are threads, and all they wait for is in one table of slots.
//!
//! A user sits at a terminal, types pipelines, and presses Ctrl-C; a shell forks three children for
//! each, connects them by pipes, and waits for them. To be read in this order:
//!
//! | module | what |
//! |---|---|
//! | here | what the user does |
//! | `shell` | `a \| b \| c` as fork, dup2, close, exec, wait |
//! | `programs` | what the children run |
//! | `guest` | the calls of a guest: how they block, are interrupted and are made again |
//! | `kernel` | the managers, and what the beginning and the end of a process are |
//! | `terminal` | a keyboard, a screen, a foreground group |

mod guest;
mod kernel;
mod programs;
mod shell;
mod terminal;

use kernel::Kernel;
use terminal::User;

fn main() {
    print!("{}", session());
}

/// A session at the terminal, from boot to power-off: what stands on the screen at the end, and
/// what the kernel has left.
pub(crate) fn session() -> String {
    let kernel = Kernel::boot();
    let user = User::new(&kernel);
    kernel.begin_session(shell::shell);

    // All of it is read: each child ends by itself.
    user.types("count 1000 | multiples 7 | sum");

    // The last one leaves early. Who writes to it dies of SIGPIPE, and so does who writes to that.
    user.types("count | multiples 7 | head 3");

    // All block, and stay blocked: the first in the keyboard, the others in their pipes, the shell
    // in its children. Ctrl-C ends all of the foreground but `ask`, whose handler has SA_RESTART:
    // it reads on, until the user hangs up.
    user.types("ask | multiples 7 | sum");
    user.types("14");
    user.types("15");
    user.looks_at_processes();
    user.presses_ctrl_c();
    user.sees("ask: interrupted, I read on");
    user.hangs_up();

    kernel.halt()
}
