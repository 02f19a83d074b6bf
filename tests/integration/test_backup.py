"""Backups of a real fleet: made while it trades, checked, and gone back to after the controller's
disk is lost. The nodes' journals bring back what happened after the backup.

Usage: test_backup.py FLOTILLA
"""
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

import tap
from fleet import CliError, Fleet, wait_for
from venue import Venue

FLOTILLA = sys.argv[1]


def items(document):
    return document["items"]


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.up()
        wait_for("fills", lambda: cls.fills() > 5, 30)

    @classmethod
    def up(cls):
        cls.fleet.up()
        Venue(cls.fleet).speed(20)  # at the market's own, minutes may pass with few fills

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    @classmethod
    def fills(cls):
        return sum(bot["fills"] for bot in items(cls.fleet.cli("bot", "ls")))

    def refused(self, *words):
        with self.assertRaises(CliError) as caught:
            self.fleet.cli(*words)
        return caught.exception.error

    def backups(self):
        folder = os.path.join(self.fleet.dir, "backups")
        return sorted(name for name in os.listdir(folder) if name.endswith(".backup"))

    def test_01_the_first_is_written_by_itself(self):
        wait_for("a backup", lambda: self.backups(), 10)
        wait_for("the copies it was made from are removed", lambda: not [
            name for name in os.listdir(os.path.join(self.fleet.dir, "backups")) if name.startswith(".")])

    def test_02_create_says_where_it_is_and_ls_lists_it(self):
        time.sleep(1.1)  # names carry the second
        result = self.fleet.cli("backup", "create")
        self.assertTrue(os.path.exists(result["path"]))
        self.assertEqual(os.stat(result["path"]).st_mode & 0o777, 0o600)
        rows = items(self.fleet.cli("backup", "ls"))
        self.assertEqual(rows[0]["name"], result["backup"]["name"])
        self.assertEqual(rows[0]["bots"], 24)
        self.assertGreater(rows[0]["fills"], 5)

    def test_03_nothing_in_it_can_be_read_without_the_key(self):
        path = os.path.join(self.fleet.dir, "backups", self.backups()[-1])
        data = open(path, "rb").read()
        self.assertNotIn(b"SQLite format 3", data)
        with open(os.path.join(self.fleet.dir, "secrets", "node-1.password")) as file:
            self.assertNotIn(file.read().strip().encode(), data)
        self.assertTrue(self.fleet.cli("backup", "verify")["ok"])

    def test_04_a_changed_byte_and_another_key_are_seen(self):
        path = os.path.join(self.fleet.dir, "backups", self.backups()[-1])
        bad = os.path.join(self.fleet.dir, "bad.backup")
        data = bytearray(open(path, "rb").read())
        data[-40] ^= 1
        with open(bad, "wb") as file:
            file.write(data)
        self.assertIn("bytes were changed", self.refused("backup", "verify", bad)["message"])
        key = os.path.join(self.fleet.dir, "other.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("11" * 32 + "\n")
        self.assertIn("key does not fit",
                      self.refused("backup", "verify", path, "--key-file", key)["message"])
        self.assertEqual(self.refused("backup", "verify", path, "--key-file", "/nowhere")["code"],
                         "not_found")

    def test_05_restore_is_refused_while_the_fleet_runs(self):
        error = self.refused("backup", "restore", self.backups()[-1], "--yes")
        self.assertEqual(error["code"], "conflict")

    def test_06_the_controllers_disk_is_lost_and_nothing_else(self):
        """The drill of docs/operations.md, timed."""
        at_backup = items(self.fleet.cli("backup", "ls"))[0]["fills"]
        wait_for("fills after the backup", lambda: self.fills() > at_backup + 5, 60)
        epochs = {bot["bot"]: self.fleet.cli("bot", "show", bot["bot"])["bot"].get("epoch", 0)
                  for bot in items(self.fleet.cli("bot", "ls"))[:2]}
        self.fleet.down()
        lost = time.monotonic()
        shutil.rmtree(os.path.join(self.fleet.dir, "controller"))
        self.fleet.cli("backup", "restore", self.backups()[-1], "--yes")
        self.up()
        wait_for("every bot paused", lambda: all(
            bot.get("phase") == "paused" for bot in items(self.fleet.cli("bot", "ls"))), 30)
        print(f"# from the loss to every bot paused and known: {time.monotonic() - lost:.1f} s")
        for name, epoch in epochs.items():
            self.assertGreater(self.fleet.cli("bot", "show", name)["bot"]["epoch"], epoch)
        wait_for("books equal to the venue", self.reconciled, 30)
        self.assertGreater(self.fills(), at_backup, "what came after the backup is back")

    def reconciled(self):
        done = subprocess.run([FLOTILLA, "--dir", self.fleet.dir, "-o", "json", "doctor",
                               "--reconcile"], capture_output=True, text=True, timeout=120)
        return done.returncode == 0

    def test_07_resumed_bots_trade_on_and_the_books_stay_equal(self):
        before = self.fills()
        for bot in items(self.fleet.cli("bot", "ls")):
            self.fleet.cli("bot", "resume", bot["bot"])
        wait_for("new fills", lambda: self.fills() > before + 3, 60)
        wait_for("books equal to the venue", self.reconciled, 30)

    def epochs(self):
        return {bot["bot"]: bot["epoch"] for bot in items(self.fleet.cli("bot", "ls"))}

    def test_07b_nothing_but_the_venue_knows_the_newest_epochs(self):
        """Controller, journals and broker are lost, and the backup is older than the last moves: a bot that
        went on from it would have given ids to orders that the venue has had."""
        backup = self.fleet.cli("backup", "create")["backup"]["name"]
        grids = [bot for bot in items(self.fleet.cli("bot", "ls"))
                 if bot["strategy"] == "grid" and bot["node"] == "node-1"][:1]
        for _ in range(3):  # the restore adds one, and a node with a new journal another
            for bot in grids:
                at = next(row for row in items(self.fleet.cli("bot", "ls")) if row["bot"] == bot["bot"])
                self.fleet.cli("bot", "move", bot["bot"], "node-2" if at["node"] == "node-1" else "node-1")
                wait_for(f"{bot['bot']} runs elsewhere", lambda: any(
                    row["bot"] == bot["bot"] and row["node"] != at["node"] and row.get("phase") == "running"
                    and row.get("orders_open", 0) > 0 for row in items(self.fleet.cli("bot", "ls"))), 60)
        before = self.epochs()
        self.fleet.down()
        shutil.rmtree(os.path.join(self.fleet.dir, "controller"))
        for folder, names in (("node-1", ("journal.db", "intents.ring")), ("node-2", ("journal.db", "intents.ring")),
                              ("broker", ("mosquitto.db",))):
            for name in os.listdir(os.path.join(self.fleet.dir, folder)):
                if name.startswith(names):
                    os.unlink(os.path.join(self.fleet.dir, folder, name))
        self.fleet.cli("backup", "restore", backup, "--yes")
        self.up()
        wait_for("epochs above the venue's", lambda: all(
            self.epochs()[bot["bot"]] > before[bot["bot"]] for bot in grids), 60)
        wait_for("every bot paused", lambda: all(
            bot.get("phase") == "paused" for bot in items(self.fleet.cli("bot", "ls"))), 60)
        with open(os.path.join(self.fleet.dir, "log", "controller.log"), encoding="utf-8") as log:
            lifted = {word[4:] for line in log if "ev=epoch_lifted" in line
                      for word in line.split() if word.startswith("bot=")}
        self.assertLessEqual({bot["bot"] for bot in grids}, lifted)

    def test_08_an_empty_folder_and_a_backup_make_the_fleet_anew(self):
        path = os.path.join(self.fleet.dir, "backups", self.backups()[-1])
        key = os.path.join(self.fleet.dir, "secrets", "backup.key")
        empty = os.path.join(self.fleet.dir, "elsewhere")
        done = subprocess.run([FLOTILLA, "--dir", empty, "backup", "restore", path, "--key-file",
                               key, "--yes"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("fleet.json", "broker/dynsec.json", "controller/controller.db",
                     "secrets/node-1.password"):
            self.assertTrue(os.path.exists(os.path.join(empty, name)), name)
        with open(os.path.join(empty, "fleet.json")) as file:
            self.assertEqual(json.load(file)["tenant"], "main")


if __name__ == "__main__":
    tap.run(Backup)
