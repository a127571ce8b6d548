//! Writes the C header from the sources of `ffi`, and sets how the shared library is linked and whether it is built for a
//! model checker.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The sections of the header in its order: what a section needs stands before it.
const SECTIONS: [(&str, &str); 20] = [
    ("handles", "Handles"),
    ("text", "Texts"),
    ("status", "Statuses"),
    ("version", "Versions"),
    ("error", "Errors"),
    ("callback_error", "Errors of callbacks"),
    ("event", "Events"),
    ("log", "Log"),
    ("threads", "Threads"),
    ("hooks", "Hooks"),
    ("options", "Options"),
    ("runtime", "Runtimes"),
    ("recorder", "Recorders"),
    ("writer", "Writing snapshots"),
    ("metric", "Metrics of the host"),
    ("metric_info", "Kinds of metrics, and looking through them"),
    ("value", "Values"),
    ("native_metric", "Native metrics"),
    ("snapshot", "Snapshots"),
    ("wait", "Waiting"),
];

/// C++ has no compound literals, C no braces after a type's name.
const STR_MACRO: &str = r#"/**
 * An mvx_str of a string literal.
 */
#ifdef __cplusplus
#define MVX_STR(literal) (mvx_str{"" literal, sizeof(literal) - 1})
#else
#define MVX_STR(literal) ((mvx_str){"" literal, sizeof(literal) - 1})
#endif
"#;

const OPEN_CPP: &str = "#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
const CLOSE_CPP: &str = "#ifdef __cplusplus\n}\n#endif\n";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let generated = PathBuf::from(env::var("OUT_DIR")?).join("mvx_metrics.h");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-env-changed=MVX_WRITE_HEADER");
    println!("cargo:rerun-if-env-changed=MVX_MODEL_CHECKER");

    let header = header(&root)?;
    fs::write(&generated, &header)?;
    if env::var_os("MVX_WRITE_HEADER").is_some() {
        fs::create_dir_all(root.join("include"))?;
        fs::write(root.join("include/mvx_metrics.h"), &header)?;
    }
    println!("cargo:rustc-env=MVX_GENERATED_HEADER={}", generated.display());

    // Told here and not by RUSTFLAGS, so that what the crate depends on is built once for all of its tests.
    if let Ok(checker) = env::var("MVX_MODEL_CHECKER") {
        println!("cargo:rustc-cfg=mvx_{checker}");
    }

    if env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmvx_metrics.so.0");
        // Threads and thread-local destructors would outlive the code that they run.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    Ok(())
}

fn header(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut header = fs::read_to_string(root.join("src/ffi/opening.h"))?;
    header.push_str(OPEN_CPP);
    for (file, title) in SECTIONS {
        let source = root.join("src/ffi").join(file).with_extension("rs");
        header.push_str(&format!("\n/* ---- {title} ---- */\n\n"));
        header.push_str(section(root, &source)?.trim());
        header.push('\n');
        if file == "text" {
            header.push('\n');
            header.push_str(STR_MACRO);
        }
    }
    header.push('\n');
    header.push_str(CLOSE_CPP);
    header.push_str("\n#endif\n");
    Ok(header)
}

/// What one source file declares. Each is generated alone, so that constants, types and functions that belong together
/// stand together.
fn section(root: &Path, source: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(source)?;
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let mut builder = cbindgen::Builder::new().with_config(config).with_src(source);
    // Of its own accord cbindgen writes only those types that functions of the same file use.
    for kind in ["pub struct ", "pub type "] {
        for declared in text.lines().filter_map(|line| line.strip_prefix(kind)) {
            let end = declared
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(declared.len());
            builder = builder.include_item(&declared[..end]);
        }
    }
    let mut generated = Vec::new();
    builder.generate()?.write(&mut generated);
    let generated = String::from_utf8(generated)?;
    // Types go by their typedefs, those of other files anyway.
    let lines = generated
        .lines()
        .map(|line| match line.starts_with("typedef struct ") {
            true => format!("{line}\n"),
            false => format!("{}\n", line.replace("struct mvx_", "mvx_")),
        });
    // One struct shares its name with a function: in C and C++ that is fine where the struct has its tag.
    let generated = lines
        .collect::<String>()
        .replace("} mvx_recorder_stats;", "} mvx_stats;")
        .replace("mvx_recorder_stats *stats", "struct mvx_recorder_stats *stats")
        // Flags are unsigned, so that ~ does what it should.
        .replace("MVX_EVENT_TYPE_TIMED 1\n", "MVX_EVENT_TYPE_TIMED 1u\n")
        .replace("MVX_METRIC_COMMUTATIVE 1\n", "MVX_METRIC_COMMUTATIVE 1u\n");
    Ok(generated)
}
