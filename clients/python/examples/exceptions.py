"""Exceptions: caught, chained, with variables, and in threads."""

import threading

import datacat

session = datacat.open(product="exceptions example", version="1.0")
datacat.capture(session, faults=False)


def load(path, password):
    raise IOError("cannot read %s" % path)


try:
    load("level3.dat", password="hunter2")
except IOError:
    session.log_exception(data={"attempt": 1}, handled=True)

try:
    try:
        load("level3.dat", password="hunter2")
    except IOError:
        raise ValueError("level 3 is damaged")  # its cause is recorded too
except ValueError:
    session.log_exception(locals=True)  # with variables; passwords are redacted


def work():
    raise RuntimeError("not caught")


worker = threading.Thread(target=work, name="worker")
worker.start()
worker.join()

session.end()
print(session.session_id)
