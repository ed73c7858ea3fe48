#!/bin/bash
# Lines and branches of hpack, h2, grpc and pb that the unit tests and golden conversations reach.
set -u
BUILD=${BUILD:-build}
W=$BUILD/cov
find "$W" -name '*.gcda' -delete
# Objects whose source has another name by now.
find "$W/obj" -name '*.gcno' | while read -r f; do
    source=${f#"$W/obj/"}
    [ -e "${source%.gcno}.c" ] || rm -f "${f%.gcno}".*
done
# shellcheck disable=SC2046
tests/unit.sh $(make -s --no-print-directory BUILD="$BUILD" print-PROGRAMS_cov) || exit 1
gcovr --root . --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" | tee "$BUILD/coverage.txt"
gcovr --root . --branches --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" |
    tail -n 3
# What parses the bytes of strangers has no line and no branch that no test has taken; an invariant never fails, though.
gcovr --root . --filter 'hpack/' --filter 'h2/' --exclude '.*_(valid|check)\.c' --fail-under-line 100 --fail-under-branch 100 "$W" >/dev/null || {
    echo "coverage: hpack or h2 is below 100% of lines or branches"
    exit 1
}
echo "hpack and h2: 100% of lines and branches"
