"""Do the books balance? ledger.py COLLECTOR-OUTPUT STORE SENSOR-OUTPUT...: what sensors and collector print at their end, and
what is in the store. Says what does not add up; exit status 1."""
import re
import sqlite3
import sys

wrong = []


def expect(what, holds):
    if not holds:
        wrong.append(what)


def numbers(file, pattern):
    found = re.findall(pattern, open(file, errors="replace").read())
    expect(f"{file} has no ledger", found)
    return [int(n) for n in found[-1]] if found else [0] * re.compile(pattern).groups


acknowledged_by_sensors = 0
for file in sys.argv[3:]:
    due, acknowledged, unacknowledged, dropped, missed, late, unreadable, no_room = numbers(
        file, r": due (\d+) = acknowledged (\d+) \+ unacknowledged (\d+) \+ dropped (\d+) \+ missed (\d+)"
              r" \(late (\d+), unreadable (\d+), no room (\d+)\)")
    expect(f"{file}: due {due}", due == acknowledged + unacknowledged + dropped + missed)
    expect(f"{file}: missed {missed}", missed == late + unreadable + no_room)
    expect(f"{file}: nothing was due", due > 0)
    acknowledged_by_sensors += acknowledged

received, stored, acknowledged = numbers(sys.argv[1], r"received (\d+), stored (\d+), acknowledged (\d+)")
expect(f"the collector stored {stored} and acknowledged {acknowledged}", stored >= acknowledged)
store = sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True)
rows = store.execute("SELECT count(*) FROM samples").fetchone()[0]
expect(f"sensors heard of {acknowledged_by_sensors} samples, {rows} are stored", rows >= acknowledged_by_sensors)
if all("unacknowledged 0 " in open(file).read() for file in sys.argv[3:]):
    expect(f"at rest {acknowledged_by_sensors} were acknowledged, {rows} are stored", rows == acknowledged_by_sensors)
doubled = store.execute("SELECT count(*) FROM (SELECT 1 FROM samples GROUP BY source, sequence HAVING count(*) > 1)").fetchone()[0]
expect(f"{doubled} samples are stored twice", doubled == 0)
beyond = store.execute("SELECT count(*) FROM samples JOIN sources ON source = id WHERE sequence > last").fetchone()[0]
expect(f"{beyond} samples lie above what their source is known to have sent", beyond == 0)
print("\n".join(wrong) or f"acknowledged {acknowledged_by_sensors}, stored {rows}")
sys.exit(1 if wrong else 0)
