# -*- coding: utf-8 -*-
"""The real server and the real daemon, started once for all tests of a run.

With DATACAT_TEST_URL a server that runs already is used instead. Without Node the tests that need one are skipped; with CI=true
they fail."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import datacat
from worlds import CLIENT, ROOT, Test

NODE = os.path.join(ROOT, "node_modules", ".bin", "node")
DAEMON = os.path.join(ROOT, "daemon", "launch", "datacat-daemon.mjs")
EXAMPLES = os.path.join(CLIENT, "examples")
_server = {}


def server_url():
    """The server's URL; starts it the first time."""
    if "url" not in _server:
        _server["url"] = os.environ.get("DATACAT_TEST_URL") or start_server()
    return _server["url"]


def start_server():
    if not os.path.exists(NODE):
        if os.environ.get("CI") == "true":
            raise AssertionError("there is no Node in node_modules: run npm ci first")
        raise unittest.SkipTest("there is no Node in node_modules")
    data = tempfile.mkdtemp(prefix="datacat-server-")
    log = os.path.join(data, "log")
    variables = dict(os.environ, DATACAT_HOME=os.path.join(data, "home"))
    variables.pop("DATACAT_URL", None)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [NODE, os.path.join(ROOT, "daemon", "serve", "main.ts"), "--port", "0", "--data", data, "--no-daemon"],
            stdout=output, stderr=output, env=variables, cwd=ROOT, close_fds=True,
        )  # fmt: skip

    def stop():
        process.send_signal(signal.SIGTERM)
        deadline = time.time() + 10
        while process.poll() is None and time.time() < deadline:
            time.sleep(0.05)
        if process.poll() is None:
            process.kill()
        shutil.rmtree(data, ignore_errors=True)

    atexit.register(stop)
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None:
        with open(log, "rb") as file:
            for part in file.read().decode("utf-8", "replace").split():
                if part.startswith("http://"):
                    return "/".join(part.split("/", 3)[:3])  # without the token for a browser
        time.sleep(0.1)
    with open(log, "rb") as file:
        raise AssertionError("the server did not start:\n" + file.read().decode("utf-8", "replace"))


class RealTest(Test):
    """A test with the real server, and a daemon of its own in a home of its own, which the first session starts."""

    def setUp(self):
        url = server_url()
        Test.setUp(self)
        self.url = url
        daemon = os.environ["DATACAT_DAEMON"]
        self.addCleanup(os.environ.__setitem__, "DATACAT_DAEMON", daemon)
        os.environ.update(DATACAT_DAEMON=DAEMON, DATACAT_URL=url)
        self.addCleanup(setattr, datacat, "DELIVERY_SECONDS", datacat.DELIVERY_SECONDS)
        datacat.DELIVERY_SECONDS = 60.0  # on a busy machine a daemon takes its time to start
        self.addCleanup(self.stop_daemon)

    def stop_daemon(self):
        daemon = datacat._running_daemon(self.home)
        if daemon is not None:
            os.kill(daemon["pid"], signal.SIGTERM)
            self.until(lambda: datacat._running_daemon(self.home) is None, 10)

    def run_example(self, name, *arguments):
        """Runs an example to its end; answers (exit code, session id, the rest of its output)."""
        environment = dict(os.environ, PYTHONPATH=CLIENT)
        process = subprocess.Popen(
            [sys.executable, os.path.join(EXAMPLES, name + ".py")] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=self.home, close_fds=True,
        )  # fmt: skip
        output, self.errors = [part.decode("utf-8", "replace") for part in process.communicate()]
        lines = output.split()
        self.assertTrue(lines, self.errors)
        return process.returncode, lines[0], lines[1:]

    def ask(self, path):
        return json.loads(datacat._ask(self.url + "/api" + path).decode("utf-8"))

    def until(self, condition, seconds=60):
        """The first true answer of a condition."""
        deadline = time.time() + seconds
        while True:
            try:
                answer = condition()
            except datacat.HTTPError as error:
                answer = None
                if error.code != 404:
                    raise
            if answer or time.time() > deadline:
                return answer
            time.sleep(0.1)

    def summary_when(self, session_id, *statuses):
        """The session's summary once its verdict is one of these."""

        def reached():
            summary = self.ask("/sessions/%s/summary" % session_id)
            self.seen = summary["verdict"]["status"]
            return summary if self.seen in statuses else None

        self.seen = None
        summary = self.until(reached)
        self.assertTrue(summary, "the session is %s, not %s" % (self.seen, " or ".join(statuses)))
        return summary

    def events(self, session_id, **query):
        query.setdefault("order", "asc")
        query.setdefault("limit", 500)
        path = "&".join("%s=%s" % item for item in sorted(query.items()))
        return self.ask("/sessions/%s/events?%s" % (session_id, path))["items"]

    def state(self, session_id):
        return self.ask("/sessions/%s/state" % session_id)["state"]

    def series(self, session_id):
        found = self.ask("/sessions/%s/metrics" % session_id)
        found = found["items"] if isinstance(found, dict) else found
        return dict((series["name"], series) for series in found)
