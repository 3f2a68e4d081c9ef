# -*- coding: utf-8 -*-
"""Promises 12, 13 and 20 of test/faults/README.md for this client: disks that are full, read-only or removed."""

import binascii
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import datacat
from worlds import ROOT, Test, lane_files, lines, records

WINDOWS = os.name == "nt"


class FailingDisk(object):
    """os.write that fails, or writes only a part, at the calls that `plan` names."""

    def __init__(self, test, plan):
        self.plan = plan
        self.calls = 0
        self.write = os.write
        test.addCleanup(setattr, datacat.os, "write", os.write)
        datacat.os.write = self

    def __call__(self, file, data):
        self.calls += 1
        action = self.plan(self.calls)
        if action is None:
            return self.write(file, data)
        if isinstance(action, float):
            return self.write(file, data[: int(len(data) * action)])
        raise OSError(action, os.strerror(action))


class Disk(Test):
    def setUp(self):
        Test.setUp(self)
        self.addCleanup(setattr, datacat, "REOPEN_SECONDS", datacat.REOPEN_SECONDS)
        datacat.REOPEN_SECONDS = 0.0  # each record tries to open a part, so that a test need not wait
        os.environ["TMPDIR"] = "/dev/null"  # no last resort, unless a test has one

    def test_a_write_that_fails_loses_its_record_and_is_reported_once_writing_works(self):
        for broken in range(1, 8):
            for action in (errno.ENOSPC, errno.EIO, 0.0, 0.5, 0.99):
                self.check(lambda call: action if call == broken else None, 1)
        self.check(lambda call: errno.ENOSPC if call in (3, 4, 5, 6) else None, 3)

    def check(self, plan, most_lost):
        home = tempfile.mkdtemp(dir=self.home)
        os.environ["DATACAT_HOME"] = home
        write = os.write
        disk = FailingDisk(self, plan)
        session = datacat.open()
        for number in range(6):
            session.log_event("e", data={"n": number})
        session.end()
        datacat.os.write = write
        self.assertGreaterEqual(disk.calls, 8)

        found, damaged = [], 0
        for path in lane_files(home):
            with open(path, "rb") as file:
                for line in file.read().split(b"\n"):
                    try:
                        found.append(json.loads(line[9:].decode("utf-8")))
                    except ValueError:
                        damaged += bool(line)
        ops = [op for op in found if "op" in op]
        reported = sum(op["count"] for op in ops if op["op"] == "dropped")
        sequences = [op["seq"] for op in ops]
        self.assertEqual(sequences, sorted(set(sequences)))
        # 8 records and the notes: every sequence is there, or reported as lost.
        holes = set(range(1, max(sequences) + 1)) - set(sequences)
        self.assertEqual(reported, len(holes))
        self.assertEqual(sum(session.stats()["dropped"].values()), reported)
        self.assertLessEqual(reported, most_lost + 1)
        self.assertLessEqual(damaged, 1)
        self.assertEqual(ops[-1]["op"], "end")

    def test_a_start_that_could_not_be_written_is_written_once_writing_works_with_its_sequence(self):
        FailingDisk(self, lambda call: errno.ENOSPC if call <= 2 else None)
        session = datacat.open(product="game")
        session.log_event("lost")
        session.log_event("kept")
        ops = [(op["seq"], op["op"], op.get("product") or op.get("count") or op.get("name")) for op in self.ops()]
        self.assertEqual(ops, [(1, "start", "game"), (3, "dropped", 1), (4, "event", "kept")])
        self.assertEqual(session.stats()["dropped"], {"disk_full": 1})

    def test_a_part_that_could_not_be_opened_is_tried_again_after_a_while_and_for_the_last_record(self):
        datacat.REOPEN_SECONDS = 3600.0
        disk = FailingDisk(self, lambda call: errno.EROFS)
        session = datacat.open()
        tried = disk.calls
        for _ in range(100):
            session.log_event("lost")
        self.assertEqual(disk.calls, tried)
        disk.plan = lambda call: None
        session.end()
        ops = [(op["op"], op.get("cause"), op.get("count"), op.get("detail")) for op in self.ops()]
        self.assertEqual(
            ops,
            [
                ("start", None, None, None),
                ("dropped", "read_only", 100, "read-only file system"),
                ("end", None, None, None),
            ],
        )

    def test_held_metrics_follow_the_report_of_lost_records(self):
        session = datacat.open()
        FailingDisk(self, lambda call: errno.ENOSPC if call == 1 else None)
        session.log_event("lost")
        text = '"op":"metric","type":"gauge","name":"g","value":%d}'
        session._writer.lane.write_all([(1.0, text % number) for number in range(3)])
        self.assertEqual([(op["seq"], op["op"]) for op in self.ops()], [
            (1, "start"), (3, "dropped"), (4, "metric"), (5, "metric"), (6, "metric"),
        ])  # fmt: skip

    @unittest.skipIf(WINDOWS, "no limits on the size of files")
    def test_a_file_that_may_not_grow_is_followed_by_the_next_part(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, resource\ns = datacat.open()\n"
            u"resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))\n"
            u"for n in range(100): s.log_event('e', data={'n': n})\n"
            u"s.log_event('long', message='x' * 4000)\n"
            u"print(sum(s.stats()['dropped'].values()))\n"
            u"s.log_event('works again')\n"
        )
        self.assertEqual((code, output.strip(), errors), (0, "1", ""))
        ops = [op for path in lane_files(self.home) for op in sound(path) if "op" in op]
        reported = [(op["cause"], op["count"], op["detail"]) for op in ops if op["op"] == "dropped"]
        self.assertEqual(reported, [("write_failed", 1, os.strerror(errno.EFBIG).lower())])
        names = [op["name"] for op in ops if op["op"] == "event"]
        self.assertEqual(names, ["e"] * 100 + ["works again"])

    def test_the_cause_of_each_error_is_that_of_every_client(self):
        with open(os.path.join(ROOT, "test", "fixtures", "loss-causes.json")) as file:
            causes = json.load(file)
        found = dict((name, datacat._loss_cause(OSError(getattr(errno, name), ""))) for name in causes if hasattr(errno, name))
        self.assertEqual(found, dict((name, causes[name]) for name in found))

    @unittest.skipUnless(sys.platform.startswith("linux") and os.geteuid() == 0, "mounting needs root on Linux")
    def test_a_full_disk(self):
        folder = os.path.join(self.home, "small")
        os.mkdir(folder)
        if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]) != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.call, ["umount", "-l", folder])
        os.environ["DATACAT_HOME"] = folder
        session = datacat.open()
        for number in range(2000):
            session.log_event("e", data={"n": number})
            session.gauge("g", number)
        self.assertGreater(session.stats()["dropped"]["disk_full"], 2000)
        records(folder)  # what is there is sound
        filler = lane_files(folder)[0]
        with open(filler, "rb+") as file:  # another program makes room
            file.truncate(4096)
        session.log_event("works again")
        session.end()
        with open(filler, "rb") as file:
            tail = file.read()
        self.assertIn(b'"cause":"disk_full"', tail)
        self.assertIn(b"works again", tail)

    def test_a_home_that_cannot_be_used_is_replaced_by_one_in_the_temporary_folder(self):
        blocked = os.path.join(self.home, "a file")
        open(blocked, "w").close()
        temporary = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, temporary)
        os.environ.update(DATACAT_HOME=os.path.join(blocked, "home"), TMPDIR=temporary)
        session = datacat.open()
        session.log_event("e")
        homes = [os.path.join(temporary, name) for name in os.listdir(temporary)]
        self.assertEqual([os.path.basename(home) for home in homes], ["datacat-%d" % os.getuid()])
        self.assertEqual(len(records(homes[0])), 2)
        self.assertEqual(os.stat(homes[0]).st_mode & 0o777, 0o700)

    def test_without_any_folder_to_write_to_no_call_raises(self):
        os.environ.update(DATACAT_HOME="/dev/null/home", TMPDIR="/dev/null")
        session = datacat.open()
        for number in range(50):
            session.log_event("e")
        self.assertEqual(session.stats()["dropped"], {"write_failed": 51})
        session.end()

    def test_a_deleted_lane_continues_in_a_new_part(self):
        session = datacat.open()
        session.log_event("before")
        shutil.rmtree(os.path.join(self.home, "lanes"))
        session._writer.lane.checked_at -= 2 * datacat.CHECK_SECONDS  # a second later
        session.log_event("after")
        path = lane_files(self.home)[0]
        self.assertTrue(path.endswith(".000002.lane"))
        header, event = lines(path)
        self.assertEqual((header["first"], event["seq"], event["name"]), (3, 3, "after"))

    @unittest.skipIf(WINDOWS, "no limits on the number of files")
    def test_without_a_free_file_number_the_present_part_grows(self):
        code, _, errors = self.run_program(
            u"import datacat, os, resource\nos.environ['DATACAT_LANE_BYTES'] = '2000'\ns = datacat.open()\n"
            u"resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\nfiles = []\n"
            u"try:\n    while True: files.append(os.open('/dev/null', os.O_RDONLY))\n"
            u"except OSError: pass\n"
            u"for n in range(50): s.log_event('e', data={'n': n})\n"
            u"for file in files: os.close(file)\n"
            u"for n in range(50, 100): s.log_event('e', data={'n': n})\n"
        )
        self.assertEqual((code, errors), (0, ""))
        events = [op["data"]["n"] for op in self.ops() if op["op"] == "event"]
        self.assertEqual(events, list(range(100)))
        self.assertGreater(len(lane_files(self.home)), 1)


def sound(path):
    """The lines of a lane that may have torn ones."""
    with open(path, "rb") as file:
        for line in file.read().split(b"\n"):
            if line[:8] == b"%08x" % (binascii.crc32(line[9:]) & 0xFFFFFFFF) and line:
                yield json.loads(line[9:].decode("utf-8"))
