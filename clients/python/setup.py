"""Packs datacat.py for pip: the same wheel for 2.7 and every 3."""

import io
import os
import re

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with io.open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


class BuildWithStub(build_py):
    """Type checkers look for the stub of an installed single module in a package of its own (PEP 561)."""

    def run(self):
        build_py.run(self)
        folder = os.path.join(self.build_lib, "datacat-stubs")
        self.mkpath(folder)
        self.copy_file(os.path.join(HERE, "datacat.pyi"), os.path.join(folder, "__init__.pyi"))


setup(
    name="datacat",
    version=re.search('__version__ = "(.+)"', read("datacat.py")).group(1),
    description="A flight recorder for programs: state, events, exceptions, metrics and heartbeats, up to the last millisecond",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="The Datacat authors",
    url="https://github.com/datacat/datacat",
    project_urls={
        "Documentation": "https://github.com/datacat/datacat/tree/main/clients/python#readme",
        "Issues": "https://github.com/datacat/datacat/issues",
        "Changes": "https://github.com/datacat/datacat/blob/main/.github/CHANGELOG.md",
    },
    license="MIT",
    keywords="crash-reporting flight-recorder logging metrics observability state",
    py_modules=["datacat", "pytest_datacat"],
    packages=[],
    python_requires=">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*",
    entry_points={"pytest11": ["datacat = pytest_datacat"]},
    cmdclass={"build_py": BuildWithStub},
    options={"bdist_wheel": {"python_tag": "py2.py3"}},
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Framework :: Pytest",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 2.7",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.6",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: Implementation :: CPython",
        "Programming Language :: Python :: Implementation :: Jython",
        "Topic :: Software Development :: Debuggers",
        "Topic :: System :: Logging",
        "Topic :: System :: Monitoring",
        "Typing :: Typed",
    ],
)
