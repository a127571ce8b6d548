//! The committed header: it is current, and every compiler takes it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/mvx_metrics.h");

#[test]
fn is_current() {
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    let generated = fs::read_to_string(env!("MVX_GENERATED_HEADER")).unwrap();
    // Git may have given it the line endings of the system.
    assert!(
        committed.replace("\r\n", "\n") == generated,
        "include/mvx_metrics.h is not current: run `make header`"
    );
}

/// Compiles a source that includes the header twice, and nothing before it.
fn compile(compiler: &str, fallback: &str, standard: &str, extension: &str) {
    let compiler = env::var(compiler).unwrap_or_else(|_| fallback.to_owned());
    let source = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("header_{standard}.{extension}"));
    let text = "#include \"mvx_metrics.h\"\n#include \"mvx_metrics.h\"\n\
         mvx_str header_text(void);\n\
         mvx_str header_text(void) { return MVX_STR(\"text\"); }\n\
         size_t header_stats(struct mvx_recorder_stats *stats);\n\
         size_t header_stats(struct mvx_recorder_stats *stats) {\n\
             mvx_stats *same = stats;\n\
             return same->struct_size + (mvx_recorder_stats(NULL, same) == MVX_OK);\n\
         }\n";
    fs::write(&source, text).unwrap();
    let include = Path::new(COMMITTED).parent().unwrap();
    let outcome = Command::new(&compiler)
        .args([
            &format!("-std={standard}"),
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-I",
        ])
        .arg(include)
        .arg(&source)
        .output();
    match outcome {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{compiler} -std={standard}:\n{said}");
        }
        // A machine without this compiler has nothing to check.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{compiler}: {error}"),
    }
}

#[test]
fn compiles_as_c() {
    for standard in ["c99", "c11", "c17"] {
        compile("CC", "cc", standard, "c");
    }
}

#[test]
fn compiles_as_cpp() {
    for standard in ["c++11", "c++17", "c++20"] {
        compile("CXX", "c++", standard, "cpp");
    }
}

/// Every function is documented, down to what it returns.
#[test]
fn documents_every_function() {
    let header = fs::read_to_string(COMMITTED).unwrap();
    let mut doc = String::new();
    let mut functions = 0;
    for line in header.lines() {
        if line.starts_with("/**") {
            doc.clear();
        }
        doc.push_str(line);
        let name = line
            .split('(')
            .next()
            .and_then(|head| head.rsplit([' ', '*']).next())
            .unwrap_or("");
        let declares =
            line.contains('(') && name.starts_with("mvx_") && !line.starts_with([' ', '#', '/', '}']);
        if declares && !line.starts_with("typedef") {
            functions += 1;
            assert!(doc.contains("/**"), "{name} has no documentation");
            assert!(
                doc.contains("Any thread") || doc.contains("Threads"),
                "{name} says nothing of threads"
            );
            if line.starts_with("mvx_status ") {
                assert!(
                    doc.contains("MVX_OK") || doc.contains("see mvx_"),
                    "{name} names no status"
                );
            }
            doc.clear();
        }
    }
    assert!(functions >= 80, "found only {functions}");
}
