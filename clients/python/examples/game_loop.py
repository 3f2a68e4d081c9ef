"""A game of 60 frames a second that records every frame: python game_loop.py [seconds]"""

import random
import sys
import time

import datacat

session = datacat.open(product="game loop example", version="0.3", state={"level": 1, "player": {"hp": 100}})
seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
clock = getattr(time, "perf_counter", time.time)
chance = random.Random(7)

player = {"hp": 100, "x": 0.0}
started = before = clock()
frame = 0
while clock() - started < seconds:
    frame += 1
    now = clock()
    frame_ms, before = (now - before) * 1000, now

    player["x"] += chance.random()
    session.update_state({"player": {"x": round(player["x"], 2)}})
    session.gauge("frame_ms", frame_ms, unit="ms")
    session.histogram("frame", frame_ms, unit="ms", buckets=[8, 16.7, 33, 100])
    session.counter("draw_calls", 40)
    for number in range(90):  # a hundred calls in each frame
        session.gauge("particle_energy", number * frame_ms)
    if frame % 30 == 0:
        player["hp"] -= 10
        session.log_event("hit", data={"hp": player["hp"]}, category="warning", group="combat")
        session.update_state({"player": {"hp": player["hp"]}})
    session.heartbeat(timeout=5)

    pause = started + frame / 60.0 - clock()
    if pause > 0:
        time.sleep(pause)

session.log_event("game_over", data={"frames": frame})
session.end()
print(session.session_id)
print(frame)
