"""Runs unittest cases and prints TAP, which meson reads."""
import os
import sys
import traceback
import unittest


class _Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count = 0

    def _row(self, ok, test, note="", error=None):
        self.count += 1
        try:
            self._print(ok, test, note, error)
        except OSError:  # nobody reads any more: what was started is still to be ended
            self.stop()

    def _print(self, ok, test, note, error):
        name = getattr(test, "_testMethodName", None) or test.id().rsplit(".", 1)[-1]
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name[5:] if name.startswith('test_') else name}{note}")
        if error:
            for line in "".join(traceback.format_exception(*error)).splitlines():
                print("#", line)
        sys.stdout.flush()

    def addSuccess(self, test):
        self._row(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._row(False, test, error=err)

    def addError(self, test, err):
        super().addError(test, err)
        self._row(False, test, error=err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._row(False, subtest, error=err)

    def addSkip(self, test, reason):
        self._row(True, test, note=f" # SKIP {reason}")


def run(*cases):
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    result = _Result()
    suite.run(result)
    if result.shouldStop:
        os._exit(1)  # past Python's own last flush
    print(f"1..{result.count}")
    sys.exit(0 if result.wasSuccessful() and result.count else 1)
