# -*- coding: utf-8 -*-
"""What a run belongs to: test/fixtures/ci.json, and real repositories."""

import io
import json
import os
import subprocess
import unittest

import datacat
from worlds import ROOT, Test

with io.open(os.path.join(ROOT, "test", "fixtures", "ci.json"), encoding="utf-8") as _file:
    CASES = json.load(_file)


class Fixture(unittest.TestCase):
    maxDiff = None

    def check(self, case):
        git = case.get("git", {})
        printed = [None if git.get(key) is None else datacat._plain_text(git[key]) for key in ("log", "status")]
        found = datacat._ci_context(case["env"], datacat._git_context(*printed), case.get("event"))
        self.assertEqual(found and dict(found), case["context"])
        self.assertEqual(datacat._ci_version(found), case["version"])


for _number, _case in enumerate(CASES):
    _test = lambda self, case=_case: self.check(case)  # noqa: E731
    _test.__doc__ = datacat._plain_text(_case["name"])
    setattr(Fixture, "test_%02d" % _number, _test)


class Repository(Test):
    def git(self, *arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", self.home] + list(arguments)
        try:
            return subprocess.check_output(command, stderr=subprocess.STDOUT).decode("utf-8").strip()
        except OSError:
            self.skipTest("git is not installed")

    def write(self, text):
        with io.open(os.path.join(self.home, "file"), "w") as file:
            file.write(text)

    def test_a_branch_a_changed_file_a_worktree_at_a_tag_and_a_shallow_clone(self):
        self.git("init", "--initial-branch", "trunk")
        self.assertIsNone(datacat.ci_context({}, self.home))
        self.write(u"1")
        self.git("add", "file")
        self.git("commit", "-m", "First")
        commit = self.git("rev-parse", "HEAD")
        context = datacat.ci_context({}, self.home)
        self.assertEqual(dict(context), {
            "provider": "git", "commit": commit, "commit_short": commit[:12], "branch": "trunk", "dirty": False, "subject": "First",
            "author_time": int(self.git("log", "-1", "--format=%at")) * 1000,
        })  # fmt: skip
        self.write(u"2")
        self.assertEqual(datacat._ci_version(datacat.ci_context({}, self.home)), commit[:12] + "-dirty")

        self.git("tag", "v1")
        other = os.path.join(self.home, "other")
        self.git("worktree", "add", "--detach", other, "v1")
        detached = datacat.ci_context({}, other)
        self.assertEqual((detached.get("branch"), detached["tag"], detached["dirty"]), (None, "v1", False))
        shallow = os.path.join(self.home, "shallow")
        self.git("clone", "--depth=1", "file://" + self.home, shallow)
        self.assertEqual(datacat.ci_context({}, shallow)["branch"], "trunk")

    def test_git_that_hangs_is_stopped(self):
        folder = os.path.join(self.home, "bin")
        os.mkdir(folder)
        path = os.path.join(folder, "git")
        with io.open(path, "w") as file:
            file.write(u"#!/bin/sh\nexec sleep 60\n")
        os.chmod(path, 0o755)
        before = os.environ["PATH"], datacat.GIT_SECONDS
        self.addCleanup(os.environ.__setitem__, "PATH", before[0])
        self.addCleanup(setattr, datacat, "GIT_SECONDS", before[1])
        os.environ["PATH"], datacat.GIT_SECONDS = folder + os.pathsep + before[0], 0.05
        commit = "b" * 40
        self.assertEqual(datacat.ci_context({"GITHUB_ACTIONS": "true", "GITHUB_SHA": commit}, self.home)["commit"], commit)

    def test_github_s_event_file(self):
        path = os.path.join(self.home, "event.json")
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "b" * 40, "GITHUB_EVENT_PATH": path}
        folder = os.path.join(self.home, "none")
        self.assertIsNone(datacat.ci_context({}, folder))
        with io.open(path, "w") as file:
            file.write(u"{")
        self.assertEqual(datacat._github_event(path), None)
        with io.open(path, "w") as file:
            file.write(u'{"pull_request":{"head":{"sha":"%s"}}}' % (u"c" * 40))
        os.mkdir(folder)
        self.assertEqual(datacat.ci_context(environment, folder)["commit"], "c" * 40)


if __name__ == "__main__":
    unittest.main()
