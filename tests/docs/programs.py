"""How a whole program of each language is built and run, against the library as the tutorials installed it."""

# Commands for bash; $program is the name of the file, without its ending. The output of the last one counts.
INSTALLED = 'export PKG_CONFIG_PATH="$HOME/.local/lib/pkgconfig" LD_LIBRARY_PATH="$HOME/.local/lib"\n'

# The binding by ctypes, as it lies in the repository.
PYTHON = 'export MVX_METRICS_LIBRARY="$HOME/.local/lib/libmvx_metrics.so" PYTHONPATH="$MVX/bindings/python/src"\n'

# A package, as `cargo new` makes it. All packages share $CARGO_TARGET_DIR, so that the crate is built once.
PACKAGE = """cat >Cargo.toml <<EOF
[package]
name = "sample"
edition = "2024"
[dependencies]
mvx_metrics = { path = "$MVX" }
[[bin]]
name = "sample"
path = "sample.rs"
EOF
"""

WAYS = {
    "c": ("sample.c", INSTALLED + "cc -std=c11 -Wall -Wextra -Werror sample.c -o sample"
          " $(pkg-config --cflags --libs mvx_metrics) && ./sample"),
    "cpp": ("sample.cpp", INSTALLED + "g++ -std=c++17 -O0 -Wall -Wextra -Werror sample.cpp -o sample"
            " $(pkg-config --cflags --libs mvx_metrics_cpp) && ./sample"),
    "python": ("sample.py", PYTHON + "python3 sample.py"),
    "yaml": ("rules.yml", PYTHON + '"$MVX/tests/docs/check_rules" rules.yml'),  # Rules for Prometheus.
    "java": ("Sample.java", 'java -cp "$MVX/build/java/mvx-metrics.jar" Sample.java'),
    "go": ("main.go", INSTALLED + "if ! test -f go.mod; then go mod init sample 2>/dev/null && go mod edit"
           ' -require=mvx.dev/metrics@v0.0.0 -replace=mvx.dev/metrics="$MVX/bindings/go"; fi && go run .'),
    "rust": ("sample.rs", PACKAGE + "cargo run --quiet"),
}

# What programs need that the page itself does not install, run once before all pages.
INSTALL = {
    "the library": 'cd "$MVX" && make install PREFIX="$HOME/.local" && make -C bindings/cpp install PREFIX="$HOME/.local"',
    "the jar": 'cd "$MVX" && make -C bindings/java jar',
    "the crate": 'mkdir crate && cd crate && echo "fn main() {}" >sample.rs\n' + PACKAGE + "cargo build --quiet",
}
