//! What concerns the process as a whole: fork(), panics, and the table behind handles.

pub mod append_table;
pub mod fork;
#[cfg_attr(not(unix), allow(dead_code, reason = "nothing forks there"))]
pub mod fork_lock;
pub mod handle_slot;
pub mod handle_table;
#[cfg(windows)]
pub mod module;
pub mod panic;
