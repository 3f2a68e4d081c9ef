# -*- coding: utf-8 -*-
"""Stacks while a program hangs and fatal errors (test/faults/README.md has what the server makes of them): the files, and that nothing
else of the program changes."""

import glob
import os
import re
import signal
import stat
import sys
import unittest

import datacat
from worlds import Test

WATCHED = sys.version_info >= (3, 7)
MARK = u"def files(kind): return [open(p, 'rb').read().decode() for p in sorted(glob.glob(os.environ['DATACAT_HOME'] + '/lanes/*.' + kind))]\n"
IMPORTS = u"import datacat, faulthandler, glob, os, signal, sys, threading, time\n" + MARK


@unittest.skipUnless(WATCHED and hasattr(os, "fork"), "CPython 3.7 and later, where there is a fork")
class Stacks(Test):
    def texts(self, kind):
        texts = []
        for path in sorted(glob.glob(os.path.join(self.home, "lanes", "*." + kind))):
            with open(path, "rb") as file:
                texts.append(file.read().decode("utf-8"))
        return texts

    def succeed(self, source, **options):
        options.setdefault("environment", {"PYTHONWARNINGS": "error::DeprecationWarning"})
        code, output, errors = self.run_program(IMPORTS + source, **options)
        self.assertEqual((code, errors), (0, ""))
        return output

    def test_both_files_are_private_and_empty_while_all_is_well(self):
        self.succeed(u"s = datacat.open()\nfor _ in range(9): s.heartbeat(timeout=5); time.sleep(0.02)\nos._exit(0)\n")
        for kind in ("stacks", "fatal"):
            (path,) = glob.glob(os.path.join(self.home, "lanes", "*." + kind))
            status = os.stat(path)
            self.assertEqual((status.st_size, stat.S_IMODE(status.st_mode)), (0, 0o600), kind)

    def test_nothing_is_written_if_it_is_turned_off(self):
        self.succeed(
            u"s = datacat.open()\ns.heartbeat(timeout=0.1); time.sleep(0.5)\nassert not faulthandler.is_enabled()\n"
            u"assert threading.active_count() == 1 and len(os.listdir('/proc/self/task')) == 1\n",
            environment={"DATACAT_STACKS": "0"},
        )
        self.assertEqual(self.texts("stacks") + self.texts("fatal"), [])

    def test_a_hang_is_sampled_three_times_and_the_file_is_emptied_when_heartbeats_continue(self):
        output = self.succeed(
            u"s = datacat.open()\n"
            u"threading.Thread(target=time.sleep, args=(9,), name='worker', daemon=True).start()\n"
            u"s.start_heartbeat_monitor(timeout=0.3)\n"
            u"def load_level(): time.sleep(1.5)\n"
            u"load_level()\nprint(files('stacks')[0])\n"
            u"for _ in range(30): s.heartbeat(); time.sleep(0.02)\n"
            u"assert files('stacks') == ['']\nassert threading.active_count() == 2\n"
        )
        self.assertEqual(len(re.findall(r"^# \d{13}$", output, re.M)), 3, output)
        self.assertEqual(len(re.findall(r"^Thread 0x[0-9a-f]+ \[MainThread\] \(most recent call first\):$", output, re.M)), 3)
        self.assertIn("[worker]", output)
        self.assertRegex(output, r'\n  File ".*program\.py", line \d+ in load_level\n    def load_level\(\): time\.sleep\(1\.5\)\n')

    def test_a_call_that_keeps_the_interpreter_is_sampled_too_and_without_a_daemon_once(self):
        for daemon in (u"", u"open(os.environ['DATACAT_HOME'] + '/daemon.json', 'w').write('{\"pid\": %d}' % os.getpid())\n"):
            output = self.succeed(
                u"import ctypes\ns = datacat.open()\n" + daemon + u"s.heartbeat(timeout=0.3)\n"
                u"def native(): ctypes.PyDLL(None).usleep(900000)\n"
                u"native()\nprint(files('stacks')[-1])\n"
            )
            samples = len(re.findall(r"^Timeout \(0:00:00\.2", output, re.M))
            self.assertTrue(samples >= 2 if daemon else samples == 1, output)
            self.assertIn("in native\n", output)

    def test_a_pause_is_no_hang(self):
        self.succeed(
            u"s = datacat.open()\ns.heartbeat(timeout=0.3)\ns.pause()\ntime.sleep(0.8)\nassert files('stacks') == ['']\ns.end()\n"
        )

    def test_a_fork_neither_waits_nor_warns_nor_loses_the_watch(self):
        self.succeed(
            u"s = datacat.open()\ns.heartbeat(timeout=0.4)\ntime.sleep(0.1)\n"
            u"for _ in range(3):\n"
            u"    child = os.fork()\n"
            u"    if child == 0:\n"
            u"        s.heartbeat(timeout=0.4)\n"
            u"        sys.exit(0)\n"
            u"    assert os.waitpid(child, 0)[1] == 0\n"
            u"s.heartbeat()\ntime.sleep(0.9)\nassert any(text.startswith('# ') for text in files('stacks'))\n",
            seconds=20,
        )

    def test_a_process_pool_that_is_terminated_leaves_no_trace(self):
        self.succeed(
            u"import multiprocessing\n"
            u"context = multiprocessing.get_context('fork')\n"
            u"both = context.Barrier(2)\n"  # a child that is still being forked is another case
            u"def meet(_): return both.wait(20)\n"
            u"if __name__ == '__main__':\n"
            u"    s = datacat.open()\n    s.heartbeat(timeout=5)\n"
            u"    with context.Pool(2) as pool: assert sorted(pool.map(meet, [1, 2], 1)) == [0, 1]\n"
            u"    assert files('fatal') == ['']\n",
            environment={},
        )

    def test_a_forked_child_that_records_has_its_own_file_for_fatal_errors(self):
        code, _, errors = self.run_program(
            IMPORTS + u"s = datacat.open()\nchild = os.fork()\n"
            u"if child == 0:\n    s.log_event('child'); faulthandler._sigsegv()\n"
            u"os.waitpid(child, 0)\ns.end()\n"
        )
        self.assertEqual((code, errors), (0, ""))
        texts = self.texts("fatal")
        self.assertEqual(sorted(bool(text) for text in texts), [False, True])
        self.assertTrue(max(texts).startswith("Fatal Python error: Segmentation fault"))

    def test_the_file_is_that_of_the_session_which_is_open(self):
        self.run_program(
            IMPORTS + u"first = datacat.open()\nsecond = datacat.open()\nfirst.end()\nfaulthandler._sigsegv()\n"
        )
        headers = {header["lane"]: op for header, op in self.records() if op["op"] == "end"}
        for path in glob.glob(os.path.join(self.home, "lanes", "*.fatal")):
            ended = os.path.basename(path)[:-6] in headers
            self.assertEqual(os.stat(path).st_size == 0, ended, path)

    def test_a_signal_is_noted_and_ends_the_program_as_before(self):
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name)
            code, _, errors = self.run_program(
                IMPORTS + u"s = datacat.open()\ndef stop(): os.kill(os.getpid(), signal.%s); time.sleep(9)\nstop()\n" % name,
                environment={"DATACAT_HOME": os.path.join(self.home, name)},
            )
            self.assertEqual((code, errors), (-number, ""))
            (path,) = glob.glob(os.path.join(self.home, name, "lanes", "*.fatal"))
            with open(path, "rb") as file:
                text = file.read()
            self.assertEqual(text[:number], b"\0" * number)
            self.assertIn(b"in stop\n", text)

    def test_handlers_and_ignored_signals_of_the_program_stay(self):
        self.succeed(
            u"got = []\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nsignal.signal(signal.SIGXCPU, lambda *_: got.append(2))\n"
            u"s = datacat.open()\nassert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL\n"
            u"signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
            u"for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU): os.kill(os.getpid(), each); time.sleep(0.05)\n"
            u"if os.fork() == 0:\n"
            u"    os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.05)\n"
            u"    os._exit(0 if got == [1, 2, 1] else 3)\n"
            u"assert os.wait()[1] == 0\ns.end()\nos.kill(os.getpid(), signal.SIGTERM); time.sleep(0.05)\n"
            u"assert got == [1, 2, 1], got\nassert files('fatal') == ['']\n"
        )

    def test_a_faulthandler_of_the_program_stays(self):
        code, _, errors = self.run_program(
            IMPORTS + u"faulthandler.enable()\ns = datacat.open()\ns.heartbeat(timeout=5)\nfaulthandler._sigsegv()\n"
        )
        self.assertEqual(code, -signal.SIGSEGV)
        self.assertIn("Fatal Python error: Segmentation fault", errors)
        self.assertEqual(self.texts("fatal"), ["\n"])

    def test_a_timer_of_the_program_stays_whether_it_begins_before_or_after(self):
        for before, after in (("begin()", ""), ("", "begin()")):
            self.succeed(
                u"mine = open('mine.txt', 'w')\n"
                u"def begin(): faulthandler.dump_traceback_later(0.6, file=mine)\n"
                u"%s\ns = datacat.open()\ns.heartbeat(timeout=0.4)\n%s\n"
                u"for _ in range(10): time.sleep(0.1); s.heartbeat()\n"
                u"assert 'Timeout' in open('mine.txt').read()\n" % (before, after)
            )

    def test_files_of_the_program_that_get_the_numbers_of_closed_ones_stay_whole(self):
        self.succeed(
            u"s = datacat.open()\ns.heartbeat(timeout=0.3)\ntime.sleep(0.1)\n"
            u"for number in range(3, 300):\n"
            u"    try: os.close(number)\n"
            u"    except OSError: pass\n"
            u"mine = os.open('mine.txt', os.O_RDWR | os.O_CREAT)\nos.write(mine, b'mine')\n"
            u"for number in range(200, 215): os.dup2(mine, number)\n"
            u"time.sleep(1.1)\ns.heartbeat()\ns.end()\nassert open('mine.txt').read() == 'mine'\n",
            environment={},
        )


class Old(Test):
    @unittest.skipIf(WATCHED, "2.7 and 3.6")
    def test_an_older_interpreter_records_none(self):
        self.run_program(u"import datacat, time\ns = datacat.open()\ns.heartbeat(timeout=0.1)\ntime.sleep(0.3)\n")
        self.assertEqual(glob.glob(os.path.join(self.home, "lanes", "*.stacks")), [])
        self.assertFalse(datacat._records_stacks())


if __name__ == "__main__":
    unittest.main()
