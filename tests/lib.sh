# shellcheck shell=bash
# For tests in shell: `check NAME COMMAND...` runs a command and counts; `summary` ends the test.
passed=0
failed=0

check() {
    name=$1
    shift
    if "$@" >"${TMPDIR:-/tmp}/mote-check.$$" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        tail -n 10 "${TMPDIR:-/tmp}/mote-check.$$"
    fi
    rm -f "${TMPDIR:-/tmp}/mote-check.$$"
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
