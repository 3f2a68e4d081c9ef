# -*- coding: utf-8 -*-
"""The cases of test/fixtures/redaction.json, which all clients test."""

import io
import json
import os

import datacat
from worlds import FIXTURES, Test

with io.open(os.path.join(os.path.dirname(FIXTURES), "redaction.json"), encoding="utf-8") as file:
    CASES = json.load(file)


class Redaction(Test):
    def test_values_of_secret_keys(self):
        session = datacat.open()
        for case in CASES["values"]:
            session.log_event("case", data={case["key"]: case["value"]})
        ops = [op for op in self.ops() if op["op"] == "event"]
        self.assertEqual(len(ops), len(CASES["values"]))
        for case, op in zip(CASES["values"], ops):
            written = "[redacted]" if case["redacted"] else case["value"]
            self.assertEqual(op["data"], {case["key"]: written})

    def test_arguments(self):
        for case in CASES["arguments"]:
            arguments = [str(argument) for argument in case["original"]]
            self.assertEqual(datacat._without_secrets(arguments), case["written"])
