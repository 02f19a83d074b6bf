"""What flotilla-sim does beside ccxt's path: Ed25519 sessions, cancel-replace, orders by quote amount,
amendments, all tickers at once, recorded markets; and prices that go on after a restart.

Usage: test_sim_api.py FLOTILLA_SIM
"""
import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import tap

SIM = sys.argv[1]
DAY_MS = 86400000


def stamp():
    """A request may be a minute on its way: what is tested here is not how quick this machine is."""
    return {"timestamp": int(time.time() * 1000), "recvWindow": 60000}


class Sim:
    def __init__(self, *args, market="BTC-USDT=random:price=60000,seed=5,rate=20"):
        self.process = subprocess.Popen(
            [SIM, "--market", market, "--history", "5", "--api-key", "k", "--secret", "s", "--balance",
             "USDT=100000,BTC=1", "--log-level", "error", *args], stdout=subprocess.PIPE, text=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.rest, self.stream, self.control = words["rest"], words["stream"], words["control"]

    def call(self, method, path, **args):
        """(status, reply) of a signed request."""
        args.update(stamp())
        query = urllib.parse.urlencode(args)
        query += "&signature=" + hmac.new(b"s", query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.rest}/api/v3/{path}?{query}", method=method,
                                         data=b"" if method in ("POST", "PUT") else None,
                                         headers={"X-MBX-APIKEY": "k"})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.control + path, data),
                                    timeout=120) as reply:
            return json.load(reply)

    def last(self):
        return float(self.ask("/state")["markets"][0]["last"])

    def order(self, client_id, price, mode=None, **more):
        args = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
                "quantity": "0.01", "price": price, "newClientOrderId": client_id, **more}
        if mode:
            args["cancelReplaceMode"] = mode
        return self.call("POST", "order/cancelReplace" if mode else "order", **args)

    def end(self, kill=False):
        self.process.kill() if kill else self.process.terminate()
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


class Socket:
    """A WebSocket client, as small as one can be: text frames under 64 KiB from the server."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.sock = socket.create_connection((parts.hostname, parts.port), timeout=120)
        self.sock.sendall((f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        self.file = self.sock.makefile("rb")
        assert b"101" in self.file.readline()
        while self.file.readline().strip():
            pass
        self.last_id = 0

    def send(self, document):
        data = json.dumps(document).encode()
        size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack(
            "!BH", 0xfe, len(data))
        self.sock.sendall(b"\x81" + size + b"\0\0\0\0" + data)

    def receive(self):
        while True:
            kind, size = self.file.read(2)
            if size == 126:
                size, = struct.unpack("!H", self.file.read(2))
            elif size == 127:
                size, = struct.unpack("!Q", self.file.read(8))
            data = self.file.read(size)
            if kind & 15 == 1:
                return json.loads(data)

    def ask(self, method, params):
        """The answer, and the events that came before it."""
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        events = []
        while True:
            message = self.receive()
            if message.get("id") == self.last_id:
                return message, events
            events.append(message)

    def close(self):
        self.file.close()
        self.sock.close()


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.private = os.path.join(cls.folder.name, "key.pem")
        public = os.path.join(cls.folder.name, "key.pub")
        openssl = lambda *args: subprocess.run(("openssl", *args), check=True, capture_output=True)
        openssl("genpkey", "-algorithm", "ed25519", "-out", cls.private)
        openssl("pkey", "-in", cls.private, "-pubout", "-out", public)
        cls.sim = Sim("--ed25519-key", "e", "--public-key", public, "--balance", "USDT=5000")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        assert cls.sim.end() == 0

    def sign(self, **params):
        text = "&".join(f"{key}={params[key]}" for key in sorted(params))
        path = os.path.join(self.folder.name, "payload")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run(("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.private, "-in",
                               path), check=True, capture_output=True)
        return dict(params, signature=base64.b64encode(done.stdout).decode())

    def logon(self, api):
        return api.ask("session.logon", self.sign(apiKey="e", **stamp()))[0]

    def test_a_session_logs_on_with_ed25519_and_then_trades_without_signatures(self):
        api = Socket(self.sim.stream + "/ws-api/v3")
        self.assertEqual(api.ask("account.status", stamp())[0]["status"], 401)
        self.assertEqual(self.logon(api)["result"]["apiKey"], "e")
        self.assertEqual(api.ask("session.status", {})[0]["result"]["apiKey"], "e")
        account = api.ask("account.status", stamp())[0]
        self.assertEqual(account["status"], 200, account)
        self.assertEqual(api.ask("userDataStream.subscribe", {})[0]["status"], 200)
        placed, events = api.ask("order.place", {
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
            "price": "30000", "quantity": "0.01", **stamp()})
        self.assertEqual(placed["status"], 200, placed)
        while not events:
            events.append(api.receive())
        self.assertEqual(events[0]["event"]["x"], "NEW")
        self.assertIsNone(api.ask("session.logout", {})[0]["result"]["apiKey"])
        self.assertEqual(api.ask("account.status", stamp())[0]["status"], 401)
        api.close()

    def test_a_wrong_signature_or_an_hmac_key_cannot_log_on(self):
        api = Socket(self.sim.stream + "/ws-api/v3")
        params = self.sign(apiKey="e", **stamp())
        params["timestamp"] += 1
        self.assertEqual(api.ask("session.logon", params)[0]["error"]["code"], -1022)
        api.close()

    def test_cancel_replace_stops_on_failure(self):
        self.sim.order("r1", "30000")
        status, reply = self.sim.order("r2", "31000", "STOP_ON_FAILURE", cancelOrigClientOrderId="r1")
        self.assertEqual((status, reply["cancelResult"], reply["newOrderResult"]),
                         (200, "SUCCESS", "SUCCESS"))
        status, reply = self.sim.order("r3", "31000", "STOP_ON_FAILURE", cancelOrigClientOrderId="r1")
        self.assertEqual((status, reply["code"]), (400, -2022))
        self.assertEqual(reply["data"]["newOrderResult"], "NOT_ATTEMPTED")
        self.assertIsNone(reply["data"]["newOrderResponse"])
        self.assertEqual(self.sim.call("GET", "order", symbol="BTCUSDT", origClientOrderId="r3")[1]["code"],
                         -2013)

    def test_cancel_replace_allows_failure(self):
        status, reply = self.sim.order("a1", "31000", "ALLOW_FAILURE", cancelOrigClientOrderId="nobody")
        self.assertEqual((status, reply["code"]), (409, -2021))
        self.assertEqual(reply["data"]["cancelResponse"]["code"], -2011)
        self.assertEqual(reply["data"]["newOrderResponse"]["clientOrderId"], "a1")
        status, reply = self.sim.order("a2", "31000", "ALLOW_FAILURE", cancelOrigClientOrderId="a1",
                                       quantity="900")
        self.assertEqual((status, reply["code"]), (409, -2021))
        self.assertEqual(reply["data"]["cancelResult"], "SUCCESS")
        self.assertEqual(reply["data"]["newOrderResponse"]["code"], -2010)

    def test_an_amendment_is_refused_as_exchange_info_says(self):
        self.sim.order("k1", "30000")
        status, reply = self.sim.call("PUT", "order/amend/keepPriority", symbol="BTCUSDT",
                                      origClientOrderId="k1", newQty="0.005")
        self.assertEqual((status, reply["code"]), (400, -2038))

    def test_the_last_trade_of_an_order_by_quote_amount_says_filled(self):
        api = Socket(self.sim.stream + "/ws-api/v3")
        self.assertEqual(self.logon(api)["status"], 200)
        self.assertEqual(api.ask("userDataStream.subscribe", {})[0]["status"], 200)
        placed, events = api.ask("order.place", {
            "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "3000",
            **stamp()})
        self.assertEqual(placed["result"]["status"], "FILLED", placed)
        trades = lambda: [e["event"] for e in events if e.get("event", {}).get("x") == "TRADE"]
        while len(trades()) < len(placed["result"]["fills"]):
            events.append(api.receive())
        self.assertEqual([t["X"] for t in trades()],
                         ["PARTIALLY_FILLED"] * (len(trades()) - 1) + ["FILLED"])
        self.assertEqual(trades()[-1]["z"], placed["result"]["executedQty"])
        self.assertEqual(trades()[-1]["q"], trades()[-1]["z"])
        api.close()

    def test_all_mini_tickers_come_in_one_array(self):
        stream = Socket(self.sim.stream + "/stream?streams=!miniTicker@arr")
        message = stream.receive()
        self.assertEqual(message["stream"], "!miniTicker@arr")
        self.assertEqual([row["s"] for row in message["data"]], ["BTCUSDT"])
        self.assertEqual(message["data"][0]["e"], "24hrMiniTicker")
        stream.close()

    def test_a_hung_request_is_done_and_never_answered(self):
        self.sim.ask("/fault", {"kind": "accept_then_timeout", "count": 1, "params": {"hang": True},
                                "match": {"path": "/api/v3/order", "method": "POST"}})
        address = urllib.parse.urlsplit(self.sim.rest)
        query = urllib.parse.urlencode({
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "30000",
            "quantity": "0.01", "newClientOrderId": "hung", **stamp()})
        query += "&signature=" + hmac.new(b"s", query.encode(), hashlib.sha256).hexdigest()
        with socket.create_connection((address.hostname, address.port), timeout=120) as sock:
            sock.sendall((f"POST /api/v3/order?{query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                          "X-MBX-APIKEY: k\r\nContent-Length: 0\r\n\r\n").encode())
            end = time.monotonic() + 60
            while self.sim.call("GET", "order", symbol="BTCUSDT",
                                origClientOrderId="hung")[1].get("status") != "NEW":
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            sock.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                sock.recv(1)


class Restart(unittest.TestCase):
    def test_prices_go_on_where_they_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            args = ("--db", os.path.join(folder, "sim.db"))
            market = "BTC-USDT=random:price=60000,seed=5,rate=1,vol=0.5"
            sim = Sim(*args, market=market)
            begin = sim.last()
            sim.ask("/pause", {})
            sim.ask("/step", {"ms": DAY_MS // 4})
            before = sim.last()
            self.assertGreater(abs(before / begin - 1), 0.01, "else this shows nothing")
            self.assertEqual(sim.end(), 0)
            sim = Sim(*args, market=market)
            self.assertLess(abs(sim.last() / before - 1), 0.002)
            self.assertEqual(len(json.load(urllib.request.urlopen(
                sim.rest + "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5", timeout=120))), 5)
            sim.end(kill=True)
            sim = Sim(*args, market="BTC-USDT=random:price=100,seed=5")
            self.assertLess(abs(sim.last() / 100 - 1), 0.05, "another source begins at its begin")
            sim.end()


tap.run(Api, Restart)
