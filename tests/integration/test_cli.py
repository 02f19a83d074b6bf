#!/usr/bin/env python3
"""The command line against the real broker and controller, without nodes: what people type, what
comes back, and what each role may do."""
import errno
import json
import os
import signal
import subprocess
import time

import tap
from cli_rig import FLOTILLA, CliCase
from fleet import wait_for


class Cli(CliCase):
    def test_reads_give_one_document_and_tables_the_same_names(self):
        self.assertEqual(self.ask("status")["nodes_up"], 0)
        self.assertIn("grid", [row["strategy"] for row in self.ask("strategy", "ls")["items"]])
        self.assertIn("levels", [row["name"] for row in self.ask("strategy", "show", "grid")["params"]])
        self.assertEqual(self.ask("bot", "ls")["items"], [])
        self.assertIn("grid", self.run_cli("strategy", "ls").stdout)
        self.assertNotIn("\033", self.run_cli("node", "ls").stdout)

    def test_keys_come_from_a_file_or_a_prompt_and_never_lie_in_the_open(self):
        path = f"{self.dir}/key.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"key": "the-key-of-one", "secret": "the-secret-of-one"}, file)
        os.chmod(path, 0o600)
        self.assertTrue(self.ask("account", "add", "one", "--venue", "binance", "--sandbox", "--key-file",
                                 path)["account"]["sandbox"])
        self.ask("account", "add", "two", "--venue", "binance", stdin="the-key-of-two\nthe-secret-of-two\n")
        self.assertLessEqual({"one", "two"}, {row["name"] for row in self.ask("account", "ls")["items"]})
        os.unlink(path)
        for folder, _, names in os.walk(self.dir):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        data = file.read()
                except OSError as error:  # a socket, or a file of a moment (the broker's and SQLite's)
                    self.assertIn(error.errno, (errno.ENXIO, errno.ENOENT), name)
                    continue
                self.assertNotIn(b"the-secret-of", data, name)
        self.ask("account", "rm", "two", "--yes")
        code, error = self.refuse("account", "add", "three", "--venue", "binance")
        self.assertEqual((code, error["field"]), (2, "key"))

    def test_what_a_role_does_not_list_is_denied_at_once(self):
        password = self.ask("user", "add", "eve", "--role", "viewer")["password"]
        self.assertEqual(self.ask("--user", "eve", "bot", "ls", password=password)["items"], [])
        code, error = self.refuse("--user", "eve", "halt", "--reason", "mischief", password=password)
        self.assertEqual((code, error["code"]), (5, "denied"))
        self.assertIn("halt", error["message"])
        again = self.ask("user", "passwd", "eve")["password"]
        self.assertNotEqual(again, password)
        self.assertEqual(self.refuse("--user", "eve", "status", password=password)[1]["code"], "denied")
        self.ask("--user", "eve", "status", password=again)
        self.ask("user", "rm", "eve")
        self.assertEqual(self.refuse("--user", "eve", "status", password=again)[1]["code"], "denied")

    def test_the_admins_new_password_is_kept_for_the_folders_own_commands(self):
        password = self.ask("user", "passwd", "admin")["password"]
        with open(f"{self.dir}/secrets/admin.password", encoding="ascii") as file:
            self.assertEqual(file.read().strip(), password)
        self.ask("status")

    def test_halts_are_listed_until_they_are_resumed(self):
        code, error = self.refuse("halt")
        self.assertEqual((code, error["field"]), (2, "reason"))
        self.assertEqual(self.ask("halt", "--reason", "drill")["halts"][0]["scope"], "fleet")
        self.assertIn("drill", self.run_cli("halts").stdout)
        self.assertEqual(self.ask("resume", "--reason", "over")["halts"], [])

    def test_bad_bots_are_refused_with_field_reason_and_hint(self):
        path = f"{self.dir}/bots.yml"
        deploy = ("bot", "deploy", "--name", "b1", "--instrument", "BTC-USDT", "--mode", "paper", "--venue", "binance")
        _, error = self.refuse(*deploy, "--strategy", "gird")
        self.assertEqual((error["field"], error["hint"]), ("bot.strategy", "did you mean grid?"))
        _, error = self.refuse(*deploy, "--strategy", "grid", "--param", "lovver=1")
        self.assertIn("params", error["field"])
        for text, field in (("bots:\n- name: x\n  strategy: grid\n  mode: paper\n  colour: red\n", "bots[0].colour"),
                            ("robots: []\n", "robots"), ("bots: 3\n", "bots"), ("- a\n", "bots")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            code, error = self.refuse("bot", "apply", "-f", path)
            self.assertEqual((code, error["field"]), (2, field), text)
        self.assertEqual(self.refuse("bot", "show", "nobody")[1]["code"], "not_found")
        self.assertEqual(self.ask("bot", "ls")["items"], [])

    def test_completion_knows_the_running_fleets_names(self):
        self.ask("account", "add", "spare", "--venue", "binance", stdin="k\ns\n")
        # Names come within 300 ms or not at all: a line that is typed does not wait for a slow fleet.
        names = lambda: self.run_cli("__complete", "--", "--dir", self.dir, "account", "rm", "sp").stdout
        self.assertEqual(wait_for("its names", names), "spare\t\n")
        script = subprocess.run([FLOTILLA, "completion", "bash"], capture_output=True, text=True, check=True).stdout
        done = subprocess.run(["bash", "-c", script + "COMP_WORDS=(" + FLOTILLA + " bot de); COMP_CWORD=2; _flotilla; "
                               "echo ${COMPREPLY[@]}"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "deploy\n")

    def test_doctor_says_what_does_not_run(self):
        done = self.run_cli("-o", "json", "doctor")
        checks = {row["check"]: row["state"] for row in json.loads(done.stdout)["checks"]}
        self.assertEqual((checks["controller"], checks["processes"], checks["nodes"]), ("ok", "fail", "warn"))
        self.assertEqual(done.returncode, 11)
        self.assertEqual(self.refuse("doctor", "--reconcile")[1]["code"], "unavailable")

    def test_a_controller_that_is_frozen_gives_unavailable_in_time(self):
        self.children[1].send_signal(signal.SIGSTOP)
        try:
            start = time.monotonic()
            code, error = self.refuse("--timeout", "300ms", "status")
            self.assertLess(time.monotonic() - start, 20, "it does not wait as long as usual, 30 s here")
            self.assertEqual((code, error["code"]), (11, "unavailable"))
        finally:
            self.children[1].send_signal(signal.SIGCONT)


if __name__ == "__main__":
    tap.run(Cli)
