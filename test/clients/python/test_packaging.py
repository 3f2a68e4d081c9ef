# -*- coding: utf-8 -*-
"""The package: a wheel and an sdist that install; the stub. Tools come from the package index."""

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
