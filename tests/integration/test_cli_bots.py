#!/usr/bin/env python3
"""The command line on a running demo: which bots, in which form, several at once, waiting, manifests,
watching, and text from strangers."""
import csv
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import tap
from fleet import Fleet, catches, wait_for

FLOTILLA = sys.argv.pop(1)


class Zsh:
    """A zsh in a pseudo-terminal; Ctrl-T there says what stands on the line, and clears it."""
    RC = r"""
PS1='> '
unsetopt beep
autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump
source <(flotilla completion zsh)
said() { print -r -- "$BUFFER|" > $ZDOTDIR/part && mv $ZDOTDIR/part $ZDOTDIR/said; BUFFER=; }
zle -N said
bindkey '^T' said
"""

    def __init__(self, home, env):
        self.said = os.path.join(home, "said")
        with open(os.path.join(home, ".zshrc"), "w", encoding="ascii") as file:
            file.write(self.RC)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-i"], env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def tab(self, line):
        """What the line is after a tab."""
        os.write(self.fd, line.encode() + b"\t\x14")

        def said():
            if select.select([self.fd], [], [], 0)[0]:
                os.read(self.fd, 65536)
            return os.path.exists(self.said)
        wait_for("zsh to say its line", said, every=0.02)
        with open(self.said, encoding="utf-8") as file:
            text = file.read()
        os.unlink(self.said)
        return text.removesuffix("|\n")


class Bots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.up()
        wait_for("all bots run", lambda: all(row.get("phase") == "running" for row in cls.rows()), 40)

    @classmethod
    def rows(cls, *words):
        return cls.fleet.cli("bot", "ls", *words)["items"]

    def names(self, query):
        done = self.fleet.run("-o", "name", "bot", "ls", "-l", query)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_filters_keep_what_they_say(self):
        every = {row["bot"]: row for row in self.rows()}
        self.assertEqual(len(every), 24)
        self.assertEqual(self.names("strategy=grid node=node-1"),
                         [n for n, r in every.items() if r["strategy"] == "grid" and r["node"] == "node-1"])
        self.assertEqual(len(self.names("!grid")) + len(self.names("grid")), 24)
        self.assertEqual(self.names("state=error"), [])
        self.assertEqual(sorted(self.names("bot=btc-grid-1|eth-grid-2")), ["btc-grid-1", "eth-grid-2"])

    def test_every_format_has_the_same_rows(self):
        wide = self.fleet.run("-o", "wide", "bot", "ls").stdout.splitlines()
        table = list(csv.DictReader(io.StringIO(self.fleet.run("-o", "csv", "bot", "ls").stdout)))
        lines = [json.loads(line) for line in self.fleet.run("-o", "jsonl", "bot", "ls").stdout.splitlines()]
        names = self.fleet.run("-o", "name", "bots").stdout.split()
        self.assertEqual([row["bot"] for row in table], names)
        self.assertEqual([row["bot"] for row in lines], names)
        self.assertEqual([line.split()[0] for line in wide[1:]], names)
        self.assertEqual(lines[0].keys() - table[0].keys() - {"reason"}, set())
        self.assertNotIn("BOT", self.fleet.run("bot", "ls", "--no-headers").stdout)
        picked = self.fleet.run("-o", "csv", "bot", "ls", "--columns", "equity,bot", "--sort=-equity").stdout.splitlines()
        self.assertEqual(picked[0], "equity,bot")
        values = [float(line.split(",")[0]) for line in picked[1:]]
        self.assertEqual(values, sorted(values, reverse=True))

    def test_csv_and_names_are_nothing_but_that(self):
        for words in (["status"], ["node", "show", "node-1"], ["strategy", "show", "grid"], ["bot", "show", "btc-grid-1"],
                      ["account", "show", "demo"], ["health"], ["node", "ls"], ["portfolio"]):
            with self.subTest(words):
                done = self.fleet.run("-o", "csv", *words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                rows = list(csv.reader(io.StringIO(done.stdout)))
                self.assertEqual({len(row) for row in rows}, {len(rows[0])}, done.stdout)
                done = self.fleet.run("-o", "name", *words)
                self.assertEqual([line for line in done.stdout.splitlines() if " " in line], [])

    def test_numbers_stand_under_each_other_by_their_point(self):
        lines = self.fleet.run("bot", "ls", "--columns", "bot,equity,position").stdout.splitlines()
        at = [match.start() for match in (re.search(r"(?<=[\d])\.(?=\d+ )", line) for line in lines[1:]) if match]
        self.assertGreater(len(at), 5)
        self.assertEqual(len(set(at)), 1, lines)

    def test_a_selection_needs_yes_in_a_script_and_a_dry_run_changes_nothing(self):
        before = {row["bot"]: row["generation"] for row in self.rows()}
        done = self.fleet.run("bot", "stop", "-l", "strategy=dca", "--flatten")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"stop 4 bots \(4 live\): \d+ open orders are cancelled, positions are sold")
        self.assertIn("--yes", done.stderr)
        plan = self.fleet.cli("bot", "stop", "--all", "--dry-run")
        self.assertEqual((plan["dry_run"], len(plan["items"])), (True, 24))
        self.assertEqual({row["bot"]: row["generation"] for row in self.rows()}, before)

    def test_several_at_once_with_a_line_each_and_one_exit_status(self):
        done = self.fleet.run("-o", "csv", "bot", "pause", "-l", "strategy=rsi", "--yes", "--wait=90s")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual({(row["run"], row["phase"]) for row in rows}, {("paused", "paused")})
        done = self.fleet.run("bot", "resume", "-l", "strategy=rsi", "--yes", "--wait=90s")
        self.assertRegex(done.stderr, r"btc-rsi-1 running after \d+\.\d s")
        self.assertEqual(done.returncode, 0)
        # Running bots cannot be removed: all refused is a conflict, some refused is status 12.
        done = self.fleet.run("bot", "rm", "btc-rsi-1", "eth-rsi-1", "--yes")
        self.assertEqual(done.returncode, 4)
        self.assertIn("2 of 2 refused", done.stderr)
        self.assertEqual(self.fleet.run("bot", "rm", "btc-rsi-9").returncode, 3)
        self.assertIn("did you mean btc-rsi-1?", self.fleet.run("bot", "rm", "btc-rsi-9").stderr)

    def test_ctrl_c_while_waiting_says_that_the_work_goes_on(self):
        near = next(row["bot"] for row in self.rows("sma") if row["node"] == "node-1")
        far = next(row["bot"] for row in self.rows("sma") if row["node"] == "node-2")
        self.fleet.cli("bot", "pause", near, far, "--wait=90s")
        node = self.fleet.pids()["node-2"]
        os.kill(node, signal.SIGSTOP)  # one of them cannot answer now
        try:
            process = subprocess.Popen([FLOTILLA, "--dir", self.fleet.dir, "bot", "resume", near, far, "--wait=5m"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       env={**os.environ, "FLOTILLA_TIMEOUT": "30s"})
            self.assertIn(f"{near} running after", process.stderr.readline())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=120)
        finally:
            os.kill(node, signal.SIGCONT)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("interrupted with 1 of 2 running; the fleet goes on without this command", err)
        self.assertIn("flotilla bot ls", err)
        wait_for("both run", lambda: len(self.names("bot:sma state=running")) == 4)

    def test_a_wait_that_is_interrupted_exits_130(self):
        node = self.fleet.pids()["node-2"]
        os.kill(node, signal.SIGSTOP)  # its bots cannot answer now
        try:
            process = subprocess.Popen([FLOTILLA, "--dir", self.fleet.dir, "bot", "pause", "btc-pmm-2", "--wait=5m"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wait_for("it is recorded", lambda: self.names("bot=btc-pmm-2 run=paused"))
            wait_for("it waits", lambda: catches(process.pid, signal.SIGINT))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn("0 of 1 paused; the fleet goes on without this command", err)
            self.assertIn("flotilla bot ls btc-pmm-2", err)
            done = self.fleet.run("bot", "pause", "btc-pmm-2", "--wait=500ms")
            self.assertEqual(done.returncode, 11)
            self.assertIn("it goes on without this command", done.stderr)
        finally:
            os.kill(node, signal.SIGCONT)
        self.fleet.cli("bot", "resume", "btc-pmm-2", "--wait")

    def test_an_exported_fleet_differs_in_nothing_and_a_changed_one_is_applied(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/fleet.yml"
            text = self.fleet.run("export").stdout
            self.assertEqual(text.count("  - name: "), 24)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = self.fleet.run("diff", "-f", path)
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace('interval: "20s"', 'interval: "21s"', 1))
            changed = json.loads(self.fleet.run("-o", "json", "diff", "-f", path).stdout)["items"]
            changed = [row for row in changed if row["change"] != "same"]
            self.assertEqual([row["changes"] for row in changed],
                             [[{"path": "params.interval", "old": "20s", "new": "21s"}]])
            self.assertEqual(self.fleet.run("diff", "-f", path).returncode, 4)
            self.assertEqual(self.fleet.run("apply", "-f", path, "--dry-run").returncode, 0)
            self.assertEqual(self.fleet.run("diff", "-f", path).returncode, 4)
            self.assertEqual(self.fleet.run("apply", "-f", path, "--wait").returncode, 0)
            self.assertEqual(self.fleet.run("diff", "-f", path).returncode, 0)
            # What the manifest does not have stays, unless asked; and then a script must say --yes.
            one = self.fleet.run("export", changed[0]["bot"]).stdout
            done = self.fleet.run("apply", "-f", "-", "--prune", text=one)
            self.assertEqual(done.returncode, 2)
            self.assertIn("removes 23 bots", done.stderr)
            self.assertEqual(len(self.rows()), 24)

    def test_watch_prints_a_document_for_each_change(self):
        process = subprocess.Popen([FLOTILLA, "--dir", self.fleet.dir, "-o", "jsonl", "watch", "eth-sma-1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            def told():  # what was before its session is no news
                self.fleet.cli("bot", "pause", "eth-sma-1", "--wait")
                self.fleet.cli("bot", "resume", "eth-sma-1", "--wait")
                return select.select([process.stdout], [], [], 1)[0]
            wait_for("a change is told", told)
            row = json.loads(process.stdout.readline())
            self.assertEqual((row["kind"], row["name"]), ("bot", "eth-sma-1"))
            self.assertIn(row["what"], ("paused", "running"))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0)

    def test_what_strangers_wrote_cannot_draw_on_the_terminal(self):
        evil = "\033[2J\033]0;owned\007\u202eback\u009b31m"
        self.fleet.cli("halt", "btc-grid-4", "--reason", "x" + evil, "--yes")
        try:
            for words in (["halts"], ["audit", "-n", "5"], ["bot", "show", "btc-grid-4"], ["status"]):
                for form in ("table", "wide", "json", "jsonl", "csv"):
                    done = self.fleet.run("-o", form, "--color", "never", *words)
                    self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.stdout + done.stderr),
                                      (words, form))
            self.assertEqual(self.fleet.cli("halts")["halts"][0]["reason"], "x" + evil)  # programs read all of it
        finally:
            self.fleet.cli("resume", "btc-grid-4", "--reason", "it is over")

    def test_the_audit_says_what_changed_and_a_request_which_commands_it_sent(self):
        self.leave_no("audited")
        self.addCleanup(self.fleet.run, "bot", "resume", "btc-dca-1", "--wait=40s")
        self.fleet.cli("bot", "pause", "btc-dca-1", "--wait=40s")
        deploy = ["bot", "deploy", "--name", "audited", "--strategy", "hold", "--account", "demo", "--instrument",
                  "BTC-USDT", "--wait=40s"]
        self.fleet.cli(*deploy, "-P", "amount=50")
        self.fleet.cli(*deploy, "-P", "amount=60")
        self.fleet.cli("bot", "resume", "--all", "--yes", "--wait=40s")
        rows = self.fleet.cli("audit", "--target", "audited", "--verb", "bot-deploy")["items"]
        self.assertEqual(rows[0]["changes"], "params.amount: 50 -> 60")
        self.assertTrue(rows[1]["changes"].startswith("run: - -> running; strategy: - -> hold"), rows[1])
        self.assertEqual(self.fleet.cli("audit", "--verb", "bot-pause", "-n", "1")["items"][0]["changes"],
                         "run: running -> paused")
        told = wait_for("the keys' second answer", lambda: next(
            (told for told in [self.fleet.cli("command", rows[0]["id"])]
             if told["commands"] and all("ended_ms" in command for command in told["commands"])), None))
        self.assertEqual((told["verb"], told["state"], [command["op"] for command in told["commands"]]),
                         ("bot-deploy", "done", ["account"]))
        command = told["commands"][0]
        self.assertEqual(command["state"], "done")
        self.assertLessEqual(command["created_ms"], command["accepted_ms"])
        self.assertLessEqual(command["accepted_ms"], command["ended_ms"])
        self.assertIn("changes", self.fleet.run("-o", "csv", "audit").stdout.splitlines()[0].split(","))
        self.assertIn("account", self.fleet.run("command", rows[0]["id"]).stdout.split("commands:")[1])
        for words in (["stop", "audited", "--flatten"], ["rm", "audited", "--yes"]):  # it may have bought
            self.fleet.cli("bot", *words)
        self.assertEqual(self.fleet.cli("audit", "--target", "audited", "-n", "1")["items"][0]["changes"],
                         "listed: true -> false")

    def test_a_removed_bots_name_is_a_new_bots_name(self):
        """It used to wait in `recovering` for its namesake's trades, and the books to differ by them."""
        self.leave_no("again")
        traded = lambda side: sum(row["side"] == side for row in self.fleet.cli("bot", "fills", "again")["items"])
        bought = sold = 0
        for _ in range(2):
            self.fleet.cli("bot", "deploy", "--name", "again", "--strategy", "dca", "--account", "demo",
                           "--instrument", "BTC-USDT", "-P", "amount=50", "-P", "interval=5s", "--wait=60s")
            wait_for("it has bought", lambda: traded("buy") > bought)
            self.fleet.cli("bot", "stop", "again", "--flatten", "--wait=60s")
            wait_for("it has sold", lambda: traded("sell") > sold)
            bought, sold = traded("buy"), traded("sell")
            self.fleet.cli("bot", "rm", "again", "--yes", "--wait=60s")
            wait_for("its node let go of it", lambda: not self.names("bot=again"))
        self.assertEqual([row for row in self.fleet.cli("alert", "ls")["items"] if "again" in json.dumps(row)], [])

    def edit(self, bot, editor, *flags):
        """flotilla bot config BOT edit, with a program in the place of the editor."""
        return subprocess.run([FLOTILLA, "--dir", self.fleet.dir, "bot", "config", bot, "edit", *flags],
                              env=dict(os.environ, EDITOR=editor, VISUAL="", TMPDIR=self.fleet.dir),
                              capture_output=True, text=True, timeout=120, check=False)

    def test_a_bot_is_cloned_and_its_manifest_changed_by_key_and_in_an_editor(self):
        self.leave_no("twin")
        plan = self.fleet.cli("bot", "clone", "btc-grid-2", "twin", "--set", "levels=7", "--set", "note=second",
                              "--dry-run")
        self.assertEqual({row["path"]: row.get("new") for row in plan["items"]},
                         {"name": "twin", "params.levels": "7", "note": "second"})
        self.assertEqual(self.names("bot=twin"), [])
        made = self.fleet.cli("bot", "clone", "btc-grid-2", "twin", "--set", "levels=7", "--set", "note=second",
                              "--stopped")
        self.assertEqual((made["created"], made["run"]), (True, "stopped"))
        again = self.fleet.run("bot", "clone", "btc-grid-2", "twin")
        self.assertEqual(again.returncode, 4)
        taken = self.fleet.run("bot", "clone", "btc-grid-1", "btc-grid-2")  # whichever node that one is on
        self.assertIn("there is a bot btc-grid-2 already", taken.stderr)
        self.assertIn("there is a bot twin already", again.stderr)
        self.assertEqual(self.fleet.run("bot", "config", "twin", "levels").stdout, "7\n")
        manifest = self.fleet.run("bot", "config", "twin").stdout
        self.assertEqual(manifest, self.fleet.run("export", "twin").stdout)

        done = self.fleet.run("bot", "config", "twin", "set", "levels=8", "risk.max_position=0.5", "note=")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("params.levels", done.stderr)
        spec = self.fleet.cli("bot", "show", "twin")["spec"]
        self.assertEqual((spec["params"]["levels"], spec["risk"]["max_position"], "note" in spec), (8, "0.5", False))
        self.assertEqual(self.fleet.cli("bot", "show", "twin")["bot"]["run"], "stopped")  # it is not started by this
        self.assertIn("nothing differs", self.fleet.run("bot", "config", "set", "twin", "levels=8").stderr)

        done = self.edit("twin", "sed -i 's/levels:.*/levels: 9/'")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.fleet.run("bot", "config", "twin", "levels").stdout, "9\n")
        self.assertEqual(self.fleet.cli("audit", "--target", "twin", "-n", "1")["items"][0]["changes"],
                         "params.levels: 8 -> 9")
        self.assertIn("nothing differs", self.edit("twin", "true").stderr)
        self.assertEqual([name for name in os.listdir(self.fleet.dir) if name.startswith("flotilla-")], [])
        line = manifest.splitlines().index("      levels: 7") + 2  # one more: the file begins with a comment
        for editor, what in (("sed -i 's/levels:.*/levels: 9999/'", f":{line}: levels must be at most"),
                             ("sed -i 's/name:.*/name: other/'", ":3: a bot keeps its name"),
                             ("sed -i 's/levels:.*/levels/'", ":"), ("false", "the editor false ended")):
            with self.subTest(editor):
                done = self.edit("twin", editor)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(what, done.stderr)
                self.assertEqual("your text is kept in" in done.stderr, editor != "false")
        self.assertEqual(self.fleet.run("bot", "config", "twin", "levels").stdout, "9\n")
        for words, what in ((["levels=9"], "did you mean"), (["set"], "KEY=VALUE"), (["set", "lvls=3"], "levels"),
                            (["set", "name=x"], "keeps its name"), (["lvl"], "no lvl of its own"),
                            (["sett", "a=b"], "set or edit, not sett")):
            with self.subTest(words):
                done = self.fleet.run("bot", "config", "twin", *words)
                self.assertIn(done.returncode, (2, 3))
                self.assertEqual(done.stdout, "")
                self.assertIn(what, done.stderr)
        bad = os.path.join(self.fleet.dir, "bad.yml")
        with open(bad, "w", encoding="utf-8") as file:
            file.write(self.fleet.run("export", "btc-grid-1", "twin").stdout.replace("levels: 9", "levels: 9999"))
        with open(bad, encoding="utf-8") as file:
            wrong = file.read().splitlines().index("      levels: 9999") + 1
        self.assertIn(f"bad.yml:{wrong}: levels", self.fleet.run("diff", "-f", bad).stderr)
        self.fleet.cli("bot", "rm", "twin", "--yes")

    def leave_no(self, bot):
        """However the test ends, the next one finds 24 bots."""
        def remove():
            if self.names(f"bot={bot}"):
                self.fleet.run("bot", "rm", bot, "--force", "--yes")
            wait_for("its node let go of it", lambda: not self.names(f"bot={bot}"))
        self.addCleanup(remove)

    def waiting(self, *words):
        """A command that waits: it has come to where Ctrl-C is its own."""
        process = subprocess.Popen([FLOTILLA, "--dir", self.fleet.dir, *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        wait_for("it waits", lambda: catches(process.pid, signal.SIGINT))
        return process

    def test_a_bot_told_to_stop_is_removed_once_it_has(self):
        self.leave_no("leaving")
        self.fleet.cli("bot", "clone", "btc-grid-2", "leaving", "--node", "node-2", "--wait=40s")
        node = self.fleet.pids()["node-2"]
        os.kill(node, signal.SIGSTOP)
        try:
            self.fleet.cli("bot", "stop", "leaving", "--flatten")
            done = self.fleet.run("bot", "rm", "leaving", "--yes", "--wait=300ms")
            self.assertEqual((done.returncode, done.stdout), (11, ""))
            self.assertIn("leaving was told to stop", done.stderr)
            self.assertIn("leaving is not stopped after 300 ms", done.stderr)
            self.assertIn("nothing was removed", done.stderr)
            given_up = self.waiting("bot", "rm", "leaving", "--yes")
            given_up.send_signal(signal.SIGINT)
            _, err = given_up.communicate(timeout=120)
            self.assertEqual(given_up.returncode, 130, err)
            self.assertIn("nothing was removed", err)
            self.assertEqual(self.fleet.cli("audit", "--target", "leaving", "--verb", "bot-rm")["items"], [])
            patient = self.waiting("bot", "rm", "leaving", "--yes", "--wait=90s")
        finally:
            os.kill(node, signal.SIGCONT)
        _, err = patient.communicate(timeout=120)
        self.assertEqual(patient.returncode, 0, err)

    def shell_env(self, **more):
        """Where `flotilla` is this one, of this fleet."""
        return dict(os.environ, PATH=os.path.dirname(os.path.abspath(FLOTILLA)) + ":" + os.environ["PATH"],
                    FLOTILLA_DIR=self.fleet.dir, **more)

    def completed(self, *words):
        """What real bash offers behind these words, the last of them begun."""
        script = ('source <(flotilla completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flotilla; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", "flotilla", *words], capture_output=True, text=True,
                              env=self.shell_env(), timeout=120, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_with_the_names_of_the_fleet(self):
        for words, expected in ((["bot", "conf"], ["config"]), (["bot", "config", "btc-rsi"], ["btc-rsi-1"]),
                                (["bot", "config", "btc-rsi-1", ""], ["set", "edit"]),
                                (["bot", "move", "btc-rsi-1", ""], ["node-1", "node-2"]),
                                (["bot", "stop", "btc-rsi-1", "btc-sma-1"], ["btc-sma-1"]),
                                (["account", "show", ""], ["demo"]), (["user", "role", "x", "t"], ["trader"]),
                                (["bots", "--pha"], ["--phase"]), (["bots", "x"], []), (["-o", "js"], ["json", "jsonl"]),
                                (["completion", "z"], ["zsh"]), (["help", "exit"], ["exit-codes"]),
                                (["market", "ls", "--venue", "b"], ["binance"])):
            with self.subTest(words):
                # Names come within 300 ms or not at all: a line that is typed does not wait for a slow fleet.
                found = wait_for("names", lambda: self.completed(*words)) if expected else self.completed(*words)
                self.assertEqual(found, expected)

    # What is begun, and the one thing that it can become.
    BEGUN = (("flotilla bot conf", "config"), ("flotilla bot config btc-rsi", "btc-rsi-1"),
             ("flotilla bots --pha", "--phase"), ("flotilla help exit", "exit-codes"), ("flotilla -o cs", "csv"),
             ("flotilla bot stop btc-rsi-1 btc-sma-1", "btc-sma-1"))

    def test_fish_completes_too(self):
        if not shutil.which("fish"):
            self.skipTest("no fish on this machine")
        with tempfile.TemporaryDirectory() as home:
            def offered(line):
                done = subprocess.run(["fish", "--no-config", "-c", f"flotilla completion fish | source; complete -C '{line}'"],
                                      capture_output=True, text=True, env=self.shell_env(HOME=home), timeout=120, check=False)
                return [row.split("\t")[0] for row in done.stdout.splitlines()]
            for line, word in self.BEGUN:
                with self.subTest(line):
                    self.assertEqual(wait_for("names", lambda line=line: offered(line)), [word])

    def test_zsh_completes_too(self):
        if not shutil.which("zsh"):
            self.skipTest("no zsh on this machine")
        with tempfile.TemporaryDirectory() as home, Zsh(home, self.shell_env(HOME=home, ZDOTDIR=home, TERM="xterm")) as zsh:
            for line, word in self.BEGUN:
                with self.subTest(line):
                    begun = line.rsplit(" ", 1)[0]
                    self.assertEqual(wait_for("names", lambda line=line: (
                        lambda typed: typed if typed != line else None)(zsh.tab(line))), f"{begun} {word} ")

    def test_ports_are_none_that_a_connection_going_out_may_take(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = (int(word) for word in file.read().split())
        if low < 12000 and high > 63535:
            self.skipTest(f"connections that go out take all ports here: {low} to {high}")
        with open(os.path.join(self.fleet.dir, "fleet.json"), encoding="utf-8") as file:
            ports = json.load(file)["ports"]
        for name in ("mqtt", "sim", "sim_control"):
            self.assertFalse(low <= ports[name] <= high, ports)

    def test_a_halt_is_looked_at_before(self):
        plan = self.fleet.cli("halt", "node-1", "--scope", "node", "--how", "flatten", "--dry-run")
        self.assertEqual({row["node"] for row in plan["items"]}, {"node-1"})
        self.assertEqual(len(plan["items"]), len([row for row in self.rows() if row["node"] == "node-1"]))
        self.assertRegex(plan["plan"], r"^halt \d+ bots: \d+ open orders are cancelled, positions are sold")
        self.assertEqual(len(self.fleet.cli("halt", "--dry-run")["items"]), 24)
        self.assertEqual(len(self.fleet.cli("halt", "demo", "--scope", "account", "--dry-run")["items"]), 24)
        self.assertEqual([row["bot"] for row in self.fleet.cli("halt", "btc-dca-2", "--dry-run")["items"]], ["btc-dca-2"])
        for words in (["btc-dca-9"], ["node-9", "--scope", "node"], ["dmo", "--scope", "account"]):
            self.assertEqual(self.fleet.run("halt", *words, "--dry-run").returncode, 3)
        self.assertEqual(self.fleet.cli("halts")["halts"], [])

    def test_zz_bots_are_waited_for_on_their_new_node(self):
        moved = self.fleet.cli("bot", "move", "btc-pmm-2", "node-1", "--yes", "--wait=90s")
        self.assertEqual((moved["from"], moved["to"], moved["state"]), ("node-2", "node-1", "moved"))
        row = next(row for row in self.rows() if row["bot"] == "btc-pmm-2")
        self.assertEqual((row["node"], row["phase"], row["claimed"]), ("node-1", "running", True))
        self.addCleanup(self.fleet.run, "node", "undrain", "node-1")
        done = self.fleet.run("node", "drain", "node-1", "--yes", "--wait=90s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"btc-pmm-2 running on node-2 after \d+\.\d s")
        self.assertEqual({(row["node"], row["phase"]) for row in self.rows()}, {("node-2", "running")})
        # Nowhere to go: it says so in time, and what was asked for stays.
        self.addCleanup(self.fleet.run, "node", "undrain", "node-2")
        done = self.fleet.run("node", "drain", "node-2", "--yes", "--wait=300ms")
        self.assertEqual(done.returncode, 11)
        self.assertRegex(done.stderr, r"btc-\S+ is running on node-2 after 0\.3 s; 23 others .* goes on without")
        self.assertEqual(self.fleet.run("bot", "move", "btc-pmm-2", "--wait=soon", "--yes").returncode, 2)

    def test_market_data_is_shown_as_the_bots_see_it(self):
        rows = wait_for("a quote of each instrument", lambda: (
            lambda items: items if len(items) == 2 and all("bid" in row for row in items) else None)(
                self.fleet.cli("market", "ls")["items"]))
        for row in rows:
            self.assertLess(float(row["bid"]), float(row["ask"]))
            self.assertGreaterEqual(row["spread_bps"], 0)
        listed = self.fleet.cli("market", "instruments", "ETH")["items"]
        self.assertEqual([row["name"] for row in listed], ["ETH-USDT"])
        candles = self.fleet.cli("market", "candles", "BTC-USDT", "-n", "3")["candles"]
        self.assertTrue(1 <= len(candles) <= 3)
        points = wait_for("a point of equity", lambda: self.fleet.cli("bot", "equity", "btc-grid-1")["points"])
        self.assertIn("equity", points[0])
        me = self.fleet.cli("whoami")
        self.assertEqual((me["user"], me["role"]), ("admin", "admin"))
        self.addCleanup(self.fleet.run, "resume", "btc-dca-2", "--reason", "drill is over")
        done = self.fleet.run("-o", "csv", "halt", "btc-dca-2", "--reason", "drill")
        self.assertEqual(len(done.stdout.splitlines()), 2, done.stdout)  # the data, and not how it goes on

    def key_file(self, secret=None):
        with open(os.path.join(self.fleet.dir, "secrets", "sim-accounts.json"), encoding="utf-8") as file:
            keys = json.load(file)[0]
        path = os.path.join(self.fleet.dir, "key.json")
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump({"key": keys["key"], "secret": secret or keys["secret"]}, file)
        return path

    def test_an_accounts_keys_are_tried_by_a_node_before_they_are_kept(self):
        done = self.fleet.run("-o", "json", "account", "test", "demo", "--node", "node-2")
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode, 12)  # the simulator's keys work from any address
        self.assertEqual((told["node"], told["venue"], told["ok"]), ("node-2", "binance", True))
        self.assertEqual({row["check"]: row["state"] for row in told["checks"]},
                         {"reach": "ok", "clock": "ok", "keys": "ok", "trade": "ok", "withdraw": "ok",
                          "address": "warn"})
        self.addCleanup(self.fleet.run, "account", "rm", "second", "--yes")
        add = ["account", "add", "second", "--venue", "binance", "--sandbox", "--test", "--key-file"]
        done = self.fleet.run(*add, self.key_file("not this"))
        self.assertEqual((done.returncode, done.stdout), (10, ""), done.stderr)
        self.assertIn("does not know this key", done.stderr)
        self.assertIn("the keys were not kept", done.stderr)
        self.assertEqual([row["name"] for row in self.fleet.cli("account", "ls")["items"]], ["demo"])
        done = self.fleet.run(*add, self.key_file())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the key works from any address", done.stderr)
        rotate = ["account", "rotate", "second", "--test", "--key-file"]
        self.assertEqual(self.fleet.run(*rotate, self.key_file("nor this")).returncode, 10)
        self.assertEqual(self.fleet.cli(*rotate, self.key_file())["account"]["version"], 2)
        shown = self.fleet.cli("account", "show", "demo")
        self.assertEqual((shown["account"]["name"], len(shown["bots"]), shown["missing"]), ("demo", 24, []))
        self.assertEqual({row["node"] for row in shown["checks"]}, {"node-1", "node-2"})
        for words, code, what in ((["show", "dem"], 3, "did you mean demo?"), (["test", "moon"], 3, "no account moon"),
                                  (["test", "demo", "--node", "n9"], 3, "no node n9"),
                                  (["rotate", "moon"], 3, "no account moon")):
            with self.subTest(words):
                done = self.fleet.run("account", *words)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                self.assertIn(what, done.stderr)

    def test_books_are_read_in_every_direction(self):
        wait_for("a fill", lambda: self.fleet.cli("fills", "--since", "1h", "-n", "5")["items"])
        self.assertEqual(self.fleet.cli("fills", "--since", "2100-01-01")["items"], [])
        self.assertEqual({row["key"] for row in self.fleet.cli("pnl", "--by", "node")["items"]}, {"node-1", "node-2"})
        wait_for("a day with a fill", lambda: self.fleet.cli("pnl", "--by", "day")["items"])
        wait_for("an order", lambda: self.fleet.cli("orders", "--open", "-n", "3")["items"])
        wait_for("balances", lambda: self.fleet.cli("portfolio")["accounts"])
        self.assertIn("DAY", self.fleet.run("pnl", "--by", "day").stdout)
        history = self.fleet.cli("bot", "history", "btc-grid-1")["items"]
        self.assertEqual(history[-1]["generation"], 1)
        self.assertTrue(self.fleet.cli("audit", "--who", "up", "-n", "3")["items"])
        self.assertEqual(self.fleet.cli("audit", "--who", "nobody")["items"], [])


if __name__ == "__main__":
    tap.run(Bots)
