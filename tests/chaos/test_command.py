"""`flotilla chaos` on a demo: a plan that the seed repeats, a refusal anywhere else, a verdict.

Usage: test_command.py FLOTILLA
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import tap  # noqa: E402
from fleet import CliError, Fleet, wait_for  # noqa: E402

FLOTILLA = sys.argv[1]


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def plan(self, seed):
        done = self.fleet.run("chaos", "--dry-run", "--seed", str(seed))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_1_the_same_seed_gives_the_same_plan(self):
        self.assertEqual(self.plan(7), self.plan(7))
        self.assertNotEqual(self.plan(7), self.plan(8))
        self.assertIn("kill -9", self.plan(7))

    def test_2_a_fleet_that_is_no_demo_is_refused(self):
        folder = tempfile.mkdtemp(prefix="flotilla-test-")
        try:
            subprocess.run([FLOTILLA, "--dir", folder, "broker", "config"], check=True, stdout=subprocess.DEVNULL)
            done = subprocess.run([FLOTILLA, "--dir", folder, "chaos", "--yes"], capture_output=True, text=True,
                                  check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("no demo", done.stderr)
        finally:
            shutil.rmtree(folder)

    def test_3_bad_flags_are_refused(self):
        for words in (("--seed", "x"), ("--for", "9h"), ("--for", "soon")):
            with self.subTest(words=words), self.assertRaises(CliError) as caught:
                self.fleet.cli("chaos", "--yes", *words)
            self.assertEqual(caught.exception.error["code"], "invalid_argument")

    def test_4_after_it_the_books_agree_with_the_venue(self):
        wait_for("the demo's first fills", lambda: self.fleet.cli("status")["fills"] > 0)
        # It settles within twice 90 s, or says that it did not.
        done = self.fleet.run("-o", "json", "chaos", "--seed", "42", "--for", "8s", "--yes", timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report["equal"], report)
        self.assertEqual(report["seed"], 42)
        self.assertGreater(report["fills"], 0)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Command)
