# -*- coding: utf-8 -*-
"""Makes the calls of golden fixtures with a real client, and prints the name and the session of each: `play.py lane|direct NAME … -- …`."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "clients", "python"))

import datacat  # noqa: E402
from test_golden import play, read_fixture  # noqa: E402

for _name in sys.argv[2 : sys.argv.index("--")]:
    _fixture = read_fixture(_name)
    _environment = _fixture.get("environment", {})
    os.environ.update((str(key), str(value)) for key, value in _environment.items())
    _session = play(_fixture["calls"], lambda start: datacat.open(use_daemon=sys.argv[1] != "direct", **start))
    _session.end()
    _session.flush(30.0)
    for _key in _environment:
        del os.environ[_key]
    print("%s %s" % (_name, _session.session_id))
