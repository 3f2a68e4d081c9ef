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
        session.log_exception(OSError("never raised"), fingerprint="never")
        first, second, third = self.ops()[1:]
        self.assertIs(first["handled"], True)
        self.assertEqual(first["stacktrace"], second["stacktrace"])
        self.assertEqual((third["exception_type"], third["stacktrace"]), ("OSError", ["OSError: never raised\n"]))
        self.assertEqual([event.get("fingerprint") for event in (first, third)], [None, "never"])

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
        self.assertEqual(self.ops()[1]["exception_type"], "test_exceptions.Silent")
        self.assertEqual(self.ops()[1]["labels"], ["exception", "Silent"])
        self.assertEqual(self.ops()[1]["exception_msg"], "<Silent>")

    def test_an_exception_group_shows_its_members(self):
        if sys.version_info < (3, 11):
            self.skipTest("groups came with 3.11")
        session = datacat.open()
        session.log_exception(ExceptionGroup("several", [ValueError("one"), KeyError("two")]))  # noqa: F821
        event = self.ops()[1]
        self.assertEqual(
            [(each["exception_type"], each["exception_msg"], each["kind"], each.get("parent")) for each in event["causes"]],
            [("ValueError", "one", "member", None), ("KeyError", "'two'", "member", 0)],
        )
        self.assertNotIn("one", "".join(event["stacktrace"]))  # the members have stacks of their own

    def test_a_tree_of_groups_causes_and_contexts(self):
        if sys.version_info < (3, 11):
            self.skipTest("groups came with 3.11")
        inner = ExceptionGroup("inner", [KeyError("k")])  # noqa: F821
        inner.__cause__ = OSError(2, "No such file", "/a")
        hidden = ValueError("v")
        hidden.__context__, hidden.__suppress_context__ = TypeError("hidden"), True
        outer = ExceptionGroup("outer", [inner, hidden, inner])  # noqa: F821
        outer.__context__ = RuntimeError("r")
        datacat.open().log_exception(outer)
        causes = self.ops()[1]["causes"]
        self.assertEqual(
            [(each["exception_type"], each.get("kind"), each.get("parent", place)) for place, each in enumerate(causes)],
            [
                ("RuntimeError", "context", 0),
                ("ExceptionGroup", "member", 0),
                ("FileNotFoundError", None, 2),
                ("KeyError", "member", 2),
                ("ValueError", "member", 0),
            ],
        )
        self.assertEqual(causes[2]["attributes"], {"errno": 2, "filename": "/a"})

    def test_a_large_group_is_bounded_and_the_rest_is_counted(self):
        if sys.version_info < (3, 11):
            self.skipTest("groups came with 3.11")
        datacat.open().log_exception(ExceptionGroup("many", [ValueError("x" * 9000) for _ in range(1000)]))  # noqa: F821
        event = self.ops()[1]
        self.assertEqual((len(event["causes"]), event["causes_left_out"]), (datacat.MAX_TREE, 1000 - datacat.MAX_TREE))

    def test_own_attributes_and_notes(self):
        class HttpError(Exception):
            __slots__ = ("status",)

            @property
            def computed(self):
                raise AssertionError("properties are not called")

        error = HttpError("HTTP 404")
        error.status = 404
        error.url, error.password, error.response, error._private = "https://u:secret@x/", "x", object(), 1
        error.text = "HTTP 404"
        error.body = "y" * 2000
        error.__notes__ = ["while loading level 3", 7] + ["n"] * 20
        session = datacat.open()
        session.log_exception(error)
        session.log_exception(IOError(13, "Permission denied", "/etc/x"))
        first, second = self.ops()[1:]
        attributes = first["attributes"]
        self.assertEqual(sorted(attributes), ["body", "password", "status", "url"])
        self.assertEqual((attributes["status"], attributes["password"]), (404, "[redacted]"))
        self.assertNotIn("secret", attributes["url"])
        self.assertEqual(attributes["body"], u"y" * 1000 + u"\u20261000")
        self.assertEqual(first["notes"][:2] + first["notes"][-1:], ["while loading level 3", "7", u"\u2026 6 more"])
        self.assertEqual(second["attributes"], {"errno": 13, "filename": "/etc/x"})
        self.assertEqual(session.stats()["dropped"], {})

    def test_types_are_named_as_tracebacks_name_them(self):
        import json

        session = datacat.open()

        def skip():
            raise unittest.SkipTest("x")

        for work in (lambda: json.loads("{"), lambda: {}[1], skip):
            try:
                work()
            except Exception:
                session.log_exception()
        names = [op["exception_type"] for op in self.ops()[1:]]
        self.assertEqual(names, ["ValueError" if PY2 else "json.decoder.JSONDecodeError", "KeyError", "unittest.case.SkipTest"])

    def test_the_source_around_each_frame_of_the_program(self):
        def fail():
            raise ValueError("here")  # the line of the frame

        try:
            fail()
        except ValueError:
            datacat.open().log_exception()
        event = self.ops()[1]
        lines = {}
        for excerpt in event["sources"]:
            for place, text in enumerate(excerpt["lines"]):
                lines[excerpt["first"] + place] = text
        self.assertIn("the line of the frame", lines[event["source_line"]])
        self.assertIn("def fail():", lines[event["source_line"] - 1])
        self.assertEqual(len(event["sources"]), 2)

    def test_a_text_beside_the_exception(self):
        session = datacat.open()
        for call in (lambda: session.log_exception("could not load"), lambda: session.log_exception(message="could not load")):
            try:
                1 / 0
            except ZeroDivisionError:
                call()
        for event in self.ops()[1:]:
            self.assertEqual((event["message"], event["exception_type"]), ("could not load", "ZeroDivisionError"))


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

    def test_captured_exceptions_of_finalizers_and_of_tasks(self):
        if PY2 or sys.version_info < (3, 8):
            self.skipTest("no hook")
        _, _, errors = self.run_program(
            u"import datacat, asyncio, gc\ns = datacat.capture(datacat.open())\n"
            u"class Leaky:\n    def __del__(self): raise ValueError('in __del__')\n"
            u"leaky = Leaky(); del leaky; gc.collect()\n"
            u"async def fail(): raise KeyError('task')\n"
            u"async def main():\n    task = asyncio.ensure_future(fail()); await asyncio.sleep(0); await asyncio.sleep(0); del task; gc.collect()\n"
            u"asyncio.run(main())\n"
        )
        self.assertIn("in __del__", errors)
        self.assertIn("never retrieved", errors)
        first, second = [op for op in self.ops() if op["op"] == "event"]
        self.assertEqual((first["exception_type"], first["handled"], first["data"]["object"]), ("ValueError", False, "Leaky.__del__"))
        self.assertEqual((second["exception_type"], second["handled"]), ("KeyError", False))
        self.assertIn("never retrieved", second["message"])
        self.assertEqual(self.ops()[-1]["op"], "end")

    @unittest.skipIf(JYTHON, "no forks")
    def test_what_ends_a_child_is_recorded_in_it(self):
        self.run_program(
            u"import datacat, os\ndatacat.open()\npid = os.fork()\nif pid == 0: raise KeyError('child')\nos.waitpid(pid, 0)\n"
        )
        has_hook = hasattr(os, "register_at_fork")
        if has_hook:
            self.run_program(
                u"import datacat, multiprocessing\ndatacat.open()\n"
                u"def work(): raise KeyError('child')\n"
                u"child = multiprocessing.get_context('fork').Process(target=work); child.start(); child.join()\n"
            )
        events = [op for op in self.ops() if op["op"] == "event"]
        self.assertEqual([(op["exception_msg"], op["handled"]) for op in events], [("'child'", False)] * (2 if has_hook else 1))

    def test_capturing_twice_records_once(self):
        self.run_program(
            u"import datacat, threading\ns = datacat.open()\ndatacat.capture(s); datacat.capture(s)\n"
            u"thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\nraise KeyError('sword')\n"
        )
        kinds = [op["exception_type"] for op in self.ops() if op["op"] == "event"]
        self.assertEqual(kinds, ["ZeroDivisionError", "KeyError"])
