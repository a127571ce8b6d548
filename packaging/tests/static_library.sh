# What a stranger's program may count on of the static library. Needs common.sh.

# Nothing of Rust's own is in the way of what else a program is made of.
only_the_header_is_visible() { # ARCHIVE
    nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort | diff - "$packaging/abi/baseline/symbols"
}
# A program that has another library written in Rust, and names of its own like Rust's.
beside_another_of_rust() { # ARCHIVE INCLUDE_FOLDER
    mkdir -p two
    cat >two/other.rs <<'RUST'
#[unsafe(no_mangle)]
pub extern "C" fn other_caught() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| -> i32 { panic!("as it should") }).unwrap_or(7)
}
RUST
    rustc --edition 2024 --crate-type staticlib -C opt-level=1 -o two/libother.a two/other.rs
    cat >two/main.c <<'C'
#include <mvx_metrics.h>
#include <stdio.h>
int other_caught(void);
/* Called by nobody; the library has such names, too. */
void rust_begin_unwind(void) {}
void __rust_alloc_error_handler(void) {}
int main(void)
{
    mvx_runtime *runtime = NULL;
    if (mvx_runtime_create(NULL, &runtime, NULL) != MVX_OK || mvx_runtime_start(runtime, NULL) != MVX_OK)
        return 1;
    if (other_caught() != 7 || mvx_runtime_shutdown(runtime, NULL) != MVX_OK)
        return 2;
    puts("both");
    return 0;
}
C
    # All of both is linked in, not only what is asked for first.
    cc -o two/main -I"$2" two/main.c -Wl,--whole-archive "$1" two/libother.a -Wl,--no-whole-archive -pthread -ldl -lrt -lm
    [ "$(two/main)" = both ]
}
