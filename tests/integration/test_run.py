"""The test runner itself: its last line is the count, and what a failed test said stands before it, also
when a test hangs, crashes, breaks off, or when meson cannot run at all.

Usage: test_run.py RUN_PY
"""
import os
import subprocess
import sys
import tempfile
import unittest

import tap

RUN = sys.argv.pop(1)
PROGRAMS = {
    "good": "echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP not here'",
    "wrong": "echo 1..2; echo not ok 1 - c; echo '# AssertionError: the reason'; echo ok 2 - d; exit 1",
    "hangs": "echo ok 1 - e; echo '# waits for nothing'; sleep 600",
    "crashes": "echo '1..1'; kill -SEGV $$",
    "breaks_off": "echo 1..3; echo ok 1 - f; echo said >&2; exit 1",
}


class Run(unittest.TestCase):
    def project(self, names):
        folder = tempfile.TemporaryDirectory(prefix="flotilla-run-")
        self.addCleanup(folder.cleanup)
        with open(f"{folder.name}/meson.build", "w", encoding="ascii") as file:
            file.write("project('x')\n")
            for name in names:
                file.write(f"test('{name}', find_program('{name}'), protocol: 'tap', "
                           f"timeout: {2 if name == 'hangs' else 120})\n")
        for name in names:
            with open(f"{folder.name}/{name}", "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\n{PROGRAMS[name]}\n")
            os.chmod(f"{folder.name}/{name}", 0o755)
        subprocess.run(["meson", "setup", f"{folder.name}/build", folder.name], check=True, capture_output=True)
        return f"{folder.name}/build"

    def run_it(self, build):
        done = subprocess.run([sys.executable, RUN, build], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stdout.splitlines()

    def test_each_failure_is_shown_and_counted(self):
        code, text, lines = self.run_it(self.project(PROGRAMS))
        self.assertEqual((code, lines[-1]), (1, "4 passed, 4 failed, 1 skipped"))
        end = text[text.index("--- "):]
        for words in ("wrong: ", "    # AssertionError: the reason", "hangs: TIMEOUT",
                      "    # waits for nothing", "crashes: ", "    said"):
            self.assertIn(words, end)
        self.assertNotIn("ok 2 - d", end)
        self.assertEqual(set(lines[-2].removeprefix("failed: ").split(", ")), {"wrong", "hangs", "crashes", "breaks_off"})

    def test_all_good_ends_with_the_count_alone(self):
        code, text, lines = self.run_it(self.project(["good"]))
        self.assertEqual((code, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"))
        self.assertNotIn("--- ", text)

    def test_no_build_is_a_failure(self):
        code, _, lines = self.run_it("/nonexistent/build")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed, 0 skipped"))


STARTS_SOMETHING = """
import subprocess, unittest, tap
class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    @classmethod
    def tearDownClass(cls):
        cls.child.kill()
        cls.child.wait()
        open("ended", "w").close()
    def test_1(self):
        input()
    def test_2(self):
        open("went_on", "w").close()
tap.run(Case)
"""
HAS_A_SESSION = """
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import rig
child = subprocess.Popen(["sh", "-c", "echo $$; exec sleep 600"], start_new_session=True, preexec_fn=rig.with_us)
time.sleep(600)
"""


class Killed(unittest.TestCase):
    """kill -9 of the whole run once left a fleet behind for ever: its test ended at its next print()."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="flotilla-run-")
        self.addCleanup(self.folder.cleanup)

    def start(self, script, *words, **files):
        return subprocess.Popen([sys.executable, "-c", script, *words], cwd=self.folder.name, text=True, **files)

    def test_a_test_that_nobody_reads_ends_what_it_started(self):
        with self.start(STARTS_SOMETHING, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as case:
            case.stdout.close()
            case.stdin.write("go on\n")
            case.stdin.close()
            self.assertEqual((case.stderr.read(), case.wait(60)), ("", 1))
        self.assertEqual(os.listdir(self.folder.name), ["ended"])

    def test_what_has_a_session_of_its_own_ends_with_the_harness(self):
        chaos = os.path.join(os.path.dirname(os.path.abspath(RUN)), "..", "chaos")
        with self.start(HAS_A_SESSION, chaos, stdout=subprocess.PIPE) as harness:
            self.assertGreater(int(harness.stdout.readline()), 1)
            harness.kill()
            # Ends when the child did, which has it open.
            self.assertEqual(harness.communicate(timeout=60), ("", None))


if __name__ == "__main__":
    tap.run(Run, Killed)
