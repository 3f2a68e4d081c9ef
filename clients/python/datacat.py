# -*- coding: utf-8 -*-
"""Datacat: a flight recorder for programs.

    import datacat

    session = datacat.open(product="game", version="1.4.2")
    session.update_state({"level": 3, "player": {"hp": 100}})
    session.log_event("door_opened", {"door": 7})
    session.gauge("fps", 59.94)
    session.end()

A call appends a line to a file (a *lane*, see clients/README.md); a daemon reads the file and sends it on. So a call waits
for nothing but that one write, what it wrote outlives the program however the program dies, and it never raises: bad
values are written as what they were, and whatever is lost is counted and told.

One file, the standard library only, CPython 2.7 and 3.6 to the newest.

Contents, in the order of this file. A program uses the first part, from Opening to Capture; the rest serves it.

  Interpreter     What differs between CPython 2.7, 3.6 to the newest, and Jython 2.7
  Limits          Every number that bounds something, with its unit and reason
  Opening         How a program begins to record: open, create_session
  Session         The calls that record: Session
  Timer           A duration, measured around a block or a function: Timer
  Heartbeat       The watch for hangs: HeartbeatMonitor
  Logging         Records of the module `logging`: DatacatHandler
  Client          1.x's client: the same calls, by session id: DatacatClient
  Async session   1.x's session with a sender thread: AsyncSession
  Daemon manager  1.x's handle on the daemon: DaemonManager
  Capture         Uncaught exceptions, fatal errors and signals: capture
  Exit            The exit hook, and the hook of a forked child
  Exception       Exceptions as the fields of an event
  Field           Names, labels and other fields of an op as JSON
  Number          Numbers as ECMAScript's Number.prototype.toString writes them
  String          Strings as JSON
  Value           Any value as JSON (clients/README.md, "Values that JSON cannot express")
  Secret          Which keys and arguments are redacted
  Cut             Events over the limit, cut to fit
  Lane            The append-only file: one write for each record, after which the record survives the program
  Queue           Direct mode: a bounded queue in memory, and a thread that sends it
  Disabled        The writer of a session that records nothing
  Request         HTTP
  Daemon          Finding, starting and observing the daemon
  Home            The folder that holds lanes
  Writer          What a lane's header states about this process and machine
  Id              Ids of sessions and lanes
"""

from __future__ import division

import atexit
import binascii
import datetime
import errno
import functools
import itertools
import json
import logging
import numbers
import os
import random
import re
import struct
import sys
import threading
import time
import traceback
import types
import zlib
from collections import OrderedDict, deque

try:
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, Request, build_opener
except ImportError:  # 2.7
    from urllib2 import HTTPError, ProxyHandler, Request, URLError, build_opener

try:
    from urllib.request import HTTPSHandler
except ImportError:
    try:
        from urllib2 import HTTPSHandler
    except ImportError:  # an interpreter without ssl
        HTTPSHandler = None

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__version__ = "2.0.0"
__all__ = [
    "AsyncSession",
    "DaemonManager",
    "DatacatClient",
    "DatacatHandler",
    "HeartbeatMonitor",
    "Session",
    "Timer",
    "capture",
    "create_session",
]  # not `open`, which would hide the builtin from `import *`


# === Interpreter =============================================================
# What differs between CPython 2.7, 3.6 to the newest, and Jython 2.7.

_PY2 = sys.version_info[0] == 2
_text_type = type(u"")
_FORKS_ARE_TOLD = hasattr(os, "register_at_fork")
_getpid = os.getpid
_crc32 = binascii.crc32
_stopwatch = getattr(time, "perf_counter", time.time)


if (3,) <= sys.version_info < (3, 9):

    def _mind_the_stack():
        """These interpreters abort if somebody swallows a RecursionError and calls on in the last 50 frames. So one that is the
        program's own (the stack is full, any call would raise) goes on to it; one that a value caused is swallowed."""
        if isinstance(sys.exc_info()[1], RecursionError):
            try:
                sys._getframe(sys.getrecursionlimit() - 200)
            except ValueError:
                return  # the stack is not deep
            raise

else:

    def _mind_the_stack():
        pass


def _acquired(lock, seconds, step=0.0005):
    """Acquires a lock within some seconds. 2.7 has no such call, so there each `step` a try is made."""
    if not _PY2:
        return lock.acquire(True, seconds)
    deadline = time.time() + seconds
    while not lock.acquire(False):
        if time.time() > deadline:
            return False
        time.sleep(step)
    return True


# === Limits ==================================================================
# Every number that bounds something, with its unit and reason.

DEFAULT_URL = "http://localhost:8080"
# Every number that bounds something. The first ones are the server's (src/core/limits.ts): what is over them would be refused.
MAX_NAME_LENGTH = 256  # UTF-16 units
MAX_LABELS = 64
MAX_BUCKETS = 256
MAX_DEPTH = 64
MAX_STATE_BYTES = 512 * 1024
MAX_EVENT_BYTES = 256 * 1024 - 64  # sequence and time stand before the op
LANE_BYTES = 8 * 1024 * 1024  # a part can be read, sent and deleted while the session goes on
MAX_REMEMBERED = 4096  # series, keys and names whose text is kept ready; more is a mistake that must not eat memory
MAX_TOLD_PATHS = 1000  # beyond this the program is mistaken everywhere
MAX_ITEMS = 1 << 20  # of a container that is not the interpreter's own: no op has room for more, and some never end
MAX_CAUSES = 16  # exceptions that led to one another
MAX_LOCALS = 64  # variables of a frame
LOCALS_FRAMES = 8  # innermost frames whose variables are recorded, if asked for
WHOLE_STRING = 64  # strings up to this stay whole when an event is cut
LONGEST_CUT = 131072  # where cutting starts: half of any limit
HELD_METRICS = 32  # what a metric-heavy program may lose when it is killed…
HELD_SECONDS = 0.005  # …and for how long they are held if it goes on logging
LOOK_SECONDS = 1.0  # how often the lane's file is looked at: is it still there, and still ours?
TURN_SECONDS = 1.0  # longest wait for another thread's write; then its thread is taken for dead
LANE_FD = 200  # lanes live above the numbers that programs close and get again
HTTP_SECONDS = 10.0  # for an answer to a question
DELIVERY_SECONDS = 6.0  # how long a question may wait for what was logged before it; 1.x promised as much

# Direct mode. Every client has the same numbers (test/fixtures/direct-policy.json); clients/README.md gives the reason of each.
QUEUE_OPS = 10000
QUEUE_BYTES = 4 * 1024 * 1024
QUEUE_FREED = 0.1  # share of a full queue
BATCH_OPS = 1000
BATCH_BYTES = 256 * 1024
GATHER_SECONDS = 1.0
WATCHED_GATHER_SECONDS = 0.25
URGENT_OPS = ("start", "end", "crash", "exception")
LEASE_SECONDS = 180.0
LEASE_RENEWAL_SECONDS = 60.0
SEND_SECONDS = 30.0  # for an answer to a batch
RETRY_FIRST_SECONDS = 1.0
RETRY_LONGEST_SECONDS = 30.0
RETRY_JITTER = 0.5  # share of a pause that is random
REFUSED_PAUSE_SECONDS = 0.05
END_WAIT_SECONDS = 2.0
_EXACT = 2**53
_LEAST_EXACT = -_EXACT
_NEVER = float("inf")


# === Opening =================================================================
# How a program begins to record.

def open(  # noqa: A001 (the verb of every client)
    url=None,
    product=None,
    version=None,
    tags=None,
    state=None,
    session_id=None,
    use_daemon=True,
    home=None,
):
    """Opens a session. Everything is optional; what is not said comes from the environment (DATACAT_URL, DATACAT_PRODUCT, …)."""
    session = Session.__new__(Session)
    try:
        client = DatacatClient(url, use_daemon=use_daemon, home=home)
        session_id = client.register_session(product, version, tags, state, session_id)
        session.__init__(client, session_id)
    except Exception:
        session._be_silent()
    return session


def create_session(
    base_url=None,
    daemon_port="auto",
    product=None,
    version=None,
    async_mode=False,
    queue_size=10000,
    use_daemon=True,
):
    """1.x's way to open a session. Product and version may be left out; no call of either kind of session ever waits."""
    session = open(base_url, product, version, use_daemon=use_daemon)
    session.client.daemon_manager.daemon_port = _plain_text(daemon_port)
    return AsyncSession(session, queue_size) if async_mode else session


# === Session =================================================================
# The calls that record.

class Session(object):
    """What a program did, and is doing. No method raises, none waits; after `end()` none does anything."""

    def __init__(self, client, session_id):
        self.client = client
        self.session_id = session_id
        self._heartbeat_monitor = None
        writer = client._writer(session_id)
        self._use(writer, writer.told, writer.counts)

    def _use(self, writer, told, counts):
        self._out = writer
        self._told = told
        self._dropped = counts
        self._series = {}
        self._now = time.time

    def _be_silent(self):
        self.client = DatacatClient.__new__(DatacatClient)
        self.client._be_silent()
        self.session_id = ""
        self._heartbeat_monitor = None
        self._use(_Nowhere(), set(), {})

    # State and events.

    def update_state(self, state):
        """Merges into the session's state: objects merge, None deletes, everything else replaces (RFC 7396)."""
        try:
            losses = []
            at = self._now()
            patch = _object_text({} if state is None else state, "state", losses)
            text = '"op":"state","patch":' + patch + "}"
            if len(patch) * 3 > MAX_STATE_BYTES and _utf8_length(patch) > MAX_STATE_BYTES:
                losses.append(("too_large", "state: %d bytes" % _utf8_length(patch)))
                text = None
            if losses:
                self._write_with(losses, at, text)
            else:
                self._out.append(at, (text,))
        except Exception:
            self._failed()

    def log_event(
        self,
        name,
        category=None,
        group=None,
        labels=None,
        message=None,
        data=None,
        stacktrace=None,
        level=None,
        exception_type=None,
        exception_msg=None,
        source_file=None,
        source_line=None,
        source_function=None,
    ):
        """Something happened. `category` is its severity: debug, info (the default), warning, error, critical, or a word of yours.

        The order of arguments, and those after `data`, are 1.x's, whose first versions had `data` second; `level` is an old word for `category`.
        """
        try:
            at = self._now()
            if data is None and category is not None and not issubclass(type(category), _TEXTS):
                category, data = None, category
            if category is None:
                category = level
            more = ""
            if not (exception_type is exception_msg is stacktrace is source_file is source_line is source_function is None):
                more = _exception_fields(exception_type, exception_msg, stacktrace, source_file, source_line, source_function)
            self._log(at, name, [], category, group, labels, message, data, more)
        except Exception:
            self._failed()

    def log_exception(self, exc_info=None, extra_data=None, name="exception", handled=None, locals=False, data=None):
        """The current exception, or `exc_info` (an exception, or what `sys.exc_info()` gives), with its stack and all that led to it.

        `locals=True` adds the variables of the innermost frames. `extra_data` is 1.x's word for `data`.
        """
        try:
            at = self._now()
            data = extra_data if data is None else data
            self._log_exception(at, [], _exc_info(exc_info), data, name, None, handled, locals)
        except Exception:
            self._failed()

    # Metrics.

    def gauge(self, name, value, unit=None, tags=None, metadata=None):
        """A value as it is now."""
        if metadata is not None or not self._again("gauge", name, value, unit, tags):
            self._measure("gauge", name, "value", value, unit, tags, metadata)

    def counter(self, name, delta=1, unit=None, tags=None, metadata=None):
        """Adds to a total."""
        if metadata is not None or not self._again("counter", name, delta, unit, tags):
            self._measure("counter", name, "delta", delta, unit, tags, metadata)

    def histogram(self, name, value, unit=None, tags=None, buckets=None, metadata=None):
        """A sample of a distribution; `buckets` are its upper bounds, ascending."""
        if metadata is not None or not self._again("histogram", name, value, unit, tags, buckets):
            self._measure("histogram", name, "value", value, unit, tags, metadata, None, buckets)

    def timer(self, name, count=None, tags=None, unit="seconds"):
        """Measures a `with` block or, as a decorator, each call of a function. Count iterations in its `.count`."""
        return Timer(self, name, count, tags, unit)

    def log_timer(self, name, duration, count=None, tags=None, unit="seconds", metadata=None):
        """A duration that was measured elsewhere, in `unit`."""
        self._measure("timer", name, "value", duration, unit, tags, metadata, count=count)

    def log_gauge(self, name, value, tags=None, unit=None):
        self.gauge(name, value, unit, tags)

    def log_counter(self, name, delta=1, tags=None):
        self.counter(name, delta, None, tags)

    def log_histogram(self, name, value, unit=None, tags=None, buckets=None, metadata=None):
        self.histogram(name, value, unit, tags, buckets, metadata)

    def log_metric(
        self, name, value, tags=None, metric_type="gauge", count=None, unit=None, metadata=None, delta=None
    ):
        """Any metric, with 1.x's arguments."""
        try:
            kind = _plain_text(metric_type)
            if kind not in ("gauge", "counter", "histogram", "timer"):
                kind = "gauge"
            buckets = None
            if kind == "histogram" and issubclass(type(metadata), dict) and "buckets" in metadata:
                metadata = dict(metadata)  # the caller's stays as it is
                buckets = metadata.pop("buckets")
            key = "delta" if kind == "counter" and delta is not None else "value"
            number = delta if key == "delta" else value
        except Exception:
            return self._failed()
        self._measure(kind, name, key, number, unit, tags, metadata, count, buckets)

    # Life.

    def heartbeat(self, timeout=None):
        """The program is alive. The first one arms the watch for hangs: the next is due within `timeout` seconds (default 60)."""
        try:
            at = self._now()
            timeout_ms = None if timeout is None else _number_text(timeout, 1000)
            said = "" if timeout_ms is None or float(timeout_ms) < 1 else ',"timeout_ms":' + timeout_ms
            self._out.append(at, ('"op":"heartbeat"' + said + "}",))
        except Exception:
            self._failed()

    def start_heartbeat_monitor(self, timeout=60, check_interval=5, every=None):
        """Arms the watch for hangs. With `every` a thread beats each so many seconds; without, call `heartbeat()` yourself.

        `check_interval` was how often 1.x's own thread looked; the daemon looks now.
        """
        try:
            if self._heartbeat_monitor is None:
                self._heartbeat_monitor = HeartbeatMonitor(self.client, self.session_id, timeout, every=every)
                self._heartbeat_monitor._session = self
            self._heartbeat_monitor.start()
        except Exception:
            self._failed()
        return self._heartbeat_monitor

    def stop_heartbeat_monitor(self):
        """No heartbeats are expected from now on."""
        monitor, self._heartbeat_monitor = self._heartbeat_monitor, None
        if monitor is not None:
            monitor.stop()

    def pause(self):
        """No heartbeats for a while, on purpose (a debugger, a file dialog): until `resume()` or the next heartbeat."""
        self._plain("pause")

    def resume(self):
        self._plain("resume")

    pause_heartbeat_monitoring = pause
    resume_heartbeat_monitoring = resume

    def end(self, exit_code=None, signal=None):
        """The program says goodbye."""
        try:
            monitor, self._heartbeat_monitor = self._heartbeat_monitor, None
            if monitor is not None:
                monitor._quit()
            code = _whole_field("exit_code", exit_code)
            self._finish('"op":"end"' + code + _text_field("signal", self._out.signal if signal is None else signal) + "}")
        except Exception:
            self._failed()

    def crash(self, reason=None, exit_code=None):
        """The program goes down without goodbye. Written at exit by itself when an exception was not caught."""
        try:
            code = _whole_field("exit_code", exit_code)
            self._finish('"op":"crash"' + _text_field("reason", reason) + code + "}")
        except Exception:
            self._failed()

    def stats(self):
        """What was recorded, and what of it was lost here, by cause."""
        try:
            dropped = dict(self._dropped)
            for cause, count in self._out.lost_counts().items():
                dropped[cause] = dropped.get(cause, 0) + count
            return {"session_id": self.session_id, "records": self._out.records(), "dropped": dropped}
        except Exception:
            return {"session_id": self.session_id, "records": 0, "dropped": {}}

    def flush(self, timeout=0.0):
        """Writes what is held. In direct mode waits up to `timeout` seconds until the server has it; True if it has."""
        try:
            self._out.append(self._now(), ())
            return self._out.flush(timeout)
        except Exception:
            return False

    def get_details(self):
        """The session as the server has it (1.x's JSON), after what was logged so far has arrived. Raises if it can't be asked."""
        return self.client.get_session(self.session_id)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.end()
        elif issubclass(kind, SystemExit):
            self.end(exit_code=_exit_code(error))
        elif issubclass(kind, KeyboardInterrupt):
            self.end(signal="SIGINT")
        elif issubclass(kind, Exception):
            self._crash_by((kind, error, trace))
        else:
            self.end()
        return False

    # How.

    def _log(self, at, name, losses, category, group, labels, message, data, more=""):
        """An event; `more` are the fields that only exceptions have."""
        known = _names.get(name) if type(name) is str else None
        text = '"op":"event","name":' + (known or _name_text("event.name", name, losses))
        if category is not None:
            text += _name_field("event.category", "category", category, losses)
        if group is not None:
            text += _name_field("event.group", "group", group, losses)
        if labels is not None:
            text += _labels_field("event.labels", "labels", labels, losses)
        if message is not None:
            text += _text_field("message", message)
        if data is not None:
            members = _object_text(data, "data", losses)
            if members != "{}":
                text += ',"data":' + members
        text += more + "}"

        if len(text) * 3 > MAX_EVENT_BYTES:
            size = _utf8_length(text)
            if size > MAX_EVENT_BYTES:
                losses.append(("too_large", "%s: %d bytes" % (_name_of(name), size)))
                text = _cut_strings(text)
        if losses:
            self._write_with(losses, at, text)
        else:
            self._out.append(at, (text,))

    def _log_exception(self, at, losses, exc_info, data, name, message, handled, locals):
        kind, error, trace = exc_info
        type_name = "Unknown" if kind is None else _class_name(kind)
        said = _said(error)
        file, line, function = _source(trace)
        stack = _stack(kind, error, trace)
        more = _exception_fields(type_name, said, stack, file, line, function, _causes(error), handled)
        if locals is True:
            data = OrderedDict(data if issubclass(type(data), dict) else {} if data is None else {"value": data})
            data["locals"] = _locals(trace)
            losses = _Deaf()  # variables are what they are: no note for each that JSON has no word for
        self._log(at, name, losses, "error", "exception", ["exception", type_name], message or said, data, more)

    def _again(self, kind, name, value, unit, tags, buckets=None):
        """A series that was seen before needs only its number. The first call, and a bad one, is left to `_measure`."""
        try:
            before, after = self._series[_series_key(kind, name, unit, tags, buckets)]
            number_type = type(value)
            number = _finite_text(value) if number_type is float or number_type is int else None
        except Exception:
            return False
        if number is None:
            return False
        try:
            self._out.append_metric(self._now(), before + number + after)
        except Exception:
            self._failed()
        return True

    def _measure(self, kind, name, key, value, unit, tags, metadata, count=None, buckets=None):
        try:
            losses = []
            at = self._now()
            number = _number_text(value)
            if number is None:
                losses.append(("not_finite", "%s: %s" % (_name_of(name), _not_a_number(value))))
                return self._write_with(losses, at, None)

            before = '"op":"metric","type":"%s","name":%s' % (kind, _name_text("metric.name", name, losses))
            if unit is not None:
                before += _name_field("metric.unit", "unit", unit, losses)
            if tags is not None:
                before += _labels_field("metric.tags", "tags", tags, losses)
            if metadata is not None:
                before += _object_field("metadata", metadata, losses)
            before += ',"%s":' % key
            count = _whole(count)
            after = ',"count":%d' % count if count is not None and count > 0 else ""
            if buckets is not None:
                after += _buckets_field(buckets, losses)
            after += "}"
            if metadata is None and not after.startswith(',"count"'):
                self._remember(kind, name, unit, tags, buckets, before, after)
            if losses:
                self._write_with(losses, at, before + number + after)
            else:
                self._out.append_metric(at, before + number + after)
        except Exception:
            self._failed()

    def _remember(self, kind, name, unit, tags, buckets, before, after):
        key = _series_key(kind, name, unit, tags, buckets)
        if key is not None and kind != "timer" and not self._out.ended and len(self._series) < MAX_REMEMBERED:
            self._series[key] = before, after

    def _plain(self, op):
        try:
            self._out.append(self._now(), ('"op":"%s"}' % op,))
        except Exception:
            self._failed()

    def _start(self, product, version, tags, state):
        losses = []
        text = '"op":"start"'
        text += _name_field("start.product", "product", product, losses)
        text += _name_field("start.version", "version", version, losses)
        text += _labels_field("start.tags", "tags", tags, losses)
        if state is not None:
            field = _object_field("state", state, losses)
            size = _utf8_length(field) - len(',"state":')
            if size <= MAX_STATE_BYTES:
                text += field
            else:
                losses.append(("too_large", "state: %d bytes" % size))
        self._write_with(losses, self._now(), text + "}")

    def _write_with(self, losses, at, text):
        """An op and what it lost on its way, or the loss alone."""
        out = self._out
        if out.ended:
            return
        texts = [] if text is None else [text]
        for cause, detail in losses:
            self._dropped[cause] = self._dropped.get(cause, 0) + 1
            # What is merely written differently is told once per path; what is missing, each time.
            if cause != "not_finite" and detail[-6:] != " bytes":
                if detail in self._told or len(self._told) >= MAX_TOLD_PATHS:
                    continue
                self._told.add(detail)
            texts.append(_dropped_text(cause, 1, detail))
        out.append(at, texts)

    def _finish(self, text):
        """The last record. Who joined a session that another process opened writes none."""
        out = self._out
        if out.ended:
            return
        self._series = {}
        out.append(self._now(), [text] if out.owner else (), True)

    def _crash_by(self, exc_info, exit_code=None):
        try:
            if exc_info[1] is None or exc_info[1] is not _captured.get("error"):
                self._log_exception(self._now(), [], exc_info, None, "exception", None, False, False)
        except Exception:
            self._failed()
        self.crash("uncaught_exception", exit_code)

    def _failed(self):
        """A fault of ours; the program must not notice."""
        _mind_the_stack()
        try:
            self._dropped["internal"] = self._dropped.get("internal", 0) + 1
        except Exception:
            pass  # the interpreter is going down


def _exit_code(error):
    code = getattr(error, "code", None)
    return 0 if code is None else code if isinstance(code, int) else 1


# === Timer ===================================================================
# A duration, measured around a block or a function.

class Timer(object):
    """Measures a `with` block, or each call of the function it decorates, also when it raises."""

    def __init__(self, session, name, count=None, tags=None, unit="seconds"):
        self.session = session
        self.name = name
        self.count = count
        self.tags = tags
        self.unit = unit
        self.duration = None  # seconds, once it has run
        self._started = None

    def __enter__(self):
        self._started = _stopwatch()
        return self

    def __exit__(self, kind, error, trace):
        try:
            self.duration = _stopwatch() - self._started
            measured = self.duration * _PER_SECOND.get(self.unit, 1)
            self.session.log_metric(self.name, measured, self.tags, "timer", self.count or None, self.unit)
        except Exception:
            pass  # never over the program's own exception
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def timed(*arguments, **options):
            with Timer(self.session, self.name, self.count, self.tags, self.unit):
                return function(*arguments, **options)

        return timed


_PER_SECOND = {
    "milliseconds": 1e3,
    "ms": 1e3,
    "microseconds": 1e6,
    "us": 1e6,
    "nanoseconds": 1e9,
    "ns": 1e9,
    "minutes": 1 / 60,
}


# === Heartbeat ===============================================================
# The watch for hangs.

class HeartbeatMonitor(object):
    """Arms the watch for hangs, which the daemon and the server keep. It has a thread of its own only with `every`."""

    def __init__(self, client, session_id, timeout=60, check_interval=5, every=None):
        self.client = client
        self.session_id = session_id
        self.timeout = timeout
        self.check_interval = check_interval
        self.every = every
        self._session = None
        self._running = False
        self._hung_logged = False
        self._last_heartbeat = time.time()
        self._thread = None
        self._stopping = None

    def start(self):
        if self._running:
            return self
        self._running = True
        self._last_heartbeat = time.time()
        # A client that is not ours (a test's double, as 1.x's own tests have) is watched from here, as 1.x did.
        watch = self._beat if self.every else None if self._is_ours() else self._look
        if self._is_ours():
            self._recorder().heartbeat(self.timeout)
        if watch is not None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=watch, args=(self._stopping,), name="datacat heartbeat")
            self._thread.daemon = True
            self._thread.start()
        return self

    def heartbeat(self):
        self._last_heartbeat = time.time()
        try:
            if self._is_ours():
                self._recorder().heartbeat(self.timeout)
            elif self._hung_logged:
                self._hung_logged = False
                self.client.log_event(self.session_id, "application_recovered", {})
        except Exception:
            pass

    def stop(self):
        """No heartbeats are expected from now on."""
        was_running = self._running
        self._quit()
        if was_running and self._is_ours():
            self._recorder().pause()

    def is_running(self):
        return self._running

    def _quit(self):
        self._running = False
        if self._stopping is not None:
            self._stopping.set()  # never joined: the thread ends by itself and holds nothing

    def _is_ours(self):
        return isinstance(getattr(self.client, "_sessions", None), dict)

    def _recorder(self):
        if self._session is None:
            self._session = self.client._session(self.session_id)
        return self._session

    def _beat(self, stopping):
        try:
            while not stopping.wait(self.every):
                self.heartbeat()
        except Exception:
            pass  # the interpreter is going down

    def _look(self, stopping):
        while not stopping.wait(self.check_interval):
            silence = time.time() - self._last_heartbeat
            if silence > self.timeout and not self._hung_logged:
                self._hung_logged = True
                data = {"seconds_since_heartbeat": int(silence), "timeout": self.timeout}
                try:
                    self.client.log_event(self.session_id, "application_appears_hung", data)
                except Exception:
                    pass


# === Logging =================================================================
# Records of the module `logging`.

class DatacatHandler(logging.Handler):
    """Records of `logging` as events, those with an exception as exceptions: `logging.getLogger().addHandler(DatacatHandler(session))`."""

    def __init__(self, session, include_exceptions=True):
        logging.Handler.__init__(self)
        self.session = session
        self.include_exceptions = include_exceptions
        self._writing = threading.local()

    def emit(self, record):
        if getattr(self._writing, "is_on", False):
            return  # what a value logs while it is being described
        self._writing.is_on = True
        try:
            data = OrderedDict()
            data["logger"] = record.name
            data["level_name"] = record.levelname
            data["pathname"] = record.pathname
            data["lineno"] = record.lineno
            data["funcName"] = record.funcName
            data["module"] = record.module
            for key, value in record.__dict__.items():
                if key not in _LOG_RECORD_KEYS:
                    data[key] = value  # what the program gave as `extra`
            message = _message_of(record, self.formatter)
            session = self.session.session if isinstance(self.session, AsyncSession) else self.session
            if record.exc_info and self.include_exceptions and record.exc_info[0] is not None:
                session._log_exception(
                    session._now(), [], record.exc_info, data, "exception", message, True, False
                )
                return
            labels = [record.levelname.lower(), record.name]
            if record.funcName and record.funcName != "<module>":
                labels.append(record.funcName)
            category = _CATEGORIES.get(record.levelno, "info")
            session.log_event("log." + record.name, category, record.name, labels, message, data)
        except Exception:
            _mind_the_stack()
            self.session._failed()
        finally:
            self._writing.is_on = False


_CATEGORIES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}
_LOG_RECORD_KEYS = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


def _message_of(record, formatter):
    """The message as the handler's formatter has it, or by itself: the exception and its stack are recorded apart. One whose arguments
    do not fit is kept as it was given; logging's own handlers print of it."""
    try:
        if formatter is None or record.exc_info:
            return record.getMessage()
        return formatter.format(record)
    except Exception:
        _mind_the_stack()
        arguments = record.args if type(record.args) is tuple else (record.args,)
        return " ".join([_plain_text(value) for value in (record.msg,) + arguments])


# === Client ==================================================================
# 1.x's client: the same calls, by session id.

class DatacatClient(object):
    """1.x's client: the same calls, by session id. It keeps the writers of its sessions; nothing it records waits."""

    def __init__(self, base_url=None, daemon_port="auto", use_daemon=True, home=None):
        environment = os.environ
        said = base_url or environment.get("DATACAT_URL") or ""
        self.base_url = (said or DEFAULT_URL).rstrip("/")
        self.use_daemon = bool(use_daemon)
        self.daemon_manager = DaemonManager(daemon_port, self.base_url, home=home)
        self._sessions = {}
        self._writers = {}
        self._home = home
        self._server = said.rstrip("/")
        self._direct_url = environment.get("DATACAT_DAEMON_URL") or (None if use_daemon else self.base_url)
        self._is_off = environment.get("DATACAT_DISABLED") in ("1", "true", "yes")
        if self._is_off:
            self._direct_url = None

    def _be_silent(self):
        self.base_url, self.use_daemon, self._home, self._server = DEFAULT_URL, True, None, ""
        self.daemon_manager = DaemonManager()
        self._sessions, self._writers, self._direct_url, self._is_off = {}, {}, None, True

    def register_session(self, product=None, version=None, tags=None, state=None, session_id=None):
        """Opens a session, or joins one that another process opened (`session_id`, DATACAT_SESSION); answers its id."""
        joined = session_id or os.environ.get("DATACAT_SESSION")
        if joined and not _ID.match(joined):
            joined = None  # the server would refuse it; the program gets a session of its own
        session_id = joined or _new_id()
        writer = self._writer(session_id, owner=not joined)
        writer.joined = bool(joined)
        session = self._session(session_id)
        if writer.owner and not writer.ended:
            product = product or os.environ.get("DATACAT_PRODUCT")
            version = version or os.environ.get("DATACAT_VERSION")
            try:
                session._start(product, version, tags, state)
            except Exception:
                session._failed()
        if not self._is_off and self._direct_url is None:
            self.daemon_manager.start()
            _send_faults(self)
        return session_id

    create_session = register_session

    def get_session(self, session_id):
        """The session as the server has it, in 1.x's JSON, after what was logged here so far has arrived there."""
        self._await_delivery(session_id)
        return self._make_request("%s/api/sessions/%s" % (self.base_url, _quote_path(session_id)))

    def get_all_sessions(self):
        return self._make_request(self.base_url + "/api/data/sessions")

    def update_state(self, session_id, state):
        self._session(session_id).update_state(state)
        return {"status": "ok"}

    def log_event(
        self, session_id, name, category=None, group=None, labels=None, message=None, data=None, stacktrace=None,
        exception_type=None, exception_msg=None, source_file=None, source_line=None, source_function=None,
    ):  # fmt: skip
        self._session(session_id).log_event(
            name, category, group, labels, message, data, stacktrace, None, exception_type, exception_msg, source_file,
            source_line, source_function,
        )  # fmt: skip
        return {"status": "ok"}

    def log_metric(
        self, session_id, name, value, tags=None, metric_type="gauge", count=None, unit=None, metadata=None, delta=None
    ):  # fmt: skip
        self._session(session_id).log_metric(name, value, tags, metric_type, count, unit, metadata, delta)
        return {"status": "ok"}

    def log_exception(self, session_id, exc_info=None, extra_data=None):
        self._session(session_id).log_exception(exc_info, extra_data)
        return {"status": "ok"}

    def heartbeat(self, session_id):
        self._session(session_id).heartbeat()
        return {"status": "ok"}

    def pause_heartbeat_monitoring(self, session_id):
        self._session(session_id).pause()
        return {"status": "ok"}

    def resume_heartbeat_monitoring(self, session_id):
        self._session(session_id).resume()
        return {"status": "ok"}

    def end_session(self, session_id):
        writer = self._writer(session_id)
        if not writer.joined:
            writer.owner = True  # 1.x's programs end by its id what another of their processes opened
        self._session(session_id).end()
        return {"status": "ok"}

    def _session(self, session_id):
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(self, session_id)
        return session

    def _writer(self, session_id, owner=False):
        """One writer per session and process, whoever writes."""
        writer = self._writers.get(session_id)
        if writer is None:
            if self._is_off:
                writer = _Nowhere()
            elif self._direct_url:
                writer = _Queue(session_id, self._direct_url, owner)
            else:
                writer = _LaneWriter(session_id, self._server, self._home, owner)
            self._writers[session_id] = writer
            if not self._is_off:
                _open_writers[id(writer)] = (writer, self, session_id)
        return writer

    def _await_delivery(self, session_id):
        """1.x's programs read right after they logged."""
        writer = self._writers.get(session_id)
        if writer is None or self._is_off:
            return
        try:
            writer.append(time.time(), ())
            writer.await_delivery(self, session_id)
        except Exception:
            pass

    def _make_request(self, url, method="GET", data=None):
        try:
            body = None if data is None else json.dumps(data).encode("utf-8")
            return json.loads(_ask(url, method, body, {"Content-Type": "application/json"}).decode("utf-8"))
        except HTTPError as error:
            raise Exception("HTTP Error %s: %s%s" % (error.code, error.reason, _error_text(error)))
        except URLError as error:
            raise Exception("URL Error: %s" % error.reason)
        except Exception as error:
            raise Exception("Request failed: %s" % error)


# === Async session ===========================================================
# 1.x's session with a sender thread.

class AsyncSession(object):
    """1.x's session with a sender thread. Every call is as quick without, so this only keeps its names and orders of arguments."""

    def __init__(self, session, queue_size=10000, drop_on_full=True):
        self.session = session
        self.queue_size = queue_size
        self.drop_on_full = drop_on_full

    session_id = property(lambda self: self.session.session_id)
    client = property(lambda self: self.session.client)

    def __getattr__(self, name):
        if name == "session":
            raise AttributeError(name)
        return getattr(self.session, name)

    def log_gauge(self, name, value, unit=None, tags=None, metadata=None):
        self.session.gauge(name, value, unit, tags, metadata)

    def timer(self, name, count=None, unit="seconds", tags=None):
        return self.session.timer(name, count, tags, unit)

    def get_stats(self):
        stats = self.session.stats()
        dropped = sum(stats["dropped"].values())
        queued = self.session._out.queued()
        return {"sent": stats["records"] - queued, "dropped": dropped, "queued": queued}

    def flush(self, timeout=2.0):
        return self.session.flush(timeout)

    def shutdown(self, timeout=2.0):
        self.session.flush(timeout)
        self.session.end()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return self.session.__exit__(kind, error, trace)


# === Daemon manager ==========================================================
# 1.x's handle on the daemon.

class DaemonManager(object):
    """1.x's handle on the daemon. One daemon serves all programs of a user now, so `stop()` leaves it alone."""

    def __init__(self, daemon_port="auto", server_url=DEFAULT_URL, daemon_binary=None, home=None):
        self.daemon_port = _plain_text(daemon_port)
        self.server_url = server_url
        self.daemon_binary = daemon_binary
        self.config_path = None
        self._started = False
        self._is_there = False  # or on its way
        self._home = home

    @property
    def process(self):
        """The daemon that serves this user's lanes, with a `pid` and `poll()`, or None."""
        daemon = _living_daemon(_home_folder(self._home))
        return None if daemon is None else _DaemonProcess(daemon)

    def start(self):
        """Makes sure that a daemon runs, without waiting for it."""
        try:
            if not self._started:
                self._is_there = _start_daemon(_home_folder(self._home), self.daemon_binary)
                self._started = True
        except Exception:
            pass  # the lane stays until a daemon runs

    def stop(self):
        self._started = False

    def is_running(self):
        return self.process is not None

    def _find_daemon_binary(self):
        return _find_daemon(self.daemon_binary) or "datacat-daemon"

    def _is_in_path(self, binary):
        return _which(binary) is not None

    def _find_available_port(self):
        import socket

        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", 0))
            return str(listener.getsockname()[1])
        finally:
            listener.close()


class _DaemonProcess(object):
    def __init__(self, daemon):
        self.pid = daemon["pid"]
        self.port = daemon.get("port")
        self._daemon = daemon

    def poll(self):
        return None if _is_alive(self._daemon) else 0


# === Capture =================================================================
# Uncaught exceptions, fatal errors and signals.

def capture(session, exceptions=True, threads=True, faults=True, signals=()):
    """Records what nobody catches: exceptions, also in threads, and fatal errors (faulthandler). The hooks there were before still run.

    `signals`, e.g. ("SIGTERM",), are told by the session's end: at once where they kill, else when the program has left as its own handler
    has it."""
    try:
        wanted = [("exceptions", exceptions), ("threads", threads), ("faults", faults)]
        begin = {"exceptions": _capture_exceptions, "threads": _capture_threads, "faults": _capture_faults}
        for name in [name for name, is_wanted in wanted if is_wanted] + _texts_of(signals):
            if (session.session_id, name) not in _capturing:  # twice would be told twice
                _capturing.add((session.session_id, name))
                begin.get(name, functools.partial(_capture_signal, name=name))(session)
    except Exception:
        _mind_the_stack()
    return session


_capturing = set()  # (session id, what)
_captured = {}


def _capture_exceptions(session):
    before = sys.excepthook

    def excepthook(kind, error, trace):
        try:
            if issubclass(kind, Exception):
                session._log_exception(
                    session._now(), [], (kind, error, trace), None, "exception", None, False, False
                )
                _captured["error"] = error
        except Exception:
            pass
        before(kind, error, trace)

    sys.excepthook = excepthook


def _capture_threads(session):
    def tell(exc_info, thread):
        try:
            if not issubclass(exc_info[0], SystemExit):
                data = {"thread": getattr(thread, "name", None)}
                session._log_exception(session._now(), [], exc_info, data, "exception", None, False, False)
        except Exception:
            pass

    if hasattr(threading, "excepthook"):
        before = threading.excepthook

        def excepthook(arguments):
            tell((arguments.exc_type, arguments.exc_value, arguments.exc_traceback), arguments.thread)
            before(arguments)

        threading.excepthook = excepthook
        return

    start = threading.Thread.start

    def start_told(thread):  # before 3.8 there is no hook
        run = thread.run

        def run_told(*arguments, **options):
            try:
                run(*arguments, **options)
            except BaseException:
                tell(sys.exc_info(), thread)
                raise

        thread.run = run_told
        return start(thread)

    threading.Thread.start = start_told


def _capture_faults(session):
    """faulthandler writes the stacks to a file beside the lanes; whoever opens a session next sends it after the session that died."""
    try:
        import faulthandler
    except ImportError:  # 2.7
        return
    try:
        writer = session._out
        if not isinstance(writer, _LaneWriter):
            return
        folder = _made_folder(os.path.join(writer.home(), "faults"))
        name = "%s.%d.%s.txt" % (session.session_id, os.getpid(), _process_started(os.getpid()) or "")
        path = os.path.join(folder, name)
        descriptor = _high(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _O_CLOEXEC, 0o600))
        faulthandler.enable(descriptor, all_threads=True)
        writer.fault_path = path
    except Exception:
        pass


def _capture_signal(session, name):
    try:
        import signal

        number = getattr(signal, name)
        before = signal.getsignal(number)

        def handler(received, frame):
            if callable(before):
                if before is not signal.default_int_handler:  # whose KeyboardInterrupt says the same, unless the program goes on after it
                    session._out.signal = name
                before(received, frame)
            else:
                session.end(signal=name)
                signal.signal(received, signal.SIG_DFL)
                os.kill(os.getpid(), received)

        if callable(before) or before == signal.SIG_DFL:  # else it is ignored, or somebody's who is not Python
            signal.signal(number, handler)
    except Exception:
        pass  # not in the main thread, or no such signal here


def _send_faults(client):
    """Adds to sessions that died of a fatal error what faulthandler wrote as they did."""
    try:
        folder = os.path.join(_home_folder(client._home), "faults")
        for name in os.listdir(folder):
            match = re.match(r"^(.+)\.(\d+)\.(\d*)\.txt$", name)
            if not match or _is_alive({"pid": int(match.group(2)), "pid_started": match.group(3)}):
                continue
            path = os.path.join(folder, name)
            mine = path + ".sending"
            os.rename(path, mine)  # two programs may start at once; only one gets it
            with _file(mine) as file:
                text = file.read(65536).decode("utf-8", "replace")
            os.unlink(mine)
            if text.strip():
                _send_fault(client, match.group(1), text)
    except Exception:
        pass  # no faults, or somebody else sends them


def _send_fault(client, session_id, text):
    lines = text.splitlines()
    title = lines[0] if lines else ""
    writer = _LaneWriter(session_id, client._server, client._home, False)
    session = Session.__new__(Session)
    session.client, session.session_id = client, session_id
    session._use(writer, writer.told, writer.counts)
    more = _exception_fields(title.split(":")[0], title, lines, handled=False)
    session._log(session._now(), "exception", [], "critical", "exception", ["exception", "fatal"], title, None, more)
    writer.append(time.time(), (), True)


# === Exit ====================================================================
# The exit hook, and the hook of a forked child.

_open_writers = {}  # by identity: (writer, client, session id)


@atexit.register
def _leave():
    """The exit hook: one write per session, and nothing that could keep the program from leaving."""
    try:
        uncaught = _uncaught()
        for writer, client, session_id in list(_open_writers.values()):
            if not writer.owner:
                continue
            session = client._session(session_id)
            if uncaught is None:
                session.end()
            elif issubclass(uncaught[0], KeyboardInterrupt):
                session.end(signal="SIGINT")
            else:
                session._crash_by(uncaught, 1)
        deadline = time.time() + END_WAIT_SECONDS
        for writer, _, _ in list(_open_writers.values()):
            writer.leave(deadline)
    except Exception:
        pass


def _uncaught():
    """The exception that ends the program, if one does.

    The interpreter leaves it in `sys.last_value`, but so do test runners and shells for those that they caught. Only in the one
    that nobody caught does the outermost frame of the traceback have no caller."""
    kind = getattr(sys, "last_type", None)
    if not isinstance(kind, type) or not issubclass(kind, BaseException) or hasattr(sys, "ps1"):
        return None
    trace = getattr(sys, "last_traceback", None)
    if trace is None or trace.tb_frame.f_back is not None:
        return None
    return kind, getattr(sys, "last_value", None), trace


def _forked():
    for writer, _, _ in list(_open_writers.values()):
        try:
            writer.forked()
        except Exception:
            pass


if _FORKS_ARE_TOLD:
    os.register_at_fork(after_in_child=_forked)


# === Exception ===============================================================
# Exceptions as the fields of an event.

def _exc_info(error):
    if issubclass(type(error), BaseException):
        return type(error), error, getattr(error, "__traceback__", None) or _trace_of(error)
    if type(error) is tuple and len(error) == 3:
        kind, error, trace = error
        return kind, error, trace if type(trace) is types.TracebackType else None
    return sys.exc_info()


def _trace_of(error):
    """2.7's exceptions do not know their traceback."""
    return sys.exc_info()[2] if sys.exc_info()[1] is error else None


def _stack(kind, error, trace):
    """As 1.x gave it: the lines of the interpreter's own print, each with its line break."""
    if kind is None:
        return traceback.format_stack(sys._getframe(3))
    try:
        if _PY2:
            return traceback.format_exception(kind, error, trace)
        return traceback.format_exception(kind, error, trace, chain=False)
    except Exception:  # an exception that cannot be printed
        return traceback.format_tb(trace) + [_class_name(kind) + "\n"]


def _source(trace):
    if trace is None:
        return None, None, None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return code.co_filename, trace.tb_lineno, code.co_name


def _causes(error):
    """What led to the exception, innermost last."""
    causes = []
    seen = [error]
    try:
        while error is not None and len(causes) < MAX_CAUSES:
            cause = getattr(error, "__cause__", None)
            if cause is None and not getattr(error, "__suppress_context__", False):
                cause = getattr(error, "__context__", None)
            if cause is None or any(cause is other for other in seen):
                break
            seen.append(cause)
            kind = type(cause)
            causes.append((_class_name(kind), _said(cause), _stack(kind, cause, getattr(cause, "__traceback__", None))))
            error = cause
    except Exception:
        _mind_the_stack()  # an exception that fails when it is asked
    return causes


def _said(error):
    if error is None:
        return ""
    for text in (str, _text_type, repr):
        try:
            return text(error)
        except Exception:
            _mind_the_stack()
    return "<%s>" % _type_name(error)


def _locals(trace):
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    told = []
    for trace in frames[-LOCALS_FRAMES:]:
        code = trace.tb_frame.f_code
        place = OrderedDict([("function", code.co_name), ("file", code.co_filename), ("line", trace.tb_lineno)])
        variables = sorted(trace.tb_frame.f_locals.items(), key=lambda item: str(item[0]))
        place["variables"] = OrderedDict(
            item for item in variables[:MAX_LOCALS] if not str(item[0]).startswith("__")
        )
        told.append(place)
    return told


class _Deaf(list):
    def append(self, loss):
        pass


def _exception_fields(
    exception_type=None, exception_msg=None, stacktrace=None, source_file=None, source_line=None, source_function=None, causes=(),
    handled=None,
):  # fmt: skip
    text = _text_field("exception_type", exception_type) + _text_field("exception_msg", exception_msg)
    lines = _texts_of(stacktrace) if stacktrace is not None else ()
    if lines:
        text += ',"stacktrace":[%s]' % ",".join([_quote(line) for line in lines])
    text += _text_field("source_file", source_file) + _whole_field("source_line", source_line)
    text += _text_field("source_function", source_function)
    if causes:
        text += ',"causes":[%s]' % ",".join(["{" + _exception_fields(*cause)[1:] + "}" for cause in causes])
    if handled is True or handled is False:
        text += ',"handled":true' if handled else ',"handled":false'
    return text


# === Field ===================================================================
# Names, labels and other fields of an op as JSON. Ops are the text after `"seq":…,"at":…,`, with keys in the order of
# src/core/wire.ts. `str` is the text here: Unicode in 3, UTF-8 in 2.7, the faster of each language.

def _name_text(field, value, losses):
    """Names are cut to what the server takes, at a whole character."""
    cached = _names.get(value) if type(value) is str else None
    if cached is not None:
        return cached
    whole = _plain_text(value)
    name = _cut_name(whole)
    shortened = len(name) < len(whole)
    if shortened:
        losses.append(("too_large", field))
    text = _quote(name)
    if type(value) is str and not shortened and len(_names) < MAX_REMEMBERED:
        _names[value] = text
    return text


_names = {}


def _name_of(value):
    return _cut_name(_plain_text(value))


def _cut_name(name):
    if len(name) <= MAX_NAME_LENGTH // 2:
        return name  # whatever it holds
    if _PY2:
        wide = name.decode("utf-8", "replace")
        return _cut_units(wide).encode("utf-8")
    return _cut_units(name)


def _cut_units(name):
    units = 0
    for index, character in enumerate(name):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > MAX_NAME_LENGTH:
            return name[:index]
    return name


def _plain_text(value):
    """Any value as `str`."""
    if type(value) is str:
        return value if not _PY2 else _valid(value)
    try:
        if isinstance(value, _text_type):
            return _encode_text(value) if _PY2 else str(value)
        if isinstance(value, (bytes, bytearray)):
            text = bytes(value).decode("utf-8", "replace")
        else:
            text = str(value)
        return _encode_text(text) if _PY2 and isinstance(text, _text_type) else _valid(text) if _PY2 else text
    except Exception:
        _mind_the_stack()
        return "<%s>" % _type_name(value)


def _name_field(field, key, value, losses):
    if value is None:
        return ""
    text = _name_text(field, value, losses)
    return "" if text == '""' else ',"%s":%s' % (key, text)


def _text_field(key, value):
    if value is None:
        return ""
    text = _plain_text(value)
    return ',"%s":%s' % (key, _quote(text)) if text else ""


def _labels_field(field, key, labels, losses):
    if labels is None:
        return ""
    whole = _texts_of(labels, MAX_LABELS + 1)
    if not whole:
        return ""
    kept = [_cut_name(label) for label in whole[:MAX_LABELS]]
    if len(whole) > MAX_LABELS or kept != whole:
        losses.append(("too_large", field))
    return ',"%s":[%s]' % (key, ",".join([_quote(label) for label in kept]))


def _texts_of(values, most=MAX_ITEMS):
    """A list of texts, out of whatever was given as one."""
    try:
        if isinstance(values, _TEXTS):
            values = [values]
        elif isinstance(values, dict):
            return [_plain_text(key) + ":" + _plain_text(value) for key, value in _bounded(values.items(), most)]
        return [_plain_text(value) for value in _bounded(values, most)]
    except Exception:
        _mind_the_stack()
        return [_plain_text(values)]


def _object_field(key, value, losses):
    text = _object_text(value, key, losses)
    return "" if text == "{}" else ',"%s":%s' % (key, text)


def _buckets_field(buckets, losses):
    """Bounds that are not finite go: the last bucket has none in any case."""
    try:
        bounds = [bound for bound in [_number_text(bucket) for bucket in _bounded(buckets, MAX_BUCKETS + 1)] if bound is not None]
    except Exception:  # no list
        bounds = []
    if not bounds:
        return ""
    if len(bounds) > MAX_BUCKETS:
        losses.append(("too_large", "metric.buckets"))
    return ',"buckets":[%s]' % ",".join(bounds[:MAX_BUCKETS])


def _dropped_text(cause, count, detail=None):
    return '"op":"dropped","cause":%s,"count":%d%s}' % (_quote(cause), count, _text_field("detail", detail))


def _whole_field(key, value):
    value = _whole(value)
    return "" if value is None else ',"%s":%d' % (key, value)


def _whole(value):
    """A whole number that every language holds, as one of the interpreter's own."""
    try:
        value = int(value) if isinstance(value, numbers.Integral) else None
    except Exception:
        _mind_the_stack()
        return None
    return value if value is not None and _LEAST_EXACT <= value <= _EXACT else None


def _series_key(kind, name, unit, tags, buckets):
    """What a series is remembered by. None if a part of it is of a type whose values may be equal and yet not the same."""
    if type(name) is not str:
        return None
    if unit is None and tags is None and buckets is None:
        return kind, name
    if unit is not None and type(unit) is not str:
        return None
    for items, may_hold in ((tags, _ONLY_TEXTS), (buckets, _ONLY_NUMBERS)):
        if items is not None and not (type(items) in (list, tuple) and may_hold(map(type, items))):
            return None
    return kind, name, unit, tuple(tags or ()), tuple(buckets or ())


_ONLY_TEXTS = frozenset([str]).issuperset
_ONLY_NUMBERS = frozenset([int, float]).issuperset


# === Number ==================================================================
# Numbers as ECMAScript's Number.prototype.toString writes them.

_float_text = repr


if sys.platform.startswith("java"):  # Jython's repr is not always the shortest text of a number

    def _float_text(value):
        text = repr(value)
        if value - value == 0:
            for precision in range(1 if abs(value) < 1e-300 else 15, 18):
                text = "%.*g" % (precision, value)
                if float(text) == value:
                    break
        return text.lower() if "." in text or "e" in text or "n" in text else text + ".0"


def _number_text(value, factor=1):
    """A metric's value, which is a double; None if it is not finite or no number at all."""
    try:
        if type(value) is float or type(value) is int:
            return _finite_text(value if factor == 1 else value * factor)
        return _finite_text(float(value) * factor)
    except Exception:
        _mind_the_stack()
        return None


def _finite_text(value):
    if type(value) is not float:
        if _LEAST_EXACT <= value <= _EXACT:
            return "%d" % value
        value = float(value)
    text = _float_text(value)
    if text[-2:] == ".0":
        return text[:-2] if text != "-0.0" else "0"
    if "e" in text or "n" in text:
        return _long_float_text(value, text)
    return text


def _long_float_text(value, text):
    """Number.prototype.toString, ECMA-262 §6.1.6.1.20: `digits` times ten to the power of `point`, with a point before the digits."""
    if value != value or value - value != 0:
        return None
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0").rstrip("0")
    point = len(whole) + int(exponent) - (len(whole + fraction) - len((whole + fraction).lstrip("0")))
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = "e%s%d" % ("+" if point > 0 else "-", abs(point - 1))
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + power


def _not_a_number(value):
    try:
        value = float(value)
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"
    except Exception:
        return _type_name(value)


# === String ==================================================================
# Strings as JSON.

if _PY2:
    _TEXTS = (str, _text_type)
    try:
        _pair = u"%s-%s" % (unichr(0xD800), unichr(0xDBFF)), u"%s-%s" % (unichr(0xDC00), unichr(0xDFFF))  # noqa: F821
        _LONE = re.compile(
            u"[%s%s]" % _pair if sys.maxunicode > 0xFFFF else u"[{0}](?![{1}])|(?<![{0}])[{1}]".format(*_pair)
        )
    except ValueError:  # Jython, whose strings hold none
        _LONE = re.compile(u"(?!)")
    _ESCAPED = re.compile(r'[\x00-\x1f"\\]')
    _ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    for _code in range(0x20):
        _ESCAPES.setdefault(chr(_code), "\\u%04x" % _code)

    def _encode_text(text):
        """Unicode as UTF-8; lone surrogates, which it cannot write, become U+FFFD."""
        return _LONE.sub(u"\ufffd", text).encode("utf-8")

    def _valid(text):
        try:
            text.decode("utf-8")
            return text
        except UnicodeDecodeError:
            return text.decode("utf-8", "replace").encode("utf-8")

    def _quote(text):
        if type(text) is not str:
            text = _encode_text(text)
        return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], text) + '"'

    def _str_text(value, path=None, above=None, losses=None):
        """2.7's `str` is text if it is UTF-8, else bytes."""
        try:
            value.decode("utf-8")
            return _quote(value)
        except UnicodeDecodeError:
            return _base64_text(value, path, above, losses)

    _bytes_of = _utf8 = str

    def _utf8_length(text):
        return len(text)

else:
    _TEXTS = (str, bytes)
    _LONE = re.compile("[\ud800-\udfff]")
    from json.encoder import encode_basestring as _quote

    _str_text = _quote
    _utf8 = str.encode

    def _bytes_of(text):
        """Lone surrogates, which UTF-8 cannot write, become U+FFFD. They can only be inside of JSON's strings."""
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            return _LONE.sub("\ufffd", text).encode("utf-8")

    def _utf8_length(text):
        return len(_bytes_of(text))


# === Value ===================================================================
# Any value as JSON (clients/README.md, "Values that JSON cannot express"). It never raises; each loss is added to `losses` as
# (cause, detail).

def _object_text(value, root, losses):
    """A free-form object; anything else becomes an object with the one key `value`."""
    path = (None, root)
    if type(value) is dict:
        try:
            return _members_text(value, path, [id(value)], losses)
        except Exception:
            _mind_the_stack()
            text = _lose("<dict>", path, losses)
    else:
        text = _value_text(value, path, [], losses)
    return text if text[:1] == "{" else '{"value":%s}' % text


def _members_text(value, path, above, losses):
    """A dict. `path` is the way here as (path, key); `above` the identities of the containers around, its own among them."""
    parts = []
    for key, member in list(value.items()) if type(value) is dict and not _PY2 else _items(value):
        head, is_secret, name = _keys[key] if type(key) is str else _key(key)
        kind = type(member)
        if is_secret and not _is_empty(member):
            text = '"[redacted]"'
        elif kind is str:
            text = _str_text(member)
        elif kind is int and _LEAST_EXACT <= member <= _EXACT:
            text = repr(member)
        elif kind is float:
            text = _finite_text(member) or '"%s"' % _not_a_number(member)
        elif member is None:
            text = "null"
        elif member is True:
            text = "true"
        elif member is False:
            text = "false"
        else:
            text = _value_text(member, (path, name), above, losses)
        parts.append(head + text)
    return "{" + ",".join(parts) + "}"


def _items(mapping):
    """In the mapping's own order; 2.7's dict has none, so its keys are sorted by code point, which is UTF-8's order too."""
    if type(mapping) is not dict:
        return _bounded(mapping.items(), _size(mapping))
    items = mapping.items()
    return sorted(items, key=_name_of_key) if len(items) > 1 else items


def _name_of_key(item):
    key = item[0]
    if type(key) is not str:
        return _key(key)[2]
    known = _keys.get(key)
    return known[2] if known is not None else _plain_text(key)


def _bounded(values, most=MAX_ITEMS):
    """The items of anything that has some; of what is not the interpreter's own, as many as it says and there may be."""
    kind = type(values)
    if kind is list or kind is tuple:
        return list(values)
    return list(itertools.islice(values, min(_size(values), most)))


def _size(values):
    try:
        return len(values)
    except Exception:  # an iterator
        _mind_the_stack()
        return MAX_ITEMS


class _Keys(dict):
    """The keys that came before, as `_key` has them."""

    def __missing__(self, key):
        return _key(key)


_keys = _Keys()


def _key(key):
    """A key as `(text with colon, is it secret, name)`. The keys of one program are few and come again and again."""
    if issubclass(type(key), _TEXTS if _PY2 else str):
        name = _plain_text(key)
    else:
        name = _value_text(key, (None, ""), [], [])
        if name[:1] == '"':
            name = json.loads(name)
            name = _encode_text(name) if _PY2 else name
    known = (_quote(name) + ":", bool(_SECRET.search(_BLANKS.sub("", name.lower()))), name)
    if type(key) is str and len(_keys) < MAX_REMEMBERED:
        _keys[key] = known
    return known


def _value_text(value, path, above, losses):
    try:
        kind = type(value)
        write = _by_type.get(kind)
        if write is None:
            write = _writer_for(kind, value)
        return write(value, path, above, losses)
    except Exception:
        _mind_the_stack()
        return _lose("<%s>" % _type_name(value), path, losses)


def _lose(written, path, losses):
    names = []
    while path is not None:
        names.append(path[1])
        path = path[0]
    losses.append(("unserialisable", "%s: %s" % (".".join([str(name) for name in reversed(names)]), written)))
    return _quote(written)


def _contained(write):
    """A container: told if it is in itself, or too deep."""

    def contained(value, path, above, losses):
        if id(value) in above:
            return _lose("<cycle>", path, losses)
        if len(above) >= MAX_DEPTH:
            return _lose("<too deep>", path, losses)
        depth = len(above)
        above.append(id(value))
        try:
            return write(value, path, above, losses)
        finally:
            del above[depth:]

    return contained


_dict_text = _contained(_members_text)


def _list_items(items, path, above, losses):
    texts = []
    for index, item in enumerate(items):
        kind = type(item)
        if kind is int and _LEAST_EXACT <= item <= _EXACT:
            texts.append(repr(item))
        elif kind is str:
            texts.append(_str_text(item))
        else:
            texts.append(_value_text(item, (path, index), above, losses))
    return texts


@_contained
def _list_text(value, path, above, losses):
    return "[" + ",".join(_list_items(_bounded(value), path, above, losses)) + "]"


@_contained
def _set_text(value, path, above, losses):
    return "[" + ",".join(sorted(_list_items(_bounded(value), path, above, losses))) + "]"


@_contained
def _fields_text(value, path, above, losses):
    """A dataclass, by its fields."""
    fields = OrderedDict()
    for name in type(value).__dataclass_fields__:
        try:
            fields[name] = getattr(value, name)
        except AttributeError:
            pass  # declared and never set
    return _members_text(fields, path, above, losses)


@_contained
def _described_text(value, path, above, losses):
    said = value.__datacat__()
    if type(said) in (dict, OrderedDict):
        return _members_text(said, path, above, losses)  # stands for the object, at its level
    return _value_text(said, path, above, losses)


def _text_text(value, path, above, losses):
    return _quote(_plain_text(value))


def _base64_text(value, path, above, losses):
    text = binascii.b2a_base64(bytes(value)).rstrip(b"\n")
    return '"base64:%s"' % (text if _PY2 else text.decode("ascii"))


def _view_text(value, path, above, losses):
    return _base64_text(value.tobytes(), path, above, losses)


def _bool_text(value, path, above, losses):
    return "true" if value else "false"


def _none_text(value, path, above, losses):
    return "null"


def _int_text(value, path, above, losses):
    value = int(value)
    return "%d" % value if _LEAST_EXACT <= value <= _EXACT else '"%d"' % value


def _real_text(value, path, above, losses):
    value = float(value)
    text = _finite_text(value)
    return text if text is not None else '"%s"' % _not_a_number(value)


def _datetime_text(value, path, above, losses):
    """RFC 3339 in UTC with milliseconds. A naive one is local time, as in the rest of Python."""
    offset = value.utcoffset()
    if offset is not None:
        utc = value.replace(tzinfo=None) - offset
    else:
        seconds = time.mktime(value.timetuple())
        utc = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds, microseconds=value.microsecond)
    return '"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"' % (
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond // 1000,
    )  # fmt: skip


def _date_text(value, path, above, losses):
    return _quote(str(value.isoformat()))


def _pattern_text(value, path, above, losses):
    pattern = value.pattern
    return _quote(_plain_text(pattern))


def _url_text(value, path, above, losses):
    return _quote(_plain_text(value.geturl()))


def _error_value_text(value, path, above, losses):
    said = _plain_text(_said(value))
    return _quote(type(value).__name__ + (": " + said if said else ""))


def _enum_text(value, path, above, losses):
    return _quote("%s.%s" % (type(value).__name__, value.name))


def _opaque_text(value, path, above, losses):
    return _lose("<%s>" % _type_name(value), path, losses)


def _type_name(value):
    name = _class_name(type(value))
    if name == "instance":  # 2.7's classic classes
        name = getattr(getattr(value, "__class__", None), "__name__", name)
    return name


def _class_name(kind):
    try:
        return _plain_text(kind.__name__)
    except Exception:  # of a metaclass
        return "object"


_by_type = {
    str: _str_text if _PY2 else _text_text,
    _text_type: _text_text,
    bytearray: _base64_text,
    memoryview: _view_text,
    bool: _bool_text,
    type(None): _none_text,
    int: _int_text,
    float: _real_text,
    dict: _dict_text,
    OrderedDict: _dict_text,
    list: _list_text,
    tuple: _list_text,
    set: _set_text,
    frozenset: _set_text,
    deque: _list_text,
    datetime.datetime: _datetime_text,
    datetime.date: _date_text,
}


if not _PY2:
    _by_type[bytes] = _base64_text


# Types that have a usual text, by name, so that their modules need not be imported.
_TEXTUAL = {
    "decimal.Decimal",
    "_decimal.Decimal",
    "fractions.Fraction",
    "uuid.UUID",
    "pathlib.PurePath",
    "pathlib._local.PurePath",
    "ipaddress._BaseAddress",
    "ipaddress._BaseNetwork",
    "datetime.time",
    "datetime.timedelta",
    "builtins.complex",
    "__builtin__.complex",
    "__builtin__.buffer",
}
_RESULTS = {"urllib.parse._NetlocResultMixinBase", "urlparse.ResultMixin"}


def _writer_for(kind, value):
    """How values of a type that is not in the table are written; remembered by type."""
    write = _decided_writer(kind, value)
    if len(_by_type) < MAX_REMEMBERED and isinstance(kind, type) and kind.__name__ != "instance":
        _by_type[kind] = write
    return write


def _decided_writer(kind, value):
    if callable(getattr(kind, "__datacat__", None)) and not isinstance(value, type):
        return _described_text
    names = {"%s.%s" % (base.__module__, base.__name__) for base in kind.__mro__} if hasattr(kind, "__mro__") else set()
    if names & _TEXTUAL:
        return _text_text
    if kind.__name__ in ("Pattern", "SRE_Pattern") and hasattr(kind, "finditer"):
        return _pattern_text
    if names & _RESULTS:
        return _url_text
    if isinstance(value, BaseException):
        return _error_value_text
    if isinstance(value, numbers.Integral) or (_PY2 and isinstance(value, long)):  # noqa: F821
        return _int_text
    if isinstance(value, numbers.Real):
        return _real_text
    if isinstance(value, _text_type):
        return _text_text
    if isinstance(value, (bytes, bytearray)):
        return _str_text if _PY2 and isinstance(value, str) else _base64_text
    if "enum.Enum" in names:
        return _enum_text
    if isinstance(value, datetime.datetime):
        return _datetime_text
    if isinstance(value, datetime.date):
        return _date_text
    if hasattr(kind, "__dataclass_fields__") and not isinstance(value, type):
        return _fields_text
    if isinstance(value, (set, frozenset)):
        return _set_text
    if hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        return _dict_text
    if hasattr(kind, "__len__") and (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
        return _list_text if not isinstance(value, type) else _opaque_text
    return _opaque_text


# === Secret ==================================================================
# Which keys and arguments are redacted.

_BLANKS = re.compile(r"[_\-\s]")
_SECRET = re.compile(
    "password|passwd|secret|token|authorization|cookie|apikey|privatekey|credential|sessionkey"
)


def _is_empty(value):
    """Nothing to hide: an empty value tells only that there is none."""
    if value is None:
        return True
    try:
        return isinstance(value, _CONTAINERS) and len(value) == 0
    except Exception:
        return False


_CONTAINERS = _TEXTS + (bytearray, dict, list, tuple, set, frozenset)


def _without_secrets(arguments):
    """`--token=x` and `--token x` keep their name only."""
    kept = []
    hide_next = False
    for argument in arguments:
        name, _, value = argument.partition("=")
        is_secret = bool(_SECRET.search(_BLANKS.sub("", name.lower())))
        if hide_next and not argument.startswith("-"):
            argument = "[redacted]"
        elif is_secret and value:
            argument = name + "=[redacted]"
        hide_next = is_secret and "=" not in argument and argument.startswith("-")
        kept.append(argument)
    return kept


# === Cut =====================================================================
# Events over the limit, cut to fit.

_WHOLE_KEYS = ("op", "name", "category", "group", "labels")
_EXPENDABLE_KEYS = ("data", "causes", "stacktrace", "labels")


def _cut_strings(text):
    """The op with its strings cut to the largest of 131072, 65536, … 64 characters with which it fits."""
    op = json.loads("{" + text, object_pairs_hook=OrderedDict)
    lengths = [LONGEST_CUT]
    while lengths[0] > WHOLE_STRING:
        lengths.insert(0, lengths[0] // 2)
    best = None
    low, high, middle = 0, len(lengths), 0  # the shortest first: if that is too long, none will do
    while low < high:  # by halving, as each try is as long as the op
        cut = _op_text(op, lengths[middle])
        if _utf8_length(cut) <= MAX_EVENT_BYTES:
            best, low = cut, middle + 1
        else:
            high = middle
        middle = (low + high) // 2
    if best is not None:
        return best
    for key in _EXPENDABLE_KEYS:
        op.pop(key, None)
        cut = _op_text(op, WHOLE_STRING)
        if _utf8_length(cut) <= MAX_EVENT_BYTES:
            break
    return cut


def _op_text(op, longest):
    parts = []
    for key, value in op.items():
        parts.append("%s:%s" % (_quote(key), _tree_text(value, 1 << 30 if key in _WHOLE_KEYS else longest)))
    return ",".join(parts) + "}"


def _tree_text(value, longest):
    if isinstance(value, _text_type):
        if len(value) > longest:
            value = value[:longest] + u"\u2026%d" % (len(value) - longest)
        return _quote(value)
    if isinstance(value, list):
        return "[" + ",".join([_tree_text(item, longest) for item in value]) + "]"
    if isinstance(value, dict):
        members = ["%s:%s" % (_quote(key), _tree_text(item, longest)) for key, item in value.items()]
        return "{" + ",".join(members) + "}"
    return _value_text(value, None, [], [])


# === Lane ====================================================================
# The append-only file: one write for each record, after which the record survives the program.

class _LaneWriter(object):
    """One session's lanes of this process: one, and others beside it where one would not do (after a fork, in a signal handler)."""

    joined = False  # another process opened the session and will end it
    signal = None  # that the program was told to leave by

    def __init__(self, session_id, server, home, owner):
        self.session_id = session_id
        self.server = server
        self.asked_home = home
        self.owner = owner
        self.ended = False
        self.told = set()
        self.counts = {}
        self.fault_path = None
        self.held = deque()  # metrics that wait, as (time, text)
        self.window = 0.0  # when the last stretch of HELD_SECONDS began…
        self.in_window = 0  # …and how many metrics came in it
        self.held_from = _NEVER if _is_child_of_multiprocessing() else HELD_METRICS
        self.pid = os.getpid()
        self.lanes = []
        self.lane = self._new_lane()

    def append_metric(self, at, text):
        """Writes it, or lets it wait for the next ones: metrics do once HELD_METRICS have come within HELD_SECONDS."""
        if not 0 <= at - self.window <= HELD_SECONDS:
            self.window = at
            self.in_window = 0
        if self.in_window < self.held_from or self.ended:
            self.in_window += 1
            self.append(at, (text,))
            return
        if not _FORKS_ARE_TOLD and _getpid() != self.pid:
            self.forked()
        self.held.append((at, text))
        if len(self.held) >= HELD_METRICS:
            self.append(at, ())

    def append(self, at, texts, is_last=False):
        """Writes what is held, then these ops, all of the same time."""
        if not _FORKS_ARE_TOLD and _getpid() != self.pid:
            self.forked()
        lane = self.lane
        if not lane.turn.acquire(False):
            lane = self._turn_elsewhere(lane)
        try:
            if self.ended:
                self.held.clear()
                return
            if self.held:
                lane.write_all(_taken(self.held))
            for text in texts:
                lane.write(at, text)
            if is_last:
                self.ended = True
                lane.leave()
        finally:
            lane.turn.release()
        if is_last:
            self._close()

    def _turn_elsewhere(self, lane):
        """Somebody else is writing. If that is a call further up this very thread (we are in its signal handler, or in a
        finalizer), waiting would be for ever: then a lane beside it takes the record. Else it is another thread, and soon done."""
        if self._is_interrupted(lane):
            beside = lane.beside
            if beside is None:
                beside = lane.beside = self._new_lane()
            return beside if beside.turn.acquire(False) else self._turn_elsewhere(beside)
        if _acquired(lane.turn, TURN_SECONDS):
            return lane
        # Its thread is gone: stopped with the interpreter, or interrupted at the wrong place. Nobody will ever release it.
        if self.lane is lane:
            self.lane = self._new_lane()
        return self.lane if self.lane.turn.acquire(False) else self._turn_elsewhere(self.lane)

    def _is_interrupted(self, lane):
        frame = sys._getframe(3) if sys._getframe(2).f_code is _LANE_APPEND else sys._getframe(2)
        while frame is not None:
            if frame.f_code is _LANE_APPEND and frame.f_locals.get("self") is self:
                return True
            frame = frame.f_back
        return False

    def _new_lane(self):
        lane = _Lane(self.session_id, self.server, self.asked_home)
        self.lanes.append(lane)
        return lane

    def forked(self):
        """In the child: a lane of its own; nothing of the parent's is written twice, and the session is not ours to end."""
        self.pid = os.getpid()
        self.owner, self.joined = False, True
        self.held.clear()
        self.held_from = _NEVER
        self.fault_path = None
        for lane in self.lanes:
            lane.leave()
            lane.is_ours = False
        self.lanes = []
        self.lane = self._new_lane()

    def home(self):
        return _home_folder(self.asked_home)

    def _close(self):
        _open_writers.pop(id(self), None)
        for lane in self.lanes:
            if lane.turn.acquire(False):  # else an interrupted call further up is in it, and its file closes with the program
                lane.leave()
                lane.turn.release()
        if self.fault_path is not None:
            try:
                os.unlink(self.fault_path)
            except OSError:
                pass

    def leave(self, deadline):
        pass

    def flush(self, timeout):
        return True

    def queued(self):
        return len(self.held)

    def records(self):
        return sum(lane.sequence for lane in self.lanes) + len(self.held)

    def lost_counts(self):
        lost = sum(lane.lost_in_all for lane in self.lanes)
        return {"disk_full": lost} if lost else {}

    def await_delivery(self, client, session_id):
        """The server says how far it has each lane. Without a daemon there is nothing to wait for."""
        deadline = time.time() + DELIVERY_SECONDS
        wanted = {lane.id: lane.sequence for lane in self.lanes if lane.sequence}
        while time.time() < deadline and client.daemon_manager._is_there:
            try:
                answer = _ask("%s/api/sessions/%s/summary" % (client.base_url, _quote_path(session_id)), "GET")
                applied = {lane["lane"]: lane["applied"] for lane in json.loads(answer.decode("utf-8"))["lanes"]}
                if all(applied.get(lane, 0) >= sequence for lane, sequence in wanted.items()):
                    return
            except HTTPError as error:
                if error.code != 404:
                    return
            except URLError:
                return
            time.sleep(0.05)


def _is_child_of_multiprocessing():
    """Such children leave by os._exit(), and so do most that were forked: no exit hook would write what they hold."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and type(module.current_process()).__name__ != "_MainProcess"


def _taken(items):
    """All of a deque, which other threads may be filling."""
    taken = []
    try:
        while True:
            taken.append(items.popleft())
    except IndexError:
        return taken


_LANE_APPEND = (_LaneWriter.append.__func__ if _PY2 else _LaneWriter.append).__code__


class _Lane(object):
    """One file after the other. A write that fails costs its record and nothing else; how many were lost is written as soon as
    writing works again."""

    def __init__(self, session_id, server, home):
        self.id = _new_id()
        self.header = _header(self.id, session_id, server)
        self.asked_home = home
        self.turn = threading.Lock()
        self.beside = None
        self.is_ours = True  # not after a fork, in the child
        self.sequence = 0
        self.lost = 0  # since `dropped` was last written
        self.lost_in_all = 0
        self.start = None  # the op that opens the session, until it is written: no other record is worth as much
        self.limit = _lane_bytes()
        self.file = None
        self.identity = None
        self.part = 0
        self.bytes = self.header_bytes = 0
        self.is_torn = False
        self.looked_at = 0.0
        self.ready_for = 0  # bytes up to which the file may grow without another look at it

    def write(self, at, text):
        """One record. This is all that a log call waits for; what is not as it nearly always is, is left to `_put`."""
        if self.lost and not self._tell_lost(at):
            self.sequence += 1
            return self._lose(1)
        # First of all: a record that is interrupted leaves a hole, not a number that comes twice.
        self.sequence = sequence = self.sequence + 1
        line = _line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), text))
        if self.bytes + len(line) <= self.ready_for and 0 <= at - self.looked_at < LOOK_SECONDS:
            try:
                written = os.write(self.file, line)
            except OSError as error:
                self.ready_for = 0
                # EBADF: the program closed all files, as daemons do when they start.
                lost = self._put(line, 1, at, sequence) if error.errno == errno.EBADF else 1
            else:
                self.bytes += written
                if written == len(line):
                    return
                lost = self._torn(line, written, 1)
        else:
            lost = self._put(line, 1, at, sequence)
        if lost:
            self._lose(1)
            if text.startswith('"op":"start"'):
                self.start = text

    def write_all(self, ops):
        """Ops that waited, as (time, text), in one write."""
        if not ops:
            return
        at = ops[0][0]
        if self.lost and not self._tell_lost(at):
            self.sequence += len(ops)
            self._lose(len(ops))
            return
        first = self.sequence + 1
        self.sequence += len(ops)
        lines = [
            _line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), text)) for sequence, (at, text) in enumerate(ops, first)
        ]
        self._lose(self._put(b"".join(lines), len(lines), ops[-1][0], first))

    def leave(self):
        """Closes the file, if it still is ours: a program that closes all files may have opened its own under that number."""
        file, self.file = self.file, None
        self.ready_for = 0
        try:
            if file is not None and self.identity in (None, _identity(file)[:2]):
                os.close(file)
        except OSError:
            pass

    def _tell_lost(self, at):
        lost = self.lost
        sequence = self.sequence + 1
        note = _dropped_text("disk_full", lost)
        if self._put(_line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), note)), 1, at, sequence):
            return False
        self.sequence = sequence
        self.lost -= lost
        start, self.start = self.start, None
        if start is not None:
            self.write(at, start)
        return True

    def _lose(self, count):
        self.lost += count
        self.lost_in_all += count

    def _put(self, lines, count, at, first):
        """Looks at the file and writes `count` whole lines; answers how many of them were lost."""
        self.ready_for = 0
        try:
            self._look(at)
            is_full = self.bytes + len(lines) > self.limit and self.bytes > self.header_bytes
            if self.file is None or is_full:
                self._open_part(first)
            if self.is_torn:
                lines = b"\n" + lines  # so that only the torn line is damaged
            written = os.write(self.file, lines)
        except Exception:
            _mind_the_stack()
            return count
        self.bytes += written
        if written < len(lines):
            return self._torn(lines, written, count)
        self.is_torn = False
        self.ready_for = self.limit
        return 0

    def _torn(self, lines, written, count):
        self.is_torn = True
        self.ready_for = 0
        missing = lines[written:]
        # A record that lacks no more than its line break gets it with the next write.
        return min(count, missing.count(b"\n") - (missing[:1] == b"\n"))

    def _look(self, at):
        """Somebody may have deleted the file, or closed its number and opened another file under it."""
        self.looked_at = at
        if self.file is None or self.identity is None:
            return
        try:
            device, number, links = _identity(self.file)
            if (device, number) != self.identity:
                self.file = None
            elif links == 0:
                self.leave()
        except OSError:
            self.file = None

    def _open_part(self, first):
        if not self.is_ours:
            raise OSError(errno.EBADF, "the lane of another process")
        part = self.part + 1
        folder = os.path.join(_home_folder(self.asked_home), "lanes")
        path = os.path.join(folder, "%s.%06d.lane" % (self.id, part))
        try:
            file = _opened(path, folder)
            if sys.platform.startswith("java"):
                os.chmod(path, 0o600)  # Jython's open() ignores the mode
        except OSError:
            if self.file is None:
                raise
            return  # no number left for one more file, say; the part that is open grows
        line = _line(_header_text(self.header, part, first))
        try:
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, "no room for the header")
        except OSError:
            os.close(file)
            os.unlink(path)  # nothing in it is worth reading
            raise
        self.leave()
        self.file = file
        try:
            self.identity = _identity(file)[:2]
        except OSError:  # Jython cannot tell
            self.identity = None
        self.part = part
        self.bytes = self.header_bytes = len(line)
        self.is_torn = False


def _line(text):
    """A line of a lane: its checksum and itself."""
    try:
        data = _utf8(text)
    except UnicodeEncodeError:
        data = _bytes_of(text)
    return b"%08x %s\n" % (_crc32(data) & 0xFFFFFFFF, data)


_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _opened(path, folder):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _O_CLOEXEC
    try:
        return _high(os.open(path, flags, 0o600))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        _made_folder(folder)
        return _high(os.open(path, flags, 0o600))


def _high(file):
    """The file under a high number, which programs that close "all" files and open new ones do not get by accident."""
    if fcntl is None:
        return file
    try:
        high = fcntl.fcntl(file, getattr(fcntl, "F_DUPFD_CLOEXEC", fcntl.F_DUPFD), LANE_FD)
    except (OSError, IOError):  # fewer files allowed than that
        high = file
    else:
        os.close(file)
    if _PY2:
        fcntl.fcntl(high, fcntl.F_SETFD, fcntl.fcntl(high, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    return high


def _identity(file):
    status = os.fstat(file)
    return status.st_dev, status.st_ino, status.st_nlink


def _lane_bytes():
    try:
        return int(os.environ["DATACAT_LANE_BYTES"])
    except (KeyError, ValueError):
        return LANE_BYTES


def _header(lane, session_id, server):
    """What every part of a lane begins with, but for the part's number and its first sequence."""
    return {
        "lane": lane,
        "session": session_id,
        "server": server,
        "at": int(time.time() * 1000),
        "monotonic_ms": _monotonic_ms(),
        "writer": _writer_facts(),
    }


def _header_text(header, part, first):
    return '{"lane":%s,"format":1,"part":%d,"first":%d,"session":%s,"server":%s,"at":%d,"monotonic_ms":%d,"writer":%s}' % (
        _quote(_plain_text(header["lane"])),
        part,
        first,
        _quote(_plain_text(header["session"])),
        _quote(_plain_text(header["server"])),
        header["at"],
        header["monotonic_ms"],
        _value_text(header["writer"], (None, "writer"), [], []),
    )


# === Queue ===================================================================
# Direct mode: a bounded queue in memory, and a thread that sends it.

class _Queue(object):
    """The writer of direct mode: a bounded queue in memory, and a thread that sends it. Appending never waits for a lock, so a signal
    handler may call it while another call is in it."""

    fault_path = None
    joined = False
    signal = None

    def __init__(self, session_id, url, owner):
        self.session_id = session_id
        self.url = url.rstrip("/") + "/api/ingest"
        self.owner = owner
        self.ended = False
        self.told = set()
        self.counts = {}
        self._begin()

    def _begin(self):
        self.pid = os.getpid()
        self.lane = _new_id()
        self.sequence = 0
        self.has_sent_writer = False
        self.waiting = deque()  # (kind of op, text)
        self.bytes = 0
        self.unsent_losses = {}  # cause: count
        self.lost = {}
        self.room = threading.Lock()
        self.wake = threading.Lock()  # held while nothing is urgent
        self.wake.acquire()
        self.thread = None
        self.batch = None  # sent or to be sent, and not yet acknowledged
        self.batch_limit = BATCH_OPS  # fewer after a batch was refused
        self.gather = GATHER_SECONDS
        self.pause = RETRY_FIRST_SECONDS
        self.is_failing = False
        self.is_gone = False
        self.answered_at = _stopwatch()

    def append(self, at, texts, is_last=False):
        if not _FORKS_ARE_TOLD and _getpid() != self.pid:
            self.forked()
        if self.ended or self.is_gone:
            return
        is_urgent = is_last
        for text in texts:
            kind = _kind_of(text)
            self._add(kind, '{"at":%d,%s' % (int(at * 1000), text))
            is_urgent = is_urgent or kind in URGENT_OPS
        if is_last:
            self.ended = True
        if is_urgent or self._has_full_batch():
            self._hurry()
        if self.thread is None:
            self._begin_sending()

    def append_metric(self, at, text):
        self.append(at, (text,))

    def _add(self, kind, text):
        if self._is_over(1):
            self._make_room()
        self.waiting.append((kind, text))
        self.bytes += len(text)

    def _is_over(self, share):
        return len(self.waiting) >= QUEUE_OPS * share or self.bytes >= QUEUE_BYTES * share

    def _has_full_batch(self):
        return len(self.waiting) >= self.batch_limit or self.bytes >= BATCH_BYTES

    def _make_room(self):
        """Drops the oldest metrics, then the oldest of all but start and end, until QUEUE_FREED of the queue is free."""
        if not self.room.acquire(False):
            return  # the sender is taking some, or an interrupted call is making room already
        try:
            ops = _taken(self.waiting)
            for is_dropped in (lambda kind: kind == "metric", lambda kind: kind not in ("start", "end", "crash")):
                kept = []
                count = len(ops)
                for kind, text in ops:
                    is_full = count >= QUEUE_OPS * (1 - QUEUE_FREED) or self.bytes >= QUEUE_BYTES * (1 - QUEUE_FREED)
                    if is_full and is_dropped(kind):
                        count -= 1
                        self.bytes -= len(text)
                        self._lose("queue_full", 1)
                    else:
                        kept.append((kind, text))
                ops = kept
            self.waiting.extendleft(reversed(ops))
        finally:
            self.room.release()

    def _lose(self, cause, count):
        self.unsent_losses[cause] = self.unsent_losses.get(cause, 0) + count
        self.lost[cause] = self.lost.get(cause, 0) + count

    def forked(self):
        """In the child: a lane of its own; what waited is the parent's to send."""
        self.owner, self.joined = False, True
        self._begin()

    def _hurry(self):
        """Wakes the sender. Releasing a lock is a single step, so it can be done in a signal handler too; an Event cannot be set there."""
        try:
            self.wake.release()
        except Exception:
            pass  # it is awake

    def _begin_sending(self):
        # Both import modules. In the sender's thread a fork at that moment would leave the child with a locked import.
        u"localhost".encode("idna")
        _writer_facts()
        self.thread = thread = threading.Thread(target=self._send_all, name="datacat sender")
        thread.daemon = True
        try:
            thread.start()
        except Exception:
            self.thread = None  # no thread can be had now; the next call tries again

    def _send_all(self):
        try:
            while True:
                batch = self._next_batch()
                if batch is None:
                    if self.ended:
                        _open_writers.pop(id(self), None)
                        return
                    _acquired(self.wake, self.gather, 0.05)
                    continue
                wait = self._send(batch)
                if self.is_failing:
                    time.sleep(max(wait, self.pause * (1 - RETRY_JITTER * random.random())))
                    self.pause = min(self.pause * 2, RETRY_LONGEST_SECONDS)
                    continue
                self.pause = RETRY_FIRST_SECONDS
                time.sleep(wait)
                if self.batch is None and not self.ended and not self._has_full_batch():
                    _acquired(self.wake, self.gather, 0.05)
        except:  # noqa: E722 (2.7 may have removed even the names of the builtins by the time that this runs at exit)
            self.thread = None  # the next call starts another, unless the interpreter exits

    def _next_batch(self):
        """What was not acknowledged yet, or what waits, or an empty batch that renews the lease."""
        if self.batch is not None or self.is_gone:
            return self.batch
        ops = []
        with self.room:
            size = 0
            while self.waiting and len(ops) < self.batch_limit:
                size += len(self.waiting[0][1])
                if ops and size > BATCH_BYTES:
                    break
                ops.append(self.waiting.popleft())
                self.bytes -= len(ops[-1][1])
            dropped, self.unsent_losses = self.unsent_losses, {}
        if not ops and not dropped and _stopwatch() - self.answered_at < LEASE_RENEWAL_SECONDS:
            return None
        first = self.sequence + 1
        self.sequence += len(ops) + sum(dropped.values())
        if ops or dropped or self.sequence:
            self.batch = {"first": first, "last": self.sequence, "ops": ops, "dropped": dropped}
        return self.batch

    def _send(self, batch):
        """Posts the batch, and decides what becomes of it; returns the seconds to wait before the next request."""
        try:
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            answer = json.loads(_ask(self.url, "POST", _gzip(self._body(batch)), headers, SEND_SECONDS).decode("utf-8"))
            result = answer["results"][0]
        except HTTPError as error:
            return self._refused(batch, error.code, _retry_after(error))
        except Exception:
            self.is_failing = True
            return 0.0
        self.answered_at = _stopwatch()
        wait = answer.get("slow_down_ms", 0) / 1000.0
        if "error" in result:
            code = result["error"].get("code")
            if code in ("lane_gap", "lane_overlap"):
                return self._renumber(batch, result.get("applied", 0))
            return self._refused(batch, _STATUS_OF_CODE.get(code, 400), wait)
        self.is_failing = False
        self.has_sent_writer = True
        self.batch = None
        self.gather = WATCHED_GATHER_SECONDS if result.get("watched") else GATHER_SECONDS
        self.batch_limit = min(self.batch_limit + self.batch_limit // 8 + 1, BATCH_OPS)
        return wait

    def _body(self, batch):
        fields = {
            "session": self.session_id,
            "lane": self.lane,
            "first": batch["first"],
            "last": batch["last"],
            "lease_ms": int(LEASE_SECONDS * 1000),
        }
        if batch["dropped"]:
            fields["dropped"] = batch["dropped"]
        if not self.has_sent_writer:
            fields["writer"] = json.loads(_value_text(_writer_facts(), (None, "writer"), [], []))
        text = '{"sent_at":%d,"batches":[%s,"ops":[%s]}]}' % (
            int(time.time() * 1000),
            json.dumps(fields)[:-1],
            ",".join([text for _, text in batch["ops"]]),
        )
        return _bytes_of(text)

    def _refused(self, batch, status, wait):
        if status == 410:  # the session was deleted on the server
            self._lose("refused", len(batch["ops"]) + len(self.waiting))
            self.waiting.clear()
            self.batch = None
            self.is_gone = self.ended = True
            self.is_failing = False
            return 0.0
        if status in (400, 413, 422):
            self._divide(batch, status)
            self.is_failing = False
            return REFUSED_PAUSE_SECONDS
        self.is_failing = True  # the server has a fault, or the key is not right (yet)
        return wait

    def _divide(self, batch, status):
        """Keeps half of it; an op that is refused alone is given up and counted."""
        ops = batch["ops"]
        if len(ops) > 1:
            half = self.batch_limit = len(ops) // 2
            with self.room:
                self.waiting.extendleft(reversed(ops[half:]))
                self.bytes += sum(len(text) for _, text in ops[half:])
            batch["ops"] = ops[:half]
            batch["last"] = batch["first"] + half + sum(batch["dropped"].values()) - 1
            self.sequence = batch["last"]
        elif ops:
            batch["ops"] = []
            cause = "too_large" if status == 413 else "refused"
            batch["dropped"][cause] = batch["dropped"].get(cause, 0) + 1
            self.lost[cause] = self.lost.get(cause, 0) + 1
        else:
            self.batch = None  # refused although it holds no op

    def _renumber(self, batch, applied):
        """The server counts this lane differently (its storage was restored, say). What it does not have goes into a new lane."""
        self.is_failing = False
        count = batch["last"] - batch["first"] + 1
        if applied >= batch["last"]:
            self.batch = None
            return 0.0
        done = max(0, min(applied - batch["first"] + 1, len(batch["ops"])))
        batch["ops"] = batch["ops"][done:]
        self.lane = _new_id()
        self.has_sent_writer = False
        batch["first"], batch["last"] = 1, count - done
        self.sequence = batch["last"]
        return REFUSED_PAUSE_SECONDS

    def flush(self, timeout):
        deadline = time.time() + (timeout or 0.0)
        if self.thread is None and self.queued():
            self._begin_sending()
        self._hurry()
        while self.queued() and time.time() < deadline and not self.is_gone:
            time.sleep(0.005)
        return not self.queued()

    def leave(self, deadline):
        """At exit: what is in memory would be lost. Waits only for a server that answers."""
        self._hurry()
        while self.queued() and time.time() < deadline and not self.is_failing and not self.is_gone:
            time.sleep(0.005)

    def await_delivery(self, client, session_id):
        self.flush(DELIVERY_SECONDS)

    def queued(self):
        batch = self.batch
        return len(self.waiting) + (len(batch["ops"]) if batch else 0)

    def records(self):
        return self.sequence + len(self.waiting)

    def lost_counts(self):
        return dict(self.lost)


_STATUS_OF_CODE = {  # src/core/refusal.ts; the others mean that the ops are at fault
    "gone": 410, "too_large": 413, "too_many_requests": 429, "unauthorized": 401, "forbidden": 403, "locked": 403,
    "foreign_host": 403, "not_found": 404, "internal": 500, "unavailable": 503,
}  # fmt: skip


def _kind_of(text):
    """The name of an op, or `exception` for an event with one."""
    kind = text[6 : text.index('"', 6)]
    return "exception" if kind == "event" and '"exception_type":' in text else kind


def _retry_after(error):
    try:
        return float(error.headers.get("Retry-After") or 0)
    except Exception:
        return 0.0


def _gzip(data):
    """Compress into the format of gzip (RFC 1952).

    2.7's compressobj holds one lock of the whole process while it works: a child that was forked meanwhile could never compress.
    `zlib.compress` takes no lock.
    """
    deflated = zlib.compress(data, 6)[2:-4]  # without zlib's own header and checksum
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + deflated + struct.pack("<LL", _crc32(data) & 0xFFFFFFFF, len(data) & 0xFFFFFFFF)


# === Disabled ================================================================
# The writer of a session that records nothing.

class _Nowhere(object):
    """The writer of a session that is switched off."""

    owner = False
    joined = True
    ended = True
    signal = None

    def __init__(self):
        self.told = set()
        self.counts = {}

    def append(self, at, texts, is_last=False):
        pass

    append_metric = append

    def flush(self, timeout):
        return True

    def queued(self):
        return 0

    records = queued

    def lost_counts(self):
        return {}


# === Request =================================================================
# HTTP.

def _ask(url, method="GET", body=None, headers=None, timeout=HTTP_SECONDS):
    """One request; the answer's bytes. Loopback is asked directly, whatever proxy there is."""
    url = _plain_text(url)  # 2.7 cannot send bytes after a Unicode address
    request = Request(url, body, dict(headers or {}))
    request.get_method = lambda: method
    key = os.environ.get("DATACAT_KEY")
    daemon = (os.environ.get("DATACAT_DAEMON_URL") or "").rstrip("/")
    if key and not (daemon and url.startswith(daemon)):  # the daemon has its own, and the way to it may be in the clear
        request.add_header("Authorization", "Bearer " + key)
    host = url.split("//", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
    is_near = re.match(r"(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$", host)
    handlers = [ProxyHandler({})] if is_near else []
    if HTTPSHandler is not None:
        handlers.append(_LateTls())
    opener = build_opener(*handlers)
    answer = opener.open(request, timeout=timeout)
    try:
        return answer.read()
    finally:
        answer.close()


if HTTPSHandler is not None:

    class _LateTls(HTTPSHandler):
        """Sets TLS up when it is needed. urllib does for every request since 3.12, which takes longer than a request on the same machine,
        and a fork at that moment leaves the child with OpenSSL's locks held by nobody: it would never send."""

        def __init__(self):
            pass

        def https_open(self, request):
            HTTPSHandler.__init__(self)
            return HTTPSHandler.https_open(self, request)


def _error_text(error):
    try:
        text = error.read().decode("utf-8", "replace").strip()
        return ": " + text if text else ""
    except Exception:
        return ""


def _quote_path(text):
    try:
        from urllib.parse import quote
    except ImportError:
        from urllib import quote
    return quote(text, safe="")


# === Daemon ==================================================================
# Finding, starting and observing the daemon.

def _living_daemon(home):
    """What daemon.json says of the daemon that serves this home, if that process lives."""
    try:
        with _file(os.path.join(home, "daemon.json")) as file:
            daemon = json.loads(file.read().decode("utf-8"))
        return daemon if _is_alive(daemon) else None
    except Exception:
        return None


def _is_alive(process):
    pid = int(process["pid"])
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except OSError as error:
        if error.errno != errno.EPERM:  # another user's process is alive too
            return False
    started = process.get("pid_started")
    found = _process_started(pid)
    return not started or found is None or str(started) == found


def _is_alive_on_windows(pid):
    import ctypes

    handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    ctypes.windll.kernel32.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE


def _start_daemon(home, binary=None):
    """Starts one if none runs: detached, its streams nowhere, never waited for. False if there is none to be found."""
    if _living_daemon(home) is not None:
        return True
    path = _find_daemon(binary)
    if path is None:
        return False
    environment = dict(os.environ, DATACAT_HOME=home)
    if os.name == "nt":
        import subprocess

        nowhere = _file(os.devnull, "r+b")
        flags = 0x00000008 | 0x00000200  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        subprocess.Popen(
            [path], stdin=nowhere, stdout=nowhere, stderr=nowhere, env=environment, creationflags=flags
        )
    elif hasattr(os, "posix_spawn"):
        # A shell between us and it: so it is no child of the program, which might be surprised by one it did not start.
        line = ["sh", "-c", '"$0" </dev/null >/dev/null 2>&1 &', path]
        # What the program inherited itself stays with it: whoever waits for the end of a pipe waits for us, not for the daemon.
        close = [(os.POSIX_SPAWN_CLOSE, file) for file in _open_files() if os.get_inheritable(file)]
        try:
            pid = os.posix_spawn("/bin/sh", line, environment, file_actions=close, setsid=True)
        except (NotImplementedError, TypeError):
            pid = os.posix_spawn("/bin/sh", line, environment, file_actions=close)
        os.waitpid(pid, 0)  # the shell's, which leaves at once
    else:
        _fork_daemon(path, environment)
    return True


def _fork_daemon(path, environment):
    """Before 3.8. Twice, for the same reason as the shell."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            for file in _open_files():
                os.close(file)
            os.execve(path, [path], environment)
    finally:
        os._exit(127)


def _open_files():
    """Every file but the standard streams."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    files = []
    for name in os.listdir(folder):
        try:
            os.fstat(int(name))  # the listing itself was one, and is closed
        except OSError:
            continue
        if int(name) > 2:
            files.append(int(name))
    return files


def _find_daemon(binary=None):
    said = binary or os.environ.get("DATACAT_DAEMON")
    if said == "off":
        return None
    return _which(said or "datacat-daemon")


def _which(name):
    if os.path.dirname(name):
        return name if os.access(name, os.X_OK) else None
    names = [name, name + ".exe", name + ".cmd"] if os.name == "nt" else [name]
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for name in names:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and not os.path.isdir(path):
                return path
    return None


# === Home ====================================================================
# The folder that holds lanes.

def _home_folder(asked=None):
    """Datacat's home, made if there is none. One that cannot be written, or is another user's, is not used."""
    wanted = asked or os.environ.get("DATACAT_HOME") or _usual_home()
    if wanted in _homes:
        return wanted
    for home in (wanted, _home_in_temporary_folder()):
        try:
            if home and _is_ours_to_write(_made_folder(home)):
                _made_folder(os.path.join(home, "lanes"))
                if home == wanted:
                    _homes.add(home)
                return home
        except (OSError, IOError):
            continue
    return wanted or _home_in_temporary_folder()


_homes = set()


def _usual_home():
    if os.name == "nt":
        folder = os.environ.get("LOCALAPPDATA")
        return os.path.join(folder, "datacat") if folder else None
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        return None
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "datacat")
    state = os.environ.get("XDG_STATE_HOME") or ""
    return os.path.join(state if os.path.isabs(state) else os.path.join(home, ".local", "state"), "datacat")


def _home_in_temporary_folder():
    environment = os.environ
    if os.name == "nt":
        folder = environment.get("TEMP") or environment.get("TMP") or "C:\\Windows\\temp"
        return os.path.join(folder, "datacat-" + (environment.get("USERNAME") or "user"))
    return os.path.join(environment.get("TMPDIR") or "/tmp", "datacat-%s" % (os.getuid() if hasattr(os, "getuid") else "user"))


def _made_folder(path):
    if not os.path.isdir(path):
        try:
            os.makedirs(path, 0o700)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
    return path


def _is_ours_to_write(folder):
    if hasattr(os, "geteuid") and os.lstat(folder).st_uid != os.geteuid():
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _file(path, mode="rb"):
    """The builtin whose name the verb of this module takes."""
    import io

    return io.open(path, mode)


# === Writer ==================================================================
# What a lane's header states about this process and machine.

def _writer_facts():
    """Who writes a lane. Found out once per process."""
    facts = _facts
    if facts.get("pid") != os.getpid():
        arguments = [_plain_text(argument) for argument in getattr(sys, "argv", None) or [""]]
        facts = OrderedDict()
        facts["program"] = os.path.basename(arguments[0]) or "python"
        facts["arguments"] = _without_secrets(arguments[1:])
        facts["language"] = _language()
        facts["client"] = "datacat-python " + __version__
        facts["pid"] = os.getpid()
        facts["pid_started"] = _process_started(os.getpid())
        facts["parent_pid"] = os.getppid() if hasattr(os, "getppid") else None
        facts["machine_id"] = _once("machine_id", _machine_id)
        facts["boot_id"] = _once("boot_id", _boot_id)
        facts["hostname"] = _once("hostname", _hostname)
        facts["os"] = _once("os", _system)
        facts["user"] = _once("user", _user)
        facts = OrderedDict((key, fact) for key, fact in facts.items() if fact is not None)
        globals()["_facts"] = facts
    return facts


_facts = {}
_found = {}


def _once(name, find):
    if name not in _found:
        try:
            _found[name] = find()
        except Exception:
            _found[name] = None
    return _found[name]


def _language():
    implementation = getattr(sys, "implementation", None)
    name = implementation.name if implementation else "jython" if sys.platform.startswith("java") else "cpython"
    name = "python" if name == "cpython" else name
    return "%s %d.%d.%d" % ((name,) + tuple(sys.version_info[:3]))


def _process_started(pid):
    """Field 22 of /proc/<pid>/stat, counted after the name, which may hold anything. None where there is no such file."""
    try:
        with _file("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IOError, IndexError):
        return None


def _machine_id():
    """1.x's: the hex MD5 of the first hardware address, by the interfaces' index."""
    try:
        from _md5 import md5  # without loading OpenSSL, which takes longer than all the rest of opening a session
    except ImportError:
        from hashlib import md5

    folder = "/sys/class/net"
    found = []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        try:
            with _file(os.path.join(folder, name, "ifindex")) as file:
                index = int(file.read())
            with _file(os.path.join(folder, name, "address")) as file:
                address = file.read().decode("ascii").strip().lower()
        except (OSError, IOError, ValueError):
            continue
        if name != "lo" and address.strip("0:"):
            found.append((index, address))
    return md5(min(found)[1].encode("ascii")).hexdigest() if found else ""


def _boot_id():
    with _file("/proc/sys/kernel/random/boot_id") as file:
        return file.read().decode("ascii").strip()


def _hostname():
    if hasattr(os, "uname"):
        return _plain_text(os.uname()[1])
    return os.environ.get("COMPUTERNAME")


def _system():
    machine = os.uname()[4] if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
    system = "linux" if sys.platform.startswith("linux") else sys.platform
    return _plain_text("%s %s" % (system, machine)).strip()


def _user():
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME")
    if not name and hasattr(os, "getuid"):
        import pwd

        name = pwd.getpwuid(os.getuid()).pw_name
    return _plain_text(name) if name else None


def _monotonic_ms():
    if hasattr(time, "monotonic"):
        return int(time.monotonic() * 1000)
    try:
        with _file("/proc/uptime") as file:  # 2.7
            return int(float(file.read().split()[0]) * 1000)
    except (OSError, IOError, ValueError):
        return 0


# === Id ======================================================================
# Ids of sessions and lanes.

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")


def _new_id():
    """A UUIDv7 (RFC 9562, with 12 bits of the millisecond's fraction): names of lanes sort by time."""
    now = time.time() * 1000
    bits = binascii.hexlify(os.urandom(8)).decode("ascii")
    moment = "%012x" % int(now)
    variant = "%x" % (int(bits[0], 16) & 0x3 | 0x8)
    return str("%s-%s-7%03x-%s%s-%s" % (moment[:8], moment[8:], int(now % 1 * 4096), variant, bits[1:4], bits[4:16]))
