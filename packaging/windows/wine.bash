# Sourced by tests that run programs for Windows, under a wine that knows nothing of the user's.

# Starts it with its files in FOLDER, which is empty and outside of the repository: its drive Z: is a link to /, and cargo, which
# looks for changed files, would follow that. Sets `wine`. Changes HOME.
begin_wine() { # FOLDER
    local name
    for name in wine64 /usr/lib/wine/wine64 wine; do
        wine=$(command -v "$name") && break
    done
    [ -n "$wine" ] || { echo 'wine is missing: install wine64' >&2; return 1; }
    # The server is named for it, and goes when nobody uses it; or by end_wine.
    wine_server=$(command -v wineserver || echo "$(dirname "$(readlink -f "$wine")")/wineserver")
    [ -x "$wine_server" ] || wine_server="${wine_server}64"

    mkdir -p "$1/home"
    export HOME=$1/home WINEPREFIX=$1/wine WINEARCH=win64 WINEDEBUG=-all
    # Neither .NET nor a browser is of use here, and their installers would ask.
    export WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='
    unset DISPLAY
    if ! timeout -k 10 170 "$wine" wineboot -i >"$1/wineboot.log" 2>&1; then
        echo 'wine did not start:' >&2
        cat "$1/wineboot.log" >&2
        return 1
    fi
    # A DLL that every Windows has, and older wines lack.
    local random=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
    [ -e "$random" ] || x86_64-w64-mingw32-gcc-win32 -O1 -Wall -shared -o "$random" \
        "$(dirname "${BASH_SOURCE[0]}")/bcryptprimitives.c" -ladvapi32
}

# Before the folder is removed.
end_wine() {
    [ -z "${wine_server:-}" ] || { "$wine_server" -k >/dev/null 2>&1; "$wine_server" -w; }
}
