"""A program that hangs for a while: python heartbeat_and_hang.py [seconds]. The daemon detects the hang and the recovery."""

import sys
import time

import datacat

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0

session = datacat.open(product="hang example", version="1.0")
session.start_heartbeat_monitor(timeout=1)
for _ in range(5):
    session.heartbeat()
    time.sleep(0.1)

session.update_state({"doing": "something that takes far too long"})
print(session.session_id)
sys.stdout.flush()
time.sleep(seconds)  # no heartbeat within the timeout of 1 s

session.heartbeat()
session.update_state({"doing": "fine again"})
time.sleep(0.5)
session.end()
