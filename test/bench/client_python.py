#!/usr/bin/env python
"""What a call of the Python client costs, against a bare os.write() of the same bytes in the same run.

    python test/bench/client_python.py

Runs on any interpreter without an installation. The lanes are in a temporary folder (TMPDIR selects the disk). With DATACAT_BENCH_HOME, the home
of a running daemon, only the frames are measured (client-python.bench.ts)."""

from __future__ import division, print_function

import binascii
import gc
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "clients", "python"))
served = os.environ.get("DATACAT_BENCH_HOME")
home = served or tempfile.mkdtemp(prefix="datacat-bench-")
os.environ["DATACAT_HOME"] = home
os.environ["DATACAT_DAEMON"] = "off"
clock = getattr(time, "perf_counter", time.time)
import datacat  # noqa: E402


TURNS, CALLS = 200, 100
TEXT = '"op":"event","name":"door_opened","data":{"door":7}}'
LINE = b'%08x {"seq":12345,"at":1790000000001,%s\n' % (0xF00DF00D, TEXT.encode("ascii"))


def timed(call, arguments, before=None):
    """Microseconds of single calls; the timer's own cost is in each figure."""
    durations = []
    for _ in range(CALLS):
        if before is not None:
            before()
        started = clock()
        call(*arguments)
        durations.append((clock() - started) * 1e6)
    return durations


def in_a_loop(call, arguments):
    """Microseconds per call, without a timer around each."""
    started = clock()
    for _ in range(CALLS):
        call(*arguments)
    return (clock() - started) / CALLS * 1e6


def at(part, durations):
    return sorted(durations)[min(len(durations) - 1, int(len(durations) * part))]


def last_line():
    lane = session._writer.lane
    with open(os.path.join(home, "lanes", "%s.%06d.lane" % (lane.id, lane.part)), "rb") as file:
        return file.read().splitlines(True)[-1]


def row(name, call, arguments=(), before=None, line=None):
    """In turns, so that other load of the machine affects both. The means are medians over the turns."""
    call(*arguments)
    session.flush()
    line = line or last_line()
    bare_file = os.open(os.path.join(home, "bare"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    bare, ours, bare_means, means = [], [], [], []
    for _ in range(TURNS):
        bare += timed(os.write, (bare_file, line))
        ours += timed(call, arguments, before)
        bare_means.append(in_a_loop(os.write, (bare_file, line)))
        means.append(in_a_loop(call, arguments))
    os.close(bare_file)
    print("| %-28s | %5d | %6.2f | %6.2f | %6.2f | %5.2fx | %5.2fx | %6.1f | %7.0f |" % (
        name, len(line), at(0.5, bare), at(0.5, ours), at(0.5, means), at(0.5, ours) / at(0.5, bare),
        at(0.5, means) / at(0.5, bare_means), at(0.99, ours), at(1, ours)))  # fmt: skip


def each_call():
    """Open, end, and each call beside a bare write."""
    global session
    print("python %s, %s" % (sys.version.split()[0], datacat._system()))
    times = []
    for _ in range(30):
        started = clock()
        session = datacat.open(product="bench", version="1")
        opened = clock()
        session.end()
        times.append((opened - started, clock() - opened))
    opens, ends = sorted(t[0] for t in times), sorted(t[1] for t in times)
    print("open: first %.2f ms, median %.2f ms; end: median %.2f ms, max %.2f ms" % (
        times[0][0] * 1e3, opens[15] * 1e3, ends[15] * 1e3, ends[-1] * 1e3))  # fmt: skip

    session = datacat.open(product="bench")
    print("| call                         | bytes | write  | median | mean   | median | mean   | p99    | max     |")
    print("|                              |       | us     | us     | us     | /write | /write | us     | us      |")
    print("| ---------------------------- | ----- | ------ | ------ | ------ | ------ | ------ | ------ | ------- |")
    sparring = os.open(os.path.join(home, "sparring"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def least():
        """The minimum in this language for a record whose text is finished."""
        data = ('{"seq":%s,"at":%s,%s' % (12345, int(time.time() * 1000), TEXT)).encode("ascii")
        os.write(sparring, b"%08x %s\n" % (binascii.crc32(data) & 0xFFFFFFFF, data))

    row("least: line, checksum, write", least, line=LINE)
    row("gauge, one after the other", session.gauge, ("fps", 59.94))

    def some_time_later():
        """As if the last metric was recorded long ago, so that none is held."""
        session._writer.window = 0.0

    row("gauge, each for itself", session.gauge, ("fps", 59.94), some_time_later)
    row("gauge, unit and tags", session.gauge, ("fps", 59.94, "fps", ["main"]))
    row("gauge, tags of a dict", session.gauge, ("fps", 59.94, "fps", {"thread": "main", "core": 3}))
    row("counter", session.counter, ("saves",))
    row("histogram", session.histogram, ("request_seconds", 0.034))
    row("heartbeat", session.heartbeat)
    row("event, a name", session.log_event, ("door_opened",))
    row("event, small", session.log_event, ("door_opened", {"door": 7}))
    row("event, small, with tags", lambda: session.log_event("door_opened", data={"door": 7}, tags={"room": "attic"}))
    row("state, small", session.update_state, ({"level": 3, "player": {"hp": 100}},))
    session.end()


def frames(seconds=3.0, calls=100):
    """A loop of 60 frames a second with 100 calls in each: what the calls take of a frame."""
    session = datacat.open(product="bench game")
    costs = []
    started = clock()
    frame = 0
    while clock() - started < seconds:
        begun = clock()
        for number in range(calls // 2):
            session.gauge("frame_ms", 16.6 + number)
            session.counter("draws", 3) if number % 10 == 0 else session.gauge("particles", number)
        session.update_state({"frame": frame})
        costs.append(clock() - begun)
        frame += 1
        pause = started + frame / 60.0 - clock()
        if pause > 0:
            time.sleep(pause)
    session.end()
    costs.sort()
    return [costs[min(len(costs) - 1, int(len(costs) * part))] * 1e3 for part in (0.5, 0.99, 1)]


def watch(seconds=10.0):
    """The share of a core, in percent, that a session takes whose heartbeats come in time, with the thread that waits to sample stacks."""
    session = datacat.open(product="bench watch")
    session.heartbeat(timeout=60)
    time.sleep(0.5)
    before = os.times()
    time.sleep(seconds)
    after = os.times()
    session.end()
    return (after[0] + after[1] - before[0] - before[1]) / seconds * 100


if not served:
    each_call()
    print("heartbeats in time: %.3f %% of a core" % watch())
gc.collect()
whether = "at work" if served else "away"
print("60 Hz, 100 calls a frame, daemon and server %s: p50 %.2f ms, p99 %.2f ms, max %.2f ms" % ((whether,) + tuple(frames())))
if not served:
    shutil.rmtree(home, ignore_errors=True)
