"""The simulator's own ledger of a fleet, and whether the fleet's books are the same."""
import contextlib
import hashlib
import json
import os
import sqlite3
import urllib.request
from collections import Counter, defaultdict
from decimal import Decimal

from fleet import wait_for

OPEN = ("NEW", "PARTIALLY_FILLED")
DIGITS = {c: i for i, c in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}


def epoch_of(coid):
    """(bot's bits, epoch) of one of our client order ids; None: somebody else's."""
    if len(coid) != 27 or coid[0] != "f" or any(c not in DIGITS for c in coid[1:]):
        return None
    value = 0
    for c in coid[1:]:
        value = value << 5 | DIGITS[c]
    return value >> 88, value >> 64 & 0xFFFFFF


def same(row):
    """A fill in digits alone, whoever tells it."""
    symbol = row.get("symbol") or row["instrument"].replace("-", "")
    return (symbol, str(row["trade_id"]), str(row["order_id"]), row["client_order_id"], row["side"],
            Decimal(row["price"]), Decimal(row["qty"]), Decimal(row["fee"]), row["fee_asset"])


class Venue:
    def __init__(self, fleet):
        self.fleet = fleet
        with open(os.path.join(fleet.dir, "fleet.json"), encoding="ascii") as file:
            names = json.load(file)
        self.base, self.id = f"http://127.0.0.1:{names['ports']['sim_control']}", names["fleet"]

    # --- its control API

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)

    def speed(self, times):
        self.ask("POST", "/speed", {"speed": times})

    def fault(self, kind, method=None, path=None, count=None, **params):
        match = {key: value for key, value in (("method", method), ("path", path)) if value}
        body = {"kind": kind, "params": params, "match": match}
        if count:
            body["count"] = count
        self.ask("POST", "/fault", body)

    def calm(self):
        self.ask("DELETE", "/fault")

    def ledger(self, what):
        """All "orders" or "fills"."""
        rows, after = [], 0
        while after is not None:
            page = self.ask("GET", f"/ledger/{what}?after={after}&limit=5000")
            rows += page["items"]
            after = page.get("next")
        return rows

    def bits(self, bot):
        """What the bot's order ids say of it."""
        return int.from_bytes(hashlib.sha256(f"{self.id}/{bot}".encode()).digest()[:5], "big")

    def of(self, bot, what):
        bits = self.bits(bot)
        return [row for row in self.ledger(what) if (epoch_of(row["client_order_id"]) or (0,))[0] == bits]

    def ids_twice(self):
        return [name for name, times in Counter(row["client_order_id"] for row in self.ledger("orders")).items()
                if times > 1]

    # --- the controller's books

    def booked(self):
        """Its fills of live bots."""
        path = os.path.join(self.fleet.dir, "controller", "controller.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=120)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute("SELECT * FROM fills WHERE mode = 'live'")]

    def held(self):
        """Position by bot, as the sum of its fills."""
        held = defaultdict(Decimal)
        for fill in self.booked():
            held[fill["bot"]] += Decimal(fill["qty"]) * (1 if fill["side"] == "buy" else -1)
            if fill["instrument"].startswith(fill["fee_asset"]):
                held[fill["bot"]] -= Decimal(fill["fee"])
        return held

    def fills_differ(self):
        """"" or the difference. Trading goes on: what the second look at the venue has was not made up."""
        theirs, ours = Counter(map(same, self.ledger("fills"))), Counter(map(same, self.booked()))
        later = Counter(map(same, self.ledger("fills")))
        lost, made_up = theirs - ours, ours - later
        return f"lost {list(lost)[:3]}, made up {list(made_up)[:3]}" if lost or made_up else ""

    # --- waiting until they are the same

    def eventually(self, what, difference):
        """Until `difference()` is "" or empty; the failure tells the last one."""
        last = None

        def equal():
            nonlocal last
            last = difference()
            return not last

        try:
            wait_for(what, equal, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}\n{self.fleet.logs(15)}") from None

    def positions_equal(self):
        """What each bot's node says, against the sum of its fills. They trade meanwhile, and the two are not
        of one moment: a bot has proven it as soon as one look at it was equal."""
        left = None

        def differ():
            nonlocal left
            before = self.held()
            told = {bot["bot"]: Decimal(bot.get("position", "0")) for bot in self.fleet.cli("bot", "ls")["items"]
                    if bot["mode"] == "live"}
            after = self.held()
            left = {name for name in (told if left is None else left & told.keys())
                    if told[name] not in (before[name], after[name])}
            return "; ".join(f"{name} says {told[name]}, its fills {after[name]}" for name in sorted(left)[:5])

        self.eventually("positions are equal", differ)
