//! Compiles what is measured as C programs do it.

fn main() {
    println!("cargo:rerun-if-changed=c_call.c");
    println!("cargo:rerun-if-changed=../c/bench.h");
    cc::Build::new()
        .file("c_call.c")
        .include("../../include")
        .opt_level(2)
        .compile("c_call");
}
