# -*- coding: utf-8 -*-
"""Each example against the real daemon and server, and what the server holds of it afterwards."""

import os
import signal
import subprocess
import sys

from real import EXAMPLES, RealTest
from worlds import CLIENT


class Examples(RealTest):
    def ended(self, name, *arguments):
        code, session_id, rest = self.run_example(name, *arguments)
        self.assertEqual(code, 0, self.errors)
        summary = self.summary_when(session_id, "ended")
        # Losses would be counted there.
        self.assertEqual(summary["ledger"]["dropped"], {})
        return session_id, summary, rest

    def test_basic(self):
        session_id, summary, _ = self.ended("basic")
        self.assertEqual((summary["product"], summary["version"]), ("basic example", "1.0"))
        state = self.state(session_id)
        self.assertEqual((state["status"], state["window"]), ("done", {"width": 1024, "height": 600}))
        (event,) = [event for event in self.events(session_id) if event["name"] == "user_action"]
        self.assertEqual(event["data"], {"action": "click", "button": "submit"})
        self.assertEqual(self.series(session_id)["memory_mb"]["last"], 256.5)
        self.assertEqual(summary["lanes"][0]["writer"]["program"], "basic.py")

    def test_complete(self):
        session_id, summary, _ = self.ended("complete")
        self.assertEqual((summary["tags"], summary["exit_code"]), (["example", "nightly"], 0))
        state = self.state(session_id)
        self.assertEqual(state["config"], {"api_token": "[redacted]"})
        self.assertEqual(state["user"], {"name": "Ada", "cart": ["book", "pen"]})
        names = [event["name"] for event in self.events(session_id)]
        for name in ("startup", "login", "low_disk", "exception"):
            self.assertIn(name, names)
        series = self.series(session_id)
        self.assertEqual((series["requests"]["last"], series["bytes_sent"]["last"]), (1, 1500))
        self.assertEqual([bucket["count"] for bucket in series["request_seconds"]["buckets"]], [1, 1, 1, 0])
        self.assertEqual(series["cpu_percent"]["tags"], ["core:0"])
        self.assertEqual((series["load"]["type"], series["parse"]["unit"]), ("timer", "milliseconds"))
        self.assertEqual(summary["counts"]["exceptions"], 1)

    def test_game_loop(self):
        session_id, summary, (frames,) = self.ended("game_loop", "2")
        frames = int(frames)
        series = self.series(session_id)
        self.assertEqual(series["frame_ms"]["points"], frames)
        self.assertEqual(series["particle_energy"]["points"], frames * 90)
        self.assertEqual(series["draw_calls"]["last"], frames * 40)
        self.assertEqual(sum(bucket["count"] for bucket in series["frame"]["buckets"]), frames)
        hits = [event for event in self.events(session_id) if event["name"] == "hit"]
        self.assertEqual([hit["data"]["hp"] for hit in hits], [90 - 10 * n for n in range(frames // 30)])
        # At the moment of the last hit the state was what the program had just recorded.
        self.assertEqual(self.state(session_id)["player"]["hp"], hits[-1]["data"]["hp"])
        self.assertEqual(summary["ledger"]["accepted"], summary["ledger"]["stored"])

    def test_exceptions(self):
        session_id, summary, _ = self.ended("exceptions")
        first, second, third = [event for event in self.events(session_id) if event.get("exception_type")]
        self.assertEqual(first["handled"], True)
        self.assertIn("cannot read level3.dat", first["exception_msg"])
        self.assertEqual(second["exception_type"], "ValueError")
        if sys.version_info[0] > 2:
            self.assertEqual(second["causes"][0]["exception_type"], "OSError")
        self.assertEqual((third["exception_type"], third["handled"]), ("RuntimeError", False))
        self.assertEqual(third["data"], {"thread": "worker"})
        self.assertNotIn("hunter2", str(self.events(session_id)[0].get("data")))

    def test_heartbeat_and_hang(self):
        process = subprocess.Popen(
            [sys.executable, os.path.join(EXAMPLES, "heartbeat_and_hang.py"), "7"], stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=CLIENT), cwd=self.home, close_fds=True,
        )  # fmt: skip
        session_id = process.stdout.readline().decode("ascii").strip()
        self.summary_when(session_id, "hung")
        self.assertEqual(process.wait(), 0)
        process.stdout.close()
        summary = self.summary_when(session_id, "ended")
        self.assertTrue(summary["ever_hung"])
        names = [event["name"] for event in self.events(session_id)]
        self.assertEqual(names.count("application_appears_hung"), 1)
        self.assertEqual(names.count("application_recovered"), 1)
        self.assertEqual(self.state(session_id)["doing"], "fine again")

    def test_crash_by_an_exception(self):
        code, session_id, _ = self.run_example("crash", "exception")
        self.assertEqual(code, 1)
        summary = self.summary_when(session_id, "crashed")
        self.assertIn("KeyError", summary["verdict"]["headline"])
        event = [event for event in self.events(session_id) if event.get("exception_type") == "KeyError"][0]
        self.assertEqual(event["handled"], False)

    def test_crash_by_a_signal_that_cannot_be_caught(self):
        code, session_id, _ = self.run_example("crash", "kill")
        self.assertEqual(code, -signal.SIGKILL)
        self.summary_when(session_id, "crashed")
        self.assertEqual(self.state(session_id)["doing"], "opening the door")
        self.assertIn("door_opened", [event["name"] for event in self.events(session_id)])
        self.assertEqual(self.series(session_id)["memory_mb"]["last"], 512)

    def test_window_tracking(self):
        session_id, _, _ = self.ended("window_tracking")
        state = self.state(session_id)
        self.assertEqual(state["windows"], {"main": {"width": 1280, "height": 800, "visible": True}})
        self.assertEqual((state["open"], state["focus"]), (["main"], "main"))
        # What was open when it broke?
        broke = [event for event in self.events(session_id) if event["name"] == "error_shown"][0]
        then = self.ask("/sessions/%s/state?seq=%d" % (session_id, broke["seq"]))["state"]
        self.assertEqual((then["open"], then["focus"]), (["main", "export"], "export"))
        self.assertEqual(self.series(session_id)["open_windows"]["max"], 3)

    def test_test_run_tracking(self):
        session_id, _, _ = self.ended("test_run_tracking")
        tests = [event for event in self.events(session_id) if event["name"] == "test"]
        self.assertEqual(sorted(event["data"]["result"] for event in tests), ["failed", "passed", "skipped"])
        self.assertEqual(self.state(session_id)["failed"], 1)
        self.assertEqual(self.series(session_id)["tests.failed"]["last"], 1)

    def test_logging_integration(self):
        session_id, _, _ = self.ended("logging_integration")
        placed, low, failed = self.events(session_id)[-3:]
        self.assertEqual((placed["message"], placed["data"]["customer"]), ("order 4711 placed", "ada"))
        self.assertEqual((low["category"], low["group"]), ("warning", "shop.checkout"))
        self.assertEqual((failed["exception_type"], failed["message"]), ("ZeroDivisionError", "could not compute the discount"))
