//! Orders that contradict each other.

use std::fmt;
use std::panic::Location;

/// One lock that was asked for while another was held.
///
/// ```
/// fn line(step: &slotpark_inspect::OrderStep) -> String {
///     format!("{} before {}", step.held, step.asked)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderStep {
    /// What was held.
    pub held: &'static str,
    /// Where it was asked for.
    pub held_at: &'static Location<'static>,
    /// What was asked for.
    pub asked: &'static str,
    /// Where.
    pub asked_at: &'static Location<'static>,
}

impl fmt::Display for OrderStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, asked) = (self.held, self.asked);
        write!(
            f,
            "{held:?} (at {}), then {asked:?} (at {})",
            self.held_at, self.asked_at
        )
    }
}

/// Two orders that contradict each other.
///
/// ```
/// use slotpark_inspect::LockOrder;
/// let order = LockOrder::new(|inversion| {
///     assert_eq!((inversion.now.held, inversion.now.asked), ("b", "a"));
///     assert_eq!(inversion.earlier.len(), 1);
/// });
/// drop((order.ask("a"), order.ask("b")));
/// let _held = (order.ask("b"), order.ask("a"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inversion {
    /// What is asked for now.
    pub now: OrderStep,
    /// What was asked for earlier: from what is asked for now to what is held now, step by step.
    pub earlier: Vec<OrderStep>,
}

impl fmt::Display for Inversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "possible deadlock: {}\n  but earlier:", self.now)?;
        for step in &self.earlier {
            write!(f, "\n  {step}")?;
        }
        Ok(())
    }
}
