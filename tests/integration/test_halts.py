"""Halts: seen by each bot, confirmed bot by bot, kept over restarts, lifted with a reason.

Usage: test_halts.py FLOTILLA
"""
import os
import signal
import sys
import unittest

import tap
from fleet import CliError, Fleet, alive, wait_for

FLOTILLA = sys.argv[1]


class Halts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        wait_for("all bots run", lambda: all(bot.get("phase") == "running"
                                             for bot in cls.fleet.cli("bot", "ls")["items"]), 30)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def bots(self):
        return self.fleet.cli("bot", "ls")["items"]

    def halt(self, *words):
        return self.fleet.cli("halt", *words, "--yes", "--reason", "drill")["number"]

    def show(self, number):
        return self.fleet.cli("halts", str(number))

    def confirmed(self, number):
        shown = self.show(number)
        return shown if shown["confirmed"] == shown["covered"] else None

    def resume(self, *words):
        return self.fleet.cli("resume", *words, "--reason", "over")

    def test_1_a_halt_of_the_fleet_is_confirmed_by_each_bot(self):
        number = self.halt("--how", "cancel")
        shown = wait_for("all confirm", lambda: self.confirmed(number))
        self.assertEqual(shown["covered"], len(self.bots()))
        self.assertEqual((shown["waiting"], shown["in_force"]), ([], True))
        self.assertEqual({bot["orders_open"] for bot in self.bots()}, {0})
        done = self.fleet.run("resume")
        self.assertNotEqual(done.returncode, 0, "a resume needs a reason")
        later = self.resume()["number"]
        self.assertGreater(later, number)
        wait_for("all have seen it", lambda: self.confirmed(later))
        wait_for("all run", lambda: all(bot.get("phase") == "running" for bot in self.bots()))

    def test_2_who_has_not_confirmed_is_named_with_the_reason(self):
        pid = self.fleet.pids()["node-2"]
        os.kill(pid, signal.SIGSTOP)
        try:
            number = self.halt()
            wait_for("the others confirm", lambda: self.show(number)["confirmed"] ==
                     sum(bot["node"] == "node-1" for bot in self.bots()), 15)
            wait_for("its silence shows", lambda: {row.get("why") for row in
                                                   self.show(number)["waiting"]} == {"node_away"}, 15)
            waiting = self.show(number)["waiting"]
            self.assertEqual({row["node"] for row in waiting}, {"node-2"})
            self.assertIn("node-2 has not been heard of", waiting[0]["message"])
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("it follows when it is back", lambda: self.confirmed(number), 30)
        self.resume()

    def test_3_node_account_and_bot_halts_cover_what_they_name(self):
        rows = self.bots()
        for words, covers in ((("node-1", "--scope", "node"), lambda bot: bot["node"] == "node-1"),
                              (("demo", "--scope", "account"), lambda bot: bot["account"] == "demo"),
                              ((rows[0]["bot"],), lambda bot: bot["bot"] == rows[0]["bot"])):
            number = self.halt(*words)
            shown = wait_for("confirmed", lambda n=number: self.confirmed(n))
            self.assertEqual(shown["covered"], sum(map(covers, rows)), words)
            self.resume(*words)

    def test_4_a_halt_holds_over_restarts_of_node_controller_and_broker(self):
        number = self.halt()
        wait_for("confirmed", lambda: self.confirmed(number))
        for name in ("node-1", "controller", "broker"):
            pid = self.fleet.pids()[name]
            os.kill(pid, signal.SIGKILL)
            wait_for(f"{name} is started again", lambda n=name, p=pid: self.fleet.pids().get(n, p) != p
                     and alive(self.fleet.pids()[n]), 20)

            def held():
                try:
                    return self.confirmed(number)
                except (CliError, KeyError):
                    return None

            wait_for(f"confirmed after {name} was killed", held, 30)
            self.assertFalse([bot["bot"] for bot in self.bots() if bot.get("phase") == "running"])
        self.resume()
        wait_for("all run", lambda: all(bot.get("phase") == "running" for bot in self.bots()), 30)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Halts)
