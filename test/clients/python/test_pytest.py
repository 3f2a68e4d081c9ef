# -*- coding: utf-8 -*-
"""The plugin for pytest: counts equal to pytest's own last line, each test's failure, and the ends of runs. Tools come from the package
index: the newest pytest of the interpreter, in 2.7 version 4.6."""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from test_packaging import tool
from worlds import CLIENT, Test, run

PY2 = sys.version_info[0] == 2
TOOLS = "pytest<5+pytest-xdist<2+pytest-rerunfailures==8.0" if PY2 else "pytest+pytest-xdist+pytest-rerunfailures"
PRINTED = {
    "passed": "passed", "failed": "failed", "error": "errors", "errors": "errors", "skipped": "skipped", "xfailed": "expected_failures",
    "xpassed": "unexpected_passes", "subtests passed": "passed", "subtests failed": "failed",
}  # fmt: skip
RESULTS = {"error": "errors", "expected_failure": "expected_failures", "unexpected_pass": "unexpected_passes"}

BASIC = u"""
import pytest, unittest, warnings
def test_good(): pass
def test_bad():
    print('hello')
    number = 1
    assert number == 2
def test_broken(): {}['sword']
@pytest.mark.skip(reason='no network')
def test_skipped(): pass
@pytest.mark.xfail(reason='known')
def test_known(): assert False
@pytest.mark.xfail(run=False, reason='hangs')
def test_not_run(): pass
@pytest.mark.xfail(strict=True, reason='known')
def test_must_not_pass(): pass
@pytest.mark.xfail(reason='old')
def test_passes_after_all(): pass
@pytest.fixture
def setup(): raise ValueError('in setup')
def test_setup(setup): pass
@pytest.fixture
def teardown():
    yield 1
    raise ValueError('in teardown')
def test_teardown(teardown): warnings.warn('old')
def test_both(teardown): assert 0
@pytest.mark.parametrize('text', [u'a::b', u'c[d]', u'', u'\\xe9', b'\\xff'])
def test_parameters(text): pass
def test_skipped_late(request): request.addfinalizer(lambda: pytest.skip('late'))
class TestUnit(unittest.TestCase):
    def test_lists(self): self.assertEqual([1, 2], [1, 3])
    @unittest.skip('later')
    def test_later(self): pass
    @unittest.expectedFailure
    def test_expected(self): assert 0
    @unittest.expectedFailure
    def test_unexpected(self): pass
"""
SUBTESTS = u"""
import unittest
class TestUnit(unittest.TestCase):
    def test_sub(self):
        for i in range(4):
            with self.subTest('m', i=i % 3): self.assertEqual(i % 2, 1)
    def test_all_pass(self):
        for i in range(3):
            with self.subTest(i=i): pass
def test_subtests(subtests):
    for i in range(3):
        with subtests.test(msg='x'): assert i != 1
"""
SUBTEST_VALUES = u"""
def test_values(subtests):
    with subtests.test(i=2, name='a'): assert False
"""
MODULE_SKIP = u"import pytest\npytest.skip('not here', allow_module_level=True)\n"
NO_MODULE = u"import no_such_module\n"
SYNTAX = u"def test_a():\n    x = (1\n"
RERUNS = u"""
import pytest
tries = []
def test_third_time():
    tries.append(1)
    assert len(tries) == 3, 'try %d' % len(tries)
def test_never(): raise ValueError('never')
def test_good(): pass
"""
DOCTEST = u'''
def add():
    """
    >>> 1 + 1
    3
    """
'''
TWICE = u"def test_a(): pass\n"

# Name, files, arguments.
SUITES = [
    ("the usual results", {"test_a.py": BASIC}, []),
    ("quiet", {"test_a.py": BASIC}, ["-q"]),
    ("verbose", {"test_a.py": BASIC}, ["-vv", "-rA"]),
    ("the first failure ends it", {"test_a.py": BASIC}, ["-x"]),
    ("the third failure ends it", {"test_a.py": BASIC}, ["--maxfail=3"]),
    ("deselected", {"test_a.py": BASIC}, ["-k", "good or bad"]),
    ("errors in two files, a module that is skipped", {"test_a.py": NO_MODULE, "test_b.py": MODULE_SKIP, "test_c.py": BASIC}, []),
    ("the same, continued", {"test_a.py": SYNTAX, "test_b.py": MODULE_SKIP, "test_c.py": BASIC}, ["--continue-on-collection-errors"]),
    ("nothing", {"test_a.py": u""}, []),
    ("a doctest", {"test_a.py": DOCTEST}, ["--doctest-modules"]),
    ("the same file twice", {"test_a.py": TWICE}, ["--keep-duplicates", "test_a.py", "test_a.py"]),
    ("reruns", {"test_a.py": RERUNS}, ["--reruns", "2"]),
    ("two workers", {"test_a.py": BASIC, "test_b.py": BASIC}, ["-n", "2"]),
    ("two workers and a file that does not load", {"test_a.py": BASIC, "test_b.py": NO_MODULE}, ["-n", "2"]),
    ("every worker runs every test", {"test_a.py": BASIC}, ["--dist=each", "--tx", "2*popen"]),
    ("workers and reruns", {"test_a.py": RERUNS}, ["-n", "2", "--reruns", "2"]),
    ("a worker that dies", {"test_a.py": u"import os\ndef test_good(): pass\ndef test_dies(): os._exit(3)\n"}, ["-n", "2"]),
]  # fmt: skip
if not PY2:
    SUITES.append(("subtests", {"test_a.py": SUBTESTS}, []))
    SUITES.append(("subtests with workers", {"test_a.py": SUBTESTS}, ["-n", "2", "-v"]))
if (3,) <= sys.version_info < (3, 12):
    # The parts of pytest-xdist and pytest-rerunfailures that differ are in 2.7's and in the newest versions.
    SUITES = [suite for suite in SUITES if suite[2][:1] not in (["-n"], ["--dist=each"])]


class PluginTest(Test):
    def write(self, files):
        for name, source in files.items():
            with io.open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
                file.write(source)

    def pytest(self, files, *arguments, **environment):
        self.write(files)
        environment["PYTHONPATH"] = os.pathsep.join([tool(TOOLS), CLIENT])
        environment.setdefault("GIT_DIR", os.path.join(self.home, "no-repository"))
        environment.setdefault("PYTHONDONTWRITEBYTECODE", "1")
        command = [sys.executable, "-m", "pytest", "-p", "pytest_datacat", "-p", "no:cacheprovider", "-p", "no:randomly"]
        return run(command + list(arguments), self.home, environment, seconds=120)

    def recorded(self, *arguments, **options):
        code, output, errors = self.pytest(dict(options), "--datacat", *arguments)
        return code, output, errors

    def events(self, name="test"):
        return [op for op in self.ops() if op["op"] == "event" and op["name"] == name]

    def tests_state(self):
        state = {}
        for op in self.ops():
            patch = op.get("patch") if op["op"] == "state" else op.get("state") if op["op"] == "start" else None
            state.update((patch or {}).get("tests", {}))
        return state


def printed_counts(output):
    """The counts of pytest's last line, without those of 0."""
    (line,) = [line for line in output.splitlines() if re.search(r" in [\d.]+s|seconds| in [\d:.]+ \(", line)][-1:]
    counts, more = {}, {}
    for number, name in re.findall(r"(\d+) (subtests \w+|\w+)", line.split(" in ")[0]):
        if name in PRINTED:
            counts[PRINTED[name]] = counts.get(PRINTED[name], 0) + int(number)
        else:
            more[name.rstrip("s")] = int(number)
    return counts, more


def recorded_counts(events):
    """The totals that the server computes of these events."""
    last, counts = {}, {}
    for event in events:
        test = event["test"]
        is_beside = test["result"] == "error" and test.get("phase") in ("collect", "setup", "teardown")
        key = (tuple(test["id"]), "teardown" if is_beside and test.get("phase") == "teardown" else "")
        last[key] = RESULTS.get(test["result"], test["result"])
    for result in last.values():
        counts[result] = counts.get(result, 0) + 1
    return counts


class Counts(PluginTest):
    def check(self, files, arguments):
        code, output, errors = self.pytest(files, "--datacat", *arguments)
        printed, more = printed_counts(output)
        self.assertEqual(recorded_counts(self.events()), printed, output + errors)
        state = self.tests_state()
        self.assertEqual(state["counts"], printed)
        self.assertEqual(state.get("warnings", 0), more.get("warning", 0))
        self.assertEqual(state.get("deselected", 0), more.get("deselected", 0))
        ends = [op for op in self.ops() if op["op"] == "end"]
        self.assertEqual([op["exit_code"] for op in ends], [code])
        started = [(tuple(op["test"]["id"]), op["test"].get("attempt", 1)) for op in self.events("test_started")]
        self.assertEqual(len(set(started)), len(started))
        self.assertRegex(errors, r"datacat: http://localhost:8080/sessions/[0-9a-f-]{36}\n\Z")

        if "-n" in arguments or "-v" in arguments or "-k" in arguments:
            return  # the output depends on which worker is faster; or differs in nothing from another suite's
        environment = {"PYTHONPATH": os.pathsep.join([tool(TOOLS), CLIENT]), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", self.home]
        plain_code, plain, plain_errors = run(command + list(arguments), self.home, environment, seconds=120)
        self.assertEqual(code, plain_code)
        self.assertEqual(timeless(output), timeless(plain))
        self.assertEqual(len(errors.splitlines()) - len(plain_errors.splitlines()), 1)


def timeless(output):
    """The output of a run without its times, plugins, and the order of workers."""
    lines = [re.sub(r"in [\d.]+s\b.*|[\d.]+ seconds|0x[0-9a-f]+|=+|\bgw\d\b|\[ *\d+%\]|\bpid \d+", "", line) for line in output.splitlines()]
    return sorted(line for line in lines if not re.match(r"plugins:|rootdir|.*(gw|created|bringing up|scheduling)|[.FExXsRu, ]*$|\[", line))


for _number, (_name, _files, _arguments) in enumerate(SUITES):
    _test = lambda self, files=_files, arguments=_arguments: self.check(files, arguments)  # noqa: E731
    _test.__doc__ = _name
    setattr(Counts, "test_%02d_%s" % (_number, re.sub(r"\W+", "_", _name)), _test)


class Failures(PluginTest):
    def test_each_failure_has_its_exception_its_place_its_comparison_and_its_output(self):
        self.pytest({"test_a.py": BASIC}, "--datacat", DATACAT_PRODUCT="my project")
        start = self.ops()[0]
        self.assertEqual((start["product"], start["tags"]), ("my project", ["pytest"]))
        self.assertEqual(self.tests_state()["planned"], 21)
        tests = dict(("::".join(op["test"]["id"][1:]), op) for op in self.events() if op["test"]["result"] != "passed")
        bad, broken, setup, lists = [tests[name] for name in ("test_bad", "test_broken", "test_setup", "TestUnit::test_lists")]
        self.assertEqual((bad["category"], bad["exception_type"], bad["handled"]), ("error", "AssertionError", True))
        self.assertIn("assert 1 == 2", bad["message"])
        self.assertEqual(bad["test"]["diff"], {"expected": "2", "actual": "1"})
        self.assertIn("hello", bad["test"]["output"])
        self.assertEqual((os.path.basename(bad["source_file"]), bad["source_function"]), ("test_a.py", "test_bad"))
        self.assertNotIn("pluggy", "".join(bad["stacktrace"]))
        self.assertEqual((broken["exception_type"], broken["message"]), ("KeyError", "KeyError: 'sword'"))
        self.assertEqual((setup["exception_type"], setup["test"]["phase"], setup["test"]["result"]), ("ValueError", "setup", "error"))
        self.assertIn("- [1, 2]", lists["test"]["diff"]["text"])
        self.assertEqual(lists["source_function"], "test_lists")
        reasons = dict((name, tests[name]["test"].get("reason")) for name in ("test_skipped", "test_known", "test_not_run"))
        self.assertEqual(reasons["test_skipped"], "no network")
        self.assertEqual(reasons["test_known"], "known")
        self.assertIn("hangs", reasons["test_not_run"])
        self.assertNotIn("exception_type", tests["test_known"])
        self.assertIn(tests["test_must_not_pass"].get("exception_type"), (None, "Failed"))  # 4.6 raises one

    def test_workers_send_the_same(self):
        self.pytest({"test_a.py": BASIC}, "--datacat", "-n", "2")
        (bad,) = [op for op in self.events() if op["test"]["id"][-1] == "test_bad"]
        self.assertEqual(bad["test"]["diff"], {"expected": "2", "actual": "1"})
        self.assertIn(bad["test"]["worker"], ("gw0", "gw1"))
        self.assertEqual((bad["exception_type"], bad["source_function"]), ("AssertionError", "test_bad"))
        self.assertEqual((self.tests_state()["planned"], self.tests_state()["workers"]), (21, 2))

    @unittest.skipIf(sys.version_info < (3, 12), "subtests with workers need the newest pytest")
    def test_a_subtest_has_the_same_id_with_and_without_workers(self):
        names = {}
        for workers in ("0", "2"):
            self.pytest({"test_a.py": SUBTESTS + SUBTEST_VALUES}, "--datacat", "-n", workers)
            names[workers] = sorted(op["test"]["id"][-1] for op in self.events() if op["test"].get("kind") == "subtest")
            shutil.rmtree(os.path.join(self.home, "lanes"))
        self.assertEqual(names["2"], names["0"])
        self.assertTrue([name for name in names["0"] if "(i=2, name='a')" in name], names)

    def test_each_attempt_has_its_error(self):
        self.pytest({"test_a.py": RERUNS}, "--datacat", "--reruns", "2")
        attempts = [(op["test"].get("attempt", 1), op["test"]["result"], op.get("message", "").split("\n")[0])
                    for op in self.events() if op["test"]["id"][-1] == "test_third_time"]  # fmt: skip
        self.assertEqual([(number, result) for number, result, _ in attempts], [(1, "failed"), (2, "failed"), (3, "passed")])
        self.assertIn("try 1", attempts[0][2])
        self.assertIn("try 2", attempts[1][2])

    def test_a_file_that_does_not_load_has_the_line(self):
        self.pytest({"test_a.py": u"\n\nimport no_such_module\n", "test_b.py": SYNTAX}, DATACAT_PYTEST="1")
        first, second = self.events()
        self.assertEqual((first["test"]["id"], first["test"]["phase"], first["test"]["kind"]), (["test_a.py"], "collect", "suite"))
        self.assertIn("no_such_module", first["message"])
        self.assertEqual((os.path.basename(first["source_file"]), first["source_line"]), ("test_a.py", 3))
        self.assertIn("SyntaxError", second["message"])
        self.assertEqual(os.path.basename(second["source_file"]), "test_b.py")
        self.assertEqual(self.ops()[-1]["exit_code"], 2)

    def test_a_large_comparison_and_a_large_output_are_bounded(self):
        source = u"def test_a():\n    print('x' * 100000)\n    print('last')\n    assert list(range(900)) + ['y' * 50000] == list(range(901))\n"
        self.pytest({"test_a.py": source}, "--datacat")
        (event,) = self.events()
        self.assertLessEqual(len(event["test"]["diff"]["expected"]), 8192)
        self.assertLessEqual(len(event["test"]["output"]), 16384)
        self.assertIn("last\n", event["test"]["output"])


class Ends(PluginTest):
    def test_a_killed_run_names_the_test_it_died_in(self):
        for source in (u"os._exit(0)", u"os.kill(os.getpid(), 9)"):
            self.pytest({"test_a.py": u"import os\ndef test_good(): pass\ndef test_dies(): " + source + u"\n"}, "--datacat")
            ops = [op for op in self.ops() if op["op"] in ("event", "end")]
            self.assertEqual((ops[-1]["name"], ops[-1]["test"]["id"]), ("test_started", ["test_a.py", "test_dies"]))

    def test_ctrl_c_and_exit(self):
        for source, code, signal, name in (
            (u"raise KeyboardInterrupt", 2, "SIGINT", "interrupted"), (u"pytest.exit('enough', 7)", 7, None, "exit"),
        ):  # fmt: skip
            before = len(self.ops())
            found = self.pytest({"test_a.py": u"import pytest\ndef test_a(): " + source + u"\n"}, "--datacat")
            self.assertEqual(found[0], code, found)
            ops = [op for op in self.ops()[before:]]
            self.assertEqual((ops[-1]["exit_code"], ops[-1].get("signal")), (code, signal))
            self.assertTrue([op for op in ops if op.get("name") == name])

    def test_a_conftest_that_does_not_load(self):
        code, _, errors = self.pytest({"conftest.py": u"\nimport no_such_module\n", "test_a.py": TWICE}, "--datacat")
        self.assertEqual(code, 4)
        (event,) = self.events("run_failed")
        self.assertIn("no_such_module", event["message"])
        self.assertFalse(event["handled"])
        self.assertEqual(self.ops()[-1]["exit_code"], 4)
        self.assertIn("/sessions/", errors)

    def test_a_file_that_does_not_exist(self):
        code, _, _ = self.pytest({}, "--datacat", "no_such_file.py")
        self.assertEqual((code, self.ops()[-1]["exit_code"]), (4, 4))
        self.assertIn("no_such_file.py", self.events("run_failed")[0]["message"])

    def test_an_internal_error(self):
        conftest = u"def pytest_runtest_setup(item):\n    pass\ndef pytest_collection_modifyitems(items):\n    raise ValueError('plugin')\n"
        code, _, _ = self.pytest({"conftest.py": conftest, "test_a.py": TWICE}, "--datacat")
        self.assertEqual((code, self.ops()[-1]["exit_code"]), (3, 3))
        self.assertEqual(self.events("internal_error")[0]["exception_type"], "ValueError")

    def test_a_plugin_that_changes_the_exit_code_last(self):
        conftest = u"def pytest_sessionfinish(session): session.exitstatus = 5\n"
        code, _, _ = self.pytest({"conftest.py": conftest, "test_a.py": TWICE}, "--datacat")
        self.assertEqual((code, self.ops()[-1]["exit_code"]), (5, 5))

    def test_without_being_asked_nothing_is_recorded_and_asked_in_pytest_ini_it_is(self):
        code, output, errors = self.pytest({"test_a.py": TWICE})
        self.assertEqual((code, errors, self.records()), (0, "", []))
        self.pytest({"test_a.py": TWICE, "pytest.ini": u"[pytest]\ndatacat = true\ndatacat_link = failure\n"} if not PY2 else {})
        if not PY2:
            self.assertEqual(self.ops()[-1]["op"], "end")

    def test_the_link_can_be_left_out(self):
        for option, source, printed in (("never", u"assert 0", False), ("failure", u"pass", False), ("failure", u"assert 0", True)):
            _, _, errors = self.pytest({"test_a.py": u"def test_a(): " + source + u"\n"}, "--datacat", "--datacat-link", option)
            self.assertEqual("/sessions/" in errors, printed, errors)

    def test_a_run_inside_a_recorded_command_joins_its_session(self):
        session = "0198f3c1-0000-7000-8000-000000000001"
        _, _, errors = self.pytest({"test_a.py": TWICE}, "--datacat", DATACAT_SESSION=session)
        self.assertEqual(set(header["session"] for header, _ in self.records()), set([session]))
        self.assertEqual([op["op"] for op in self.ops() if op["op"] in ("start", "end")], [])
        self.assertEqual(self.tests_state()["counts"], {"passed": 1})
        self.assertEqual(errors, "")

    def test_pytest_inside_a_test_and_a_forked_child_record_nothing_of_their_own(self):
        source = (
            u"import os, pytest, subprocess, sys\n"
            u"def test_outer():\n    assert pytest.main(['inner_a.py', '-p', 'no:cacheprovider']) == 0\n"
            u"    assert subprocess.call([sys.executable, '-m', 'pytest', 'inner_a.py', '-p', 'pytest_datacat']) == 0\n"
            u"def test_fork():\n    if os.fork() == 0: raise SystemExit(0)\n    os.wait()\n"
        )
        self.pytest({"test_a.py": source, "inner_a.py": TWICE}, DATACAT_PYTEST="1")
        self.assertEqual([op["test"]["id"][-1] for op in self.events()], ["test_outer", "test_fork"])
        self.assertEqual(len([op for op in self.ops() if op["op"] == "start"]), 1)

    def test_secrets_on_the_command_line_and_reports_of_other_plugins_do_no_harm(self):
        conftest = (
            u"import pytest\n"
            u"def pytest_addoption(parser): parser.addoption('--api-token')\n"
            u"@pytest.hookimpl(tryfirst=True)\n"
            u"def pytest_runtest_logreport(report):\n    report.location = None; report.duration = 'x'; report.sections = 7\n"
        )
        files = {"conftest.py": conftest, "test_a.py": u"def test_good(): pass\n"}
        code, output, errors = self.pytest(files, "--datacat", "--api-token=hunter2", "-p", "no:terminal")
        self.assertEqual(code, 0, output + errors)
        self.assertEqual(self.ops()[-1]["op"], "end")
        self.assertNotIn("hunter2", repr(self.records()))

    def test_commit_branch_and_the_summary_of_a_github_job(self):
        path = os.path.join(self.home, "summary.md")
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "b" * 40, "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main",
                       "GITHUB_STEP_SUMMARY": path}  # fmt: skip
        self.pytest({"test_a.py": u"def test_a(): raise ValueError('<b>|`x')\ndef test_b(): pass\n"}, "--datacat", **environment)
        start = self.ops()[0]
        self.assertEqual((start["version"], start["state"]["ci"]["branch"]), ("b" * 12, "main"))
        with io.open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("### pytest: 1 failed, 1 passed\n", text)
        self.assertIn("<code>test_a.py::test_a</code>: <code>ValueError: &lt;b&gt;&#124;&#96;x</code>", text)
        self.assertIn("(http://localhost:8080/sessions/", text)

    def test_a_full_disk_and_a_missing_home_change_nothing(self):
        self.write({"test_a.py": BASIC})
        expected = self.pytest({}, DATACAT_DISABLED="1")
        places = [("/dev/full/x", "/proc"), ("/proc/none", "/proc")]
        disk = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, disk, True)
        mount = subprocess.Popen(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], stderr=subprocess.PIPE)
        mount.communicate()
        if mount.returncode == 0:  # only for root
            self.addCleanup(subprocess.call, ["umount", "--lazy", disk])
            fill(disk)
            places.append((disk, disk))
        for home, temporary in places:
            code, output, errors = self.pytest({}, "--datacat", DATACAT_HOME=home, TMPDIR=temporary, HOME="/proc")
            self.assertEqual(code, expected[0])
            self.assertEqual(printed_counts(output), printed_counts(expected[1]))
            self.assertNotIn("/sessions/", errors)


def fill(disk):
    """Write a file until the disk has no room."""
    try:
        with open(os.path.join(disk, "ballast"), "wb", 0) as ballast:
            while True:
                ballast.write(b"x" * 1024)
    except (IOError, OSError):
        pass


if not hasattr(PluginTest, "assertRegex"):
    PluginTest.assertRegex = PluginTest.assertRegexpMatches
