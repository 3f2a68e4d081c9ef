# -*- coding: utf-8 -*-
"""Records of `logging` as events."""

import io
import logging
import signal
import sys
import unittest

import datacat
from worlds import Test


class Logging(Test):
    def setUp(self):
        Test.setUp(self)
        self.session = datacat.open()
        self.handler = datacat.DatacatHandler(self.session)
        self.logger = logging.getLogger("game.doors")
        self.logger.setLevel(logging.DEBUG)
        self.logger.propagate = False
        self.logger.addHandler(self.handler)
        self.addCleanup(self.logger.removeHandler, self.handler)

    def test_a_record_is_an_event_with_its_place(self):
        self.logger.warning("door %d creaks", 7, extra={"room": "hall", "password": "x"})
        event = self.ops()[1]
        self.assertEqual(
            [event[key] for key in ("name", "category", "group", "message")],
            ["log.game.doors", "warning", "game.doors", "door 7 creaks"],
        )
        self.assertEqual(event["labels"], ["warning", "game.doors", "test_a_record_is_an_event_with_its_place"])
        data = event["data"]
        self.assertEqual((data["logger"], data["level_name"], data["module"]), ("game.doors", "WARNING", "test_logging"))
        self.assertEqual((data["room"], data["password"]), ("hall", "[redacted]"))
        self.assertEqual(data["funcName"], "test_a_record_is_an_event_with_its_place")

    def test_levels_are_categories(self):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL, 35):
            self.logger.log(level, "m")
        self.assertEqual(
            [op["category"] for op in self.ops()[1:]], ["debug", "info", "warning", "error", "critical", "info"]
        )

    def test_an_exception_keeps_both_its_text_and_the_message(self):
        try:
            1 / 0
        except ZeroDivisionError:
            self.logger.exception("could not divide %s", "it")
        event = self.ops()[1]
        self.assertEqual((event["name"], event["exception_type"]), ("exception", "ZeroDivisionError"))
        self.assertEqual(event["message"], "could not divide it")
        self.assertIn("by zero", event["exception_msg"])
        self.assertEqual(event["data"]["logger"], "game.doors")
        self.assertIs(event["handled"], True)

    def test_without_exceptions_they_are_events(self):
        self.handler.include_exceptions = False
        try:
            1 / 0
        except ZeroDivisionError:
            self.logger.exception("no")
        self.assertEqual(self.ops()[1]["name"], "log.game.doors")

    def test_the_handlers_own_formatter_is_used(self):
        self.handler.setFormatter(logging.Formatter("<%(message)s>"))
        self.logger.info("m")
        self.assertEqual(self.ops()[1]["message"], "<m>")

    def test_a_record_whose_arguments_do_not_fit_is_kept_and_nothing_is_printed(self):
        class Broken(object):
            def __str__(self):
                raise ValueError("no")

            __repr__ = __str__

        errors, sys.stderr = sys.stderr, io.StringIO() if sys.version_info[0] > 2 else io.BytesIO()
        try:
            self.logger.info("%d", "not a number")
            self.logger.info("%s and %s", "one")
            self.logger.info("%s", Broken())
            self.logger.info("after")
            printed = sys.stderr.getvalue()
        finally:
            sys.stderr = errors
        self.assertEqual(printed, "")
        self.assertEqual(
            [op["message"] for op in self.ops()[1:]], ["%d not a number", "%s and %s one", "%s <Broken>", "after"]
        )

    def test_what_a_value_logs_while_it_is_described_is_recorded_too(self):
        logger = self.logger

        class Chatty(object):
            def __str__(self):
                logger.info("describing myself")
                return "chatty"

        self.logger.info("%s", Chatty())
        self.assertEqual([op["message"] for op in self.ops()[1:]], ["describing myself", "chatty"])

    def test_a_value_whose_description_logs_it_again_ends(self):
        logger = self.logger

        class Endless(object):
            def __str__(self):
                logger.info("%s again", self)
                return "endless"

        self.logger.info("%s", Endless())
        messages = [op["message"] for op in self.ops()[1:]]
        self.assertEqual(messages, ["%s again"] + ["endless again"] * 2 + ["endless"])

    @unittest.skipIf(not hasattr(signal, "setitimer"), "no timers as in C")
    def test_a_signal_handler_that_logs_while_a_record_is_written_loses_nothing(self):
        handled = []

        def handler(number, frame):
            handled.append(number)
            self.logger.warning("signal")
            signal.setitimer(signal.ITIMER_REAL, 0.0005)  # a timer that repeats could interrupt its own handler without end

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005)
            count = 0
            while len(handled) < 20:
                self.logger.info("record")
                count += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        messages = [op["message"] for op in self.ops() if "message" in op]
        self.assertEqual((messages.count("record"), messages.count("signal")), (count, len(handled)))
        self.assertEqual(self.session.stats()["dropped"], {})

    @unittest.skipIf(sys.version_info[0] == 2, "2.7's records have no stack")
    def test_stack_info_is_kept(self):
        self.logger.info("here", stack_info=True)
        try:
            1 / 0
        except ZeroDivisionError:
            self.logger.exception("with both", stack_info=True)
        plain, thrown = self.ops()[1:]
        self.assertIn("test_stack_info_is_kept", "".join(plain["stacktrace"]))
        self.assertNotIn("exception_type", plain)
        self.assertIn("test_stack_info_is_kept", thrown["data"]["stack_info"])
