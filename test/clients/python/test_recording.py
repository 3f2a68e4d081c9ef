# -*- coding: utf-8 -*-
"""What each call records, and that no call disturbs the program."""

import json
import os
import threading
import time

import datacat
from worlds import Test, lane_files, lines


class Recording(Test):
    def test_open_needs_nothing_and_takes_its_defaults_from_the_environment(self):
        datacat.open().end()
        os.environ.update(DATACAT_PRODUCT="game", DATACAT_VERSION="1.4.2", DATACAT_URL="http://far:1/")
        datacat.open(version="2").end()
        first, second = [(header, op) for header, op in self.records() if op["op"] == "start"]
        self.assertEqual(first[1], {"seq": 1, "at": first[1]["at"], "op": "start"})
        self.assertEqual((second[1]["product"], second[1]["version"]), ("game", "2"))
        self.assertEqual((first[0]["server"], second[0]["server"]), ("", "http://far:1"))

    def test_the_header_names_the_writer(self):
        session = datacat.open()
        header = lines(lane_files(self.home)[0])[0]
        self.assertEqual(header["session"], session.session_id)
        self.assertRegexpMatches(header["lane"], "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(header["writer"]["pid"], os.getpid())
        self.assertEqual(header["writer"]["client"], "datacat-python " + datacat.__version__)
        self.assertLess(abs(header["at"] - time.time() * 1000), 5000)
        self.assertEqual(os.stat(lane_files(self.home)[0]).st_mode & 0o777, 0o600)

    def test_secrets_in_the_programs_arguments_stay_out_of_the_header(self):
        self.run_program(u"import datacat; datacat.open().end()", "--token=abc", "--password", "hunter2", "--level", "3")
        header = self.records()[0][0]
        self.assertEqual(
            header["writer"]["arguments"], ["--token=[redacted]", "--password", "[redacted]", "--level", "3"]
        )

    def test_each_call_is_one_line_that_is_there_when_it_returns(self):
        session = datacat.open()
        path = lane_files(self.home)[0]
        for number, call in enumerate(
            [
                lambda: session.update_state({"a": 1}),
                lambda: session.log_event("e"),
                lambda: session.gauge("g", 1.5),
                lambda: session.gauge("g", 2),
                lambda: session.counter("c"),
                lambda: session.histogram("h", 3, buckets=[1, 2]),
                lambda: session.histogram("h", 4, buckets=[1, 2]),
                lambda: session.log_timer("t", 0.5),
                lambda: session.heartbeat(30),
                lambda: session.pause(),
                lambda: session.resume(),
            ]
        ):
            call()
            self.assertEqual(len(lines(path)), number + 3, number)
        self.assertEqual(session.stats()["records"], 12)

    def test_a_flood_of_metrics_is_held_a_few_at_a_time_and_keeps_its_order(self):
        session = datacat.open()
        for number in range(5000):
            session.gauge("g", number)
        on_disk = len(self.records())
        self.assertGreater(on_disk, 5000 - datacat.HELD_METRICS)
        session.log_event("after")
        ops = self.ops()
        self.assertEqual([op.get("value") for op in ops[1:-1]], list(range(5000)))
        self.assertEqual([op["seq"] for op in ops], list(range(1, 5003)))
        self.assertEqual(ops[-1]["name"], "after")

    def test_a_metric_that_comes_alone_is_written_at_once_also_after_a_flood(self):
        session = datacat.open()
        moment = [1000.0]
        session._now = lambda: moment[0]
        for number in range(datacat.HELD_METRICS + 3):
            session.gauge("g", number)
        self.assertEqual(len(self.records()), 1 + datacat.HELD_METRICS)
        moment[0] += 2 * datacat.HELD_SECONDS
        session.gauge("g", -1)
        self.assertEqual([op["value"] for op in self.ops()[-4:]], [32, 33, 34, -1])
        moment[0] -= 3600  # a clock that was set back
        session.gauge("g", -2)
        self.assertEqual(self.ops()[-1]["value"], -2)

    def test_held_metrics_are_written_by_the_exit_hook(self):
        code, _, errors = self.run_program(
            u"import datacat\ns = datacat.open()\nfor n in range(1000): s.gauge('g', n)\n"
        )
        self.assertEqual((code, errors), (0, ""))
        ops = self.ops()
        self.assertEqual(len(ops), 1002)
        self.assertEqual(ops[-1]["op"], "end")

    def test_after_the_end_nothing_is_recorded(self):
        session = datacat.open()
        session.gauge("g", 1)
        session.end(exit_code=3, signal="SIGTERM")
        session.gauge("g", 2)
        session.log_event("late")
        session.end()
        self.assertEqual([op["op"] for op in self.ops()], ["start", "metric", "end"])
        self.assertEqual((self.ops()[-1]["exit_code"], self.ops()[-1]["signal"]), (3, "SIGTERM"))

    def test_a_with_block_ends_its_session(self):
        with datacat.open() as session:
            session.log_event("inside")
        self.assertEqual([op["op"] for op in self.ops()], ["start", "event", "end"])

    def test_an_exception_that_leaves_a_with_block_is_recorded_as_a_crash(self):
        with self.assertRaises(KeyError):
            with datacat.open():
                raise KeyError("sword")
        _, event, crash = self.ops()
        self.assertEqual((event["exception_type"], event["handled"]), ("KeyError", False))
        self.assertEqual((crash["op"], crash["reason"]), ("crash", "uncaught_exception"))

    def test_leaving_a_with_block_by_exit_is_an_end_with_its_code(self):
        with self.assertRaises(SystemExit):
            with datacat.open():
                raise SystemExit(7)
        self.assertEqual((self.ops()[-1]["op"], self.ops()[-1]["exit_code"]), ("end", 7))

    def test_switched_off_every_call_does_nothing(self):
        os.environ["DATACAT_DISABLED"] = "1"
        session = datacat.open(product="game")
        session.update_state({"a": 1})
        session.gauge("g", 1)
        session.log_exception()
        with session.timer("t"):
            pass
        session.end()
        self.assertEqual(os.listdir(self.home), [])

    def test_a_process_that_joins_a_session_writes_neither_start_nor_end(self):
        session = datacat.open()
        code, _, errors = self.run_program(
            u"import datacat\ns = datacat.open()\ns.log_event('child')\ns.end()\n",
            environment={"DATACAT_SESSION": session.session_id},
        )
        self.assertEqual((code, errors), (0, ""))
        (header, op) = self.records()[-1]
        self.assertEqual((header["session"], op["op"], op["name"]), (session.session_id, "event", "child"))

    def test_an_id_that_no_server_takes_is_not_joined(self):
        os.environ["DATACAT_SESSION"] = "../etc passwd"
        session = datacat.open()
        self.assertEqual(len(session.session_id), 36)
        self.assertEqual([op["op"] for op in self.ops()], ["start"])

    def test_timers_measure_blocks_and_functions_also_when_they_raise(self):
        session = datacat.open()
        with session.timer("block", count=0) as timer:
            timer.count += 3

        @session.timer("function", unit="milliseconds", tags=["x"])
        def divide(a, b):
            """Doc."""
            return a / b

        self.assertEqual((divide(6, 3), divide.__doc__), (2, "Doc."))
        with self.assertRaises(ZeroDivisionError):
            divide(1, 0)
        block, first, second = self.ops()[1:]
        self.assertEqual((block["type"], block["count"], block["unit"]), ("timer", 3, "seconds"))
        self.assertEqual((first["name"], first["unit"], first["tags"]), ("function", "milliseconds", ["x"]))
        self.assertNotIn("count", first)
        self.assertGreaterEqual(second["value"], 0)

    def test_threads_share_a_lane_without_losing_or_repeating_a_record(self):
        session = datacat.open()

        def work(thread):
            for number in range(500):
                session.log_event("e", data={"thread": thread, "number": number})
                session.gauge("g", number, tags=[str(thread)])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        session.end()
        ops = self.ops()
        self.assertEqual(len(lane_files(self.home)), 1)
        self.assertEqual([op["seq"] for op in ops], list(range(1, len(ops) + 1)))
        for thread in range(6):
            mine = [op["data"]["number"] for op in ops if op["op"] == "event" and op["data"]["thread"] == thread]
            self.assertEqual(mine, list(range(500)))

    def test_a_lane_goes_on_in_parts(self):
        os.environ["DATACAT_LANE_BYTES"] = "4096"
        session = datacat.open()
        for number in range(200):
            session.log_event("e", data={"number": number})
        parts = lane_files(self.home)
        self.assertGreater(len(parts), 3)
        seen = []
        for number, path in enumerate(parts):
            header, ops = lines(path)[0], lines(path)[1:]
            self.assertEqual((header["part"], header["first"]), (number + 1, ops[0]["seq"]))
            seen += [op["seq"] for op in ops]
        self.assertEqual(seen, list(range(1, 202)))

    def test_metrics_take_whatever_is_a_number(self):
        import decimal
        import fractions

        session = datacat.open()
        for value in (True, decimal.Decimal("1.5"), fractions.Fraction(1, 4), "2.5", 10**30):
            session.gauge("g", value)
        self.assertEqual([op["value"] for op in self.ops()[1:]], [1, 1.5, 0.25, 2.5, 1e30])
        for value in (None, "fast", [], 10**400, object()):
            session.counter("c", value)
        self.assertEqual([op.get("cause") for op in self.ops()[6:]], ["not_finite"] * 5)
        self.assertEqual(session.stats()["dropped"], {"not_finite": 5})

    def test_a_known_series_still_reports_values_that_are_not_finite(self):
        session = datacat.open()
        for value in (1.0, float("nan"), float("inf"), 2.0, 10**400, 3):
            session.gauge("g", value)
        self.assertEqual(
            [op.get("detail", op.get("value")) for op in self.ops()[1:]], [1, "g: NaN", "g: Infinity", 2, "g: Infinity", 3]
        )

    def test_series_whose_tags_are_equal_or_begin_alike_stay_apart(self):
        class Name(str):
            def __str__(self):
                return "another"

        session = datacat.open()
        for tags in ({"app": "x"}, {"app": "y"}, "ab", ["a", "b"], [1], [True], iter(["i"]), iter(["i"]), [Name("a"), "b"]):
            session.gauge("g", 1, tags=tags)
        self.assertEqual([op["tags"] for op in self.ops()[1:]], [
            ["app:x"], ["app:y"], ["ab"], ["a", "b"], ["1"], ["True"], ["i"], ["i"], ["another", "b"],
        ])  # fmt: skip
        session.counter("c")
        session.counter(Name("c"))
        self.assertEqual([op["name"] for op in self.ops()[-2:]], ["c", "another"])

    def test_tags_and_labels_may_be_text_lists_or_dicts(self):
        session = datacat.open(tags="one")
        session.log_event("e", labels="alone")
        session.gauge("g", 1, tags={"app": "x"})
        session.gauge("g", 1, tags=("a", 2))
        start, event, first, second = self.ops()
        self.assertEqual((start["tags"], event["labels"]), (["one"], ["alone"]))
        self.assertEqual((first["tags"], second["tags"]), (["app:x"], ["a", "2"]))

    def test_tags_of_an_event_are_beside_its_labels_and_those_of_an_exception_beside_its_type(self):
        session = datacat.open()
        session.log_event("e", labels=["a"], tags={"room": "attic"})
        session.log_exception(ValueError("x"), tags={"room": "attic", "seen": True})
        session.client.log_event(session.session_id, "e", tags=["b"])
        datacat.AsyncSession(session).log_event("e", tags=("c", "d:1"))
        labels = [op["labels"] for op in self.ops()[1:]]
        self.assertEqual(labels[0], ["a", "room:attic"])
        self.assertEqual((labels[1][:2], sorted(labels[1][2:])), (["exception", "ValueError"], ["room:attic", "seen"]))
        self.assertEqual(labels[2:], [["b"], ["c", "d:1"]])

    def test_tags_are_added_later_and_by_the_environment(self):
        os.environ["DATACAT_TAGS"] = "branch:main, nightly,,"
        session = datacat.open(tags={"result": None})
        session.add_tags("won")
        session.client.add_tags(session.session_id, {"score": 3})
        os.environ["DATACAT_SESSION"] = session.session_id
        datacat.open(tags={"part": "child"})
        datacat.open()
        tagged = [(op["op"], op["tags"]) for _, op in self.records() if "tags" in op]
        self.assertEqual(sorted(tagged), [
            ("start", ["branch:main", "nightly", "result"]), ("tags", ["part:child"]), ("tags", ["score:3"]), ("tags", ["won"]),
        ])  # fmt: skip

    def test_hostile_tags_leave_the_call_recorded(self):
        class Hostile(dict):
            def items(self):
                raise ValueError("no items")

        class Value(object):
            def __str__(self):
                raise ValueError("no text")

        session = datacat.open(tags=Hostile(a=1))
        session.log_event("e", tags={"value": Value(), "list": [1, 2]})
        session.gauge("g", 1, tags=Hostile(a=1))
        session.gauge("g", 1, tags={"value": Value})
        start, event, first, second = self.ops()
        self.assertEqual(("tags" in start, "tags" in first), (False, False))
        self.assertEqual(sorted(event["labels"]), ["list:[1, 2]", "value:<Value>"])
        self.assertEqual(len(second["tags"]), 1)

    def test_a_patch_that_is_no_object_is_kept_as_its_value(self):
        session = datacat.open()
        session.update_state([1, 2])
        session.update_state(None)
        self.assertEqual([op["patch"] for op in self.ops()[1:]], [{"value": [1, 2]}, {}])

    def test_stats_are_plain_data(self):
        session = datacat.open()
        session.log_event("e", data={"socket": object()})
        stats = json.loads(json.dumps(session.stats()))
        self.assertEqual(stats["records"], 3)
        self.assertEqual(stats["dropped"], {"unserialisable": 1})


if not hasattr(Recording, "assertRegexpMatches"):
    Recording.assertRegexpMatches = Recording.assertRegex
