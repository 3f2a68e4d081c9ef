"""One way to end or to hang, which the first argument names (test/faults/README.md). The client is found by PYTHONPATH."""

import ctypes
import multiprocessing
import os
import re
import signal
import sys
import threading
import time

import datacat

session = datacat.open(product="endings")


def segfault():
    ctypes.string_at(0)


def abort():
    os.abort()


def wait_for_signal():
    print("ready", flush=True)
    time.sleep(60)


def wait_with_handler():
    def stop(number, frame):
        session.end()
        sys.exit(7)

    signal.signal(signal.SIGTERM, stop)
    wait_for_signal()


def spin():
    counted = 0
    while True:
        counted += 1


def spin_with_the_interpreter():
    re.match(r"(a+)+$", "a" * 40 + "b")


def wait_for_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def read_from_pipe():
    reading, _ = os.pipe()
    os.read(reading, 1)


def hang_then_recover():
    time.sleep(TIMEOUT + 4.5)
    session.heartbeat()
    session.end()


def exit_at_once():
    os._exit(3)


def forked_child_ends_by_fault():
    child = os.fork()
    if child == 0:
        session.log_event("child")
        segfault()
    os.waitpid(child, 0)
    session.end()


def work_in_child(way):
    session.log_event("child", data={"pid": os.getpid()})
    if way == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def children_are_killed():
    """Children of three kinds end by themselves, or are stopped by their pool; then one of os.fork and one of multiprocessing are killed."""
    context = multiprocessing.get_context("fork")
    killed = []
    for end in (lambda code: sys.exit(code), lambda code: os._exit(code)):
        child = os.fork()
        if child == 0:
            work_in_child("ends")
            end(0)
        os.waitpid(child, 0)
    with context.Pool(1) as pool:  # its end stops its processes by SIGTERM
        pool.map(work_in_child, ["ends"])
    for way in ("ends", "killed"):
        child = context.Process(target=work_in_child, args=(way,))
        child.start()
        child.join()
    killed.append(child.pid)
    child = os.fork()
    if child == 0:
        work_in_child("killed")
    os.waitpid(child, 0)
    killed.append(child)
    session.log_event("killed", data={"pids": killed})
    session.end()


def fork_while_watched():
    session.heartbeat()
    child = os.fork()
    if child == 0:
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    session.end(exit_code=status)


TIMEOUT = 1.0
WAYS = {
    "segfault": segfault,
    "abort": abort,
    "signal": wait_for_signal,
    "handler": wait_with_handler,
    "spin": spin,
    "spin-gil": spin_with_the_interpreter,
    "lock": wait_for_lock,
    "read": read_from_pipe,
    "recover": hang_then_recover,
    "exit": exit_at_once,
    "children": children_are_killed,
    "child": forked_child_ends_by_fault,
    "fork": fork_while_watched,
}


def work(way):
    if way in ("spin", "spin-gil", "lock", "read", "recover"):
        session.start_heartbeat_monitor(timeout=TIMEOUT)
    WAYS[way]()


if __name__ == "__main__":
    # A thread beside the main one, for the stacks of all threads.
    threading.Thread(target=threading.Event().wait, name="worker", daemon=True).start()
    work(sys.argv[1])
