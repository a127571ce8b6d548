# To be sourced under set +e. check WHAT COMMAND...: counts it, and shows what a failing one printed. tell_sum SUITE ends the script.
passed=0
failed=0
check() {
    local what=$1 output code
    shift
    # In a subshell that ends at the first command that fails; within a condition it would not.
    output=$(set -e; "$@" 2>&1)
    code=$?
    if [ $code -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$what"
        # shellcheck disable=SC2001 # many lines
        sed 's/^/    /' <<<"$output"
    fi
}
tell_sum() {
    echo "$1: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# What the examples print, in C and in C++.
prints() { # COMMAND...
    local got
    got=$("$@")
    [ "$got" = '{"total": 3, "success_total": 2, "failure_total": 1}' ] || { echo "$* printed $got"; return 1; }
}
