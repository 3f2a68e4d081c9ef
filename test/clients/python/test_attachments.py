# -*- coding: utf-8 -*-
"""Attachments: the numbers and types of all clients, and programs that attach from threads, after a fork and while they crash."""

import io
import json
import os
import unittest

import datacat
from worlds import FIXTURES, Test

FORKS = hasattr(os, "fork")


class Numbers(unittest.TestCase):
    def test_this_client_has_the_numbers_and_the_types_of_all_clients(self):
        with io.open(os.path.join(FIXTURES, "..", "attachments.json"), encoding="utf-8") as file:
            fixture = json.load(file)
        numbers = {
            "max_bytes": datacat.MAX_ATTACHMENT_BYTES,
            "block_bytes": datacat.BLOCK_BYTES,
            "chunk_bytes": datacat.CHUNK_BYTES,
            "waiting_bytes": datacat.WAITING_BYTES,
            "unknown_answers": datacat.UNKNOWN_ANSWERS,
            "type_length": datacat.TYPE_LENGTH,
        }
        self.assertEqual(numbers, dict((name, value) for name, value in fixture.items() if isinstance(value, int)))
        self.assertEqual(datacat._MEDIA_TYPES, fixture["types"])
        self.assertEqual(datacat._DEFAULT_MEDIA_TYPE, fixture["default_type"])


class Attaching(Test):
    def attached(self):
        """By lane: (name, content) of each attachment. Every file beside a lane has its op."""
        found, files = {}, set()
        folder = os.path.join(self.home, "lanes")
        for header, op in self.records():
            if op["op"] != "attachment":
                continue
            files.add(op["id"] + ".attachment")
            with io.open(os.path.join(folder, op["id"] + ".attachment"), "rb") as file:
                content = file.read()
            self.assertEqual(len(content), op["size"])
            found.setdefault(header["lane"], []).append((op["name"], content))
        self.assertEqual(files, set(name for name in os.listdir(folder) if name.endswith(".attachment")))
        return found

    def test_two_threads_attach_at_once_and_each_content_is_whole(self):
        code, _, errors = self.run_program(
            u"import datacat, threading\ns = datacat.open()\n"
            u"def work(letter):\n"
            u"    for n in range(1, 41): s.attach('%s%d' % (letter, n), data=letter.encode() * 5000 * n)\n"
            u"threads = [threading.Thread(target=work, args=(letter,)) for letter in 'ab']\n"
            u"for t in threads: t.start()\n"
            u"for t in threads: t.join()\n"
        )
        self.assertEqual((code, errors), (0, ""))
        (contents,) = self.attached().values()
        self.assertEqual(
            dict(contents),
            dict(("%s%d" % (letter, n), letter.encode() * 5000 * n) for letter in "ab" for n in range(1, 41)),
        )
        self.assertEqual(len(contents), 80)

    @unittest.skipUnless(FORKS, "no fork here")
    def test_children_that_are_forked_while_threads_attach_attach_to_lanes_of_their_own(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, os, threading, time, warnings\nwarnings.simplefilter('ignore')\ns = datacat.open()\nstop = []\n"
            u"def work():\n"
            u"    n = 0\n"
            u"    while not stop or n == 0: n += 1; s.attach('parent', data=b'p' * 200000)\n"
            u"threads = [threading.Thread(target=work) for _ in range(2)]\n"
            u"for t in threads: t.start()\n"
            u"for number in range(10):\n"
            u"    child = os.fork()\n"
            u"    if child == 0:\n"
            u"        for n in range(3): s.attach('child', data=b'c' * 1000 * n)\n"
            u"        os._exit(0)\n"
            u"    deadline = time.time() + 20\n"
            u"    while os.waitpid(child, os.WNOHANG) == (0, 0):\n"
            u"        time.sleep(0.002)\n        assert time.time() < deadline, 'child hangs'\n"
            u"stop.append(1)\nfor t in threads: t.join()\nprint('done')\n",
            seconds=100,
        )
        self.assertEqual((code, output.strip(), errors), (0, "done", ""))
        lanes = list(self.attached().values())
        children = [contents for contents in lanes if contents[0][0] == "child"]
        self.assertEqual(children, [[("child", b"c" * 1000 * n) for n in range(3)]] * 10)
        (parent,) = [contents for contents in lanes if contents[0][0] == "parent"]
        self.assertEqual(set(parent), {("parent", b"p" * 200000)})

    def test_a_hook_of_uncaught_exceptions_attaches_and_the_crash_is_recorded(self):
        code, _, errors = self.run_program(
            u"import datacat, os, sys\n"
            u"def hook(*error):\n"
            u"    s.attach('screen.png', data=b'shown')\n"
            u"    sys.__excepthook__(*error)\n"
            u"sys.excepthook = hook\n"
            u"s = datacat.open()\n"
            u"raise KeyError('x')\n"
        )
        self.assertEqual(code, 1)
        self.assertIn("KeyError", errors)
        self.assertEqual(list(self.attached().values()), [[("screen.png", b"shown")]])
        ops = self.ops()
        self.assertEqual([op["op"] for op in ops], ["start", "attachment", "event", "crash"])
        self.assertEqual(ops[2]["exception_type"], "KeyError")
        self.assertEqual(ops[3]["reason"], "uncaught_exception")
