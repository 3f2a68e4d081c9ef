#!/usr/bin/env python
"""What a call of the Python client costs, against a bare os.write() of the same bytes in the same run.

    python test/bench/client_python.py

On any interpreter, nothing installed. The lanes go to a temporary folder (TMPDIR says on which disk)."""

from __future__ import division, print_function

import gc
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "clients", "python"))
home = tempfile.mkdtemp(prefix="datacat-bench-")
os.environ["DATACAT_HOME"] = home
os.environ["DATACAT_DAEMON"] = "off"
clock = getattr(time, "perf_counter", time.time)
import datacat  # noqa: E402


def measured(call, arguments=(), count=20000):
    """Microseconds of single calls: median, mean, p99, max; the timer's own cost is in all of them alike."""
    durations = []
    for _ in range(count):
        started = clock()
        call(*arguments)
        durations.append(clock() - started)
    durations.sort()
    pick = lambda part: durations[min(count - 1, int(count * part))] * 1e6  # noqa: E731
    return pick(0.5), sum(durations) / count * 1e6, pick(0.99), pick(1)


def in_a_loop(call, arguments=(), count=20000):
    """Microseconds per call, without a timer around each."""
    started = clock()
    for _ in range(count):
        call(*arguments)
    return (clock() - started) / count * 1e6


def last_line():
    lane = session._out.lane
    with open(os.path.join(home, "lanes", "%s.%06d.lane" % (lane.id, lane.part)), "rb") as file:
        return file.read().splitlines(True)[-1]


def row(name, call, arguments=()):
    call(*arguments)
    session.flush()
    line = last_line()
    bare_file = os.open(os.path.join(home, "bare"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    bare = measured(os.write, (bare_file, line))
    bare_loop = in_a_loop(os.write, (bare_file, line))
    ours = measured(call, arguments)
    loop = in_a_loop(call, arguments)
    os.close(bare_file)
    print("| %-28s | %5d | %6.2f | %6.2f | %6.2f | %5.2fx | %5.2fx | %6.1f | %7.0f |" % (
        name, len(line), bare[0], ours[0], loop, ours[0] / bare[0], loop / bare_loop, ours[2], ours[3]))  # fmt: skip


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
row("gauge, one after the other", session.gauge, ("fps", 59.94))


def alone(name, value):
    session.gauge(name, value)
    session._out.in_window = 0


row("gauge, each for itself", alone, ("fps", 59.94))
row("gauge, unit and tags", session.gauge, ("fps", 59.94, "fps", ["main"]))
row("counter", session.counter, ("saves",))
row("histogram", session.histogram, ("request_seconds", 0.034))
row("heartbeat", session.heartbeat)
row("event, a name", session.event, ("door_opened",))
row("event, small", session.event, ("door_opened", {"door": 7}))
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


gc.collect()
daemon = sys.argv[1] if len(sys.argv) > 1 else "down"
print("60 Hz, 100 calls a frame, daemon %s: p50 %.2f ms, p99 %.2f ms, max %.2f ms" % ((daemon,) + tuple(frames())))
shutil.rmtree(home, ignore_errors=True)
