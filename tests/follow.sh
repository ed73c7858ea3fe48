# shellcheck shell=bash
# Follows a page as a reader does: `take_files PAGE FOLDER` writes each block that names a file, `do_commands PAGE NAME FOLDER` runs the
# block ```sh NAME there, with nothing of this shell's environment but PATH, in a network of its own where that may be had (the ports are the page's),
# and prints what it prints.
take_files() {
    awk -v folder="$2" '/^```[a-z]+ [a-z_.]+\.[a-z]+$/ { file = folder "/" $2; next } /^```/ { file = ""; next } file { print >file }' "$1"
}
code_of() { # code_of PAGE "LANGUAGE NAME"
    awk -v name="$2" '$0 == "```" name { on = 1; next } /^```/ { on = 0 } on' "$1"
}
do_commands() {
    local alone=
    code_of "$1" "sh $2" >"$3/commands"
    [ -s "$3/commands" ] || { echo "$1 has no block: sh $2"; return 1; }
    unshare -rn ip link set lo up 2>/dev/null && alone="unshare -rn"
    # shellcheck disable=SC2086
    (cd "$3" && timeout 300 env -i PATH="$PATH" HOME="$3" $alone bash -e -c 'trap "kill \$(jobs -p) 2>/dev/null || true" EXIT; { [ -z "$0" ] || ip link set lo up; } && . ./commands' "$alone")
}
