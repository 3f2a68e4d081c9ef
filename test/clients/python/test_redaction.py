# -*- coding: utf-8 -*-
"""The cases of test/fixtures/redaction.json, which all clients test."""

import io
import json
import os
import random

import datacat
from worlds import FIXTURES, Test

with io.open(os.path.join(os.path.dirname(FIXTURES), "redaction.json"), encoding="utf-8") as file:
    CASES = json.loads(file.read().replace(u"\u00a6", u""))  # it keeps scanners from taking an example for a secret


def native(text):
    return text if type(text) is str else text.encode("utf-8")


class Redaction(Test):
    def test_values_of_secret_keys(self):
        session = datacat.open()
        for case in CASES["values"]:
            session.log_event("case", data={case["key"]: case["value"]})
        ops = [op for op in self.ops() if op["op"] == "event"]
        self.assertEqual(len(ops), len(CASES["values"]))
        for case, op in zip(CASES["values"], ops):
            written = "[redacted]" if case["redacted"] else case["value"]
            self.assertEqual(op.get("data"), {case["key"]: written})

    def test_texts(self):
        for case in CASES["texts"]:
            written = case.get("written", case["original"])
            self.assertEqual(datacat._clean(native(case["original"])), native(written), case["original"])

    def test_structures(self):
        for case in CASES["structures"]:
            written = json.loads(datacat._object_text({"s": case["original"]}, "data", []))["s"]
            self.assertEqual(written, case.get("written", case["original"]))

    def test_arguments(self):
        for case in CASES["arguments"]:
            arguments = [native(argument) for argument in case["original"]]
            self.assertEqual(datacat._without_secrets(arguments), [native(each) for each in case["written"]])

    def test_own_rules(self):
        names = "_own_names _kept_paths _name_in_lower _name_in_any _prefix _format _prefix_rules _has_own_rules".split()
        before = dict((name, getattr(datacat, name)) for name in names)
        datacat._use_rules(json.dumps(CASES["own"]["rules"]))
        try:
            for case in CASES["own"]["texts"]:
                self.assertEqual(datacat._clean(native(case["original"])), native(case["written"]))
            for case in CASES["own"]["objects"]:
                written = json.loads(datacat._object_text(case["original"], native(case["root"]), []))
                self.assertEqual(written, case["written"])
        finally:
            for name in names:
                setattr(datacat, name, before[name])
            datacat._keys.clear()

    def test_no_part_of_a_secret_is_stored_where_a_message_is_cut(self):
        session = datacat.open()
        secret = "password=hunter2hunter2"
        for before in range(1, len(secret)):
            session.log_event("cut", message="x" * (131072 - before - 1) + " " + secret + " y" * 200000)
        for op in [op for op in self.ops() if op["op"] == "event"]:
            self.assertGreater(len(op["message"]), 131000)
            self.assertNotIn("=h", op["message"])

    def test_what_is_not_stored_of_a_text_is_not_read(self):
        text = datacat._clean("token: abcdefgh12 " * 60000, 262144)
        self.assertNotIn("abcdefgh12", text[:131072])
        self.assertTrue(text.endswith("token: abcdefgh12 " * 40000))
        key = "-----BEGIN PRIVATE KEY-----" + "A" * 300000 + "-----END PRIVATE KEY-----"
        self.assertEqual(datacat._clean(key + " password=hunter2" + " y" * 60000, 262144)[:45], "[redacted:private-key] password=[redacted] y ")

    def test_redacting_again_changes_nothing(self):
        chance = random.Random(12)
        pieces = [native(case["original"]) for case in CASES["texts"][::3]] + list("=:\"'\\[]{}()@/?&#,;-_.% \n0x")
        for _ in range(2000):
            text = "".join([chance.choice(pieces) for _ in range(chance.randint(1, 8))])
            once = datacat._clean(text)
            self.assertEqual(datacat._clean(once), once, text)
