//! The example `tiny_kernel`: what stands on its screen, each time.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
#[allow(dead_code, reason = "its `main` is for those who run it")]
#[path = "../examples/tiny_kernel/main.rs"]
mod tiny_kernel;

use common::watchdog;

const SCREEN: &str = "\
$ count 1000 | multiples 7 | sum
71071
[count: exited with 0][multiples: exited with 0][sum: exited with 0]
$ count | multiples 7 | head 3
7
14
21
[count: died of SIGPIPE][multiples: died of SIGPIPE][head: exited with 0]
$ ask | multiples 7 | sum
14
15
   2 shell waits for its children
   9 ask reads
  10 multiples reads
  11 sum reads
^C
ask: interrupted, I read on
ask: 2 numbers
[ask: exited with 0][multiples: died of SIGINT][sum: died of SIGINT]
$ exit
accounted: ask count count head multiples multiples multiples shell sum sum
processes: empty
signals: empty
pipes: empty
channels: empty
tables of descriptors: empty
";

#[test]
fn sessions_at_the_terminal_are_alike() {
    let _watchdog = watchdog("sessions_at_the_terminal_are_alike");
    for _ in 0..20 {
        assert_eq!(tiny_kernel::session(), SCREEN);
    }
}
