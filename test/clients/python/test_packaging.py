# -*- coding: utf-8 -*-
"""The package: a wheel and an sdist that install; the stub; the plugin for pytest. Tools come from the package index."""

import ast
import glob
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import datacat
from worlds import CLIENT, ROOT, Test, run

TOOLS = os.path.join(tempfile.gettempdir(), "datacat-test-tools-%d.%d" % sys.version_info[:2])


def tool(name):
    """Installs a tool beside the interpreter, once; the folder to import it from."""
    folder = os.path.join(TOOLS, name)
    if not os.path.isdir(folder):
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", folder]
        process = subprocess.Popen(
            command + name.split("+"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True
        )  # fmt: skip
        output = process.communicate()[0].decode("utf-8", "replace")
        if process.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise unittest.SkipTest("cannot install %s: %s" % (name, output.strip()[-200:]))
    return folder


class Packaging(Test):
    def test_the_wheel_and_the_sdist_hold_the_module_the_stub_and_the_plugin(self):
        tools = tool("setuptools+wheel")
        project = os.path.join(self.home, "project")
        shutil.copytree(CLIENT, project, ignore=shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__"))
        code, output, errors = run(
            [sys.executable, "setup.py", "-q", "sdist", "bdist_wheel"], project,
            {"PYTHONPATH": tools, "DATACAT_HOME": self.home}, seconds=300,
        )  # fmt: skip
        self.assertEqual(code, 0, output + errors)
        (wheel,) = glob.glob(os.path.join(project, "dist", "*.whl"))
        self.assertTrue(wheel.endswith("datacat-2.0.0-py2.py3-none-any.whl"), wheel)
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            (metadata,) = [archive.read(name).decode("utf-8") for name in names if name.endswith("/METADATA")]
        for name in ("datacat.py", "pytest_datacat.py", "datacat-stubs/__init__.pyi"):
            self.assertIn(name, names)
        self.assertTrue([name for name in names if name.endswith("/LICENSE")])
        for field in ("Author", "License", "Requires-Python", "Project-URL", "Classifier", "Keywords", "Description-Content-Type"):
            self.assertRegex(metadata, r"(?m)^%s: ." % field)
        self.assertIn("/datacat/datacat", metadata)
        (sdist,) = glob.glob(os.path.join(project, "dist", "*.tar.gz"))

        for package in (wheel, sdist):
            site = tempfile.mkdtemp(dir=self.home)
            install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check",
                       "--no-build-isolation", "--target", site, package]  # fmt: skip
            code, output, errors = run(install, self.home, {"PYTHONPATH": tools}, seconds=300)
            self.assertEqual(code, 0, output + errors)
            source = "import datacat; s = datacat.open(product='installed'); s.end(); print(datacat.__file__)"
            code, output, errors = run([sys.executable, "-c", source], self.home, {"PYTHONPATH": site})
            self.assertEqual((code, errors), (0, ""))
            self.assertTrue(os.path.realpath(output.strip()).startswith(os.path.realpath(site)))

    def test_its_version_is_that_of_the_repository(self):
        with io.open(os.path.join(ROOT, "package.json"), encoding="utf-8") as file:
            self.assertEqual(datacat.__version__, json.load(file)["version"])

    def test_the_table_of_contents_lists_the_sections_in_their_order(self):
        with io.open(os.path.join(CLIENT, "datacat.py"), encoding="utf-8") as file:
            source = file.read()
        listed = re.findall(r"(?m)^  ([A-Z][a-z]+(?: [a-z]+)?)  +\S", source.split('"""')[1])
        self.assertEqual(listed, re.findall(r"(?m)^# === (.+?) =+$", source))
        self.assertGreater(len(listed), 20)

    @unittest.skipIf(sys.version_info < (3, 6), "the stub has annotations")
    def test_the_stub_has_every_public_name_with_its_arguments(self):
        def shape(path):
            with io.open(os.path.join(CLIENT, path), encoding="utf-8") as file:
                tree = ast.parse(file.read())
            found = {}
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    found[node.name] = [argument.arg for argument in node.args.args]
                elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    for method in node.body:
                        if isinstance(method, ast.FunctionDef) and (
                            not method.name.startswith("_") or method.name in ("__init__", "__enter__", "__call__")
                        ):
                            found[node.name + "." + method.name] = [a.arg for a in method.args.args]
            return found

        module, stub = shape("datacat.py"), shape("datacat.pyi")
        for name, arguments in module.items():
            self.assertEqual(stub.get(name), arguments, name)
        aliases = {"Session.pause_heartbeat_monitoring", "Session.resume_heartbeat_monitoring", "DatacatClient.create_session"}
        self.assertEqual(set(stub) - set(module), aliases)

    @unittest.skipIf(sys.version_info < (3, 9), "mypy wants a newer Python")
    def test_a_typed_program_passes_mypy(self):
        tools = tool("mypy")
        path = os.path.join(self.home, "typed.py")
        with io.open(path, "w") as file:
            file.write(
                u"import datacat\n"
                u"with datacat.capture(datacat.open(product='x', tags=['a'])) as session:\n"
                u"    session.update_state({'a': 1})\n"
                u"    session.gauge('g', 1.5, unit='ms')\n"
                u"    with session.timer('t') as timer:\n        timer.count = 3\n"
                u"@session.timer('f')\ndef f(x: int) -> int:\n    return x\n"
                u"number: int = f(3)\nreveal_type(session.stats())\n"
            )
        environment = {"PYTHONPATH": tools, "MYPYPATH": CLIENT}
        code, output, errors = run([sys.executable, "-m", "mypy", "--strict", path], self.home, environment, seconds=300)
        self.assertEqual(code, 0, output + errors)
        self.assertIn("Success", output)


if not hasattr(Packaging, "assertRegex"):
    Packaging.assertRegex = Packaging.assertRegexpMatches


class PytestPlugin(Test):
    def run_pytest(self, source, *arguments, **environment):
        tools = tool("pytest")
        path = os.path.join(self.home, "test_sample.py")
        with io.open(path, "w") as file:
            file.write(source)
        environment["PYTHONPATH"] = os.pathsep.join([tools, CLIENT])
        command = [sys.executable, "-m", "pytest", "-p", "pytest_datacat", "-p", "no:cacheprovider", "-q", path]
        return run(command + list(arguments), self.home, environment, seconds=120)

    SOURCE = (
        u"import pytest\n"
        u"def test_good(): pass\n"
        u"def test_bad():\n    number = 1\n    assert number == 2\n"
        u"def test_broken(): {}['sword']\n"
        u"@pytest.mark.skip(reason='no network')\ndef test_skipped(): pass\n"
        u"@pytest.mark.xfail\ndef test_known(): assert False\n"
        u"@pytest.fixture\ndef fixture(): raise ValueError('in setup')\n"
        u"def test_with_fixture(fixture): pass\n"
    )

    def test_a_session_for_the_run_and_an_event_for_each_test(self):
        code, output, errors = self.run_pytest(self.SOURCE, "--datacat", DATACAT_PRODUCT="my project")
        self.assertEqual(code, 1, output + errors)
        ops = self.ops()
        self.assertEqual((ops[0]["product"], ops[0]["tags"]), ("my project", ["pytest"]))
        tests = dict((op["data"]["test"].split("::")[1], op) for op in ops if op["op"] == "event")
        results = dict((name, op["data"]["result"]) for name, op in tests.items())
        self.assertEqual(results, {
            "test_good": "passed", "test_bad": "failed", "test_broken": "failed", "test_skipped": "skipped",
            "test_known": "xfailed", "test_with_fixture": "error",
        })  # fmt: skip
        self.assertGreaterEqual(tests["test_good"]["data"]["duration_ms"], 0)
        self.assertIn("no network", tests["test_skipped"]["message"])
        bad, broken, setup = tests["test_bad"], tests["test_broken"], tests["test_with_fixture"]
        self.assertEqual((bad["category"], bad["exception_type"]), ("error", "AssertionError"))
        self.assertIn("assert number == 2", "".join(bad["stacktrace"]))
        self.assertEqual((broken["exception_type"], broken["exception_msg"]), ("KeyError", "KeyError: 'sword'"))
        self.assertEqual((setup["exception_type"], setup["data"]["phase"]), ("ValueError", "setup"))
        self.assertEqual((bad["source_file"], bad["source_function"]), ("test_sample.py", "test_bad"))
        end = ops[-1]
        self.assertEqual((end["op"], end["exit_code"]), ("end", 1))
        counts = [op["patch"]["tests"] for op in ops if op["op"] == "state" and "tests" in op["patch"]][-1]
        self.assertEqual(counts, {"passed": 1, "failed": 2, "skipped": 1, "xfailed": 1, "error": 1})

    def test_the_counts_are_those_of_pytest_itself(self):
        code, output, errors = self.run_pytest(
            u"import pytest\n"
            u"@pytest.mark.parametrize('text', [u'a', u'\\xe9', b'\\xff'])\ndef test_good(text): pass\n"
            u"@pytest.mark.xfail(run=False, reason='hangs')\ndef test_not_run(): pass\n"
            u"@pytest.mark.xfail(reason='known')\ndef test_passes_after_all(): pass\n"
            u"@pytest.mark.xfail(strict=True, reason='known')\ndef test_must_not_pass(): pass\n"
            u"def test_skipped_late(request): request.addfinalizer(lambda: pytest.skip('late'))\n"
            u"@pytest.fixture\ndef fixture():\n    yield 1\n    raise ValueError('in teardown')\n"
            u"def test_with_fixture(fixture): pass\n",
            "--datacat",
        )
        self.assertEqual(code, 1, output + errors)
        events = [op for op in self.ops() if op["op"] == "event"]
        recorded = [(op["data"]["test"].split("::")[1].split("[")[0], op["data"]["result"], op.get("message")) for op in events]
        self.assertEqual([result for name, result, _ in recorded if name == "test_good"], ["passed"] * 3)
        self.assertEqual([(name, result) for name, result, _ in recorded if name != "test_good"], [
            ("test_not_run", "xfailed"), ("test_passes_after_all", "xpassed"), ("test_must_not_pass", "failed"),
            ("test_skipped_late", "passed"), ("test_skipped_late", "skipped"),
            ("test_with_fixture", "passed"), ("test_with_fixture", "error"),
        ])  # fmt: skip
        self.assertIn("hangs", recorded[3][2])
        self.assertEqual(recorded[4][2], "known")
        counts = [op["patch"]["tests"] for op in self.ops() if op["op"] == "state" and "tests" in op["patch"]][-1]
        self.assertEqual(counts, {"passed": 5, "xfailed": 1, "xpassed": 1, "failed": 1, "skipped": 1, "error": 1})
        summary = output.splitlines()[-1].replace("errors", "error")
        for result, count in counts.items():
            self.assertIn("%d %s" % (count, result), summary)
        self.assertNotIn("exception_type", events[5])  # an unexpected pass is no exception

    def test_secrets_on_the_command_line_and_reports_of_other_plugins_do_no_harm(self):
        with io.open(os.path.join(self.home, "conftest.py"), "w") as file:
            file.write(
                u"import pytest\n"
                u"def pytest_addoption(parser): parser.addoption('--api-token')\n"
                u"@pytest.hookimpl(tryfirst=True)\n"
                u"def pytest_runtest_logreport(report):\n    report.location = None; report.duration = None\n"
            )
        code, output, errors = self.run_pytest(u"def test_good(): pass\n", "--datacat", "--api-token=hunter2")
        self.assertEqual(code, 0, output + errors)
        self.assertEqual(self.ops()[-1]["op"], "end")
        self.assertNotIn("hunter2", repr(self.records()))

    def test_without_being_asked_nothing_is_recorded(self):
        code, output, errors = self.run_pytest(u"def test_good(): pass\n")
        self.assertEqual(code, 0, output + errors)
        self.assertEqual(self.records(), [])

    def test_a_file_that_does_not_load_is_recorded(self):
        code, _, _ = self.run_pytest(u"import no_such_module\n", DATACAT_PYTEST="1")
        self.assertEqual(code, 2)
        event = [op for op in self.ops() if op["op"] == "event"][0]
        self.assertEqual((event["name"], event["category"]), ("collection", "error"))
        self.assertIn("no_such_module", "".join(event["stacktrace"]))
        self.assertEqual(self.ops()[-1]["exit_code"], 2)
