"""A pytest plugin: each run of tests is a Datacat session, each test an event with its result and duration.

    pytest --datacat                      records the run. So does DATACAT_PYTEST=1. Without either, nothing is recorded.
    pytest -p pytest_datacat --datacat    the same if the package is not installed and this file is on the path

Product and version come from DATACAT_PRODUCT and DATACAT_VERSION, else the product is the name of the project's folder.
Works with pytest 4.6 (the last for 2.7) to the newest, and with pytest-xdist, whose main process reports the tests of all workers.
"""

import os
import platform
import time

import datacat


def pytest_addoption(parser):
    group = parser.getgroup("datacat", "recording the run with Datacat")
    group.addoption("--datacat", action="store_true", default=False, help="record this run as a Datacat session")
    group.addoption("--datacat-url", default=None, metavar="URL", help="the server (default: DATACAT_URL)")


def pytest_configure(config):
    is_worker = hasattr(config, "workerinput") or hasattr(config, "slaveinput")  # of xdist: its reports go to the main process
    wanted = config.getoption("--datacat") or os.environ.get("DATACAT_PYTEST") == "1"
    if wanted and not is_worker:
        config.pluginmanager.register(Recording(config), "datacat-recording")


class Recording(object):
    def __init__(self, config):
        product = os.environ.get("DATACAT_PRODUCT") or os.path.basename(str(config.rootdir))
        arguments = getattr(getattr(config, "invocation_params", None), "args", ())
        arguments = [datacat._plain_text(argument) for argument in arguments]
        state = {
            "pytest": {"arguments": datacat._without_secrets(arguments)},
            "python": platform.python_version(),
            "tests": {},
        }
        self.session = datacat.open(config.getoption("--datacat-url"), product, tags=["pytest"], state=state)
        self.counts = {}
        self.started = time.time()
        self.config = config

    def pytest_report_header(self, config):
        return "datacat: session %s" % self.session.session_id

    def pytest_collection_finish(self, session):
        self.session.update_state({"collected": len(session.items)})

    def pytest_runtest_logstart(self, nodeid, location):
        self.session.update_state({"running": nodeid})

    def pytest_runtest_logreport(self, report):
        """Record a phase's report (setup, call or teardown) if it has a result."""
        try:
            result = outcome(report)
            if result is not None:
                self.record(report, result)
        except Exception:
            self.session._count_internal_loss()  # other plugins' reports may lack anything; the run continues

    def record(self, report, result):
        self.counts[result] = self.counts.get(result, 0) + 1
        path, line, name = report.location or (None, None, None)
        data = {
            "test": report.nodeid,
            "result": result,
            "duration_ms": round(report.duration * 1000, 3),
            "phase": report.when,
            "worker": getattr(report, "node", None) and report.node.gateway.id,
        }
        data = dict((key, value) for key, value in data.items() if value is not None)
        if result in ("failed", "error"):
            self.session.log_event(
                "test", "error", "pytest", [result], failure_message(report), data, stack(report),
                exception_type=failure_type(report), exception_msg=failure_message(report),
                source_file=path, source_line=(line or 0) + 1, source_function=name,
            )  # fmt: skip
        else:
            reason = skip_reason(report) if result == "skipped" else getattr(report, "wasxfail", None)
            self.session.log_event("test", "info", "pytest", [result], reason, data)
        self.session.counter("tests." + result)
        if report.when == "call":
            self.session.histogram("test_seconds", report.duration, unit="s")

    def pytest_collectreport(self, report):
        if report.failed:
            self.counts["error"] = self.counts.get("error", 0) + 1
            self.session.log_event(
                "collection", "error", "pytest", ["error"], failure_message(report), {"test": report.nodeid},
                stack(report), exception_type=failure_type(report), exception_msg=failure_message(report),
            )  # fmt: skip

    def pytest_sessionfinish(self, session, exitstatus):
        self.session.update_state({"running": None, "tests": self.counts})
        self.session.gauge("run_seconds", time.time() - self.started, unit="s")
        self.session.end(exit_code=int(exitstatus))


def outcome(report):
    """Return passed, failed, error (in setup or teardown), skipped, xfailed or xpassed, as pytest counts them, or None for a phase
    that has no result."""
    if hasattr(report, "wasxfail") and not report.failed:
        return "xfailed" if report.skipped else "xpassed" if report.when == "call" else None
    if report.when in ("setup", "teardown") and not report.skipped:
        return "error" if report.failed else None
    return report.outcome  # a worker that crashed has no phase


def stack(report):
    text = getattr(report, "longreprtext", None) or str(report.longrepr)
    return [line + "\n" for line in text.splitlines()]


def crash_of(report):
    return getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)


def failure_message(report):
    return crash_of(report).split("\n")[0][:1000]


def failure_type(report):
    """Return the type of the exception, which begins a message such as `ValueError: bad`. pytest rewrites a bare `assert` into its
    comparison. A failure without a stack (a worker that crashed, an unexpected pass) has no exception."""
    name = failure_message(report).split(":")[0].strip()
    if name.replace(".", "").replace("_", "").isalnum():
        return name
    return "AssertionError" if hasattr(report.longrepr, "reprcrash") else None


def skip_reason(report):
    try:
        return report.longrepr[2]
    except Exception:
        return None
