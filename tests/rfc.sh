#!/bin/bash
# tests/rfc.tsv: each requirement names a file that names its section, and a test that exists.
# Also: every event that has a price in h2 is in the table of docs/security-model.md, with that price.
set -u
passed=0
failed=0
bad() {
    echo "$1"
    ok=false
}

tests=$(cat tests/unit/*.c)
line=0
while IFS=$(printf '\t') read -r document section requirement file test rest; do
    line=$((line + 1))
    case $document in '#'*) continue ;; esac
    ok=true
    [ -n "$test" ] && [ -z "$rest" ] || bad "rfc.tsv:$line: needs five columns"
    if [ ! -f "$file" ]; then
        bad "rfc.tsv:$line: no file $file"
    elif ! grep -qE "(RFC $document|[ ,;(])\b${section//./\\.}($|[^0-9.]|\.([^0-9]|$))" <(grep -E "RFC|/\*|//|\*/| \*" "$file"); then
        bad "rfc.tsv:$line: $file does not name RFC $document $section"
    fi
    case $tests in
    *"RUN($test)"* | *"{\"$test\""*) ;;
    *) bad "rfc.tsv:$line: no test '$test'" ;;
    esac
    $ok && passed=$((passed + 1)) || failed=$((failed + 1))
done <tests/rfc.tsv

while read -r name price; do
    ok=true
    grep -qE "^\|.*\| $price \| .*\b$name\b" docs/security-model.md || bad "docs/security-model.md: no row with price $price for $name"
    $ok && passed=$((passed + 1)) || failed=$((failed + 1))
done < <(sed -nE 's/^ *(COST_[A-Z_]+) = ([0-9]+),.*/\1 \2/p' h2/h2_internal.h)

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
