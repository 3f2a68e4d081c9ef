"""Open windows and the focus as state, so that the session page shows what was open at the moment of an error."""

import datacat


class Windows(object):
    def __init__(self, session):
        self.session = session
        self.open = []

    def show(self, name, **details):
        self.open.append(name)
        self.session.update_state({"windows": {name: dict(details, visible=True)}, "open": self.open, "focus": name})
        self.session.log_event("window_opened", data={"window": name}, group="ui")
        self.session.gauge("open_windows", len(self.open))

    def close(self, name):
        self.open.remove(name)
        focus = self.open[-1] if self.open else None
        self.session.update_state({"windows": {name: None}, "open": self.open, "focus": focus})
        self.session.log_event("window_closed", data={"window": name}, group="ui")
        self.session.gauge("open_windows", len(self.open))


with datacat.open(product="window example", version="1.0") as session:
    windows = Windows(session)
    windows.show("main", width=1280, height=800)
    windows.show("inspector", docked=True)
    windows.show("export", path="scene.obj")
    windows.close("inspector")
    session.log_event("error_shown", data={"text": "disk full"}, category="error", group="ui")
    windows.close("export")

print(session.session_id)
