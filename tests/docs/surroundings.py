"""Where the samples run: a home of their own, and the repository as a reader has it, whose build/ is not the real one."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build/docs"
LIBRARY = REPOSITORY / "target/release/libmvx_metrics.so"

# The library is built already, and may not be built anew by a test. What the bindings build goes to the copy's build/.
MAKE = """
make() {
    local folder="" word previous=""
    for word in "$@"; do
        if [ "$previous" = -C ]; then folder=$word; fi
        previous=$word
    done
    case $folder in
        */python) command make -s -o lib BUILD="$MVX/build/python-binding" "$@" ;;
        bindings/*) command make -s -o lib BUILD="$MVX/build/${folder##*/}" "$@" ;;
        *) command make -s -o lib "$@" ;;
    esac
}
"""


def prepare() -> tuple[Path, dict[str, str]]:
    """The folder of the samples, and the environment to run them in."""
    if not LIBRARY.is_file():
        raise SystemExit(f"{LIBRARY} is not there: build it with `make lib`")
    folder = BUILD / "samples"
    shutil.rmtree(folder, ignore_errors=True)
    home, mvx = folder / "home", folder / "mvx"
    home.mkdir(parents=True)
    mvx.mkdir()
    for entry in REPOSITORY.iterdir():
        if entry.name != "build" and not entry.name.startswith(".git"):
            (mvx / entry.name).symlink_to(entry)
    # What takes long to build is kept from run to run; make sees what is out of date.
    kept = BUILD / "kept"
    kept.mkdir(exist_ok=True)
    (mvx / "build").symlink_to(kept)

    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MVX_", "MAKE", "CGO_"))}
    environment.update(HOME=str(home), MVX=str(mvx), GOPROXY="off", GOTOOLCHAIN="local", LC_ALL="C.UTF-8")
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    # Toolchains lie in the real home.
    for name, folder_name in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
        environment.setdefault(name, str(Path.home() / folder_name))
    environment["CARGO_TARGET_DIR"] = str(kept / "cargo")
    # The versions that the library was built with are there; debug information would only take time.
    environment.update(CARGO_NET_OFFLINE="true", CARGO_PROFILE_DEV_DEBUG="0")
    for name in ("GOCACHE", "GOMODCACHE"):
        environment[name] = subprocess.run(["go", "env", name], capture_output=True, text=True, check=True).stdout.strip()
    return folder, environment
