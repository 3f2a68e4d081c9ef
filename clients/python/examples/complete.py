"""Every call once."""

import datacat

session = datacat.open(
    product="complete example",
    version="2.1",
    tags=["example", "nightly"],
    state={"config": {"mode": "fast", "api_token": "redacted before it is written"}},
)

# State is a tree: objects merge, None deletes, everything else replaces.
session.update_state({"user": {"name": "Ada", "cart": ["book"]}})
session.update_state({"user": {"cart": ["book", "pen"]}, "config": {"mode": None}})

session.log_event("startup")
session.log_event("login", data={"user": "ada"}, category="info", group="auth", tags={"client": "web"}, message="Ada logged in")
session.log_event("low_disk", data={"free_mb": 120}, category="warning")

session.gauge("cpu_percent", 12.5, unit="%", tags=["core:0"])
session.counter("requests")
session.counter("bytes_sent", 1500, unit="bytes")
for seconds in (0.004, 0.02, 0.3):
    session.histogram("request_seconds", seconds, unit="s", buckets=[0.01, 0.1, 1])
with session.timer("load", tags=["level:3"]) as timer:
    for _ in range(10):
        timer.count += 1


@session.timer("parse", unit="milliseconds")
def parse(text):
    return text.split()


parse("a b c")

try:
    {}["missing"]
except KeyError:
    session.log_exception(data={"where": "complete example"})

session.start_heartbeat_monitor(timeout=60)
session.heartbeat()
session.pause()  # during a file dialog, for example
session.resume()

assert session.stats()["dropped"] == {}
session.end(exit_code=0)
print(session.session_id)
