# shellcheck shell=bash
# What the benchmark scripts share: servers on core 0, CPU time of a process, medians, and the table.
BUILD=${BUILD:-build}
CC=${CC:-cc}
B=$BUILD/bench
T=$BUILD/bench.tsv
ROUNDS=${ROUNDS:-5}
mkdir -p "$B"
pids=
trap '[ -z "$pids" ] || kill $pids 2>/dev/null' EXIT

start() { # start PROGRAM ARGUMENTS...: sets address and pid
    taskset -c 0 "$@" >"$B/out" 2>&1 &
    pid=$!
    pids="$pids $pid"
    for _ in $(seq 100); do grep -q listening "$B/out" && break; sleep 0.05; done
    address=$(sed -n 's/^listening on //p' "$B/out" | head -n 1)
}

cpu_ns() { # CPU time of a process, threads that have ended included
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.0f", ($12 + $13) / hz * 1e9 }' /proc/"$1"/stat
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

user_ns() { # the part of it that was not spent in the kernel
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.0f", $12 / hz * 1e9 }' /proc/"$1"/stat
}

# line WHAT UNIT MOTE PEER PEER-NAME TARGET more|less: a line of the table; which of the two is better
line() {
    local ratio
    if [ "$7" = more ]; then ratio=$(awk "BEGIN { printf \"%.1f\", $3 / $4 }")
    else ratio=$(awk "BEGIN { printf \"%.1f\", $4 / $3 }"); fi
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$ratio" "$6" >>"$T"
}
