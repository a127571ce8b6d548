//! The C surface: the only place with raw pointers from outside and `extern "C"`.
//!
//! What C sees is generated from these files, documentation included; `build.rs` names them in the order of
//! the header. Every exported function goes through [`boundary`].

#![allow(
    non_camel_case_types,
    reason = "the types bear the names that C knows them by"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header says for all functions what pointers must be"
)]

mod arguments;
mod boundary;
mod user_data;

pub mod callback_error;
pub mod error;
pub mod event;
pub mod handles;
pub mod hooks;
pub mod log;
pub mod metric;
pub mod metric_info;
pub mod native_metric;
pub mod options;
pub mod recorder;
pub mod runtime;
pub mod snapshot;
pub mod status;
pub mod text;
pub mod threads;
pub mod value;
pub mod version;
pub mod wait;
pub mod writer;

#[cfg(test)]
mod tests;
