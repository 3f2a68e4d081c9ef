# -*- coding: utf-8 -*-
"""Programs as 1.x's README has them, and the same script in every mode, against the real daemon and server."""

import os
import signal
import subprocess
import sys
import time

import datacat
from datacat import DatacatClient, create_session
from real import DAEMON, RealTest
from worlds import CLIENT

WINDOW = {"window_state": {"open": ["w1", "w2"], "active": "w1"}}


class LegacyPrograms(RealTest):
    def test_the_readme_s_program(self):
        session = create_session(self.url, use_daemon=True)
        session.update_state({"status": "running", "version": "1.0.0"})
        session.update_state(WINDOW)
        session.update_state({"window_state": {"open": ["w1", "w2", "w3"]}})
        session.log_event("user_action", data={"action": "click", "button": "submit"})
        session.log_metric("memory_usage", 1024.5, tags=["app:myapp"])
        session.start_heartbeat_monitor(timeout=60)
        session.heartbeat()
        try:
            {}["missing"]
        except KeyError:
            session.log_exception(extra_data={"context": "user_action"})

        details = session.get_details()  # at once, as 1.x's programs do
        self.assertEqual(details["id"], session.session_id)
        self.assertTrue(details["active"])
        self.assertEqual(details["state"]["window_state"], {"open": ["w1", "w2", "w3"], "active": "w1"})
        self.assertEqual(len(details["state_history"]), 3)
        self.assertEqual([event["name"] for event in details["events"]], ["user_action", "exception"])
        exception = details["events"][1]
        self.assertEqual((exception["exception_type"], exception["category"]), ("KeyError", "error"))
        self.assertEqual((exception["group"], exception["data"]), ("exception", {"context": "user_action"}))
        (metric,) = details["metrics"]
        self.assertEqual((metric["name"], metric["value"], metric["tags"]), ("memory_usage", 1024.5, ["app:myapp"]))
        self.assertTrue(details["last_heartbeat"])

        session.end()
        details = session.get_details()
        self.assertFalse(details["active"])
        self.assertTrue(details["ended_at"])
        self.assertEqual(len(details["events"]), 2)

    def test_state_is_there_after_each_update(self):
        session = create_session(self.url, product="Graphite", version="2025.10.1")
        updates = [
            {"program": {"name": "graphite", "version": "1.0"}},
            {"program": {"status": "initializing"}},
            {"config": {"mode": "debug"}},
            {"program": {"status": "running"}, "scene": {"objects": ["a", "b"]}},
        ]
        for number, update in enumerate(updates):
            session.update_state(update)
            history = session.get_details()["state_history"]
            self.assertEqual(len(history), number + 1)
        state = session.get_details()["state"]
        self.assertEqual(state["program"], {"name": "graphite", "version": "1.0", "status": "running"})
        self.assertEqual((state["product"], state["config"]), ("Graphite", {"mode": "debug"}))
        session.end()

    def test_get_details_makes_the_daemon_send_at_once(self):
        session = create_session(self.url, product="P", version="1")
        session.get_details()
        times = []
        for number in range(5):
            session.log_event("e", data={"n": number})
            began = time.time()
            self.assertEqual(len(session.get_details()["events"]), number + 1)
            times.append(time.time() - began)
        self.assertLess(sorted(times)[2], 3.0, times)  # by itself the daemon gathers for 5 s
        session.end()

    def test_a_client_by_session_id(self):
        client = DatacatClient(self.url)
        session_id = client.register_session("TestProduct", "1.0.0")
        client.update_state(session_id, {"status": "running"})
        client.log_event(session_id, "user_login", {"user": "alice"})
        client.log_metric(session_id, "cpu_usage", 45.2, tags=["app:myapp"])
        session = client.get_session(session_id)
        self.assertEqual(session["events"][0]["data"], {"user": "alice"})
        client.end_session(session_id)
        self.assertFalse(client.get_session(session_id)["active"])
        self.assertIn(session_id, [session["id"] for session in client.get_all_sessions()])
        self.assertTrue(client.daemon_manager.is_running())
        with self.assertRaises(Exception) as raised:
            client.get_session("no-such-session")
        self.assertIn("HTTP Error 404", str(raised.exception))

    def test_an_async_session_of_a_game(self):
        session = create_session(self.url, product="Game", version="1", async_mode=True)
        for frame in range(600):
            session.log_metric("fps", 60.0 + frame % 3)
            session.log_counter("frames")
            session.log_histogram("frame_time", 1.0 / 60, unit="seconds", buckets=[1.0 / 60, 1.0 / 30, float("inf")])
            if frame % 100 == 0:
                session.log_event("hundred", data={"frame": frame})
        session.shutdown()
        details = session.get_details()
        self.assertFalse(details["active"])
        self.assertEqual(len([event for event in details["events"] if event["name"] == "hundred"]), 6)
        series = self.series(session.session_id)
        self.assertEqual((series["fps"]["points"], series["frames"]["last"]), (600, 600))
        self.assertEqual(sum(bucket["count"] for bucket in series["frame_time"]["buckets"]), 600)

    def test_hang_and_recovery_with_1_x_s_calls(self):
        session = create_session(self.url, product="Hang", version="1")
        session.start_heartbeat_monitor(timeout=1)
        session.heartbeat()
        self.summary_when(session.session_id, "hung")
        session.heartbeat()
        session.pause_heartbeat_monitoring()
        self.summary_when(session.session_id, "active")
        time.sleep(5)  # longer than its second and the grace: paused, it is no hang
        self.assertEqual(self.ask("/sessions/%s/summary" % session.session_id)["verdict"]["status"], "active")
        session.end()
        names = [event["name"] for event in session.get_details()["events"]]
        self.assertEqual(names, ["application_appears_hung", "application_recovered"])


class Modes(RealTest):
    """One script, recorded through lanes, directly, and by way of another container's daemon: the same session each time."""

    def record(self, session):
        session.update_state({"level": 1, "list": [1, 2.5, None, True], "token": "x", "text": u"Ünï \U0001f600"})
        session.update_state({"level": 2, "list": None})
        session.log_event("door", data={"n": 1}, category="warning", group="g", labels=["l"], message="m")
        for number in range(100):
            session.gauge("gauge", number, unit="u", tags=["t"])
            session.counter("counter", 2)
            session.histogram("histogram", number, buckets=[10, 50])
        session.log_timer("timer", 1.5, 3)
        session.heartbeat(60)
        try:
            raise ValueError("bad")
        except ValueError:
            session.log_exception()
        session.end(exit_code=0)
        session.flush(20)
        return self.held(session.session_id)

    def held(self, session_id):
        """What the server holds, without what differs from run to run."""
        summary = self.summary_when(session_id, "ended")
        self.assertEqual(summary["ledger"]["accepted"], summary["ledger"]["stored"])
        events = []
        for event in self.events(session_id):
            events.append(dict((key, event[key]) for key in sorted(event) if key not in ("at", "seq", "cursor", "fingerprint")))
        series = {}
        for name, one in self.series(session_id).items():
            wanted = ("type", "unit", "tags", "points", "first", "last", "min", "max", "sum", "buckets")
            series[name] = dict((key, one.get(key)) for key in wanted)
        counts = dict(summary["counts"], points=None)  # fewer if they were aggregated on the way
        return {"state": self.state(session_id), "events": events, "series": series, "counts": counts}

    def test_lanes_direct_and_a_far_daemon_record_the_same_session(self):
        options = {"product": "modes", "version": "1", "tags": ["a"]}
        lanes = self.record(datacat.open(self.url, **options))
        self.assertEqual(lanes["state"]["level"], 2)
        self.assertEqual(lanes["state"]["token"], "[redacted]")
        self.assertEqual(lanes["series"]["counter"]["last"], 200)
        self.assertEqual([bucket["count"] for bucket in lanes["series"]["histogram"]["buckets"]], [11, 40, 49])

        direct = self.record(datacat.open(self.url, use_daemon=False, **options))
        self.check_alike(direct, lanes)

        daemon = self.until(lambda: datacat._running_daemon(self.home))
        os.environ["DATACAT_DAEMON_URL"] = "http://127.0.0.1:%d" % daemon["port"]
        far = self.record(datacat.open(self.url, **options))
        self.check_alike(far, lanes)

    def check_alike(self, one, other):
        for key in ("state", "events", "counts"):
            self.assertEqual(one[key], other[key], key)
        for name, series in other["series"].items():
            # Aggregated on the way or in the object: the number of points may differ, their values may not.
            mine = dict(one["series"][name])
            if series["type"] in ("counter", "histogram"):
                changing = ["points", "first", "min", "max", "sum"] + ["last"] * (series["type"] == "histogram")
                mine = dict((key, mine[key]) for key in mine if key not in changing)
            self.assertEqual(mine, dict((key, series[key]) for key in mine), name)

    def test_the_last_call_before_kill_9_is_on_the_server_and_the_verdict_is_a_crash(self):
        for call in ("s.log_event('last')", "s.update_state({'last': True})", "s.gauge('last', 1)"):
            process = subprocess.Popen(
                [sys.executable, "-c",
                 "import datacat, os\ns = datacat.open(product='killed')\nprint(s.session_id)\nimport sys; sys.stdout.flush()\n"
                 "import time; time.sleep(1)\n%s\nos.kill(os.getpid(), 9)" % call],
                stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=CLIENT), close_fds=True,
            )  # fmt: skip
            session_id = process.stdout.readline().decode("ascii").strip()
            self.assertEqual(process.wait(), -signal.SIGKILL)
            process.stdout.close()
            self.summary_when(session_id, "crashed")
            found = (
                "last" in [event["name"] for event in self.events(session_id)]
                or self.state(session_id).get("last")
                or "last" in self.series(session_id)
            )
            self.assertTrue(found, call)

    def test_offline_from_the_start_one_session_arrives_with_its_true_times(self):
        os.environ["DATACAT_DAEMON"] = "off"
        began = time.time() * 1000
        session = datacat.open(self.url, product="offline")
        session.log_event("while no daemon ran")
        session.end()
        ended = time.time() * 1000
        time.sleep(1)
        os.environ["DATACAT_DAEMON"] = DAEMON
        datacat.open(self.url, product="later").end()  # the next program starts one
        summary = self.summary_when(session.session_id, "ended")
        self.assertTrue(began - 1 <= summary["created_at"] <= summary["ended_at"] <= ended + 1)
        self.assertEqual(summary["counts"]["events"], 1)
