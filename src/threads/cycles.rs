//! Callbacks that wait for other recorders: tells the wait that would close a circle.
//!
//! A callback of recorder A that waits for recorder B holds A up. If a callback of B waits for A meanwhile, neither ends.
//! Whoever comes second is told.

use super::scope;
use crate::process::fork_lock::ForkLock;

/// Which recorder is held up by a wait for which other one.
pub(crate) static HELD_UP: ForkLock<Vec<(u64, u64)>> = ForkLock::new(Vec::new());

/// A wait for a recorder, from inside callbacks of others.
pub struct Waiting {
    edges: Vec<(u64, u64)>,
}

/// Notes that this thread waits for `recorder`; `None` where that would never end.
pub fn begin(recorder: u64) -> Option<Waiting> {
    let inside = scope::recorders();
    if inside.is_empty() {
        return Some(Waiting { edges: Vec::new() });
    }
    let mut held_up = HELD_UP.lock();
    // Everything that `recorder` waits for, directly or not.
    let mut reached = vec![recorder];
    let mut next = 0;
    while let Some(&from) = reached.get(next) {
        if inside.contains(&from) {
            return None;
        }
        for &(waiting, for_whom) in held_up.iter() {
            if waiting == from && !reached.contains(&for_whom) {
                reached.push(for_whom);
            }
        }
        next += 1;
    }
    let edges: Vec<(u64, u64)> = inside.into_iter().map(|from| (from, recorder)).collect();
    held_up.extend_from_slice(&edges);
    Some(Waiting { edges })
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.edges.is_empty() {
            return;
        }
        let mut held_up = HELD_UP.lock();
        for edge in &self.edges {
            // One of several equal ones is as good as the other.
            if let Some(place) = held_up.iter().position(|other| other == edge) {
                held_up.swap_remove(place);
            }
        }
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_wait_that_closes_a_circle_is_told() {
        let (one, two, three, bystander) = (u64::MAX, u64::MAX - 1, u64::MAX - 2, u64::MAX - 3);
        assert!(begin(one).is_some());
        scope::inside(one, 1, || assert!(begin(one).is_none()));
        let (sender, receiver) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let first = std::thread::spawn(move || {
            scope::inside(one, 1, || {
                scope::inside(two, 1, || {
                    let waiting = begin(three);
                    sender.send(waiting.is_some()).unwrap();
                    let _ = gate.recv();
                });
            });
        });
        assert!(receiver.recv().unwrap());
        scope::inside(three, 1, || {
            assert!(begin(one).is_none());
            assert!(begin(two).is_none());
            assert!(begin(bystander).is_some());
        });
        release.send(()).unwrap();
        first.join().unwrap();
        scope::inside(three, 1, || assert!(begin(one).is_some()));
    }
}
