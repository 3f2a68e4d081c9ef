"""Ends by an uncaught exception or by SIGKILL: python crash.py exception|kill. Its last ops reach the server in both cases."""

import os
import signal
import sys

import datacat

session = datacat.open(product="crash example", version="1.0")
session.update_state({"level": 3, "doing": "opening the door"})
session.gauge("memory_mb", 512)
session.log_event("door_opened", data={"door": 7})
print(session.session_id)
sys.stdout.flush()

if sys.argv[1:] == ["kill"]:
    os.kill(os.getpid(), signal.SIGKILL)
raise KeyError("sword")
