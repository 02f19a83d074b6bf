#!/usr/bin/env python3
"""Settings and contexts: where each value comes from, help, topics, manual pages and completion."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import tap

FLOTILLA, DOCS = sys.argv.pop(1), sys.argv.pop(1)


class Settings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.home = self.folder.name
        self.addCleanup(self.folder.cleanup)

    def run_cli(self, *words, **more):
        env = {"PATH": os.environ["PATH"], "HOME": self.home, "XDG_CONFIG_DIRS": f"{self.home}/etc", **more}
        return subprocess.run([FLOTILLA, *words], capture_output=True, text=True, check=False, env=env, timeout=120)

    def origins(self, *words, **more):
        done = self.run_cli("-o", "json", *words, "config", "show", "--origin", **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {row["key"]: (row["value"], row["origin"]) for row in json.loads(done.stdout)["items"]}

    def write(self, path, value):
        os.makedirs(os.path.dirname(f"{self.home}/{path}"), exist_ok=True)
        with open(f"{self.home}/{path}", "w", encoding="utf-8") as file:
            file.write(value if isinstance(value, str) else json.dumps(value))

    def test_each_layer_covers_the_one_below_and_says_so(self):
        self.assertEqual(self.origins()["timeout"], ("5s", "default"))
        self.assertEqual(self.origins()["dir"], (f"{self.home}/.local/share/flotilla", "default"))
        self.write("etc/flotilla/config.json", {"timeout": "1s", "user": "sys"})
        self.assertEqual(self.origins()["timeout"], ("1s", "system"))
        self.write(".config/flotilla/config.json", {
            "timeout": "2s", "context": "a", "contexts": {"a": {"timeout": "3s", "dir": "/a"}, "b": {"dir": "/b"}}})
        self.assertEqual(self.origins()["timeout"], ("3s", "context"))
        self.assertEqual(self.origins()["dir"], ("/a", "context"))
        self.assertEqual(self.origins()["user"], ("sys", "system"))
        self.assertEqual(self.origins(FLOTILLA_TIMEOUT="4s")["timeout"], ("4s", "env"))
        self.assertEqual(self.origins("--timeout", "6s", FLOTILLA_TIMEOUT="4s")["timeout"], ("6s", "flag"))
        self.assertEqual(self.origins("--context", "b")["dir"], ("/b", "context"))
        self.assertEqual(self.origins("--context", "b")["timeout"], ("2s", "file"))
        self.assertEqual(self.origins(FLOTILLA_CONTEXT="b")["context"], ("b", "env"))

    def test_a_folder_named_for_one_command_leaves_the_usual_context_out(self):
        self.write(".config/flotilla/config.json", {
            "context": "far", "contexts": {"far": {"url": "mqtt://127.0.0.1:9", "user": "ada"}}})
        self.assertEqual(self.origins()["user"], ("ada", "context"))
        for found in (self.origins("--dir", "/x"), self.origins(FLOTILLA_DIR="/x")):
            self.assertEqual((found["user"], found["url"]), (("admin", "default"), (None, "unset")))
        done = self.run_cli("--dir", "/x", "--context", "far", "status")
        self.assertEqual(done.returncode, 2)
        self.assertIn("both say which fleet", done.stderr)

    def test_contexts_are_kept_used_listed_and_forgotten(self):
        self.assertEqual(self.run_cli("context", "add", "home", "--dir", "/h", "--use").returncode, 0)
        done = self.run_cli("context", "add", "far", "--url", "mqtts://h:8883", "--user", "ada", "--password-file",
                            f"{self.home}/pw", "--tenant", "acme")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(self.run_cli("-o", "json", "context", "ls").stdout)["items"]
        self.assertEqual([(row["name"], row["current"]) for row in rows], [("home", True), ("far", False)])
        self.assertEqual(os.stat(f"{self.home}/.config/flotilla/config.json").st_mode & 0o777, 0o600)
        self.assertEqual(self.run_cli("context", "use", "far").returncode, 0)
        self.assertEqual(self.origins()["tenant"], ("acme", "context"))
        done = self.run_cli("status")
        self.assertIn("cannot read", done.stderr)  # the password file that is not there
        self.assertEqual(self.run_cli("context", "rm", "far").returncode, 0)
        self.assertEqual(self.origins()["context"], (None, "unset"))
        self.assertEqual(self.run_cli("context", "add", "bad", "--url", "http://h").returncode, 2)
        self.assertEqual(self.run_cli("context", "add", "bad").returncode, 2)

    def test_a_broker_that_is_not_there_is_named(self):
        self.write("pw", "secret\n")
        self.run_cli("context", "add", "far", "--url", "mqtt://127.0.0.1:9", "--password-file", f"{self.home}/pw", "--use")
        done = self.run_cli("--timeout", "500ms", "status")
        self.assertEqual(done.returncode, 11)
        self.assertIn("the broker is not reachable", done.stderr)

    def test_settings_are_set_checked_and_forgotten(self):
        self.assertEqual(self.run_cli("config", "set", "output", "csv").returncode, 0)
        self.assertTrue(self.run_cli("config", "show").stdout.startswith("key,value\n"))
        self.assertEqual(self.run_cli("config", "get", "output").stdout, "csv\n")
        self.assertEqual(self.run_cli("config", "set", "output").returncode, 0)
        self.assertEqual(self.run_cli("config", "get", "output").stdout, "table\n")
        self.assertEqual(self.run_cli("config", "path").stdout, f"{self.home}/.config/flotilla/config.json\n")
        self.assertEqual(self.run_cli("config", "set", "timeout", "soon").returncode, 2)

    def test_a_damaged_file_is_named_and_left_alone(self):
        for text in ('{"timeout": ', "[]", '{"timeuot": "1s"}', '{"output": "pink"}'):
            self.write(".config/flotilla/config.json", text)
            done = self.run_cli("status")
            self.assertEqual(done.returncode, 2, text)
            self.assertIn("config.json", done.stderr)
            with open(f"{self.home}/.config/flotilla/config.json", encoding="utf-8") as file:
                self.assertEqual(file.read(), text)
            self.assertEqual(self.run_cli("help").returncode, 0)  # help needs no settings

    # --- help, topics, manuals, completion

    def test_topics_and_exit_codes_are_as_documented(self):
        listed = re.findall(r"flotilla help (\S+)", self.run_cli("help", "topics").stdout)
        self.assertIn("exit-codes", listed)
        for topic in listed:
            done = self.run_cli("help", topic)
            self.assertEqual(done.returncode, 0)
            self.assertGreater(len(done.stdout), 60, topic)
        with open(f"{DOCS}/cli.md", encoding="utf-8") as file:
            page = file.read()
        codes = re.findall(r"^ +(\d+)  (\w*)", self.run_cli("help", "exit-codes").stdout, re.M)
        self.assertGreater(len(codes), 12)
        for code, name in codes:
            self.assertRegex(page, rf"\| {code} \| `?{name}")

    def test_the_reference_in_docs_is_what_the_table_says(self):
        with open(f"{DOCS}/cli-reference.md", encoding="utf-8") as file:
            self.assertEqual(self.run_cli("help", "--markdown").stdout, file.read(),
                             "flotilla help --markdown > docs/cli-reference.md")

    def test_there_is_a_manual_page_of_each_group_and_roff_finds_no_fault(self):
        self.assertEqual(self.run_cli("help", "--man-dir", self.home).returncode, 0)
        pages = sorted(name for name in os.listdir(self.home) if name.endswith(".1"))
        self.assertIn("flotilla.1", pages)
        self.assertIn("flotilla-bot.1", pages)
        for name in pages:
            with open(f"{self.home}/{name}", encoding="utf-8") as file:
                page = file.read()
            self.assertTrue(page.startswith(".TH FLOTILLA"))
            for line in page.splitlines():  # each request is one that man(7) knows
                if line.startswith("."):
                    self.assertRegex(line, r"^\.(TH|SH|SS|PP|TP|nf|fi|B|BR|I)\b", name)
        with open(f"{self.home}/flotilla-bot.1", encoding="utf-8") as file:
            self.assertIn("\\-\\-flatten", file.read())

    def complete(self, *words):
        return [line.split("\t")[0] for line in self.run_cli("__complete", "--", *words).stdout.splitlines()]

    def test_completion_knows_commands_flags_values_topics_and_settings(self):
        self.assertIn("export", self.complete("ex"))
        self.assertEqual(self.complete("bot", "stop", "--fl"), ["--flatten"])
        self.assertEqual(self.complete("pnl", "--by", "d"), ["day"])
        self.assertEqual(self.complete("-o", "js"), ["json", "jsonl"])
        self.assertEqual(self.complete("help", "exit"), ["exit-codes"])
        self.assertEqual(self.complete("bot", "ls", "-l", "stra"), ["strategy="])
        self.assertIn("timeout", self.complete("config", "get", "t"))
        self.run_cli("context", "add", "home", "--dir", "/h")
        self.assertEqual(self.complete("context", "use", "h"), ["home"])

    def test_every_command_has_help_that_names_it(self):
        page = self.run_cli("help", "--markdown").stdout
        names = re.findall(r"^### flotilla ([a-z][a-z ]*[a-z])", page, re.M)
        self.assertGreater(len(names), 70)
        for name in names:
            if name == "exchange":
                continue  # it reads its own words
            done = self.run_cli(*name.split(), "--help")
            self.assertIn(f"usage: flotilla {name}", done.stdout)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    tap.run(Settings)
