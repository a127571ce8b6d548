# What the scripts of this folder share; they source it.
set -euo pipefail
packaging=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$packaging")
export PATH="$HOME/.cargo/bin:$PATH" LC_ALL=C TZ=UTC
# Everybody may read what is packed.
umask 022

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
soname=libmvx_metrics.so.${version%%.*}

# Files get the time of the commit, so that two builds of it are the same.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null) ||
        { echo "this is no git checkout: set SOURCE_DATE_EPOCH to the seconds since 1970 that packed files shall have" >&2; exit 1; }
fi
export SOURCE_DATE_EPOCH

# An architecture by the name that packages use, and what others call it.
set_architecture() {
    architecture=$1
    triple=$architecture-linux-gnu
    rust_target=$architecture-unknown-linux-gnu
    case $architecture in
    x86_64) debian_architecture=amd64 ;;
    aarch64) debian_architecture=arm64 ;;
    *) echo "unknown architecture $architecture: x86_64 or aarch64" >&2; exit 2 ;;
    esac
    # The tools that Debian and Ubuntu have for every architecture under this name; for the machine's own as gcc.
    cc=$triple-gcc
    command -v "$cc" >/dev/null || { echo "$cc is missing: install gcc-${triple//_/-}" >&2; exit 1; }
}

# A tarball of FOLDER's CONTENT that depends on nothing but what is in it.
pack() { # TARBALL FOLDER CONTENT...
    local tarball=$1 folder=$2
    shift 2
    tar -C "$folder" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=go=rX,u+rw -cf - "$@" | gzip -9n >"$tarball"
}
