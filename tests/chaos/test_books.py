"""The checker finds what it looks for: a sound fleet passes, and every kind of corruption, put into a
copy of its files, is named.

Usage: test_books.py BUILD
"""
import contextlib
import json
import os
import random
import shutil
import sqlite3
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import conduct  # noqa: E402
import rig as rigs  # noqa: E402
import tap  # noqa: E402

BUILD = sys.argv[1]


class Checker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.mkdtemp(prefix="flotilla-books-")
        cls.sound = os.path.join(cls.temp, "sound")
        rig = rigs.Rig(conduct.tools_of(BUILD), 7)
        try:
            rig.up(conduct.fleet_of(random.Random(7)))
            rig.wait(15)
            conduct.settle(rig, 40)
            cls.ended = rig.down()
            shutil.copytree(rig.dir, cls.sound, ignore=shutil.ignore_patterns("*.sock"))
        finally:
            rig.close()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.temp)

    def kinds(self, folder=None):
        return {kind for kind, _ in books.Books(folder or self.sound).check()}

    @contextlib.contextmanager
    def copy(self):
        folder = os.path.join(self.temp, "bad")
        shutil.copytree(self.sound, folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def after(self, *changes):
        """What the checker says of a copy after SQL changes: (file, statement), ..."""
        with self.copy() as folder:
            for name, sql in changes:
                with contextlib.closing(sqlite3.connect(os.path.join(folder, *name.split("/")))) as db, db:
                    self.assertGreater(db.execute(sql).rowcount, 0, f"{sql} changed nothing")
            return self.kinds(folder)

    def node_with_fills(self):
        for node in rigs.NODES:
            path = os.path.join(self.sound, node, "journal.db")
            if books.rows(path, "SELECT count(*) AS n FROM records WHERE kind = 'fill'")[0]["n"]:
                return f"{node}/journal.db"
        raise AssertionError("nobody traded")

    def test_01_a_sound_fleet_passes_and_has_traded(self):
        self.assertEqual(self.ended, {}, "processes that did not end with 0")
        self.assertEqual(books.Books(self.sound).check(), [])
        self.assertGreater(len(books.Books(self.sound).fills), 5)

    def test_02_a_fill_that_the_controller_lacks_is_lost(self):
        self.assertIn("fill_lost", self.after(
            ("controller/controller.db", "DELETE FROM fills WHERE id = (SELECT max(id) FROM fills)")))

    def test_03_a_fill_booked_twice_is_said(self):
        with self.copy() as folder:
            path = os.path.join(folder, "controller", "controller.db")
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                db.execute("DROP INDEX fills_trade")
                db.execute("CREATE TEMP TABLE again AS SELECT * FROM fills LIMIT 1")
                db.execute("UPDATE again SET id = id + 1000000, n = n + 1000000")
                db.execute("INSERT INTO fills SELECT * FROM again")
            self.assertIn("fill_twice", self.kinds(folder))

    def test_04_a_digit_that_differs_is_both_lost_and_made_up(self):
        found = self.after(("controller/controller.db",
                            "UPDATE fills SET qty = qty || '1' WHERE id = (SELECT min(id) FROM fills)"))
        self.assertTrue({"fill_lost", "fill_made_up"} <= found, found)

    def test_05_a_fill_missing_in_a_journal_is_lost_and_leaves_a_gap(self):
        found = self.after((self.node_with_fills(),
                            "DELETE FROM records WHERE id = (SELECT min(id) FROM records WHERE kind = 'fill'"
                            " AND id > (SELECT min(id) FROM records))"))
        self.assertTrue({"fill_lost", "gap"} <= found, found)

    def test_06_a_fill_journaled_twice_is_said(self):
        self.assertIn("fill_twice", self.after((self.node_with_fills(),
                      "INSERT INTO records SELECT (SELECT max(id) + 1 FROM records), bot, kind, body, ts_ms"
                      " FROM records WHERE kind = 'fill' LIMIT 1")))

    def test_07_an_order_without_an_intent_is_said(self):
        with self.copy() as folder:
            for node in rigs.NODES:
                with open(os.path.join(folder, node, "intents.ring"), "r+b") as ring:
                    ring.seek(4096 + 64)
                    ring.write(b"\0" * 64)
            self.assertIn("no_intent", self.kinds(folder))

    def test_08_an_intent_with_a_wrong_checksum_is_none(self):
        with self.copy() as folder:
            for node in rigs.NODES:
                with open(os.path.join(folder, node, "intents.ring"), "r+b") as ring:
                    ring.seek(4096 + 64 + 24)
                    word = struct.unpack("<q", ring.read(8))[0]
                    ring.seek(4096 + 64 + 24)
                    ring.write(struct.pack("<q", word ^ 1))
            self.assertIn("no_intent", self.kinds(folder))

    def test_09_an_id_that_left_twice_is_said(self):
        with self.copy() as folder:
            path = os.path.join(folder, "chaos", "sent.log")
            with open(path, encoding="ascii") as log:
                line = log.readline()
            with open(path, "a", encoding="ascii") as log:
                log.write(line)
            self.assertIn("sent_twice", self.kinds(folder))

    def test_10_an_id_that_the_venue_accepted_twice_is_said(self):
        self.assertIn("id_twice", self.after(
            ("sim/sim.db", "INSERT INTO orders SELECT (SELECT max(id) + 1 FROM orders), account, symbol,"
             " client_order_id, cancel_id, side, type, tif, stp, 3, price, qty, '0', '0', quote_qty, locked,"
             " time_ms, update_ms FROM orders LIMIT 1")))

    def test_11_an_older_epoch_after_a_newer_one_is_said(self):
        with self.copy() as folder:
            path = os.path.join(folder, "sim", "sim.db")
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                first = db.execute("SELECT id, client_order_id FROM orders ORDER BY id").fetchone()
                owner, epoch, sequence, key = books.coid(first[1])
                value = (owner << 88) | (epoch + 1 << 64) | (sequence << 32) | key
                text = "f" + "".join("0123456789abcdefghjkmnpqrstvwxyz"[value >> 5 * i & 31]
                                     for i in range(25, -1, -1))
                db.execute("UPDATE orders SET client_order_id = ? WHERE id = ?", (text, first[0]))
            self.assertIn("old_epoch", self.kinds(folder))

    def test_12_a_position_that_is_not_the_sum_of_its_trades_is_said(self):
        self.assertIn("position", self.after(
            ("controller/controller.db", "UPDATE books SET position = '12345'")))

    def test_13_cash_that_is_not_the_sum_of_its_trades_is_said(self):
        self.assertIn("cash", self.after(("controller/controller.db", "UPDATE books SET cash = '0.01'")))

    def test_14_a_snapshot_that_says_another_position_is_said(self):
        with self.copy() as folder:
            path = os.path.join(folder, *self.node_with_fills().split("/"))
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                for bot, text in db.execute("SELECT bot, state FROM snapshots").fetchall():
                    state = json.loads(text)
                    for book in books.find_books(state):
                        book["position"] = "777"
                    db.execute("UPDATE snapshots SET state = ? WHERE bot = ?", (json.dumps(state), bot))
            self.assertIn("position", self.kinds(folder))

    def test_15_a_command_without_an_end_is_said(self):
        self.assertIn("command", self.after(
            ("controller/controller.db", "INSERT INTO commands (id, node, op, state, created_ms, changed_ms)"
             " VALUES ('01JD8Z6M5K7Q4W2X9Y3B1C0DEF', 'node-1', 'query', 'accepted', 1, 1)")))

    def test_16_an_order_left_open_is_said(self):
        self.assertIn("left_open", self.after(
            ("sim/sim.db", "UPDATE orders SET status = 0 WHERE id = (SELECT max(id) FROM orders)")))

    def test_17_a_stream_that_the_controller_has_not_all_of_is_said(self):
        self.assertIn("behind", self.after(
            ("controller/controller.db", "UPDATE streams SET committed = committed - 1")))

    def test_18_an_order_of_no_bot_of_ours_is_said(self):
        self.assertIn("stranger", self.after(("controller/controller.db", "UPDATE bots SET bot = 'x' || bot")))

    def test_19_a_change_that_the_audit_does_not_have_is_said(self):
        self.assertIn("audit", self.after(
            ("controller/controller.db", "INSERT INTO desired_history (bot, ts_ms, generation, epoch, run, node, by,"
             " what, spec) SELECT bot, 1, 99, epoch, 'paused', node, 'user/admin', 'paused', '{}' FROM bots LIMIT 1")))


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Checker)
