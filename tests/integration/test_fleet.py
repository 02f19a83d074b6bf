"""The demo fleet as a user meets it: starts, trades, survives kills, and its books are right.

Usage: test_fleet.py FLOTILLA
"""
import os
import signal
import subprocess
import sys
import unittest

import tap
from fleet import CliError, Fleet, alive, wait_for

FLOTILLA = sys.argv[1]
KILLED = ("node-1", "node-2", "controller", "broker", "sim", "dashboard")


def items(document):
    return document["items"] if isinstance(document, dict) and "items" in document else document


class DemoFleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def bots(self):
        return items(self.fleet.cli("bot", "ls"))

    def fills(self):
        return sum(bot["fills"] for bot in self.bots())

    def phase(self, name):
        return next((bot.get("phase") for bot in self.bots() if bot["bot"] == name), None)

    def deploy(self, name, *more, strategy="grid", account="demo", instrument="BTC-USDT", **params):
        params = {"lower": 50000, "upper": 70000, "levels": 10, "budget": 2000, **params}
        words = [word for key, value in params.items() for word in ("--param", f"{key}={value}")]
        return self.fleet.cli("bot", "deploy", "--name", name, "--strategy", strategy, "--account",
                              account, "--instrument", instrument, *words, *more)

    def orders(self, name):
        return self.fleet.cli("bot", "orders", name)["orders"]

    def refused(self, *words):
        with self.assertRaises(CliError) as caught:
            self.fleet.cli(*words)
        return caught.exception.error

    def test_01_the_ready_line_names_address_user_and_password(self):
        self.assertRegex(self.fleet.ready,
                         rf"^ready http://127\.0\.0\.1:{self.fleet.port} user=admin password=\S+$")

    def test_02_two_nodes_run_24_bots_and_have_traded(self):
        nodes = items(self.fleet.cli("node", "ls"))
        self.assertEqual(sorted(node["node"] for node in nodes), ["node-1", "node-2"])
        wait_for("both are up", lambda: {node["state"] for node in items(self.fleet.cli("node", "ls"))} == {"up"})
        bots = self.bots()
        self.assertEqual(len(bots), 24)
        self.assertEqual({bot["node"] for bot in bots}, {"node-1", "node-2"})
        wait_for("fills", lambda: self.fills() > 0)
        wait_for("all bots running", lambda: all(bot.get("phase") == "running"
                                                 for bot in self.bots()))

    def test_03_the_books_equal_the_venue_fill_by_fill(self):
        wait_for("equal books", self.fleet.reconciled)

    def test_04_a_bot_is_deployed_paused_resumed_stopped_and_removed(self):
        self.deploy("grid-test", "--wait")
        wait_for("running", lambda: self.phase("grid-test") == "running")
        wait_for("orders", lambda: self.orders("grid-test"))
        wait_for("a position", lambda: float(next(
            bot for bot in self.bots() if bot["bot"] == "grid-test").get("position", 0)) > 0)
        self.fleet.cli("bot", "pause", "grid-test", "--wait")
        self.assertEqual(self.phase("grid-test"), "paused")
        self.fleet.cli("bot", "resume", "grid-test", "--wait")
        self.assertEqual(self.phase("grid-test"), "running")
        self.fleet.cli("bot", "stop", "grid-test", "--wait")
        self.assertEqual(self.phase("grid-test"), "stopped")
        self.assertEqual(self.orders("grid-test"), [])
        self.assertEqual(self.refused("bot", "rm", "grid-test", "--yes")["code"], "conflict")
        self.fleet.cli("bot", "stop", "grid-test", "--flatten", "--yes", "--wait")
        self.fleet.cli("bot", "rm", "grid-test", "--yes")
        wait_for("gone", lambda: self.phase("grid-test") is None)

    def test_05_bad_manifests_are_refused_with_field_reason_and_hint(self):
        before = len(self.bots())
        cases = (
            ({"levls": 4}, "levls"),
            ({"levels": "many"}, "levels"),
            ({"levels": 0}, "levels"),
            ({"lower": 80000}, "upper"),
            ({"budget": 20}, "budget"),
            ({"lower": 60000, "upper": 60100, "levels": 40, "budget": 20000}, "levels"),
            ({"instrument": "BTC-EUR"}, "instrument"),
            ({"strategy": "grd"}, "strategy"),
            ({"account": "nobody"}, "account"),
        )
        for wrong, field in cases:
            with self.subTest(wrong=wrong):
                with self.assertRaises(CliError) as caught:
                    self.deploy("grid-bad", **wrong)
                error = caught.exception.error
                self.assertIn(error["code"], ("invalid_argument", "not_found"), error)
                self.assertIn(field, error.get("field", ""), error)
                self.assertTrue(error["message"] and error.get("hint"), error)
        self.assertEqual(len(self.bots()), before)

    def test_06_a_halt_pauses_all_bots_and_a_resume_lets_them_go_on(self):
        self.fleet.cli("halt", "--reason", "test", "--yes")
        wait_for("all paused", lambda: all(bot.get("phase") == "paused" for bot in self.bots()))
        self.fleet.cli("resume", "--reason", "test is over")
        wait_for("all running", lambda: all(bot.get("phase") == "running" for bot in self.bots()))

    def test_07_any_process_may_be_killed_and_the_books_stay_right(self):
        for name in KILLED:
            with self.subTest(process=name):
                pid = self.fleet.pids()[name]
                os.kill(pid, signal.SIGKILL)
                wait_for(f"{name} is started again",
                         lambda n=name, p=pid: self.fleet.pids().get(n, p) != p
                         and alive(self.fleet.pids()[n]))
                wait_for(f"all bots run after {name}", self.all_run, 40)
        wait_for("equal books", self.fleet.reconciled)

    def all_run(self):
        try:
            return all(bot.get("phase") == "running" and bot.get("age_ms", 0) < 90000
                       for bot in self.bots())
        except (CliError, subprocess.TimeoutExpired):
            return False

    def test_08_a_second_up_on_the_same_folder_says_so(self):
        done = subprocess.run([FLOTILLA, "up", "--demo", "--dir", self.fleet.dir, "--port",
                               str(self.fleet.port)], capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("running", done.stderr)

    def test_09_down_and_up_again_lose_nothing_and_print_no_password(self):
        before = self.fills()
        pids = self.fleet.pids()
        self.assertEqual(self.fleet.down(), 0)
        self.assertEqual([pid for pid in pids.values() if alive(pid)], [])
        self.fleet.up()
        self.assertNotIn("password", self.fleet.ready)
        self.assertEqual(len(self.bots()), 24)
        self.assertGreaterEqual(self.fills(), before)
        wait_for("all bots run again", self.all_run, 40)
        wait_for("equal books", self.fleet.reconciled)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(DemoFleet)
