# -*- coding: utf-8 -*-
"""Direct mode: without a daemon or a disk, bounded, each record once in effect; against a server that fails in every way."""

import io
import json
import os
import re
import threading
import time
import unittest
import zlib

import datacat
from worlds import ROOT, Test

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer


class FarServer(object):
    """Applies batches as the server does: strictly in order for each lane. `fault` may answer instead, or lose the answer."""

    def __init__(self, test):
        self.applied = {}
        self.ops = []
        self.dropped = {}
        self.batches = []
        self.requests = 0
        self.headers = []
        self.uploads = []
        self.upload_faults = []
        self.chunks = {}
        self.fault = lambda number, batch: None
        far = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = zlib.decompress(body, 31)
                far.headers.append(dict(self.headers.items()))
                answer = far.answer(json.loads(body.decode("utf-8")))
                status, text = answer if isinstance(answer, tuple) else (200, answer)
                if status is None:
                    return self.connection.close()
                data = json.dumps(text).encode("utf-8")
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                if "/attachments/" not in self.path:
                    return self.send_error(501)
                self.attachment(None, b"")

            def do_PUT(self):
                chunk = self.rfile.read(int(self.headers["Content-Length"]))
                self.attachment(int(self.path.rsplit("/", 1)[-1]), chunk)

            def attachment(self, number, chunk):
                """The routes of attachments, by the ops that were applied."""
                far.uploads.append(number)
                status = far.upload_faults.pop(0) if far.upload_faults else 200
                attachment = self.path.split("/")[5]
                op = [each for each in far.ops if each.get("id") == attachment]
                stored = far.chunks.setdefault(attachment, {})
                if number is not None and status == 200:
                    stored[number] = chunk
                chunks = -(-op[0]["size"] // datacat.CHUNK_BYTES) if op else 0
                text = {"chunks": chunks, "received": sorted(stored), "complete": len(stored) == chunks}
                data = json.dumps(text).encode("utf-8")
                self.send_response(status if op else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *arguments: None
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.daemon = True
        thread.start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def answer(self, body):
        self.requests += 1
        batch = body["batches"][0]
        early = self.fault(self.requests, batch)
        if early is not None and early != "lose the answer":
            return early
        result = self.apply(batch)
        return (None, None) if early else {"results": [result]}

    def apply(self, batch):
        key = batch["session"], batch["lane"]
        applied = self.applied.get(key, 0)
        result = {"session": batch["session"], "lane": batch["lane"], "applied": applied}
        if batch["last"] <= applied and batch["ops"]:
            return result
        if batch["first"] != applied + 1:
            result["error"] = {"code": "lane_gap" if batch["first"] > applied + 1 else "lane_overlap", "message": "…"}
            return result
        dropped = sum(batch.get("dropped", {}).values())
        assert batch["last"] - batch["first"] + 1 == len(batch["ops"]) + dropped, batch
        self.applied[key] = result["applied"] = batch["last"]
        self.batches.append(batch)
        self.ops += batch["ops"]
        for cause, count in batch.get("dropped", {}).items():
            self.dropped[cause] = self.dropped.get(cause, 0) + count
        return result


class Policy(unittest.TestCase):
    """The numbers of direct mode are those of every client."""

    NUMBERS = {
        "queue_ops": datacat.QUEUE_OPS,
        "queue_bytes": datacat.QUEUE_BYTES,
        "queue_freed_percent": datacat.QUEUE_FREED * 100,
        "batch_ops": datacat.BATCH_OPS,
        "batch_bytes": datacat.BATCH_BYTES,
        "gather_ms": datacat.GATHER_SECONDS * 1000,
        "watched_gather_ms": datacat.WATCHED_GATHER_SECONDS * 1000,
        "urgent_ops": list(datacat.URGENT_OPS),
        "lease_ms": datacat.LEASE_SECONDS * 1000,
        "lease_renewal_ms": datacat.LEASE_RENEWAL_SECONDS * 1000,
        "timeout_ms": datacat.SEND_SECONDS * 1000,
        "retry_first_ms": datacat.RETRY_FIRST_SECONDS * 1000,
        "retry_longest_ms": datacat.RETRY_LONGEST_SECONDS * 1000,
        "retry_jitter_percent": datacat.RETRY_JITTER * 100,
        "refused_pause_ms": datacat.REFUSED_PAUSE_SECONDS * 1000,
        "end_wait_ms": datacat.END_WAIT_SECONDS * 1000,
        "causes_kept": datacat.MAX_CAUSES,
    }

    def setUp(self):
        with io.open(os.path.join(ROOT, "test", "fixtures", "direct-policy.json"), encoding="utf-8") as file:
            self.policy = json.load(file)

    def test_this_client_has_the_numbers_of_the_fixture(self):
        self.assertEqual(self.NUMBERS, self.policy)

    def test_the_table_in_the_lane_format_shows_the_numbers_of_the_fixture(self):
        with io.open(os.path.join(ROOT, "clients", "README.md"), encoding="utf-8") as file:
            section = file.read().split("## Direct mode")[1].split("\n## ")[0]
        shown = dict(re.findall(r"^\| `(\w+)` +\| ([^|]+?) +\|", section, re.MULTILINE))
        as_text = lambda value: ", ".join(value) if isinstance(value, list) else str(value)  # noqa: E731
        self.assertEqual(shown, dict((name, as_text(value)) for name, value in self.policy.items()))


class Direct(Test):
    def setUp(self):
        Test.setUp(self)
        self.set(GATHER_SECONDS=0.01, RETRY_FIRST_SECONDS=0.02, RETRY_LONGEST_SECONDS=0.05, REFUSED_PAUSE_SECONDS=0.001)
        self.far = FarServer(self)

    def set(self, **numbers):
        for name, value in numbers.items():
            self.addCleanup(setattr, datacat, name, getattr(datacat, name))
            setattr(datacat, name, value)

    def open(self, **options):
        return datacat.open(self.far.url, use_daemon=False, **options)

    def numbers(self):
        return [op["data"]["n"] for op in self.far.ops if op["op"] == "event"]

    def test_everything_arrives_in_order_and_the_writer_is_sent(self):
        session = self.open(product="game")
        for number in range(500):
            session.log_event("e", data={"n": number})
            session.gauge("g", number)
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), list(range(500)))
        self.assertEqual([op["op"] for op in (self.far.ops[0], self.far.ops[-1])], ["start", "end"])
        self.assertEqual(self.far.batches[0]["writer"]["pid"], os.getpid())
        self.assertGreater(self.far.batches[0]["lease_ms"], 0)
        self.assertLess(self.far.requests, 50)
        self.assertEqual(os.listdir(self.home), [])

    def test_the_content_of_an_attachment_follows_its_op_in_chunks_whatever_the_server_answers(self):
        session = self.open()
        self.far.upload_faults = [503, 200, 200, 500]
        content = bytearray(b"ab") * (datacat.CHUNK_BYTES + 1)
        session.attach("a.bin", content)
        content[:] = b""  # the program goes on with its own bytes
        self.assertTrue(session.flush(60))
        op = [op for op in self.far.ops if op["op"] == "attachment"][0]
        stored = self.far.chunks[op["id"]]
        self.assertEqual(b"".join(stored[number] for number in sorted(stored)), b"ab" * (datacat.CHUNK_BYTES + 1))
        self.assertEqual(self.far.uploads, [None, None, 0, 1, None, 1, 2])
        self.far.upload_faults = [422]
        session.attach("refused", b"x")
        self.assertTrue(session.flush(60))
        self.assertEqual(self.far.uploads[7:], [None])

    def test_content_without_room_in_memory_is_counted_and_named(self):
        session = self.open()
        self.far.upload_faults = [503] * 3
        session.attach("first", bytearray(datacat.WAITING_BYTES))
        session.attach("second", b"x")
        self.assertEqual(session.stats()["dropped"], {"queue_full": 1})
        self.assertTrue(session.flush(60))
        session.attach("third", b"x")
        self.assertTrue(session.flush(60))
        names = [op.get("name", op.get("cause")) for op in self.far.ops[1:]]
        self.assertEqual(names, ["first", "queue_full", "attachment_lost", "third"])

    def test_each_record_once_whatever_the_server_does(self):
        answers = [(500, {}), (429, {}), "lose the answer", (503, {}), None, "lose the answer", (None, None)]
        self.far.fault = lambda number, batch: answers[number % len(answers)]
        session = self.open()
        for number in range(300):
            session.log_event("e", data={"n": number})
            if number % 10 == 0:
                time.sleep(0.005)
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), list(range(300)))
        self.assertEqual(self.far.dropped, {})

    def test_a_server_that_lost_the_lane_gets_the_rest_in_a_new_one(self):
        session = self.open()
        session.log_event("e", data={"n": 0})
        session.flush(60)
        self.far.applied.clear()
        session.log_event("e", data={"n": 1})
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), [0, 1])

    def test_an_op_that_the_server_refuses_is_lost_alone(self):
        refuse = lambda number, batch: (400, {}) if any(op.get("name") == "bad" for op in batch["ops"]) else None  # noqa: E731
        self.far.fault = refuse
        session = self.open()
        for number in range(40):
            session.log_event("bad" if number == 17 else "e", {"n": number})
        self.assertTrue(session.flush(60))
        session.end()
        session.flush(60)
        self.assertEqual(self.numbers(), [number for number in range(40) if number != 17])
        self.assertEqual(self.far.dropped, {"refused": 1})
        self.assertEqual(session.stats()["dropped"], {"refused": 1})

    def test_a_batch_that_the_server_failed_to_apply_is_sent_again(self):
        for code in ("internal", "unavailable", "too_many_requests", "unauthorized"):
            self.far.fault = lambda number, batch: (
                {"results": [{"session": "", "lane": "", "applied": 0, "error": {"code": code, "message": ""}}]}
                if batch["ops"] and self.far.requests % 3
                else None
            )
            self.far.ops = []
            session = self.open()
            session.log_event("e", data={"n": 1})
            session.end()
            self.assertTrue(session.flush(60))
            self.assertEqual((self.numbers(), self.far.dropped, session.stats()["dropped"]), ([1], {}, {}), code)

    def test_too_much_at_once_is_divided(self):
        self.far.fault = lambda number, batch: (413, {}) if len(batch["ops"]) > 7 else None
        session = self.open()
        for number in range(100):
            session.log_event("e", data={"n": number})
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), list(range(100)))

    def test_a_full_queue_drops_the_oldest_metrics_first_and_counts_them(self):
        self.set(QUEUE_OPS=200)
        hold = threading.Event()
        self.far.fault = lambda number, batch: None if hold.is_set() else (503, {})
        session = self.open(product="game")
        for number in range(1000):
            session.gauge("g", number)
            if number % 20 == 0:
                session.log_event("e", data={"n": number})
        self.assertLessEqual(session._writer.queued(), 200 + datacat.BATCH_OPS)
        hold.set()
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), list(range(0, 1000, 20)))
        points = sum(op["op"] == "metric" for op in self.far.ops)
        self.assertEqual(points + self.far.dropped["queue_full"], 1000)
        self.assertEqual(self.far.ops[0]["op"], "start")
        self.assertEqual(session.stats()["dropped"], self.far.dropped)

    def test_an_urgent_op_and_a_full_batch_are_sent_without_gathering(self):
        self.set(GATHER_SECONDS=600.0)
        session = self.open()

        def sent(op):
            deadline = time.time() + 20
            while time.time() < deadline:
                if any(op(sent) for sent in list(self.far.ops)):
                    return True
                time.sleep(0.01)

        self.assertTrue(sent(lambda op: op["op"] == "start"))
        session.log_event("waits")
        session.gauge("g", 1)
        time.sleep(0.2)
        self.assertEqual(len(self.far.ops), 1)
        session.log_exception(ValueError("bad"))
        self.assertTrue(sent(lambda op: op.get("exception_type") == "ValueError"))
        self.assertEqual([op["op"] for op in self.far.ops], ["start", "event", "metric", "event"])
        for number in range(datacat.BATCH_OPS):
            session.gauge("g", number)
        self.assertTrue(sent(lambda op: op.get("value") == datacat.BATCH_OPS - 1))
        session.log_event("last")
        session.end()
        self.assertTrue(sent(lambda op: op["op"] == "end"))

    def test_while_a_page_shows_the_session_ops_are_gathered_for_a_shorter_time(self):
        self.set(GATHER_SECONDS=600.0, WATCHED_GATHER_SECONDS=0.05)
        apply = self.far.apply
        self.far.apply = lambda batch: dict(apply(batch), watched=True)
        session = self.open()
        for number in range(3):
            session.log_event("e", data={"n": number})
            deadline = time.time() + 20
            while len(self.numbers()) <= number and time.time() < deadline:
                time.sleep(0.01)
        self.assertEqual(self.numbers(), [0, 1, 2])
        self.far.apply = apply
        session.log_exception(ValueError("bad"))
        self.assertTrue(session.flush(20))
        session.log_event("waits again")
        time.sleep(0.3)
        self.assertEqual(session._writer.queued(), 1)
        session.end()

    def test_the_first_op_after_a_rest_is_sent_soon(self):
        self.set(GATHER_SECONDS=0.01, WATCHED_GATHER_SECONDS=0.02)
        session = self.open()
        deadline = time.time() + 20
        while not session._writer.is_resting and time.time() < deadline:
            time.sleep(0.001)
        session._writer.gather = 600.0
        time.sleep(0.05)  # the rest that had the shorter time is over
        session.log_event("e", data={"n": 0})
        while not self.numbers() and time.time() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.numbers(), [0])

    def test_a_batch_is_no_larger_than_the_policy_unless_one_op_is(self):
        hold = threading.Event()
        self.far.fault = lambda number, batch: None if hold.is_set() else (503, {})
        session = self.open()
        for number in range(40):
            session.log_event("e", data={"n": number, "text": "x" * 30000})
        hold.set()
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), list(range(40)))
        sizes = [sum(len(json.dumps(op)) for op in batch["ops"]) for batch in self.far.batches]
        self.assertLess(max(sizes), datacat.BATCH_BYTES * 1.01)

    def test_nothing_more_is_sent_for_a_deleted_session(self):
        self.far.fault = lambda number, batch: {
            "results": [{"session": "", "lane": "", "applied": 0, "error": {"code": "gone", "message": ""}}]
        }
        session = self.open()
        session.log_event("e")
        session.flush(5)
        session.log_event("more")
        self.assertEqual(session._writer.queued(), 0)

    def test_the_key_is_sent(self):
        os.environ["DATACAT_KEY"] = "k"
        session = self.open()
        session.flush(60)
        self.assertEqual(dict((k.lower(), v) for k, v in self.far.headers[0].items())["authorization"], "Bearer k")

    def test_a_daemon_in_another_container_gets_the_ops_and_not_the_key(self):
        os.environ["DATACAT_DAEMON_URL"] = self.far.url + "/"
        os.environ["DATACAT_KEY"] = "k"
        session = datacat.open("http://far.example")
        session.log_event("e", data={"n": 1})
        session.end()
        self.assertTrue(session.flush(60))
        self.assertEqual(self.numbers(), [1])
        self.assertNotIn("authorization", [name.lower() for name in self.far.headers[0]])

    def test_a_session_without_ops_renews_its_lease(self):
        self.set(LEASE_RENEWAL_SECONDS=0.03)
        session = self.open()
        session.flush(60)
        deadline = time.time() + 10
        while self.far.requests < 4 and time.time() < deadline:
            time.sleep(0.01)
        self.assertGreaterEqual(self.far.requests, 4)
        self.assertEqual(len(self.far.ops), 1)
        session.end()

    def test_a_program_that_ends_at_once_has_sent_everything(self):
        code, _, errors = self.run_program(
            u"import datacat\ns = datacat.open(%r, use_daemon=False)\ns.log_event('e', data={'n': 1})\n" % str(self.far.url)
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual([op["op"] for op in self.far.ops], ["start", "event", "end"])

    def test_a_server_that_does_not_answer_does_not_hold_up_the_exit(self):
        for url in ("http://127.0.0.1:1", "http://192.0.2.1"):  # refused at once; never answers
            started = time.time()
            code, _, errors = self.run_program(
                u"import datacat\ns = datacat.open(%r, use_daemon=False)\ns.log_event('e')\ns.end()\n" % url
            )
            self.assertEqual((code, errors), (0, ""))
            self.assertLess(time.time() - started, 20)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_forked_child_sends_its_own_and_nothing_twice(self):
        code, _, errors = self.run_program(
            u"import datacat, os, sys, warnings\nwarnings.simplefilter('ignore')\n"
            u"s = datacat.open(%r, use_daemon=False)\ns.log_event('e', data={'n': 1})\n"
            u"child = os.fork()\n"
            u"if child == 0:\n    s.log_event('e', data={'n': 2}); s.flush(10); os._exit(0)\n"
            u"os.waitpid(child, 0)\ns.log_event('e', data={'n': 3})\n" % str(self.far.url)
        )
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(sorted(self.numbers()), [1, 2, 3])
        self.assertEqual(len(self.far.applied), 2)

    def test_a_plain_request_never_sets_tls_up(self):
        """A fork while OpenSSL loads its certificates leaves the child with its locks held: it would never send."""
        calls = []
        before = datacat.HTTPSHandler.__init__
        self.addCleanup(setattr, datacat.HTTPSHandler, "__init__", before)
        datacat.HTTPSHandler.__init__ = lambda self, *options: calls.append(1) or before(self, *options)
        session = self.open()
        session.log_event("e", data={"n": 1})
        self.assertTrue(session.flush(10))
        self.assertEqual(calls, [])
        try:
            datacat._ask("https://127.0.0.1:1/")
        except datacat.URLError:
            self.assertEqual(calls, [1])

    def test_get_details_waits_for_what_was_logged_and_asks_the_server(self):
        session = self.open()
        session.log_event("e", data={"n": 1})
        with self.assertRaises(Exception) as raised:
            session.get_details()  # this far server has no such route
        self.assertIn("HTTP Error 501", str(raised.exception))
        self.assertEqual(self.numbers(), [1])
