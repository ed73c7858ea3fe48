#!/bin/bash
# Samples in a second that a collector stores, on one processor: tests/fleet/load.sh [DEVICES [RATE [SECONDS [KEEP]]]]. RATE 0: as
# fast as it takes them; KEEP: how long samples are kept. Commits and fsyncs are counted. Beside it, what SQLite alone does with the
# same rows in batches as large.
set -u
BUILD=${BUILD:-build}
devices=${1:-1000}
rate=${2:-0}
seconds=${3:-10}
keep=${4:+--keep=$4}
W=$(mktemp -d "${TMPDIR:-$PWD/$BUILD}/load.XXXXXX")
port=$((20000 + $$ % 30000))
trap 'kill $collector 2>/dev/null; rm -rf "$W"' EXIT
${CC:-cc} -std=c11 -O2 -Wno-format-truncation tests/fleet/load.c examples/fleet/sensor_core.c examples/fleet/telemetry.mote.c "$BUILD/libmote.a" \
    -o "$W/load" || exit 1
${CC:-cc} -shared -fPIC -O2 tests/fleet/fail.c -o "$W/count.so" -ldl || exit 1
LD_PRELOAD="$W/count.so" FAIL_COUNT="$W/count" taskset -c 0 "$BUILD/collector" --address=127.0.0.1:$port --store="$W/samples.db" ${keep:+"$keep"} \
    >"$W/out" 2>"$W/err" &
collector=$!
for _ in $(seq 100); do grep -q listening "$W/out" && break; sleep 0.05; done
taskset -c 1 "$W/load" 127.0.0.1:$port "$devices" "$rate" "$seconds"
cpu=$(awk '{ printf "%.1f", ($14 + $15) / 100 }' "/proc/$collector/stat")
memory=$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$collector/status")
kill "$collector"
wait $collector
fsyncs=$(awk '$1 == "fsync" { print $2 }' "$W/count")
echo "$cpu s of processor time, $memory MiB of memory and $fsyncs fsyncs in the collector; $(tail -n 1 "$W/out" | sed "s/, [0-9.]* bytes.sample.*//")"
cat "$W/err"
ls -l "$W"/samples.db* | awk '{ print $5, $9 }' | sed "s|$W/||"
# The same rows by SQLite alone, in batches as large.
commits=$(sed -nE 's/.*commits ([0-9]+),.*/\1/p' "$W/out" | tail -n 1)
/usr/bin/python3 - "$W/samples.db" "$W/plain.db" "${commits:-1}" <<'P'
import sqlite3, sys, time
rows = sqlite3.connect(sys.argv[1]).execute("SELECT * FROM samples LIMIT 1000000").fetchall()
total = sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM samples").fetchone()[0]
batch = max(1, total // int(sys.argv[3]))
db = sqlite3.connect(sys.argv[2], isolation_level=None)
db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE samples(source INTEGER NOT NULL, sequence INTEGER NOT NULL, time_ms INTEGER NOT NULL, metric TEXT NOT NULL, value REAL)")
start = time.monotonic()
for i in range(0, len(rows), batch):
    db.execute("BEGIN")
    db.executemany("INSERT INTO samples VALUES(?, ?, ?, ?, ?)", rows[i:i + batch])
    db.execute("COMMIT")
print("SQLite alone (Python's executemany), %d rows in batches of %d: %.0f rows/s" % (len(rows), batch, len(rows) / (time.monotonic() - start)))
P
