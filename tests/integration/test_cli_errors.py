#!/usr/bin/env python3
"""Everything typed wrong on purpose: each refusal names the thing, the reason and what to try next, and
has the exit status of docs/cli.md."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import tap
from cli_rig import FLOTILLA, CliCase

# words, exit status, what the message has, what the hint has
WRONG = [
    (["bto", "ls"], 2, "unknown command bto", "flotilla bot?"),
    (["stop", "x"], 2, "unknown command stop", "flotilla bot stop?"),
    (["drain", "x"], 2, "unknown command drain", "flotilla node drain?"),
    (["bot", "stop", "--all", "--yes", "--wait=soon"], 2, "--wait is not a duration: soon", "--wait=30s"),
    (["bot", "lss"], 2, "unknown command bot lss", "flotilla bot ls?"),
    (["bot"], 2, "bot needs a command", "flotilla bot --help"),
    (["bot", "ls", "--nood", "x"], 2, "unknown flag --nood", "--node"),
    (["bot", "ls", "-Z"], 2, "unknown flag -Z", "flotilla bot ls --help"),
    (["bot", "ls", "--node"], 2, "--node needs a value", ""),
    (["bot", "ls", "--phase", "runing"], 2, "--phase is one of waiting", ""),
    (["bot", "show"], 2, "bot show needs BOT", "flotilla bot show --help"),
    (["bot", "show", "a", "b"], 2, "one word too many: b", ""),
    (["bot", "show", "nobody"], 3, "nobody", ""),
    (["bot", "stop"], 2, "bot stop needs the name of a bot", "-l node=node-1"),
    (["bot", "stop", "nobody"], 3, "there is no bot nobody", "flotilla bot ls"),
    (["bot", "stop", "nobody", "--all"], 2, "one of them", ""),
    (["bot", "stop", "-l", "state=error", "--yes"], 3, "no bot matches state=error", "help filter"),
    (["bot", "stop", "-l", "stat=error"], 2, "no field stat", "did you mean state?"),
    (["bot", "stop", "-l", "pnl<much"], 2, "compare numbers", "pnl<0"),
    (["bot", "stop", "x", "--flatten", "--detach"], 2, "contradict", ""),
    (["bot", "start", "--all", "--yes"], 3, "there are no bots", ""),
    (["bot", "fills", "-n", "many"], 2, "--limit is a number", "-n 50"),
    (["bot", "fills", "--since", "noon"], 2, "--since is not a time", "2026-03-01"),
    (["bot", "ls", "--columns", "bot,colour"], 2, "no column colour", "there are: bot, node"),
    (["bot", "ls", "--sort", "colour"], 2, "no column colour", "there are: bot"),
    (["-o", "yaml", "bot", "ls"], 2, "--output is one of table|wide|json", ""),
    (["--timeout", "soon", "status"], 2, "not a duration", "500ms"),
    (["--color", "red", "status"], 2, "--color is one of", ""),
    (["bot", "deploy", "--strategy", "grid"], 2, "a bot needs --name", "--help"),
    (["bot", "deploy", "--name", "x", "--strategy", "grid", "--instrument", "BTC-USDT", "-P", "levels"], 2,
     "key=value", "levels=20"),
    (["apply"], 2, "apply needs -f FILE", "flotilla apply -f"),
    (["apply", "-f", "/nowhere.yml"], 3, "/nowhere.yml", ""),
    (["diff"], 2, "diff needs -f FILE", ""),
    (["account", "add", "UPPER", "--venue", "binance"], 2, "not a name", "small letters"),
    (["account", "add", "one"], 2, "needs --venue", "--venue binance"),
    (["fills", "nobody"], 3, "there is no bot nobody", ""),
    (["bot", "config", "nobody"], 3, "there is no bot nobody", "flotilla bot ls"),
    (["bot", "config", "a", "b=1"], 2, "did you mean: flotilla bot config a set b=1", ""),
    (["bot", "clone", "a", "B"], 2, "not a name for a bot: B", "small letters"),
    (["account", "show", "nobody"], 3, "there is no account nobody", "flotilla account ls"),
    (["account", "test", "nobody"], 3, "there is no account nobody", "flotilla account ls"),
    (["account", "rm", "nobody", "--yes"], 3, "nobody", ""),
    (["halt"], 2, "needs --reason", ""),
    (["halt", "--scope", "node", "--reason", "x"], 2, "needs its name", ""),
    (["halts", "three"], 2, "not a whole number: three", ""),
    (["pnl", "--by", "moon"], 2, "--by is one of bot|node|account|day", ""),
    (["pnl", "--from", "1d"], 2, "--by day only", "--by day"),
    (["user", "add", "x", "--role", "king"], 2, "--role is one of viewer|trader|admin", ""),
    (["token", "add", "ci", "--ttl", "soon"], 2, "not a duration", "30d"),
    (["watch", "-l", "strategy=grid"], 2, "watch knows", "top -l"),
    (["top"], 2, "top needs a terminal", "watch"),
    (["watch", "nobody"], 3, "there is no bot nobody", "flotilla bot ls"),
    (["bot", "list"], 2, "unknown command bot list", "did you mean: flotilla bot ls?"),
    (["bot", "delete", "x"], 2, "unknown command bot delete", "did you mean: flotilla bot rm?"),
    (["account", "create"], 2, "unknown command account create", "did you mean: flotilla account add?"),
    (["bots", "show", "nobody"], 3, "there is no bot nobody", "flotilla bot ls"),
    (["bot", "stop", "x", "--wait", "20s"], 2, "behind an =", "--wait=20s"),
    (["apply", "fleet.yml"], 2, "one word too many: fleet.yml", "flotilla apply -f fleet.yml"),
    (["completion", "tcsh"], 2, "no completion for tcsh", "bash, zsh, fish"),
    (["help", "nothing"], 2, "nothing", ""),
    (["config", "get", "colr"], 2, "no setting colr", "did you mean color?"),
    (["config", "set", "output", "yaml"], 2, "output is one of", ""),
    (["context", "use", "moon"], 3, "no context moon", "context ls"),
    (["signal", "send", "x"], 2, "signals are not built", "strategy ls"),
    (["data", "show", "nowhere/BTC-USDT/1m"], 3, "nowhere/BTC-USDT/1m", ""),
]


class Errors(CliCase):
    def test_each_wrong_line_names_the_thing_the_reason_and_the_next_step(self):
        for words, status, message, hint in WRONG:
            with self.subTest(" ".join(words)):
                done = self.run_cli("-o", "json", *words) if "-o" not in words else self.run_cli(*words)
                self.assertEqual(done.stdout, "")
                text = done.stderr
                if text.startswith("{"):
                    error = json.loads(text)["error"]
                    self.assertIn(message, error["message"])
                    self.assertIn(hint, error["hint"])
                else:
                    self.assertIn(message, text)
                    self.assertIn(hint, text)
                self.assertEqual(done.returncode, status, text)

    def test_people_read_a_sentence_and_an_indented_hint(self):
        done = self.run_cli("bto", "ls")
        self.assertRegex(done.stderr, r"^error: unknown command bto\n  did you mean: flotilla bot\?\n$")

    def test_escape_sequences_in_words_do_not_reach_the_terminal(self):
        for words in (["bot", "show", "\033[2Jx"], ["\033]0;x\007"], ["bot", "ls", "--\u202enode"],
                      ["bot", "stop", "-l", "node=\x9b31m"]):
            for form in ("table", "json", "csv"):
                done = self.run_cli("-o", form, *words)
                shown = done.stdout + done.stderr
                self.assertNotEqual(done.returncode, 0)
                self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown), shown)

    def test_a_role_that_may_not_is_told_who_can_change_that(self):
        password = self.ask("user", "add", "vera", "--role", "viewer")["password"]
        for words in (["bot", "pause", "--all", "--yes"], ["halt", "--reason", "x"], ["user", "ls"]):
            status, error = self.refuse("--user", "vera", *words, password=password)
            if words[0] == "bot":
                self.assertEqual(status, 3)  # nothing to pause is said before what may not be done
            else:
                self.assertEqual((status, error["code"]), (5, "denied"))
                self.assertIn("vera", error["message"])
                self.assertIn("admin", error["hint"])

    def test_no_fleet_no_password_wrong_password(self):
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run([FLOTILLA, "--dir", empty, "status"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn("there is no fleet in " + empty, done.stderr)
            self.assertIn("flotilla up", done.stderr)
        status, error = self.refuse("--user", "nobody", "status")
        self.assertEqual(status, 3)
        self.assertIn("no password of nobody", error["message"])
        self.assertEqual(self.refuse("status", password="wrong")[0], 5)

    def test_a_controller_that_is_away_is_not_a_broker_that_is_away(self):
        controller = self.children[1]
        controller.send_signal(signal.SIGTERM)
        controller.wait(60)
        try:
            # Long enough for the broker, also when machine or broker stand still for a moment.
            status, error = self.refuse("--timeout", "3s", "bot", "ls")
            self.assertEqual((status, error["code"]), (11, "unavailable"))
            self.assertIn("the controller did not answer", error["message"])
            self.assertIn("flotilla doctor", error["hint"])
            done = self.run_cli("-o", "json", "--timeout", "3s", "doctor")
            states = {row["check"]: row["state"] for row in json.loads(done.stdout)["checks"]}
            self.assertEqual((done.returncode, states["controller"], states["broker"]), (11, "fail", "ok"))
        finally:
            self.children[1] = self.start_controller()
            self.wait_for_controller()

    def test_zz_a_broker_that_is_away_is_said_so_at_once(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            child.wait(60)
        start = time.monotonic()
        status, error = self.refuse("--timeout", "400ms", "bot", "ls")
        self.assertLess(time.monotonic() - start, 20, "it does not wait as long as usual, 30 s here")
        self.assertEqual((status, error["code"]), (11, "unavailable"))
        self.assertIn("the broker is not reachable", error["message"])
        self.assertIn("flotilla up", error["hint"])
        done = self.run_cli("-o", "json", "--timeout", "400ms", "doctor")
        states = {row["check"]: row["state"] for row in json.loads(done.stdout)["checks"]}
        self.assertEqual((done.returncode, states["broker"]), (11, "fail"))

    def test_a_reader_that_goes_away_is_no_error_message(self):
        # The reader is gone before the first word, not "soon": the whole reference fits into a pipe.
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([FLOTILLA, "help", "--markdown"], stdout=write, stderr=subprocess.PIPE, text=True,
                              check=False)
        os.close(write)
        self.assertIn(done.returncode, (141, -signal.SIGPIPE))
        self.assertEqual(done.stderr, "")

    def test_a_full_disk_is_said(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([FLOTILLA, "help", "--markdown"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    tap.run(Errors)
