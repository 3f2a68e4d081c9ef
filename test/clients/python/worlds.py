# -*- coding: utf-8 -*-
"""What the tests use: a home in a temporary folder, the records of its lanes, and programs run in processes of their own."""

import binascii
import glob
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import datacat

CLIENT = os.path.dirname(os.path.abspath(datacat.__file__))
ROOT = os.path.join(CLIENT, "..", "..")
FIXTURES = os.path.join(ROOT, "test", "fixtures", "lanes")
HERE = os.path.dirname(os.path.abspath(__file__))
JYTHON = sys.platform.startswith("java")
NAMES = ("DATACAT_HOME", "DATACAT_URL", "DATACAT_SESSION", "DATACAT_LANE_BYTES", "DATACAT_PRODUCT", "DATACAT_VERSION",
         "DATACAT_TAGS", "DATACAT_DAEMON_URL", "DATACAT_DISABLED", "DATACAT_KEY", "TMPDIR")  # fmt: skip


class Test(unittest.TestCase):
    """A home in a temporary folder, and no DATACAT_… variables of the caller."""

    maxDiff = None

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="datacat-test-")
        before = dict(os.environ)
        for name in NAMES:
            os.environ.pop(name, None)
        os.environ["DATACAT_HOME"] = self.home

        def put_back():
            for name in NAMES:
                os.environ.pop(name, None)
            os.environ.update(before)
            datacat._open_writers.clear()
            shutil.rmtree(self.home, ignore_errors=True)

        self.addCleanup(put_back)

    def records(self, home=None):
        return records(home or self.home)

    def ops(self, home=None):
        """The records without what differs from run to run."""
        return [op for _, op in self.records(home)]

    def run_program(self, source, *arguments, **options):
        """Runs a Python program on this interpreter; answers (exit code, output, errors)."""
        if JYTHON:
            self.skipTest("Jython takes too long to start for a process per test")
        path = os.path.join(self.home, "program.py")
        with io.open(path, "w", encoding="utf-8") as file:
            file.write(u"# -*- coding: utf-8 -*-\n" + source)
        return run([sys.executable, path] + list(arguments), self.home, **options)


def run(command, home, environment=None, seconds=60):
    variables = dict(os.environ, DATACAT_HOME=home, PYTHONPATH=CLIENT, DATACAT_DAEMON="off")
    variables.update(environment or {})
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home, close_fds=True
    )  # fmt: skip
    timer = None
    try:
        import threading

        timer = threading.Timer(seconds, process.kill)
        timer.start()
        output, errors = process.communicate()
    finally:
        if timer is not None:
            timer.cancel()
    return process.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def lane_files(home):
    return sorted(glob.glob(os.path.join(home, "lanes", "*.lane")))


def lines(path):
    """Every line of a lane as JSON, with its checksum compared; the last one only if it is whole."""
    with io.open(path, "rb") as file:
        data = file.read()
    found = []
    for line in data.split(b"\n")[:-1]:
        if not line:
            continue
        crc, _, text = line.partition(b" ")
        assert crc == b"%08x" % (binascii.crc32(text) & 0xFFFFFFFF), line
        found.append(json.loads(text.decode("utf-8")))
    return found


def records(home):
    """(header, op) of all lanes, by lane and sequence."""
    found = []
    for path in lane_files(home):
        header = None
        for line in lines(path):
            if header is None:
                header = line
            else:
                found.append((header, line))
    return found
