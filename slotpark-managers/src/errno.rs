//! What a call can fail with: Linux's names and numbers, on every platform.

use std::error::Error;
use std::fmt;

macro_rules! errnos {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why a call has failed.
        ///
        /// ```
        /// use slotpark_managers::Errno;
        /// assert_eq!((Errno::Again.number(), Errno::Again.name()), (11, "EAGAIN"));
        /// assert_eq!(Errno::Pipe.to_string(), "nobody can read it (EPIPE)");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Errno {
            $(
                #[doc = concat!($text, ".")]
                $(#[$meta])*
                $name,
            )*
        }

        impl Errno {
            /// Linux's number of it.
            ///
            /// ```
            /// assert_eq!(slotpark_managers::Errno::BadFd.number(), 9);
            /// ```
            #[must_use]
            pub const fn number(self) -> i32 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

errnos! {
    NotPermitted = 1, "not permitted";
    NoEntry = 2, "there is nothing of that name";
    NoProcess = 3, "there is no such process or thread";
    Interrupted = 4, "the wait was interrupted";
    NoDevice = 6, "there is nobody at the other end";
    BadFd = 9, "there is no such descriptor, or it is not open for this";
    NoChild = 10, "there is no such child";
    Again = 11, "it would block, or a limit is reached";
    NoMemory = 12, "there is no room for it";
    Access = 13, "access is denied";
    Busy = 16, "it is in use";
    Exists = 17, "there is something of that name already";
    Invalid = 22, "an argument is invalid";
    TooManyFiles = 24, "too many descriptors are open";
    NoSpace = 28, "there is no space left";
    Pipe = 32, "nobody can read it";
    Deadlock = 35, "the caller would wait for itself";
    NameTooLong = 36, "the name is too long";
    NoSuchCall = 38, "there is no such operation";
    Overflow = 75, "a number is too large";
    MessageSize = 90, "the message is too long";
    TimedOut = 110, "the time was over";
    Closed = 125, "it was closed";
}

impl Errno {
    /// Its name in the manual pages.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::Errno::NoChild.name(), "ECHILD");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPermitted => "EPERM",
            Self::NoEntry => "ENOENT",
            Self::NoProcess => "ESRCH",
            Self::Interrupted => "EINTR",
            Self::NoDevice => "ENXIO",
            Self::BadFd => "EBADF",
            Self::NoChild => "ECHILD",
            Self::Again => "EAGAIN",
            Self::NoMemory => "ENOMEM",
            Self::Access => "EACCES",
            Self::Busy => "EBUSY",
            Self::Exists => "EEXIST",
            Self::Invalid => "EINVAL",
            Self::TooManyFiles => "EMFILE",
            Self::NoSpace => "ENOSPC",
            Self::Pipe => "EPIPE",
            Self::Deadlock => "EDEADLK",
            Self::NameTooLong => "ENAMETOOLONG",
            Self::NoSuchCall => "ENOSYS",
            Self::Overflow => "EOVERFLOW",
            Self::MessageSize => "EMSGSIZE",
            Self::TimedOut => "ETIMEDOUT",
            Self::Closed => "ECANCELED",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.name())
    }
}

impl Error for Errno {}
