# -*- coding: utf-8 -*-
"""The time of a call grows with the length of what it records, whatever that is. A quadratic function takes 16 times as long for four
times the length; CPU time is compared, which other processes do not change."""

import sys
import time
import types
import unittest

import datacat

try:
    import pytest  # noqa: F401
except ImportError:  # the interpreters of the tests have none
    sys.modules["pytest"] = types.ModuleType("pytest")
    sys.modules["pytest"].hookimpl = lambda **options: lambda function: function
import pytest_datacat
from worlds import Test

PY2 = sys.version_info[0] == 2
LENGTH = 2500  # four times this is within the limit of an event, above which it is cut
SLACK_SECONDS = 0.1  # CPU time that a garbage collection may add to one call
UNITS = (
    u"a", u" ", u"\n", u"  \n", u"at ", u".(", u"/", u"/a ", u"@", u":1", u'File "', u"\\", u'"', u"\\ud800", u"\u20ac", u"\x00",
    u"_", u"-", u"=", u"token", u"--token=", u"1", u"{", u"\x1b]", u"a: ",
)  # fmt: skip


class Growth(Test):
    def test_every_function_that_takes_text(self):
        session = datacat.open()
        for unit in UNITS:
            self.grows(unit, lambda text: session.log_event("e", message=text))
            self.grows(unit, lambda text: session.log_event("e", data={text: text, "list": [text, text]}))
            self.grows(unit, lambda text: session.log_event("e", stacktrace=[text] * 3, exception_type=text, exception_msg=text))
            self.grows(unit, lambda text: session.log_event(text, text, text, [text]))
            self.grows(unit, lambda text: session.log_exception(ValueError(text)))
            self.grows(unit, lambda text: session.update_state({text: {"value": text, "password": text}}))
            self.grows(unit, lambda text: session.gauge(text, 1, tags={text: text}))
            self.grows(unit, lambda text: datacat._without_secrets([text, "--password", text, "a=" + text]))
            self.grows(unit, lambda text: datacat._cut_strings('"op":"event","message":%s}' % datacat._quote(text)))
            self.grows(unit, lambda text: pytest_datacat.failure_type(Report(text)))
            self.grows(unit, lambda text: pytest_datacat.stack(Report(text)))

    def test_a_chain_of_causes(self):
        if PY2:
            self.skipTest("2.7's exceptions are not chained")
        session = datacat.open()
        for name in ("__cause__", "__context__"):
            short, long = [cpu_seconds(session.log_exception, chain(length, name)) for length in (500, 5000)]
            # Of a longer chain nothing more is read.
            self.assertLess(long, 3 * short + SLACK_SECONDS, name)

    @unittest.skipIf(sys.version_info < (3, 11), "no groups of exceptions")
    def test_a_group_of_many_members(self):
        session = datacat.open()
        group = eval("ExceptionGroup")  # no name of older versions
        shapes = {
            "members": lambda count: group("all", [ValueError(n) for n in range(count)]),
            "the same member": lambda count: group("all", [ValueError("x")] * count),
            "members with causes": lambda count: group("all", [chain(5, "__cause__") for _ in range(count)]),
            "notes": lambda count: noted(count),
        }
        for name, shape in shapes.items():
            short, long = [cpu_seconds(session.log_exception, shape(count)) for count in (500, 5000)]
            self.assertLess(long, 30 * short + SLACK_SECONDS, name)  # linear would be 10

    def test_a_long_chain_has_the_text_of_a_short_one(self):
        if PY2:
            self.skipTest("2.7's exceptions are not chained")
        session = datacat.open()
        for length in (5, 100):
            try:
                raise chain(length, "__cause__")
            except ValueError as error:
                session.log_exception(error)
        short, long = self.ops()[1:]
        self.assertEqual(len(long["causes"]), datacat.MAX_CAUSES)
        self.assertEqual((long["stacktrace"][0], long["stacktrace"][-1]), (short["stacktrace"][0], "ValueError: 99\n"))
        self.assertEqual([len(each["stacktrace"]) for each in (short, long)], [3, 3])

    def grows(self, unit, work):
        text = unit * (4 * LENGTH // len(unit))
        long = cpu_seconds(work, text, SLACK_SECONDS)
        if long < SLACK_SECONDS:
            return  # whatever a shorter text takes
        short = cpu_seconds(work, text[: LENGTH // len(unit) * len(unit)])
        self.assertLess(long, 12 * short + SLACK_SECONDS, repr(unit))


class Report(object):
    """What the plugin reads of pytest's reports."""

    def __init__(self, text):
        self.longrepr = self.longreprtext = text.encode("utf-8") if PY2 else text


def noted(count):
    error = ValueError("noted")
    for index in range(count):
        error.add_note("note %d" % index)
    return error


def chain(length, name):
    error = None
    for index in range(length):
        outer = ValueError(index)
        setattr(outer, name, error)
        error = outer
    return error


def cpu_seconds(work, argument, enough=0):
    """The shortest of three runs, or the first that takes less than enough."""
    clock = getattr(time, "process_time", None) or time.clock
    runs = []
    while len(runs) < 3 and (not runs or runs[-1] >= enough):
        before = clock()
        work(argument)
        runs.append(clock() - before)
    return min(runs)
