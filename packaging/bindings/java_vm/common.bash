# Sourced by the scripts beside it, each of which runs programs on a JVM of the platform that it is called after:
# PLATFORM FOLDER, with mvx-metrics.jar, classes, and what the programs there print, as PROGRAM.json.
set -uo pipefail
# shellcheck source=../common.bash
. "$(dirname "${BASH_SOURCE[0]}")/../common.bash"
vm=$here/java_vm
platform=$(basename "$0")
cd "$1" || exit 1
jvm=$("$vm/fetch" "$platform") || { echo "$platform: 0 passed, 1 failed"; exit 1; }
# A small JVM that starts quickly.
options=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-PrintWarnings)

prints() { # PROGRAM: exactly what its page says, on this platform's JVM, which `run` starts
    run "$1" | diff - "$1.json"
}
