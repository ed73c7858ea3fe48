"""A sensor and a collector on two hosts, network namespaces, and a link between them that fails (link.py): lab.py [short | NAME...]. Each
scenario asserts the ledger, flat memory and descriptors, and how long it takes from the fault, or its end, to the next stored sample.
All of them write build/lab.md, and UPDATE=1 puts that into README.md. As root; BUILD=build."""
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import faults
from faults import Collector, balance, expect, lost_nothing, rows, sensor, wait_for

MOST = 15  # seconds
HERE, THERE, MOVED = "10.98.0.1", "10.98.0.2", "10.98.0.3"
SPOOL = f"--spool={faults.W}/spool"
scenarios = {}


def scenario(f):
    scenarios[f.__name__] = f
    return f


def ip(*arguments, there=None):
    enter = ["nsenter", "-t", str(there), "-n"] if there else []
    subprocess.run([*enter, "ip", *arguments], check=True, capture_output=True)


def used_by(program):
    """Bytes of memory and descriptors of a process."""
    status = open(f"/proc/{program.p.pid}/status").read()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024, len(os.listdir(f"/proc/{program.p.pid}/fd"))


class Hosts:
    """The collector is here; the sensor is there, behind a link of its own."""
    collector = sensor = None
    lives = 0  # of the sensor

    def __init__(self, seconds, interval=20, secure=False, spool=()):
        self.other = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.pid = self.other.pid
        faults.children.append(self.other)
        wait_for(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "the other host")
        self.begin_link()
        self.port = 50050
        tls = (), ()
        host = HERE
        if secure:
            faults.make_certificates("s")
            own = f"--ca={faults.W}/ca.pem"
            tls = (("--tls", own, f"--cert={faults.W}/localhost.pem", f"--key={faults.W}/localhost.key", "--identity=cert"),
                   ("--tls", own, f"--cert={faults.W}/s.pem", f"--key={faults.W}/s.key"))
            host = "localhost"  # whose address is there what the file of hosts says
            open(f"{faults.W}/hosts", "w").write(f"{HERE} localhost\n")
        self.new_collector = lambda: Collector(self.port, f"--address={HERE}:{self.port}", *tls[0], env={
            "LD_PRELOAD": os.path.abspath(f"{faults.W}/fail.so"), "FAIL_WHILE": f"{faults.W}/fail"})
        enter = ("nsenter", "-t", str(self.pid), "-n", "unshare", "-m", "sh", "-c",
                 f'[ ! -f {faults.W}/hosts ] || mount --bind {faults.W}/hosts /etc/hosts; exec "$0" "$@"')
        self.new_sensor = lambda: sensor(0, f"--collector={host}:{self.port}", f"--duration={seconds}", "--when-full=block", *spool, *tls[1],
                                         interval=interval, prefix=enter)
        self.used = {}
        self.start()
        wait_for(lambda: rows() > 100, "samples")
        self.note_use()

    def start(self):
        """Both, or the one that was killed."""
        if self.collector is None:
            self.collector = self.new_collector()
        if self.sensor is None:
            self.sensor = self.new_sensor()
            self.lives += 1

    def note_use(self):
        for program in (self.collector, self.sensor):
            self.used.setdefault(program, used_by(program))

    def kill_collector(self):
        self.collector.kill()
        self.collector = None

    def kill_sensor(self):
        self.sensor.kill()
        self.sensor = None

    def begin_link(self):
        self.link = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "link.py"), str(self.pid), "lab0", "lab1"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        faults.children.append(self.link)
        expect(self.link.stdout.readline() == "up\n", "the link is not up")
        ip("addr", "add", HERE + "/24", "dev", "lab0")
        ip("link", "set", "lab0", "up")
        ip("link", "set", "lo", "up", there=self.pid)
        ip("addr", "add", THERE + "/24", "dev", "lab1", there=self.pid)
        ip("link", "set", "lab1", "up", there=self.pid)

    def change(self, **rules):
        """What the link does from now on."""
        self.link.stdin.write(json.dumps(rules) + "\n")
        self.link.stdin.flush()
        expect(self.link.stdout.readline() == "done\n", "the link is gone")

    def recovers(self, what):
        """From now on: the seconds until a sample is stored that is taken later than now."""
        begin, now = time.monotonic(), time.time() * 1000
        wait_for(lambda: rows(f"SELECT count(*) FROM samples WHERE time_ms > {now:.0f}") > 0, f"samples after {what}", 60)
        took = time.monotonic() - begin
        expect(took <= MOST, f"{what}: it took {took:.1f} s")
        self.said = what, took
        self.note_use()

    def end(self):
        for program in (self.collector, self.sensor):
            (memory, files), now = self.used[program], used_by(program)
            expect(now[0] < memory + (4 << 20) and now[1] <= files + 2, "memory and descriptors grew from", memory, files, "to", *now)
        expect(self.sensor.wait(120) == 0, self.sensor.said())
        lost_nothing(self.sensor)
        self.collector.stop()
        if self.lives == 1:  # the ledger of one that was killed is gone with it
            balance(self.collector, self.sensor)
        stored, sent = rows("SELECT count(DISTINCT sequence) FROM samples"), faults.number(self.sensor, "sent")
        expect(sent == stored == rows(), "sent", sent, "stored", stored, "of", rows())
        print(f"{self.said[0]}\t{self.said[1]:.1f}\t{stored}\t{sent - stored}\t{rows() - stored}", flush=True)


def passing(what, seconds, secure=False, interval=20, **rules):
    """Something that lasts for some seconds, and is over."""
    hosts = Hosts(seconds + 12, interval, secure)
    hosts.change(**rules)
    time.sleep(seconds)
    hosts.change(**{name: False if value is True else 0 for name, value in rules.items()})
    hosts.recovers(what + (", TLS" if secure else ""))
    hosts.end()


def lasting(what, secure=False, interval=20, **rules):
    """Something that begins and stays."""
    hosts = Hosts(20, interval, secure)
    hosts.change(**rules)
    hosts.recovers(what + (", TLS" if secure else ""))
    hosts.end()


def interrupting(what, seconds, begin, end, secure=False, interval=20, **more):
    """Something that happens to one of the programs."""
    hosts = Hosts(seconds + 12, interval, secure, **more)
    begin(hosts)
    time.sleep(seconds)
    end(hosts)
    hosts.recovers(what + (", TLS" if secure else ""))
    hosts.end()


def for_each(table):
    for name, (f, arguments, rules) in table.items():
        for secure in (False, True):
            full = name + "_tls" * secure
            scenarios[full] = functools.partial(f, *arguments, secure=secure, **rules)
            scenarios[full].__name__ = full


for_each({
    "down_1_s": (passing, ("the link is down for 1 s", 1), {"down": True}),
    "down_5_s": (passing, ("the link is down for 5 s", 5), {"down": True}),
    "down_40_s": (passing, ("the link is down for 40 s", 40), {"down": True, "interval": 100}),
    "down_120_s": (passing, ("the link is down for 120 s", 120), {"down": True, "interval": 200}),
    "one_way_there": (passing, ("nothing reaches the collector for 14 s", 14), {"there_down": True}),
    "one_way_here": (passing, ("nothing reaches the sensor for 14 s", 14), {"here_down": True}),
    "nat_forgets": (lasting, ("a NAT forgets the flow",), {"forget": True}),
    "loss": (lasting, ("20% of the packets are lost",), {"loss": 0.2}),
    # A window of 4,096 bytes is what passes in a round trip: 50 samples/s need a third of it.
    "delay": (lasting, ("a delay of 500 ms each way",), {"delay": 0.5, "interval": 100}),
    "reorder": (lasting, ("packets overtake each other",), {"delay": 0.02, "jitter": 0.1}),
    "duplicate": (lasting, ("half of the packets come twice",), {"duplicate": 0.5}),
    "corrupt": (lasting, ("10% of the packets are corrupted",), {"corrupt": 0.1}),
    "rate": (lasting, ("50 kbit/s",), {"rate": 6250, "delay": 0.05, "interval": 100}),
    "all_at_once": (lasting, ("loss, delay, reordering, duplicates and corruption together",),
                    {"loss": 0.05, "delay": 0.05, "jitter": 0.05, "duplicate": 0.1, "corrupt": 0.03}),
    "collector_killed": (interrupting, ("the collector is killed, and starts again 5 s later", 5, Hosts.kill_collector, Hosts.start), {}),
    "sensor_killed": (interrupting, ("the sensor is killed, and starts again 5 s later (`--spool`)", 5, Hosts.kill_sensor, Hosts.start),
                      {"spool": (SPOOL,)}),
    "disk_full": (interrupting, ("the disk is full for 5 s", 5, lambda hosts: faults.limit_file_size(8192)(hosts.collector),
                                 lambda hosts: faults.limit_file_size(faults.resource.RLIM_INFINITY)(hosts.collector)), {}),
    "disk_fails": (interrupting, ("reading, writing and fsync fail for 5 s", 5, lambda hosts: faults.failing("read", "write", "fsync")(None),
                                  lambda hosts: faults.healed(None)), {}),
})


@scenario
def an_address_that_changes():
    """Flows from the old one are dropped without a word."""
    hosts = Hosts(25)
    hosts.change(forget=True)
    ip("addr", "add", MOVED + "/24", "dev", "lab1", there=hosts.pid)
    ip("addr", "del", THERE + "/24", "dev", "lab1", there=hosts.pid)
    try:
        ip("addr", "add", MOVED + "/24", "dev", "lab1", there=hosts.pid)
    except subprocess.CalledProcessError:
        pass  # it is there still
    hosts.recovers("the address changes")
    hosts.end()


def can_run():
    return (os.geteuid() == 0 and shutil.which("ip") and shutil.which("nsenter") and os.path.exists("/dev/net/tun") and
            subprocess.run(["unshare", "-n", "ip", "tuntap", "add", "lab0", "mode", "tun"], capture_output=True).returncode == 0)


def run(name):
    """Whether it is well, and its row."""
    r = subprocess.run(["unshare", "-n", sys.executable, __file__, "--one", name], stdout=subprocess.PIPE, text=True)
    print(r.stdout, end="", flush=True)
    return r.returncode == 0, r.stdout.rstrip("\n").split("\t")


HEAD = "| scenario | recovery | over TLS | lost | doubled |"


def table(of):
    """What was measured: a row has a scenario, plain and over TLS."""
    measured = {}
    for what, took, _, lost, doubled in of:
        row = measured.setdefault(what.removesuffix(", TLS"), ["", "", 0, 0])
        row[what.endswith(", TLS")] = took + " s"
        row[2] += int(lost)
        row[3] += int(doubled)
    lines = [HEAD, "|---|---|---|---|---|"]
    return "".join(line + "\n" for line in lines + [f"| {what} | " + " | ".join(map(str, row)) + " |" for what, row in measured.items()])


def keep(text):
    """In build/lab.md, and in the README."""
    open(os.path.join(faults.BUILD, "lab.md"), "w").write(text)
    if os.environ.get("UPDATE") != "1":
        return
    page = open("README.md").read()
    begin = page.index(HEAD)
    open("README.md", "w").write(page[:begin] + text + page[page.index("\n\n", begin) + 1:])


def readme_has_all():
    """A row for each scenario, with nothing lost and nothing doubled."""
    page = open("README.md").read()
    lines = page[page.index(HEAD):].split("\n\n")[0].splitlines()[2:]
    names = sorted({name.removesuffix("_tls") for name in scenarios})
    expect(len(lines) == len(names) and all(line.endswith(" | 0 | 0 |") for line in lines), "README.md has", len(lines), "rows, not", len(names))


def main():
    if not can_run():
        print("no network namespaces here\n0 passed, 0 failed, 1 skipped")
        return 0
    names = sys.argv[1:] or list(scenarios)
    if names == ["short"]:
        names = ["down_5_s", "nat_forgets_tls", "an_address_that_changes", "one_way_here", "all_at_once"]
    readme_has_all()
    print("scenario\trecovery\tstored\tlost\tdoubled", flush=True)
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, names))
    failed = sum(not good for good, _ in results)
    if len(names) == len(scenarios) and failed == 0:
        keep(table(row for _, row in results))
    print(f"{len(names) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        faults.record_hello = lambda: None
        sys.exit(faults.run(scenarios[sys.argv[2]]))
    sys.exit(main())
