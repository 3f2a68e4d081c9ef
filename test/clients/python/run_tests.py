#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Runs the Python client's tests on the interpreter that runs this file, 2.7 or 3, without anything installed.

    python test/clients/python/run_tests.py [-v] [--one-process] [name of a test file, class or method …]

With --one-process it leaves out the tests that start many programs, daemons and package tools, and runs one program with the real daemon
and server instead of all. `npm test` uses it for the versions between the oldest and the newest 3.
Its last line is `N passed, N failed, N skipped`; it exits with 1 if any failed."""

from __future__ import print_function

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "clients", "python"))
JYTHON = sys.platform.startswith("java")
os.environ["DATACAT_DAEMON"] = "off"  # tests that want one start their own


# Each of their tests starts programs, a daemon or tools of packaging: four fifths of the time of all tests.
MANY_PROCESSES = ("test_attachments", "test_end_to_end", "test_examples", "test_packaging", "test_processes", "test_pytest", "test_pytest_packages")
ONE_PROGRAM = "test_end_to_end.LegacyPrograms.test_the_readme_s_program"


def main(arguments):
    verbose = "-v" in arguments
    names = [name[:-3] if name.endswith(".py") else name for name in arguments if not name.startswith("-")]
    loader = unittest.TestLoader()
    if JYTHON and not names:
        # The rest is about forks, signals, files by number and processes, which the JVM does not have or is too slow for.
        names = ["test_golden", "test_values", "test_recording", "test_legacy", "test_logging"]
    if "--one-process" in arguments and not names:
        files = sorted(name[:-3] for name in os.listdir(HERE) if name.startswith("test_") and name.endswith(".py"))
        names = [name for name in files if name not in MANY_PROCESSES] + [ONE_PROGRAM]
    suite = loader.loadTestsFromNames(names) if names else loader.discover(HERE, pattern="test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2 if verbose else 1).run(suite)
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    print("%d passed, %d failed, %d skipped" % (passed, failed, len(result.skipped)))
    return 1 if failed or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
