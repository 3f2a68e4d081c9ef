# -*- coding: utf-8 -*-
"""How Python's own values are written, and that no value makes a call raise."""

import collections
import datetime
import decimal
import fractions
import itertools
import json
import random
import re
import sys
import threading
import uuid

import datacat
from worlds import Test

try:
    import enum
except ImportError:
    enum = None
try:
    import pathlib
except ImportError:
    pathlib = None
try:
    from urllib.parse import urlparse
except ImportError:
    from urlparse import urlparse


class Values(Test):
    def written(self, value):
        """What a session's state holds of a value."""
        session = datacat.open()
        session.update_state({"x": value})
        mine = [op for header, op in self.records() if header["session"] == session.session_id]
        return mine[1]["patch"]["x"]

    def lost(self):
        return [op["detail"] for op in self.ops() if op["op"] == "dropped"]

    def test_values_with_a_usual_text_are_that_text(self):
        self.assertEqual(self.written(decimal.Decimal("1.10")), "1.10")
        self.assertEqual(self.written(fractions.Fraction(1, 3)), "1/3")
        self.assertEqual(self.written(uuid.UUID(int=5)), "00000000-0000-0000-0000-000000000005")
        self.assertEqual(self.written(re.compile("a+b")), "a+b")
        self.assertEqual(self.written(urlparse("http://a/b?c=d")), "http://a/b?c=d")
        self.assertEqual(self.written(datetime.date(2026, 11, 23)), "2026-11-23")
        self.assertEqual(self.written(datetime.time(9, 30)), "09:30:00")
        self.assertEqual(self.written(datetime.timedelta(seconds=90)), "0:01:30")
        self.assertEqual(self.written(ValueError("bad")), "ValueError: bad")
        self.assertEqual(self.written(1 + 2j), "(1+2j)")
        self.assertEqual(self.lost(), [])

    def test_paths_and_enums_are_text(self):
        if not (enum and pathlib):
            self.skipTest("neither in 2.7")
        self.assertEqual(self.written(pathlib.PurePosixPath("/a/b")), "/a/b")
        self.assertEqual(self.written(pathlib.Path("/a/b")), "/a/b")
        self.assertEqual(self.written(enum.Enum("Colour", "RED")["RED"]), "Colour.RED")
        self.assertEqual(self.written(enum.IntEnum("Level", "LOW")["LOW"]), 1)

    def test_times_are_utc_with_milliseconds(self):
        class Zone(datetime.tzinfo):
            def utcoffset(self, when):
                return datetime.timedelta(hours=2)

            dst = utcoffset

        aware = datetime.datetime(2026, 11, 23, 11, 0, 0, 123999, tzinfo=Zone())
        self.assertEqual(self.written(aware), "2026-11-23T09:00:00.123Z")
        naive = datetime.datetime.fromtimestamp(1790000000)  # naive is local time
        self.assertEqual(self.written(naive), datetime.datetime.utcfromtimestamp(1790000000).isoformat() + ".000Z")

    def test_collections_are_lists_and_objects(self):
        Point = collections.namedtuple("Point", "x y")
        self.assertEqual(self.written((1, 2)), [1, 2])
        self.assertEqual(self.written(Point(1, 2)), [1, 2])
        self.assertEqual(self.written(collections.deque([1, 2])), [1, 2])
        self.assertEqual(self.written(frozenset([3, 1])), [1, 3])
        self.assertEqual(self.written(range(3)), [0, 1, 2])
        self.assertEqual(self.written({"a": 1}.keys()), ["a"])
        self.assertEqual(self.written(collections.Counter("aab")), {"a": 2, "b": 1})
        self.assertEqual(self.written(collections.defaultdict(list, a=[1])), {"a": [1]})
        self.assertEqual(self.written({(1, 2): "x", None: 0, 1.5: 1}), {"[1,2]": "x", "null": 0, "1.5": 1})

    def test_dataclasses_are_their_fields(self):
        if sys.version_info < (3, 7):
            self.skipTest("dataclasses came with 3.7")
        import dataclasses

        Player = dataclasses.make_dataclass("Player", [("name", str), ("password", str), ("friends", list)])
        ada = Player("Ada", "hunter2", [])
        ada.friends.append(ada)
        self.assertEqual(
            self.written(ada), {"name": "Ada", "password": "[redacted]", "friends": ["<cycle>"]}
        )

    def test_an_object_may_describe_itself(self):
        class Player(object):
            def __datacat__(self):
                return {"name": "Ada", "me": self, "token": "x"}

        class Broken(object):
            def __datacat__(self):
                raise ValueError("no")

        self.assertEqual(self.written(Player()), {"name": "Ada", "me": "<cycle>", "token": "[redacted]"})
        self.assertEqual(self.written(Broken()), "<Broken>")
        self.assertEqual(sorted(self.lost()), ["state.x.me: <cycle>", "state.x: <Broken>"])

    def test_any_other_value_is_its_type_and_is_reported_once(self):
        class Socket(object):
            pass

        for _ in range(2):
            self.written(Socket())
        self.assertEqual(self.written(len), "<builtin_function_or_method>")
        self.assertEqual(self.written(Socket), "<type>")
        self.assertEqual(self.written(item for item in ()), "<generator>")
        self.assertEqual(self.written(threading), "<module>")
        self.assertEqual(len([text for text in self.lost() if text == "state.x: <Socket>"]), 2)  # two sessions

        session = datacat.open()
        session.update_state({"x": Socket()})
        session.update_state({"x": Socket()})
        self.assertEqual(session.stats()["dropped"], {"unserialisable": 2})
        self.assertEqual(self.lost().count("state.x: <Socket>"), 3)

    def test_bytes_and_text(self):
        self.assertEqual(self.written(bytearray(b"\x00\x01")), "base64:AAE=")
        self.assertEqual(self.written(memoryview(b"\x00\x01")), "base64:AAE=")
        self.assertEqual(self.written(u"Ünï \U0001f600"), u"Ünï \U0001f600")
        # 2.7's str is text when it is UTF-8.
        self.assertEqual(self.written(b"plain"), "plain" if sys.version_info[0] == 2 else "base64:cGxhaW4=")
        self.assertEqual(self.written(b"\xff\xfe"), "base64://4=")

    def test_subclasses_are_what_they_extend(self):
        class Text(str):
            def __str__(self):
                raise ValueError("never asked")

        class Number(float):
            def __repr__(self):
                return "not a number at all"

        class Whole(int):
            pass

        self.assertEqual(self.written(Number(1.5)), 1.5)
        self.assertEqual(self.written(Whole(5)), 5)
        self.assertIn(self.written(Text("text")), ("text", "<Text>"))
        session = datacat.open()
        session.gauge("g", Number(2.5))
        self.assertEqual(self.ops()[-1]["value"], 2.5)

    def test_deep_and_broad_values_end(self):
        deep = []
        for _ in range(10000):
            deep = [deep]
        text = repr(self.written(deep))
        self.assertIn("<too deep>", text)
        self.assertEqual(len(self.written(dict((str(n), n) for n in range(20000)))), 20000)

    def test_what_never_ends_is_taken_as_far_as_there_is_room(self):
        class Mapping(dict):
            def items(self):
                return ((number, number) for number in itertools.count())

        session = datacat.open()
        session.log_event("e", data={"list": Countless(), "map": Mapping(a=1, b=2)}, labels=itertools.count())
        session.histogram("h", 1, buckets=itertools.count(1))
        session.gauge("g", 1, tags=itertools.count())
        session.gauge("g", 1, tags=itertools.count())
        event = self.ops()[1]
        self.assertEqual(event["data"], {"list": [0, 1, 2], "map": {"0": 0, "1": 1}})
        self.assertEqual(len(event["labels"]), datacat.MAX_LABELS)
        self.assertEqual([op["op"] for op in self.ops()].count("metric"), 3)

    def test_an_object_without_readable_attributes_loses_only_itself(self):
        session = datacat.open()
        session.log_event("e", data={"closed": Closed(), "unnamed": Unnamed(), "beside": 1, "keys": {Closed(): 1, "b": 2}})
        session.log_event(Closed(), category=Unnamed(), labels=[HostileText("x"), "y"])
        session.gauge("g", 1, tags=[Closed()])
        session.gauge("g", Unnamed())
        session.log_exception((Closed, Closed(), Closed()))
        session.log_exception(ValueError("x"), Closed(), locals=True)
        session.log_metric("m", 1, metric_type="histogram", metadata=Closed())
        first, second = [op for op in self.ops() if op["op"] == "event"][:2]
        self.assertEqual(first["data"]["beside"], 1)
        self.assertEqual((first["data"]["closed"], first["data"]["unnamed"]), ("<Closed>", "<object>"))
        self.assertEqual(first["data"]["keys"], {"<Closed>": 1, "b": 2})
        self.assertIn("Closed", second["name"])
        self.assertEqual(second["labels"][1], "y")
        self.assertNotIn("internal", session.stats()["dropped"])
        self.assertEqual(datacat.create_session(daemon_port=Hostile()).client.daemon_manager.daemon_port, "<Hostile>")

    def test_an_event_of_very_many_keys_is_cut_in_few_tries(self):
        tries = []
        self.addCleanup(setattr, datacat, "_op_text", datacat._op_text)
        write = datacat._op_text
        datacat._op_text = lambda op, longest: tries.append(longest) or write(op, longest)
        session = datacat.open()
        session.log_event("short", dict(("key %d" % number, number) for number in range(40000)))
        self.assertLessEqual(len(tries), 2)
        self.assertNotIn("data", self.ops()[1])
        del tries[:]
        session.log_event("long", data={"a": "x" * 300000, "b": "y" * 1000})
        self.assertLessEqual(len(tries), 5)
        kept = self.ops()[3]["data"]
        self.assertEqual((len(kept["b"]), kept["a"][:131074]), (1000, "x" * 131072 + kept["a"][131072:131074]))

    def test_a_call_near_the_end_of_the_stack_does_no_harm(self):
        session = datacat.open()

        def down(depth):
            session.log_event("e", data={"a": {"b": {"c": [depth]}}})
            return down(depth + 1)

        with self.assertRaises(RuntimeError):  # RecursionError, and ours to cause
            down(0)
        session.log_event("after")
        self.assertEqual(self.ops()[-1]["name"], "after")
        self.assertEqual([op["seq"] for op in self.ops()], sorted(set(op["seq"] for op in self.ops())))

    def test_a_value_that_recurses_for_ever_does_not_raise(self):
        class Endless(object):
            def __str__(self):
                return str(self)

            def __datacat__(self):
                return self.__datacat__()

        session = datacat.open()
        session.log_event(Endless(), {"x": Endless()}, labels=[Endless()])
        self.assertEqual(self.ops()[1]["name"], "<Endless>")
        self.assertEqual(self.ops()[1]["data"], {"x": "<Endless>"})

    def test_no_value_makes_a_call_raise_or_a_line_invalid(self):
        seed = random.randrange(1 << 30)
        pick = random.Random(seed)
        session = datacat.open()
        try:
            for _ in range(1500):
                self.call_with_nonsense(session, pick)
        except Exception as error:
            self.fail("seed %d: %r" % (seed, error))
        ops = self.ops()  # compares every checksum and parses every line
        self.assertGreater(len(ops), 500)
        self.assertEqual([op["seq"] for op in ops], list(range(1, len(ops) + 1)), "seed %d" % seed)
        self.assertEqual(session.stats()["records"], len(ops) + len(session._writer.held))
        self.assertNotIn("internal", session.stats()["dropped"], "seed %d" % seed)

    def call_with_nonsense(self, session, pick):
        value = lambda: nonsense(pick, 0)  # noqa: E731
        call = pick.randrange(14)
        if call == 0:
            session.update_state(value())
        elif call == 1:
            session.log_event(value(), value(), value(), value(), value(), value())
        elif call == 2:
            session.log_event(value(), value(), value(), value(), value(), value(), value(), value())
        elif call == 3:
            session.gauge(value(), value(), value(), value(), value())
        elif call == 4:
            session.counter(value(), value(), value(), value(), value())
        elif call == 5:
            session.histogram(value(), value(), value(), value(), value(), value())
        elif call == 6:
            session.log_timer(value(), value(), value(), value(), value())
        elif call == 7:
            session.log_metric(value(), value(), value(), value(), value(), value(), value(), value())
        elif call == 8:
            session.log_exception(value(), value(), value(), value(), value())
        elif call == 9:
            session.log_exception(value(), value())
        elif call == 10:
            session.heartbeat(value())
        elif call == 11:
            with session.timer(value(), value(), value(), value()):
                pass
        elif call == 12:
            session.log_event("e", exception_type=value(), source_line=value(), source_file=value())
        else:
            getattr(session, pick.choice(["pause", "resume", "stats", "flush"]))()


class Hostile(object):
    """Raises at every operation."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError("str")

    __repr__ = __len__ = __iter__ = __hash__ = __float__ = __int__ = __bool__ = __nonzero__ = __str__

    def __eq__(self, other):
        raise RuntimeError("eq")

    def __getitem__(self, key):
        raise RuntimeError("item")

    def keys(self):
        raise RuntimeError("keys")


class Closed(object):
    """Has no readable attribute, not even its class."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)


Unnamed = Meta("Unnamed", (object,), {})  # nor has its class


class HostileDict(dict):
    def items(self):
        raise RuntimeError("items")


class HostileText(str):
    def __len__(self):
        raise RuntimeError("len")

    __str__ = __eq__ = __ne__ = __hash__ = encode = lower = __len__


class HostileInt(int):
    def __abs__(self):
        raise RuntimeError("abs")

    __int__ = __index__ = __repr__ = __str__ = __lt__ = __le__ = __gt__ = __ge__ = __abs__


class Countless(object):
    """A list that states a length of 3 and never ends."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index


class Endless(object):
    def __len__(self):
        return 3

    def __iter__(self):
        yield 1
        raise RuntimeError("broken off")


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("str")

    __repr__ = __unicode__ = __str__


def nonsense(pick, depth):
    kind = pick.randrange(27 if depth < 4 else 20)
    if kind == 0:
        return None
    if kind == 1:
        return pick.choice([0, -1, 2**53, 2**64, -(2**70), 10**400])
    if kind == 2:
        return pick.choice([0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e300, 5e-324, pick.random()])
    if kind == 3:
        return pick.choice([True, False])
    if kind == 4:
        return u"".join(pick.choice([u"a", u'"', u"\\", u"\n", u"\x00", u"\x7f", u"é", u"\u2028"]) for _ in range(pick.randrange(9)))
    if kind == 5:
        return bytes(bytearray(pick.randrange(256) for _ in range(pick.randrange(9))))
    if kind == 6:
        return pick.choice([Hostile(), Closed(), Unnamed(), Unnamed, HostileText("x"), HostileInt(5), Countless()])
    if kind == 7:
        return Unprintable()
    if kind == 8:
        return pick.choice([len, Hostile, sys, object, Ellipsis, NotImplemented])
    if kind == 9:
        return datetime.datetime(pick.choice([1, 1969, 2026, 9999]), 1, 1)
    if kind == 10:
        return Endless()
    if kind == 11:
        return u"x" * pick.choice([300, 5000, 300000])
    if kind == 12:
        return HostileDict(a=1)
    if kind == 13:
        return (item for item in (1, 2))
    if kind == 14:
        return pick.choice(["gauge", "counter", "histogram", "timer", "password", ""])
    if kind == 15:
        return (ValueError, ValueError("x"), None)
    if kind == 16 and not sys.platform.startswith("java"):  # whose strings hold no lone surrogates
        return json.loads('"lone \\ud800x\\udfff"')
    if kind in (17, 18, 19):
        return pick.choice([decimal.Decimal("NaN"), decimal.Decimal("1e999"), fractions.Fraction(1, 3), 1j, bytearray(b"x")])
    inner = lambda: nonsense(pick, depth + 1)  # noqa: E731
    if kind in (20, 21):
        return [inner() for _ in range(pick.randrange(5))]
    if kind == 22:
        looped = [1]
        looped.append({"me": looped, "other": inner()})
        return looped
    if kind == 23:
        try:
            return set([inner(), inner()])
        except Exception:
            return set([1, "a"])
    copy = {}
    for _ in range(pick.randrange(5)):
        key = inner() if pick.randrange(3) == 0 else pick.choice(["a", "token", u"ü", ""])
        try:
            copy[key] = inner()
        except Exception:
            copy["unhashable"] = inner()
    return copy
