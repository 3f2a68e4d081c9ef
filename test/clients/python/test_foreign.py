# -*- coding: utf-8 -*-
"""In a stranger's folder, beside other users and towards other servers: nothing there is run or read, and no key is sent."""

import io
import os
import shutil
import stat
import tempfile
import threading
import time
import unittest

import datacat
from worlds import JYTHON, Test

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer

POSIX = os.name == "posix" and not JYTHON


class Foreign(Test):
    def temporary(self):
        folder = os.path.realpath(tempfile.mkdtemp(prefix="datacat-foreign-"))
        self.addCleanup(shutil.rmtree, folder)
        return folder

    @unittest.skipUnless(POSIX, "the daemon of this test is a shell script")
    def test_the_daemon_starts_in_the_home_without_the_programs_preloads_and_settings_of_1x(self):
        folder, before = self.temporary(), os.getcwd()
        path = os.path.join(folder, "own", "datacat-daemon")
        os.mkdir(os.path.dirname(path))
        report = os.path.join(folder, "report")
        with io.open(path, "w") as file:
            file.write(u'#!/bin/sh\n{ pwd; echo "$NODE_OPTIONS|$DATACAT_CONFIG|$PYTHONPATH"; } >%s.new\nmv %s.new %s\n' % ((report,) * 3))
        os.chmod(path, stat.S_IRWXU)
        values = {"DATACAT_DAEMON": "own/datacat-daemon", "NODE_OPTIONS": "--require ./hook.js", "DATACAT_CONFIG": "daemon_config.json"}
        saved = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        os.chdir(folder)
        try:
            datacat.open().end()
        finally:
            os.chdir(before)
            for name, value in saved.items():
                os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
        deadline = time.time() + 20
        while not os.path.exists(report) and time.time() < deadline:
            time.sleep(0.02)
        with io.open(report) as file:
            where, settings = file.read().splitlines()
        self.assertEqual(os.path.realpath(where), os.path.realpath(self.home))
        self.assertTrue(settings.startswith("||"), settings)

    @unittest.skipUnless(POSIX, "other systems have a temporary folder for each user")
    def test_a_link_or_an_open_folder_is_not_taken_for_the_last_resort(self):
        shared = self.temporary()
        os.environ.update(DATACAT_HOME="/dev/null/home", TMPDIR=shared)
        spare = os.path.join(shared, "datacat-%d" % os.getuid())
        self.assertEqual(datacat._home_folder(), spare)
        self.assertEqual(stat.S_IMODE(os.stat(spare).st_mode), 0o700)
        os.chmod(spare, 0o777)
        self.assertEqual(datacat._home_folder(), datacat._NO_HOME)
        shutil.rmtree(spare)
        os.mkdir(os.path.join(shared, "own"))
        os.symlink(os.path.join(shared, "own"), spare)
        self.assertEqual(datacat._home_folder(), datacat._NO_HOME)
        self.assertEqual(os.listdir(os.path.join(shared, "own")), [])

    @unittest.skipUnless(POSIX and os.getuid() == 0, "a second user needs root")
    def test_a_folder_of_another_user_is_not_used(self):
        shared = self.temporary()
        spare, home = (os.path.join(shared, name) for name in ("datacat-%d" % os.getuid(), "home"))
        for folder in (spare, home):
            os.mkdir(folder, 0o700)
            os.chown(folder, 65534, 65534)
        os.environ.update(DATACAT_HOME=home, TMPDIR=shared)
        self.assertEqual(datacat._home_folder(), datacat._NO_HOME)
        datacat.open().end()
        self.assertEqual(os.listdir(home) + os.listdir(spare), [])

    def test_the_environments_key_goes_to_the_environments_server_only(self):
        os.environ.update(DATACAT_KEY="k")
        self.assertEqual(datacat._key_for("https://far/api"), "k")  # the program names the only server
        os.environ.update(DATACAT_URL="https://mine/")
        self.assertEqual(datacat._key_for("https://Mine/api"), "k")
        for other in ("https://far/x", "http://mine/x", "https://mine:8443/x", "https://mine.far/x", "http://127.0.0.1:8079/session"):
            self.assertIsNone(datacat._key_for(other), other)

    def test_a_redirect_to_another_server_is_not_followed(self):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, self.headers.get("Authorization")))
                to = {"/away": "http://localhost:%d/stolen" % port, "/here": "http://127.0.0.1:%d/there" % port}.get(self.path)
                self.send_response(302 if to else 200)
                if to:
                    self.send_header("Location", to)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.daemon = True
        thread.start()
        self.addCleanup(server.shutdown)
        os.environ.update(DATACAT_KEY="k")
        with self.assertRaises(datacat.HTTPError):
            datacat._ask("http://127.0.0.1:%d/away" % port)
        self.assertEqual(datacat._ask("http://127.0.0.1:%d/here" % port), b"{}")
        self.assertEqual(asked, [("/away", "Bearer k"), ("/here", "Bearer k"), ("/there", "Bearer k")])


if __name__ == "__main__":
    unittest.main()
