"""A run of tests as a session: an event per test, failures with their stacks. (For pytest there is pytest_datacat.py.)"""

import io
import time
import unittest

import datacat


class Arithmetic(unittest.TestCase):
    def test_adding(self):
        self.assertEqual(1 + 1, 2)

    def test_dividing(self):
        self.assertEqual(7 / 2.0, 3)

    @unittest.skip("needs a network")  # on purpose: the example shows a skip being recorded
    def test_downloading(self):
        pass


class Recorded(unittest.TextTestResult):
    session = None

    def startTest(self, test):
        self.started = time.time()
        self.session.update_state({"running": test.id()})
        unittest.TextTestResult.startTest(self, test)

    def record(self, test, result, error=None):
        seconds = time.time() - self.started
        data = {"test": test.id(), "result": result, "seconds": round(seconds, 6)}
        self.session.log_event("test", data=data, category="error" if error else "info", group="tests", labels=[result])
        self.session.counter("tests." + result)
        self.session.histogram("test_seconds", seconds, unit="s")
        if error:
            self.session.log_exception(error, {"test": test.id()})

    def addSuccess(self, test):
        self.record(test, "passed")
        unittest.TextTestResult.addSuccess(self, test)

    def addFailure(self, test, error):
        self.record(test, "failed", error)
        unittest.TextTestResult.addFailure(self, test, error)

    def addError(self, test, error):
        self.record(test, "error", error)
        unittest.TextTestResult.addError(self, test, error)

    def addSkip(self, test, reason):
        self.record(test, "skipped")
        unittest.TextTestResult.addSkip(self, test, reason)


with datacat.open(product="test run example", tags=["unittest"]) as session:
    Recorded.session = session
    suite = unittest.TestLoader().loadTestsFromTestCase(Arithmetic)
    report = io.BytesIO() if str is bytes else io.StringIO()
    result = unittest.TextTestRunner(stream=report, resultclass=Recorded).run(suite)
    session.update_state({"running": None, "ran": result.testsRun, "failed": len(result.failures)})

print(session.session_id)
