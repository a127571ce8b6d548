# Sourced by the scripts beside it. Gives: root, version, work (an empty folder outside of the repository, removed at the
# end), and the functions below.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
export PATH="$HOME/.cargo/bin:$PATH"

# Nobody's settings may tell a program where the library is.
unset "${!MVX_METRICS_@}" LD_LIBRARY_PATH LD_PRELOAD LIBRARY_PATH CPATH PYTHONPATH CLASSPATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH \
    CGO_CFLAGS CGO_LDFLAGS MAKEFLAGS MFLAGS

# Files in packages get the time of the commit, so that two builds of it are the same.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=1767225600
fi
export SOURCE_DATE_EPOCH

# Go's module cache is read-only.
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# What goes into the packages: LIB_DIR has the library, shared and static, LICENCE_DIR the licences of all that is in it. Where
# they are not told they are built.
take_library() {
    local machine
    machine=$(uname -m)
    if [ -z "${LIB_DIR:-}" ]; then
        LIB_DIR=$root/build/packaging/lib/$machine
        "$root/packaging/library" "$machine" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    fi
    if [ -z "${LICENCE_DIR:-}" ]; then
        LICENCE_DIR=$root/build/packages/licences
        mkdir -p "$LICENCE_DIR"
        "$root/packaging/licence-files" "$machine-unknown-linux-gnu" "$LICENCE_DIR" || exit 1
    fi
    LIB_DIR=$(realpath "$LIB_DIR") && LICENCE_DIR=$(realpath "$LICENCE_DIR") || exit 1
    [ -f "$LIB_DIR/libmvx_metrics.so" ] || { echo "there is no libmvx_metrics.so in $LIB_DIR" >&2; exit 1; }
    export LIB_DIR LICENCE_DIR
}

passed=0
failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok $what"
    else
        failed=$((failed + 1))
        echo "FAILED $what"
        sed 's/^/    /' "$work/log"
    fi
}

finish() { # WHAT
    echo "$1: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# The nth block of a language in a page, without the indent of the list that it may stand in.
snippet() { # PAGE LANGUAGE NUMBER
    awk -v language="$2" -v wanted="$3" '
        /^ *```$/ && inside { inside = 0; next }
        inside { if (mine && count == wanted) print substr($0, indent + 1); next }
        /^ *```/ { inside = 1; match($0, /^ */); indent = RLENGTH; mine = substr($0, indent + 4) == language; count += mine }
    ' "$1"
}
