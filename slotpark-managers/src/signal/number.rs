//! Signals by number, and what each does by default.

use std::fmt;

use crate::Errno;

/// A signal, from 1 to 64, by Linux's numbers. From [`RT_MIN`](Self::RT_MIN) on they are real-time
/// signals.
///
/// ```
/// use slotpark_managers::{DefaultAction, Errno, Signal};
/// assert_eq!(Signal::new(15), Ok(Signal::TERM));
/// assert_eq!(Signal::new(65), Err(Errno::Invalid));
/// assert_eq!(Signal::CHLD.default_action(), DefaultAction::Ignore);
/// assert_eq!(format!("{:?} {:?}", Signal::HUP, Signal::RT_MIN), "SIGHUP SIGRT0");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// What a signal does to a process that has said nothing about it: signal(7), "Standard signals".
///
/// ```
/// use slotpark_managers::{DefaultAction, Signal};
/// assert_eq!(Signal::SEGV.default_action(), DefaultAction::Core);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefaultAction {
    /// The process ends.
    Terminate,
    /// The process ends, and leaves an image of its memory.
    Core,
    /// Nothing.
    Ignore,
    /// The process stops until it is continued.
    Stop,
    /// It goes on if it is stopped. That happens when the signal is sent, whatever is done about
    /// it.
    Continue,
}

macro_rules! signals {
    ($($name:ident = $number:literal, $action:ident, $text:literal;)*) => {
        impl Signal {
            $(
                #[doc = concat!($text, ".")]
                pub const $name: Self = Self($number);
            )*

            /// What it does by default.
            ///
            /// ```
            /// use slotpark_managers::{DefaultAction, Signal};
            /// assert_eq!(Signal::TSTP.default_action(), DefaultAction::Stop);
            /// ```
            #[must_use]
            pub const fn default_action(self) -> DefaultAction {
                match self.0 {
                    $($number => DefaultAction::$action,)*
                    _ => DefaultAction::Terminate,
                }
            }

            const fn name(self) -> &'static str {
                match self.0 {
                    $($number => concat!("SIG", stringify!($name)),)*
                    _ => "SIGRT",
                }
            }
        }
    };
}

signals! {
    HUP = 1, Terminate, "The terminal is gone";
    INT = 2, Terminate, "Interrupted from the keyboard";
    QUIT = 3, Core, "Quit from the keyboard";
    ILL = 4, Core, "An instruction that is none";
    TRAP = 5, Core, "A breakpoint";
    ABRT = 6, Core, "The process gives up";
    BUS = 7, Core, "Memory that has nothing behind it";
    FPE = 8, Core, "Arithmetic without a result";
    KILL = 9, Terminate, "The end, without appeal";
    USR1 = 10, Terminate, "For programs";
    SEGV = 11, Core, "Memory that is not there";
    USR2 = 12, Terminate, "For programs";
    PIPE = 13, Terminate, "A pipe that nobody reads was written";
    ALRM = 14, Terminate, "A timer has run out";
    TERM = 15, Terminate, "Asked to end";
    STKFLT = 16, Terminate, "Not used by anything";
    CHLD = 17, Ignore, "A child has ended, stopped or gone on";
    CONT = 18, Continue, "Go on";
    STOP = 19, Stop, "Stop, without appeal";
    TSTP = 20, Stop, "Stopped from the keyboard";
    TTIN = 21, Stop, "Read from the terminal in the background";
    TTOU = 22, Stop, "Wrote to the terminal from the background";
    URG = 23, Ignore, "Urgent data";
    XCPU = 24, Core, "Too much of a processor used";
    XFSZ = 25, Core, "A file that is too large";
    VTALRM = 26, Terminate, "A timer of the process's own time";
    PROF = 27, Terminate, "A timer of profilers";
    WINCH = 28, Ignore, "The window has another size";
    IO = 29, Terminate, "Input or output is possible";
    PWR = 30, Terminate, "The power fails";
    SYS = 31, Core, "A system call that is none";
}

impl Signal {
    /// The first real-time signal that the kernel knows. C libraries keep the first two or three
    /// for themselves, and name a later one so.
    pub const RT_MIN: Self = Self(32);
    /// The last real-time signal, and the last of all.
    pub const RT_MAX: Self = Self(64);

    /// The signal of this number.
    ///
    /// # Errors
    /// [`Errno::Invalid`]: it is not from 1 to 64.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Signal};
    /// assert_eq!(Signal::new(0), Err(Errno::Invalid));
    /// ```
    pub const fn new(number: i32) -> Result<Self, Errno> {
        if 1 <= number && number <= Self::RT_MAX.0 as i32 {
            Ok(Self(number as u8))
        } else {
            Err(Errno::Invalid)
        }
    }

    /// Its number.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::Signal::KILL.number(), 9);
    /// ```
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0 as i32
    }

    /// Whether each one sent is kept, in order, with its value.
    ///
    /// ```
    /// use slotpark_managers::Signal;
    /// assert!(Signal::RT_MIN.is_real_time() && !Signal::SYS.is_real_time());
    /// ```
    #[must_use]
    pub const fn is_real_time(self) -> bool {
        self.0 >= Self::RT_MIN.0
    }

    /// SIGKILL and SIGSTOP: what nobody can catch, block or ignore.
    pub(crate) const fn is_without_appeal(self) -> bool {
        self.0 == Self::KILL.0 || self.0 == Self::STOP.0
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize - 1
    }

    pub(super) const fn at(index: u32) -> Self {
        Self(index as u8 + 1)
    }

    /// Whether it stops by default.
    pub(super) fn stops(self) -> bool {
        self.default_action() == DefaultAction::Stop
    }

    /// Whether nothing is left to do by default once it was sent.
    pub(super) fn is_nothing_by_default(self) -> bool {
        use DefaultAction::{Continue, Ignore};
        matches!(self.default_action(), Ignore | Continue)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if self.is_real_time() {
            write!(f, "{}", self.0 - Self::RT_MIN.0)?;
        }
        Ok(())
    }
}
