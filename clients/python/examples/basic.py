"""The smallest useful recording. Start a server with `npm start`, then run this and open its page."""

import datacat

session = datacat.open(product="basic example", version="1.0")
session.update_state({"status": "running", "window": {"width": 800, "height": 600}})
session.log_event("user_action", data={"action": "click", "button": "submit"})
session.gauge("memory_mb", 256.5, unit="MB")
session.update_state({"status": "done", "window": {"width": 1024}})  # height stays
session.end()

print(session.session_id)
