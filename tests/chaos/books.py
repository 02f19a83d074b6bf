"""The independent checker: compares the simulator's ledger, every node's journal and ring of intents,
the controller's books and the wire's witness, file by file, with code of its own.

Usage: books.py FOLDER     (of a fleet that the harness ran; all its processes have ended)
"""
import hashlib
import json
import os
import sqlite3
import struct
import sys
from collections import Counter, defaultdict
from contextlib import closing
from decimal import Decimal, getcontext

getcontext().prec = 60  # sums are exact: 38 digits are the widest amount
DIGITS = {c: i for i, c in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}
OPEN = (0, 1)  # the simulator's NEW and PARTIALLY_FILLED
ENDED = ("done", "failed", "rejected", "expired")
MASK = (1 << 64) - 1


def rows(path, sql):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql)]


def coid(text):
    """(owner, epoch, sequence, key) of a client order id of ours; None: somebody else's."""
    if len(text) != 27 or text[0] != "f" or any(c not in DIGITS for c in text[1:]):
        return None
    value = 0
    for c in text[1:]:
        value = value << 5 | DIGITS[c]
    return value >> 88, value >> 64 & 0xFFFFFF, value >> 32 & 0xFFFFFFFF, value & 0xFFFFFFFF


def owner_of(fleet, bot):
    return int.from_bytes(hashlib.sha256(f"{fleet}/{bot}".encode()).digest()[:5], "big")


def mix(data):
    total = 0x9E3779B97F4A7C15
    for word in struct.unpack(f"<{len(data) // 8}Q", data):
        total = (total ^ word) * 0xFF51AFD7ED558CCD & MASK
        total = (total ^ total >> 33) * 0xC4CEB9FE1A85EC53 & MASK
        total ^= total >> 29
    return total


def intents(path):
    """{(owner, epoch, sequence, key): is_sell} of a ring's sound slots."""
    with open(path, "rb") as file:
        data = file.read()
    found = {}
    for at in range(4096, len(data) - 63, 64):
        slot = data[at:at + 64]
        turn, owner_epoch, sequence, key = struct.unpack_from("<QQII", slot)
        if turn and struct.unpack_from("<Q", slot, 56)[0] == mix(slot[:56]):
            flags = struct.unpack_from("<I", slot, 52)[0]
            found[owner_epoch >> 24, owner_epoch & 0xFFFFFF, sequence, key] = bool(flags & 1)
    return found


class Books:
    def __init__(self, folder):
        self.folder, self.bad = folder, []
        with open(self.path("fleet.json"), encoding="ascii") as file:
            self.fleet = json.load(file)["fleet"]
        self.nodes = sorted(name for name in os.listdir(folder)
                            if os.path.exists(self.path(name, "journal.db")))
        self.orders = rows(self.path("sim", "sim.db"), "SELECT * FROM orders ORDER BY id")
        by_id = {row["id"]: row for row in self.orders}
        self.fills = [dict(row, order=by_id[row["order_id"]])
                      for row in rows(self.path("sim", "sim.db"), "SELECT * FROM fills ORDER BY n")]
        db = self.path("controller", "controller.db")
        self.booked = rows(db, "SELECT * FROM fills WHERE mode = 'live'")
        self.sums = rows(db, "SELECT * FROM books WHERE mode = 'live'")
        self.bots = rows(db, "SELECT bot, node, epoch FROM bots")
        self.owners = {owner_of(self.fleet, row["bot"]): row["bot"] for row in self.bots}
        self.commands = rows(db, "SELECT id, op, node, bot, state FROM commands")
        self.streams = rows(db, "SELECT stream, node, committed FROM streams")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def say(self, kind, text):
        self.bad.append((kind, text))

    # --- fills

    @staticmethod
    def venue_fill(row):
        order = row["order"]
        return (order["symbol"], str(row["trade_id"]), str(row["order_id"]), order["client_order_id"],
                order["side"].lower(), Decimal(row["price"]), Decimal(row["qty"]), Decimal(row["fee"]),
                row["fee_asset"])

    @staticmethod
    def our_fill(row):
        return (row["instrument"].replace("-", ""), row["trade_id"], row["order_id"],
                row.get("client_order_id", ""), row["side"], Decimal(row["price"]), Decimal(row["qty"]),
                Decimal(row["fee"]), row["fee_asset"])

    def check_fills(self):
        theirs = Counter(self.venue_fill(row) for row in self.fills
                         if coid(row["order"]["client_order_id"]))
        ours = Counter(self.our_fill(row) for row in self.booked)
        self.compare("controller", theirs, ours)
        journal = Counter()
        for node in self.nodes:
            streams = defaultdict(Counter)  # a new stream tells again what a restored disk had told
            for row in rows(self.path(node, "journal.db"), "SELECT id, body FROM records WHERE kind = 'fill'"):
                fill = json.loads(row["body"])
                fill = {**fill, **fill.get("fill", {})}
                if fill.get("mode") == "live":
                    streams[row["id"] >> 40][self.our_fill(fill)] += 1
            for told in streams.values():
                for fill, times in told.items():
                    if times > 1:
                        self.say("fill_twice", f"{node}'s journal has {times} times {fill[:4]}")
                journal |= told
        self.compare("the nodes' journals", theirs, journal)

    def compare(self, where, theirs, ours):
        for fill, times in (theirs - ours).items():
            self.say("fill_lost", f"{where}: {times} of the venue's {fill}")
        for fill, times in (ours - theirs).items():
            kind = "fill_twice" if fill in theirs else "fill_made_up"
            self.say(kind, f"{where}: {times} too many of {fill}")

    # --- orders

    def check_orders(self):
        for name, times in Counter(row["client_order_id"] for row in self.orders).items():
            if times > 1:
                self.say("id_twice", f"the venue accepted {name} {times} times")
        log = self.path("chaos", "sent.log")
        if os.path.exists(log):
            with open(log, encoding="ascii") as file:
                sent = Counter(line.split()[2] for line in file if len(line.split()) == 3)
            for name, times in sent.items():
                if times > 1:
                    self.say("sent_twice", f"{name} left a node {times} times")
            for row in self.orders:
                if coid(row["client_order_id"]) and row["client_order_id"] not in sent:
                    self.say("unseen", f"the wire never saw {row['client_order_id']}")

    def check_intents(self):
        known = {}
        for node in self.nodes:
            known.update(intents(self.path(node, "intents.ring")))
        chaos = self.path("chaos")
        for name in sorted(os.listdir(chaos)) if os.path.isdir(chaos) else []:
            if name.startswith("ring-"):
                known.update(intents(os.path.join(chaos, name)))
        for row in self.orders:
            ours = coid(row["client_order_id"])
            if not ours:
                continue
            if ours[0] not in self.owners:
                self.say("stranger", f"{row['client_order_id']} belongs to no bot of this fleet")
            if ours not in known:
                self.say("no_intent", f"{row['client_order_id']} {row['side']} {row['qty']} {row['symbol']}")
            elif known[ours] != (row["side"].lower() == "sell"):
                self.say("no_intent", f"{row['client_order_id']}: the intent says the other side")

    def check_epochs(self):
        newest = {}
        for row in self.orders:  # in the order in which the venue accepted them
            ours = coid(row["client_order_id"])
            if not ours:
                continue
            owner, epoch = ours[:2]
            if epoch < newest.get(owner, (0, ""))[0]:
                self.say("old_epoch", f"{self.owners.get(owner)}: {row['client_order_id']} of epoch {epoch}"
                                      f" accepted after {newest[owner][1]} of {newest[owner][0]}")
            else:
                newest[owner] = (epoch, row["client_order_id"])

    def check_open(self):
        """After a halt that cancels nothing of ours rests."""
        for row in self.orders:
            if row["status"] in OPEN and coid(row["client_order_id"]):
                self.say("left_open", f"{row['client_order_id']} {row['side']} {row['qty']} {row['symbol']}")

    # --- positions and money

    def check_positions(self):
        held, cash = defaultdict(Decimal), defaultdict(Decimal)
        for row in self.fills:
            ours = coid(row["order"]["client_order_id"])
            if not ours:
                continue
            bot, sign = self.owners.get(ours[0], "?"), 1 if row["order"]["side"].lower() == "buy" else -1
            held[bot] += sign * Decimal(row["qty"])
            cash[bot] -= sign * Decimal(row["price"]) * Decimal(row["qty"])
            if row["order"]["symbol"].startswith(row["fee_asset"]):
                held[bot] -= Decimal(row["fee"])
            else:
                cash[bot] -= Decimal(row["fee"])
        told = {row["bot"]: row for row in self.sums}
        for bot in sorted(set(held) | set(told)):
            row = told.get(bot, {"position": "0", "cash": "0"})
            if Decimal(row["position"]) != held[bot]:
                self.say("position", f"{bot}: the books say {row['position']}, its trades {held[bot]}")
            if Decimal(row["cash"]) != cash[bot]:
                self.say("cash", f"{bot}: the books say {row['cash']}, its trades {cash[bot]}")
        self.check_snapshots(held)

    def check_snapshots(self, held):
        """What the node that has the bot says of it."""
        at = {row["bot"]: row["node"] for row in self.bots}
        for node in self.nodes:
            for row in rows(self.path(node, "journal.db"), "SELECT bot, state FROM snapshots"):
                if at.get(row["bot"]) != node:
                    continue
                books = find_books(json.loads(row["state"]))
                total = sum((Decimal(book["position"]) for book in books), Decimal(0))
                if books and total != held[row["bot"]]:
                    self.say("position", f"{row['bot']}: {node}'s snapshot says {total},"
                                         f" its trades {held[row['bot']]}")

    # --- commands and streams

    def check_commands(self):
        for row in self.commands:
            if row["state"] not in ENDED:
                self.say("command", f"{row['op']} {row['bot'] or ''} to {row['node']} is {row['state']}")
        for node in self.nodes:
            for row in rows(self.path(node, "journal.db"), "SELECT id, op, state FROM commands"):
                # Keys are sent again under a new id at each birth; one that a crash cut short stays.
                if row["state"] not in ENDED and row["op"] != "account":
                    self.say("command", f"{node} left {row['op']} {row['id']} {row['state']}")

    def check_streams(self):
        """What a node has told is gapless, and the controller has all of it."""
        heads = {row["stream"]: row["committed"] for row in self.streams}
        for node in self.nodes:
            db = self.path(node, "journal.db")
            for stream in rows(db, "SELECT number, id FROM streams"):
                low = stream["number"] << 40
                span = rows(db, f"SELECT count(*) AS n, min(id) - {low} AS low, max(id) - {low} AS high"
                                f" FROM records WHERE id > {low} AND id < {low + (1 << 40)}")[0]
                if span["n"] and span["n"] != span["high"] - span["low"] + 1:
                    self.say("gap", f"{node} has {span['n']} records of {span['low']}..{span['high']}")
                if span["n"] and heads.get(stream["id"], 0) != span["high"]:
                    self.say("behind", f"{node}'s stream ends at {span['high']},"
                                       f" the controller has {heads.get(stream['id'])}")

    def check_audit(self):
        """Whoever started, paused or stopped a bot stands in the audit, once for each change."""
        db = self.path("controller", "controller.db")
        changed = Counter(row["bot"] for row in rows(
            db, "SELECT bot FROM desired_history WHERE by LIKE 'user/%'"
                " AND what IN ('running', 'paused', 'stopped', 'flat')"))
        audited = Counter(row["target"] for row in rows(
            db, "SELECT target FROM audit WHERE ok AND changes <> ''"
                " AND verb IN ('bot-start', 'bot-resume', 'bot-pause', 'bot-stop')"))
        for bot in changed | audited:
            if changed[bot] != audited[bot]:
                self.say("audit", f"{bot} was changed {changed[bot]} times, the audit has {audited[bot]}")

    def check(self):
        self.check_fills()
        self.check_orders()
        self.check_intents()
        self.check_epochs()
        self.check_open()
        self.check_positions()
        self.check_commands()
        self.check_audit()
        self.check_streams()
        return self.bad


def find_books(state):
    """Every object of the snapshot that has a position, not those within one."""
    if isinstance(state, dict):
        if "position" in state and "cash" in state:
            return [state]
        return [book for value in state.values() for book in find_books(value)]
    if isinstance(state, list):
        return [book for value in state for book in find_books(value)]
    return []


def main():
    books = Books(sys.argv[1])
    for kind, text in books.check():
        print(f"{kind}: {text}")
    print(f"{len(books.fills)} fills, {len(books.orders)} orders, {len(books.bad)} violations")
    return 1 if books.bad else 0


if __name__ == "__main__":
    sys.exit(main())
