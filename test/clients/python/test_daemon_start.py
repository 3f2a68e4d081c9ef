# -*- coding: utf-8 -*-
"""A client that opens a session starts a daemon if none runs, and does not wait for it."""

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import datacat
from worlds import CLIENT, Test

POSIX = os.name == "posix"
IS_ORIGINAL_DAEMON = datacat._is_original_daemon


@unittest.skipUnless(POSIX, "the daemon of these tests is a shell script")
class DaemonStart(Test):
    def setUp(self):
        Test.setUp(self)
        before = os.environ["DATACAT_DAEMON"]
        self.addCleanup(os.environ.__setitem__, "DATACAT_DAEMON", before)

    def fake_daemon(self, name="datacat-daemon"):
        """A script in place of the daemon. It writes how it was started to a file, and ends after a second."""
        path = os.path.join(self.home, name)
        with io.open(path, "w") as file:
            file.write(
                u"#!/bin/sh\n"
                u'{ echo "$#"; echo "$DATACAT_HOME"; ps -o ppid= -p $$; ps -o sid= -p $$; } > "$DATACAT_HOME/started.$$"\n'
                u'for n in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$n; done >> "$DATACAT_HOME/started.$$"\n'
                u'mv "$DATACAT_HOME/started.$$" "$DATACAT_HOME/report.$$"\n'
                u"sleep 1\n"
            )
        os.chmod(path, stat.S_IRWXU)
        return path

    def started(self, patience=10):
        deadline = time.time() + patience
        while time.time() < deadline:
            for name in os.listdir(self.home):
                if name.startswith("report."):
                    with io.open(os.path.join(self.home, name)) as file:
                        return file.read().splitlines()
            time.sleep(0.02)

    def test_it_is_started_detached_with_its_streams_on_the_null_device(self):
        os.environ["DATACAT_DAEMON"] = self.fake_daemon()
        inherited, other_end = os.pipe()
        if hasattr(os, "set_inheritable"):
            os.set_inheritable(inherited, True)  # as 2.7's files are, and those that a program inherited
        started = time.time()
        session = datacat.open()
        self.assertLess(time.time() - started, 5)  # not that it is quick: that it does not wait for the daemon's second
        report = self.started()
        self.assertEqual(report[:2], ["0", self.home])
        self.assertNotEqual(int(report[2]), os.getpid())  # no child of ours
        self.assertNotEqual(int(report[3]), os.getsid(0))
        # Its output goes to the file it writes this to just now; a shell also has its script open.
        self.assertEqual([file for file in report[4:] if not file.startswith(self.home)], ["/dev/null"] * 2)
        with self.assertRaises(OSError):
            os.waitpid(-1, os.WNOHANG)  # and none is left to wait for
        session.end()
        os.close(inherited)
        os.close(other_end)

    def test_it_is_found_on_path(self):
        folder = os.path.dirname(self.fake_daemon())
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = folder + os.pathsep + path
        del os.environ["DATACAT_DAEMON"]
        datacat.open().end()
        self.assertTrue(self.started())

    def test_it_is_found_beside_the_program_and_in_bin_beside_it(self):
        program = u"import datacat, os\nos.chdir('/')\nmanager = datacat.DatacatClient().daemon_manager\nprint(manager.daemon_binary)\n"
        environment = {"DATACAT_DAEMON": "", "PATH": "/nowhere"}
        for folder in ("bin", "."):  # beside the program comes first
            if not os.path.isdir(os.path.join(self.home, folder)):
                os.mkdir(os.path.join(self.home, folder))
            path = self.fake_daemon(os.path.join(folder, "datacat-daemon"))
            code, output, errors = self.run_program(program, environment=environment)
            self.assertEqual((code, errors), (0, ""))
            self.assertEqual(os.path.realpath(output.strip()), os.path.realpath(path))

    def test_it_is_never_taken_from_the_current_directory(self):
        self.fake_daemon()
        os.mkdir(os.path.join(self.home, "bin"))
        self.fake_daemon(os.path.join("bin", "datacat-daemon"))
        for path in ("", ".", "bin", "/nowhere" + os.pathsep):
            environment = dict(os.environ, DATACAT_DAEMON="", PATH=path, PYTHONPATH=CLIENT)
            command = [sys.executable, "-c", "import datacat; print(datacat._find_daemon())"]
            output = subprocess.check_output(command, env=environment, cwd=self.home)
            self.assertEqual(output.strip(), b"None", path)

    def test_none_is_started_when_one_runs_for_this_home(self):
        os.environ["DATACAT_DAEMON"] = self.fake_daemon()
        with io.open(os.path.join(self.home, "daemon.json"), "w") as file:
            daemon = {"pid": os.getpid(), "pid_started": datacat._process_started(os.getpid()), "port": 8079}
            file.write(u"%s" % json.dumps(daemon))
        session = datacat.open()
        self.assertIsNone(self.started(0.3))
        self.assertTrue(session.client.daemon_manager.is_running())
        self.assertEqual(session.client.daemon_manager.process.pid, os.getpid())

    @unittest.skipUnless(sys.platform.startswith("linux"), "only Linux shows when a process started")
    def test_a_pid_that_another_process_has_now_is_no_daemon(self):
        os.environ["DATACAT_DAEMON"] = self.fake_daemon()
        with io.open(os.path.join(self.home, "daemon.json"), "w") as file:
            file.write(u'{"pid": %d, "pid_started": "1", "port": 8079}' % os.getpid())
        datacat.open()
        self.assertTrue(self.started())

    def test_with_off_or_an_executable_that_is_missing_the_lane_stays(self):
        for daemon in ("off", "/no/such/daemon", "no-such-daemon", self.home):
            os.environ["DATACAT_DAEMON"] = daemon
            session = datacat.open()
            session.log_event("e")
            self.assertEqual(session.stats()["dropped"], {})
        self.assertEqual(len(self.ops()), 8)


ORIGINAL = u"""#!%s
import json, os
try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer

with open(os.environ["DATACAT_CONFIG"]) as file:
    config = json.load(file)

class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value):
        data = json.dumps(value).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path.startswith("/session?"):
            return self.answer(200, {"id": self.path.split("=")[1], "config": config})
        self.answer(200, [] if self.path == "/sessions" else {"status": "ok", "sessions": 0})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8"))
        with open(os.path.join(os.path.dirname(__file__), "requests"), "a") as file:
            file.write(json.dumps([self.path, body]) + "\\n")
        if body.get("name") == "refused":
            return self.answer(400, {})
        self.answer(200, {"session_id": "from-the-daemon"} if self.path == "/register" else {"status": "ok"})

    def log_message(self, *arguments):
        pass

server = HTTPServer(("127.0.0.1", int(config["daemon_port"])), Handler)
server.timeout = 30
while True:
    server.handle_request()
    folder = os.path.dirname(__file__)
    if os.path.exists(os.path.join(folder, "stop")) or not os.path.exists(folder):
        break
"""


@unittest.skipUnless(POSIX, "the daemon of these tests is a script")
class OriginalDaemon(Test):
    """What is found is datacat 1.x's daemon, which reads no lanes."""

    def setUp(self):
        Test.setUp(self)
        self.addCleanup(os.environ.__setitem__, "DATACAT_DAEMON", os.environ["DATACAT_DAEMON"])
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "datacat-daemon")
        with io.open(self.path, "w", encoding="utf-8") as file:
            file.write(ORIGINAL % sys.executable)
        os.chmod(self.path, stat.S_IRWXU)
        os.environ["DATACAT_DAEMON"] = self.path
        for name, value in (("_is_original_daemon", lambda path: True), ("_warned", set()), ("ORIGINAL_START_SECONDS", 20.0)):
            self.addCleanup(setattr, datacat, name, getattr(datacat, name))
            setattr(datacat, name, value)
        self.url = None
        self.addCleanup(self.stop)

    def stop(self):
        open(os.path.join(self.folder, "stop"), "w").close()
        if self.url is not None:
            datacat._wait_for_answer(self.url + "/health", 5)
        shutil.rmtree(self.folder)

    def open(self, **options):
        session = datacat.create_session("http://localhost:9090", **options)
        self.url = session.client.daemon_manager._original_url
        return session

    def requests(self):
        with io.open(os.path.join(self.folder, "requests"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_its_local_api_is_used_and_the_program_is_warned_once(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            session = self.open(product="P", version="1")
            second = datacat.create_session("http://localhost:9090")
        self.assertEqual([str(one.message).count(self.path) for one in caught if one.category is RuntimeWarning], [1])
        datacat._wait_for_answer(second.client.daemon_manager._original_url + "/health", 5)

        self.assertEqual(session.session_id, "from-the-daemon")
        session.update_state({"a": 1})
        session.log_event("e", data={"n": 1})
        session.log_event("refused")
        session.gauge("g", 1.5, tags=["t"])
        session.counter("c", 2)
        session.histogram("h", 3, buckets=[1, 5])
        session.heartbeat()
        session.pause()
        details = session.get_details()
        self.assertEqual(details["id"], "from-the-daemon")
        self.assertEqual(details["config"]["server_url"], "http://localhost:9090")
        self.assertEqual(session.client.get_all_sessions(), [])
        session.end()
        self.assertTrue(session.flush(20))

        mine = [(path, body) for path, body in self.requests() if body.get("product", "P") == "P"]
        for path, body in mine[1:]:
            self.assertEqual(body.pop("session_id"), "from-the-daemon")
        self.assertEqual(mine, [
            ("/register", {"parent_pid": os.getpid(), "product": "P", "version": "1"}),
            ("/state", {"state": {"a": 1}}),
            ("/event", {"name": "e", "category": "info", "labels": [], "data": {"n": 1}}),
            ("/event", {"name": "refused", "category": "info", "labels": [], "data": {}}),
            ("/metric", {"type": "gauge", "name": "g", "value": 1.5, "tags": ["t"]}),
            ("/metric", {"type": "counter", "name": "c", "value": 0, "tags": [], "delta": 2}),
            ("/metric", {"type": "histogram", "name": "h", "value": 3, "tags": [], "metadata": {"buckets": [1, 5]}}),
            ("/heartbeat", {}),
            ("/pause_heartbeat", {}),
            ("/end", {}),
        ])  # fmt: skip
        self.assertEqual(session.stats()["dropped"], {"refused": 1})
        self.assertEqual(os.listdir(os.path.join(self.home, "lanes")), [])
        second.end()
        self.assertTrue(second.flush(20))

    def test_it_is_recognised_by_its_contents(self):
        path = os.path.join(self.home, "binary")
        for data, is_original in (
            (b"\x7fELF" + b"x" * 5000 + b"local-session-%d", True), (b"MZ" + b"local-session-", True), (b"\x7fELF of another program", False),
            (b"#!/usr/bin/env node\n'local-session-'", False), (b"", False),
        ):  # fmt: skip
            with io.open(path, "wb") as file:
                file.write(data)
            self.assertEqual(IS_ORIGINAL_DAEMON(path), is_original, data[:20])
