# -*- coding: utf-8 -*-
"""Datacat: a flight recorder for programs.

    import datacat

    session = datacat.open(product="game", version="1.4.2")
    session.update_state({"level": 3, "player": {"hp": 100}})
    session.log_event("door_opened", {"door": 7})
    session.gauge("fps", 59.94)
    session.end()

Each call appends one line to a file, the session's *lane* (clients/README.md describes its format). A daemon reads the file and
sends it to the server. A call waits only for this one write, and what it wrote survives the end of the program, `kill -9`
included. No call raises: a value that JSON cannot express is recorded by its text or type, and everything lost is counted.

One file, the standard library only, CPython 2.7 and 3.6 to the newest.

Contents, in the order of this file. Programs use Opening to Capture.

  Interpreter      What differs between CPython 2.7, CPython 3.6 to the newest, and Jython 2.7
  Limits           Every number that bounds something, with its unit and reason
  Opening          How a program begins to record: open, create_session
  Session          The calls that record: Session
  Timer            A duration, measured around a block or a function: Timer
  Heartbeat        The watch for hangs: HeartbeatMonitor
  Logging          Records of the module `logging`: DatacatHandler
  Client           1.x's client: the same calls, by session id: DatacatClient
  Async session    1.x's session with a sender thread: AsyncSession
  Daemon manager   1.x's handle on the daemon: DaemonManager
  Capture          Uncaught exceptions, fatal errors and signals: capture
  Continuous integration  What a run belongs to, commit, branch and job: ci_context
  Exit             The exit hook, and the hooks of a fork
  Stacks           The stacks of all threads while the program hangs, and fatal errors
  Exception        Exceptions as the fields of an event
  Field            Names, labels and other fields of an op as JSON
  Number           Numbers as ECMAScript's Number.prototype.toString writes them
  String           Strings as JSON
  Value            Any value as JSON (clients/README.md, "Values that JSON cannot express")
  Secret           Which keys and arguments are redacted
  Cut              Events over the limit, cut to fit
  Attachment       Files and bytes: their op, and the copy of their content
  Lane             The append-only file: one write for each record, after which the record survives the program
  Lane reader      Sessions as the lanes of this machine have them, for when the server cannot be asked
  Queue            Direct mode: a bounded queue in memory, and a thread that sends it
  Original daemon  datacat 1.x's daemon, which reads no lanes: ops go to its local API
  Disabled         The writer of a session that records nothing
  Request          HTTP
  Daemon           Finding, starting and observing the daemon
  Home             The folder that holds lanes
  Writer           What a lane's header states about this process and machine
  Id               Ids of sessions and lanes
"""

from __future__ import division

import atexit
import binascii
import datetime
import errno
import functools
import itertools
import json
import linecache
import logging
import numbers
import os
import random
import re
import stat
import struct
import sys
import threading
import time
import traceback
import types
import warnings
import zlib
from collections import OrderedDict, deque

try:
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener
except ImportError:  # 2.7
    from urllib2 import HTTPError, HTTPRedirectHandler, ProxyHandler, Request, URLError, build_opener

try:
    from urllib.request import HTTPSHandler
except ImportError:
    try:
        from urllib2 import HTTPSHandler
    except ImportError:  # an interpreter without ssl
        HTTPSHandler = None

try:
    import _thread
    import faulthandler
except ImportError:  # 2.7
    _thread = faulthandler = None

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
    "ci_context",
    "create_session",
]  # not `open`, which would hide the builtin from `import *`


# === Interpreter =============================================================
# What differs between CPython 2.7, CPython 3.6 to the newest, and Jython 2.7.

_PY2 = sys.version_info[0] == 2
_text_type = type(u"")
_HAS_FORK_HOOK = hasattr(os, "register_at_fork")
_getpid = os.getpid
_crc32 = binascii.crc32
_stopwatch = getattr(time, "perf_counter", time.time)
_monotonic = getattr(time, "monotonic", time.time)

if (3,) <= sys.version_info < (3, 9):

    def _raise_if_stack_is_full():
        """Raises the RecursionError that is being handled if the program's own stack is full, where any call would raise it.

        These interpreters abort when code swallows a RecursionError and calls functions in the last 50 frames. A RecursionError
        that a recorded value caused leaves the stack short, and is swallowed.
        """
        if isinstance(sys.exc_info()[1], RecursionError):
            try:
                sys._getframe(sys.getrecursionlimit() - 200)
            except ValueError:
                return  # fewer than limit - 200 frames
            raise

else:

    def _raise_if_stack_is_full():
        pass


def _acquired(lock, seconds, step=0.0005):
    """Acquire a lock within some seconds. 2.7's locks have no timeout, so there this tries every `step` seconds."""
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

# The server's limits (src/core/limits.ts). It refuses what is over them.
MAX_NAME_LENGTH = 256  # UTF-16 units
MAX_LABELS = 64
MAX_TEST_PARTS = 32  # of the id of a test
MAX_TEST_PART = 500  # UTF-16 units of a part of it
MAX_BUCKETS = 256
MAX_DEPTH = 64  # levels of nesting
MAX_STATE_BYTES = 512 * 1024
MAX_EVENT_BYTES = 256 * 1024 - 64  # the sequence and the time precede the op

# What is recorded of one value or exception.
MAX_ITEMS = 1 << 20  # of a container that is not a builtin type: no op has room for more, and an iterator may never end
MAX_CAUSES = 16  # exceptions in one chain; a longer one is a cycle or a mistake
MAX_TREE = 64  # causes, contexts and members of one exception: a group of more tasks fails for few reasons
CAUSE_FRAMES = 100  # innermost frames of each of these: the others are mostly those of the exception itself
CAUSES_LENGTH = 65536  # characters of their stacks together, a quarter of an event
CAUSE_MESSAGE = 8192  # characters of each message: an eighth of that
MAX_ATTRIBUTES = 32  # of one exception: database drivers have 20
MAX_LOOKED_AT = 1000  # attributes that are examined: a larger dict is data, not a description
MAX_NOTES = 16  # of one exception: they are written for people
ATTRIBUTE_LENGTH = 1000  # characters of an attribute, and of a note: a paragraph
SOURCE_FRAMES = 16  # innermost frames of the program whose source lines are recorded
SOURCE_LINES = 4  # before and after the line of a frame
SOURCE_LENGTH = 200  # characters of a source line
MAX_EXCERPTS = 512  # that are cached as text: the places where a program raises
NESTED_RECORDS = 3  # levels of log records that arise while one is recorded; deeper ones are recorded without their arguments
MAX_LOCALS = 64  # variables of one frame
LOCALS_FRAMES = 8  # innermost frames whose variables are recorded, if the program asks for them
WHOLE_STRING = 64  # characters: shorter strings stay whole when an event is cut, because they identify it
LONGEST_CUT = 131072  # characters: the first length tried when strings are cut, half of the event's limit
MIN_READ = LONGEST_CUT + 4096  # characters that are read for secrets in a text that is cut: one may stand across the cut
FIRST_READ = MIN_READ + 32768  # with room for secrets

# Attachments, the same in every client (test/fixtures/attachments.json).
MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024
BLOCK_BYTES = 64 * 1024  # read and written at once: the memory of a program that crashes may be low
CHUNK_BYTES = 1024 * 1024  # of one request in direct mode
WAITING_BYTES = 4 * 1024 * 1024  # of content that waits in memory in direct mode, as much as of ops
TYPE_LENGTH = 100  # characters of a media type
UNKNOWN_ANSWERS = 6  # that the server does not have the op, after which it is not asked again: the op was dropped

# What is kept in memory.
MAX_CACHED = 4096  # series, keys and names with their encoded text; a program with more would fill its memory
MAX_REPORTED_PATHS = 1000  # paths of a session whose losses were reported; further reports would not help

# Writing a lane.
REOPEN_SECONDS = 0.25  # wait after a part could not be opened: a frame may make a thousand calls
RESERVED_BYTES = 3072  # of disk space for the last reports (200 bytes each, four at most) and the `end` (60), besides the header
LANE_BYTES = 8 * 1024 * 1024  # of one part: it can be read, sent and deleted while the session continues
HELD_METRICS = 32  # metrics in HELD_SECONDS before further ones are held: one write then serves all held metrics
HELD_SECONDS = 0.005  # how long metrics are held if the program continues to record; the lane format allows 5 ms
CHECK_SECONDS = 1.0  # how often a writer checks that its file still exists and its descriptor still refers to it
LOCK_SECONDS = 1.0  # the longest wait for another thread's write; after that the thread is assumed to have ended
LANE_FD = 200  # lowest descriptor of a lane: programs that close descriptors and open others use lower numbers

# Stacks of a hang, and fatal errors. clients/README.md has the intervals, which are the same in every client.
DEFAULT_TIMEOUT_SECONDS = 60.0  # of heartbeats, until the program states one
SHORTEST_TIMEOUT_SECONDS = 0.3  # a shorter one would be checked so often that it costs the program time
SAMPLE_SECONDS = 5.0  # between the first samples, if a third of the timeout is not shorter
FIRST_SAMPLES = 3  # as many as distinguish a loop from a wait
LATER_SAMPLE_SECONDS = 60.0  # between further ones: a program may hang for days
SAMPLED_THREADS = 65  # the server keeps 64, and one is the client's own
SAMPLED_FRAMES = 100  # of a thread; faulthandler writes as many
FATAL_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGALRM")  # their default action ends the process, without a trace

# What a run belongs to.
GIT_SECONDS = 1.0  # for both git commands together: large repositories are slow, and the program must not wait for them
MAX_GIT_BYTES = 1024 * 1024  # of what git prints, and of GitHub's event file
MAX_CI_TEXT = 500  # characters of a branch, a job, the subject of a commit
MAX_CI_URL = 2000  # characters: what browsers and proxies pass

# Asking the server.
HTTP_SECONDS = 10.0  # for the answer to a query
ORIGINAL_START_SECONDS = 2.0  # for the first answer of datacat 1.x's daemon; its own client waited 1 s
DELIVERY_SECONDS = 6.0  # the longest that get_details() waits for the session's ops to arrive; 1.x sent every 5 s

# Direct mode. Every client has these numbers (test/fixtures/direct-policy.json). clients/README.md gives their reasons.
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
SEND_SECONDS = 30.0  # for the answer to a batch
RETRY_FIRST_SECONDS = 1.0
RETRY_LONGEST_SECONDS = 30.0
RETRY_JITTER = 0.5  # share of a pause that is random
REFUSED_PAUSE_SECONDS = 0.05
END_WAIT_SECONDS = 2.0

_EXACT = 2**53  # the largest integer up to which a double holds every integer
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
    """Open a session and record its start.

    Parameters:
        url: The server. Default: `DATACAT_URL`, else the daemon's own default.
        product, version: What runs. Default: `DATACAT_PRODUCT`, `DATACAT_VERSION`.
        tags: What sessions are found and grouped by: a dict (`{"branch": "main", "nightly": True}`), a list of `key:value` and of keys,
            or one string. In a dict, True, None and "" stand for a key without a value. At most 64. `DATACAT_TAGS` adds to them.
        state: The first state, a dict.
        session_id: Join this session, which another process opened, and record neither its start nor its end.
            Default: `DATACAT_SESSION`.
        use_daemon: False sends to the server from a thread instead of writing a lane (direct mode).
        home: Folder of the lanes. Default: `DATACAT_HOME`, else the system's folder for a user's state.

    Returns a Session. Never raises: if the session cannot be opened, its calls do nothing.
    """
    session = Session.__new__(Session)
    try:
        client = DatacatClient(url, use_daemon=use_daemon, home=home)
        session_id = client.register_session(product, version, tags, state, session_id)
        session.__init__(client, session_id)
    except Exception:
        session._disable()
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
    """Open a session with the arguments of 1.x.

    `async_mode` gives an AsyncSession with `queue_size`; both are only names now, because no call waits. `daemon_port` is used
    only for the daemon of datacat 1.x. Product and version are optional. The others are as in `open`.
    """
    session = Session.__new__(Session)
    try:
        options = {} if use_daemon else {"use_daemon": False}
        client = DatacatClient(base_url, daemon_port=daemon_port, **options)
        session.__init__(client, client.register_session(product, version))
    except Exception:
        session._disable()
    return AsyncSession(session, queue_size) if async_mode else session


# === Session =================================================================
# The calls that record.


class Session(object):
    """One run of a program. Recording methods neither raise nor wait, and do nothing after `end()`.

    With a client of another class, or one whose methods are overridden, the calls are passed to the client's methods, as in 1.x, and do
    what those do. The methods that 1.x had return what its server answered, `{"status": "ok"}`.
    """

    def __init__(self, client, session_id):
        if _records_itself(client, session_id):
            self._attach(client, session_id, client._writer_of(session_id))
        else:
            self._attach(client, session_id, _DisabledWriter())
            self._delegates = True

    def _attach(self, client, session_id, writer):
        self.client = client
        self.session_id = session_id
        self._heartbeat_monitor = None
        self._delegates = False  # whether calls go to the client's methods, which the program has replaced
        self._writer = writer
        self._reported = writer.reported
        self._dropped = writer.counts
        self._series = {}
        self._now = time.time

    def _disable(self):
        client = _Client.__new__(_Client)
        client._disable()
        self._attach(client, "", _DisabledWriter())

    def add_tags(self, tags):
        """Add tags to those that the session was opened with: `{"result": "won"}`. They are as in `open`. A session has at most 64."""
        if self._delegates:
            return self.update_state({"tags": _tag_texts(tags, MAX_LABELS)})  # as datacat 1.x has them
        try:
            losses = []
            at = self._now()
            field = _tags_field("tags.tags", "tags", tags, losses)
            if field:
                self._write_with(losses, at, '"op":"tags"' + field + "}")
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

    def update_state(self, state):
        """Merge a dict into the session's state (RFC 7396): dicts merge, None deletes, any other value replaces, lists too.

        A patch over 512 KiB of JSON is counted as lost.
        """
        if self._delegates:
            return self.client.update_state(self.session_id, state)
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
                self._writer.append(at, (text,))
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

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
        test=None,
        tags=None,
    ):
        """Record an event.

        Parameters:
            name: What happened, at most 256 characters.
            category: Its severity: debug, info (the default), warning, error, critical, or another text. A dict here is taken as
                `data`, which was the second argument in the first versions of 1.x.
            group: The part of the program that it belongs to.
            labels: 1.x's name of `tags`. Both are recorded.
            message: A sentence for people.
            data: A dict of any values. Over 256 KiB of JSON its longest strings are cut.
            stacktrace, exception_type, exception_msg, source_file, source_line, source_function: The fields of an exception; see
                also `log_exception`.
            level: 1.x's older name of `category`.
            test: The start or the end of a test, a dict with the keys of clients/README.md, "Tests": `id` (a list of texts), `result`…
            tags: Tags of this event beside those of the session, as in `open`.
        """
        if tags is not None:
            labels = tags if labels is None else _both_tags(labels, tags)
        if self._delegates:
            more = {
                "exception_type": exception_type, "exception_msg": exception_msg, "source_file": source_file,
                "source_line": source_line, "source_function": source_function, "test": test,
            }  # fmt: skip
            return self.client.log_event(
                self.session_id, name, category=level if category is None else category, group=group,
                labels=[] if labels is None else labels, message=message, data={} if data is None else data,
                stacktrace=stacktrace, **dict((key, value) for key, value in more.items() if value is not None)
            )  # fmt: skip
        try:
            at = self._now()
            if data is None and category is not None and not issubclass(type(category), _TEXTS):
                category, data = None, category
            if category is None:
                category = level
            more = ""
            if not (exception_type is exception_msg is stacktrace is source_file is source_line is source_function is None):
                more = _exception_fields(exception_type, exception_msg, stacktrace, source_file, source_line, source_function)
            losses = []
            if test is not None:
                more += _test_field(test, losses)
            self._log(at, name, losses, category, group, labels, message, data, more)
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

    def log_exception(
        self, exc_info=None, extra_data=None, name="exception", handled=None, locals=False, data=None, message=None,
        fingerprint=None, test=None, tags=None,
    ):  # fmt: skip
        """Record an exception as an event, with its stack and what led to it.

        Parameters:
            exc_info: An exception, or the three values of `sys.exc_info()`. Default: the exception that is being handled. A text is
                the `message` of that one.
            extra_data: 1.x's name of `data`.
            name: Name of the event.
            handled: Whether the program caught it. Default: not recorded.
            locals: True adds the variables of the 8 innermost frames.
            data: A dict of any values.
            message: What the program was doing. Default: the exception's own text.
            fingerprint: A text. Exceptions with the same one are one group, whatever their type and stack. Default: computed from both.
            test: As in `log_event`: the test that failed with it.
            tags: Tags of the event, as in `open`, beside `exception` and its type.
        """
        data = extra_data if data is None else data
        if issubclass(type(exc_info), _STRINGS):  # `isinstance` may call code of the value
            message, exc_info = exc_info if message is None else message, None
        if self._delegates:
            if message is not None:
                data = OrderedDict(data if issubclass(type(data), dict) else {} if data is None else {"value": data})
                data.setdefault("message", message)
            return self.client.log_exception(self.session_id, exc_info, data)
        try:
            at = self._now()
            self._log_exception(at, [], _exc_info(exc_info), data, name, message, handled, locals, fingerprint, test, tags)
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

    def attach(self, name, content=None, type=None, data=None, path=None):
        """Attach a file or bytes: a screenshot, a log, a saved game. At most 10 MiB each; 50 MiB and 200 of them a session.

        Parameters:
            name: Its name on the session's page and when it is downloaded, with an extension ("screenshot.png"). At most 256
                characters.
            content: Bytes (bytes, bytearray, memoryview) are the content; a `str` or a `pathlib.Path` is the path of a regular file.
                In 2.7, where `bytes` is `str`, a `str` is the content and a `unicode` is a path.
            type: The media type. Default: by the name's extension, else `application/octet-stream`.
            data, path: In place of `content`, and the same in 2.7 and 3: the bytes, or the path.

        The content is copied before this returns, so that neither the end of the program nor `kill -9` loses it; in direct mode it waits
        in memory. It may be called while the program crashes, from `sys.excepthook` for example. A file that grows meanwhile is
        recorded as far as it was read. What cannot be attached is counted, and an event `attachment_lost` names it.
        """
        try:
            if self._writer.ended:
                return
            losses = []
            at = self._now()
            name, shown = _attachment_name(name, losses)
            lost = self._writer.attach(at, _content_of(content, data, path), _attachment_op(name, shown, type), losses)
            if lost is not None and lost.detail is not None:
                losses.append((lost.cause, "%s: %s" % (shown, lost.detail)))
            if losses:
                self._write_with(losses, at, None)
            if lost is not None:
                message = "%s was not attached: %s" % (shown, lost.reason)
                about = OrderedDict([("attachment", shown), ("cause", lost.cause)])
                self._log(at, "attachment_lost", [], "warning", None, None, message, about)
        except Exception:
            self._count_internal_loss()

    def gauge(self, name, value, unit=None, tags=None, metadata=None):
        """Record a value as it is now.

        A value that is not a finite number is counted as lost. `tags` distinguish series of one name; they are as in `open`.
        """
        if metadata is not None or not self._append_known_series("gauge", name, value, unit, tags):
            self._append_metric("gauge", name, "value", value, unit, tags, metadata)

    def counter(self, name, delta=1, unit=None, tags=None, metadata=None):
        """Add `delta` to a total. The other arguments are as in `gauge`."""
        if metadata is not None or not self._append_known_series("counter", name, delta, unit, tags):
            self._append_metric("counter", name, "delta", delta, unit, tags, metadata)

    def histogram(self, name, value, unit=None, tags=None, buckets=None, metadata=None):
        """Record a sample of a distribution. `buckets` are upper bounds in ascending order, at most 256; those that are not finite are left
        out, because the last bucket has no bound. The other arguments are as in `gauge`."""
        if metadata is not None or not self._append_known_series("histogram", name, value, unit, tags, buckets):
            self._append_metric("histogram", name, "value", value, unit, tags, metadata, None, buckets)

    def timer(self, name, count=None, tags=None, unit="seconds"):
        """Measure a `with` block or, as a decorator, each call of a function. Returns a Timer.

        Parameters:
            name: Name of the metric.
            count: First value of the timer's attribute `count`, in which the block may count its iterations.
            tags: As in `gauge`.
            unit: seconds, milliseconds (ms), microseconds (us), nanoseconds (ns) or minutes; another text is recorded with seconds.
        """
        return Timer(self, name, count, tags, unit)

    def log_timer(self, name, duration, count=None, tags=None, unit="seconds", metadata=None):
        """Record a duration that the program measured itself, in `unit`. `count` is the number of iterations in it."""
        return self._append_metric("timer", name, "value", duration, unit, tags, metadata, count=count)

    def log_gauge(self, name, value, tags=None, unit=None):
        """`gauge` with 1.x's order of arguments."""
        self.gauge(name, value, unit, tags)
        return {"status": "ok"}

    def log_counter(self, name, delta=1, tags=None):
        """`counter` with 1.x's order of arguments."""
        self.counter(name, delta, None, tags)
        return {"status": "ok"}

    def log_histogram(self, name, value, unit=None, tags=None, buckets=None, metadata=None):
        """`histogram` under 1.x's name."""
        self.histogram(name, value, unit, tags, buckets, metadata)
        return {"status": "ok"}

    def log_metric(
        self, name, value, tags=None, metric_type="gauge", count=None, unit=None, metadata=None, delta=None
    ):
        """Record a metric of any type with 1.x's arguments.

        `metric_type` is gauge, counter, histogram or timer. A counter adds `delta`, or sets its total to `value` without one. The bounds
        of a histogram's buckets are in `metadata["buckets"]`.
        """
        if self._delegates:
            return self.client.log_metric(self.session_id, name, value, tags, metric_type, count, unit, metadata, delta)
        try:
            kind = _plain_text(metric_type)
            if kind not in ("gauge", "counter", "histogram", "timer"):
                kind = "gauge"
            buckets = None
            if kind == "histogram" and issubclass(type(metadata), dict) and "buckets" in metadata:
                metadata = dict(metadata)  # the caller's dict is not changed
                buckets = metadata.pop("buckets")
            key = "delta" if kind == "counter" and delta is not None else "value"
            number = delta if key == "delta" else value
        except Exception:
            self._count_internal_loss()
            return {"status": "ok"}
        return self._append_metric(kind, name, key, number, unit, tags, metadata, count, buckets)

    def heartbeat(self, timeout=None):
        """Record that the program runs. From the first heartbeat on, the session counts as hung when none follows within `timeout`
        seconds (default: the previous timeout, else 60)."""
        if self._delegates:
            if self._heartbeat_monitor is None:
                raise Exception("Heartbeat monitor not started. Call start_heartbeat_monitor() first.")
            return self._heartbeat_monitor.heartbeat()
        try:
            at = self._now()
            timeout_ms = None if timeout is None else _number_text(timeout, 1000)
            field = "" if timeout_ms is None or float(timeout_ms) < 1 else ',"timeout_ms":' + timeout_ms
            self._writer.append(at, ('"op":"heartbeat"' + field + "}",))
            if type(self._writer) is _LaneWriter:
                _stack_watch.heartbeat(self._writer, float(timeout_ms) / 1000 if field else None)
        except Exception:
            self._count_internal_loss()

    def start_heartbeat_monitor(self, timeout=60, check_interval=5, every=None):
        """Begin to watch for hangs. Returns a HeartbeatMonitor.

        Parameters:
            timeout: Seconds without a heartbeat after which the session counts as hung.
            check_interval: How often 1.x's thread checked, in seconds. The daemon checks now, so this is only an attribute.
            every: Seconds between heartbeats that a thread records. Default: the program calls `heartbeat()` itself.
        """
        try:
            if self._heartbeat_monitor is None:
                monitor = HeartbeatMonitor(self.client, self.session_id, timeout, check_interval, every)
                monitor._session = None if self._delegates else self
                self._heartbeat_monitor = monitor
            self._heartbeat_monitor.start()
        except Exception:
            self._count_internal_loss()
        return self._heartbeat_monitor

    def stop_heartbeat_monitor(self):
        """Stop watching for hangs."""
        monitor, self._heartbeat_monitor = self._heartbeat_monitor, None
        if monitor is not None:
            monitor.stop()

    def pause(self):
        """Stop watching for hangs until `resume()` or the next heartbeat, during a file dialog for example."""
        if self._delegates:
            return self.client.pause_heartbeat_monitoring(self.session_id)
        return self._append_op("pause")

    def resume(self):
        """Watch for hangs again, with the full timeout."""
        if self._delegates:
            return self.client.resume_heartbeat_monitoring(self.session_id)
        return self._append_op("resume")

    pause_heartbeat_monitoring = pause
    resume_heartbeat_monitoring = resume

    def end(self, exit_code=None, signal=None):
        """End the session. `exit_code` (an int) and `signal` (a name such as SIGTERM) state how the program ended, if known."""
        try:
            monitor, self._heartbeat_monitor = self._heartbeat_monitor, None
            if monitor is not None:
                monitor._quit()
            code = _whole_field("exit_code", exit_code)
            if not self._delegates:
                self._finish('"op":"end"' + code + _text_field("signal", self._writer.signal if signal is None else signal) + "}")
        except Exception:
            self._count_internal_loss()
        return self.client.end_session(self.session_id) if self._delegates else {"status": "ok"}

    def crash(self, reason=None, exit_code=None):
        """End the session as crashed. The exit hook calls this for an uncaught exception."""
        try:
            code = _whole_field("exit_code", exit_code)
            self._finish('"op":"crash"' + _text_field("reason", reason) + code + "}")
        except Exception:
            self._count_internal_loss()

    def stats(self):
        """Return `session_id`, `records` (how many ops were recorded) and `dropped` (how many were lost in this process, by cause)."""
        try:
            dropped = dict(self._dropped)
            for cause, count in self._writer.lost_counts().items():
                dropped[cause] = dropped.get(cause, 0) + count
            return {"session_id": self.session_id, "records": self._writer.records(), "dropped": dropped}
        except Exception:
            return {"session_id": self.session_id, "records": 0, "dropped": {}}

    def flush(self, timeout=0.0):
        """Write the metrics that are held. In direct mode, wait up to `timeout` seconds until the server has all ops.

        Returns whether nothing is left to be sent from this process.
        """
        try:
            self._writer.append(self._now(), ())
            return self._writer.flush(timeout)
        except Exception:
            return False

    def get_details(self):
        """Return the session as the server has it, as a dict in 1.x's JSON format, after waiting for the ops recorded so far to arrive.

        Raises an Exception if the session cannot be read.
        """
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

    def _log(self, at, name, losses, category, group, labels, message, data, more=""):
        """Append an event. `more` is the text of the fields that only exceptions have."""
        cached = _names.get(name) if type(name) is str else None
        text = '"op":"event","name":' + (cached or _name_text("event.name", name, losses))
        if category is not None:
            text += _name_field("event.category", "category", category, losses)
        if group is not None:
            text += _name_field("event.group", "group", group, losses)
        if labels is not None:
            text += _tags_field("event.labels", "labels", labels, losses)
        if message is not None:
            text += _text_field("message", message, MAX_EVENT_BYTES)
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
            self._writer.append(at, (text,))

    def _log_exception(self, at, losses, exc_info, data, name, message, handled, locals, fingerprint=None, test=None, tags=None):
        kind, error, trace = exc_info
        type_name = "Unknown" if kind is None else _class_name(kind)
        error_message = _error_message(error)
        more = _thrown_fields(kind, error, trace, error_message, handled, fingerprint, losses)
        if test is not None:
            more += _test_field(test, losses)
        if locals is True:
            data = OrderedDict(data if issubclass(type(data), dict) else {} if data is None else {"value": data})
            data["locals"] = _locals(trace)
            losses = _IgnoredLosses()  # most variables are objects that JSON cannot express
        if message is None or (type(message) is str and not message):  # the truth of other values may be code of the program
            message = error_message
        labels = ["exception", type_name]
        self._log(at, name, losses, "error", "exception", labels if tags is None else labels + _tag_texts(tags, MAX_LABELS), message, data, more)

    def _append_known_series(self, kind, name, value, unit, tags, buckets=None):
        """Append a point of a series whose text is cached. Returns False, for `_append_metric`, if it is not, or if the value is not a number."""
        try:
            before, after = self._series[_series_key(kind, name, unit, tags, buckets)]
            number_type = type(value)
            number = _finite_text(value) if number_type is float or number_type is int else None
        except Exception:
            return False
        if number is None:
            return False
        try:
            self._writer.append_metric(self._now(), before + number + after)
        except Exception:
            self._count_internal_loss()
        return True

    def _append_metric(self, kind, name, key, value, unit, tags, metadata, count=None, buckets=None):
        if self._delegates:
            if buckets is not None:
                metadata = dict(metadata or {}, buckets=buckets)
            value, delta = (0, value) if key == "delta" else (value, None)
            return self.client.log_metric(self.session_id, name, value, tags, kind, count, unit, metadata, delta)
        try:
            losses = []
            at = self._now()
            number = _number_text(value)
            if number is None:
                losses.append(("not_finite", "%s: %s" % (_name_of(name), _not_a_number(value))))
                self._write_with(losses, at, None)
                return {"status": "ok"}

            before = '"op":"metric","type":"%s","name":%s' % (kind, _name_text("metric.name", name, losses))
            if unit is not None:
                before += _name_field("metric.unit", "unit", unit, losses)
            if tags is not None:
                before += _tags_field("metric.tags", "tags", tags, losses)
            if metadata is not None:
                before += _object_field("metadata", metadata, losses)
            before += ',"%s":' % key
            count = _whole(count)
            after = ',"count":%d' % count if count is not None and count > 0 else ""
            if buckets is not None:
                after += _buckets_field(buckets, losses)
            after += "}"
            if metadata is None and not after.startswith(',"count"'):
                self._cache_series(kind, name, unit, tags, buckets, before, after)
            if losses:
                self._write_with(losses, at, before + number + after)
            else:
                self._writer.append_metric(at, before + number + after)
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

    def _cache_series(self, kind, name, unit, tags, buckets, before, after):
        key = _series_key(kind, name, unit, tags, buckets)
        if key is not None and kind != "timer" and not self._writer.ended and len(self._series) < MAX_CACHED:
            self._series[key] = before, after

    def _append_op(self, op):
        try:
            self._writer.append(self._now(), ('"op":"%s"}' % op,))
            if _stack_watch.writer is self._writer:
                _stack_watch.is_paused = op == "pause"
                _stack_watch.heartbeat_at = _monotonic()
        except Exception:
            self._count_internal_loss()
        return {"status": "ok"}

    def _start(self, product, version, tags, state):
        losses = []
        text = '"op":"start"'
        text += _name_field("start.product", "product", product, losses)
        text += _name_field("start.version", "version", version, losses)
        text += _tags_field("start.tags", "tags", tags, losses)
        if state is not None:
            field = _object_field("state", state, losses)
            size = _utf8_length(field) - len(',"state":')
            if size <= MAX_STATE_BYTES:
                text += field
            else:
                losses.append(("too_large", "state: %d bytes" % size))
        self._write_with(losses, self._now(), text + "}")

    def _write_with(self, losses, at, text):
        """Append an op (or none) and the `dropped` ops of its losses."""
        if self._writer.ended:
            return
        texts = [] if text is None else [text]
        for cause, detail in losses:
            self._dropped[cause] = self._dropped.get(cause, 0) + 1
            # A value that was written differently is reported once per path; one that is missing, each time.
            if cause not in ("not_finite", "unreadable") and detail[-6:] != " bytes":
                if detail in self._reported or len(self._reported) >= MAX_REPORTED_PATHS:
                    continue
                self._reported.add(detail)
            texts.append(_dropped_text(cause, 1, detail))
        self._writer.append(at, texts)

    def _finish(self, text):
        """Append the last record. A process that joined another's session writes none."""
        writer = self._writer
        if writer.ended:
            return
        self._series = {}
        writer.append(self._now(), [text] if writer.owner else (), True)

    def _crash_by(self, exc_info, exit_code=None):
        self._log_uncaught(exc_info)
        self.crash("uncaught_exception", exit_code)

    def _log_uncaught(self, exc_info):
        try:
            if exc_info[1] is None or exc_info[1] is not _captured.get("error"):
                self._log_exception(self._now(), [], exc_info, None, "exception", None, False, False)
        except Exception:
            self._count_internal_loss()

    def _count_internal_loss(self):
        """Count a fault of this module. It must not raise into the program."""
        _raise_if_stack_is_full()
        try:
            self._dropped["internal"] = self._dropped.get("internal", 0) + 1
        except Exception:
            pass  # the interpreter exits


def _exit_code(error):
    code = getattr(error, "code", None)
    return 0 if code is None else code if isinstance(code, int) else 1


# === Timer ===================================================================
# A duration, measured around a block or a function.


class Timer(object):
    """Measures a `with` block, or each call of the function that it decorates, and records the duration even when that raises.

    `count` begins at 0 and is recorded with the duration if it is over 0. `start_time` is the wall clock, in seconds since 1970, and
    `duration` is in seconds; both are None before.
    """

    def __init__(self, session, name, count=None, tags=None, unit="seconds"):
        self.session = session
        self.name = name
        self.count = 0 if count is None else count
        self.tags = tags
        self.unit = unit
        self.start_time = None
        self.duration = None
        self._started = None

    def __enter__(self):
        self.start_time = time.time()
        self._started = _stopwatch()
        return self

    def __exit__(self, kind, error, trace):
        try:
            self.duration = _stopwatch() - self._started
            measured = self.duration * _PER_SECOND.get(self.unit, 1)
            self.session.log_metric(
                self.name, measured, metric_type="timer", count=self.count or None, tags=self.tags, unit=self.unit
            )
        except Exception:
            pass  # the program's own exception must reach the program
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
    """Begins and ends the watch for hangs, which the daemon and the server keep. The arguments are as in `start_heartbeat_monitor`.

    It has a thread only with `every`, or with a client of another type (a test's double): those are watched here, as 1.x did.
    """

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
        self._lock = threading.Lock()
        self._thread = None
        self._stopping = None

    def start(self):
        """Begin to watch. Returns the monitor itself."""
        if self._running:
            return self
        self._running = True
        self._hung_logged = False
        self._last_heartbeat = time.time()
        if self._records_itself():
            self._record_heartbeat()
        work = self._send_heartbeats if self.every else None if self._records_itself() else self._watch
        if work is not None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(target=work, args=(self._stopping,), name="datacat heartbeat")
            self._thread.daemon = True
            self._thread.start()
        return self

    def heartbeat(self):
        """Record a heartbeat."""
        self._last_heartbeat = time.time()
        self._record_heartbeat()
        if self._hung_logged:
            self._hung_logged = False
            self._log_event("application_recovered", {})

    def _record_heartbeat(self):
        try:
            if self._records_itself():
                self._recorder().heartbeat(self.timeout)
            else:
                url = "%s/heartbeat" % self.client.base_url
                self.client._make_request(url, method="POST", data={"session_id": self.session_id})
        except Exception:
            pass  # as in 1.x: the next heartbeat follows

    def _log_event(self, name, data):
        try:
            self.client.log_event(self.session_id, name, data)
        except Exception:
            pass  # as in 1.x

    def stop(self):
        """Stop watching for hangs."""
        was_running = self._running
        self._quit()
        if was_running and self._records_itself():
            try:
                self._recorder().pause()
            except Exception:
                pass  # an unknown session

    def is_running(self):
        return self._running

    def _quit(self):
        self._running = False
        if self._stopping is not None:
            self._stopping.set()  # not joined: the thread ends by itself and holds no resource

    def _records_itself(self):
        return issubclass(type(self.client), _Client)

    def _recorder(self):
        if self._session is None:
            self._session = self.client._known_session(self.session_id)
        return self._session

    def _send_heartbeats(self, stopping):
        try:
            while not stopping.wait(self.every):
                self.heartbeat()
        except Exception:
            pass  # the interpreter exits

    def _watch(self, stopping):
        """Log hangs of a session whose client has no daemon."""
        while not stopping.wait(self.check_interval):
            silence = time.time() - self._last_heartbeat
            if silence > self.timeout and not self._hung_logged and not getattr(self.client, "use_daemon", False):
                self._hung_logged = True
                self._log_event("application_appears_hung", {"seconds_since_heartbeat": int(silence), "timeout": self.timeout})


# === Logging =================================================================
# Records of the module `logging`.


class DatacatHandler(logging.Handler):
    """Records each record of `logging` as an event: `logging.getLogger().addHandler(DatacatHandler(session))`.

    One with an exception is recorded as that exception, unless `include_exceptions` is False. `extra={"fingerprint": "…"}` is its
    fingerprint.
    """

    def __init__(self, session, include_exceptions=True):
        logging.Handler.__init__(self)
        self.session = session
        self.include_exceptions = include_exceptions
        self.level_mapping = dict(_CATEGORIES)
        self._writing = threading.local()

    if _PY2:

        def createLock(self):  # noqa: N802 (logging's name)
            # 2.7's lock breaks when a signal handler logs while it is acquired, and the session needs none.
            self.lock = None

    def emit(self, record):
        # The description of a value may log, and so may a signal handler that interrupts this one.
        depth = getattr(self._writing, "depth", 0)
        self._writing.depth = depth + 1
        try:
            data = OrderedDict()
            data["logger"] = record.name
            data["level_name"] = record.levelname
            data["pathname"] = record.pathname
            data["lineno"] = record.lineno
            data["funcName"] = record.funcName
            data["module"] = record.module
            for key, value in record.__dict__.items():
                if key not in _LOG_RECORD_KEYS and depth < NESTED_RECORDS:
                    data[key] = value  # the program's `extra`
            message = _message_of(record, self.formatter) if depth < NESTED_RECORDS else _template_of(record)
            session = self.session.session if isinstance(self.session, AsyncSession) else self.session
            has_exception = record.exc_info and self.include_exceptions and record.exc_info[0] is not None
            stack = getattr(record, "stack_info", None)
            if has_exception:
                if stack:
                    data["stack_info"] = stack
                self._record_exception(session, record, data, message)
                return
            labels = [record.levelname.lower(), record.name]
            if record.funcName and record.funcName != "<module>":
                labels.append(record.funcName)
            category = self.level_mapping.get(record.levelno, "info")
            more = {"stacktrace": [line + "\n" for line in stack.split("\n")]} if isinstance(stack, str) and stack else {}
            session.log_event(
                name="log." + record.name, category=category, group=record.name, labels=labels, message=message, data=data, **more
            )
        except Exception:
            _raise_if_stack_is_full()
            if getattr(self.session, "_delegates", True):
                self.handleError(record)
            else:
                self.session._count_internal_loss()
        finally:
            self._writing.depth = depth

    def _record_exception(self, session, record, data, message):
        if getattr(session, "_delegates", True):
            session.log_exception(exc_info=record.exc_info, extra_data=data)
        elif record.exc_info[1] is None or record.exc_info[1] is not _captured.get(session.session_id):
            session._log_exception(session._now(), [], record.exc_info, data, "exception", message, True, False, getattr(record, "fingerprint", None))


_CATEGORIES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}
_LOG_RECORD_KEYS = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


def _template_of(record):
    """Return the message without its arguments: describing those logs this message again."""
    return record.msg if type(record.msg) in _STRINGS else "<%s>" % _type_name(record.msg)


def _message_of(record, formatter):
    """Return the formatted message, without the exception, which has fields of its own.

    If the arguments do not fit the format, both are returned unformatted; logging's own handlers print an error instead.
    """
    try:
        if formatter is None or record.exc_info:
            return record.getMessage()
        return formatter.format(record)
    except Exception:
        _raise_if_stack_is_full()
        arguments = record.args if type(record.args) is tuple else (record.args,)
        return " ".join([_plain_text(value) for value in (record.msg,) + arguments])


# === Client ==================================================================
# 1.x's client: the same calls, by session id.


class DatacatClient(object):
    """Records by session id, as 1.x's client did. The calls are those of Session, with the id as first argument.

    Parameters:
        base_url: The server. Default: `DATACAT_URL`, else http://localhost:8080.
        daemon_port: As in `create_session`.
        use_daemon, home: As in `open`.
    """

    def __init__(self, base_url=None, daemon_port="auto", use_daemon=True, home=None):
        environment = os.environ
        url = base_url or environment.get("DATACAT_URL") or ""
        self.base_url = (url or DEFAULT_URL).rstrip("/")
        self.use_daemon = bool(use_daemon)
        self.daemon_manager = DaemonManager(daemon_port, self.base_url, home=home)
        self._sessions = {}
        self._writers = {}
        self._home = home
        self._server = url.rstrip("/")
        self._direct_url = environment.get("DATACAT_DAEMON_URL") or (None if use_daemon else self.base_url)
        self._original_url = None  # the local API of datacat 1.x's daemon, if that is what was found
        self._is_off = environment.get("DATACAT_DISABLED") in ("1", "true", "yes")
        if self._is_off:
            self._direct_url = None

    def _disable(self):
        self.base_url, self.use_daemon, self._home, self._server = DEFAULT_URL, True, None, ""
        self.daemon_manager = DaemonManager()
        self._sessions, self._writers, self._direct_url, self._original_url, self._is_off = {}, {}, None, None, True

    def register_session(self, product=None, version=None, tags=None, state=None, session_id=None):
        """Open a session, or join one that another process opened. The arguments are as in `open`. Returns the session's id."""
        joined = session_id or os.environ.get("DATACAT_SESSION")
        if joined and not _ID.match(joined):
            joined = None  # the server would refuse it, so the program gets a session of its own
        product = product or os.environ.get("DATACAT_PRODUCT")
        version = version or os.environ.get("DATACAT_VERSION")
        session_id = joined or _new_id()
        if self._has_lanes():
            self.daemon_manager.start()
            if self.daemon_manager._original_url is not None:
                session_id = self._register_with_original(joined, product, version) or session_id
        writer = self._writer_of(session_id, owner=not joined)
        writer.joined = bool(joined)
        if joined and self._has_lanes():
            writer.begin()
        session = self._session(session_id)
        if writer.owner and not writer.ended:
            try:
                from_environment = _tags_of_environment()
                if from_environment:
                    tags = from_environment if tags is None else _both_tags(from_environment, tags)
                session._start(product, version, tags, state)
            except Exception:
                session._count_internal_loss()
        elif tags is not None:
            session.add_tags(tags)
        return session_id

    create_session = register_session

    def _has_lanes(self):
        return not self._is_off and self._direct_url is None and self._original_url is None

    def _register_with_original(self, joined, product, version):
        """Register a session with datacat 1.x's daemon, which gives the id. It cannot join one, nor be used if it does not answer: then
        the ops are sent to the server directly."""
        url = self.daemon_manager._original_url
        program = os.path.basename((getattr(sys, "argv", None) or [""])[0]) or "python"
        body = {"parent_pid": os.getpid(), "product": product or program, "version": version or "unknown"}
        try:
            if not joined:
                session_id = _plain_text(self._make_request(url + "/register", "POST", body)["session_id"])
                self._original_url = url
                return session_id
        except Exception:
            pass
        self._direct_url = self.base_url

    def get_session(self, session_id):
        """Return a session as the server has it, as a dict in 1.x's JSON format, after waiting for the ops recorded so far to arrive.

        If the server cannot be asked or does not have the session, the answer is made from the lanes on this machine, without events and
        metrics, as 1.x's daemon did. Raises an Exception if there are none.
        """
        self._await_delivery(session_id)
        if self._original_url is not None:
            return self._make_request(self._original_url + "/session?session_id=" + _quote_path(session_id))
        try:
            return self._make_request(self.base_url + "/api/sessions/" + _quote_path(session_id))
        except Exception:
            details = self._has_lanes() and _sessions_in_lanes(_home_folder(self._home), session_id).get(session_id)
            if not details:
                raise
            return details

    def get_all_sessions(self):
        """Return the server's sessions as a list of dicts in 1.x's JSON format; those on this machine if it cannot be asked."""
        if self._original_url is not None:
            return self._make_request(self._original_url + "/sessions")
        try:
            return self._make_request(self.base_url + "/api/data/sessions")
        except Exception:
            if not self._has_lanes():
                raise
            return list(_sessions_in_lanes(_home_folder(self._home)).values())

    def add_tags(self, session_id, tags):
        """As `Session.add_tags`."""
        return self._known_session(session_id).add_tags(tags)

    def update_state(self, session_id, state):
        """As `Session.update_state`."""
        return self._known_session(session_id).update_state(state)

    def log_event(
        self, session_id, name, category=None, group=None, labels=None, message=None, data=None, stacktrace=None,
        exception_type=None, exception_msg=None, source_file=None, source_line=None, source_function=None, test=None,
        tags=None,
    ):  # fmt: skip
        """As `Session.log_event`."""
        return self._known_session(session_id).log_event(
            name, category, group, labels, message, data, stacktrace, None, exception_type, exception_msg, source_file,
            source_line, source_function, test, tags,
        )  # fmt: skip

    def log_metric(
        self, session_id, name, value, tags=None, metric_type="gauge", count=None, unit=None, metadata=None, delta=None
    ):  # fmt: skip
        """As `Session.log_metric`."""
        return self._known_session(session_id).log_metric(name, value, tags, metric_type, count, unit, metadata, delta)

    def log_exception(self, session_id, exc_info=None, extra_data=None):
        """As `Session.log_exception`."""
        return self._known_session(session_id).log_exception(exc_info, extra_data)

    def heartbeat(self, session_id):
        """As `Session.heartbeat`."""
        self._known_session(session_id).heartbeat()
        return {"status": "ok"}

    def pause_heartbeat_monitoring(self, session_id):
        """As `Session.pause`."""
        return self._known_session(session_id).pause()

    def resume_heartbeat_monitoring(self, session_id):
        """As `Session.resume`."""
        return self._known_session(session_id).resume()

    def end_session(self, session_id):
        """As `Session.end`."""
        session = self._known_session(session_id)
        writer = self._writer_of(session_id)
        if not writer.joined:
            writer.owner = True  # a program of 1.x may end a session that another of its processes opened
        return session.end()

    def _session(self, session_id):
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session.__new__(Session)
            session._attach(self, session_id, self._writer_of(session_id))
        return session

    def _known_session(self, session_id):
        """Return a session that this program opened or joined, or that has a lane on this machine.

        Raises an Exception for any other id, as 1.x did, so that a mistaken id does not open a session.
        """
        if not self._knows(session_id):
            raise Exception("HTTP Error 404: Not Found: no session %s was opened here" % _plain_text(session_id))
        return self._session(session_id)

    def _knows(self, session_id):
        if self._is_off or session_id in self._writers or session_id == os.environ.get("DATACAT_SESSION"):
            return True
        if any(known == session_id for _, _, known in list(_open_writers.values())):
            return True
        return self._has_lanes() and _has_lane(_home_folder(self._home), session_id)

    def _writer_of(self, session_id, owner=False):
        """Return the writer of a session in this process. There is one."""
        writer = self._writers.get(session_id)
        if writer is None:
            if self._is_off:
                writer = _DisabledWriter()
            elif self._original_url:
                writer = _OriginalQueue(session_id, self._original_url, owner)
            elif self._direct_url:
                writer = _Queue(session_id, self._direct_url, owner)
            else:
                writer = _LaneWriter(session_id, self._server, self._home, owner)
            self._writers[session_id] = writer
            if not self._is_off:
                _open_writers[id(writer)] = (writer, self, session_id)
        return writer

    def _await_delivery(self, session_id):
        """Wait until the server has the session's ops: programs of 1.x read a session right after recording."""
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


_Client = DatacatClient  # a program's test may replace the name
_CLIENT_METHODS = dict(
    (name, DatacatClient.__dict__[name])
    for name in (
        "update_state", "log_event", "log_metric", "log_exception", "end_session", "pause_heartbeat_monitoring",
        "resume_heartbeat_monitoring",
    )
)  # fmt: skip


def _records_itself(client, session_id):
    """Return whether a session may record without calling the client's methods, because the program has not overridden any."""
    kind = type(client)
    if not issubclass(kind, _Client) or any(name in client.__dict__ for name in _CLIENT_METHODS):
        return False
    for name, method in _CLIENT_METHODS.items():
        if next(base.__dict__[name] for base in kind.__mro__ if name in base.__dict__) is not method:
            return False
    return client._knows(session_id)


# === Async session ===========================================================
# 1.x's session with a sender thread.


class AsyncSession(object):
    """Wraps any session with the names and the orders of arguments of 1.x's AsyncSession.

    It needs neither its queue nor its thread, because no call waits: `queue` is always empty, `thread` never runs. Calls that 1.x did
    not have are passed to the session.
    """

    def __init__(self, session, queue_size=10000, drop_on_full=True):
        try:
            from queue import Queue
        except ImportError:  # 2.7
            from Queue import Queue

        self.session = session
        self.queue_size = queue_size
        self.drop_on_full = drop_on_full
        self.queue = Queue(queue_size)
        self.running = True
        self.thread = threading.Thread(target=self.flush)
        self.thread.daemon = True
        self._counts = {"sent": 0, "dropped": 0}  # of a session that does not count itself

    session_id = property(lambda self: self.session.session_id)
    client = property(lambda self: self.session.client)
    sent_count = property(lambda self: self.get_stats()["sent"])
    dropped_count = property(lambda self: self.get_stats()["dropped"])

    def __getattr__(self, name):
        if name == "session":
            raise AttributeError(name)
        return getattr(self.session, name)

    def _record(self, method, *arguments, **options):
        try:
            method(*arguments, **options)
            self._counts["sent"] += 1
        except Exception:
            self._counts["dropped"] += 1

    def log_event(
        self, name, category=None, group=None, labels=None, message=None, data=None, stacktrace=None, level=None, **more
    ):
        """As `Session.log_event`."""
        category = level if category is None else category
        self._record(
            self.session.log_event, name, category=category, group=group, labels=labels, message=message, data=data,
            stacktrace=stacktrace, **more
        )  # fmt: skip

    def log_metric(
        self, name, value, tags=None, metric_type="gauge", count=None, unit=None, metadata=None, delta=None
    ):  # fmt: skip
        """As `Session.log_metric`."""
        self._record(
            self.session.log_metric, name, value, tags=tags, metric_type=metric_type, count=count, unit=unit,
            metadata=metadata, delta=delta,
        )  # fmt: skip

    def log_gauge(self, name, value, unit=None, tags=None, metadata=None):
        """As `Session.gauge`, with `unit` before `tags`."""
        self.log_metric(name, value, tags=tags, unit=unit, metadata=metadata)

    def log_counter(self, name, delta=1, tags=None):
        """As `Session.log_counter`."""
        self.log_metric(name, 0, tags=tags, metric_type="counter", delta=delta)

    def log_histogram(self, name, value, unit=None, tags=None, buckets=None, metadata=None):
        """As `Session.log_histogram`."""
        metadata = metadata if buckets is None else dict(metadata or {}, buckets=buckets)
        self.log_metric(name, value, tags=tags, metric_type="histogram", unit=unit, metadata=metadata)

    def timer(self, name, count=None, unit="seconds", tags=None):
        """As `Session.timer`, with `unit` before `tags`."""
        return Timer(self, name, count, tags, unit)

    def update_state(self, state):
        """As `Session.update_state`."""
        self._record(self.session.update_state, state)

    def log_exception(self, exc_info=None, extra_data=None, **more):
        """As `Session.log_exception`."""
        self._record(self.session.log_exception, exc_info=exc_info, extra_data=extra_data, **more)

    def heartbeat(self, timeout=None):
        """Record a heartbeat. Without a monitor a session of another class gets none, as in 1.x."""
        try:
            self.session.heartbeat(*(() if timeout is None else (timeout,)))
        except Exception:
            pass  # the monitor was not started

    def get_stats(self):
        """Return how many ops were `sent`, `dropped`, and are `queued`."""
        if getattr(self.session, "_delegates", True):
            return dict(self._counts, queued=0)
        stats = self.session.stats()
        queued = self.session._writer.queued()
        return {"sent": stats["records"] - queued, "dropped": sum(stats["dropped"].values()), "queued": queued}

    def flush(self, timeout=2.0):
        """As `Session.flush`, if the session has it."""
        return getattr(self.session, "flush", lambda timeout: True)(timeout)

    def shutdown(self, timeout=2.0):
        """Flush, waiting at most `timeout` seconds, and end the session."""
        return self.end(timeout)

    def end(self, timeout=2.0, exit_code=None, signal=None):
        """`shutdown`, with the arguments of `Session.end`."""
        self.flush(timeout)
        self.running = False
        options = {"exit_code": exit_code, "signal": signal}
        return self.session.end(**dict((key, value) for key, value in options.items() if value is not None))

    def get_details(self):
        """As `Session.get_details`."""
        return self.session.get_details()

    def start_heartbeat_monitor(self, timeout=60, check_interval=5, every=None):
        """As `Session.start_heartbeat_monitor`."""
        options = {} if every is None else {"every": every}
        return self.session.start_heartbeat_monitor(timeout, check_interval, **options)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return self.session.__exit__(kind, error, trace)


# === Daemon manager ==========================================================
# 1.x's handle on the daemon.


class DaemonManager(object):
    """Starts the daemon. One daemon serves all programs of a user, so `stop()` leaves it running.

    `daemon_port` and `server_url` are used only for the daemon of datacat 1.x. `daemon_binary` is the path of the daemon's executable.
    `home` is as in `open`.
    """

    def __init__(self, daemon_port="auto", server_url=DEFAULT_URL, daemon_binary=None, home=None):
        self.daemon_port = _plain_text(daemon_port)
        self.server_url = server_url
        self.daemon_binary = daemon_binary or self._find_daemon_binary()
        self.config_path = None
        self._started = False
        self._has_daemon = False  # one runs, or was started
        self._original_url = None  # the address of datacat 1.x's daemon, if that was started
        self._home = home

    @property
    def process(self):
        """The daemon that serves this home, with `pid`, `port` and `poll()`, or None if none runs."""
        daemon = _running_daemon(_home_folder(self._home))
        return None if daemon is None else _DaemonProcess(daemon)

    def start(self):
        """Start a daemon if none runs. Does not wait for it, unless it is datacat 1.x's."""
        if self._started:
            return
        self._started = True
        try:
            home = _home_folder(self._home)
            path = None if _running_daemon(home) else _find_daemon(self.daemon_binary)
            if path is None:
                self._has_daemon = _running_daemon(home) is not None
            elif _is_original_daemon(path):
                self._original_url = "http://localhost:" + self._start_original(path, home)
            else:
                _spawn(path, home, DATACAT_HOME=os.path.abspath(home))
                self._has_daemon = True
        except Exception:
            pass  # the lane stays until a daemon runs

    def _start_original(self, path, home):
        """Start datacat 1.x's daemon as 1.x's client did. Returns its port."""
        if self.daemon_port in ("auto", "8079"):
            self.daemon_port = self._find_available_port()
        self.config_path = os.path.join(home, "daemon_config_%s.json" % self.daemon_port)
        config = {
            "daemon_port": self.daemon_port,
            "server_url": self.server_url,
            "batch_interval_seconds": 5,
            "max_batch_size": 100,
            "heartbeat_timeout_seconds": 60,
        }
        with _file(self.config_path, "wb") as file:
            file.write(json.dumps(config).encode("utf-8"))
        _spawn(path, home, DATACAT_CONFIG=os.path.abspath(self.config_path))
        _warn_of_original(path)
        _wait_for_answer("http://localhost:%s/health" % self.daemon_port, ORIGINAL_START_SECONDS)
        os.unlink(self.config_path)
        return self.daemon_port

    def stop(self):
        """Leave the daemon running, for other programs."""
        self._started = False

    def is_running(self):
        """Return whether a daemon runs."""
        return self.process is not None or self._original_url is not None

    def _find_daemon_binary(self):
        return _find_daemon() or "datacat-daemon"

    def _is_in_path(self, binary):
        return any(
            os.access(os.path.join(folder, _plain_text(binary)), os.X_OK)
            for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        )

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
        return None if _is_running(self._daemon) else 0


# === Capture =================================================================
# Uncaught exceptions, fatal errors and signals.


def capture(session, exceptions=True, threads=True, faults=True, signals=()):
    """Record uncaught exceptions as they happen, and how the program was stopped. Hooks that were installed before still run.

    Parameters:
        session: The session that records them.
        exceptions: Uncaught exceptions of the main thread, those in `__del__`, and those of tasks that the program never retrieves.
        threads: Uncaught exceptions of other threads.
        faults: Fatal errors such as a segmentation fault, also if the program has enabled `faulthandler` itself, which then prints them
            no more. Without that, they are recorded in any case.
        signals: Names of signals, ("SIGTERM",) for example. The session's `end` states the signal: at once if the signal stops the
            program, else when the program has ended after its own handler ran.

    Returns the session.
    """
    try:
        wanted = [("exceptions", exceptions), ("threads", threads), ("faults", faults)]
        begin = {"exceptions": _capture_uncaught, "threads": _capture_threads, "faults": _capture_faults}
        for name in [name for name, is_wanted in wanted if is_wanted] + _texts_of(signals):
            if (session.session_id, name) not in _captures:  # a second hook would record each twice
                _captures.add((session.session_id, name))
                begin.get(name, functools.partial(_capture_signal, name=name))(session)
    except Exception:
        _raise_if_stack_is_full()
    return session


_captures = set()  # (session id, what)
_captured = {}


def _capture_uncaught(session):
    _capture_exceptions(session)
    _capture_unraisable(session)
    _capture_asyncio(session)


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


def _capture_unraisable(session):
    """Record exceptions in `__del__` and in callbacks of C code (3.8 and later). They end nothing."""
    if not hasattr(sys, "unraisablehook"):
        return
    before = sys.unraisablehook

    def unraisablehook(arguments):
        try:
            exc_info = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
            thing = arguments.object
            data = {"object": getattr(thing, "__qualname__", None) or _type_name(thing)} if thing is not None else None
            message = arguments.err_msg or "Exception ignored in"
            session._log_exception(session._now(), [], exc_info, data, "exception", message, False, False)
        except Exception:
            pass
        before(arguments)

    sys.unraisablehook = unraisablehook


def _capture_asyncio(session):
    """Record exceptions of tasks and callbacks that the program never retrieves.

    A loop without a handler of the program logs them, whichever library it comes from; one with such a handler passes them to it.
    """

    def record(error, message):
        try:
            if error is not None and error is not _captured.get(session.session_id):
                _captured[session.session_id] = error
                session._log_exception(session._now(), [], _exc_info(error), None, "exception", message, False, False)
        except Exception:
            pass

    class Logged(logging.Filter):
        def filter(self, log_record):
            if log_record.exc_info and log_record.levelno >= logging.ERROR:
                record(log_record.exc_info[1], _message_of(log_record, None).split("\n")[0])
            return True

    logging.getLogger("asyncio").addFilter(Logged())
    loops = getattr(sys.modules.get("asyncio.base_events"), "BaseEventLoop", None)
    if loops is None:
        return
    before = loops.call_exception_handler

    def call_exception_handler(loop, context):
        if issubclass(type(context), dict):
            record(context.get("exception"), context.get("message"))
        return before(loop, context)

    loops.call_exception_handler = call_exception_handler


def _capture_threads(session):
    def record(exc_info, thread):
        try:
            if not issubclass(exc_info[0], SystemExit):
                data = {"thread": getattr(thread, "name", None)}
                session._log_exception(session._now(), [], exc_info, data, "exception", None, False, False)
        except Exception:
            pass

    if hasattr(threading, "excepthook"):
        before = threading.excepthook

        def excepthook(arguments):
            record((arguments.exc_type, arguments.exc_value, arguments.exc_traceback), arguments.thread)
            before(arguments)

        threading.excepthook = excepthook
        return

    start = threading.Thread.start

    def start_recorded(thread):  # before 3.8 there is no hook
        run = thread.run

        def run_recorded(*arguments, **options):
            try:
                run(*arguments, **options)
            except BaseException:
                record(sys.exc_info(), thread)
                raise

        thread.run = run_recorded
        return start(thread)

    threading.Thread.start = start_recorded


def _capture_faults(session):
    """Record fatal errors even if the program's own faulthandler prints them elsewhere: the caller asks for that."""
    writer = session._writer
    if isinstance(writer, _LaneWriter):
        _fatal_errors.begin(writer, writer.lane, is_forced=True)


def _capture_signal(session, name):
    try:
        import signal

        number = getattr(signal, name)
        before = signal.getsignal(number)

        def handler(received, frame):
            if callable(before):
                if before is not signal.default_int_handler:  # its KeyboardInterrupt gives SIGINT, unless the program catches it
                    session._writer.signal = name
                before(received, frame)
            else:
                session.end(signal=name)
                signal.signal(received, signal.SIG_DFL)
                os.kill(os.getpid(), received)

        if callable(before) or before == signal.SIG_DFL:  # else the program ignores it, or C code handles it
            signal.signal(number, handler)
    except Exception:
        pass  # called outside the main thread, or this system has no such signal


# === Continuous integration ==================================================
# What a run belongs to: commit, branch, pull request and job. test/fixtures/ci.json holds it for every language.


def ci_context(environment=None, folder=None):
    """Return what this run belongs to, or None if neither a CI service nor a git commit is known.

    Parameters:
        environment: The variables that a CI service sets, a dict. Default: `os.environ`.
        folder: A folder of the git repository. Default: the current one.

    Returns a dict for the state `ci`. Keys that are unknown are absent: `provider` ("github", "gitlab", "bitbucket", "buildkite",
    "circleci", "azure", "teamcity", "jenkins" or "git"), `commit`, `commit_short` (12 digits), `branch`, `tag`, `pull_request`, `job`,
    `job_url`, `run_number`, `run_attempt`, `author_time` (epoch milliseconds), `dirty` (whether files differ from the commit),
    `subject` and `repository`. Never raises; takes at most a second.
    """
    try:
        environment = os.environ if environment is None else environment
        until = _monotonic() + GIT_SECONDS
        log = _ask_git(_GIT_LOG, folder, until)
        status = None if log is None else _ask_git(_GIT_STATUS, folder, until)
        return _ci_context(environment, _git_context(log, status), _github_event(environment.get("GITHUB_EVENT_PATH")))
    except Exception:
        return None


def _ci_version(context):
    """Return the version of a session that has none, or None."""
    commit = (context or {}).get("commit_short")
    return commit + "-dirty" if commit and context.get("dirty") else commit


# Neither runs a program that a repository's configuration names.
_GIT_LOG = ["-c", "log.showSignature=false", "log", "-1", "--decorate=full", "--format=%H%x00%at%x00%D%x00%s"]
_GIT_STATUS = ["-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"]


def _ask_git(arguments, folder, until):
    """Return what git prints, or None: no git, no repository, or too slow."""
    import subprocess
    import tempfile

    # A missing object of a partial clone is not fetched. A lock would make another git fail.
    environment = dict(os.environ, DATACAT_DISABLED="1", GIT_ALLOW_PROTOCOL="none", GIT_OPTIONAL_LOCKS="0")
    with tempfile.TemporaryFile() as output, _file(os.devnull, "r+b") as null:
        process = subprocess.Popen(
            ["git"] + arguments, stdin=null, stdout=output, stderr=null, cwd=folder, env=environment, close_fds=True
        )  # fmt: skip
        while process.poll() is None and _monotonic() < until:  # 2.7 has no `wait` with a limit
            time.sleep(0.001)
        if process.returncode is None:
            process.kill()
            process.wait()
        if process.returncode != 0:
            return None
        output.seek(0)
        return _plain_text(output.read(MAX_GIT_BYTES))


def _github_event(path):
    try:
        if not path or os.path.getsize(path) > MAX_GIT_BYTES:
            return None
        with _file(path) as file:
            return json.loads(file.read().decode("utf-8"))
    except Exception:
        return None


def _git_context(log, status):
    """Return what `git log` and `git status` printed, each None if it failed."""
    commit, author_time, names, subject = ((log or "").split("\0") + [None] * 4)[:4]
    refs = (names or "").split(", ")
    return {
        "commit": _commit(commit),
        "branch": _ci_text(_first_after("HEAD -> refs/heads/", refs)),
        "tag": _ci_text(_first_after("tag: refs/tags/", refs)),
        "author_time": int(author_time) * 1000 if re.match(r"[0-9]{1,12}\Z", author_time or "") else None,
        "dirty": None if status is None else bool(status.strip()),
        "subject": _ci_text(subject),
    }


def _ci_context(environment, git, event=None):
    """`ci_context` of these variables, of `_git_context`, and of the content of GitHub's event file."""
    variables = _Variables(environment)
    provider, found = "git", {}
    for name, is_it, read in _CI_SERVICES:
        if is_it(variables):
            provider, found = name, read(variables, event)
            break
    commit = _commit(found.get("commit")) or git["commit"]
    if provider == "git" and commit is None:
        return None
    own = git if commit == git["commit"] else {}  # else a merge is checked out that the service made
    branch, tag = _ci_text(found.get("branch")), _ci_text(found.get("tag"))
    context = [
        ("provider", provider),
        ("commit", commit),
        ("commit_short", commit and commit[:12]),
        ("branch", branch or (None if tag else own.get("branch"))),
        ("tag", tag or (None if branch else own.get("tag"))),
        ("pull_request", _ci_number(found.get("pull_request"))),
        ("job", _ci_text(found.get("job"))),
        ("job_url", _ci_url(found.get("job_url"))),
        ("run_number", _ci_number(found.get("run_number"))),
        ("run_attempt", _ci_number(found.get("run_attempt"))),
        ("author_time", own.get("author_time")),
        ("dirty", git["dirty"]),
        ("subject", own.get("subject") or _ci_text((found.get("subject") or "").split("\n", 1)[0])),
        ("repository", _ci_text(found.get("repository")) or _repository(found.get("repository_url"))),
    ]
    return OrderedDict((key, value) for key, value in context if value is not None)


class _Variables(object):
    """The environment, as texts; one that is not set is None."""

    def __init__(self, environment):
        self.environment = environment

    def __getattr__(self, name):
        value = self.environment.get(name)
        return _plain_text(value) if value else None


def _github(v, event):
    pull = _member(event, "pull_request")
    run = _joined(_joined(v.GITHUB_SERVER_URL, "/", v.GITHUB_REPOSITORY), "/actions/runs/", v.GITHUB_RUN_ID)
    last = _member(_member(pull, "head"), "sha")
    number = _member(pull, "number")
    ref = re.match(r"refs/pull/([0-9]+)/", v.GITHUB_REF or "")
    return {
        "commit": _plain_text(last) if isinstance(last, _STRINGS) else v.GITHUB_SHA,
        "branch": v.GITHUB_HEAD_REF or (v.GITHUB_REF_NAME if v.GITHUB_REF_TYPE == "branch" else None),
        "tag": v.GITHUB_REF_NAME if v.GITHUB_REF_TYPE == "tag" else None,
        "pull_request": _plain_text(number) if isinstance(number, (int, _text_type)) else ref and ref.group(1),
        "job": _joined(v.GITHUB_WORKFLOW, " / ", v.GITHUB_JOB) or v.GITHUB_JOB,
        "job_url": _joined(run, "/attempts/", v.GITHUB_RUN_ATTEMPT) or run,
        "run_number": v.GITHUB_RUN_NUMBER,
        "run_attempt": v.GITHUB_RUN_ATTEMPT,
        "repository": v.GITHUB_REPOSITORY,
    }


def _gitlab(v, event):
    source = v.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA  # of a pipeline for the merged result
    return {
        "commit": source or v.CI_COMMIT_SHA,
        "branch": v.CI_MERGE_REQUEST_SOURCE_BRANCH_NAME or v.CI_COMMIT_BRANCH,
        "tag": v.CI_COMMIT_TAG,
        "pull_request": v.CI_MERGE_REQUEST_IID,
        "job": v.CI_JOB_NAME,
        "job_url": v.CI_JOB_URL,
        "run_number": v.CI_PIPELINE_IID,
        "subject": None if source else v.CI_COMMIT_TITLE,
        "repository": v.CI_PROJECT_PATH,
    }


def _bitbucket(v, event):
    repository = v.BITBUCKET_REPO_FULL_NAME
    page = _joined(_joined("https://bitbucket.org/", "", repository), "/pipelines/results/", v.BITBUCKET_BUILD_NUMBER)
    return {
        "commit": v.BITBUCKET_COMMIT,
        "branch": v.BITBUCKET_BRANCH,
        "tag": v.BITBUCKET_TAG,
        "pull_request": v.BITBUCKET_PR_ID,
        "job_url": page,
        "run_number": v.BITBUCKET_BUILD_NUMBER,
        "repository": repository,
    }


def _buildkite(v, event):
    retries = v.BUILDKITE_RETRY_COUNT or ""
    return {
        "commit": v.BUILDKITE_COMMIT,
        "branch": v.BUILDKITE_BRANCH,
        "tag": v.BUILDKITE_TAG,
        "pull_request": None if v.BUILDKITE_PULL_REQUEST == "false" else v.BUILDKITE_PULL_REQUEST,
        "job": v.BUILDKITE_LABEL,
        "job_url": _joined(v.BUILDKITE_BUILD_URL, "#", v.BUILDKITE_JOB_ID) or v.BUILDKITE_BUILD_URL,
        "run_number": v.BUILDKITE_BUILD_NUMBER,
        "run_attempt": str(int(retries) + 1) if re.match(r"[0-9]{1,6}\Z", retries) else None,
        "subject": v.BUILDKITE_MESSAGE,
        "repository_url": v.BUILDKITE_REPO,
    }


def _circleci(v, event):
    page = re.search(r"/([0-9]+)\Z", v.CIRCLE_PULL_REQUEST or "")
    return {
        "commit": v.CIRCLE_SHA1,
        "branch": v.CIRCLE_BRANCH,
        "tag": v.CIRCLE_TAG,
        "pull_request": v.CIRCLE_PR_NUMBER or (page and page.group(1)),
        "job": v.CIRCLE_JOB,
        "job_url": v.CIRCLE_BUILD_URL,
        "run_number": v.CIRCLE_BUILD_NUM,
        "repository": _joined(v.CIRCLE_PROJECT_USERNAME, "/", v.CIRCLE_PROJECT_REPONAME),
    }


def _azure(v, event):
    source = v.SYSTEM_PULLREQUEST_SOURCECOMMITID
    ref = v.SYSTEM_PULLREQUEST_SOURCEBRANCH or v.BUILD_SOURCEBRANCH or ""
    project = _joined(v.SYSTEM_COLLECTIONURI, "", (v.SYSTEM_TEAMPROJECT or "").replace(" ", "%20"))
    return {
        "commit": source or v.BUILD_SOURCEVERSION,
        "branch": _first_after("refs/heads/", [ref]),
        "tag": _first_after("refs/tags/", [ref]),
        "pull_request": v.SYSTEM_PULLREQUEST_PULLREQUESTNUMBER or v.SYSTEM_PULLREQUEST_PULLREQUESTID,
        "job": v.SYSTEM_JOBDISPLAYNAME or v.AGENT_JOBNAME,
        "job_url": _joined(project, "/_build/results?buildId=", v.BUILD_BUILDID),
        "run_number": v.BUILD_BUILDNUMBER,
        "run_attempt": v.SYSTEM_JOBATTEMPT,
        "subject": None if source else v.BUILD_SOURCEVERSIONMESSAGE,
        "repository": v.BUILD_REPOSITORY_NAME,
    }


def _teamcity(v, event):
    return {
        "commit": v.BUILD_VCS_NUMBER,
        "job": _joined(v.TEAMCITY_PROJECT_NAME, " / ", v.TEAMCITY_BUILDCONF_NAME) or v.TEAMCITY_BUILDCONF_NAME,
        "job_url": v.BUILD_URL,
        "run_number": v.BUILD_NUMBER,
    }


def _jenkins(v, event):
    branch = v.BRANCH_NAME or re.sub(r"\Aorigin/", "", v.GIT_BRANCH or "")
    return {
        # The merge that Jenkins makes of a pull request has no name of its last commit; the merge is then what ran.
        "commit": v.GIT_COMMIT,
        "branch": v.CHANGE_BRANCH if v.CHANGE_ID else None if v.TAG_NAME else branch,
        "tag": v.TAG_NAME,
        "pull_request": v.CHANGE_ID,
        "job": v.JOB_NAME,
        "job_url": v.BUILD_URL,
        "run_number": v.BUILD_NUMBER,
        "repository_url": v.GIT_URL,
    }


_CI_SERVICES = (
    ("github", lambda v: v.GITHUB_ACTIONS == "true", _github),
    ("gitlab", lambda v: v.GITLAB_CI == "true", _gitlab),
    ("bitbucket", lambda v: v.BITBUCKET_BUILD_NUMBER, _bitbucket),
    ("buildkite", lambda v: v.BUILDKITE == "true", _buildkite),
    ("circleci", lambda v: v.CIRCLECI == "true", _circleci),
    ("azure", lambda v: (v.TF_BUILD or "").lower() == "true", _azure),
    ("teamcity", lambda v: v.TEAMCITY_VERSION, _teamcity),
    # After the others: a machine of theirs may have its variables too.
    ("jenkins", lambda v: v.JENKINS_URL and v.BUILD_NUMBER, _jenkins),
)


def _joined(first, between, second):
    """Return both texts with `between`, or None if one is missing."""
    return first + between + second if first and second else None


def _first_after(prefix, texts):
    for text in texts:
        if text.startswith(prefix) and len(text) > len(prefix):
            return text[len(prefix) :]
    return None


def _member(value, key):
    return value.get(key) if isinstance(value, dict) else None


def _commit(value):
    return value.lower() if value and re.match(r"[0-9a-fA-F]{7,64}\Z", value) else None


def _ci_text(value):
    """Return one line of at most MAX_CI_TEXT characters, or None."""
    if not value:
        return None
    text = value.decode("utf-8", "replace") if _PY2 else value
    text = re.sub(u"[\x00-\x1f\x7f-\x9f]", u" ", text[:MAX_CI_TEXT]).strip()
    return _plain_text(text) or None


def _ci_number(value):
    return int(value) if value and re.match(r"[0-9]{1,15}\Z", value) else _ci_text(value)


def _ci_url(value):
    """Return a link without its user name and password, or None unless it is one of http or https."""
    match = re.match(r"(https?://)([!-~]+)\Z", value, re.I) if value and len(value) <= MAX_CI_URL else None
    if not match:
        return None
    host, path = re.match(r"([^/?#\\]*)(.*)", match.group(2)).groups()
    return match.group(1).lower() + host.rpartition("@")[2] + path


def _repository(url):
    """Return `acme/app` of `https://user:password@example.com/acme/app.git` and of `git@example.com:acme/app.git`."""
    if not url or len(url) > MAX_CI_URL:
        return None
    rest = url.partition("://")[2] if "://" in url else url
    _, found, path = rest.partition("/" if "://" in url else ":")
    return _ci_text(path[:-4] if path.endswith(".git") else path) if found else None


# === Exit ====================================================================
# The exit hook, and the hooks of a fork.

_open_writers = {}  # by identity: (writer, client, session id)


@atexit.register
def _on_exit():
    """The exit hook: one write for each session. Only direct mode waits, at most END_WAIT_SECONDS."""
    try:
        uncaught = _uncaught_exception()
        for writer, client, session_id in list(_open_writers.values()):
            session = client._session(session_id)
            if not writer.owner:
                if uncaught is not None:
                    session._log_uncaught(uncaught)
                continue
            if uncaught is None:
                session.end()
            elif issubclass(uncaught[0], KeyboardInterrupt):
                session.end(signal="SIGINT")
            else:
                session._crash_by(uncaught, 1)
        deadline = time.time() + END_WAIT_SECONDS
        for writer, _, _ in list(_open_writers.values()):
            writer.finish(deadline)
        _stack_watch.stop()
    except Exception:
        pass


def _uncaught_exception():
    """Return the `exc_info` of the exception that ends the program, or None.

    The interpreter stores it in `sys.last_value`; test runners and shells store there the exceptions that they caught. Only of an
    uncaught exception the outermost frame has no caller.
    """
    kind = getattr(sys, "last_type", None)
    if not isinstance(kind, type) or not issubclass(kind, BaseException) or hasattr(sys, "ps1"):
        return None
    trace = getattr(sys, "last_traceback", None)
    if trace is None or trace.tb_frame.f_back is not None:
        return None
    return kind, getattr(sys, "last_value", None), trace


def _after_fork():
    for writer, _, _ in list(_open_writers.values()):
        try:
            writer.forked()
        except Exception:
            pass
    _stack_watch.forked()
    _fatal_errors.forked()
    try:
        sys.modules["multiprocessing.util"].register_after_fork(_stack_watch, _record_in_child)
    except Exception:
        pass  # the program does not use multiprocessing


def _record_in_child(_):
    """Record what ends a child of multiprocessing, which prints the exception and exits by os._exit(). 3.7 and later."""
    process = sys.modules["multiprocessing.process"].current_process()
    run = process.run

    def run_recorded():
        try:
            run()
        except Exception:
            for _, client, session_id in list(_open_writers.values()):
                client._session(session_id)._log_uncaught(sys.exc_info())
            raise

    process.run = run_recorded


def _mark_running(writer, lane):
    """Leave a file beside the lane of a process that joined the session, until it ends by itself (clients/README.md, "Processes that
    join"). Only where SIGTERM is recorded or handled: pools end their processes by it, which is no event of the session."""
    try:
        if not _fatal_errors.records_stop() or writer.running is not None:
            return
        file = _open_beside(lane, "running", 0)
        os.close(file)
        writer.running = os.path.join(lane.folder, lane.id + ".running")
        # Children of os.fork() and of multiprocessing end by os._exit(), which calls no exit hook.
        if not hasattr(os._exit, "__wrapped__"):
            os._exit = _exit_by_itself(os._exit)
    except Exception:
        _raise_if_stack_is_full()


def _unmark_running(writer):
    path, writer.running = writer.running, None
    if path is not None:
        try:
            os.remove(path)
        except OSError:
            pass  # with the lane, or with its folder


def _exit_by_itself(exit_now):
    @functools.wraps(exit_now)
    def _exit(*args, **kwargs):
        try:
            for writer, _, _ in list(_open_writers.values()):
                if isinstance(writer, _LaneWriter):
                    _unmark_running(writer)
        finally:
            exit_now(*args, **kwargs)

    return _exit


if _HAS_FORK_HOOK:
    os.register_at_fork(
        before=lambda: _stack_watch.before_fork(),
        after_in_parent=lambda: _stack_watch.after_fork(),
        after_in_child=_after_fork,
    )


# === Stacks ==================================================================
# The stacks of all threads while the program hangs, and fatal errors, in files beside the lane (clients/README.md, "Stacks and fatal
# errors"). CPython 3.7 and later: older ones have no hook before a fork, and 2.7 has no faulthandler.


def _records_stacks():
    return faulthandler is not None and _HAS_FORK_HOOK and os.environ.get("DATACAT_STACKS") != "0"


def _is_under_pytest():
    """Return whether pytest uses faulthandler: it enables it, and its timer, for each test."""
    return "_pytest.faulthandler" in sys.modules


def _open_beside(lane, kind, flags):
    path = os.path.join(lane.folder, "%s.%s" % (lane.id, kind))
    flags |= os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | _O_CLOEXEC
    return _with_high_number(os.open(path, flags, 0o600))


class _FatalErrors(object):
    """Lets faulthandler write fatal errors, and the stacks at signals whose default action ends the process, beside one lane.

    faulthandler keeps the numbers of descriptors. For the next lane, the numbers get its file (dup2), so that a handler which the
    program has installed meanwhile stays as it is.
    """

    def __init__(self):
        self.writer = None  # whose lane the files are beside
        self.files = []  # (descriptor, identity, offset): the signal's number, or 0 for fatal errors

    def begin(self, writer, lane, is_forced=False):
        """Write beside this lane, unless another session of this process has its own open."""
        try:
            if lane.folder is None or not _records_stacks():
                return
            if is_forced and not any(offset == 0 for _, _, offset in self.files):
                faulthandler.disable()
            elif self.writer is not None:
                return
            if self.files and not is_forced:
                self._redirect(lane)
            else:
                self._install(lane)
            self.writer = writer
        except Exception:
            _raise_if_stack_is_full()

    def end(self, writer):
        """The session ends: write beside the lane of another one, or nowhere."""
        if self.writer is not writer:
            return
        self.writer = None
        try:
            for other, _, _ in list(_open_writers.values()):
                if isinstance(other, _LaneWriter) and not other.ended and other.lane.folder is not None:
                    return self.begin(other, other.lane)
            self._redirect(None)
        except Exception:
            pass

    def records_stop(self):
        """Return whether SIGTERM leaves a trace: its stacks, or what a handler of the program does."""
        import signal

        if not _records_stacks():
            return False
        is_handled = signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        return is_handled or any(offset == signal.SIGTERM for _, _, offset in self.files)

    def forked(self):
        """In a forked child: fatal errors go to the parent's file until the child opens its own lane; signals are not recorded until
        then, since a pool ends its processes by one."""
        self.writer = None
        try:
            signals = [file for file in self.files if file[2]]
            self.files = [file for file in self.files if not file[2]]
            for file in signals:
                self.files.extend(self._replace(file, os.open(os.devnull, os.O_WRONLY)))
        except Exception:
            pass

    def _install(self, lane):
        import signal

        file = _open_beside(lane, "fatal", os.O_APPEND)
        if faulthandler.is_enabled() or _is_under_pytest():
            os.write(file, b"\n")  # the mark of a file that has no fatal errors, but signals
            os.close(file)
        else:
            faulthandler.enable(file, all_threads=True)
            self.files.append((file, _identity(file)[:2], 0))
        for name in FATAL_SIGNALS if hasattr(faulthandler, "register") else ():
            number = getattr(signal, name)
            if signal.getsignal(number) == signal.SIG_DFL:  # the program handles or ignores the others
                file = _open_beside(lane, "fatal", 0)
                os.lseek(file, number, os.SEEK_SET)
                faulthandler.register(number, file, all_threads=True, chain=True)
                self.files.append((file, _identity(file)[:2], number))

    def _redirect(self, lane):
        files, self.files = self.files, []
        if lane is not None and not any(offset == 0 for _, _, offset in files):
            os.close(_open_beside(lane, "fatal", 0))
        for file in files:
            offset = file[2]
            if lane is None:
                replacement = os.open(os.devnull, os.O_WRONLY)
            else:
                replacement = _open_beside(lane, "fatal", 0 if offset else os.O_APPEND)
                os.lseek(replacement, offset, os.SEEK_SET)
            self.files.extend(self._replace(file, replacement))

    def _replace(self, file, replacement):
        """Give the number of a descriptor to another file, unless the program has closed it and the number may be another file's."""
        descriptor, identity, offset = file
        try:
            if _identity(descriptor)[:2] != identity:
                return []
            os.dup2(replacement, descriptor, False)
            return [(descriptor, _identity(descriptor)[:2], offset)]
        except OSError:
            return []
        finally:
            os.close(replacement)


class _StackWatch(object):
    """Writes samples of all threads beside the lane of a session whose heartbeats are late: one session of the process at a time.

    A thread does that, which waits most of the time. It begins a timer of faulthandler again and again, so that when a call or a loop
    keeps the interpreter, and with it this thread, faulthandler's own thread writes the samples.
    """

    def __init__(self):
        self.can_arm = None  # whether faulthandler's timer is not used by the program; None: not known yet
        self._reset()

    def _reset(self):
        self.writer = None
        self.timeout = DEFAULT_TIMEOUT_SECONDS
        self.heartbeat_at = 0.0
        self.is_paused = False
        self.stopping = self.ended = None  # locks: the thread ends when the first is released, and releases the second
        self.file = self.identity = None
        self.is_armed = False
        self.samples = 0
        self.sampled_at = 0.0
        self.forks = 0  # of other threads, that are about to happen
        self.has_daemon = False
        self.look_at = 0.0  # when that is looked at again

    def heartbeat(self, writer, timeout):
        if self.writer is not writer:
            if self.writer is not None or writer.ended or not _records_stacks() or writer.lane.folder is None:
                return
            self._begin(writer)
        self.heartbeat_at = _monotonic()
        self.is_paused = False
        if timeout is not None:
            self.timeout = max(timeout, SHORTEST_TIMEOUT_SECONDS)
        if self.stopping is None and self.file is not None and not self.forks:
            self._start()

    def end(self, writer):
        if self.writer is writer:
            self.stop()
            self._close()
            self._reset()

    def stop(self):
        """End the thread and the timer. The next heartbeat begins them again."""
        stopping, self.stopping = self.stopping, None
        if stopping is not None:
            stopping.release()
            self.ended.acquire(True, LOCK_SECONDS)  # it may wait for a disk
        self._disarm()

    def before_fork(self):
        """A child would wait for faulthandler's thread for ever, because it has none. Python warns of a fork with several threads."""
        self.forks += 1
        try:
            if self.writer is not None:
                self.stop()
            elif self.can_arm is None and _records_stacks():
                self.can_arm = _is_timer_free()
        except Exception:
            pass

    def after_fork(self):
        self.forks = max(0, self.forks - 1)

    def forked(self):
        try:
            self._close()
        except Exception:
            pass
        self._reset()

    def _begin(self, writer):
        self.writer = writer
        try:
            self.file = _open_beside(writer.lane, "stacks", os.O_APPEND)
            self.identity = _identity(self.file)[:2]
        except (OSError, IOError):
            self.file = None  # the disk is full

    def _close(self):
        file, self.file = self.file, None
        if file is not None and self._is_ours(file):
            os.close(file)

    def _is_ours(self, file):
        try:
            return _identity(file)[:2] == self.identity
        except OSError:
            return False  # the program closed it

    def _start(self):
        self.stopping, self.ended = _thread.allocate_lock(), _thread.allocate_lock()
        self.stopping.acquire()
        self.ended.acquire()
        self._step()  # the thread may not get its turn before the program keeps the interpreter
        # Not by `threading`, whose lists of threads the program may count.
        _thread.start_new_thread(self._run, (self.stopping, self.ended))

    def _run(self, stopping, ended):
        try:
            while not stopping.acquire(True, self._step()):
                pass
        except Exception:
            pass  # the interpreter exits, or the file was closed
        finally:
            ended.release()

    def _step(self):
        """Do what is due. Returns the time until the next step, in seconds."""
        interval = min(SAMPLE_SECONDS, self.timeout / 3)
        file = self.file
        if self.is_paused or file is None or not self._is_ours(file):
            self._disarm()
            return interval
        silence = _monotonic() - self.heartbeat_at
        if silence < self.timeout:
            if os.fstat(file).st_size:
                os.ftruncate(file, 0)
            self.samples = 0
            self._arm(file, 2 * interval)
            return min(interval, max(self.timeout - silence, 0.01))
        now = _monotonic()
        if self.samples < FIRST_SAMPLES or now - self.sampled_at >= LATER_SAMPLE_SECONDS:
            self.samples += 1
            self.sampled_at = now
            os.write(file, _sample_text())
        self._disarm()
        return interval

    def _arm(self, file, seconds):
        if self.can_arm is None:
            self.can_arm = _is_timer_free()
        if self.can_arm and not self.forks and self.stopping is not None:
            # More than one sample only if a daemon empties the file: nothing else could end them while the interpreter is kept.
            faulthandler.dump_traceback_later(seconds, repeat=self._is_read(), file=file)
            self.is_armed = True

    def _is_read(self):
        now = _monotonic()
        if now >= self.look_at:
            self.look_at = now + SAMPLE_SECONDS
            self.has_daemon = _running_daemon(os.path.dirname(self.writer.lane.folder)) is not None
        return self.has_daemon

    def _disarm(self):
        if self.is_armed and self.can_arm:
            self.is_armed = False
            faulthandler.cancel_dump_traceback_later()


def _is_timer_free():
    """Return whether the program does not use faulthandler's timer, of which a process has one. Notes it when it does so later."""
    if not hasattr(faulthandler, "dump_traceback_later") or _is_under_pytest() or _has_timer_thread():
        return False
    if "uwsgi" in sys.modules:
        return False  # its fork in C calls no hook before it: a worker would wait for the timer's thread as it exits, for ever
    begin, cancel = faulthandler.dump_traceback_later, faulthandler.cancel_dump_traceback_later

    def noted(function):
        @functools.wraps(function)
        def call(*arguments, **options):
            if sys._getframe(1).f_code not in _OWN_TIMER_CALLS:
                _stack_watch.can_arm = function is cancel
                _stack_watch.is_armed = False
            return function(*arguments, **options)

        return call

    faulthandler.dump_traceback_later, faulthandler.cancel_dump_traceback_later = noted(begin), noted(cancel)
    return True


def _has_timer_thread():
    """Return whether a thread blocks every signal, as that of faulthandler's timer does. Linux shows it."""
    try:
        for thread in os.listdir("/proc/self/task"):
            with _file("/proc/self/task/%s/status" % thread) as file:
                found = re.search(br"^SigBlk:\s*([0-9a-f]+)$", file.read(), re.MULTILINE)
            # Signals 1 to 31 without SIGKILL and SIGSTOP, which cannot be blocked.
            if found and int(found.group(1), 16) & 0x7FFBFEFF == 0x7FFBFEFF:
                return True
    except (OSError, IOError):
        pass
    return False


def _sample_text():
    """Return the stacks of all threads as faulthandler writes them, with the names of threads and source lines."""
    own = _thread.get_ident()
    names = {ident: thread.name for ident, thread in list(threading._active.items())}
    main = threading.main_thread().ident
    parts = ["# %d\n" % (time.time() * 1000)]
    threads = sorted(sys._current_frames().items(), key=lambda item: item[0] != main)
    for ident, frame in threads[:SAMPLED_THREADS]:
        if ident == own:
            continue
        name = "MainThread" if ident == main else _plain_text(names.get(ident, ""))
        parts.append("Thread 0x%016x [%s] (most recent call first):\n" % (ident, " ".join(name.split())[:MAX_NAME_LENGTH]))
        for _ in range(SAMPLED_FRAMES):
            if frame is None:
                break
            code = frame.f_code
            line = frame.f_lineno or code.co_firstlineno
            parts.append('  File "%s", line %d in %s\n' % (code.co_filename, line, code.co_name))
            source = linecache.getline(code.co_filename, line).strip()
            if source:
                parts.append("    %s\n" % source[:MAX_NAME_LENGTH])
            frame = frame.f_back
        parts.append("\n")
    return "".join(parts).encode("utf-8", "replace")


_OWN_TIMER_CALLS = (_StackWatch._arm.__code__, _StackWatch._disarm.__code__) if not _PY2 else ()
_fatal_errors = _FatalErrors()
_stack_watch = _StackWatch()


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
    """Return the traceback of an exception in 2.7, where exceptions have no such attribute."""
    return sys.exc_info()[2] if sys.exc_info()[1] is error else None


def _stack(kind, error, trace, limit=None):
    """Return the lines that the interpreter prints, each with its line break, as 1.x did. A group's members have stacks of their own."""
    if kind is None:
        return traceback.format_stack(sys._getframe(3))
    try:
        if _PY2:
            return traceback.format_exception(kind, error, trace)
        if not _members(error) and not _is_in_long_chain(error):
            return traceback.format_exception(kind, error, trace, limit, chain=False)
        heading = ["Traceback (most recent call last):\n"] if trace is not None else []
        return heading + traceback.format_tb(trace, limit) + ["%s: %s\n" % (_qualified_name(kind), _error_message(error))]
    except Exception:  # an exception that cannot be printed
        _raise_if_stack_is_full()
        return traceback.format_tb(trace, limit) + [_qualified_name(kind) + "\n"]


def _is_in_long_chain(error):
    """Return whether more than MAX_CAUSES exceptions led to this one. `format_exception` reads them all, even with `chain=False`."""
    seen = [error]
    for each in seen:
        links = [getattr(each, "__cause__", None), getattr(each, "__context__", None)]
        for cause in links + list(_members(each)[: MAX_CAUSES + 1]):
            if cause is not None and not any(cause is other for other in seen):
                seen.append(cause)
        if len(seen) > MAX_CAUSES:
            return True
    return False


def _members(error):
    """Return the exceptions of a group, also of the package `exceptiongroup` before 3.11."""
    if getattr(type(error), "derive", None) is None:
        return ()
    members = getattr(error, "exceptions", ())
    return members if type(members) is tuple else ()


def _source(trace):
    if trace is None:
        return None, None, None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return code.co_filename, trace.tb_lineno, code.co_name


def _qualified_name(kind):
    """Return the type as tracebacks name it: with its module, unless that is builtin or the program's main file."""
    name = _class_name(kind)
    try:
        module = kind.__module__
        if type(module) is not str or module in ("builtins", "exceptions", "__main__", "__builtin__"):
            module = ""
        path = getattr(kind, "__qualname__", name)
        name = path.split("<locals>.")[-1] if type(path) is str else name
        return module + "." + name if module else name
    except Exception:  # of a metaclass
        return name


def _related(error):
    """Return what led to an exception, and its members, as (kind, exception)."""
    related = []
    try:
        cause = getattr(error, "__cause__", None)
        if cause is not None:
            related.append(("cause", cause))
        elif not getattr(error, "__suppress_context__", False) and getattr(error, "__context__", None) is not None:
            related.append(("context", error.__context__))
        related += [("member", member) for member in _members(error)]
    except Exception:
        _raise_if_stack_is_full()  # an attribute of the exception raises
    return related


class _Causes(object):
    """The tree of exceptions that led to one, as a list in which each follows the one that it led to.

    `items` has the fields of each, `left_out` is the number of those over the limits, `traces` are the tracebacks.
    """

    def __init__(self, error):
        self.items = []
        self.left_out = 0
        self.traces = []
        self.room = CAUSES_LENGTH
        self.seen = [error]
        self.seen_ids = {id(error)}
        if error is not None:
            self.add(error, 0, 0)

    def add(self, error, number, depth):
        related = _related(error)
        for position, (kind, each) in enumerate(related):
            if id(each) in self.seen_ids:
                continue
            if len(self.items) >= MAX_TREE:
                self.left_out += len(related) - position
                return
            if depth >= MAX_CAUSES:
                self.left_out += 1
                continue
            self.seen_ids.add(id(each))
            self.seen.append(each)  # so that no other object gets its id
            self.items.append(self.fields(each, kind, number))
            self.add(each, len(self.items), depth + 1)

    def fields(self, error, kind, parent):
        trace = getattr(error, "__traceback__", None)
        self.traces.append(trace)
        message = _shortened(_error_message(error), CAUSE_MESSAGE)
        fields = {"exception_type": _qualified_name(type(error)), "exception_msg": message}
        lines = _stack(type(error), error, trace, -CAUSE_FRAMES) if self.room > 0 else []
        kept = 0
        for line in reversed(lines):
            self.room -= len(line)
            if self.room < 0:
                break
            kept += 1
        fields["stacktrace"] = lines[len(lines) - kept :]
        if kept < len(lines):
            fields["stacktrace"].insert(0, "  %s %d lines\n" % (_ELLIPSIS, len(lines) - kept))
        fields["attributes"], fields["notes"] = _attributes(error, message), _notes(error)
        if kind != "cause":
            fields["kind"] = kind
        if parent != len(self.items):
            fields["parent"] = parent
        return fields


def _shortened(text, length):
    """Return a text cut to so many characters, with the number of the others."""
    text = _plain_text(text)
    if len(text) <= length:
        return text
    if _PY2:
        return _encode_text(_shortened_units(text.decode("utf-8", "replace"), length))
    return _shortened_units(text, length)


def _shortened_units(text, length):
    return text if len(text) <= length else text[:length] + u"\u2026%d" % (len(text) - length)


def _notes(error):
    try:
        notes = getattr(error, "__notes__", None)
        if not isinstance(notes, (list, tuple)):
            return []
        kept = [_shortened(note, ATTRIBUTE_LENGTH) for note in notes[:MAX_NOTES]]
        if len(notes) > MAX_NOTES:
            kept.append(_ELLIPSIS + " %d more" % (len(notes) - MAX_NOTES))
        return kept
    except Exception:
        _raise_if_stack_is_full()
        return []


_ELLIPSIS = "\xe2\x80\xa6" if _PY2 else u"\u2026"
_PLAIN = (str, _text_type, bool, int, float) + ((long,) if _PY2 else ())  # noqa: F821


def _attributes(error, message):
    """Return the plain values that an exception holds: its own, and those of its types, such as `errno`. Properties are not called."""
    kept, left_out = OrderedDict(), 0
    try:
        own = getattr(error, "__dict__", None)
        own = own if type(own) is dict else {}
        names = list(_attribute_names(type(error))) + list(itertools.islice(own, MAX_LOOKED_AT))
        left_out = max(0, len(own) - MAX_LOOKED_AT)
        for name in names:
            name = _plain_text(name)
            if name.startswith("_") or name in kept:
                continue
            value = own[name] if name in own else _read(error, name)
            if not issubclass(type(value), _PLAIN) or value == "" or value == message:
                continue
            if len(kept) >= MAX_ATTRIBUTES:
                left_out += 1
            else:
                is_text = issubclass(type(value), (str, _text_type))
                kept[_cut_name(name)] = _shortened(value, ATTRIBUTE_LENGTH) if is_text else value
    except Exception:
        _raise_if_stack_is_full()
    if left_out:
        kept[_ELLIPSIS] = left_out
    return kept


def _read(error, name):
    try:
        return getattr(error, name, None)
    except Exception:
        _raise_if_stack_is_full()
        return None


def _attribute_names(kind):
    """Return the names of the slots of a type and its bases. Cached, because a program has few types of exceptions."""
    names = _slots.get(kind)
    if names is None:
        names = []
        for base in kind.__mro__:
            if base in (BaseException, Exception, object):
                continue
            names += [name for name, slot in sorted(vars(base).items()) if type(slot) in _SLOTS and name not in _NO_ATTRIBUTES]
        if len(_slots) < MAX_CACHED:
            _slots[kind] = names
    return names


_slots = {}
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)
# What the message and the tree have, and what a decoder was decoding.
_NO_ATTRIBUTES = frozenset("msg message strerror args object exceptions print_file_and_line characters_written".split())


def _excerpts(traces):
    """Return the source lines around the innermost frames of the program, each as JSON."""
    texts = []
    for trace in traces:
        places = deque(maxlen=SOURCE_FRAMES)
        while trace is not None:
            code = trace.tb_frame.f_code
            if not _is_library(code.co_filename):
                places.append((code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals))
            trace = trace.tb_next
        for file, line, variables in reversed(places):
            text = _excerpts_read.get((file, line))
            if text is None:
                text = _read_excerpt(file, line, variables)
                if len(_excerpts_read) < MAX_EXCERPTS:
                    _excerpts_read[(file, line)] = text
            if text and text not in texts:
                texts.append(text)
            if len(texts) >= SOURCE_FRAMES:
                return texts
    return texts


_excerpts_read = {}


def _read_excerpt(file, line, variables):
    try:
        lines = linecache.getlines(file, variables)
        if not line or not 0 < line <= len(lines):
            return ""
        first = max(1, line - SOURCE_LINES)
        kept = [_shortened(text.rstrip("\r\n"), SOURCE_LENGTH) for text in lines[first - 1 : line + SOURCE_LINES]]
        return _excerpt_text(file, first, kept)
    except Exception:
        _raise_if_stack_is_full()  # the file is in another encoding, or its loader raises
        return ""


def _excerpt_text(file, first, lines):
    quoted = ",".join([_quote(_clean(_plain_text(line))) for line in lines])
    return '{"file":%s,"first":%d,"lines":[%s]}' % (_quote(_clean(_plain_text(file))), first, quoted)


def _is_library(file):
    return file.startswith(_LIBRARY) or "site-packages" in file or "dist-packages" in file or file.startswith("<frozen")


_LIBRARY = os.path.dirname(os.__file__) + os.sep


def _error_message(error):
    if error is None:
        return ""
    for text in (str, _text_type, repr):
        try:
            return text(error)
        except Exception:
            _raise_if_stack_is_full()
    return "<%s>" % _type_name(error)


def _locals(trace):
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    described = []
    for trace in frames[-LOCALS_FRAMES:]:
        code = trace.tb_frame.f_code
        place = OrderedDict([("function", code.co_name), ("file", code.co_filename), ("line", trace.tb_lineno)])
        variables = sorted(trace.tb_frame.f_locals.items(), key=lambda item: str(item[0]))
        place["variables"] = OrderedDict(
            item for item in variables[:MAX_LOCALS] if not str(item[0]).startswith("__")
        )
        described.append(place)
    return described


class _IgnoredLosses(list):
    def append(self, loss):
        pass


def _exception_fields(
    exception_type=None, exception_msg=None, stacktrace=None, source_file=None, source_line=None, source_function=None, causes=(),
    handled=None, attributes=None, notes=None, kind=None, parent=None, causes_left_out=0, sources=(), fingerprint=None, losses=None,
):  # fmt: skip
    """Return the fields of an exception or of a cause as JSON. `causes` are dicts of these parameters, `sources` texts of excerpts."""
    text = _text_field("exception_type", exception_type) + _text_field("exception_msg", exception_msg, MAX_EVENT_BYTES)
    text += _texts_field("stacktrace", stacktrace)
    text += _text_field("source_file", source_file) + _whole_field("source_line", source_line)
    text += _text_field("source_function", source_function)
    if attributes:
        text += _object_field("attributes", attributes, _IgnoredLosses())
    text += _texts_field("notes", notes) + _text_field("kind", kind)
    if parent is not None:
        text += ',"parent":%d' % parent
    if causes:
        text += ',"causes":[%s]' % ",".join(["{" + _exception_fields(**cause)[1:] + "}" for cause in causes])
    if causes_left_out:
        text += ',"causes_left_out":%d' % causes_left_out
    if sources:
        text += ',"sources":[%s]' % ",".join(sources)
    if handled is True or handled is False:
        text += ',"handled":true' if handled else ',"handled":false'
    return text + _name_field("event.fingerprint", "fingerprint", fingerprint, losses)


def _thrown_fields(kind, error, trace, message, handled=None, fingerprint=None, losses=None):
    """Return the fields of an exception object as JSON. `message` is its text."""
    file, line, function = _source(trace)
    causes = _Causes(error)
    return _exception_fields(
        "Unknown" if kind is None else _qualified_name(kind), message, _stack(kind, error, trace), file, line, function, causes.items,
        handled, _attributes(error, message), _notes(error), causes_left_out=causes.left_out,
        sources=_excerpts([trace] + causes.traces), fingerprint=fingerprint, losses=losses,
    )  # fmt: skip


def _test_field(test, losses):
    """Return the test of an event as JSON, without keys that have no value. The parts of its id are texts, of which none names the next one."""
    if not issubclass(type(test), dict):
        return _object_field("test", test, losses)
    parts = [_cut_name(_clean(part), MAX_TEST_PART) for part in _texts_of(test.get("id"), MAX_TEST_PARTS)]
    members = ['"id":[%s]' % ",".join([_quote(part) for part in parts])] if parts else []
    others = OrderedDict((key, value) for key, value in test.items() if value is not None and key != "id")
    if others:
        members.append(_object_text(others, "test", losses)[1:-1])
    return ',"test":{%s}' % ",".join(members)


def _texts_field(key, values):
    texts = _texts_of(values) if values is not None else ()
    return ',"%s":[%s]' % (key, ",".join([_quote(_clean(text)) for text in texts])) if texts else ""


# === Field ===================================================================
# Names, labels and other fields of an op as JSON. Ops are the text after `"seq":…,"at":…,`, with keys in the order of
# src/core/wire.ts. `str` is the text here: Unicode in 3, UTF-8 in 2.7, the faster of each language.


def _name_text(field, value, losses):
    """Return a name as JSON, cut to MAX_NAME_LENGTH at a whole character."""
    cached = _names.get(value) if type(value) is str else None
    if cached is not None:
        return cached
    whole = _plain_text(value)
    name = _cut_name(whole)
    shortened = len(name) < len(whole)
    if shortened:
        losses.append(("too_large", field))
    text = _quote(name)
    if type(value) is str and not shortened and len(_names) < MAX_CACHED:
        _names[value] = text
    return text


_names = {}


def _name_of(value):
    return _cut_name(_plain_text(value))


def _cut_name(name, most=MAX_NAME_LENGTH):
    if len(name) <= most // 2:
        return name  # no character is longer than two units
    if _PY2:
        wide = name.decode("utf-8", "replace")
        return _cut_units(wide, most).encode("utf-8")
    return _cut_units(name, most)


def _cut_units(name, most):
    units = 0
    for index, character in enumerate(name):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > most:
            return name[:index]
    return name


def _plain_text(value):
    """Return any value as `str`."""
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
        _raise_if_stack_is_full()
        return "<%s>" % _type_name(value)


def _name_field(field, key, value, losses):
    if value is None:
        return ""
    text = _name_text(field, value, losses)
    return "" if text == '""' else ',"%s":%s' % (key, text)


def _text_field(key, value, most=_NEVER):
    """Return a text. `most` is that of `_clean`."""
    if value is None:
        return ""
    text = _plain_text(value)
    return ',"%s":%s' % (key, _quote(text if key in _kept_paths else _clean(text, most))) if text else ""


def _tags_field(field, key, tags, losses):
    if tags is None:
        return ""
    whole = _tag_texts(tags, MAX_LABELS + 1)
    if not whole:
        return ""
    is_cut = len(whole) > MAX_LABELS
    texts = []
    for tag in whole[:MAX_LABELS]:
        text = _tags.get(tag) if key == "labels" else None
        if text is None:
            kept = _cut_name(tag)
            is_cut = is_cut or kept != tag
            text = _quote(kept if field == "metric.tags" else _clean(kept))  # the tags of a series identify it
            if key == "labels" and kept == tag and len(_tags) < MAX_CACHED:
                _tags[tag] = text
        texts.append(text)
    if is_cut:
        losses.append(("too_large", field))
    return ',"%s":[%s]' % (key, ",".join(texts))


_tags = {}  # of events, which mostly have the same ones: the text without secrets as JSON


def _tag_texts(tags, most):
    """Return the tags of a dict as texts (clients/README.md, "Tags"); those of a list, or one text, are texts already."""
    try:
        if not isinstance(tags, dict):
            return _texts_of(tags, most)
        items = _items(tags) if _PY2 else tags.items()
        return [_tag_text(key, value) for key, value in itertools.islice(items, most)]
    except Exception:
        _raise_if_stack_is_full()
        return []


def _tag_text(key, value):
    if type(key) is type(value) is str and value and not _PY2:
        return key + ":" + value
    key = _plain_text(key)
    if value is True or value is None:
        return key
    if value is False:
        text = "false"
    elif isinstance(value, float):
        text = _finite_text(float(value)) or _not_a_number(value)
    else:
        text = _plain_text(value)
    return key + ":" + text if text else key


def _both_tags(labels, tags):
    return _tag_texts(labels, MAX_LABELS + 1) + _tag_texts(tags, MAX_LABELS + 1)


def _tags_of_environment():
    return [tag.strip() for tag in os.environ.get("DATACAT_TAGS", "").split(",") if tag.strip()]


def _texts_of(values, most=MAX_ITEMS):
    """Return a list of texts from a list, one text, or any other value."""
    try:
        if isinstance(values, _TEXTS):
            values = [values]
        return [_plain_text(value) for value in _bounded(values, most)]
    except Exception:
        _raise_if_stack_is_full()
        return [_plain_text(values)]


def _object_field(key, value, losses):
    text = _object_text(value, key, losses)
    return "" if text == "{}" else ',"%s":%s' % (key, text)


def _buckets_field(buckets, losses):
    """Return the bounds without those that are not finite, because the last bucket has no bound."""
    try:
        bounds = [bound for bound in [_number_text(bucket) for bucket in _bounded(buckets, MAX_BUCKETS + 1)] if bound is not None]
    except Exception:  # not a list
        bounds = []
    if not bounds:
        return ""
    if len(bounds) > MAX_BUCKETS:
        losses.append(("too_large", "metric.buckets"))
    return ',"buckets":[%s]' % ",".join(bounds[:MAX_BUCKETS])


def _dropped_text(cause, count, detail=None, times=""):
    return '"op":"dropped","cause":%s,"count":%d%s%s}' % (_quote(cause), count, _text_field("detail", detail), times)


def _whole_field(key, value):
    value = _whole(value)
    return "" if value is None else ',"%s":%d' % (key, value)


def _whole(value):
    """Return an integer up to 2**53, which every language can hold, as an `int`; None for any other value."""
    try:
        value = int(value) if isinstance(value, numbers.Integral) else None
    except Exception:
        _raise_if_stack_is_full()
        return None
    return value if value is not None and _LEAST_EXACT <= value <= _EXACT else None


def _series_key(kind, name, unit, tags, buckets):
    """Return the key of a series in the cache, or None if a part of it has a type whose values may be equal but differ as text."""
    if type(name) is not str:
        return None
    if unit is None and tags is None and buckets is None:
        return kind, name
    if unit is not None and type(unit) is not str:
        return None
    if type(tags) is dict:
        if not (_ONLY_TEXTS(map(type, tags)) and _ONLY_TAG_VALUES(map(type, tags.values()))):
            return None
        tags = tuple(tags.items())
    elif tags is not None and not (type(tags) in (list, tuple) and _ONLY_TEXTS(map(type, tags))):
        return None
    if buckets is not None and not (type(buckets) in (list, tuple) and _ONLY_NUMBERS(map(type, buckets))):
        return None
    return kind, name, unit, tuple(tags or ()), tuple(buckets or ())


_ONLY_TEXTS = frozenset([str]).issuperset
_ONLY_NUMBERS = frozenset([int, float]).issuperset
_ONLY_TAG_VALUES = frozenset([str, int]).issuperset


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
    """Return a metric's value, a double, as text; None if it is not finite or not a number."""
    try:
        if type(value) is float or type(value) is int:
            return _finite_text(value if factor == 1 else value * factor)
        return _finite_text(float(value) * factor)
    except Exception:
        _raise_if_stack_is_full()
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
    """Number.prototype.toString (ECMA-262 §6.1.6.1.20). The value is 0.`digits` times ten to the power of `point`."""
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
    except ValueError:  # Jython's strings hold no lone surrogates
        _LONE = re.compile(u"(?!)")
    _ESCAPED = re.compile(r'[\x00-\x1f"\\]')
    _ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    for _code in range(0x20):
        _ESCAPES.setdefault(chr(_code), "\\u%04x" % _code)

    def _encode_text(text):
        """Return UTF-8. Lone surrogates, which UTF-8 cannot encode, become U+FFFD."""
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
        """Return a `str` of 2.7: text if it is UTF-8, else bytes."""
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
        """Return UTF-8. Lone surrogates, which UTF-8 cannot encode, become U+FFFD. They occur only inside JSON strings."""
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
    """Return a free-form object. Any other value becomes an object with the one key `value`."""
    path = (None, root)
    if type(value) is dict:
        try:
            return _members_text(value, path, [id(value)], losses)
        except Exception:
            _raise_if_stack_is_full()
            text = _described_loss("<dict>", path, losses)
    else:
        text = _value_text(value, path, [], losses)
    return text if text[:1] == "{" else '{"value":%s}' % text


def _members_text(value, path, above, losses):
    """Return the members of a dict.

    `path` is (path of the container, key). `above` has the identities of the containers around the members, this dict's included.
    """
    parts = []
    named = _named_in(value) if type(value) is dict and ("value" in value or "Value" in value or "val" in value) else None
    for key, member in list(value.items()) if type(value) is dict and not _PY2 else _items(value):
        key_text, is_secret, name = _keys[key] if type(key) is str else _key(key)
        kind = type(member)
        if _kept_paths and _is_kept((path, name)):
            text = _value_text(member, (path, name), above, losses)
        elif is_secret and _is_hidden(_name_class(name), member) or named and name in _VALUE_KEYS and _is_hidden(_name_class(named), member):
            text = _quote(member) if kind in _STRINGS and member.startswith(_MARK) and member[-1] == "]" else '"[redacted]"'
        elif kind is str:
            text = _str_text(_clean(member))
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
        parts.append(key_text + text)
    return "{" + ",".join(parts) + "}"


def _items(mapping):
    """Return the items in the mapping's order. A dict of 2.7 has none, so its keys are sorted by code point, as UTF-8 sorts them."""
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
    """Return the items of a container as a list: of a builtin type all, of any other at most its length and `most`."""
    kind = type(values)
    if kind is list or kind is tuple:
        return list(values)
    return list(itertools.islice(values, min(_size(values), most)))


def _size(values):
    try:
        return len(values)
    except Exception:  # an iterator
        _raise_if_stack_is_full()
        return MAX_ITEMS


class _Keys(dict):
    """The cache of `_key`."""

    def __missing__(self, key):
        return _key(key)


_keys = _Keys()


def _key(key):
    """Return a key as `(JSON with colon, whether it is a secret's, name)`. A program has few keys and uses each often."""
    if issubclass(type(key), _TEXTS if _PY2 else str):
        name = _plain_text(key)
    else:
        name = _value_text(key, (None, ""), [], [])
        if name[:1] == '"':
            name = json.loads(name)
            name = _encode_text(name) if _PY2 else name
    known = (_quote(name) + ":", _name_class(name) != _ORDINARY, name)
    if type(key) is str and len(_keys) < MAX_CACHED:
        _keys[key] = known
    return known


def _value_text(value, path, above, losses):
    try:
        kind = type(value)
        encode = _encoders.get(kind)
        if encode is None:
            encode = _encoder_for(kind, value)
        return encode(value, path, above, losses)
    except Exception:
        _raise_if_stack_is_full()
        return _described_loss("<%s>" % _type_name(value), path, losses)


def _described_loss(written, path, losses):
    names = []
    while path is not None:
        names.append(path[1])
        path = path[0]
    losses.append(("unserialisable", "%s: %s" % (".".join([str(name) for name in reversed(names)]), written)))
    return _quote(written)


def _contained(encode):
    """Wrap an encoder of containers: report a cycle, and a container below MAX_DEPTH."""

    def contained(value, path, above, losses):
        if id(value) in above:
            return _described_loss("<cycle>", path, losses)
        if len(above) >= MAX_DEPTH:
            return _described_loss("<too deep>", path, losses)
        depth = len(above)
        above.append(id(value))
        try:
            return encode(value, path, above, losses)
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
        elif kind in _STRINGS and index > 0 and _is_value_of_item(items, index) and not (_kept_paths and _is_kept((path, index))):
            texts.append('"[redacted]"')
        elif kind is str:
            texts.append(_str_text(_clean_at(item, (path, index))))
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
    """Return a dataclass by its fields."""
    fields = OrderedDict()
    for name in type(value).__dataclass_fields__:
        try:
            fields[name] = getattr(value, name)
        except AttributeError:
            pass  # declared, not set
    return _members_text(fields, path, above, losses)


@_contained
def _self_described_text(value, path, above, losses):
    description = value.__datacat__()
    if type(description) in (dict, OrderedDict):
        return _members_text(description, path, above, losses)  # at the object's own level
    return _value_text(description, path, above, losses)


def _text_text(value, path, above, losses):
    return _quote(_clean_at(_plain_text(value), path))


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
    """Return RFC 3339 in UTC with milliseconds. A naive datetime is local time, as in Python's own methods."""
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
    return _quote(_clean_at(_plain_text(value.geturl()), path))


def _error_value_text(value, path, above, losses):
    message = _plain_text(_error_message(value))
    return _quote(_clean_at(type(value).__name__ + (": " + message if message else ""), path))


def _enum_text(value, path, above, losses):
    return _quote("%s.%s" % (type(value).__name__, value.name))


def _opaque_text(value, path, above, losses):
    return _described_loss("<%s>" % _type_name(value), path, losses)


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


_encoders = {
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
    _encoders[bytes] = _base64_text


# Types whose `str` is their usual text. They are compared by name, so that their modules need not be imported.
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


def _encoder_for(kind, value):
    """Choose the encoder of a type that is not in the table, and add it to the table."""
    encode = _choose_encoder(kind, value)
    if len(_encoders) < MAX_CACHED and isinstance(kind, type) and kind.__name__ != "instance":
        _encoders[kind] = encode
    return encode


def _choose_encoder(kind, value):
    if callable(getattr(kind, "__datacat__", None)) and not isinstance(value, type):
        return _self_described_text
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
# Secrets by the name and by the format of a value (clients/README.md, "Secrets"). src/core/secrets/ has the same rules.

_REDACTED = "[redacted]"
_MARK = "[redacted"
_ORDINARY, _COUNT, _TEXT, _ANY, _FOLDER = range(5)  # what a name states of its value: see NAME in src/core/secrets/names.ts

_PARTS = dict.fromkeys(
    "password passwd passphrase passcode secret authorization cookie apikey privatekey sessionkey credential pincode cardnumber"
    " creditcard securitycode socialsecurity phpsessid jsessionid aspsessionid aspnetsessionid connectsid laravelsession".split(),
    _ANY,
)
_PARTS.update(
    dict.fromkeys(
        "token accesskey accountkey authkey encryptionkey masterkey sharedkey signingkey databaseurl databaseuri dburl dburi"
        " connectionstring connectionuri connstr connstring licensekey licencekey activationkey".split(),
        _TEXT,
    )
)
_CONTINUED = "(?!board|stroke|less|iz|ary|aries|ive|cutter|name)"
_PART_OF_ANY_TYPE = re.compile("(?:%s)%s" % ("|".join(part for part in _PARTS if _PARTS[part] == _ANY), _CONTINUED))
_PART_OF_TEXT = re.compile("(?:%s)%s" % ("|".join(part for part in _PARTS if _PARTS[part] == _TEXT), _CONTINUED))
_TERMS = dict.fromkeys("pwd otp totp pin cvv cvc ssn".split(), _ANY)
_TERMS.update(dict.fromkeys("auth oauth bearer dsn pem jwt pw".split(), _TEXT))
_PASS_OWNERS = frozenset(
    "admin api auth basic db email ftp http imap key keystore ldap login mail mongo my mysql pg postgres proxy redis root smtp ssh"
    " sudo user usr vault vpn wifi".split()
)
_COUNTING = frozenset(
    "age attempts bits budget count counts expiry index input left length limit limits len max maximum min minimum output"
    " remaining retries size total ttl usage used".split()
)
_ABOUT = frozenset("banner consent policies policy strength".split())  # last terms of names of settings: password_policy
_SETTINGS = frozenset("disabled enabled include omit optional same-origin".split())  # values of these: `credentials: include`
_PATH = re.compile(r"[/~]|[A-Za-z]:[\\/]")
_OPTIONS = frozenset("pass passin passout requirepass masterauth".split())
_NOT_SQUASHED = re.compile("[^A-Za-z0-9]")
_HUMPS = re.compile("([a-z0-9])([A-Z])")
_LAST_CAPITAL = re.compile("([A-Z])([A-Z][a-z])")
_TERM = re.compile("[a-z0-9\\x80-\\xff]+" if _PY2 else u"[a-z0-9\u0080-\uffff\U00010000-\U0010ffff]+")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")


class _NameClasses(dict):
    """The cache of `_name_class`."""

    def __missing__(self, name):
        kind = _classify(name[:128])
        if len(self) < MAX_CACHED and len(name) <= 128:
            self[name] = kind
        return kind


_name_classes = _NameClasses()


def _name_class(name):
    return _ANY if _own_names and name.lower() in _own_names else _name_classes[name]


_own_names = frozenset()


def _option_class(option):
    name = option.lstrip("-")
    return _ANY if name in _OPTIONS and len(option) - len(name) <= 2 else _name_class(option) or _name_class(name)


def _squash(name):
    return _NOT_SQUASHED.sub("", name).lower()


def _classify(name):
    terms = _TERM.findall(_lower(_LAST_CAPITAL.sub(r"\1 \2", _HUMPS.sub(r"\1 \2", name))))
    squashed = _squash(name)
    kind = _ANY if _PART_OF_ANY_TYPE.search(squashed) else _TEXT if _PART_OF_TEXT.search(squashed) else _ORDINARY
    before = ""
    for term in terms:
        kind = max(kind, _term_class(term, before))
        before = term
    if not kind or terms[-1:] and terms[-1] in _ABOUT:
        return _ORDINARY
    if squashed in ("pwd", "oldpwd"):
        return _FOLDER
    if (terms[:1] and terms[0] in _COUNTING or terms[-1:] and terms[-1] in _COUNTING):
        return _COUNT
    return kind


def _lower(text):
    return "".join([c.lower() if c < "\x80" else c for c in text])


def _term_class(term, before):
    name = term.rstrip("0123456789")
    if name in _TERMS:
        return _TERMS[name]
    if name.endswith("s") and name[:-1] in _TERMS:
        return _TEXT
    if not name.endswith("pass"):
        return _ORDINARY
    return _TEXT if (before if name == "pass" else name[:-4]) in _PASS_OWNERS else _ORDINARY


class _Headers(dict):
    """The cache of whether the value of a name reaches to the end of the line."""

    def __missing__(self, name):
        is_header = _squash(name).endswith(("cookie", "authorization"))
        if len(self) < MAX_CACHED and len(name) <= 128:
            self[name] = is_header
        return is_header


_headers = _Headers()


def _is_header(name):
    return _headers[name]


def _is_hidden(kind, value):
    """Return whether the value of a secret's name is redacted. Empty values stay."""
    if kind == _ORDINARY or value is None:
        return False
    if isinstance(value, _NUMBERS):
        return kind >= _ANY
    if _is_empty(value):
        return False
    return not isinstance(value, _STRINGS) or _is_hidden_text(kind, value)


def _is_hidden_text(kind, text):
    if not text or len(text) <= 11 and text.lower() in _SETTINGS:
        return False
    return not (kind == _COUNT and _DIGITS.match(text) or kind == _FOLDER and _PATH.match(text))


def _is_empty(value):
    """Return whether a value is None or empty. Such a value of a secret's key stays."""
    if value is None:
        return True
    try:
        return isinstance(value, _CONTAINERS) and len(value) == 0
    except Exception:
        return False


_CONTAINERS = _TEXTS + (bytearray, dict, list, tuple, set, frozenset)
_NUMBERS = (bool, int, float) + ((long,) if _PY2 else ())  # noqa: F821


def _prefixes(kind, characters, least, prefixes, most=None):
    return [(prefix, kind, characters, least, most) for prefix in prefixes.split()]


_PREFIXES = (
    _prefixes("aws", "A-Z0-9", 16, "AKIA ASIA", 16)
    + _prefixes("github", "A-Za-z0-9", 20, "ghp_ gho_ ghu_ ghs_ ghr_")
    + _prefixes("github", "A-Za-z0-9_", 20, "github_pat_")
    + _prefixes("gitlab", "A-Za-z0-9_-", 16, "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- gloas-")
    + _prefixes("slack", "A-Za-z0-9_-", 8, "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-")
    + _prefixes("slack", "/A-Za-z0-9_-", 20, "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/")
    + _prefixes("discord", "/A-Za-z0-9_-", 20, "discord.com/api/webhooks/ discordapp.com/api/webhooks/")
    + _prefixes("stripe", "A-Za-z0-9", 10, "sk_live_ sk_test_ rk_live_ rk_test_ whsec_")
    + _prefixes("google", "A-Za-z0-9_-", 35, "AIza", 35)
    + _prefixes("google", ".A-Za-z0-9_-", 20, "ya29.")
    + _prefixes("google", "A-Za-z0-9_-", 20, "GOCSPX-")
    + _prefixes("npm", "A-Za-z0-9", 30, "npm_")
    + _prefixes("pypi", "A-Za-z0-9_-", 32, "pypi-")
    + _prefixes("openai", "A-Za-z0-9_-", 20, "sk-proj- sk-svcacct- sk-admin-")
    + _prefixes("anthropic", "A-Za-z0-9_-", 20, "sk-ant-")
    + _prefixes("huggingface", "A-Za-z0-9", 30, "hf_")
    + _prefixes("digitalocean", "a-f0-9", 40, "dop_v1_ doo_v1_ dor_v1_")
    + _prefixes("sendgrid", ".A-Za-z0-9_-", 40, "SG.")
    + _prefixes("shopify", "A-Fa-f0-9", 32, "shpat_ shpca_ shppa_ shpss_")
    + _prefixes("docker", "A-Za-z0-9_-", 20, "dckr_pat_")
    + _prefixes("datacat", ".A-Za-z0-9_-", 40, "dc_ingest_ dc_read_ dc_admin_")
)

_URL_END = re.compile("[ \t\r\n\"'`<>]")
_AUTHORITY_END = re.compile("[/?# \t\r\n\"'`<>\\\\]")
_ENCODED_END = re.compile("%2[Ff]|%3[Ff]|&")
_UNQUOTED_END = re.compile("[ \t\r\n;&\"'`<>|,]|\\\\[nrt\"'\\\\]|%26")
_LINE_END = re.compile(r"[\r\n]|\\[rn]")
_HEADER_END = dict((quote, re.compile(r"[\r\n]|\\[rn%s]|%s" % (quote, quote))) for quote in "\"'`")
_SCHEME = re.compile("(?:Bearer|Basic|Token|Negotiate|ApiKey|api-key)[ \t]{1,4}", re.I)
_TOKEN_68 = re.compile("[A-Za-z0-9._~+/=:-]*")
_JWT = re.compile("[A-Za-z0-9_.-]*")
_NAME_RUN = re.compile("[A-Za-z0-9_.-]*")
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_CAPITAL_OR_DIGIT = re.compile("[0-9=]|.[A-Z]", re.S)
_HOST = re.compile(
    r"tcp\(|unix\(|localhost(?![A-Za-z0-9_])|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![A-Za-z0-9_])"
    r"|(?!sha[0-9])[A-Za-z][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z]|:[0-9]|/)"
)
_AWS_SECRET = re.compile("[A-Za-z0-9/+]+")
_USER_OPTIONS = frozenset(["-u", "-U", "--user", "--proxy-user"])
_QUERY_NAME = re.compile("(?:key|sig|(?:.*[-_])?signature)\\Z", re.I | re.S)
_LITERALS = frozenset("null none nil undefined true false string str bearer required".split())
_PROSE = frozenset(
    "cannot changed expired field forgot incorrect invalid is link mismatch missing must not policy prompt reset should"
    " was wrong".split()
)  # what follows `password: ` in a sentence, and is no password
_SOURCE_FILE = re.compile(r"\.(?:[cm]?[jt]sx?|py|go|rs|rb|java|kt|cc?|cpp|h|cs|php|vue)\Z", re.I)
_POSITION = re.compile("[0-9]+:[0-9]+(?![A-Za-z0-9_@:.])")  # a line and a column, as in a stack: auth.ts:12:5
_OPENERS = {")": "(", "]": "[", "}": "{", ">": "<"}
_NO_USER = frozenset("mailto sip sips xmpp acct to from cc bcc mail email e-mail contact npm git ssh author by".split())
_W = "A-Za-z0-9_"
_PROGRAMS = [
    # names, option, whether its password may be attached, and separate
    (re.compile("(?<![%s])sshpass[ \t]+\\Z" % _W), "-p", True, True),
    (re.compile("(?<![%s])(?:mysql|mysqldump|mysqladmin|mariadb)(?![%s])" % (_W, _W)), "-p", True, False),
    (re.compile("(?<![%s])7z[ar]?(?![%s])" % (_W, _W)), "-p", True, False),
    (re.compile("(?<![%s])login(?![%s])" % (_W, _W)), "-p", False, True),
    (re.compile("(?<![%s])mongo(?:sh|dump|restore|export|import)?(?![%s])" % (_W, _W)), "-p", False, True),
    (re.compile("(?<![%s])curl(?![%s])" % (_W, _W)), "-b", False, True),
    (re.compile("(?<![%s])redis-cli(?![%s])" % (_W, _W)), "-a", False, True),
    (re.compile("(?<![%s])(?:zip|unzip|sqlcmd|bcp)(?![%s])" % (_W, _W)), "-P", False, True),
    (re.compile("(?<![%s])ldap(?:search|add|modify|delete|whoami|passwd)(?![%s])" % (_W, _W)), "-w", True, True),
]
_CARD_GROUPS = ((4, 4, 4, 3), (4, 4, 4), (6, 5), (6, 4))
_CARD_END = re.compile("[A-Za-z0-9_]|[.-][0-9]")
_DIGIT_RUN = re.compile("[0-9]*")


_STEMS = (
    "auth bearer card conn cookie credential cvc cvv database db dsn jwt laravel onid otp pass pem pin pw secret security sig ssid ssn"
    " token".split()
)  # and key, which is a secret's only as a part of a name
_SIGN = re.compile("[-:=%@_<IJGRV]").search  # what every format has but the few in `_has_format`
_OPTION_START = "-(?<![A-Za-z0-9_-]-)(?:[pPawuUb]|-(?:proxy-)?user|-?[A-Za-z][A-Za-z0-9_.-]{1,136}[ \t])|-----BEGIN "
_OPTION_OR_PEM = re.compile(_OPTION_START).search
# Formats without a sign. Card numbers begin with 2 to 6. `re` skips to the first characters only where each alternative begins with one.
_RARE = re.compile(
    "bearer|basic|Bearer|Basic|ya29\\.|machine[ \t\r\n]|setenv[ \t]|setEnv[ \t]|Setenv[ \t]|SetEnv[ \t]|"
    + "|".join([first + "[0-9]{3}(?:[0-9]{8}|[ -][0-9]{4})" for first in "23456"])
).search
# From the end of a name to its separator: a closing quote, a bracket, the index of a list, blanks.
_SEPARATOR = (
    r"""((?:\\{0,8}["'])?)(?:\]|%5[Dd])?(?:\[["']?[A-Za-z0-9_.-]{0,32}["']?\]|%5[Bb][A-Za-z0-9_.-]{0,32}%5[Dd])?"""
    r"[ \t]{0,2}([:=]|%3[Dd])(?!//)"
)


def _any_of(texts):
    """Return a pattern of texts, by their first characters: `re` compares each alternative at each place."""
    rest = {}
    for text in texts:
        rest.setdefault(text[:1], []).append(text[1:])
    tails = []
    for first in sorted(rest):
        longer = [text for text in rest[first] if text]
        tail = _any_of(longer) if longer else ""
        tails.append(re.escape(first) + (("(?:%s)?" % tail if "" in rest[first] else tail) if longer else ""))
    return tails[0] if len(tails) == 1 else "(?:%s)" % "|".join(tails)


def _compiled(prefixes, names=()):
    """Return the searches for a name in lower-case text, for it in any text, for a prefix, for any format, and the rules of prefixes."""
    rules = []
    for prefix, kind, characters, least, most in prefixes:
        run = re.compile("[%s]%s" % (characters, "*" if most is None else "{0,%d}" % (most + 1)))
        rules.append((prefix, kind, run, least, most))
    # `re` skips to the first characters of alternatives only where each begins with one, and none is in a group of its own.
    stems = _any_of(_STEMS + list(names))[3:-1] + "|key(?:(?<=[A-Za-z0-9_.?&#-]key)|(?=[A-Za-z0-9_.-]))"
    # A name of a secret with its separator. What follows the stem is read once: `(?=(…))\\1` does not read it again in another way.
    name = "(?:%s)(?=([A-Za-z0-9_.-]{0,256}))\\1%s" % (stems, _SEPARATOR)
    prefix = _any_of([each[0] for each in prefixes])
    formats = "://|%3[Aa]%2[Ff]%2[Ff]|:[^ \t\r\n;&\"'`<>|,:@]+@|" + _OPTION_START
    formats += "|<(?=[A-Za-z])|ENV[ \t]|setenv[ \t]|setEnv[ \t]|Setenv[ \t]|SetEnv[ \t]|password(?<=[ \t\r\n]password)[ \t\r\n]|eyJ"
    formats += "|bearer[ \t]|basic[ \t]|Bearer[ \t]|Basic[ \t]|BEARER[ \t]|BASIC[ \t]|bEARER[ \t]|bASIC[ \t]|"
    formats += "|".join([first + "[0-9]{3}(?:[0-9]{8}|[ -][0-9]{4})" for first in "23456"]) + "|" + prefix[3:-1]
    # Without an own rule, a prefix has a sign or is asked for in `_has_format`.
    return re.compile(name).search, re.compile(name, re.I).search, re.compile(prefix).search, re.compile(formats).search, rules


_name_in_lower, _name_in_any, _prefix, _format, _prefix_rules = _compiled(_PREFIXES)
_has_own_rules = False


_CHARACTERS = {
    "digits": "0-9", "hex": "A-Fa-f0-9", "letters_and_digits": "A-Za-z0-9", "identifier": "A-Za-z0-9_-", "base64": "A-Za-z0-9+/=_-",
}  # fmt: skip


def _use_rules(text):
    """Add the rules of DATACAT_REDACT (clients/README.md, "Secrets"). Nothing is used of a setting that is wrong."""
    global _own_names, _kept_paths, _name_in_lower, _name_in_any, _prefix, _format, _prefix_rules, _has_own_rules
    try:
        setting = json.loads(text)
        own = [_own_prefix(each) for each in setting.get("prefixes", [])]
        names = frozenset([str(name).lower() for name in setting.get("names", [])])
        keep = frozenset([str(path) for path in setting.get("keep", [])])
        if set(setting) - set(["prefixes", "names", "keep"]) or max(len(own), len(names), len(keep)) > 50:
            return
        if not all(0 < len(path) <= 1000 for path in keep):
            return
        _name_in_lower, _name_in_any, _prefix, _format, _prefix_rules = _compiled(_PREFIXES + own, names)
        _own_names = names
        _kept_paths = keep
        _has_own_rules = True
        _tags.clear()
    except Exception:
        _raise_if_stack_is_full()


_kept_paths = frozenset()  # paths whose values stay, with all that they contain: `data.token_kind`, `state.auth`


def _is_kept(path):
    names = []
    while path is not None:
        names.append(str(path[1]))
        path = path[0]
    names.reverse()
    return any(".".join(names[: length + 1]) in _kept_paths for length in range(len(names)))


def _clean_at(text, path):
    """Return the text at a path with its secrets replaced, unless the path is an exception."""
    return text if _kept_paths and _is_kept(path) else _clean(text)


def _own_prefix(rule):
    if set(rule) - set(["prefix", "kind", "characters", "least"]):
        raise ValueError(rule)
    prefix, kind, least = str(rule["prefix"]), str(rule.get("kind", "own")), int(rule.get("least", 8))
    is_right = re.match("[A-Za-z0-9_.-]{3,32}\\Z", prefix) and re.match("[a-z][a-z0-9-]{0,31}\\Z", kind) and 1 <= least <= 256
    if not is_right:
        raise ValueError(rule)
    return prefix, kind, _CHARACTERS[rule.get("characters", "identifier")], least, None


if os.environ.get("DATACAT_REDACT"):
    _use_rules(os.environ["DATACAT_REDACT"])


def _clean(text, most=_NEVER):
    """Return the text with each secret in it replaced by a mark.

    `most` is the limit of bytes over which the op that has the text is cut: of a longer text, only what may be stored is read.
    """
    if len(text) > most:
        return _clean_beginning(text, most)
    # Most texts have neither a sign nor one of the rare formats, so this is most of the cost of redaction.
    if _SIGN(text) is None and not _has_own_rules:
        return text if _RARE(text) is None else _redact_text(text)
    return _redact_text(text) if _has_format(text) or _name_in_lower(text.lower()) is not None else text


def _clean_beginning(text, most):
    read = FIRST_READ
    while read < len(text):
        clean = _clean(text[:read])
        if _characters(clean) >= MIN_READ and len(clean) + len(text) - read > most:
            return clean + text[read:]
        read *= 2
    return _clean(text)


def _characters(text):
    return len(text.decode("utf-8", "replace")) if _PY2 else len(text)


def _has_format(text):
    """Return whether a text may have a secret in one of the formats."""
    if _RARE(text) is not None:
        return True
    if _SIGN(text) is None:
        return _has_own_rules and _prefix(text) is not None
    if "@" in text or "%40" in text or "eyJ" in text or "</" in text or "<![" in text or "-" in text and _OPTION_OR_PEM(text) is not None:
        return True
    if "BEARER" in text or "BASIC" in text or "SG." in text or "AKIA" in text or "ASIA" in text or "AIza" in text or "ENV" in text:
        return True
    return (_has_own_rules or "_" in text or "-" in text or "hook" in text) and _prefix(text) is not None


def _redact_text(text):
    for _ in range(8):  # behind a mark another secret may begin that was part of a longer name
        parts = []
        at = 0
        for start, end, mark in _findings(text):
            parts += [text[at:start], mark]
            at = end
        if not parts:
            return text
        text = "".join(parts) + text[at:]
    return text


def _findings(text):
    found = []
    end = 0
    lower = text.lower()
    # Some letters have a lower case of two characters: then places in the lower text are not those of the text.
    search, searched = (_name_in_lower, lower) if len(lower) == len(text) else (_name_in_any, text)
    name = search(searched, 0)
    other = _format(text, 0) if _has_format(text) else None
    while name is not None or other is not None:
        finding = None
        is_other = other is not None and (name is None or other.start() <= name.start())
        at = other.start() if is_other else name.start()
        if is_other:
            finding = _format_at(text, at, other.group())
            at = _DIGIT_RUN.match(text, at).end() if text[at] in "0123456789" else at + 1
            other = _format(text, max(at, finding[1]) if finding else at)
        else:
            finding = _named(text, name)
            at = name.end(1)
            name = search(searched, max(at, finding[1]) if finding else at)
        if finding is None or finding[0] < end:
            continue
        found.append(finding)
        end = finding[1]
        if name is not None and name.start() < end:
            name = search(searched, end)
        if other is not None and other.start() < end:
            other = _format(text, end)
    return _with_aws_secrets(text, found) if any(mark == "[redacted:aws]" for _, _, mark in found) else found


def _with_aws_secrets(text, found):
    added = []
    following = 0
    for match in _AWS_SECRET.finditer(text):
        run = match.group()
        start, end = match.span()
        if len(run) == 40 and re.search("[a-z]", run) and re.search("[A-Z]", run) and re.search("[0-9]", run):
            while following < len(found) and found[following][1] <= start:
                following += 1
            if following == len(found) or found[following][0] >= end:
                added.append((start, end, "[redacted:aws]"))
    return sorted(found + added)


def _format_at(text, at, beginning):
    """Return the finding at the beginning of a format as (start, end, mark), or None."""
    character = text[at]
    if character == ":":
        return _url_login(text, at + 3, ":", "@") if beginning == "://" else _login(text, at)
    if character == "%":
        return _url_login(text, at + 9, "%3A", "%40")
    if character == "-":
        return _pem(text, at) if beginning == "-----BEGIN " else _option(text, at)
    if character == "<":
        return _element(text, at)
    if beginning[-1] in " \t\r\n" and character in "ESsp":
        return _netrc(text, at) if character == "p" else _variable(text, at)
    if beginning == "eyJ":
        return _jwt(text, at) or _prefixed(text, at)
    found = _scheme(text, at) if beginning[-1] in " \t" else None
    return found or character in "0123456789" and _card(text, at) or _prefixed(text, at)


def _card(text, at):
    before = text[max(0, at - 2) : at]
    if before and (_is_name_character(before[-1]) and before[-1] != "-" or len(before) == 2 and before[1] == "-" and before[0] in "0123456789"):
        return None
    end = _card_end(text, at)
    return end and (at, end, "[redacted:card]")


def _is_name_character(character):
    return _is_alphanumeric(character) or character in "_.-"


def _next(stop, text, start):
    match = stop.search(text, start)
    return len(text) if match is None else match.start()


def _keyed(text, start, end):
    return None if end <= start or text.startswith(_MARK, start) else (start, end, _REDACTED)


def _is_alphanumeric(character):
    return "0" <= character <= "9" or "a" <= character <= "z" or "A" <= character <= "Z"


def _prefixed(text, start):
    if start > 0 and _is_alphanumeric(text[start - 1]):
        return None
    for prefix, kind, run, least, most in _prefix_rules:
        if text.startswith(prefix, start):
            begin = start + len(prefix)
            end = run.match(text, begin).end()
            if end - begin >= least and (most is None or end - begin <= most):
                return start, end, "[redacted:%s]" % kind
    return None


def _pem(text, start):
    label, dashes, _ = text[start + 11 : start + 75].partition("-----")
    if not dashes or "PRIVATE KEY" not in label:
        return None
    footer = "-----END %s-----" % label
    at = text.find(footer, start)
    return start, len(text) if at < 0 else at + len(footer), "[redacted:private-key]"


def _jwt(text, start):
    if start > 0 and _is_name_character(text[start - 1]):
        return None
    token = _JWT.match(text, start).group().rstrip(".")
    if token.find(".") < 10 or len(token) < 24:
        return None
    return start, start + len(token), "[redacted:jwt]"


def _scheme(text, at):
    if at > 0 and _is_alphanumeric(text[at - 1]):
        return None
    match = _SCHEME.match(text, at)
    if match is None:
        return None
    start = match.end()
    end = _TOKEN_68.match(text, start).end()
    if end - start < 6 or not _CAPITAL_OR_DIGIT.search(text, start, end):
        return None
    return start, end, _REDACTED


def _url_login(text, start, colon, sign):
    whole = text[start : start + 512]
    whole = whole[: _next(_URL_END, whole, 0)]
    authority = whole[: _next(_AUTHORITY_END if colon == ":" else _ENCODED_END, whole, 0)]
    separator = authority.find(colon)
    if sign not in authority and separator >= 0 and authority[separator + len(colon) :].strip("0123456789"):
        authority = whole  # a password with a slash: what follows the colon is no port
    user_end = authority.rfind(sign)
    if user_end < 0:
        return None
    separator = authority.find(colon)
    if 0 <= separator < user_end:
        return _keyed(text, start + separator + len(colon), start + user_end)
    is_http = text[max(0, start - 8) : start].endswith(("http://", "https://"))
    return _keyed(text, start, start + user_end) if is_http and user_end >= 16 else None


def _login(text, at):
    if text.find("@", at, at + 514) < 0:
        return None
    start = _name_start(text, at)
    if start == at or text[start:at].lower() in _NO_USER:
        return None
    value = text[at + 1 : at + 513]
    value = value[: _next(_UNQUOTED_END, value, 0)]
    sign = value.rfind("@")
    if sign < 1 or ":" in value[:sign]:
        return None
    slash = value.find("/")
    if text[start:at] in ("thin", "oci", "oci8"):
        return _keyed(text, at + slash + 2, at + 1 + sign) if 0 < slash < sign else None
    if not value[:sign].strip("0123456789") or 0 <= slash < sign:
        return None
    return _keyed(text, at + 1, at + 1 + sign) if _HOST.match(text, at + sign + 2) else None


def _name_start(text, end):
    """Return where the name begins that goes on at `end`."""
    least = max(0, end - 136)
    while end > least and text[end - 1] in _NAME_CHARACTERS:
        end -= 1
    return end


def _named(text, match):
    """Return the value of a name that `_name_in_lower` found, or None."""
    end = match.end(1)
    start = _name_start(text, match.start())
    name = text[start:end]
    at = match.start(3)
    kind = _option_class(name) if name[0] == "-" else _name_class(name)
    before = text[start - 1] if start > 0 else ""
    is_query = before != "" and before in "?&#"
    is_prose = kind == _ORDINARY and name.lower() == "key"
    if kind == _ORDINARY and is_query and _QUERY_NAME.match(name):
        kind = _TEXT
    value = match.end()
    if kind == _ORDINARY or text[at] == ":" and _is_position(text, name, value):
        return None
    if text[value : value + 1] in ("=", ">"):
        value += 1
    blanks = value
    while value < blanks + 4 and text[value : value + 1] in (" ", "\t"):
        value += 1
    if text.startswith(_MARK, value):
        return None
    if _headers[name] and not is_query:
        return _header_value(text, value, before)
    is_sentence = value > blanks and text[at] == ":" and match.start(2) == match.end(2)
    return _value_at(text, value, kind, is_query, is_sentence, is_prose or is_sentence and kind < _ANY)


def _is_position(text, name, begin):
    is_line = text[begin : begin + 1].strip("0123456789") == "" and begin < len(text) and _SOURCE_FILE.search(name)
    return is_line or _POSITION.match(text, begin)


_PLAIN_VALUE = re.compile("[A-Za-z0-9_]+(?=[ \t\r\n;&,]|\\Z)")  # most values
_DIGIT = re.compile("[0-9]").search
_ALPHANUMERIC = re.compile("[A-Za-z0-9]").search


def _value_at(text, at, kind, is_query=False, is_sentence=False, is_prose=False):
    plain = _PLAIN_VALUE.match(text, at)
    if plain is not None:
        return _plain_value_at(text, at, plain.end(), kind, is_sentence, is_prose)
    start = at
    if text[at : at + 1] and text[at] in "bBfFrRuU" and text[at + 1 : at + 2] in ('"', "'"):
        start += 1
    if text.startswith(_MARK, start):
        return None
    quoted = _quoted_at(text, start)
    if quoted is not None:
        value = text[quoted[0] : quoted[1]]
        is_sign = kind < _ANY and not _ALPHANUMERIC(value)
        return _keyed(text, quoted[0], quoted[1]) if _is_hidden_text(kind, value) and not is_sign else None
    if text[start : start + 1] in ("[", "{"):
        end = _bracket_end(text, start)
        return _keyed(text, start, end) if _ALPHANUMERIC(text[start:end]) else None
    end = _next(_UNQUOTED_END, text, start)
    if is_query:
        fragment = text.find("#", start, end)
        end = end if fragment < 0 else fragment
    while end > start and text[end - 1] in _OPENERS and _OPENERS[text[end - 1]] not in text[start:end]:
        end -= 1
    return _plain_value_at(text, start, end, kind, is_sentence, is_prose)


def _plain_value_at(text, start, end, kind, is_sentence, is_prose):
    if is_sentence and end - start <= 9 and text[start:end].lower() in _PROSE:
        return None
    if is_prose and end - start < 16 and _DIGIT(text, start, end) is None and _units(text[start:end]) < 16:
        return None
    return _secret_in(text, start, end, kind)


def _secret_in(text, start, end, kind):
    """Return the value of a name of this class, unless it states that there is none or is a number of a count."""
    if kind == _ORDINARY or end <= start or text.startswith(_MARK, start):
        return None
    if end - start <= 11:
        lower = text[start:end].lower()
        if lower in _LITERALS or lower in _SETTINGS:
            return None
    if kind < _ANY and _DIGITS.match(text[start:end]) or kind == _FOLDER and _PATH.match(text, start, end):
        return None
    return start, end, _REDACTED


_TAG = re.compile("<(?:[A-Za-z0-9_.-]{1,32}:)?([A-Za-z0-9_.-]+)((?:[ \t\r\n][^<>]{0,128})?)>")


def _element(text, at):
    """Return the value in `<password>x</password>`, also with a namespace, attributes or CDATA."""
    tag = _TAG.match(text, at)
    kind = _name_class(tag.group(1)) if tag else _ORDINARY
    if kind == _ORDINARY or tag.group(2).endswith("/"):
        return None
    start = tag.end()
    if text.startswith("<![CDATA[", start):
        start += 9
        end = text.find("]]>", start)
        return _secret_in(text, start, len(text) if end < 0 else end, kind)  # without an end it was cut
    end = text.find("<", start)
    return _secret_in(text, start, end, kind) if end >= 0 and text.startswith("</", end) else None


_SET = re.compile("(?:ENV|[Ss]et[Ee]nv)[ \t]{1,4}([A-Za-z0-9_.-]+)[ \t]{1,8}")


def _variable(text, at):
    """Return the value in `ENV PASSWORD x` of a Dockerfile and `setenv PASSWORD x`, which begin a line or a step of a build."""
    match = _SET.match(text, at)
    kind = _name_class(match.group(1)) if match else _ORDINARY
    before = at
    while before > max(0, at - 8) and text[before - 1] in " \t":
        before -= 1
    if kind == _ORDINARY or before > 0 and text[before - 1] not in "\r\n:]" and text[max(0, before - 2) : before] not in ("\\n", "\\r"):
        return None
    value = match.end()
    if _quoted_at(text, value) is not None:
        return _value_at(text, value, kind)
    return _secret_in(text, value, _next(_LINE_END, text, value), kind)


_BLANK_VALUE = re.compile("password[ \t\r\n]{1,8}([^ \t\r\n]+)")


def _netrc(text, at):
    """Return the value in `machine h login u password p`."""
    match = _BLANK_VALUE.match(text, at)
    terms = text[max(0, at - 256) : at].split()
    if match and (terms[-2:-1] == ["machine"] or terms[-4:-3] == ["machine"] and terms[-2] == "login"):
        return _keyed(text, match.start(1), match.end(1))
    return None


def _units(text):
    """Return the length in UTF-16 code units, as the other languages compare it. That of 2.7's UTF-8 is not less."""
    return len(text) if _PY2 or not text or max(text) <= u"\uffff" else len(text) + sum(1 for c in text if c > u"\uffff")


def _quoted_at(text, at):
    quote = at
    while quote < at + 8 and text[quote : quote + 1] == "\\":
        quote += 1
    mark = text[quote : quote + 1]
    if mark not in ('"', "'", "`"):
        return None
    escapes = quote - at
    start = quote + 1
    end = start
    while True:
        end = text.find(mark, end)
        if end < 0:
            return start, len(text)
        before = 0
        while end - before > start and text[end - before - 1] == "\\":
            before += 1
        if before <= escapes or escapes == 0 and before % 2 == 0:
            return start, end - before
        end += 1


_BRACKETS = re.compile(r"[\[\]{}]")


def _bracket_end(text, start):
    depth = 0
    for match in _BRACKETS.finditer(text, start):
        depth += 1 if match.group() in "[{" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _header_value(text, at, before):
    if text.startswith(_MARK, at):
        return None
    if _quoted_at(text, at) is not None or text[at : at + 1] in ("[", "{"):
        return _value_at(text, at, _ANY)
    match = _SCHEME.match(text, at)
    scheme = match.end() if match else at
    if text.startswith(_MARK, scheme):
        return None
    quote = _HEADER_END.get(before)
    stop = quote or (_UNQUOTED_END if scheme > at else _LINE_END)
    end = _next(stop, text, at if quote else scheme)
    return _secret_in(text, at, end, _ANY)


_OPTION = re.compile("--?[A-Za-z]")


def _option(text, at):
    preceding = text[at - 1 : at]
    if preceding and (_is_alphanumeric(preceding) or preceding in "_-") or not _OPTION.match(text, at):
        return None
    end = _NAME_RUN.match(text, at, at + 136).end()
    name = text[at:end]
    value = end
    while value < end + 4 and text[value : value + 1] in (" ", "\t"):
        value += 1
    before = text[max(0, at - 120) : at]
    if len(name) > 2 and _is_password_option(before, name[:2], True):
        return _value_at(text, at + 2, _ANY)
    if value == end or value == len(text) or text[value] == "-":
        return None
    if name in _USER_OPTIONS:
        start, stop = _quoted_at(text, value) or (value, _next(_UNQUOTED_END, text, value))
        user = _user_of(name, text[start:stop])
        return None if user is None else _keyed(text, start + len(user), stop)
    if _is_password_option(before, name, False):
        return _value_at(text, value, _ANY)
    kind = _option_class(name)
    if kind == _ORDINARY:
        return None
    return _header_value(text, value, "") if _is_header(name) else _value_at(text, value, kind)


def _user_of(option, value):
    """Return `user:` of the argument `user:password` of `-u`, and None for the group of `-u 1000:1000`."""
    user, colon, password = value.partition(":")
    if option not in _USER_OPTIONS or not colon or not password.strip("0123456789") or password.startswith(_MARK):
        return None
    return user + colon


def _is_password_option(before, option, is_attached):
    for names, own, attached, separate in _PROGRAMS:
        if own == option and (attached if is_attached else separate) and names.search(before):
            return True
    return False


def _card_end(text, start):
    """Return the end of the card number that begins here, in one piece or in groups; None if there is none."""
    first = _DIGIT_RUN.match(text, start).group()
    if len(first) != 4:
        end = start + len(first)
        return end if _is_card(first) and not _CARD_END.match(text, end) else None
    separator = text[start + 4 : start + 5]
    if separator not in (" ", "-"):
        return None
    for sizes in _CARD_GROUPS:
        digits, at = first, start + 4
        for size in sizes:
            group = _DIGIT_RUN.match(text, at + 1).group() if text[at : at + 1] == separator else ""
            if len(group) != size:
                break
            digits += group
            at += 1 + size
        if len(digits) == 4 + sum(sizes) and _is_card(digits) and not _CARD_END.match(text, at):
            return at
    return None


def _is_card(digits):
    """Return whether a card may have this number: an issuer's prefix and length, and Luhn's check digit."""
    length = len(digits)
    if not 13 <= length <= 19:
        return False
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        is_issued = length in (13, 16, 19)
    elif 51 <= two <= 55 or 2221 <= four <= 2720:
        is_issued = length == 16
    elif two in (34, 37):
        is_issued = length == 15
    elif two in (36, 38) or 300 <= three <= 305:
        is_issued = length == 14
    elif four == 6011 or two == 65 or 644 <= three <= 649 or 3528 <= four <= 3589:
        is_issued = length == 16
    else:
        is_issued = two == 62 and length >= 16
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return is_issued and sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


_NAME_KEYS = ("name", "key", "header", "field", "Name", "Key")
_VALUE_KEYS = ("value", "Value", "val")
_PLAIN_NAME = re.compile("[A-Za-z0-9_.-]+\\Z")


def _named_in(mapping):
    """Return the name of the pair `{"name": "password", "value": "x"}`, or None."""
    for key in _NAME_KEYS:
        name = mapping.get(key)
        if isinstance(name, _STRINGS):
            name = _plain_text(name)
            return name if len(name) <= 64 else None
    return None


_STRINGS = (str, _text_type)


def _is_value_of_item(items, index):
    """Return whether the item before names this one: `["--password", "x"]`, `["Authorization", "x"]`."""
    if index == 0 or not (isinstance(items[index - 1], _STRINGS) and isinstance(items[index], _STRINGS)):
        return False
    name, value = _plain_text(items[index - 1]), _plain_text(items[index])
    if len(name) > 64 or value.startswith(_MARK):
        return False
    if re.match("--?[A-Za-z][^=]*\\Z", name) and not value.startswith("-"):
        return _is_hidden(_option_class(name), 0 if _DIGITS.match(value) else value)
    is_pair = len(items) == 2 or index % 2 == 1 and len(items) % 2 == 0 and _is_header(name)
    return bool(is_pair and _PLAIN_NAME.match(name)) and _is_hidden(_name_class(name), value)


def _without_secrets(arguments):
    """Return a program's arguments without their secrets: `--token=x`, `--token x`, `-u user:x`, `TOKEN=x`."""
    arguments = [_plain_text(argument) for argument in arguments]  # 2.7's may be unicode
    return [
        argument if argument.startswith(_MARK) else _clean_argument(argument, arguments[max(0, index - 6) : index])
        for index, argument in enumerate(arguments)
    ]


def _clean_argument(argument, before):
    option = before[-1] if before else ""
    if option.startswith("-") and "=" not in option and not argument.startswith("-"):
        if _is_hidden(_option_class(option), 0 if _DIGITS.match(argument) else argument):
            return _REDACTED
        if argument and _is_password_option(" ".join(before[:-1]) + " ", option, False):
            return _REDACTED
        user = _user_of(option, argument)
        if user is not None:
            return user + _REDACTED
    if len(argument) > 2 and _is_password_option(" ".join(before) + " ", argument[:2], True):
        return argument if argument.startswith(_MARK, 2) else argument[:2] + _REDACTED
    name, _, value = argument.partition("=")
    if value and _PLAIN_NAME.match(name):
        kind = _option_class(name) if name.startswith("-") else _name_class(name)
        if _is_hidden(kind, 0 if _DIGITS.match(value) else value):
            return name + "=" + (value if value.startswith(_MARK) else _REDACTED)
    return _clean(argument)


# === Cut =====================================================================
# Events over the limit, cut to fit.

_WHOLE_KEYS = ("op", "name", "category", "group", "labels", "id")
_DROPPED_KEYS = ("sources", "data", "causes", "stacktrace", "labels")


def _cut_strings(text):
    """Return the op with its strings cut to the largest of 131072, 65536, … 64 characters with which it fits the limit.

    If it is too long even then, whole fields are left out.
    """
    op = json.loads("{" + text, object_pairs_hook=OrderedDict)
    lengths = [LONGEST_CUT]
    while lengths[0] > WHOLE_STRING:
        lengths.insert(0, lengths[0] // 2)
    best = None
    low, high, middle = 0, len(lengths), 0  # the shortest first: if the op does not fit with it, it fits with none
    while low < high:  # a binary search, because each try encodes the whole op
        cut = _op_text(op, lengths[middle])
        if _utf8_length(cut) <= MAX_EVENT_BYTES:
            best, low = cut, middle + 1
        else:
            high = middle
        middle = (low + high) // 2
    if best is not None:
        return best
    cut = text
    for key in _DROPPED_KEYS:
        if key not in op:
            continue
        del op[key]
        cut = _op_text(op, WHOLE_STRING)
        if _utf8_length(cut) <= MAX_EVENT_BYTES:
            break
    return cut


def _op_text(op, longest):
    parts = []
    for key, value in op.items():
        if key == "test" and isinstance(value, dict):
            text = "{" + _op_text(value, longest)
        else:
            text = _tree_text(value, 1 << 30 if key in _WHOLE_KEYS else longest)
        parts.append("%s:%s" % (_quote(key), text))
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


# === Attachment ==============================================================
# Files and bytes: their op, and the copy of their content (clients/README.md, "Attachments").

_MEDIA_TYPE = r"[A-Za-z0-9_!#$&^.+-]+/[A-Za-z0-9_!#$&^.+-]+(?:; ?[ -~]+)?\Z"
_MEDIA_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "txt": "text/plain",
    "log": "text/plain", "json": "application/json", "html": "text/html", "csv": "text/csv", "xml": "application/xml",
    "pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip", "mp4": "video/mp4", "webm": "video/webm",
    "wav": "audio/wav",
}  # fmt: skip
_DEFAULT_MEDIA_TYPE = "application/octet-stream"


def _attachment_name(name, losses):
    """Return the name, cut, and the name as it is recorded."""
    whole = "" if name is None else _plain_text(name)
    cut = _cut_name(whole)
    if len(cut) < len(whole):
        losses.append(("too_large", "attachment.name"))
    cut = cut or "attachment"
    return cut, _clean(cut)


def _attachment_op(name, shown, media_type):
    """Return the function that makes the op's text of an id, a size and a SHA-256. A type that the server would refuse is left out."""
    media_type = _plain_text(media_type) if isinstance(media_type, _TEXTS) else ""
    if len(media_type) > TYPE_LENGTH or not re.match(_MEDIA_TYPE, media_type):
        media_type = _MEDIA_TYPES.get(_lower(name.rsplit(".", 1)[-1]), _DEFAULT_MEDIA_TYPE)

    def text(attachment, size, sha256):
        return '"op":"attachment","id":"%s","name":%s,"type":%s,"size":%d,"sha256":"%s"}' % (
            attachment, _quote(shown), _quote(_clean(media_type)), size, sha256,
        )  # fmt: skip

    return text


class _NotAttached(Exception):
    """Content that is not stored. `detail` is the loss's, and None if the loss is counted already; `reason` is for people."""

    def __init__(self, cause, detail, reason):
        Exception.__init__(self, reason)
        self.cause, self.detail, self.reason = cause, detail, reason


def _too_large(size):
    return _NotAttached("too_large", "%d bytes" % size, "it has %d bytes, and %d are the most" % (size, MAX_ATTACHMENT_BYTES))


def _unreadable(detail):
    return _NotAttached("unreadable", detail, "it could not be read: %s" % detail)


def _not_written(failure):
    return _NotAttached(_loss_cause(failure), None, "it could not be written: %s" % _failure_text(failure))


def _failure_text(failure):
    text = getattr(failure, "strerror", None)  # the system's text, without a path of this machine
    return text.lower() if isinstance(text, str) else type(failure).__name__


def _content_of(content, data, path):
    """Return the content as a buffer of bytes, or its path, or None."""
    if data is None and path is None and isinstance(content, (bytes, bytearray, memoryview)):
        data = content
    if data is not None:
        try:
            return memoryview(data)
        except TypeError:
            return None
    return _path_text(content if path is None else path)


def _path_text(path):
    path = path.__fspath__() if hasattr(path, "__fspath__") else path
    return path if isinstance(path, _TEXTS) else None


class _Source(object):
    """Content that is read in blocks, at most MAX_ATTACHMENT_BYTES of it. Raises _NotAttached if it cannot be read."""

    def __init__(self, content):
        self.file = self.bytes = None
        self.at = 0
        if isinstance(content, memoryview):
            self.bytes = content.cast("B") if not _PY2 and content.nbytes else content
            size = len(self.bytes)
        else:
            size = self._open(content)
        if size > MAX_ATTACHMENT_BYTES:
            self.close()
            raise _too_large(size)

    def _open(self, path):
        """Open a file without waiting for the writer of a pipe. Returns its size."""
        if path is None:
            raise _unreadable("neither bytes nor a path")
        try:
            self.file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _O_CLOEXEC)
            status = os.fstat(self.file)
        except (OSError, IOError) as error:
            self.close()
            raise _unreadable(_failure_text(error))
        except (TypeError, ValueError):  # a null character in the path
            raise _unreadable("not a path")
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise _unreadable("it is not a regular file")
        return status.st_size

    def read(self):
        """Return the next block, empty at the end. A file that grows is read up to the limit."""
        length = min(BLOCK_BYTES, MAX_ATTACHMENT_BYTES - self.at)
        if self.file is None:
            block = self.bytes[self.at : self.at + length].tobytes()
        else:
            try:
                block = os.read(self.file, length)
            except (OSError, IOError) as error:
                raise _unreadable(_failure_text(error))
        self.at += len(block)
        return block

    def close(self):
        file, self.file = self.file, None
        if file is not None:
            os.close(file)


def _copy(content, path):
    """Copy content to a new file, or leave none. Returns its size and its SHA-256. Raises _NotAttached, or an OSError of the disk."""
    source = _Source(content)
    file = None
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _O_CLOEXEC
        file = os.open(path, flags, 0o600)
        checksum = _sha256()
        while True:
            block = source.read()
            if not block:
                break
            checksum.update(block)
            while block:
                block = block[os.write(file, block) :]
        os.close(file)
        return source.at, checksum.hexdigest()
    except BaseException:
        if file is not None:
            _remove_copy(file, path)
        raise
    finally:
        source.close()


def _remove_copy(file, path):
    try:
        os.close(file)
    except OSError:
        pass
    _remove_attachment(path)


def _remove_attachment(path):
    try:
        os.unlink(path)
    except OSError:
        pass  # the daemon removes it with the lane


def _sha256(data=b""):
    import hashlib  # 2 ms, which a program that attaches nothing does not pay

    return hashlib.sha256(data)


# === Lane ====================================================================
# The append-only file: one write for each record, after which the record survives the program.


class _LaneWriter(object):
    """Writes the ops of one session in this process: to one lane, and to further ones after a fork or inside a signal handler.

    `reported` has the paths whose losses were reported; `counts` the losses by cause.
    """

    joined = False  # whether another process opened the session and will end it
    signal = None  # the name of the signal that stopped the program
    running = None  # the path of the file that is there until this process ends by itself

    def __init__(self, session_id, server, home, owner):
        self.session_id = session_id
        self.server = server
        self.wanted_home = home
        self.owner = owner
        self.ended = False
        self.reported = set()
        self.counts = {}
        self.held = deque()  # metrics as (time, text)
        self.window = 0.0  # when the latest period of HELD_SECONDS began
        self.count_in_window = 0  # metrics in it
        self.held_from = _NEVER if _is_multiprocessing_child() else HELD_METRICS
        self.pid = os.getpid()
        self.lanes = []
        self.lane = self._new_lane()

    def append_metric(self, at, text):
        """Write a metric, or hold it, if HELD_METRICS were written within HELD_SECONDS."""
        if not 0 <= at - self.window <= HELD_SECONDS:
            self.window = at
            self.count_in_window = 0
        if self.count_in_window < self.held_from or self.ended:
            self.count_in_window += 1
            self.append(at, (text,))
            return
        if not _HAS_FORK_HOOK and _getpid() != self.pid:
            self.forked()
        self.held.append((at, text))
        if len(self.held) >= HELD_METRICS:
            self.append(at, ())

    def attach(self, at, content, text_of, losses):
        """Copy content to a file beside a lane, then append its op. Returns why it is lost, or None."""
        if not _HAS_FORK_HOOK and _getpid() != self.pid:
            self.forked()
        lane = self._free_lane()
        attachment = "%s.%d" % (lane.id, next(lane.attachments))
        try:
            if lane.folder is None:
                lane.open(at)
            path = os.path.join(lane.folder, attachment + ".attachment")
            size, sha256 = _copy(content, path)
        except _NotAttached as lost:
            return lost
        except (OSError, IOError) as error:
            self.append(at, ("",), failure=error)
            return _not_written(error)
        self.append(at, (text_of(attachment, size, sha256),))
        if attachment not in lane.lost_attachments:
            return None
        _remove_attachment(path)
        return _not_written(lane.failure)

    def _free_lane(self):
        """Return the lane that the next op goes to: a nested one, if a call further up this thread's stack has the first one's lock."""
        lane = self.lane
        while not lane.lock.acquire(False):
            if not self._is_interrupted(lane):
                return lane  # another thread has the lock, and releases it soon
            if lane.nested is None:
                lane.nested = self._new_lane()
            lane = lane.nested
        lane.lock.release()
        return lane

    def append(self, at, texts, is_last=False, failure=None):
        """Write the held metrics, then these ops, which all have the same time. With a `failure` they are lost by it."""
        if not _HAS_FORK_HOOK and _getpid() != self.pid:
            self.forked()
        lane = self.lane
        if not lane.lock.acquire(False):
            lane = self._lock_another_lane(lane)
        try:
            if self.ended:
                self.held.clear()
                return
            if self.held:
                lane.write_all(_drain(self.held))
            for text in texts:
                if failure is None:
                    lane.write(at, text)
                else:
                    lane.lose(at, failure)
            if is_last:
                self.ended = True
                lane.close()
        finally:
            lane.lock.release()
        if is_last:
            self._close()

    def _lock_another_lane(self, lane):
        """Return a lane with its lock acquired, when the first one's is taken.

        If a call further up this thread's stack has it (this is its signal handler, or a finalizer), waiting would never end, so a
        nested lane takes the record. Otherwise another thread has it, and releases it soon.
        """
        if self._is_interrupted(lane):
            if lane.nested is None:
                lane.nested = self._new_lane()
            return lane.nested if lane.nested.lock.acquire(False) else self._lock_another_lane(lane.nested)
        if _acquired(lane.lock, LOCK_SECONDS):
            return lane
        # The thread ended while it had the lock: the interpreter stopped it, or an exception came at that moment.
        if self.lane is lane:
            self.lane = self._new_lane()
        return self.lane if self.lane.lock.acquire(False) else self._lock_another_lane(self.lane)

    def _is_interrupted(self, lane):
        frame = sys._getframe(3) if sys._getframe(2).f_code is _LANE_APPEND else sys._getframe(2)
        while frame is not None:
            if frame.f_code is _LANE_APPEND and frame.f_locals.get("self") is self:
                return True
            frame = frame.f_back
        return False

    def _new_lane(self):
        lane = _Lane(self.session_id, self.server, self.wanted_home, self._lane_opened)
        self.lanes.append(lane)
        return lane

    def begin(self):
        """Open the lane before its first record, so that a process which records nothing has a place for its fatal error."""
        try:
            if _records_stacks():
                self.lane.open(time.time())
        except Exception:
            _raise_if_stack_is_full()  # the disk is full: the first record tries again

    def _lane_opened(self, lane):
        if lane is self.lanes[0]:
            _fatal_errors.begin(self, lane)
            if not self.owner:
                _mark_running(self, lane)

    def forked(self):
        """In a forked child: begin a lane of its own. The parent writes its held metrics and ends the session."""
        self.pid = os.getpid()
        self.owner, self.joined = False, True
        self.running = None
        self.held.clear()
        self.held_from = _NEVER
        for lane in self.lanes:
            lane.is_ours = False
            lane.close()
        self.lanes = []
        self.lane = self._new_lane()

    def home(self):
        return _home_folder(self.wanted_home)

    def _close(self):
        _open_writers.pop(id(self), None)
        _unmark_running(self)
        for lane in self.lanes:
            if lane.lock.acquire(False):  # else an interrupted call is writing to it; its file is closed at exit
                lane.close()
                lane.lock.release()
        _stack_watch.end(self)
        _fatal_errors.end(self)

    def finish(self, deadline):
        _unmark_running(self)

    def flush(self, timeout):
        return True

    def queued(self):
        return len(self.held)

    def records(self):
        return sum(lane.sequence for lane in self.lanes) + len(self.held)

    def lost_counts(self):
        counts = {}
        for lane in self.lanes:
            for cause, count in lane.lost_counts().items():
                counts[cause] = counts.get(cause, 0) + count
        return counts

    def await_delivery(self, client, session_id):
        """Wait until the server has applied every lane up to its last record.

        The daemon is asked to send at once: by itself it gathers for 5 s. Without a daemon, or if the server does not answer, this
        returns at once.
        """
        deadline = time.time() + DELIVERY_SECONDS
        wanted = {lane.id: lane.sequence for lane in self.lanes if lane.sequence}
        path = "/api/sessions/%s/summary" % _quote_path(session_id)
        while time.time() < deadline and client.daemon_manager._has_daemon:
            try:
                lanes = json.loads(_ask(client.base_url + path).decode("utf-8"))["lanes"]
                applied = {lane["lane"]: lane["applied"] for lane in lanes}
                # The server shows a lane's id without its end.
                if all(applied.get(lane[:-13], 0) >= sequence for lane, sequence in wanted.items()):
                    return
            except HTTPError as error:
                if error.code != 404:  # 404: nothing of the session has arrived
                    return
            except Exception:
                return
            _ask_daemon_to_send(self.home(), session_id)
            time.sleep(0.02)


def _is_multiprocessing_child():
    """Return whether this is a child of multiprocessing. Those end by os._exit(), so no exit hook would write held metrics."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and type(module.current_process()).__name__ != "_MainProcess"


def _drain(items):
    """Remove and return all items of a deque, to which other threads may append."""
    removed = []
    try:
        while True:
            removed.append(items.popleft())
    except IndexError:
        return removed


_LANE_APPEND = (_LaneWriter.append.__func__ if _PY2 else _LaneWriter.append).__code__


class _Lane(object):
    """One lane: a sequence of files. A write that fails loses its record; `dropped` records with the numbers of lost records are
    written together with the next record that fits."""

    def __init__(self, session_id, server, home, opened):
        self.id = _new_id()
        self.opened = opened  # called when its first part is open
        self.header = _header(self.id, session_id, server)
        self.wanted_home = home
        self.lock = threading.Lock()
        self.nested = None  # the lane for calls inside a signal handler that interrupts a write
        self.is_ours = True  # False in a forked child
        self.sequence = 0
        self.attachments = itertools.count(1)
        self.lost_attachments = set()  # those whose op could not be written
        self.losses = OrderedDict()  # those that no record reports yet: by cause, a _Loss
        self.totals = {}  # all lost records, by cause
        self.start = None  # the time and text of a `start` that is not written: the session depends on it, so it is written later
        self.failure = None  # the last failed call's
        self.failed_at = _NEVER  # when opening a part failed
        self.is_forced = False  # the first and the last record try to open a part in any case
        self.limit = _lane_bytes()
        self.folder = None  # where its parts are
        self.reserve = None  # the file with the space for the last reports and the `end`
        self.reserved = 0  # its bytes
        self.file = None
        self.identity = None
        self.part = 0
        self.bytes = self.header_bytes = 0
        self.is_torn = False
        self.checked_at = 0.0
        self.checked_bytes = 0  # size up to which the file may grow without a check

    def open(self, at):
        """Open the first part before there is a record. Raises an OSError if that fails."""
        if not _acquired(self.lock, LOCK_SECONDS):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        try:
            if self.file is None:
                self._open_part(1 if self.start else self.sequence + 1, at)
        finally:
            self.lock.release()

    def write(self, at, text):
        """Write one record. The common case is written here; `_write_lines` does the others."""
        if self.losses or self.start:
            return self._write_with_reports([(at, text)])
        # The sequence is taken first, so that an interrupted record leaves a gap and not a sequence that is used twice.
        self.sequence = sequence = self.sequence + 1
        line = _line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), text))
        if self.bytes + len(line) <= self.checked_bytes and 0 <= at - self.checked_at < CHECK_SECONDS:
            try:
                written = os.write(self.file, line)
            except OSError as error:
                self.checked_bytes = 0
                self.failure = error
                lost = 1
            else:
                if written == len(line):
                    self.bytes += written
                    return
                lost = self._torn(line, written, 1)
            # EBADF: the program closed all files, as a daemon does at its start. EFBIG: this file may not grow.
            if lost and self.failure.errno in (errno.EBADF, errno.EFBIG):
                self.is_forced = _is_edge(text)
                lost = self._write_lines(line, 1, at, sequence)
        else:
            self.is_forced = _is_edge(text)
            lost = self._write_lines(line, 1, at, sequence)
            if not lost and sequence == 1 and text.startswith('"op":"start"'):
                self._reserve_end()
        if lost and not (_is_edge(text) and self._use_reserve(line, sequence)):
            self._lose([(at, text)])

    def write_all(self, ops):
        """Write ops, as (time, text), with one call."""
        if not ops:
            return
        if self.losses or self.start:
            return self._write_with_reports(ops)
        first = self.sequence + 1
        self.sequence += len(ops)
        self.is_forced = False
        lines = [
            _line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), text)) for sequence, (at, text) in enumerate(ops, first)
        ]
        lost = self._write_lines(b"".join(lines), len(lines), ops[-1][0], first)
        if lost:
            self._lose(ops[-lost:])

    def close(self):
        """Close the file, and give up the reserved space."""
        self._close_file()
        self._remove_reserve()

    def _close_file(self):
        """Close the file if the descriptor still refers to it: the program may have closed it and opened another one."""
        file, self.file = self.file, None
        self.checked_bytes = 0
        try:
            if file is not None and self.identity in (None, _identity(file)[:2]):
                os.close(file)
        except OSError:
            pass

    def lost_counts(self):
        counts = dict(self.totals)
        if self.start:
            cause = _loss_cause(self.failure)
            counts[cause] = counts.get(cause, 0) + 1
        return counts

    def lose(self, at, failure):
        """Count an op that is not written because its content could not be."""
        self.sequence += 1
        self.failure = failure
        self._lose([(at, "")])

    def _lose(self, ops):
        """Count ops, as (time, text), that could not be written."""
        if not self.losses and not self.start:
            self._mark_loss()
        for at, text in ops:
            if text.startswith('"op":"start"'):
                self.start = (at, text)
                continue
            if text.startswith(_ATTACHMENT):
                self.lost_attachments.add(text[len(_ATTACHMENT) : text.index('"', len(_ATTACHMENT))])
            cause = _loss_cause(self.failure)
            self.totals[cause] = self.totals.get(cause, 0) + 1
            if cause not in self.losses:
                self.losses[cause] = _Loss(self.failure)
            self.losses[cause].add(int(at * 1000))

    def _mark_loss(self):
        """Write an empty line. At the end of a lane it shows that records are missing there, should the program end before it can
        report them."""
        try:
            self._check_file(self.checked_at)
            if self.file is not None:
                self.bytes += os.write(self.file, b"\n\n" if self.is_torn else b"\n")
                self.is_torn = False
        except Exception:
            _raise_if_stack_is_full()

    def _write_with_reports(self, ops):
        """Write a late start, the reports of losses and these ops with one call: all of it or nothing."""
        before = self.sequence
        start, losses = self.start, dict(self.losses)
        texts = [(ops[0][0], loss.text(cause)) for cause, loss in losses.items()] + ops
        self.sequence += len(texts)
        lines = [_line('{"seq":1,"at":%s,%s' % (int(start[0] * 1000), start[1]))] if start else []
        lines += [
            _line('{"seq":%s,"at":%s,%s' % (sequence, int(at * 1000), text)) for sequence, (at, text) in enumerate(texts, before + 1)
        ]
        self.is_forced = _is_edge(ops[-1][1])
        block, first = b"".join(lines), 1 if start else before + 1
        if self._write_lines(block, len(lines), ops[-1][0], first, is_whole=True) and not (
            self.is_forced and self._use_reserve(block, first)
        ):
            self.sequence = before + len(ops)
            self._lose(ops)
            return
        self.start = None
        if start:
            self._reserve_end()
        for cause in losses:
            del self.losses[cause]

    def _reserve_end(self):
        """Take space on the disk, so that the last reports of losses and the `end` can be written when it is full.

        It is a file of empty lines, which is overwritten in place and renamed to a part.
        """
        self.reserve = os.path.join(self.folder, self.id + ".reserve")
        self.reserved = RESERVED_BYTES + self.header_bytes
        if not _write_whole(self.reserve, os.O_CREAT | os.O_EXCL, b"\n" * self.reserved):
            self._remove_reserve()

    def _use_reserve(self, lines, first):
        """Write the last lines into the reserved space. Return whether that worked."""
        part = self.part + 1
        data = _line(_header_text(self.header, part, first)) + lines
        if self.reserve is None or len(data) > self.reserved or not _write_whole(self.reserve, 0, data):
            return False
        try:
            os.rename(self.reserve, self._path_of(self.folder, part))
        except OSError:
            return False
        self.reserve = None
        return True

    def _remove_reserve(self):
        reserve, self.reserve = self.reserve, None
        try:
            if reserve is not None and self.is_ours:
                os.unlink(reserve)
        except OSError:
            pass  # the daemon removes it with the lane

    def _path_of(self, folder, part):
        return os.path.join(folder, "%s.%06d.lane" % (self.id, part))

    def _write_lines(self, lines, count, at, first, is_whole=False):
        """Write `count` lines, to the next part if this file may not grow: with `is_whole`, all or none. Returns how many were lost."""
        lost = self._try_lines(lines, count, at, first, is_whole)
        if not lost or getattr(self.failure, "errno", None) != errno.EFBIG or self.bytes <= self.header_bytes:
            return lost
        first += count - lost
        try:
            self._open_part(first, at)
        except Exception:
            _raise_if_stack_is_full()
            return lost
        return self._try_lines(b"".join(lines.splitlines(True)[-lost:]), lost, at, first, is_whole)

    def _try_lines(self, lines, count, at, first, is_whole):
        """Check the file, then write `count` lines to it or to a new part if it is full or missing."""
        self.checked_bytes = 0
        try:
            self._check_file(at)
            is_full = self.bytes + len(lines) > self.limit and self.bytes > self.header_bytes
            if self.file is None or is_full:
                self._open_part(first, at)
            if self.is_torn:
                lines = b"\n" + lines  # ends the torn line
            written = os.write(self.file, lines)
        except Exception as error:
            _raise_if_stack_is_full()
            self.failure = error
            return count
        if written < len(lines):
            return self._torn(lines, written, count, is_whole)
        self.bytes += written
        self.is_torn = False
        self.checked_bytes = self.limit
        return 0

    def _torn(self, lines, written, count, is_whole=False):
        """After a short write, return how many lines are lost. The cut bytes are removed: the report needs their space."""
        self.checked_bytes = 0
        self.failure = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            written += os.write(self.file, lines[written:])  # the system gives the reason with the second call
        except OSError as error:
            self.failure = error
        missing = lines[written:]
        if not missing:
            self.bytes += written
            self.is_torn = False
            return 0
        # A record that lacks only its line break is whole: the next write begins with one.
        lost = min(count, missing.count(b"\n") - (missing[:1] == b"\n"))
        if missing != b"\n":
            kept = 0 if is_whole else lines.rfind(b"\n", 0, written) + 1
            if is_whole:
                lost = count
            if written == kept or self._cut_to(self.bytes + kept, self.bytes + written):
                self.bytes += kept
                self.is_torn = self.is_torn and kept == 0
                return lost
        self.bytes += written
        self.is_torn = True
        return lost

    def _cut_to(self, size, expected):
        """Cut the file to a size if it has the expected one: the program may have put another file in its place."""
        try:
            if os.fstat(self.file).st_size != expected:
                return False
            os.ftruncate(self.file, size)
        except (AttributeError, OSError):
            return False
        return True

    def _check_file(self, at):
        """Give up the file if it was deleted, or if the descriptor was closed and refers to another file now."""
        self.checked_at = at
        if self.file is None or self.identity is None:
            return
        try:
            device, number, links = _identity(self.file)
            if (device, number) != self.identity:
                self.file = None
            elif links == 0:
                self._close_file()
        except OSError:
            self.file = None

    def _open_part(self, first, at):
        """Open the next part. If that fails, the open part is used further, or an OSError is raised if there is none."""
        if not self.is_ours:
            raise OSError(errno.EBADF, "the lane of another process")
        if not self.is_forced and 0 <= at - self.failed_at < REOPEN_SECONDS:
            if self.file is None:
                raise self.failure
            return
        try:
            self._try_part(self.folder or os.path.join(_home_folder(self.wanted_home), "lanes"), first)
        except (OSError, IOError) as error:
            self.failed_at = at
            if self.file is not None:
                return  # the disk is full or no descriptor is free: the open part grows
            if self.folder is not None or not self._has_spare(first):
                raise error

    def _has_spare(self, first):
        """Begin the lane in the last resort, if its home has no room. Return whether that worked."""
        try:
            spare = _last_resort()
            if spare is None:
                return False
            self._try_part(os.path.join(spare, "lanes"), first)
            return True
        except (OSError, IOError):
            return False

    def _try_part(self, folder, first):
        part = self.part + 1
        path = self._path_of(folder, part)
        file = _opened(path, folder)
        if sys.platform.startswith("java"):
            os.chmod(path, 0o600)  # Jython's open() ignores the mode
        line = _line(_header_text(self.header, part, first))
        try:
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._remove(file, path, part)
            raise
        self._close_file()
        self.file = file
        self.folder = folder
        try:
            self.identity = _identity(file)[:2]
        except OSError:  # Jython has no fstat of descriptors
            self.identity = None
        self.part = part
        self.bytes = self.header_bytes = len(line)
        self.is_torn = False
        if part == 1:
            self.opened(self)

    def _remove(self, file, path, part):
        """Remove a part without a whole header, which cannot be read."""
        try:
            os.close(file)
            os.unlink(path)
        except OSError:
            self.part = part  # its name stays in use


def _write_whole(path, flags, data):
    """Write at the beginning of a file. Return whether all of it is written."""
    try:
        file = os.open(path, os.O_WRONLY | flags | _O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        return os.write(file, data) == len(data)
    except OSError:
        return False
    finally:
        os.close(file)


class _Loss(object):
    """Records that could not be written, for one cause."""

    def __init__(self, failure):
        text = getattr(failure, "strerror", None)  # the system's text, without a path of this machine
        self.detail = text.lower() if isinstance(text, str) else ""
        self.count = 0
        self.first_at = self.last_at = 0

    def add(self, at):
        self.first_at = min(self.first_at, at) if self.count else at
        self.last_at = max(self.last_at, at)
        self.count += 1

    def text(self, cause):
        times = ',"first_at":%d,"last_at":%d' % (self.first_at, self.last_at)
        return _dropped_text(cause, self.count, self.detail, times)


_CAUSES = {  # the same in every client; the others are `write_failed`
    errno.ENOSPC: "disk_full",  # no block or no inode is free
    getattr(errno, "EDQUOT", errno.ENOSPC): "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
}


def _loss_cause(failure):
    return _CAUSES.get(getattr(failure, "errno", None), "write_failed")


_ATTACHMENT = '"op":"attachment","id":"'


def _is_edge(text):
    """Return whether an op begins or ends a session."""
    return text.startswith(('"op":"start"', '"op":"end"', '"op":"crash"'))


def _line(text):
    """Return a line of a lane: checksum, text and line break."""
    try:
        data = _utf8(text)
    except UnicodeEncodeError:
        data = _bytes_of(text)
    return b"%08x %s\n" % (_crc32(data) & 0xFFFFFFFF, data)


_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _opened(path, folder):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _O_CLOEXEC
    try:
        return _with_high_number(os.open(path, flags, 0o600))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        _make_folder(folder)
        return _with_high_number(os.open(path, flags, 0o600))


def _with_high_number(file):
    """Move a descriptor to LANE_FD or above, where a program that closes descriptors and opens others does not reuse it."""
    if fcntl is None:
        return file
    try:
        high = fcntl.fcntl(file, getattr(fcntl, "F_DUPFD_CLOEXEC", fcntl.F_DUPFD), LANE_FD)
    except (OSError, IOError):  # the limit of open files is lower
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
    """Return the fields of a header that all parts of a lane share."""
    return {
        "lane": lane,
        "session": session_id,
        "server": server,
        "at": int(time.time() * 1000),
        "monotonic_ms": _monotonic_ms(),
        "writer": _writer_description(),
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


# === Lane reader ============================================================
# Sessions as the lanes of this machine have them, for when the server cannot be asked.


def _sessions_in_lanes(home, wanted=None):
    """Return the sessions of a home's lanes by id (all, or the one that is wanted), each as a dict in the format of 1.x's daemon:
    without events and metrics."""
    ops = {}
    for session_id, lines in _lanes_in(home):
        if wanted is None or session_id == wanted:
            ops.setdefault(session_id, []).extend(line for line in lines if line is not None)
    return dict((session_id, _described_session(session_id, its_ops)) for session_id, its_ops in ops.items())


def _has_lane(home, session_id):
    return any(found == session_id for found, _ in _lanes_in(home))


def _lanes_in(home):
    """Yield the session of each lane file, and an iterator of its records, which are read only if it is used."""
    folder = os.path.join(home, "lanes")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".lane"):
            try:
                with _file(os.path.join(folder, name)) as file:
                    yield _read_line(file.readline())["session"], (_read_line(line) for line in file)
            except (OSError, IOError, TypeError, ValueError, KeyError):
                continue  # deleted meanwhile, or damaged


def _read_line(line):
    """Return a line of a lane, or None if it is damaged."""
    crc, _, text = line.rstrip(b"\n").partition(b" ")
    return json.loads(text.decode("utf-8")) if crc == b"%08x" % (_crc32(text) & 0xFFFFFFFF) else None


def _described_session(session_id, ops):
    ops = sorted(ops, key=lambda op: op["at"])
    state, ended_at = {}, None
    for op in ops:
        if op["op"] == "start":
            _merge(state, {"product": op.get("product", ""), "version": op.get("version", "")})
            _merge(state, op.get("state", {}))
        elif op["op"] == "state":
            _merge(state, op["patch"])
        elif op["op"] in ("end", "crash"):
            ended_at = op["at"]
    created_at = ops[0]["at"] if ops else time.time() * 1000
    session = {
        "id": session_id,
        "created_at": _rfc3339(created_at),
        "updated_at": _rfc3339(time.time() * 1000),
        "active": ended_at is None,
        "state": state,
        "events": [],
        "metrics": [],
    }
    return session if ended_at is None else dict(session, ended_at=_rfc3339(ended_at))


def _merge(state, patch):
    """Merge as the server does: RFC 7396, except that a null inside a new object is stored."""
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        elif isinstance(value, dict) and isinstance(state.get(key), dict):
            _merge(state[key], value)
        else:
            state[key] = value


def _rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000))


# === Queue ===================================================================
# Direct mode: a bounded queue in memory, and a thread that sends it.


class _Queue(object):
    """Sends the ops of one session. It has the methods of _LaneWriter.

    Appending never waits for a lock, so a signal handler may call it while it interrupts another call.
    """

    fault_path = None
    joined = False
    signal = None

    def __init__(self, session_id, url, owner):
        self.session_id = session_id
        self.url = url.rstrip("/") + "/api/ingest"
        self.owner = owner
        self.ended = False
        self.reported = set()
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
        self.wake = threading.Lock()  # held while the sender has nothing to wake up for
        self.is_urgent = False
        self.is_resting = False  # no request was sent for the time of gathering, and no op waits
        self.wake.acquire()
        self.thread = None
        self.batch = None  # sent or to be sent, and not yet acknowledged
        self.uploads = deque()  # content of attachments
        self.upload_bytes = 0
        self.batch_limit = BATCH_OPS  # fewer after a batch was refused
        self.gather = GATHER_SECONDS
        self.pause = RETRY_FIRST_SECONDS
        self.is_failing = False
        self.is_gone = False
        self.answered_at = _stopwatch()

    def append(self, at, texts, is_last=False):
        if not _HAS_FORK_HOOK and _getpid() != self.pid:
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
            self._wake_sender()
        elif self.is_resting:
            self._wake_sender(is_urgent=False)
        if self.thread is None:
            self._begin_sending()

    def append_metric(self, at, text):
        self.append(at, (text,))

    def attach(self, at, content, text_of, losses):
        """Append an attachment's op, and keep its content until the server has it. Returns why it is lost, or None."""
        if not _HAS_FORK_HOOK and _getpid() != self.pid:
            self.forked()
        try:
            source = _Source(content)
            try:
                data = b"".join(iter(source.read, b""))
            finally:
                source.close()
        except _NotAttached as lost:
            return lost
        if self.upload_bytes + len(data) > WAITING_BYTES:
            reason = "there is no room for its %d bytes among the %d that may wait in memory" % (len(data), WAITING_BYTES)
            return _NotAttached("queue_full", "%d bytes" % len(data), reason)
        attachment = _new_id()
        self.upload_bytes += len(data)
        self.append(at, (text_of(attachment, len(data), _sha256(data).hexdigest()),))
        self.uploads.append(_Upload(attachment, data))
        self._wake_sender()
        return None

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
        """Drop the oldest metrics, then the oldest other ops except start and end, until QUEUE_FREED of the queue is free."""
        if not self.room.acquire(False):
            return  # the sender is removing ops, or this interrupts a call that drops some
        try:
            ops = _drain(self.waiting)
            for is_dropped in (lambda kind: kind == "metric", lambda kind: kind not in ("start", "end", "crash")):
                kept = []
                count = len(ops)
                for kind, text in ops:
                    is_full = count >= QUEUE_OPS * (1 - QUEUE_FREED) or self.bytes >= QUEUE_BYTES * (1 - QUEUE_FREED)
                    if is_full and is_dropped(kind):
                        count -= 1
                        self.bytes -= len(text)
                        self._count_loss("queue_full", 1)
                    else:
                        kept.append((kind, text))
                ops = kept
            self.waiting.extendleft(reversed(ops))
        finally:
            self.room.release()

    def _count_loss(self, cause, count):
        self.unsent_losses[cause] = self.unsent_losses.get(cause, 0) + count
        self.lost[cause] = self.lost.get(cause, 0) + count

    def forked(self):
        """In a forked child: begin a lane of its own. The parent sends the ops that are queued."""
        self.owner, self.joined = False, True
        self._begin()

    def _wake_sender(self, is_urgent=True):
        """Wake the sender. A signal handler may release a lock; it may not set an Event, whose lock the interrupted call may have."""
        self.is_urgent = self.is_urgent or is_urgent
        try:
            self.wake.release()
        except Exception:
            pass  # it is awake already

    def _begin_sending(self):
        # Both import modules. In the sender's thread a fork at that moment would leave the child with a locked import.
        u"localhost".encode("idna")
        _writer_description()
        self.thread = thread = threading.Thread(target=self._send_all, name="datacat sender")
        thread.daemon = True
        try:
            thread.start()
        except Exception:
            self.thread = None  # the system has no thread left; the next call tries again

    def _send_all(self):
        try:
            while True:
                batch = self._next_batch()
                if batch is None and self.uploads and _stopwatch() >= self.uploads[0].not_before:
                    self._upload(self.uploads[0])
                    continue
                if batch is None:
                    if self.ended and not self.uploads:
                        _open_writers.pop(id(self), None)
                        return
                    self._rest()
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

    def _rest(self):
        """
        Wait for an op. One that is not urgent waits for others, but for a short time: the answer shows whether a page of the session has
        been opened since the last request.
        """
        self.is_resting = True
        is_awake = _acquired(self.wake, self.gather, 0.05)
        self.is_resting = False
        if is_awake and not self.is_urgent:
            _acquired(self.wake, WATCHED_GATHER_SECONDS, 0.05)

    def _next_batch(self):
        """Return the batch that is not acknowledged, else one of queued ops, else an empty one if the lease must be renewed, else None."""
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
        self.is_urgent = False
        # The urgent ops are in this batch, unless some did not fit: ops that come during the request are gathered.
        if self.wake.acquire(False) and self.waiting:
            self._wake_sender()
        if not ops and not dropped and _stopwatch() - self.answered_at < LEASE_RENEWAL_SECONDS:
            return None
        first = self.sequence + 1
        self.sequence += len(ops) + sum(dropped.values())
        if ops or dropped or self.sequence:
            self.batch = {"first": first, "last": self.sequence, "ops": ops, "dropped": dropped}
        return self.batch

    def _send(self, batch):
        """Send a batch and process the answer. Returns the least number of seconds before the next request."""
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

    def _upload(self, upload):
        """Make one request for an attachment whose op the server has: what is missing, or the next chunk."""
        url = "%s/api/sessions/%s/attachments/%s/chunks" % (
            self.url[: -len("/api/ingest")], _quote_path(self.session_id), _quote_path(upload.id),
        )  # fmt: skip
        wait = 0.0
        try:
            if upload.missing is None:
                progress = json.loads(_ask(url, timeout=SEND_SECONDS).decode("utf-8"))
            else:
                number = upload.missing
                chunk = upload.data[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
                headers = {"Content-Type": "application/octet-stream"}
                progress = json.loads(_ask("%s/%d" % (url, number), "PUT", chunk, headers, SEND_SECONDS).decode("utf-8"))
            if progress.get("complete") is True or progress.get("refused") is not None:
                self._end_upload(upload)
                return
            if upload.advance(progress):
                return
        except HTTPError as error:
            upload.unknown += error.code == 404  # the op is not applied yet, or was dropped because the queue was full
            if error.code in (400, 410, 413, 422) or upload.unknown >= UNKNOWN_ANSWERS:
                self._end_upload(upload)
                return
            wait = _retry_after(error)
        except Exception:
            pass  # no answer
        upload.delay(wait)

    def _end_upload(self, upload):
        self.uploads.popleft()
        self.upload_bytes -= len(upload.data)

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
            fields["writer"] = json.loads(_value_text(_writer_description(), (None, "writer"), [], []))
        text = '{"sent_at":%d,"batches":[%s,"ops":[%s]}]}' % (
            int(time.time() * 1000),
            json.dumps(fields)[:-1],
            ",".join([text for _, text in batch["ops"]]),
        )
        return _bytes_of(text)

    def _refused(self, batch, status, wait):
        if status == 410:  # the session was deleted on the server
            self._count_loss("refused", len(batch["ops"]) + len(self.waiting))
            self.waiting.clear()
            self.batch = None
            self.uploads.clear()
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
        """Put half of a refused batch back into the queue. An op that is refused alone is counted as lost."""
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
            self.batch = None  # it has no op that could be left out

    def _renumber(self, batch, applied):
        """Send what the server does not have in a new lane, because its count of this lane differs (its storage was restored, for
        example)."""
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
        self._wake_sender()
        while self.queued() and time.time() < deadline and not self.is_gone:
            time.sleep(0.005)
        return not self.queued()

    def finish(self, deadline):
        """At exit, wait until the queue is empty, the deadline, or a failed request: ops in memory are lost with the process."""
        self._wake_sender()
        while self.queued() and time.time() < deadline and not self.is_failing and not self.is_gone:
            time.sleep(0.005)

    def await_delivery(self, client, session_id):
        self.flush(DELIVERY_SECONDS)

    def queued(self):
        batch = self.batch
        return len(self.waiting) + (len(batch["ops"]) if batch else 0) + len(self.uploads)

    def records(self):
        return self.sequence + len(self.waiting)

    def lost_counts(self):
        return dict(self.lost)


class _Upload(object):
    """The content of one attachment that waits in memory, and what of it the server does not have."""

    def __init__(self, attachment, data):
        self.id = attachment
        self.data = data
        self.missing = None  # the number of the next chunk; None before the server has answered
        self.received = -1  # how many chunks it had
        self.unknown = 0  # answers that it does not have the op
        self.not_before = 0.0
        self.pause = RETRY_FIRST_SECONDS

    def advance(self, progress):
        """Find the next chunk. Return whether there is one, and the last request changed something."""
        received = set(progress["received"])
        before, self.received = self.received, len(received)
        self.missing = next((number for number in range(progress["chunks"]) if number not in received), None)
        if self.missing is None or self.received <= before:
            return False
        self.pause = RETRY_FIRST_SECONDS
        return True

    def delay(self, at_least):
        """After a failed request: ask again what the server has, after a pause."""
        self.missing, self.received = None, -1
        self.not_before = _stopwatch() + max(at_least, self.pause * (1 - RETRY_JITTER * random.random()))
        self.pause = min(self.pause * 2, RETRY_LONGEST_SECONDS)


_STATUS_OF_CODE = {  # src/core/refusal.ts; the others mean that the ops are at fault
    "gone": 410, "too_large": 413, "too_many_requests": 429, "unauthorized": 401, "forbidden": 403, "locked": 403,
    "foreign_host": 403, "not_found": 404, "internal": 500, "unavailable": 503,
}  # fmt: skip


def _kind_of(text):
    """Return the type of an op: `exception` for an event that has one."""
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


# === Original daemon =========================================================
# datacat 1.x's daemon, which reads no lanes: ops go to its local API.


class _OriginalQueue(_Queue):
    """Sends each op as a request of its own. What that API cannot hold (lanes, causes, an exit code) is left out."""

    def __init__(self, session_id, url, owner):
        _Queue.__init__(self, session_id, url, owner)
        self.url = url

    def attach(self, at, content, text_of, losses):
        return _NotAttached("refused", "not supported by the daemon of datacat 1.x", "the daemon of datacat 1.x takes no attachments")

    def _send(self, batch):
        while batch["ops"]:
            path, body = _original_request(json.loads(batch["ops"][0][1]))
            self.is_failing = False
            if path is not None:
                body = json.dumps(dict(body, session_id=self.session_id)).encode("utf-8")
                try:
                    _ask(self.url + path, "POST", body, {"Content-Type": "application/json"}, SEND_SECONDS)
                except Exception as error:
                    if not isinstance(error, HTTPError) or error.code >= 500:
                        self.is_failing = True
                        return 0.0
                    self.lost["refused"] = self.lost.get("refused", 0) + 1
            del batch["ops"][0]
        self.batch = None
        return 0.0


# Fields of an event that datacat 1.x does not have.
_OURS = ("op", "at", "attributes", "notes", "causes", "causes_left_out", "sources", "handled")


def _original_request(op):
    """Return the path and the body that stand for an op in the local API of datacat 1.x's daemon, or None and None."""
    kind = op["op"]
    if kind == "start":
        state = dict(op.get("state", {}), **({"tags": op["tags"]} if "tags" in op else {}))
        return ("/state", {"state": state}) if state else (None, None)
    if kind == "tags":
        return "/state", {"state": {"tags": op["tags"]}}
    if kind == "state":
        return "/state", {"state": op["patch"]}
    if kind == "event":
        fields = dict((key, value) for key, value in op.items() if key not in _OURS)
        return "/event", dict({"category": "info", "labels": [], "data": {}}, **fields)
    if kind == "metric":
        fields = dict((key, value) for key, value in op.items() if key not in ("op", "at", "buckets"))
        if "buckets" in op:
            fields["metadata"] = dict(op.get("metadata", {}), buckets=op["buckets"])
        return "/metric", dict({"value": 0, "tags": []}, **fields)
    if kind in ("heartbeat", "end"):
        return "/" + kind, {}
    if kind in ("pause", "resume"):
        return "/%s_heartbeat" % kind, {}
    return None, None  # a crash is detected by that daemon itself; losses are only in `stats()`


def _is_original_daemon(path):
    """Return whether an executable is datacat 1.x's daemon: machine code that makes its local ids. Later ones are scripts.

    A program with the Go client of version 2 contains such an id, too, and the name of that client's module.
    """
    with _file(path) as file:
        if file.read(2) not in (b"\x7fE", b"MZ", b"\xcf\xfa", b"\xca\xfe"):
            return False
        code = file.read()
        return b"local-session-" in code and b"datacat/clients/go/v2" not in code


def _warn_of_original(path):
    if path in _warned:
        return
    _warned.add(path)
    message = (
        "datacat: %s is the daemon of datacat 1.x. The program uses its local API, without lanes: what it records while that"
        " daemon does not run is lost when the program ends. Install the daemon of datacat %s there." % (path, __version__)
    )
    try:
        warnings.warn(message, RuntimeWarning)
    except Exception:
        pass  # the program made warnings errors


_warned = set()


def _wait_for_answer(url, seconds):
    deadline = time.time() + seconds
    while time.time() < deadline:
        try:
            return _ask(url)
        except Exception:
            time.sleep(0.02)


# === Disabled ================================================================
# The writer of a session that records nothing.


class _DisabledWriter(object):
    """The writer of a session that records nothing: `DATACAT_DISABLED`, or a session that could not be opened."""

    owner = False
    joined = True
    ended = True
    signal = None

    def __init__(self):
        self.reported = set()
        self.counts = {}

    def append(self, at, texts, is_last=False):
        pass

    append_metric = append

    def attach(self, at, content, text_of, losses):
        return None

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
    """Send a request. Returns the bytes of the answer's body."""
    answer = _request(url, method, body, headers, timeout)
    try:
        return answer.read()
    finally:
        answer.close()


def _request(url, method="GET", body=None, headers=None, timeout=HTTP_SECONDS):
    """Send a request. Returns the answer once its headers have arrived. Requests to loopback ignore the proxy settings.

    Raises HTTPError, URLError, or what the socket raises.
    """
    url = _plain_text(url)  # 2.7 cannot send a body of bytes to a URL that is Unicode
    request = Request(url, body, dict(headers or {}))
    request.get_method = lambda: method
    host = url.split("//", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
    is_loopback = re.match(r"(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$", host)
    key = _key_for(url)
    if key and not request.has_header("Authorization"):
        request.add_header("Authorization", "Bearer " + key)
    handlers = [_SameServer(), ProxyHandler({})] if is_loopback else [_SameServer()]
    if HTTPSHandler is not None:
        handlers.append(_LateTls())
    return build_opener(*handlers).open(request, timeout=timeout)


def _key_for(url):
    """Return the API key for a URL, or None. `DATACAT_KEY` belongs to `DATACAT_URL`, or to the program's server if that is not set.

    A daemon in another container has a key of its own, and the connection to it may be unencrypted.
    """
    daemon = os.environ.get("DATACAT_DAEMON_URL")
    server = os.environ.get("DATACAT_URL") or url
    is_daemon = daemon and _origin(daemon) == _origin(url)
    return os.environ.get("DATACAT_KEY") if not is_daemon and _origin(server) == _origin(url) else None


def _origin(url):
    return "/".join(_plain_text(url).split("/", 3)[:3]).lower()


class _SameServer(HTTPRedirectHandler):
    """Follows redirects within one server. urllib would send the key to any address that the server names."""

    def redirect_request(self, request, file, code, message, headers, url):
        if _origin(url) != _origin(request.get_full_url()):
            return None
        return HTTPRedirectHandler.redirect_request(self, request, file, code, message, headers, url)


if HTTPSHandler is not None:

    class _LateTls(HTTPSHandler):
        """Creates the TLS context when a request needs it. urllib creates one for every request since 3.12. That takes longer than a
        request on the same machine, and a child that is forked meanwhile inherits OpenSSL's locks in the locked state."""

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


def _running_daemon(home):
    """Return the contents of daemon.json if the process that it names runs, else None."""
    try:
        with _file(os.path.join(home, "daemon.json")) as file:
            daemon = json.loads(file.read().decode("utf-8"))
        return daemon if _is_running(daemon) else None
    except Exception:
        return None


def _ask_daemon_to_send(home, session_id):
    """Make the daemon send what it has of a session: 1.x's route `/session` does before it answers."""
    daemon = _running_daemon(home)
    if daemon is not None and daemon.get("port"):
        url = "http://127.0.0.1:%d/session?session_id=%s" % (daemon["port"], _quote_path(session_id))
        try:
            _request(url, headers={"Authorization": "Bearer %s" % daemon.get("token")}).close()
        except Exception:
            pass  # 404: the server has nothing of the session yet


def _is_running(process):
    pid = int(process["pid"])
    if os.name == "nt":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except OSError as error:
        if error.errno != errno.EPERM:  # EPERM: another user's process, which runs
            return False
    started = process.get("pid_started")
    found = _process_started(pid)
    return not started or found is None or str(started) == found


def _is_running_on_windows(pid):
    import ctypes

    handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    ctypes.windll.kernel32.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE


def _spawn(path, folder, **variables):
    """Start an executable detached in a folder, with its standard streams on the null device and these variables in its environment.

    The program's folder may be a stranger's, so what its environment has of that folder does not count: modules to load first, and the
    configuration of 1.x's daemon.
    """
    environment = dict(os.environ, **variables)
    for name in ("NODE_OPTIONS", "BUN_OPTIONS", "DATACAT_CONFIG"):
        if name not in variables:
            environment.pop(name, None)
    path = os.path.abspath(path)
    if os.name == "nt":
        import subprocess

        nowhere = _file(os.devnull, "r+b")
        flags = 0x00000008 | 0x00000200  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        subprocess.Popen(
            [path], stdin=nowhere, stdout=nowhere, stderr=nowhere, cwd=folder, env=environment, creationflags=flags
        )
    elif hasattr(os, "posix_spawn"):
        # A shell starts it, so that it is not a child of the program: a program may wait for all its children.
        line = ["sh", "-c", 'cd "$1" && "$0" </dev/null >/dev/null 2>&1 &', path, folder]
        # Inherited descriptors are closed: a process that waits for the end of a pipe must not wait for the daemon.
        close = [(os.POSIX_SPAWN_CLOSE, file) for file in _open_descriptors() if os.get_inheritable(file)]
        try:
            pid = os.posix_spawn("/bin/sh", line, environment, file_actions=close, setsid=True)
        except (NotImplementedError, TypeError):
            pid = os.posix_spawn("/bin/sh", line, environment, file_actions=close)
        os.waitpid(pid, 0)  # the shell ends at once
    else:
        _fork_daemon(path, folder, environment)


def _fork_daemon(path, folder, environment):
    """Start the daemon before 3.8, which has no posix_spawn. Two forks, so that the daemon is not a child of the program."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        os.setsid()
        os.chdir(folder)
        if os.fork() == 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            for file in _open_descriptors():
                os.close(file)
            os.execve(path, [path], environment)
    finally:
        os._exit(127)


def _open_descriptors():
    """Return every open descriptor except the standard streams."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    files = []
    for name in os.listdir(folder):
        try:
            os.fstat(int(name))  # fails for the descriptor of the listing itself, which is closed
        except OSError:
            continue
        if int(name) > 2:
            files.append(int(name))
    return files


def _find_daemon(binary=None):
    """Return the path of the daemon's executable, or None.

    It is `binary`, if that is a path, else `DATACAT_DAEMON`, else `datacat-daemon` beside the program, in `bin` beside it, or on PATH.
    `DATACAT_DAEMON=off` always gives None. The current directory is not searched: another user may write to it, and the program would
    run what that user put there.
    """
    wanted = os.environ.get("DATACAT_DAEMON")
    if wanted == "off":
        return None
    name = (binary if binary and os.path.dirname(binary) else wanted or binary) or "datacat-daemon"
    if os.path.dirname(name):
        return os.path.abspath(name) if os.access(name, os.X_OK) else None
    names = [name, name + ".exe", name + ".cmd"] if os.name == "nt" else [name]
    folders = [_PROGRAM_FOLDER, os.path.join(_PROGRAM_FOLDER, "bin")] if _PROGRAM_FOLDER else []
    for folder in folders + os.environ.get("PATH", os.defpath).split(os.pathsep):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def _program_folder():
    """Return the folder of the program, or None for an interactive interpreter and `python -c`."""
    path = sys.executable if getattr(sys, "frozen", False) else (getattr(sys, "argv", None) or [""])[0]
    return os.path.dirname(os.path.abspath(path)) if path and os.path.isfile(path) else None


_PROGRAM_FOLDER = _program_folder()  # before the program changes its directory, which would change what a relative path means


# === Home ====================================================================
# The folder that holds lanes.


def _home_folder(asked=None):
    """Return Datacat's home, created if missing. Another user's, or one that cannot be written, is replaced by one in the temporary
    folder."""
    wanted = asked or os.environ.get("DATACAT_HOME") or _default_home()
    if wanted in _homes:
        return wanted
    try:
        if wanted and _is_ours_to_write(_make_folder(wanted)):
            _make_folder(os.path.join(wanted, "lanes"))
            _homes.add(wanted)
            return wanted
    except (OSError, IOError):
        pass
    return _last_resort() or _NO_HOME


_homes = set()
_NO_HOME = os.path.join(os.devnull, "datacat")  # no file can be made there, so every record is counted as lost


def _default_home():
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


def _last_resort():
    """Return the home in the temporary folder, created if missing, or None. Every user may write there, so it has to be a folder of this
    user into which no other may write, and no link."""
    home = _home_in_temporary_folder()
    try:
        if os.path.lexists(home) and not _is_closed(home):
            return None
        _make_folder(os.path.join(_make_folder(home), "lanes"))
        return home if _is_closed(home) and _is_ours_to_write(home) else None  # another user may have made it meanwhile
    except (OSError, IOError):
        return None


def _is_closed(folder):
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        return False
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def _make_folder(path):
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
    """Open a file. This module's `open` opens a session."""
    import io

    return io.open(path, mode)


# === Writer ==================================================================
# What a lane's header states about this process and machine.


def _writer_description():
    """Return who writes a lane: the header's `writer`. Cached for each process."""
    if _description.get("pid") != os.getpid():
        arguments = [_plain_text(argument) for argument in getattr(sys, "argv", None) or [""]]
        fields = [
            ("program", os.path.basename(arguments[0]) or "python"),
            ("arguments", _without_secrets(arguments[1:])),
            ("language", _language()),
            ("client", "datacat-python " + __version__),
            ("pid", os.getpid()),
            ("pid_started", _process_started(os.getpid())),
            ("parent_pid", os.getppid() if hasattr(os, "getppid") else None),
            ("machine_id", _once("machine_id", _machine_id)),
            ("boot_id", _once("boot_id", _boot_id)),
            ("hostname", _once("hostname", _hostname)),
            ("os", _once("os", _system)),
            ("user", _once("user", _user)),
        ]
        globals()["_description"] = OrderedDict((key, value) for key, value in fields if value is not None)
    return _description


_description = {}
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
    """Return field 22 of /proc/<pid>/stat, or None without such a file. Fields are counted after the name, which may hold spaces."""
    try:
        with _file("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IOError, IndexError):
        return None


def _machine_id():
    """Return 1.x's machine id: the MD5, in hex, of the hardware address of the interface with the lowest index."""
    try:
        from _md5 import md5  # without OpenSSL, whose loading takes longer than all else that opening a session does
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
    """Return a UUIDv7 (RFC 9562) with 12 bits of the millisecond's fraction, so that the names of lanes sort by time."""
    now = time.time() * 1000
    bits = binascii.hexlify(os.urandom(8)).decode("ascii")
    moment = "%012x" % int(now)
    variant = "%x" % (int(bits[0], 16) & 0x3 | 0x8)
    return str("%s-%s-7%03x-%s%s-%s" % (moment[:8], moment[8:], int(now % 1 * 4096), variant, bits[1:4], bits[4:16]))
