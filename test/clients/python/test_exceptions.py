# -*- coding: utf-8 -*-
"""Exceptions with their stacks and causes, and those that were not caught."""

import os
import signal
import sys
import unittest

import datacat
from worlds import Test

PY2 = sys.version_info[0] == 2
JYTHON = sys.platform.startswith("java")


class Exceptions(Test):
    def test_the_current_exception_with_its_stack(self):
        session = datacat.open()
        try:
            {}["sword"]
        except KeyError:
            session.log_exception(data={"room": 3})
        event = self.ops()[1]
        self.assertEqual(event["name"], "exception")
        self.assertEqual((event["category"], event["group"]), ("error", "exception"))
        self.assertEqual(event["labels"], ["exception", "KeyError"])
        self.assertEqual((event["exception_type"], event["exception_msg"]), ("KeyError", "'sword'"))
        self.assertEqual((event["message"], event["data"]), ("'sword'", {"room": 3}))
        self.assertEqual(event["stacktrace"][0], "Traceback (most recent call last):\n")
        self.assertEqual(event["stacktrace"][-1], "KeyError: 'sword'\n")
        self.assertTrue(event["source_file"].rstrip("c").endswith("test_exceptions.py"))
        self.assertEqual(event["source_function"], "test_the_current_exception_with_its_stack")
        self.assertGreater(event["source_line"], 0)
        self.assertNotIn("causes", event)
        self.assertNotIn("handled", event)

    def test_an_exception_passed_by_itself_or_as_exc_info(self):
        session = datacat.open()
        try:
            raise ValueError("bad")
        except ValueError as error:
            session.log_exception(error, handled=True)
            exc_info = sys.exc_info()
        session.log_exception(exc_info, {"x": 1})
        session.log_exception(OSError("never raised"))
        first, second, third = self.ops()[1:]
        self.assertIs(first["handled"], True)
        self.assertEqual(first["stacktrace"], second["stacktrace"])
        self.assertEqual((third["exception_type"], third["stacktrace"]), ("OSError", ["OSError: never raised\n"]))

    def test_chained_causes_innermost_last(self):
        if PY2:
            self.skipTest("2.7's exceptions are not chained")
        session = datacat.open()
        try:
            try:
                try:
                    raise IOError("disk")
                except IOError as inner:
                    raise_from(ValueError("bad file"), inner)
            except ValueError:
                raise RuntimeError("could not load")
        except RuntimeError:
            session.log_exception()
        causes = self.ops()[1]["causes"]
        self.assertEqual([cause["exception_type"] for cause in causes], ["ValueError", "OSError"])
        self.assertEqual(causes[1]["exception_msg"], "disk")
        self.assertEqual(causes[1]["stacktrace"][-1], "OSError: disk\n")
        self.assertEqual(len(self.ops()[1]["stacktrace"]), 3)  # its own alone

    def test_a_cycle_of_causes_ends(self):
        if PY2:
            self.skipTest("2.7's exceptions are not chained")
        session = datacat.open()
        first, second = ValueError("a"), KeyError("b")
        first.__cause__, second.__cause__ = second, first
        session.log_exception(first)
        self.assertEqual([cause["exception_type"] for cause in self.ops()[1]["causes"]], ["KeyError"])

    def test_variables_only_if_asked_for_and_never_their_secrets(self):
        session = datacat.open()

        def load(level, password):
            opened = object()
            raise ValueError(str(bool(opened)))

        try:
            load(3, "hunter2")
        except ValueError:
            session.log_exception()
            session.log_exception(locals=True, data={"also": 1})
        plain, detailed = self.ops()[1:]
        self.assertNotIn("data", plain)
        self.assertEqual(detailed["data"]["also"], 1)
        innermost = detailed["data"]["locals"][-1]
        self.assertEqual(innermost["function"], "load")
        self.assertEqual(
            innermost["variables"], {"level": 3, "opened": "<object>", "password": "[redacted]"}
        )
        self.assertEqual(session.stats()["dropped"], {})

    def test_without_any_exception_the_stack_is_where_we_are(self):
        session = datacat.open()
        session.log_exception()
        event = self.ops()[1]
        self.assertEqual(event["exception_type"], "Unknown")
        self.assertIn("test_without_any_exception", "".join(event["stacktrace"]))
        self.assertNotIn("in exception", "".join(event["stacktrace"]))

    def test_an_exception_that_cannot_be_printed(self):
        class Silent(Exception):
            def __str__(self):
                raise ValueError("no")

            __repr__ = __unicode__ = __str__

        session = datacat.open()
        try:
            raise Silent()
        except Silent:
            session.log_exception()
        self.assertEqual(self.ops()[1]["exception_type"], "Silent")
        self.assertEqual(self.ops()[1]["exception_msg"], "<Silent>")

    def test_an_exception_group_shows_its_members(self):
        if sys.version_info < (3, 11):
            self.skipTest("groups came with 3.11")
        session = datacat.open()
        session.log_exception(ExceptionGroup("several", [ValueError("one"), KeyError("two")]))  # noqa: F821
        self.assertIn("ValueError: one", "".join(self.ops()[1]["stacktrace"]))


def raise_from(error, cause):
    error.__cause__ = cause
    raise error


class Exit(Test):
    """Each in a program of its own."""

    def last(self, count=2):
        return self.ops()[-count:]

    def test_a_program_that_ends_without_end_ends_its_session(self):
        code, output, errors = self.run_program(u"import datacat\ndatacat.open()\n")
        self.assertEqual((code, output, errors), (0, "", ""))
        self.assertEqual([op["op"] for op in self.ops()], ["start", "end"])

    def test_an_uncaught_exception_is_a_crash_without_any_hook(self):
        code, _, errors = self.run_program(
            u"import datacat, sys\nhook = sys.excepthook\ndatacat.open()\nassert sys.excepthook is hook\n"
            u"def main():\n    raise KeyError('sword')\nmain()\n"
        )
        self.assertEqual(code, 1)
        self.assertIn("KeyError: 'sword'", errors)
        event, crash = self.last()
        self.assertEqual((event["exception_type"], event["handled"]), ("KeyError", False))
        self.assertEqual(event["source_function"], "main")
        self.assertEqual(
            (crash["op"], crash["reason"], crash["exit_code"]), ("crash", "uncaught_exception", 1)
        )

    def test_an_exception_that_a_shell_or_test_runner_caught_is_no_crash(self):
        self.run_program(
            u"import datacat, sys\ndatacat.open()\n"
            u"def runner():\n"
            u"    try: 1 / 0\n"
            u"    except ZeroDivisionError: sys.last_type, sys.last_value, sys.last_traceback = sys.exc_info()\n"
            u"runner()\n"
        )
        self.assertEqual(self.ops()[-1]["op"], "end")

    def test_exit_codes_and_interrupts_are_no_crash(self):
        code, _, _ = self.run_program(u"import datacat, sys\ndatacat.open()\nsys.exit(3)\n")
        self.assertEqual((code, self.ops()[-1]["op"]), (3, "end"))
        self.run_program(u"import datacat\ndatacat.open()\nraise KeyboardInterrupt\n")
        self.assertEqual((self.ops()[-1]["op"], self.ops()[-1]["signal"]), ("end", "SIGINT"))

    def test_captured_exceptions_are_recorded_once_and_the_hook_before_still_runs(self):
        _, output, errors = self.run_program(
            u"from __future__ import print_function\nimport datacat, sys\n"
            u"sys.excepthook = lambda *args: print('before', args[0].__name__)\n"
            u"datacat.capture(datacat.open())\nraise KeyError('sword')\n"
        )
        self.assertEqual(output.strip(), "before KeyError")
        self.assertEqual([op["op"] for op in self.ops()], ["start", "event", "crash"])

    def test_captured_exceptions_of_threads(self):
        code, _, errors = self.run_program(
            u"import datacat, threading\nsession = datacat.capture(datacat.open())\n"
            u"class Worker(threading.Thread):\n    def run(self): raise ValueError('in a thread')\n"
            u"worker = Worker(name='worker'); worker.start(); worker.join()\nsession.log_event('goes on')\n"
        )
        self.assertEqual(code, 0)
        self.assertIn("ValueError: in a thread", errors)
        event, after, end = self.last(3)
        self.assertEqual((event["exception_type"], event["handled"]), ("ValueError", False))
        self.assertEqual(event["data"], {"thread": "worker"})
        self.assertEqual((after["name"], end["op"]), ("goes on", "end"))

    @unittest.skipIf(JYTHON, "no signals as in C")
    def test_a_captured_signal_ends_the_session_with_its_name_and_still_kills(self):
        code, _, _ = self.run_program(
            u"import datacat, os, signal, time\ndatacat.capture(datacat.open(), signals=('SIGTERM',))\n"
            u"os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(5)\n"
        )
        self.assertEqual(code, -signal.SIGTERM)
        self.assertEqual((self.ops()[-1]["op"], self.ops()[-1]["signal"]), ("end", "SIGTERM"))

    @unittest.skipIf(JYTHON, "no signals as in C")
    def test_a_captured_signal_that_the_program_handles_is_recorded_when_it_ends(self):
        code, _, errors = self.run_program(
            u"import datacat, os, signal, time\ns = datacat.open()\nsignals = []\n"
            u"signal.signal(signal.SIGTERM, lambda *_: signals.append(1))\n"
            u"datacat.capture(s, signals='SIGTERM')\n"
            u"os.kill(os.getpid(), signal.SIGTERM)\n"
            u"while not signals: time.sleep(0.01)\n"
            u"s.log_event('tidying up')\n"
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual([op.get("name", op["op"]) for op in self.ops()], ["start", "tidying up", "end"])
        self.assertEqual(self.ops()[-1]["signal"], "SIGTERM")

    @unittest.skipIf(JYTHON, "no signals as in C")
    def test_a_captured_signal_that_the_program_ignores_ends_nothing(self):
        code, _, errors = self.run_program(
            u"import datacat, os, signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\ns = datacat.open()\n"
            u"datacat.capture(s, signals=['SIGHUP'])\nos.kill(os.getpid(), signal.SIGHUP)\ns.log_event('goes on')\n"
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual([op.get("name", op["op"]) for op in self.ops()], ["start", "goes on", "end"])
        self.assertNotIn("signal", self.ops()[-1])

    def test_capturing_twice_records_once(self):
        self.run_program(
            u"import datacat, threading\ns = datacat.open()\ndatacat.capture(s); datacat.capture(s)\n"
            u"thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\nraise KeyError('sword')\n"
        )
        kinds = [op["exception_type"] for op in self.ops() if op["op"] == "event"]
        self.assertEqual(kinds, ["ZeroDivisionError", "KeyError"])
