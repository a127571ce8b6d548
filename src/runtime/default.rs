//! The process's default runtime.

use super::{Runtime, RuntimeOptions, RuntimeState};
use crate::error::Result;
use crate::process::fork;
use crate::process::fork_lock::ForkLock;

/// The runtime, with the fork generation of the process that made it.
pub(crate) static DEFAULT: ForkLock<Option<(u64, Runtime)>> = ForkLock::new(None);

/// The default runtime, RUNNING: made where there is none, where it was shut down, and in a forked child.
pub fn get() -> Result<Runtime> {
    fork::watch();
    let mut default = DEFAULT.lock();
    let generation = fork::generation();
    match &*default {
        Some((made_in, runtime)) if *made_in == generation && runtime.state() == RuntimeState::Running => {
            return Ok(runtime.clone());
        }
        Some((made_in, _)) if *made_in == generation => {}
        // A forked child leaves what its parent made as it is.
        Some(_) => std::mem::forget(default.take()),
        None => {}
    }
    let runtime = Runtime::new(RuntimeOptions::default());
    runtime.start()?;
    let old = default.replace((generation, runtime.clone()));
    drop(default);
    drop(old);
    Ok(runtime)
}
