"""Who may trade, with real processes: nodes are killed, frozen, copied, drained; their bots trade in one
place, go on where they were, and the venue's ledger is the fleet's.

Times are a fifth of the usual ones (flotilla up --time-scale 0.2): a lease is 3 s, and over for the
controller after 3.43 s.

Usage: test_failover.py FLOTILLA NODE
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tap
from fleet import CliError, Fleet, alive, wait_for
from venue import OPEN, Venue, epoch_of

FLOTILLA, NODE = sys.argv[1:3]
SCALE = 0.2
TTL = 15 * SCALE


class Wire:
    """A Unix socket before the broker's, whose bytes can be held up and let go."""

    def __init__(self, path, broker):
        self.broker, self.running = broker, threading.Event()
        self.running.set()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                ours, _ = self.listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self.broker)
            except OSError:
                return
            for pair in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, target):
        try:
            while data := source.recv(65536):
                self.running.wait()
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.running.set()
        self.listener.close()


class Failover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.fleet.extra = ["--time-scale", str(SCALE)]
        cls.fleet.up()
        cls.venue = Venue(cls.fleet)
        cls.venue.speed(10)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    # --- hands

    def cli(self, *words, **options):
        return self.fleet.cli(*words, **options)

    def bots(self, node=None):
        return [bot for bot in self.cli("bot", "ls")["items"] if node in (None, bot["node"])]

    def row(self, name):
        return next(bot for bot in self.bots() if bot["bot"] == name)

    def node_row(self, name):
        return next(row for row in self.cli("node", "ls")["items"] if row["node"] == name)

    def pid(self, name):
        return self.fleet.pids()[name]

    @contextlib.contextmanager
    def dead(self, node):
        """kill -9, and what would start it again finds no configuration."""
        config = os.path.join(self.fleet.dir, node, "node.json")
        os.rename(config, config + ".away")
        pid = self.pid(node)
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        try:
            yield killed
        finally:
            os.rename(config + ".away", config)
            wait_for(f"{node} is started again",
                     lambda: self.fleet.pids().get(node, pid) != pid and alive(self.fleet.pids()[node])
                     and self.node_row(node)["state"] == "up", 40)

    def unsettled(self):
        return [(b["bot"], b["node"], b["epoch"], b.get("phase"), b.get("reason"), b.get("owner"), b.get("moving_to"))
                for b in self.bots() if b.get("phase") != ("running" if b["run"] == "running" else "flat")
                or not b["claimed"] or b.get("owner") != b["node"]]

    def wait_settled(self):
        self.venue.eventually("settled", self.unsettled)

    # --- what must be true of the books

    def epochs_overlap(self):
        """Orders that the venue took for an older epoch after the first of a newer one."""
        newest, bad = {}, []
        for order in sorted(self.venue.ledger("orders"), key=lambda row: int(row["order_id"])):
            owner = epoch_of(order["client_order_id"])
            if not owner:
                continue
            bot, epoch = owner
            if epoch < newest.get(bot, 0):
                bad.append((order["client_order_id"], epoch, newest[bot]))
            newest[bot] = max(epoch, newest.get(bot, 0))
        return bad

    def old_orders_rest(self):
        newest, resting = {}, []
        for order in self.venue.ledger("orders"):
            owner = epoch_of(order["client_order_id"])
            if owner:
                newest[owner[0]] = max(owner[1], newest.get(owner[0], 0))
        for order in self.venue.ledger("orders"):
            owner = epoch_of(order["client_order_id"])
            if owner and order["status"] in OPEN and owner[1] < newest[owner[0]]:
                resting.append(order["client_order_id"])
        return resting

    def check_books(self):
        self.assertEqual(self.venue.ids_twice(), [], "ids that the venue accepted twice")
        self.assertEqual(self.epochs_overlap(), [], "orders of an older epoch after one of a newer")
        self.venue.eventually("no order of an older epoch rests", self.old_orders_rest)
        self.venue.eventually("fills are the same", self.venue.fills_differ)
        self.venue.positions_equal()

    # --- one after the other

    def test_01_leases_are_held_and_bots_trade(self):
        self.wait_settled()
        wait_for("some fills", lambda: len(self.venue.ledger("fills")) > 10)
        for row in self.cli("node", "ls")["items"]:
            self.assertEqual(row["lease"]["state"], "held")
            self.assertFalse(row["draining"])

    def test_02_bots_of_a_killed_node_go_on_elsewhere(self):
        before = {bot["bot"]: bot for bot in self.bots("node-1")}
        self.assertGreater(len(before), 3)
        with self.dead("node-1") as killed:
            wait_for("taken over", lambda: not self.bots("node-1"), 20, 0.05)
            moved = time.monotonic() - killed
            wait_for("running", lambda: all(bot.get("phase") == "running" and bot["claimed"]
                                            for bot in self.bots() if bot["bot"] in before
                                            and bot["run"] == "running"), 30, 0.1)
            running = time.monotonic() - killed
            print(f"# {len(before)} bots: another node's after {moved:.2f} s, running after {running:.2f} s",
                  flush=True)
            for bot in self.bots():
                if bot["bot"] in before:
                    self.assertEqual(bot["epoch"], before[bot["bot"]]["epoch"] + 1)
            self.check_books()
        self.wait_settled()
        self.check_books()

    def test_03_a_move_is_a_release_and_a_takeover(self):
        bot = self.bots("node-2")[0]
        done = self.cli("bot", "move", bot["bot"], "node-1", "--yes")
        self.assertEqual((done["from"], done["to"]), ("node-2", "node-1"))
        begun = time.monotonic()
        wait_for("moved", lambda: self.row(bot["bot"])["node"] == "node-1"
                 and self.row(bot["bot"]).get("phase") == "running", 20, 0.05)
        print(f"# moved and running after {time.monotonic() - begun:.2f} s", flush=True)
        self.assertEqual(self.row(bot["bot"])["epoch"], bot["epoch"] + 1)
        self.check_books()
        for words, code in ((("bot", "move", bot["bot"], "node-1", "--yes"), "conflict"),
                            (("bot", "move", bot["bot"], "node-9", "--yes"), "not_found"),
                            (("node", "rm", "node-1", "--yes"), "conflict")):
            with self.assertRaises(CliError) as caught:
                self.cli(*words)
            self.assertEqual(caught.exception.error["code"], code)

    def spread(self):
        """Half of the demo's bots, which name their node, back to node-2."""
        for bot in self.bots("node-1")[::2]:
            self.cli("bot", "move", bot["bot"], "node-2", "--yes")
        wait_for("spread", lambda: not any(bot.get("moving_to") for bot in self.bots()), 30)
        self.wait_settled()

    def test_04_drain_and_rebalance(self):
        self.cli("node", "drain", "node-2", "--yes")
        wait_for("empty", lambda: not self.bots("node-2"), 40)
        self.wait_settled()
        self.assertTrue(self.node_row("node-2")["draining"])
        with self.assertRaises(CliError) as caught:
            self.cli("bot", "move", self.bots("node-1")[0]["bot"], "node-2", "--yes")
        self.assertIn("drained", caught.exception.error["message"])
        for number in range(6):
            words = [word for key, value in {"amount": 200, "interval": "1s", "take_profit_pct": 5}.items()
                     for word in ("--param", f"{key}={value}")]
            self.cli("bot", "deploy", "--name", f"paper-{number}", "--strategy", "dca", "--mode", "paper",
                     "--venue", "binance", "--instrument", "ETH-USDT", *words)
        self.assertFalse(self.bots("node-2"))
        self.wait_settled()
        wait_for("paper purchases", lambda: all(bot["fills"] >= 2 for bot in self.bots()
                                                if bot["mode"] == "paper"))
        self.cli("node", "undrain", "node-2")
        plan = self.cli("rebalance", "--dry-run")
        self.assertFalse(plan["started"])
        # The demo's bots name their node and stay there.
        self.assertEqual({move["bot"] for move in plan["moves"]}, {f"paper-{n}" for n in range(6)})
        self.cli("rebalance", "--yes")
        wait_for("evened out", lambda: len(self.bots("node-2")) == 6, 30)
        self.wait_settled()
        self.venue.eventually("paper books are equal", self.paper_differs)
        self.spread()
        self.check_books()

    def paper_differs(self):
        """A paper bot's books are its node's: what that says, against the controller's own fills."""
        bad = [alert["message"] for alert in self.cli("status").get("alerts", [])
               if alert["code"] == "books_differ"]
        return "; ".join(bad)

    def test_05_a_node_that_was_frozen_sends_nothing_when_it_wakes(self):
        names = {bot["bot"] for bot in self.bots("node-1")}
        pid = self.pid("node-1")
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for("taken over", lambda: not self.bots("node-1"), 20, 0.05)
            wait_for("running", lambda: all(bot.get("phase") == "running" and bot["claimed"]
                                            for bot in self.bots() if bot["bot"] in names
                                            and bot["run"] == "running"), 30)
        finally:
            os.kill(pid, signal.SIGCONT)
        time.sleep(1.0)  # what it would send, it sends at once
        self.assertEqual(self.epochs_overlap(), [])
        wait_for("it gave them up", lambda: self.node_row("node-1").get("running", 0) == 0
                 and not self.node_row("node-1").get("unclaimed"), 20)
        self.wait_settled()
        self.check_books()
        self.spread()

    def test_06_a_controller_started_anew_moves_nothing_within_the_guard(self):
        before = {bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}
        pid = self.pid("controller")
        os.kill(pid, signal.SIGKILL)
        wait_for("the controller is started again", lambda: self.fleet.pids().get("controller", pid) != pid)
        self.wait_settled()
        time.sleep(2 * TTL)
        self.assertEqual({bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}, before)
        self.check_books()

    def test_07_a_frozen_controller_takes_nobody_for_dead(self):
        before = {bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}
        pid = self.pid("controller")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(3 * TTL)
        os.kill(pid, signal.SIGCONT)
        self.wait_settled()
        self.assertEqual({bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}, before)
        self.check_books()

    def test_08_a_copied_node_gets_nothing_and_says_so(self):
        folder = os.path.join(self.fleet.dir, "node-2")
        copy = os.path.join(self.fleet.dir, "copy")
        shutil.copytree(folder, copy)
        with open(os.path.join(copy, "node.json"), encoding="ascii") as file:
            config = json.load(file)
        config["dir"] = copy
        with open(os.path.join(copy, "node.json"), "w", encoding="ascii") as file:
            json.dump(config, file)
        before = {bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}
        done = subprocess.run([NODE, "--config", os.path.join(copy, "node.json")], capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ev=cloned", done.stderr)
        self.assertIn("another process is node-2", done.stderr)
        alerts = json.dumps(self.cli("status"))
        self.assertIn("node_cloned", alerts)
        self.wait_settled()
        self.assertEqual({bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}, before)
        self.check_books()
        same = subprocess.run([NODE, "--config", os.path.join(folder, "node.json")], capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertNotEqual(same.returncode, 0)
        self.assertIn("another process runs node node-2", same.stderr)

    def change(self, name, **placement):
        """A bot's placement, by a manifest."""
        spec = self.cli("bot", "show", name)["spec"]
        spec["placement"] = {**spec.get("placement", {}), **placement}
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump({"bots": [spec]}, file)
        try:
            self.cli("apply", "-f", file.name, "--yes")
        finally:
            os.unlink(file.name)
        wait_for(f"{name} has it", lambda: self.row(name).get("applied") == self.row(name)["generation"])

    def test_09_without_a_broker_sticky_bots_trade_and_auto_bots_do_not(self):
        self.addCleanup(self.change, "btc-pmm-1", failover="auto")
        self.change("btc-pmm-1", failover="sticky")  # it quotes around the price, wherever that goes
        self.wait_settled()
        sticky = lambda: len(self.venue.of("btc-pmm-1", "fills"))
        before = {bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}
        broker = self.pid("broker")
        os.kill(broker, signal.SIGSTOP)
        try:
            time.sleep(2 * TTL)  # every lease has ended, and what was on its way has arrived
            orders, fills = len(self.venue.ledger("orders")), sticky()
            wait_for("a sticky bot's fill", lambda: sticky() > fills)
            time.sleep(TTL)
            mine = self.venue.bits("btc-pmm-1")
            others = [order["client_order_id"] for order in self.venue.ledger("orders")[orders:]
                      if epoch_of(order["client_order_id"])[0] != mine]
            self.assertEqual(others, [], "orders of bots without a lease")
        finally:
            os.kill(broker, signal.SIGCONT)
        self.wait_settled()
        self.assertEqual({bot["bot"]: (bot["node"], bot["epoch"]) for bot in self.bots()}, before)
        self.check_books()

    def test_10_a_node_that_is_cut_off_and_still_reaches_its_venue(self):
        seed = int(os.environ.get("FLOTILLA_SEED", "7"))
        dice = random.Random(seed)
        print(f"# seed {seed}", flush=True)
        path, config = os.path.join(self.fleet.dir, "wire.sock"), os.path.join(self.fleet.dir, "node-1", "node.json")
        wire = Wire(path, os.path.join(self.fleet.dir, "broker", "mosquitto.sock"))
        with open(config, encoding="ascii") as file:
            changed = json.load(file)
        changed["mqtt"]["url"] = "unix:" + path
        with open(config, "w", encoding="ascii") as file:
            json.dump(changed, file)
        pid = self.pid("node-1")
        os.kill(pid, signal.SIGKILL)
        wait_for("node-1 is started again", lambda: self.fleet.pids().get("node-1", pid) != pid)
        self.wait_settled()
        try:
            for seconds in (dice.uniform(0.2, TTL / 2), dice.uniform(TTL / 2, TTL), 2.5 * TTL,
                            dice.uniform(TTL, 3 * TTL)):
                wire.running.clear()
                time.sleep(seconds)
                wire.running.set()  # what was held up comes now, late
                time.sleep(dice.uniform(0.1, TTL))
                self.assertEqual(self.epochs_overlap(), [])
            self.wait_settled()
            wait_for("nothing unclaimed", lambda: not self.node_row("node-1").get("unclaimed"))
            self.check_books()
        finally:
            wire.close()

    def test_11_a_bot_that_the_books_lost_is_reported_and_adopted(self):
        name, node = "eth-pmm-1", self.row("eth-pmm-1")["node"]
        path = os.path.join(self.fleet.dir, "controller", "controller.db")
        with self.fleet.killed("controller"):  # its books lose the bot while it is away
            with contextlib.closing(sqlite3.connect(path, timeout=120)) as db, db:
                db.execute("DELETE FROM bots WHERE bot = ?", (name,))
        wait_for("unclaimed", lambda: name in (self.node_row(node).get("unclaimed") or []), 30)
        self.assertIn("unclaimed", json.dumps(self.cli("status")))
        self.assertNotIn(name, [bot["bot"] for bot in self.bots()])
        self.cli("bot", "adopt", name, node)
        self.assertEqual(self.row(name)["node"], node)
        self.wait_settled()
        wait_for("claimed", lambda: not self.node_row(node).get("unclaimed"))
        self.check_books()


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Failover)
