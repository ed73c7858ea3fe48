#!/bin/sh
# A manual page from what a program says of itself: packages/man.sh PROGRAM VERSION prints NAME.1. --help is the one source.
set -eu
name=$(basename "$1")
"$1" --help | awk -v name="$name" -v version="$2" '
    function quoted(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); if (s ~ /^[.'"'"']/) s = "\\&" s; return s }
    NR == 1 {
        what = $0
        sub(/^[^:]*: */, "", what)
        printf ".TH %s 1 \"\" \"mote %s\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n.nf\n", toupper(quoted(name)), version, quoted(name), quoted(what)
    }
    { print quoted($0) }
    END { print ".fi\n.SH SEE ALSO\nThe documents in docs/ of the source of mote." }'
