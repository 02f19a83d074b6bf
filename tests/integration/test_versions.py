"""Versions side by side: databases of the first version, and of a later one; a node that speaks as
the first version did; messages of a contract that is not ours.

Usage: test_versions.py FLOTILLA CONTROLLER
"""
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import unittest

import tap
import test_controller as base

FIRST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/first")
APPLICATION = 0x464C5443
NOW = 1772366400000


def first_database(path):
    """As version 1 wrote it: a node, an account, a bot with its history, fills and books."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    db = sqlite3.connect(path)
    with open(os.path.join(FIRST, "controller.sql"), encoding="utf-8") as file:
        db.executescript(file.read())
    spec = json.dumps({"name": "old-grid", "strategy": "grid", "account": "demo", "mode": "paper",
                       "instrument": "BTC-USDT", "params": {"lower": "90000"}})
    db.executescript(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;"
                     "PRAGMA journal_mode = WAL;")
    db.execute("INSERT INTO meta VALUES ('term', 1772366000), ('halt_number', 2)")
    db.execute("INSERT INTO nodes (node, first_ms, incarnation) VALUES ('node-1', ?, 7)", (NOW,))
    db.execute("INSERT INTO accounts VALUES ('demo', 'binance', 1, 1, NULL, ?)", (NOW,))
    db.execute("INSERT INTO bots (bot, spec, venue, sandbox, node, generation, epoch, run,"
               " created_ms, changed_ms) VALUES ('old-grid', ?, 'binance', 1, 'node-1', 5, 3,"
               " 'running', ?, ?)", (spec, NOW, NOW))
    db.execute("INSERT INTO desired_history (bot, ts_ms, generation, epoch, run, node, by, what,"
               " spec) VALUES ('old-grid', ?, 5, 3, 'running', 'node-1', 'user/admin', 'deploy', ?)",
               (NOW, spec))
    db.execute("INSERT INTO halts VALUES (2, 'account', 'demo', 'pause', 'drill', 'user/admin', ?)",
               (NOW,))
    db.execute("INSERT INTO users VALUES ('ada', 'viewer', ?)", (NOW,))
    db.execute("INSERT INTO streams VALUES (?, 'node-1', 3, ?)", (base.STREAM, NOW))
    for n in range(1, 4):
        db.execute("INSERT INTO fills (stream, n, node, bot, epoch, mode, venue, account,"
                   " instrument, trade_id, order_id, client_order_id, side, price, qty, fee,"
                   " fee_asset, liquidity, ts_ms) VALUES (?, ?, 'node-1', 'old-grid', 3, 'paper',"
                   " 'binance', 'demo', 'BTC-USDT', ?, 'o1', 'c1', 'buy', '100', '1', '0.1',"
                   " 'USDT', 'maker', ?)", (base.STREAM, n, str(n), NOW + n))
    db.execute("INSERT INTO books VALUES ('old-grid', 'binance', 'demo', 'BTC-USDT', 'paper',"
               " 'node-1', '3', '-300.3', '300', '300', '{\"USDT\":\"0.3\"}', '100', 3)")
    db.execute("INSERT INTO audit (ts_ms, user, verb, target, args, digest, ok) VALUES (?, 'admin',"
               " 'bot-deploy', 'old-grid', '{}', '', 1)", (NOW,))
    db.commit()
    db.close()


class Forward(base.Fleet):
    """The controller of today on the database of the first version."""

    @classmethod
    def start(cls):
        if not cls.process:
            first_database(os.path.join(cls.dir, "ctl", "controller.db"))
        super().start()

    def first_words(self):
        with open(os.path.join(FIRST, "node_messages.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_01_all_that_was_in_it_is_there(self):
        bot = self.good("bot-show", {"bot": "old-grid"})
        self.assertEqual(bot["bot"]["epoch"], 3)
        self.assertEqual(len(self.good("bot-fills", {"bot": "old-grid"})["items"]), 3)
        self.assertEqual(self.good("halt-ls")["halts"][0]["number"], 2)
        self.assertIn("ada", [row["name"] for row in self.good("user-ls")["items"]])
        self.assertEqual(self.good("audit-ls")["items"][-1]["target"], "old-grid")
        self.assertEqual(self.good("bot-history", {"bot": "old-grid"})["items"][0]["by"],
                         "user/admin")

    def test_02_its_version_is_todays_and_a_second_start_changes_nothing(self):
        path = os.path.join(self.dir, "ctl", "controller.db")
        self.stop()
        db = sqlite3.connect(path)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        self.assertGreater(version, 1)
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
        db.close()
        self.start()
        self.assertEqual(len(self.good("bot-fills", {"bot": "old-grid"})["items"]), 3)

    def test_03_a_node_that_speaks_as_the_first_version_did_is_up(self):
        words, node = self.first_words(), self.client("node-1")
        birth = {**words["presence"], "state": "up", "incarnation": 8, "of_tomorrow": {"x": [1]}}
        node.publish(f"{base.ROOT}n/node-1/presence", json.dumps(birth), True)
        beat = {**words["hb"], "k": 1, "incarnation": 8, "boot": birth["boot"], "of_tomorrow": "y"}
        node.publish(f"{base.ROOT}n/node-1/hb", json.dumps(beat))
        row = base.until(lambda: next((row for row in self.good("node-ls")["items"]
                                       if row["node"] == "node-1" and row["state"] == "up"), None))
        self.assertEqual(row["incarnation"], 8)
        state = {**words["state"], "bot": "old-grid", "epoch": 3, "generation": 5,
                 "incarnation": 8}
        node.publish(f"{base.ROOT}n/node-1/b/old-grid/state", json.dumps(state), True)
        base.until(lambda: self.good("bot-show", {"bot": "old-grid"})["bot"].get("phase")
                   == state["phase"])
        node.close()

    def test_04_another_major_version_is_refused_and_said(self):
        node = self.client("node-2")
        birth = {**self.first_words()["presence"], "v": 2, "state": "up", "incarnation": 1}
        node.publish(f"{base.ROOT}n/node-2/presence", json.dumps(birth), True)
        node.close()

        def said():
            with open(f"{self.dir}/controller.log", encoding="utf-8") as file:
                return [line for line in file if "message_refused" in line and "node-2" in line]
        line = base.until(said)[0]
        self.assertIn("field=v", line)
        self.assertNotIn("up", [row["state"] for row in self.good("node-ls")["items"]
                                if row["node"] == "node-2"])


    def test_05_a_login_made_by_an_earlier_version_gets_the_verbs_that_came_later(self):
        password = self.good("user-add", {"name": "eve", "role": "viewer"})["password"]
        eve = self.client("eve", password)
        ask = f"{base.ROOT}u/eve/req/"
        self.assertIn(eve.publish(ask + "portfolio", '{"id":"e1"}'), (0, 16))
        broker = self.client("controller")
        command = {"commands": [{"command": "modifyRole", "rolename": "user-eve", "acls": [
            {"acltype": "publishClientSend", "topic": ask + "status", "priority": 0,
             "allow": True}]}]}
        broker.publish("$CONTROL/dynamic-security/v1", json.dumps(command))
        broker.close()
        base.until(lambda: eve.publish(ask + "portfolio", '{"id":"e2"}') == 135)  # not authorised
        self.stop()
        self.start()
        base.until(lambda: eve.publish(ask + "portfolio", '{"id":"e3"}') in (0, 16))
        self.assertEqual(eve.publish(ask + "bot-stop", '{"id":"e4"}'), 135)
        eve.close()


class Later(unittest.TestCase):
    """A database of a version that is not written yet."""

    def test_01_it_is_refused_with_a_sentence_and_left_as_it_is(self):
        folder = base.tempfile.mkdtemp(prefix="flt-later-")
        self.addCleanup(base.shutil.rmtree, folder)
        path = os.path.join(folder, "ctl", "controller.db")
        first_database(path)
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 900")
        db.execute("PRAGMA journal_mode = DELETE")
        db.close()
        with open(path, "rb") as file:
            before = hashlib.sha256(file.read()).hexdigest()
        config = os.path.join(folder, "controller.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"tenant": "main", "fleet": base.ID, "dir": os.path.dirname(path),
                       "mqtt": {"url": f"unix:{folder}/none.sock"}}, file)
        done = subprocess.run([base.CONTROLLER, "--config", config], capture_output=True, text=True,
                              timeout=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("newer", done.stderr)
        with open(path, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), before)


if __name__ == "__main__":
    tap.run(Forward, Later)
