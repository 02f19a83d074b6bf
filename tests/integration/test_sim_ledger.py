"""flotilla-sim killed with -9: whatever it answered is there after a restart on the same ledger."""
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import tap

SIM = sys.argv[1]


class Sim:
    def __init__(self, db):
        self.process = subprocess.Popen(
            [SIM, "--market", "BTC-USDT=random:price=60000,seed=5,rate=20", "--history", "30",
             "--api-key", "k", "--secret", "s", "--balance", "USDT=100000,BTC=1", "--db", db,
             "--limit-orders-10s", "100000", "--log-level", "error"],
            stdout=subprocess.PIPE, text=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.rest, self.control = words["rest"], words["control"]

    def call(self, method, path, **args):
        args.update(timestamp=int(time.time() * 1000), recvWindow=60000)
        query = urllib.parse.urlencode(args)
        query += "&signature=" + hmac.new(b"s", query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.rest}/api/v3/{path}?{query}", method=method,
                                         data=b"" if method == "POST" else None,
                                         headers={"X-MBX-APIKEY": "k"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)

    def ledger(self, what):
        with urllib.request.urlopen(f"{self.control}/ledger/{what}", timeout=120) as reply:
            return sorted(json.load(reply)["items"], key=lambda row: row.get("n", row.get("asset")))

    def end(self, kill):
        self.process.kill() if kill else self.process.terminate()
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


class Ledger(unittest.TestCase):
    def test_nothing_answered_is_lost_by_kill_9(self):
        with tempfile.TemporaryDirectory() as folder:
            db = os.path.join(folder, "sim.db")
            sim = Sim(db)
            try:
                sim.call("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.05")
                for i in range(20):
                    sim.call("POST", "order", symbol="BTCUSDT", side="BUY", type="LIMIT",
                             timeInForce="GTC", price="30000", quantity="0.01",
                             newClientOrderId=f"o{i}")
                sim.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="o3")
                orders, fills = sim.ledger("orders"), sim.ledger("fills")
                balances = sim.ledger("balances")
            finally:
                sim.end(kill=True)
            sim = Sim(db)
            try:
                self.assertEqual(sim.ledger("orders"), orders)
                self.assertEqual(sim.ledger("fills"), fills)
                self.assertEqual(sim.ledger("balances"), balances)
                self.assertEqual(len(sim.call("GET", "openOrders", symbol="BTCUSDT")), 19)
                again = sim.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="o4")
                self.assertEqual(again["status"], "CANCELED")
                usdt = [row for row in sim.ledger("balances") if row["asset"] == "USDT"][0]
                self.assertEqual(float(usdt["locked"]), 18 * 300)
            finally:
                self.assertEqual(sim.end(kill=False), 0)


tap.run(Ledger)
