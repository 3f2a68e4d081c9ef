# -*- coding: utf-8 -*-
"""Tests of public packages from the package index, as their wheels contain them: pytest's last line, the counts of the server, and those of
the JUnit XML that pytest wrote, imported by the command, are the same. Only with the newest Python, for the time."""

import os
import re
import subprocess
import sys
import unittest

import datacat
from real import NODE, RealTest
from test_packaging import tool
from test_pytest import TOOLS, printed_counts
from worlds import CLIENT, ROOT, run

PACKAGES = "toolz+simplejson+hyperlink"
FOLDERS = ("toolz/tests", "simplejson/tests", "hyperlink/test")
NAMES = ("passed", "failed", "errors", "skipped", "expected_failures", "unexpected_passes")


@unittest.skipIf(sys.version_info < (3, 12), "only with the newest Python")
class Packages(RealTest):
    def counts_of(self, session_id):
        """The server's totals without those of 0."""

        def ended():
            summary = self.ask("/sessions/%s/summary" % session_id)
            return summary if summary["verdict"]["status"] == "ended" else None

        tests = self.until(ended)["tests"]
        return dict((name, tests[name]) for name in NAMES if tests[name])

    def test_the_server_counts_what_pytest_counts(self):
        packages = tool(PACKAGES)
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([packages, tool(TOOLS), CLIENT]), PYTHONDONTWRITEBYTECODE="1")
        for folder in FOLDERS:
            report = os.path.join(self.home, folder.replace("/", "-") + ".xml")
            command = [sys.executable, "-m", "pytest", "-p", "pytest_datacat", "--datacat", "-p", "no:cacheprovider", "-q",
                       "--rootdir", packages, "--junitxml", report, os.path.join(packages, folder)]  # fmt: skip
            code, output, errors = run(command, self.home, environment, seconds=300)
            printed = printed_counts(output)[0]
            self.assertGreater(sum(printed.values()), 50, output + errors)
            session_id = re.search(r"/sessions/([0-9a-f-]+)$", errors.strip()).group(1)
            self.assertEqual(self.counts_of(session_id), printed, folder)

            command = [NODE, os.path.join(ROOT, "daemon", "launch", "datacat.mjs"), "import", report]
            imported = subprocess.check_output(command, env=dict(os.environ), stderr=subprocess.STDOUT).decode("utf-8")
            session_id = re.search(r"/sessions/([0-9a-f-]+)$", imported.strip()).group(1)
            self.assertEqual(self.counts_of(session_id), printed, folder)
