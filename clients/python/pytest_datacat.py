# -*- coding: utf-8 -*-
"""A pytest plugin: each run of tests is a Datacat session, with the start and the end of each test.

    pytest --datacat                      records the run. So do `datacat = true` in pytest.ini and DATACAT_PYTEST=1; without one of
                                          them nothing is recorded
    pytest -p pytest_datacat --datacat    the same if the package is not installed and this file is on the path

Product and version come from DATACAT_PRODUCT and DATACAT_VERSION, else they are the name of the project's folder and the git commit.
The output and the exit code of pytest stay the same, but for one line on standard error: the link to the session (`--datacat-link`).

Counts are those of pytest's last line: each report is recorded as the result that pytest itself gives it (pytest_report_teststatus).
Works with pytest 4.6 (the last for 2.7) to the newest, with subtests, pytest-rerunfailures, and pytest-xdist, whose main process
reports the tests of all workers.
"""

import ast
import binascii
import json
import os
import platform
import re
import sys
import time
from collections import OrderedDict

import datacat
import pytest

# clients/README.md, "Tests".
PART_LENGTH = 500  # UTF-16 units of a part of a test's id
MAX_PARTS = 32
OUTPUT_BYTES = 16 * 1024
DIFF_LENGTH = 8 * 1024
REASON_LENGTH = 1000
LINE_LENGTH = 1000
STACK_LENGTH = 64 * 1024  # characters of a report's text that stands for a stack
SUMMARY_FAILURES = 50  # of a GitHub job summary: a longer list is on the session's page

_LINKS = ("always", "failure", "never")


def pytest_addoption(parser):
    group = parser.getgroup("datacat", "recording the run with Datacat")
    group.addoption("--datacat", action="store_true", default=False, help="record this run as a Datacat session")
    group.addoption("--datacat-url", default=None, metavar="URL", help="the server (default: DATACAT_URL)")
    group.addoption(
        "--datacat-link", default=None, choices=_LINKS, help="when to print the session's link: always (default), failure, never"
    )
    parser.addini("datacat", "record each run as a Datacat session", type="bool", default=False)
    parser.addini("datacat_link", "when to print the session's link: always (default), failure or never", default="")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Record a conftest.py that does not load: pytest ends before it configures plugins."""
    outcome = yield
    try:
        if outcome.excinfo is not None and _is_wanted(early_config, early_config.known_args_namespace):
            recording = Recording(early_config)
            recording.failed_before_tests(outcome.excinfo)
            recording.finish(4)
    except Exception:
        pass  # a version of pytest whose parts have other names; the run ends as without the plugin


def pytest_configure(config):
    is_worker = hasattr(config, "workerinput") or hasattr(config, "slaveinput")  # of xdist: its reports go to the main process
    if is_worker and not _is_wanted(config, config.option):
        return
    if is_worker or _is_wanted(config, config.option):
        config.pluginmanager.register(Failures(), "datacat-failures")
    if not is_worker and _is_wanted(config, config.option):
        config.pluginmanager.register(Runs(config), "datacat-recording")


_recorded = {}  # the process whose run is recorded: pytest inside a test is no run of its own


def _is_wanted(config, options):
    if _recorded.get("process") == os.getpid() or os.environ.get("DATACAT_PYTEST") == "0":
        return False
    if getattr(options, "datacat", False) or os.environ.get("DATACAT_PYTEST") == "1":
        return True
    try:
        return bool(config.getini("datacat"))
    except Exception:
        return False


class Failures(object):
    """Adds to the report of a failure what only the process of the test has: the exception and the compared values. xdist sends both to the
    main process with the report."""

    def __init__(self):
        self.compared = None

    def pytest_assertrepr_compare(self, config, op, left, right):
        try:
            if op == "==":
                self.compared = (_shown(left), _shown(right))
        except Exception:
            self.compared = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        try:
            report = outcome.get_result()
            if report.failed and call.excinfo is not None:
                self.add(report, call.excinfo)
        except Exception:
            pass  # the report of another plugin; what it has is recorded
        self.compared = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        try:
            report = outcome.get_result()
            excinfo = getattr(getattr(report, "call", None), "excinfo", None)
            if report.failed and excinfo is not None:
                self.add(report, excinfo)
        except Exception:
            pass

    def add(self, report, excinfo):
        error = excinfo.value
        cause = getattr(error, "__cause__", None) or getattr(error, "__context__", None)
        if type(error).__name__ == "CollectError" and cause is not None:
            error = cause
            trace = cause.__traceback__
        else:
            trace = excinfo._excinfo[2] if hasattr(excinfo, "_excinfo") else excinfo.tb
        if type(error).__name__ == "CollectError":
            return  # a text for people, which the report has
        report.datacat_thrown = _thrown(error, trace)
        diff = self.diff_of(error)
        if diff is not None:
            report.datacat_diff = diff

    def diff_of(self, error):
        """Return the expected and the actual value, or the lines of a comparison, or None."""
        failure = getattr(error, "failures", [error])[0] if type(error).__module__ in ("doctest", "_pytest.doctest") else None
        example = getattr(failure, "example", None)
        if example is not None and hasattr(failure, "got"):
            return {"expected": _cut(example.want, DIFF_LENGTH), "actual": _cut(failure.got, DIFF_LENGTH)}
        if not isinstance(error, AssertionError):
            return None
        text = datacat._plain_text(datacat._error_message(error))[: 2 * DIFF_LENGTH]
        lines = text.split("\n")
        if self.compared is not None and any(line.startswith("assert ") and " == " in line for line in lines):
            actual, expected = self.compared
            return {"expected": expected, "actual": actual}
        if any(line[:2] in ("- ", "+ ", "? ") for line in lines[1:]):
            return {"text": _cut("\n".join(lines[1:]).strip("\n"), DIFF_LENGTH)}
        return None


class Runs(object):
    """Opens the session of a run when it begins, and ends it when pytest has decided on its exit code. `pytest --help` begins none."""

    def __init__(self, config):
        self.config = config
        self.recording = None
        self.pytest_session = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session):
        try:
            if self.config.getoption("showfixtures", False) or self.config.getoption("show_fixtures_per_test", False):
                return
            self.pytest_session = session
            self.recording = Recording(self.config)
            self.config.pluginmanager.register(self.recording, "datacat-session")
        except Exception:
            self.recording = None

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config):
        if self.recording is not None:
            self.recording.finish(getattr(self.pytest_session, "exitstatus", None))


class Recording(object):
    def __init__(self, config):
        self.config = config
        self.process = _recorded["process"] = os.getpid()
        self.wants = os.environ.get("DATACAT_PYTEST")
        if self.wants is not None:
            os.environ["DATACAT_PYTEST"] = "0"  # for the programs that tests start
        self.started = time.time()
        self.counts = {}  # by result
        self.attempts = {}  # of running tests, by node id (and worker): (id, attempt)
        self.seen = {}  # how often a node id or a subtest's id occurred
        self.rerun = set()  # node ids whose next start is another attempt
        self.failures = []  # (name, first line), for the job summary
        self.workers = set()
        self.finished = False
        self.is_each = getattr(config.option, "dist", "no") == "each"  # every worker runs every test
        self.root = _plain(config.rootdir)
        root_name = os.path.basename(self.root.rstrip("/\\"))
        product = os.environ.get("DATACAT_PRODUCT") or root_name
        ci = datacat.ci_context(folder=self.root)
        version = os.environ.get("DATACAT_VERSION") or datacat._ci_version(ci)
        arguments = getattr(getattr(config, "invocation_params", None), "args", ())
        arguments = [_plain(argument) for argument in arguments]
        state = {
            "pytest": {"arguments": datacat._without_secrets(arguments)},
            "python": platform.python_version(),
            "tests": {"runner": "pytest " + pytest.__version__, "root": root_name},
        }
        if ci is not None:
            state["ci"] = ci
        url = getattr(getattr(config, "known_args_namespace", config.option), "datacat_url", None)
        self.session = datacat.open(url, product, version, tags=["pytest"], state=state)
        self.has_joined = not getattr(self.session._writer, "owner", True)
        if self.has_joined:
            self.session.update_state(state)  # a session that another process opened has no start from here

    def contained(self, record, *arguments):
        """Do nothing in a child process that a test forked, and count an exception instead of raising it: the run continues."""
        if os.getpid() != self.process:
            return
        try:
            record(*arguments)
        except Exception:
            self.session._count_internal_loss()

    # What is to come.

    def pytest_collection_finish(self, session):
        self.contained(self.plan, session)

    def plan(self, session):
        if getattr(self.config.option, "numprocesses", None) or self.workers:
            return  # the workers collect
        self.session.update_state({"tests": {"planned": len(session.items)}})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        self.contained(self.plan_worker, node, ids)

    def plan_worker(self, node, ids):
        self.workers.add(node.gateway.id)
        planned = len(ids) * (len(self.workers) if self.is_each else 1)
        self.session.update_state({"tests": {"planned": planned, "workers": len(self.workers)}})

    # Each test.

    def pytest_runtest_logstart(self, nodeid, location):
        self.contained(self.test_starts, nodeid)

    def test_starts(self, nodeid):
        nodeid = _plain(nodeid)
        if self.is_each:
            return  # the report names the worker
        self.start(nodeid, None)

    def start(self, nodeid, worker):
        key = self.key_of(nodeid, worker)
        if key in self.rerun:
            self.rerun.discard(key)
            return self.attempts[key]  # recorded when the attempt before it failed
        occurrence = self.seen[key] = self.seen.get(key, 0) + 1
        test_id = _test_id(nodeid)
        if occurrence > 1:
            test_id[-1] = _part("%s #%d" % (test_id[-1], occurrence))  # the same test twice in a run
        if self.is_each and worker:
            test_id.insert(0, worker)
        self.attempts[key] = started = (test_id, 1)
        self.log_start(started, worker)
        return started

    def log_start(self, started, worker):
        test_id, attempt = started
        test = OrderedDict([("id", test_id), ("file", self.file_index()), ("attempt", attempt if attempt > 1 else None), ("worker", worker)])
        self.session.log_event("test_started", group="pytest", test=test)

    def file_index(self):
        return 1 if self.is_each else None

    def pytest_runtest_logfinish(self, nodeid, location):
        self.contained(self.test_ends, nodeid)

    def test_ends(self, nodeid):
        nodeid = _plain(nodeid)
        if nodeid not in self.rerun:
            self.attempts.pop(nodeid, None)

    def key_of(self, nodeid, worker):
        return (worker, nodeid) if self.is_each else nodeid

    def pytest_runtest_logreport(self, report):
        self.contained(self.record, report)

    def record(self, report):
        """Record a phase's report (setup, call or teardown) if it has a result."""
        category = _category(self.config, report)
        result = _result(category, report)
        if result is None:
            return
        nodeid = _plain(report.nodeid)
        worker = _worker(report)
        key = self.key_of(nodeid, worker)
        test_id, attempt = self.attempts.get(key) or self.start(nodeid, worker)
        kind = None
        if hasattr(report, "context"):
            kind, test_id = "subtest", self.subtest_id(test_id, _subtest_name(report))
        elif report.when == "teardown" and result == "skipped":
            kind, test_id = "subtest", self.subtest_id(test_id, "teardown")  # pytest counts it beside the result of the call
        self.log_end(report, result, test_id, attempt, worker, kind, getattr(report, "when", None))
        if category == "rerun":
            self.rerun.add(key)
            self.attempts[key] = again = (test_id, attempt + 1)
            self.log_start(again, worker)
        else:
            self.count(result)
        if report.when == "call" and kind is None and isinstance(report.duration, (int, float)):
            self.session.histogram("test_seconds", report.duration, unit="s")

    def subtest_id(self, test_id, name):
        test_id = (test_id + [_part(name)])[-MAX_PARTS:]
        key = tuple(test_id)
        occurrence = self.seen[key] = self.seen.get(key, 0) + 1
        if occurrence > 1:
            test_id[-1] = _part("%s #%d" % (test_id[-1], occurrence))
        return test_id

    def pytest_collectreport(self, report):
        self.contained(self.record_collection, report)

    def record_collection(self, report):
        if report.passed:
            return
        test_id = _test_id(_plain(report.nodeid) or ".")
        result, kind = ("error", "suite") if report.failed else ("skipped", None)
        key = (result, tuple(test_id))
        if key in self.seen and not report.failed:
            return
        self.seen[key] = 1
        self.count(result)
        self.log_end(report, result, test_id, 1, _worker(report), kind, "collect")

    def count(self, result):
        self.counts[result] = self.counts.get(result, 0) + 1

    def log_end(self, report, result, test_id, attempt, worker, kind, phase):
        has_failed = result in ("failed", "error")
        duration = getattr(report, "duration", None)
        test = OrderedDict([
            ("id", test_id),
            ("file", self.file_index()),
            ("result", result),
            ("attempt", attempt if attempt > 1 else None),
            ("duration_ms", round(duration * 1000, 3) if isinstance(duration, (int, float)) else None),
            ("worker", worker),
            ("phase", phase if phase in ("collect", "setup", "teardown") else None),
            ("reason", None if has_failed else _reason(report, result)),
            ("output", None if result == "passed" else _output(report)),
            ("diff", getattr(report, "datacat_diff", None) if has_failed else None),
            ("kind", kind),
        ])  # fmt: skip
        if not has_failed:
            self.session.log_event("test", "info", "pytest", test=test)
            return
        message = _first_line(report)
        if len(self.failures) < SUMMARY_FAILURES:
            self.failures.append(("::".join(test_id), message))
        thrown = getattr(report, "datacat_thrown", None)
        if thrown is None:
            self.session.log_event("test", "error", "pytest", message=message, test=test, **_described(report))
        else:
            losses = []
            more = _plain(thrown) + datacat._test_field(test, losses)
            self.session._log(self.session._now(), "test", losses, "error", "pytest", None, message, None, more)

    # Ends.

    def pytest_internalerror(self, excrepr, excinfo):
        self.contained(self.record_internal_error, excrepr, excinfo)

    def record_internal_error(self, excrepr, excinfo):
        if excinfo is None:  # of an xdist worker
            text = _plain(str(excrepr))[:STACK_LENGTH]
            self.session.log_event("internal_error", "error", "pytest", message=_last_line(text), stacktrace=_lines(text))
        else:
            self.log_uncaught("internal_error", excinfo.value, excinfo.tb)

    def pytest_keyboard_interrupt(self, excinfo):
        self.contained(self.record_interrupt, excinfo)

    def record_interrupt(self, excinfo):
        name = "interrupted" if isinstance(excinfo.value, KeyboardInterrupt) else "exit"
        self.session.log_event(name, "warning", "pytest", message=_plain(excinfo.exconly())[:LINE_LENGTH])
        self.interrupt = name

    interrupt = None

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection(self, session):
        outcome = yield
        try:
            if outcome.excinfo is not None and issubclass(outcome.excinfo[0], pytest.UsageError):
                self.failed_before_tests(outcome.excinfo)
        except Exception:
            self.session._count_internal_loss()

    def failed_before_tests(self, exc_info):
        """Record why no test ran: a conftest.py that does not load, a file that does not exist."""
        error, trace = exc_info[1], exc_info[2]
        inner = getattr(error, "cause", None) or getattr(error, "__cause__", None)
        if not isinstance(inner, BaseException):
            inner = (getattr(error, "excinfo", None) or (None, None))[1]  # of pytest before 8
        if isinstance(inner, BaseException):
            error, trace = inner, getattr(inner, "__traceback__", None)
        self.log_uncaught("run_failed", error, trace)

    def log_uncaught(self, name, error, trace):
        more = _thrown(error, trace, False)
        message = _plain(datacat._error_message(error)).split("\n")[0][:LINE_LENGTH]
        self.session._log(self.session._now(), name, [], "error", "pytest", None, message, None, more)

    def pytest_sessionfinish(self, session):
        self.contained(self.record_stop, session)

    def record_stop(self, session):
        stopped = getattr(session, "shouldfail", False) or getattr(session, "shouldstop", False)
        if stopped:
            self.session.update_state({"tests": {"stopped": _cut(_plain(stopped), REASON_LENGTH)}})

    def finish(self, status):
        """End the session. pytest has printed its last line, and decided on its exit code."""
        if os.getpid() != self.process or self.finished:
            return
        self.finished = True
        if self.wants is not None:
            os.environ["DATACAT_PYTEST"] = self.wants
        _recorded.pop("process", None)
        try:
            status = int(status) if status is not None else None
            counts, more = _printed_counts(self.config, self.counts)
            self.session.update_state({"tests": dict(more, counts=counts)})
            self.session.gauge("run_seconds", time.time() - self.started, unit="s")
            self.session.end(exit_code=status, signal="SIGINT" if self.interrupt == "interrupted" else None)
            link = None if self.has_joined else _link(self.session)
            self.write_summary(link, counts)
            if link and self.prints_link(status):
                sys.stderr.write("datacat: %s\n" % link)
                sys.stderr.flush()
        except Exception:
            self.session._count_internal_loss()

    def prints_link(self, status):
        option = getattr(self.config.option, "datacat_link", None)
        if not option:
            try:
                option = self.config.getini("datacat_link")
            except Exception:
                pass  # pytest ended before it read its options
        option = option or os.environ.get("DATACAT_LINK") or "always"
        return option == "always" or (status not in (0, None) and option != "never") or option not in _LINKS

    def write_summary(self, link, counts):
        """Add the failures to the page of the GitHub job."""
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path or self.has_joined:
            return
        text = _job_summary("pytest", counts, self.failures, link)
        try:
            with datacat._file(path, "ab") as file:
                file.write(datacat._bytes_of(text))
        except (OSError, IOError):
            pass  # the page of the job has no summary then


# --- reports ---


def _category(config, report):
    """Return what pytest counts the report as: passed, failed, error, skipped, xfailed, xpassed, rerun, subtests passed… or nothing."""
    try:
        return config.hook.pytest_report_teststatus(report=report, config=config)[0]
    except Exception:
        if report.when in ("setup", "teardown"):
            return "error" if report.failed else "skipped" if report.skipped else ""
        return report.outcome


_RESULTS = {
    "passed": "passed", "failed": "failed", "error": "error", "skipped": "skipped", "xfailed": "expected_failure",
    "xpassed": "unexpected_pass", "subtests passed": "passed", "subtests failed": "failed", "subtests skipped": "skipped",
    "subtests xfailed": "expected_failure", "subtests xpassed": "unexpected_pass",
}  # fmt: skip


def _result(category, report):
    """Return the result as in clients/README.md, or None for a report that pytest does not count."""
    if category == "":
        return None
    if category == "rerun":
        return "failed" if report.when == "call" else "error"
    return _RESULTS.get(category) or _RESULTS.get(report.outcome, "failed")


_COUNTS = {"error": "errors", "expected_failure": "expected_failures", "unexpected_pass": "unexpected_passes"}


def _printed_counts(config, own):
    """Return the counts of pytest's last line by result, and what else it has: warnings, deselected."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    stats = getattr(reporter, "stats", None)
    counts, more = {}, {}
    if not isinstance(stats, dict):  # -p no:terminal
        for result, count in own.items():
            counts[_COUNTS.get(result, result)] = count
        return counts, more
    for category, reports in stats.items():
        reports = [report for report in reports if getattr(report, "count_towards_summary", True)]
        if category in ("warnings", "deselected"):
            more[category] = len(reports)
        elif category not in ("", "rerun"):
            for report in reports:
                result = _RESULTS.get(category) or _RESULTS.get(getattr(report, "outcome", None), "failed")
                name = _COUNTS.get(result, result)
                counts[name] = counts.get(name, 0) + 1
    return counts, more


def _test_id(nodeid):
    """Return `tests/test_merge.py::TestMerge::test_deep[1-2]` as its parts, the parameters with their brackets."""
    path, found, rest = nodeid.partition("::")
    names, bracket, parameters = rest.partition("[")
    parts = [path] + ([name for name in names.split("::") if name != "()"] if found else [])
    if bracket:
        parts.append(bracket + parameters)
    if len(parts) > MAX_PARTS:
        parts[MAX_PARTS - 1 :] = ["::".join(parts[MAX_PARTS - 1 :])]
    return [_part(part) for part in parts]


def _part(text):
    """Return a part of an id, cut to its limit so that different texts stay different."""
    text = _plain(text)
    if len(text) <= PART_LENGTH // 2:
        return text
    wide = text.decode("utf-8", "replace") if datacat._PY2 else text
    if len(wide.encode("utf-16-le", "replace")) // 2 <= PART_LENGTH:
        return text
    checksum = binascii.crc32(wide.encode("utf-8", "replace")) & 0xFFFFFFFF
    return _plain(wide[: PART_LENGTH // 2 - 10]) + "~%08x" % checksum


def _subtest_name(report):
    """Return a subtest's name as pytest prints it."""
    context = report.context
    parts = [] if context.msg is None else ["[%s]" % _plain(context.msg)]
    read = _read_again if getattr(report, "node", None) is not None else _text_of
    values = ["%s=%s" % (_plain(key), _cut(read(value), 200)) for key, value in dict(context.kwargs).items()]
    if values:
        parts.append("(%s)" % ", ".join(values))
    return " ".join(parts) or "(<subtest>)"


def _read_again(value):
    """Return the text of a value that came from a worker: pytest 9 writes its text as a literal on the way, so 2 would be '2'."""
    text = _text_of(value)
    if text[:1] not in ("'", '"'):
        return text
    try:
        inner = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
    return _plain(inner)


def _text_of(value):
    return _plain(value) if isinstance(value, datacat._STRINGS) else _plain(repr(value))


def _worker(report):
    node = getattr(report, "node", None)
    return _plain(node.gateway.id) if node is not None else getattr(report, "worker_id", None)


def _reason(report, result):
    """Return why a test was skipped or was expected to fail."""
    if result in ("expected_failure", "unexpected_pass"):
        reason = getattr(report, "wasxfail", None)
        reason = re.sub(r"\Areason: ", "", _plain(reason)) if reason else None
    elif result == "skipped":
        place = report.longrepr
        reason = _plain(place[2]) if isinstance(place, tuple) and len(place) == 3 else _plain(str(place)).split("\n")[0]
        reason = re.sub(r"\ASkipped: ", "", reason)
    else:
        reason = None
    return _cut(reason, REASON_LENGTH) if reason else None


def _output(report):
    """Return the last 16 KiB of what the test printed and logged."""
    texts, size = [], 0
    for title, content in reversed(getattr(report, "sections", None) or []):
        if size >= OUTPUT_BYTES:
            break
        content = _plain(content)[-OUTPUT_BYTES:]
        texts.insert(0, "--- %s ---\n%s" % (_plain(title), content if content.endswith("\n") else content + "\n"))
        size += len(texts[0])
    data = datacat._bytes_of("".join(texts))
    if not data:
        return None
    return _plain(data[-OUTPUT_BYTES:].decode("utf-8", "ignore"))


def _thrown(error, trace, handled=True):
    """Return an exception as the fields of an event, as JSON: without the frames of pytest, and a SyntaxError at its own line."""
    trace = _own_frames(trace)
    message = datacat._error_message(error)
    file, line, function = datacat._source(_innermost_own(trace))
    if isinstance(error, SyntaxError) and error.filename:
        file, line, function = error.filename, error.lineno, None
    causes = datacat._Causes(error)
    return datacat._exception_fields(
        datacat._qualified_name(type(error)), message, datacat._stack(type(error), error, trace), file, line, function, causes.items,
        handled, datacat._attributes(error, message), datacat._notes(error), causes_left_out=causes.left_out,
        sources=datacat._excerpts([trace] + causes.traces), losses=[],
    )  # fmt: skip


_FOREIGN = re.compile(r"[/\\](_pytest|pluggy|pytest|unittest|importlib|xdist)[/\\]|[/\\](pluggy|pytest_\w+|importlib)\.py$|<frozen importlib")


def _own_frames(trace):
    """Return the trace from the first frame that is not the runner's, or None."""
    while trace is not None and _FOREIGN.search(trace.tb_frame.f_code.co_filename[-1000:]):
        trace = trace.tb_next
    return trace


class _Place(object):
    """A frame as the last one of a trace."""

    tb_next = None

    def __init__(self, trace):
        self.tb_frame, self.tb_lineno = trace.tb_frame, trace.tb_lineno


def _innermost_own(trace):
    """Return the innermost frame that is not the runner's: of `assertEqual` its caller."""
    found = None
    while trace is not None:
        if found is None or not _FOREIGN.search(trace.tb_frame.f_code.co_filename[-1000:]):
            found = _Place(trace)
        trace = trace.tb_next
    return found


def _described(report):
    """Return the fields of a failure without an exception object: a worker that crashed, a report of 2.7 or of another plugin."""
    fields = {}
    name = failure_type(report)
    text = datacat._plain_text(getattr(report, "longreprtext", None) or str(report.longrepr))[:STACK_LENGTH]
    if name is not None or "\n" in text:
        fields["stacktrace"] = _lines(text)
    if name is not None:
        fields.update(exception_type=name, exception_msg=_first_line(report))
    # Of a SyntaxError its own line, else the first file that is not pytest's.
    places = re.findall(r'(?m)^[ E]*File "([^"\n]{1,500})", line (\d{1,9})', text) + re.findall(r"(?m)^([^\s:][^:\n]{0,500}\.py):(\d{1,9}): ", text)
    for file, line in places:
        if not _FOREIGN.search(file[-1000:]):
            fields.update(source_file=file, source_line=int(line))
            break
    return fields


def stack(report):
    return _lines(datacat._plain_text(getattr(report, "longreprtext", None) or str(report.longrepr))[:STACK_LENGTH])


def _lines(text):
    return [line + "\n" for line in text.splitlines()]


def _last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:LINE_LENGTH] if lines else None


def crash_of(report):
    return getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)


def _first_line(report):
    """Return the first line of a failure: of a collection error the last one, which names the exception."""
    text = _plain(crash_of(report)).strip()
    if getattr(report, "when", None) == "collect" and "\n" in text:
        lines = [line[1:].strip() for line in text[-STACK_LENGTH:].splitlines() if line.startswith("E ")]
        return (lines[-1] if lines else _last_line(text))[:LINE_LENGTH]
    if type(report.longrepr).__name__ == "ReprFailDoctest":
        return _last_line(text)
    return text.split("\n")[0][:LINE_LENGTH]


def failure_type(report):
    """Return the type of the exception, which begins a message such as `ValueError: bad`. pytest rewrites a bare `assert` into its
    comparison. A failure without a stack (a worker that crashed, an unexpected pass) has no exception."""
    name = _first_line(report).split(":")[0].strip()
    if re.match(r"[A-Za-z_][\w.]{0,200}\Z", name):
        return name
    return "AssertionError" if hasattr(report.longrepr, "reprcrash") else None


# --- values ---


def _plain(value):
    return datacat._plain_text(value)


def _cut(text, length):
    text = _plain(text)
    if len(text) <= length:
        return text
    if datacat._PY2:
        return text[: length - 3].decode("utf-8", "ignore").encode("utf-8") + "\xe2\x80\xa6"
    return text[: length - 1] + u"\u2026"


def _shown(value):
    """Return a compared value as text: a text as it is, a container with one item a line so that lines can be compared."""
    if isinstance(value, datacat._STRINGS):
        return _cut(value, DIFF_LENGTH)
    lines, room = [], [DIFF_LENGTH]
    _show(value, "", "", lines, room, 0)
    return _cut("\n".join(lines), DIFF_LENGTH)


_BRACKETS = {list: "[]", tuple: "()", set: ("{", "}"), frozenset: ("frozenset({", "})")}


def _show(value, before, after, lines, room, depth):
    kind = type(value)
    if room[0] <= 0:
        return
    if kind is dict and value and depth < 8:
        _add(before + "{", lines, room)
        for key, item in value.items():
            _show(item, "  " * (depth + 1) + _short(key) + ": ", ",", lines, room, depth + 1)
        _add("  " * depth + "}" + after, lines, room)
    elif kind in _BRACKETS and value and depth < 8:
        begin, end = _BRACKETS[kind]
        _add(before + begin, lines, room)
        items = value
        if kind in (set, frozenset) and len(value) <= 1000:
            items = sorted(value, key=_short)
        for item in items:
            _show(item, "  " * (depth + 1), ",", lines, room, depth + 1)
            if room[0] <= 0:
                break
        _add("  " * depth + end + after, lines, room)
    else:
        _add(before + _short(value) + after, lines, room)


def _add(line, lines, room):
    if room[0] > 0:
        lines.append(line)
        room[0] -= len(line) + 1


def _short(value):
    if isinstance(value, (list, tuple, set, frozenset, dict)) and len(value) > 1000:
        return "<%s of %d>" % (type(value).__name__, len(value))
    if isinstance(value, datacat._TEXTS) and len(value) > DIFF_LENGTH:
        value = value[:DIFF_LENGTH]
    return _plain(repr(value))


# --- the end of a run ---


def _link(session):
    """Return the address of the session's page, or None if nothing of it was recorded."""
    client, stats = session.client, session.stats()
    if not session.session_id or client._is_off or sum(stats["dropped"].values()) >= stats["records"]:
        return None
    server = client._server or _configured_server(client) or datacat.DEFAULT_URL
    scheme, found, rest = server.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return "%s%s%s%s%s/sessions/%s" % (scheme, found, host.rpartition("@")[2], slash, path, session.session_id)


def _configured_server(client):
    """Return the server of the daemon's own settings (`datacat login`), or None."""
    try:
        with datacat._file(os.path.join(datacat._home_folder(client._home), "config.json")) as file:
            return _plain(json.loads(file.read().decode("utf-8"))["server"])
    except Exception:
        return None


def _job_summary(runner, counts, failures, link):
    """Return the Markdown of a GitHub job summary: the counts, the failures with their first lines, the link."""
    names = ("failed", "errors", "passed", "skipped", "expected_failures", "unexpected_passes")
    listed = ["%d %s" % (counts[name], name.replace("_", " ")) for name in names if counts.get(name)]
    lines = ["### %s: %s" % (runner, ", ".join(listed) or "no tests ran"), ""]
    for name, message in failures:
        lines.append("- %s%s" % (_code(name), ": " + _code(message) if message else ""))
    missing = counts.get("failed", 0) + counts.get("errors", 0) - len(failures)
    if missing > 0:
        lines.append("- and %d more" % missing)
    if link:
        lines += ["", "[Session in Datacat](%s)" % link]
    return "\n".join(lines) + "\n\n"


def _code(text):
    """Return text as HTML, so that nothing in it is Markdown."""
    text = " ".join(_plain(text).split())[:LINE_LENGTH]
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "&#96;"), ("|", "&#124;")):
        text = text.replace(character, entity)
    return "<code>%s</code>" % text
