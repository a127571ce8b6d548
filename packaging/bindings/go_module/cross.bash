# Sourced by ../go: a program built here for other machines, and run without one.

# A compiler or emulator, or what to install.
want() { # PROGRAM PACKAGE
    command -v "$1" || { echo "$1 is missing: install $2"; return 1; }
}

build_for() { # GOOS GOARCH CC OUTPUT [ARGUMENTS...]
    cd "$work/saves" && GOOS=$1 GOARCH=$2 CC=$3 timeout 600 go build -o "$4" "${@:5}" .
}

says_as_readme() { diff <(tr -d '\r') <(snippet "$readme" json 1); }

# ---- linux/arm64 ----

emulated() { timeout 120 qemu-aarch64 -L /usr/aarch64-linux-gnu "$@"; }

arm64_tools() { want aarch64-linux-gnu-gcc 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross' && want qemu-aarch64 qemu-user; }

arm64_bundled() {
    build_for linux arm64 aarch64-linux-gnu-gcc "$work/arm64/saves" || return
    ! needs "$work/arm64/saves" || { echo 'the program asks for the shared library'; return 1; }
    (set -o pipefail; without_module emulated "$work/arm64/saves" | says_as_readme)
}

arm64_shared() {
    build_for linux arm64 aarch64-linux-gnu-gcc "$work/arm64_shared/saves" -tags mvx_shared || return
    needs "$work/arm64_shared/saves" || { echo 'the program does not ask for the shared library'; return 1; }
    cp "$carried/linux_arm64/libmvx_metrics.so.0" "$work/arm64_shared/"
    (set -o pipefail; without_module emulated "$work/arm64_shared/saves" | says_as_readme)
}

# ---- windows/amd64 ----

windows_tools() { want x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-win32; }

in_wine() (
    # shellcheck source=../../windows/wine.bash
    . "$root/packaging/windows/wine.bash"
    scratch=$(mktemp -d)
    trap 'end_wine; rm -rf "$scratch"' EXIT
    begin_wine "$scratch" && "$@"
)

needs_dll() { x86_64-w64-mingw32-objdump -p "$1" | grep -i "DLL Name: $2"; }

windows_bundled() {
    build_for windows amd64 x86_64-w64-mingw32-gcc "$work/windows/saves.exe" || return
    ! needs_dll "$work/windows/saves.exe" '\(mvx_metrics\|lib.*\)\.dll' || { echo 'the program asks for a DLL that no Windows has'; return 1; }
}

windows_shared() {
    build_for windows amd64 x86_64-w64-mingw32-gcc "$work/windows_shared/saves.exe" -tags mvx_shared || return
    needs_dll "$work/windows_shared/saves.exe" mvx_metrics.dll || { echo 'the program does not ask for the DLL'; return 1; }
    cp "$carried/windows_amd64/mvx_metrics.dll" "$work/windows_shared/"
}

windows_runs() { # FOLDER...
    local folder
    for folder in "$@"; do
        (cd "$folder" && set -o pipefail && timeout -k 10 170 "$wine" saves.exe </dev/null | says_as_readme) || return
    done
}
