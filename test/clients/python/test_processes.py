# -*- coding: utf-8 -*-
"""Promises 2, 5, 17, 20 of test/faults/README.md for this client: kills, forks, signals, and interpreters that exit."""

import os
import signal
import subprocess
import sys
import unittest

import datacat
from worlds import CLIENT, Test, lane_files, records

CALLS = [
    "s.update_state({'n': 1})", "s.log_event('e', data={'n': 1})", "s.gauge('g', 1)", "s.counter('c')", "s.histogram('h', 1)",
    "s.log_timer('t', 1)", "s.heartbeat(5)", "s.pause()", "s.resume()", "s.log_exception(ValueError('x'))", "s.end()",
]  # fmt: skip
FORKS = hasattr(os, "fork")


@unittest.skipUnless(FORKS, "no fork here")
class Processes(Test):
    def by_lane(self):
        lanes = {}
        for header, op in self.records():
            lanes.setdefault(header["lane"], []).append((header, op))
        for ops in lanes.values():
            self.assertEqual([op["seq"] for _, op in ops], list(range(1, len(ops) + 1)))
        return sorted(lanes.values(), key=lambda ops: ops[0][0]["at"])

    def test_what_a_call_wrote_survives_kill_9_right_after_it(self):
        for number, call in enumerate(CALLS):
            home = os.path.join(self.home, str(number))
            os.mkdir(home)
            os.environ["DATACAT_HOME"] = home
            code, _, errors = self.run_program(
                u"import datacat, os\ns = datacat.open()\n%s\nos.kill(os.getpid(), 9)\n" % call,
                environment={"DATACAT_HOME": home},
            )
            self.assertEqual((code, errors), (-signal.SIGKILL, ""), call)
            ops = [op for _, op in records(home)]
            self.assertEqual(len(ops), 2, call)
            self.assertEqual(ops[0]["op"], "start")

    def test_killed_at_any_moment_a_lane_is_whole_but_for_its_last_line(self):
        import time

        for attempt in range(8):
            process = subprocess.Popen(
                [sys.executable, "-c",
                 "import datacat\ns = datacat.open()\nn = 0\nwhile True:\n"
                 "    n += 1; s.log_event('e', data={'n': n}); s.gauge('g', n)\n"],
                env=dict(os.environ, PYTHONPATH=CLIENT),
            )  # fmt: skip
            while len(lane_files(self.home)) <= attempt:
                time.sleep(0.01)
            time.sleep(0.02 * attempt)
            process.kill()
            process.wait()
        for ops in self.by_lane():  # sequences without holes
            events = [op["data"]["n"] for _, op in ops if op["op"] == "event"]
            self.assertEqual(events, list(range(1, len(events) + 1)))

    def test_a_forked_child_writes_a_lane_of_its_own_and_neither_end_nor_what_was_held(self):
        code, _, errors = self.run_program(
            u"import datacat, os, sys\ns = datacat.open()\n"
            u"for n in range(100): s.gauge('before', n)\n"
            u"child = os.fork()\n"
            u"if child == 0:\n"
            u"    for n in range(100): s.gauge('in child', n)\n"
            u"    s.log_event('child'); s.end(); s.log_event('late'); sys.exit(0)\n"
            u"os.waitpid(child, 0)\ns.log_event('parent')\n"
        )
        self.assertEqual((code, errors), (0, ""))
        parent, child = self.by_lane()
        self.assertEqual(parent[0][0]["session"], child[0][0]["session"])
        self.assertNotEqual(parent[0][0]["writer"]["pid"], child[0][0]["writer"]["pid"])
        self.assertEqual(child[0][0]["writer"]["parent_pid"], parent[0][0]["writer"]["pid"])
        self.assertEqual([op.get("name") for _, op in child], ["in child"] * 100 + ["child"])
        self.assertEqual(
            [op.get("name", op["op"]) for _, op in parent], ["start"] + ["before"] * 100 + ["parent", "end"]
        )

    def test_multiprocessing_with_fork_and_with_spawn(self):
        code, _, errors = self.run_program(
            u"import datacat, multiprocessing, sys\n"
            u"def work(number):\n    session.log_event('work', data={'number': number})\n    return number\n"
            u"session = None\n"
            u"def begin(session_id):\n    global session; session = datacat.open(session_id=session_id) if session is None else session\n"
            u"if __name__ == '__main__':\n"
            u"    session = datacat.open()\n"
            u"    make = multiprocessing.get_context('fork') if hasattr(multiprocessing, 'get_context') else multiprocessing\n"
            u"    pool = make.Pool(3, begin, (session.session_id,))\n"
            u"    pool.map(work, range(30)); pool.close(); pool.join()\n"
        )
        self.assertEqual((code, errors), (0, ""))
        lanes = self.by_lane()
        self.assertEqual(len(set(ops[0][0]["session"] for ops in lanes)), 1)
        self.assertEqual(len(set(ops[0][0]["writer"]["pid"] for ops in lanes)), len(lanes))
        numbers = sorted(op["data"]["number"] for ops in lanes for _, op in ops if op["op"] == "event")
        self.assertEqual(numbers, list(range(30)))
        self.assertEqual(sum(op["op"] == "end" for ops in lanes for _, op in ops), 1)

    def test_a_flood_of_metrics_in_a_child_is_there_when_it_has_left(self):
        """Children of multiprocessing leave by os._exit()."""
        code, _, errors = self.run_program(
            u"import datacat, multiprocessing\n"
            u"def flood(session_id=None):\n"
            u"    session = datacat.open(session_id=session_id) if session_id else datacat.register\n"
            u"    for n in range(100): session.gauge('g', n)\n"
            u"if __name__ == '__main__':\n"
            u"    session = datacat.register = datacat.open()\n"
            u"    has_methods = hasattr(multiprocessing, 'get_context')\n"
            u"    for method in ('fork', 'spawn', 'forkserver') if has_methods else (None,):\n"
            u"        make = multiprocessing.get_context(method) if method else multiprocessing\n"
            u"        for arguments in ((), (session.session_id,)) if method in ('fork', None) else ((session.session_id,),):\n"
            u"            child = make.Process(target=flood, args=arguments); child.start(); child.join()\n"
        )
        self.assertEqual((code, errors), (0, ""))
        children = [ops for ops in self.by_lane() if any(op["op"] == "metric" for _, op in ops)]
        self.assertEqual(len(children), 4 if sys.version_info[0] > 2 else 2)
        for ops in children:
            self.assertEqual([op["value"] for _, op in ops if op["op"] == "metric"], list(range(100)))

    def test_os_exit_and_exec_keep_what_was_written_and_write_no_end(self):
        self.run_program(u"import datacat, os\ns = datacat.open(); s.log_event('e'); os._exit(3)\n")
        code, output, _ = self.run_program(
            u"import datacat, os, sys\ns = datacat.open(); s.log_event('e')\n"
            u"os.execv(sys.executable, [sys.executable, '-c', 'import os; print(os.listdir(\"/proc/self/fd\"))'])\n"
        )
        for ops in self.by_lane():
            self.assertEqual([op["op"] for _, op in ops], ["start", "event"])
        self.assertNotIn(str(datacat.LANE_FD), output)  # the lane was closed on exec

    def test_a_fork_while_other_threads_log_leaves_no_lock_behind(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, os, threading, time, warnings\nwarnings.simplefilter('ignore')\ns = datacat.open()\nstop = []\n"
            u"def work():\n"
            u"    while not stop: s.log_event('busy', data={'n': [1, 2, 3]}); s.gauge('g', 1)\n"
            u"threads = [threading.Thread(target=work) for _ in range(4)]\n"
            u"for t in threads: t.start()\n"
            u"for _ in range(40):\n"
            u"    child = os.fork()\n"
            u"    if child == 0:\n        s.log_event('child'); os._exit(0)\n"
            u"    deadline = time.time() + 20\n"
            u"    while os.waitpid(child, os.WNOHANG) == (0, 0):\n"
            u"        time.sleep(0.002)\n        assert time.time() < deadline, 'child hangs'\n"
            u"stop.append(1)\nfor t in threads: t.join()\nprint('done')\n",
            seconds=100,
        )
        self.assertEqual((code, output.strip(), errors), (0, "done", ""))
        lanes = self.by_lane()
        self.assertEqual(len(lanes), 41)

    def test_a_signal_handler_may_log_while_the_program_logs(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, signal, time\ns = datacat.open()\nreceived = [0]\n"
            u"def handler(*args):\n    received[0] += 1; s.log_event('signal', data={'n': received[0]}); s.gauge('signals', received[0])\n"
            u"signal.signal(signal.SIGALRM, handler)\n"
            u"deadline = time.time() + 2\nn = 0\n"
            u"while time.time() < deadline:\n"
            u"    signal.setitimer(signal.ITIMER_REAL, 0.00005)\n"
            u"    for _ in range(5):\n        n += 1; s.log_event('e', data={'n': n}); s.gauge('g', n)\n"
            u"signal.setitimer(signal.ITIMER_REAL, 0)\ns.end()\nprint(n, received[0])\n",
            seconds=30,
        )
        self.assertEqual((code, errors), (0, ""))
        logged, received = [int(number) for number in output.split()]
        self.assertGreater(received, 100)
        events = [op for ops in self.by_lane() for _, op in ops if op["op"] == "event"]
        for name, count in (("e", logged), ("signal", received)):
            numbers = sorted(op["data"]["n"] for op in events if op["name"] == name)
            self.assertEqual(set(range(1, count + 1)) ^ set(numbers), set(), name)
            self.assertEqual(len(numbers), count)

    def test_a_handler_that_raises_out_of_a_call_leaves_the_session_usable(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, signal, time\ns = datacat.open()\n"
            u"class Stop(BaseException): pass\n"
            u"def handler(*args): raise Stop\n"
            u"signal.signal(signal.SIGALRM, handler)\n"
            u"raised = 0\nlongest = 0\ndeadline = time.time() + 2\nn = 0\n"
            u"while time.time() < deadline:\n"
            u"    try:\n"
            u"        signal.setitimer(signal.ITIMER_REAL, 0.0004)\n"
            u"        while True:\n"
            u"            n += 1; s.log_event('e', data={'n': n})\n"
            u"    except Stop: raised += 1\n"
            u"signal.setitimer(signal.ITIMER_REAL, 0)\n"
            u"s.log_event('last'); print(raised)\n",
            seconds=60,
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertGreater(int(output), 50)
        seen = {}
        for header, op in self.records():  # holes there may be; nothing twice
            self.assertNotIn(op["seq"], seen.setdefault(header["lane"], set()))
            seen[header["lane"]].add(op["seq"])
        self.assertIn("last", [op.get("name") for op in self.ops()])

    def test_closing_every_file_does_not_stop_the_recording_nor_harm_the_programs_files(self):
        code, output, errors = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, os\ns = datacat.open()\ns.log_event('before')\nos.closerange(3, 1024)\n"
            u"mine = [os.open('mine-%d' % n, os.O_RDWR | os.O_CREAT) for n in range(20)]\n"
            u"for n in range(5): s.log_event('after', data={'n': n})\n"
            u"assert all(os.fstat(file).st_size == 0 for file in mine)\n"
        )
        self.assertEqual((code, errors), (0, ""))
        names = [op.get("name") for op in self.ops()]
        self.assertEqual(names, [None, "before"] + ["after"] * 5 + [None])
        self.assertEqual(len(set(header["lane"] for header, _ in self.records())), 1)

    def test_finalizers_and_threads_may_log_while_the_interpreter_goes_down(self):
        code, _, errors = self.run_program(
            u"import datacat, threading, atexit\ns = datacat.open()\n"
            u"class Late(object):\n    def __del__(self): s.log_event('late'); s.gauge('late', 1)\n"
            u"late = Late()\n"
            u"loop = [Late()]; loop.append(loop)\n"
            u"def work():\n    while True: s.log_event('busy')\n"
            u"for _ in range(4):\n    t = threading.Thread(target=work); t.daemon = True; t.start()\n"
            u"atexit.register(lambda: s.log_event('in an exit hook'))\n",
            seconds=30,
        )
        self.assertEqual(code, 0)
        if sys.version_info[0] > 2:  # 2.7 prints of its own daemon threads at exit
            self.assertEqual(errors, "")
        ops = self.ops()
        self.assertEqual(ops[-1]["op"], "end")
        self.assertIn("in an exit hook", [op.get("name") for op in ops])

    def test_no_stdin_no_home_and_a_working_folder_that_is_gone(self):
        code, _, errors = self.run_program(
            u"import os, shutil, tempfile\nfolder = tempfile.mkdtemp(); os.chdir(folder); shutil.rmtree(folder)\n"
            u"os.environ.pop('HOME', None); os.close(0)\n"
            u"import datacat\ns = datacat.open(); s.log_event('e'); s.end()\n"
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual([op["op"] for op in self.ops()], ["start", "event", "end"])

    def test_a_subinterpreter_records_too(self):
        if sys.version_info < (3, 8):
            self.skipTest("no way to run one from Python here")
        if sys.version_info[:2] == (3, 12):
            self.skipTest("3.12 itself breaks when two of its interpreters import datetime")
        module, run_in = ("_xxsubinterpreters", "run_string") if sys.version_info < (3, 13) else ("_interpreters", "exec")
        code, _, errors = self.run_program(
            u"import %s as interpreters\n"
            u"inner = interpreters.create()\n"
            u"interpreters.%s(inner, 'import datacat\\ns = datacat.open(product=\"inner\")\\ns.log_event(\"e\")\\ns.end()')\n"
            u"interpreters.destroy(inner)\n"
            u"import datacat\ns = datacat.open(product='outer'); s.log_event('e')\n" % (module, run_in)
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual([op["op"] for op in self.ops()], ["start", "event", "end"] * 2)

    def test_a_stopped_reader_never_holds_up_the_program(self):
        """No daemon reads the lane here: a program that only appends to a file does not depend on one."""
        code, output, _ = self.run_program(
            u"from __future__ import print_function\n"
            u"import datacat, threading\ns = datacat.open()\n"
            u"for n in range(20000): s.gauge('g', n)\n"
            u"print(threading.active_count())\n"
        )
        self.assertEqual((code, output.strip()), (0, "1"))  # and without any thread
        self.assertEqual(len(self.ops()), 20002)
