# -*- coding: utf-8 -*-
"""The golden lanes (test/fixtures/lanes/README.md): the same calls, the same bytes, in every language."""

import binascii
import datetime
import glob
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import sys
import unittest
from collections import OrderedDict

import datacat
from worlds import FIXTURES, Test, lane_files


def expected(name):
    """`NAME.lane`, or its parts; packed if long."""
    found = []
    for path in sorted(glob.glob(os.path.join(FIXTURES, name + ".*"))):
        rest = os.path.basename(path)[len(name) :]
        if rest.endswith(".lane.gz"):
            with gzip.open(path, "rb") as file:
                found.append(file.read())
        elif rest.endswith(".lane"):
            with io.open(path, "rb") as file:
                found.append(file.read())
    return found


class UTC(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(0)

    dst = utcoffset


def revive(value, above):
    """The value that a fixture's JSON stands for."""
    if isinstance(value, list):
        copy = []
        copy.extend(revive(item, above + [copy]) for item in value)
        return copy
    if not isinstance(value, dict):
        return value
    if "$special" not in value:
        copy = OrderedDict()
        for key, item in value.items():
            copy[key] = revive(item, above + [copy])
        return copy

    kind = value["$special"]
    if kind in ("NaN", "Infinity", "-Infinity"):
        return float(kind.replace("Infinity", "inf"))
    if kind == "integer":
        return int(value["digits"])
    if kind == "bytes":
        return bytearray(binascii.a2b_base64(value["base64"]))
    if kind == "time":
        naive = datetime.datetime.strptime(value["text"], "%Y-%m-%dT%H:%M:%S.%fZ")
        return naive.replace(tzinfo=UTC())
    if kind == "set":
        return set(revive(item, []) for item in value["items"])
    if kind == "map":
        return OrderedDict((revive(key, []), revive(item, [])) for key, item in value["entries"])
    if kind == "cycle":
        return above[-value["up"]]
    if kind == "deep":
        inner = {}
        for _ in range(value["levels"] - 1):
            inner = {"x": inner}
        return inner
    if kind == "repeat":
        return value["text"] * value["times"]
    if kind == "list":
        return [value["item"]] * value["times"]
    if kind == "zeros":
        return bytearray(value["bytes"])
    if kind == "opaque":
        return type(str(value["type"]), (object,), {"__slots__": ()})()
    raise ValueError(kind)


def play(calls, open_session):
    """Makes a fixture's calls, on the session that `open_session` makes of its first one."""
    session = None
    for call in calls:
        name, arguments = call[0], [revive(argument, []) for argument in call[1:]]
        options = arguments[-1] if len(arguments) > 1 and isinstance(arguments[-1], dict) else {}
        first = arguments[0] if arguments else {}
        if name == "open":
            session = open_session(first)
        elif name == "add_tags":
            session.add_tags(first)
        elif name == "update_state":
            session.update_state(first)
        elif name == "log_event":
            session.log_event(first, **options)
        elif name == "log_exception":
            fields = dict(first)
            causes = fields.pop("causes", [])
            sources = [datacat._excerpt_text(**excerpt) for excerpt in fields.pop("sources", [])]
            common = [fields.pop(key, None) for key in ("category", "group", "tags", "message", "data")]
            title, handled = fields.pop("name", "exception"), fields.pop("handled", None)
            fingerprint, test = fields.pop("fingerprint", None), fields.pop("test", None)
            more = datacat._exception_fields(causes=causes, handled=handled, sources=sources, fingerprint=fingerprint, losses=[], **fields)
            if test is not None:
                more += datacat._test_field(test, [])
            session._log(session._now(), title, [], *common, more=more)
        elif name == "timer":
            options.setdefault("unit", None)
            session.log_timer(first, arguments[1], **options)
        elif name in ("gauge", "counter", "histogram"):
            getattr(session, name)(first, arguments[1], **options)
        elif name == "heartbeat":
            session.heartbeat(first["timeout_ms"] / 1000 if first else None)
        elif name == "attach":
            session.attach(first, arguments[1], **options)
        elif name in ("pause", "resume"):
            getattr(session, name)()
        elif name == "end":
            session.end(**first)
        elif name == "crash":
            session.crash(**first)
        else:
            raise ValueError(name)
    return session


def read_fixture(name):
    with io.open(os.path.join(FIXTURES, name + ".json"), encoding="utf-8") as file:
        text = file.read()
    if sys.platform.startswith("java"):  # whose strings hold no lone surrogates
        pair = r"(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\ud[89a-f][0-9a-f]{2}"
        text = re.sub(pair, lambda match: match.group(1) or u"\\ufffd", text)
    return json.loads(text, object_pairs_hook=OrderedDict)


def opened(client, session_id, start):
    session = client._session(session_id)
    session._now = client.clock
    if client._writers[session_id].owner:
        session._start(start.get("product"), start.get("version"), start.get("tags"), start.get("state"))
    elif "tags" in start:
        session.add_tags(start["tags"])
    return session


class Golden(Test):
    def check(self, name):
        fixture = read_fixture(name)
        os.environ.update((str(key), str(value)) for key, value in fixture.get("environment", {}).items())
        header = fixture["header"]
        self.addCleanup(setattr, datacat, "_header", datacat._header)
        datacat._header = lambda lane, session, server: header
        self.addCleanup(setattr, datacat, "_new_id", datacat._new_id)
        datacat._new_id = lambda: header["lane"]

        client = datacat.DatacatClient(header["server"])
        readings = itertools.count()
        # Half a millisecond more, so that seconds as a double never round down to the millisecond before.
        clock = fixture["clock"]
        client.clock = lambda: (clock["start"] + clock["step"] * next(readings) + 0.5) / 1000.0
        client._writer_of(header["session"], owner="DATACAT_SESSION" not in os.environ)
        play(fixture["calls"], lambda start: opened(client, header["session"], start))

        written = []
        for path in lane_files(self.home):
            with io.open(path, "rb") as file:
                written.append(file.read())
        wanted = expected(name)
        self.assertTrue(wanted)
        for mine, theirs in zip(b"".join(written).split(b"\n"), b"".join(wanted).split(b"\n")):
            self.assertEqual(mine[:2000], theirs[:2000])
            self.assertTrue(mine == theirs)
        self.assertEqual([len(part) for part in written], [len(part) for part in wanted])
        self.check_attachments(b"".join(written))

    def check_attachments(self, lane):
        """Each attachment has a file with its content, and there is no other."""
        records = [json.loads(line[9:].decode("utf-8")) for line in lane.splitlines()]
        attached = dict((record["id"] + ".attachment", record) for record in records if record.get("op") == "attachment")
        folder = os.path.join(self.home, "lanes")
        self.assertEqual(sorted(attached), sorted(name for name in os.listdir(folder) if name.endswith(".attachment")))
        for name, record in attached.items():
            with io.open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            self.assertEqual(len(content), record["size"])
            self.assertEqual(hashlib.sha256(content).hexdigest(), record["sha256"])


for _path in sorted(glob.glob(os.path.join(FIXTURES, "*.json"))):
    _name = os.path.basename(_path)[:-5]
    _test = lambda self, name=_name: self.check(name)  # noqa: E731
    _test.__doc__ = _name + ": same calls, same bytes"
    setattr(Golden, "test_" + _name, _test)


if __name__ == "__main__":
    unittest.main()
