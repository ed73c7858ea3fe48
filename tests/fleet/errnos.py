"""One system call of a sensor or a collector fails, with each errno at each place, or the program is killed there: errnos.py [COUNT
[SEED]], for all or for COUNT of them by chance. Either the program ends at its start, says why and has done no harm, or nothing is lost, and the books balance. BUILD=build."""
import errno
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import faults
from faults import Collector, balance, expect, free_port, lost_nothing, number, rows, sensor

KILL = 1000  # in place of an errno, see fail.c
MOST = 40  # places of one call; what comes later is the same again
NETWORK = {"socket": "EMFILE ENOBUFS", "setsockopt": "EINVAL", "send": "ECONNRESET EPIPE ENOBUFS EINTR EAGAIN",
           "recv": "ECONNRESET ETIMEDOUT ENOMEM EINTR EAGAIN", "epoll_create": "EMFILE", "epoll_ctl": "ENOMEM ENOSPC", "epoll_wait": "EINTR",
           "getrandom": "EINTR EAGAIN"}
FILES = {"open": "EMFILE ENFILE EACCES EIO", "read": "EIO EINTR", "write": "EIO ENOSPC EDQUOT EFBIG EINTR", "fsync": "EIO ENOSPC",
         "flock": "EINTR ENOLCK"}
CALLS = {"collector": {**NETWORK, **FILES, "ftruncate": "EIO", "fcntl": "EIO EINTR ENOLCK EACCES", "fstat": "EIO", "unlink": "EIO",
                       "mmap": "ENOMEM", "bind": "EADDRINUSE", "listen": "EADDRINUSE",
                       "accept": "EMFILE ENFILE ENOBUFS ENOMEM ECONNABORTED EPROTO EINTR"},
         "sensor": {**NETWORK, **FILES, "connect": "ECONNREFUSED ENETUNREACH ETIMEDOUT EINTR EADDRNOTAVAIL"}}


def one_run(env_of_collector, env_of_sensor):
    """The collector's and the sensor's end. The sensor may be given up at its start: then a second one has to do the work."""
    port = free_port()
    c = Collector(port, env=env_of_collector)
    refused = c.p.poll() is not None
    if refused:
        expect(c.p.returncode == 1 and "error" in c.said() + "error" * ("collector:" in c.said()), c.p.returncode, c.said())
        c = Collector(port)
        expect(c.p.poll() is None, "the next one does not start", c.said())
    s = sensor(port, "--duration=1", "--when-full=block", f"--spool={faults.W}/spool", interval=20, env=env_of_sensor)
    if s.wait() != 0 and "ledger" not in s.said() and "due " not in s.said():
        expect(s.p.returncode == 1 and "error" in s.said(), s.p.returncode, s.said())
        s = sensor(port, "--duration=1", "--when-full=block", f"--spool={faults.W}/spool", interval=20)
        s.wait()
    expect(s.p.returncode == 0, s.p.returncode, s.said(), c.said())
    end = c.kill(signal.SIGTERM)
    expect(end == 0 or (end == 1 and env_of_collector and "collector: " in c.said()), "the collector ends with", end, c.said())
    if number(s, "dropped") == 1:  # what could not be written to the spool, which it says
        expect("sensor: the spool: " in s.said() and number(s, "unacknowledged") == 0, s.said())
    else:
        lost_nothing(s)
    balance(c, s)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    expect(used.ru_utime + used.ru_stime < 3, "processor time", used.ru_utime + used.ru_stime)


def prepare(*more):
    return {"LD_PRELOAD": os.path.abspath(f"{faults.W}/fail.so"), **dict(more)}


def one_kill(program, fault):
    """It is killed at this place, and started again."""
    port = free_port()
    collectors = [Collector(port, env=fault if program == "collector" else None)]
    over = threading.Event()

    def look_after():
        while not over.wait(0.05):
            if collectors[-1].p.poll() is not None:
                collectors.append(Collector(port))

    watcher = threading.Thread(target=look_after)
    watcher.start()
    options = (port, "--duration=1", "--when-full=block", f"--spool={faults.W}/spool")
    s = sensor(*options, interval=20, env=fault if program == "sensor" else None)
    if s.wait() == -9:
        s = sensor(*options, interval=20)
        s.wait()
    over.set()
    watcher.join()
    expect(s.p.returncode == 0, s.p.returncode, s.said(), collectors[-1].said())
    expect(collectors[-1].kill(signal.SIGTERM) in (0, -signal.SIGKILL), collectors[-1].said())  # its place may be at its end
    lost_nothing(s, "no room")  # where the collector starts again slowly, the ring is full meanwhile
    there = rows()
    expect(there == number(s, "sent") == rows("SELECT max(sequence) FROM samples") == rows("SELECT count(DISTINCT sequence) FROM samples"),
           there, "are stored", s.said())


def one(program, call, code, nth):
    fault = prepare(("FAIL_AT", f"{call}:{code}:{nth}"))
    if code == KILL:
        return one_kill(program, fault)
    one_run(*((fault, None) if program == "collector" else (None, fault)))


def count(file):
    """How often each call is there in a run without faults."""
    one_run(prepare(("FAIL_COUNT", file + ".collector")), prepare(("FAIL_COUNT", file + ".sensor")))


def cells(counts):
    for program, calls in CALLS.items():
        for call, codes in calls.items():
            for nth in range(1, min(counts[program][call], MOST) + 1):
                for code in codes.split():
                    yield program, call, getattr(errno, code), nth
                yield program, call, KILL, nth


def run(arguments):
    r = subprocess.run([sys.executable, __file__, "--one", *map(str, arguments)], capture_output=True, text=True)
    if r.returncode != 0:
        code = errno.errorcode.get(arguments[2], "SIGKILL") if len(arguments) > 2 else ""
        print("FAIL", *arguments[:2], code, *arguments[3:], r.stdout.replace("\n", " | ")[:900], r.stderr[-300:], flush=True)
    return r.returncode == 0


def main(most=None, seed="1"):
    with tempfile.TemporaryDirectory() as folder:
        if not run((f"{folder}/count",)):
            return 1
        counts = {p: {name: int(n) for name, n in map(str.split, open(f"{folder}/count.{p}"))} for p in CALLS}
    chosen = list(cells(counts))
    if most:
        chosen = random.Random(int(seed)).sample(chosen, int(most))
    with ThreadPoolExecutor(5) as pool:
        failed = sum(not good for good in pool.map(run, chosen))
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        faults.record_hello = lambda: None
        rest = sys.argv[2:]
        sys.exit(faults.run((lambda: count(rest[0])) if len(rest) == 1 else (lambda: one(rest[0], rest[1], int(rest[2]), int(rest[3])))))
    sys.exit(main(*sys.argv[1:]))
