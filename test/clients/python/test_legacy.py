# -*- coding: utf-8 -*-
"""Every call of datacat 1.x's Python client, with its arguments in its order."""

import inspect
import logging
import re
import sys
import threading
import time

import datacat
from datacat import AsyncSession, DaemonManager, DatacatClient, HeartbeatMonitor, Session, Timer, create_session
from worlds import Test

arguments_of = getattr(inspect, "getfullargspec", None) or inspect.getargspec


class Legacy(Test):
    def test_sessions_are_created_in_every_way_that_1_x_ever_had(self):
        for session in (
            create_session("http://localhost:8080"),
            create_session("http://localhost:8080", use_daemon=True),
            create_session("http://localhost:9090", daemon_port="8079", product="P", version="1"),
            create_session("http://localhost:9090", "auto", "P", "1", True, 500),
            create_session("http://localhost:9090/", product="P", version="1", async_mode=True, queue_size=5),
        ):
            self.assertTrue(session.session_id)
            session.log_event("e")
            session.end()
        self.assertIsInstance(create_session(async_mode=True), AsyncSession)
        client = DatacatClient("http://localhost:9090/")
        self.assertEqual(client.base_url, "http://localhost:9090")
        self.assertTrue(client.register_session())
        self.assertTrue(client.register_session("P", "1"))
        self.assertTrue(client.create_session())
        self.assertEqual([op["product"] for op in self.ops() if "product" in op].count("P"), 4)

    def test_signatures_are_those_of_1_x(self):
        for call, names in (
            (create_session, "base_url daemon_port product version async_mode queue_size"),
            (DatacatClient.__init__, "self base_url daemon_port"),
            (DatacatClient.register_session, "self product version"),
            (DatacatClient.get_session, "self session_id"),
            (DatacatClient.update_state, "self session_id state"),
            (DatacatClient.log_event, "self session_id name category group labels message data stacktrace exception_type "
             "exception_msg source_file source_line source_function"),
            (DatacatClient.log_metric, "self session_id name value tags metric_type count unit metadata delta"),
            (DatacatClient.log_exception, "self session_id exc_info extra_data"),
            (DatacatClient.end_session, "self session_id"),
            (DatacatClient._make_request, "self url method data"),
            (DaemonManager.__init__, "self daemon_port server_url daemon_binary"),
            (HeartbeatMonitor.__init__, "self client session_id timeout check_interval"),
            (datacat.DatacatHandler.__init__, "self session include_exceptions"),
            (Session.__init__, "self client session_id"),
            (Session.update_state, "self state"),
            (Session.log_event, "self name category group labels message data stacktrace level"),
            (Session.log_metric, "self name value tags metric_type count unit metadata delta"),
            (Session.log_gauge, "self name value tags unit"),
            (Session.log_counter, "self name delta tags"),
            (Session.log_histogram, "self name value unit tags buckets metadata"),
            (Session.log_timer, "self name duration count tags unit"),
            (Session.timer, "self name count tags unit"),
            (Session.log_exception, "self exc_info extra_data"),
            (Session.start_heartbeat_monitor, "self timeout check_interval"),
            (Timer.__init__, "self session name count tags unit"),
            (AsyncSession.__init__, "self session queue_size drop_on_full"),
            (AsyncSession.log_gauge, "self name value unit tags metadata"),
            (AsyncSession.timer, "self name count unit tags"),
            (AsyncSession.flush, "self timeout"),
            (AsyncSession.shutdown, "self timeout"),
        ):  # fmt: skip
            names = names.split()
            self.assertEqual(arguments_of(call).args[: len(names)], names, call)

    def test_events_in_every_order_of_arguments(self):
        session = create_session()
        session.log_event("user_action", {"action": "click"})
        session.log_event("e", "warning", "group", ["l"], "message", {"d": 1}, ["line"])
        session.log_event("e", level="error", data={"d": 1})
        session.client.log_event(session.session_id, "e", {"d": 2})
        first, second, third, fourth = self.ops()[1:]
        self.assertEqual((first["data"], "category" in first), ({"action": "click"}, False))
        self.assertEqual(
            [second[key] for key in ("category", "group", "labels", "message", "data", "stacktrace")],
            ["warning", "group", ["l"], "message", {"d": 1}, ["line"]],
        )
        self.assertEqual(third["category"], "error")
        self.assertEqual(fourth["data"], {"d": 2})

    def test_the_examples_of_the_readme_of_1_x_run(self):
        session = create_session(product="MyApp", version="1.0.0", async_mode=True)
        session.update_state({"level": 1, "player": {"health": 100, "position": {"x": 0, "y": 0}}})
        session.log_event("player_moved", {"x": 10, "y": 20})
        session.log_gauge("fps", 60.0, unit="fps")
        session.log_counter("enemies_defeated")
        session.log_histogram("frame_time", 0.016, unit="seconds")
        session.end()

        session = create_session("http://localhost:8080")  # of the first version: neither product nor version
        session.update_state({"window_state": {"open": ["w1", "w2"], "active": "w1"}})
        session.log_event("user_login", {"username": "ada"})
        session.log_metric("cpu_usage", 45.2, ["app:demo"])
        session.start_heartbeat_monitor(timeout=60)
        session.heartbeat()
        session.stop_heartbeat_monitor()
        session.end()

        ops = self.ops()
        events = [(op["name"], op["data"]) for op in ops if op["op"] == "event"]
        self.assertEqual(events, [("player_moved", {"x": 10, "y": 20}), ("user_login", {"username": "ada"})])
        metrics = [(op["name"], op["type"]) for op in ops if op["op"] == "metric"]
        self.assertEqual(
            metrics,
            [("fps", "gauge"), ("enemies_defeated", "counter"), ("frame_time", "histogram"), ("cpu_usage", "gauge")],
        )
        self.assertEqual([op["op"] for op in ops].count("end"), 2)

    def test_metrics_of_every_kind(self):
        session = create_session()
        buckets = {"buckets": [1.0 / 60, float("inf")], "sensor": "k"}
        session.log_metric("m", 1024.5, tags=["app:x"])
        session.log_metric("m", 5, ["t"], "timer", 3, "ms", {"k": 1})
        session.log_metric("m", 0, metric_type="counter", delta=2)
        session.log_metric("m", 7, metric_type="counter")
        session.log_metric("m", 0.01, metric_type="histogram", metadata=buckets)
        session.log_metric("m", 1, metric_type="something else")
        session.log_gauge("g", 1, ["t"], "kB")
        session.log_counter("c:with:colons", tags=["t"])
        session.log_histogram("h", 3, "ms", ["t"], [1, 5, float("inf")])
        session.log_timer("t", 1.5, 10, ["t"])
        ops = self.ops()[1:]
        self.assertEqual(
            [op["type"] for op in ops],
            ["gauge", "timer", "counter", "counter", "histogram", "gauge", "gauge", "counter", "histogram", "timer"],
        )
        self.assertEqual((ops[1]["count"], ops[1]["unit"], ops[1]["metadata"]), (3, "ms", {"k": 1}))
        self.assertEqual((ops[2]["delta"], "value" in ops[2], ops[3]["value"]), (2, False, 7))
        self.assertEqual((ops[4]["buckets"], ops[4]["metadata"]), ([1.0 / 60], {"sensor": "k"}))
        self.assertIn("buckets", buckets)  # the caller's own stays as it was
        self.assertEqual((ops[7]["name"], ops[7]["delta"]), ("c:with:colons", 1))
        self.assertEqual(ops[8]["buckets"], [1, 5])
        self.assertEqual((ops[9]["count"], ops[9]["unit"]), (10, "seconds"))

    def test_a_client_records_by_session_id(self):
        client = DatacatClient()
        session_id = client.register_session("P", "1")
        self.assertEqual(client.update_state(session_id, {"a": 1}), {"status": "ok"})
        client.log_metric(session_id, "m", 1)
        client.log_exception(session_id, extra_data={"x": 1})
        client.pause_heartbeat_monitoring(session_id)
        client.resume_heartbeat_monitoring(session_id)
        Session(client, session_id).log_event("by another object")
        client.end_session(session_id)
        self.assertEqual(
            [op["op"] for op in self.ops()], ["start", "state", "metric", "event", "pause", "resume", "event", "end"]
        )
        self.assertEqual(len(set(header["lane"] for header, _ in self.records())), 1)

    def test_a_session_of_another_process_is_only_ended_when_that_is_asked(self):
        program = u"import datacat, os; datacat.open(session_id='theirs').log_event('e'); os._exit(0)"
        code, _, errors = self.run_program(program)
        self.assertEqual((code, errors), (0, ""))
        datacat.open(session_id="theirs").end()
        self.assertEqual([op["op"] for op in self.ops()], ["event"])
        DatacatClient().end_session("theirs")
        self.assertEqual([op["op"] for op in self.ops()], ["event", "end"])

    def test_heartbeat_monitors_need_no_thread(self):
        threads = threading.active_count()
        session = create_session()
        monitor = session.start_heartbeat_monitor(timeout=60)
        self.assertIs(session.start_heartbeat_monitor(timeout=30, check_interval=3), monitor)
        self.assertTrue(monitor.is_running())
        session.heartbeat()
        monitor.heartbeat()
        session.stop_heartbeat_monitor()
        self.assertFalse(monitor.is_running())
        self.assertEqual(
            [(op["op"], op.get("timeout_ms")) for op in self.ops()[1:]],
            [("heartbeat", 60000), ("heartbeat", None), ("heartbeat", 60000), ("pause", None)],
        )
        self.assertLessEqual(threading.active_count(), threads)  # another test's may just have ended

    def test_ending_a_session_stops_its_monitor_and_the_end_is_last(self):
        session = create_session()
        monitor = session.start_heartbeat_monitor()
        session.end()
        self.assertFalse(monitor.is_running())
        monitor.heartbeat()
        self.assertEqual([op["op"] for op in self.ops()], ["start", "heartbeat", "end"])

    def test_a_monitor_with_every_sends_heartbeats_from_a_thread(self):
        session = create_session()
        monitor = session.start_heartbeat_monitor(timeout=5, every=0.02)
        deadline = time.time() + 10
        while len(self.ops()) < 5 and time.time() < deadline:
            time.sleep(0.02)
        session.end()
        self.assertFalse(monitor.is_running())
        self.assertEqual([op["op"] for op in self.ops()][:5], ["start"] + ["heartbeat"] * 4)
        self.assertEqual(self.ops()[1]["timeout_ms"], 5000)

    def test_a_monitor_of_another_client_watches_in_its_own_thread_as_1_x_did(self):
        class Double(object):
            use_daemon = False
            events = []

            def log_event(self, *arguments):
                self.events.append(arguments)
                raise Exception("Network error")

        monitor = HeartbeatMonitor(Double(), "id", timeout=0.1, check_interval=0.02)
        self.assertIs(monitor.start(), monitor)
        self.assertIs(monitor.start(), monitor)
        deadline = time.time() + 10
        while not Double.events and time.time() < deadline:
            time.sleep(0.02)
        monitor.heartbeat()
        self.assertTrue(monitor.is_running())
        monitor.stop()
        hung, recovered = Double.events
        self.assertEqual(hung[:2], ("id", "application_appears_hung"))
        self.assertEqual(set(hung[2]), {"seconds_since_heartbeat", "timeout"})
        self.assertEqual(recovered, ("id", "application_recovered", {}))

    def test_an_async_session_has_1_x_s_names_and_orders_of_arguments(self):
        session = create_session("http://localhost:9090", product="P", version="1", async_mode=True)
        self.assertIs(session.client, session.session.client)
        session.log_event("e", data={"d": 1})
        session.log_metric("m", 1)
        session.log_gauge("g", 1, "kB", ["t"], {"k": 1})
        session.log_counter("c")
        session.log_histogram("h", 1)
        session.update_state({"a": 1})
        session.heartbeat()
        session.log_timer("t", 1)
        session.pause_heartbeat_monitoring()
        with session.timer("t", unit="milliseconds", tags=["x"]) as timer:
            timer.count = 5
        try:
            raise ValueError("evaluated here, not in some thread")
        except ValueError:
            session.log_exception()
        self.assertEqual(session.get_stats(), {"sent": 12, "dropped": 0, "queued": 0})
        session.flush()
        session.shutdown(timeout=1.0)
        self.assertEqual(self.ops()[-2]["exception_type"], "ValueError")
        self.assertEqual(self.ops()[3]["metadata"], {"k": 1})
        self.assertEqual(self.ops()[-1]["op"], "end")

    def test_the_daemon_manager_has_the_attributes_that_programs_use(self):
        manager = DaemonManager(daemon_port="auto", server_url="http://localhost:9090")
        self.assertEqual((manager.daemon_port, manager.server_url), ("auto", "http://localhost:9090"))
        self.assertEqual((manager.daemon_binary, manager.config_path, manager._started), ("datacat-daemon", None, False))
        manager.start()
        self.assertTrue(manager._started)
        self.assertIsNone(manager.process)
        self.assertFalse(manager.is_running())
        manager.stop()
        self.assertTrue(manager._find_available_port().isdigit())
        self.assertIn("datacat-daemon", manager._find_daemon_binary())
        self.assertTrue(manager._is_in_path("sh"))
        self.assertFalse(manager._is_in_path("no-such-program"))

    def test_a_query_without_a_server_and_without_a_lane_raises_what_1_x_raised(self):
        client = DatacatClient("http://127.0.0.1:1")
        with self.assertRaises(Exception) as raised:
            client.get_session("x")
        self.assertIs(type(raised.exception), Exception)
        self.assertIn("URL Error: ", str(raised.exception))
        self.assertEqual(client.get_all_sessions(), [])

    def test_without_a_server_a_session_is_answered_from_its_lanes(self):
        session = create_session("http://127.0.0.1:1", product="P", version="1")
        session.update_state({"a": {"b": 1, "c": 2}, "list": [1]})
        session.update_state({"a": {"b": None, "d": {"e": None}}, "list": None})
        session.log_event("e")
        details = session.get_details()
        self.assertEqual(details["state"], {"product": "P", "version": "1", "a": {"c": 2, "d": {"e": None}}})
        self.assertEqual((details["id"], details["active"], details["events"], details["metrics"]), (session.session_id, True, [], []))
        self.assertNotIn("ended_at", details)
        moment = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
        session.end()
        details = session.get_details()
        self.assertFalse(details["active"])
        for key in ("created_at", "updated_at", "ended_at"):
            self.assertTrue(re.match(moment, details[key]), details[key])
        other = create_session("http://127.0.0.1:1", product="Q")
        ids = [one["id"] for one in session.client.get_all_sessions()]
        self.assertEqual(sorted(ids), sorted([session.session_id, other.session_id]))

    def test_an_unknown_session_is_refused_and_opens_none(self):
        client = DatacatClient()
        session = Session(client, "nope")
        for call in (
            lambda: client.update_state("nope", {}), lambda: client.log_event("nope", "e"), lambda: client.log_metric("nope", "m", 1),
            lambda: client.log_exception("nope"), lambda: client.end_session("nope"), lambda: client.heartbeat("nope"),
            lambda: client.pause_heartbeat_monitoring("nope"), lambda: client.resume_heartbeat_monitoring("nope"),
            lambda: session.update_state({}), lambda: session.log_event("e"), lambda: session.log_gauge("g", 1), session.end,
        ):  # fmt: skip
            with self.assertRaises(Exception) as raised:
                call()
            self.assertIn("HTTP Error 404: Not Found", str(raised.exception))
        HeartbeatMonitor(client, "nope").start().heartbeat()
        self.assertEqual(self.records(), [])

    def test_attributes_and_their_defaults_are_those_of_1_x(self):
        session = create_session("http://localhost:9090", product="P", version="1")
        client = session.client
        for thing, attributes in (
            (client, {"use_daemon": True}),
            (client.daemon_manager, {
                "daemon_port": "auto", "server_url": "http://localhost:9090", "daemon_binary": "datacat-daemon", "process": None,
                "config_path": None,
            }),
            (session, {"_heartbeat_monitor": None}),
            (session.timer("t"), {"session": session, "name": "t", "count": 0, "tags": None, "unit": "seconds", "start_time": None}),
            (HeartbeatMonitor(client, session.session_id), {
                "client": client, "session_id": session.session_id, "timeout": 60, "check_interval": 5, "_running": False,
                "_hung_logged": False, "_thread": None,
            }),
            (datacat.DatacatHandler(session), {"session": session, "include_exceptions": True, "level_mapping": {
                10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical",
            }}),
            (AsyncSession(session), {
                "session": session, "client": client, "session_id": session.session_id, "drop_on_full": True, "running": True,
                "dropped_count": 0,
            }),
        ):  # fmt: skip
            for name, value in attributes.items():
                self.assertEqual(getattr(thing, name), value, "%s.%s" % (type(thing).__name__, name))
        wrapped = AsyncSession(session, 5)
        self.assertEqual((wrapped.queue.maxsize, wrapped.queue.qsize(), wrapped.queue.empty()), (5, 0, True))
        self.assertFalse(wrapped.thread.is_alive())
        self.assertEqual(wrapped.sent_count, wrapped.get_stats()["sent"])
        self.assertTrue(hasattr(HeartbeatMonitor(client, "x")._lock, "acquire"))
        self.assertAlmostEqual(HeartbeatMonitor(client, "x")._last_heartbeat, time.time(), delta=5)
        wrapped.shutdown()
        self.assertFalse(wrapped.running)

    def test_calls_return_what_1_x_returned(self):
        session = create_session("http://localhost:9090", product="P", version="1")
        client, key = session.client, session.session_id
        ok = {"status": "ok"}
        for call in (
            lambda: session.update_state({"a": 1}), lambda: session.log_event("e"), lambda: session.log_metric("m", 1),
            lambda: session.log_metric("m", float("nan")), lambda: session.log_gauge("g", 1), lambda: session.log_counter("c"),
            lambda: session.log_histogram("h", 1), lambda: session.log_timer("t", 1), lambda: session.log_exception(ValueError("x")),
            session.pause_heartbeat_monitoring, session.resume_heartbeat_monitoring, lambda: client.update_state(key, {}),
            lambda: client.log_event(key, "e"), lambda: client.log_metric(key, "m", 1), lambda: client.log_exception(key),
            lambda: client.pause_heartbeat_monitoring(key), lambda: client.resume_heartbeat_monitoring(key), session.end,
            lambda: client.end_session(key),
        ):  # fmt: skip
            self.assertEqual(call(), ok)
        for call in (session.heartbeat, session.stop_heartbeat_monitor):
            self.assertIsNone(call())
        self.assertEqual(create_session(async_mode=True).shutdown(), ok)

    def test_a_timer_counts_from_zero(self):
        session = create_session()
        with session.timer("t") as timer:
            timer.count += 1
            timer.count += 1
        with session.timer("none"):
            pass
        self.assertEqual([op.get("count") for op in self.ops()[1:]], [2, None])
        self.assertAlmostEqual(timer.start_time, time.time(), delta=60)

    def test_a_session_calls_the_methods_of_a_client_that_overrides_some(self):
        class Client(DatacatClient):
            seen = []

            def log_event(self, session_id, name, *arguments, **options):
                self.seen.append((session_id, name, options["data"]))
                return DatacatClient.log_event(self, session_id, "my." + name, *arguments, **options)

        client = Client("http://localhost:9090")
        session = Session(client, client.register_session("P", "1"))
        self.assertEqual(session.log_event("e", data={"n": 1}), {"status": "ok"})
        session.update_state({"a": 1})
        session.log_gauge("g", 2)
        session.counter("c", 3)
        session.histogram("h", 4, buckets=[1, 5])
        with session.timer("t"):
            pass
        session.start_heartbeat_monitor()
        session.heartbeat()
        session.pause_heartbeat_monitoring()
        self.assertEqual(session.end(), {"status": "ok"})
        self.assertEqual(Client.seen, [(session.session_id, "e", {"n": 1})])
        ops = self.ops()
        self.assertEqual([op["op"] for op in ops], ["start", "event", "state"] + ["metric"] * 4 + ["heartbeat"] * 2 + ["pause", "end"])
        self.assertEqual(ops[1]["name"], "my.e")
        self.assertEqual([op.get("delta") or op.get("value") for op in ops[3:6]], [2, 3, 4])
        self.assertEqual(ops[5]["buckets"], [1, 5])

        plain = DatacatClient("http://localhost:9090")
        plain.log_event = lambda *arguments, **options: "mine"
        self.assertEqual(Session(plain, plain.register_session("P", "1")).log_event("e"), "mine")

    def test_a_session_is_created_by_the_class_that_a_test_puts_in_place_of_the_client(self):
        calls = []

        class Double(object):
            def __init__(self, *arguments, **options):
                calls.append((arguments, options))

            def register_session(self, *arguments):
                calls.append(arguments)
                return "id"

        self.addCleanup(setattr, datacat, "DatacatClient", DatacatClient)
        datacat.DatacatClient = Double
        session = create_session("http://far:1", product="P", version="1")
        self.assertEqual((type(session.client), session.session_id), (Double, "id"))
        self.assertEqual(calls, [(("http://far:1",), {"daemon_port": "auto"}), ("P", "1")])

    def test_a_session_works_with_any_client_that_has_the_methods(self):
        calls = []

        class Double(object):
            use_daemon = False

            def __getattr__(self, name):
                if name.startswith("_"):
                    raise AttributeError(name)
                return lambda *arguments, **options: calls.append((name, arguments, options)) or name

        session = Session(Double(), "id")
        self.assertEqual(session.update_state({"a": 1}), "update_state")
        self.assertEqual(session.log_event("e", level="error"), "log_event")
        self.assertEqual(session.log_counter("c"), {"status": "ok"})
        self.assertEqual(session.log_exception(extra_data={"x": 1}), "log_exception")
        self.assertEqual(session.get_details(), "get_session")
        with self.assertRaises(Exception) as raised:
            session.heartbeat()
        self.assertIn("not started", str(raised.exception))
        self.assertEqual(session.end(), "end_session")
        self.assertEqual(calls, [
            ("update_state", ("id", {"a": 1}), {}),
            ("log_event", ("id", "e"), {
                "category": "error", "group": None, "labels": [], "message": None, "data": {}, "stacktrace": None,
            }),
            ("log_metric", ("id", "c", 0, None, "counter", None, None, None, 1), {}),
            ("log_exception", ("id", None, {"x": 1}), {}),
            ("get_session", ("id",), {}),
            ("end_session", ("id",), {}),
        ])  # fmt: skip

    def test_an_async_session_and_a_logging_handler_take_any_object_with_the_methods(self):
        calls = []

        class Double(object):
            session_id = "id"

            def __getattr__(self, name):
                if name.startswith("_") or name == "flush":
                    raise AttributeError(name)
                if name == "update_state":
                    raise Exception("Network error")
                return lambda *arguments, **options: calls.append((name, arguments, options)) or name

        session = AsyncSession(Double())
        session.log_event("e", data={"n": 1})
        session.log_gauge("g", 1, "kB")
        session.log_counter("c")
        session.log_histogram("h", 1, buckets=[1])
        with session.timer("t") as timer:
            timer.count += 1
        self.assertEqual([(name, arguments) for name, arguments, _ in calls], [
            ("log_event", ("e",)), ("log_metric", ("g", 1)), ("log_metric", ("c", 0)), ("log_metric", ("h", 1)),
            ("log_metric", ("t", calls[4][1][1])),
        ])  # fmt: skip
        self.assertEqual([options["metric_type"] for _, _, options in calls[1:]], ["gauge", "counter", "histogram", "timer"])
        self.assertEqual(session.get_stats(), {"sent": 5, "dropped": 0, "queued": 0})
        self.assertEqual(session.shutdown(), "end")

        del calls[:]
        logger = logging.getLogger("legacy.double")
        logger.propagate = False
        logger.addHandler(datacat.DatacatHandler(Double()))
        logger.warning("message %d", 1)
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("failed")
        (event, exception) = calls
        self.assertEqual((event[0], event[2]["name"], event[2]["message"]), ("log_event", "log.legacy.double", "message 1"))
        self.assertEqual((exception[0], sorted(exception[2])), ("log_exception", ["exc_info", "extra_data"]))

    def test_a_session_that_could_not_be_opened_records_nothing(self):
        self.addCleanup(setattr, datacat, "_new_id", datacat._new_id)
        datacat._new_id = lambda: 1 / 0
        session = create_session("http://localhost:8080", product="P", version="1")
        session.update_state({"a": 1})
        session.gauge("g", 1)
        session.start_heartbeat_monitor().heartbeat()
        session.end()
        self.assertEqual(session.stats()["records"], 0)


if sys.version_info[0] == 2:
    Legacy.assertIs = lambda self, a, b, message=None: self.assertTrue(a is b, message)
