//! What concerns the process as a whole: fork(), panics, and the table behind handles.

pub mod append_table;
pub mod fork;
pub mod fork_lock;
pub mod handle_slot;
pub mod handle_table;
pub mod panic;
