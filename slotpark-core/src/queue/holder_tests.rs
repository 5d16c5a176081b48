//! Holders and waiters of one key between two others: they come and leave in every order.

use super::tests::{NODES, TestNode, node, of, walk};
use super::*;
use crate::node::{Name, Role};
use crate::platform::DefaultPlatform;
use crate::slot::Slot;
use crate::spin::Moment;
use crate::waiter::Waiter;

type Guard<'s> = SlotGuard<'s, DefaultPlatform>;

const KEY: u64 = 1;
/// The first of them waits, the second waits in front, the others hold so much.
const HELD: [u32; 5] = [0, 0, 1, 2, 4];
const WAITERS: usize = 2;

fn holder(amount: u32) -> TestNode {
    let name = Name {
        hash: KEY,
        key: ptr::null(),
    };
    Node::new(name, ptr::null_mut(), 0, 0, ptr::null())
        .with_role(Role::Holder)
        .with_weight(amount)
}

/// All orders of the first `N` numbers.
fn orders<const N: usize>() -> Vec<[usize; N]> {
    let mut orders = vec![std::array::from_fn(|i| i)];
    for i in 0..N {
        for order in orders.clone() {
            orders.extend((i + 1..N).map(|other| {
                let mut order = order;
                order.swap(i, other);
                order
            }));
        }
    }
    orders
}

fn head<'g>(guard: &'g Guard<'_>) -> Option<NodeRef<'g, DefaultPlatform>> {
    std::iter::successors(guard.first(), |head| guard.next_key(*head))
        .find(|head| head.name().hash == KEY)
}

/// What the ring of the key should be, and Q4.
#[track_caller]
fn check(guard: &Guard<'_>, waiters: &[*const TestNode], holders: &[(*const TestNode, u32)]) {
    let keys = walk(guard);
    assert!(keys.len() <= NODES);
    let ring = keys.iter().find(|(key, _)| *key == KEY);
    let ring = ring.map_or(&[][..], |(_, ring)| &ring[..]);
    let expected: Vec<_> = waiters
        .iter()
        .copied()
        .chain(holders.iter().map(|(holder, _)| *holder))
        .collect();
    assert_eq!(ring, expected, "Q4: holders stand behind all others");
    let Some(head) = head(guard) else { return };
    let group = head.group();
    let first = holders.first().map_or(ptr::null(), |(first, _)| *first);
    assert_eq!(group.holders, first, "Q4: the record leads to the first");
    let total: u32 = holders.iter().map(|(_, amount)| amount).sum();
    assert_eq!(group.total, total, "Q4: the total");
}

#[test]
fn holders_come_and_leave_in_every_order() {
    let slot = Slot::<DefaultPlatform>::new();
    let waiter = Waiter::thread(&slot, Moment::UNKNOWN);
    let orders = orders::<{ HELD.len() }>();
    assert_eq!(orders.len(), 120);
    for come in &orders {
        for leave in orders.iter().step_by(if cfg!(miri) { 60 } else { 1 }) {
            let nodes: Vec<_> = HELD[WAITERS..].iter().map(|held| holder(*held)).collect();
            let waiting: Vec<_> = (0..WAITERS).map(|_| node(KEY, &waiter)).collect();
            let others = [0, 2].map(|key| node(key, &waiter));
            let nodes: Vec<_> = waiting.iter().chain(&nodes).collect();
            let guard = slot.lock();
            let (mut waiters, mut holders) = (Vec::new(), Vec::new());
            guard.push(None, of(&others[0]));
            for (step, &i) in come.iter().enumerate() {
                if step == 1 {
                    guard.push(None, of(&others[1]));
                }
                let node = nodes[i];
                match i {
                    0 => {
                        guard.push(head(&guard), of(node));
                        waiters.push(ptr::from_ref(node));
                    }
                    1 => {
                        guard.push_in_front(head(&guard), of(node));
                        waiters.insert(0, ptr::from_ref(node));
                    }
                    _ => {
                        guard.push_holder(head(&guard), of(node));
                        holders.push((ptr::from_ref(node), HELD[i]));
                    }
                }
                check(&guard, &waiters, &holders);
            }
            // One holds other amounts for a moment.
            for amount in [0, 7, HELD[3]] {
                let head = head(&guard).expect("it is there");
                guard.set_held(head, of(nodes[3]), amount);
                let changed = holders
                    .iter_mut()
                    .find(|(node, _)| ptr::eq(*node, nodes[3]));
                changed.expect("it holds").1 = amount;
                check(&guard, &waiters, &holders);
            }
            for &i in leave {
                let head = head(&guard).expect("it is there");
                if i < WAITERS {
                    let last = guard.unlink(of(nodes[i]));
                    assert_eq!(last, waiters.len() + holders.len() == 1);
                } else {
                    guard.unlink_holder(head, of(nodes[i]));
                }
                waiters.retain(|node| !ptr::eq(*node, nodes[i]));
                holders.retain(|(node, _)| !ptr::eq(*node, nodes[i]));
                check(&guard, &waiters, &holders);
            }
            assert_eq!(walk(&guard).len(), 2);
            for other in &others {
                assert!(guard.unlink(of(other)));
            }
        }
    }
}
