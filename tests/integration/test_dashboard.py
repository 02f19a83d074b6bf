#!/usr/bin/env python3
"""The dashboard server's port: REST gateway, metrics, health, sessions, TLS, and what strangers send."""
import base64
import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import urllib.parse

DASHBOARD = sys.argv.pop(3)
from test_controller import PATIENCE_S, Fleet, ROOT, until  # noqa: E402
import mqtt5  # noqa: E402
import tap  # noqa: E402


class Socket:
    """A WebSocket to /mqtt, by hand."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.sock.sendall((f"GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: mqtt\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.data += self.sock.recv(4096)
        self.status = int(self.data.split()[1])
        self.data = self.data.split(b"\r\n\r\n", 1)[1]

    def send(self, payload):
        size = (bytes([0x80 | len(payload)]) if len(payload) < 126 else
                b"\xfe" + struct.pack(">H", len(payload)))
        self.sock.sendall(b"\x82" + size + b"\0\0\0\0" + payload)

    def receive(self, seconds=PATIENCE_S):
        """(opcode, payload); None: it is closed."""
        self.sock.settimeout(seconds)
        while len(self.data) < 2 or len(self.data) < 2 + (self.data[1] & 127):
            more = self.sock.recv(4096)
            if not more:
                return None
            self.data += more
        size = self.data[1] & 127
        frame, self.data = (self.data[0] & 15, self.data[2:2 + size]), self.data[2 + size:]
        return frame

    def closed(self, seconds=PATIENCE_S):
        """Code and reason of its end."""
        while True:
            frame = self.receive(seconds)
            if frame is None:
                return 0, ""
            if frame[0] == 8:
                return struct.unpack(">H", frame[1][:2])[0], frame[1][2:].decode()


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


def connect(user, password):
    body = text("MQTT") + b"\x05\xc2\0\x3c\0" + text("t" + os.urandom(4).hex())
    body += text(user) + text(password)
    return b"\x10" + bytes([len(body)]) + body


class Dashboard(Fleet):
    more = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(f"{cls.dir}/secrets/admin.password", encoding="ascii") as file:
            cls.password = file.read().strip()
        cls.dash = cls.port = None
        cls.serve()

    @classmethod
    def serve(cls, listen="127.0.0.1:0", **more):
        """Starts the dashboard; cls.port is where it listens."""
        cls.end()
        config = {"tenant": "main", "listen": listen, "fleet_dir": cls.dir,
                  "mqtt_socket": f"{cls.dir}/broker/mosquitto.sock"}
        if os.path.exists(f"{cls.dir}/secrets/dashboard.password"):
            config.update(mqtt_username="dashboard",
                          mqtt_password_file=f"{cls.dir}/secrets/dashboard.password")
        config.update(more)
        with open(f"{cls.dir}/dashboard.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        cls.dash = subprocess.Popen([DASHBOARD, "--config", f"{cls.dir}/dashboard.json"],
                                    stderr=subprocess.PIPE, text=True)
        lines = []
        for line in cls.dash.stderr:
            lines.append(line)
            found = re.search(r"ev=listening .*port=(\d+)", line)
            if found:
                cls.port = int(found[1])
                log = open(f"{cls.dir}/dashboard.log", "ab")  # the pipe must not fill
                cls.cat = subprocess.Popen(["cat"], stdin=cls.dash.stderr, stdout=log)
                return None
        return cls.dash.wait(60), "".join(lines)

    @classmethod
    def end(cls):
        if cls.dash and cls.dash.poll() is None:
            cls.dash.send_signal(signal.SIGTERM)
            assert cls.dash.wait(60) == 0
        cls.dash = None

    @classmethod
    def tearDownClass(cls):
        cls.end()
        super().tearDownClass()

    def call(self, method, path, body=None, user="admin", password=None, headers=None, token=None):
        """Status, headers and the body: decoded when it is JSON."""
        head = dict(headers or {})
        if token:
            head["Authorization"] = "Bearer " + token
        elif user:
            pair = f"{user}:{password or self.password}".encode()
            head["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        if body is not None:
            head.setdefault("Content-Type", "application/json")
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        link.request(method, path, None if body is None else
                     body if isinstance(body, (str, bytes)) else json.dumps(body), head)
        reply = link.getresponse()
        data = reply.read()
        link.close()
        if reply.getheader("Content-Type", "").startswith("application/json"):
            data = json.loads(data)
        return reply.status, reply, data

    def get(self, path, **more):
        status, _, data = self.call("GET", path, **more)
        self.assertEqual(status, 200, data)
        self.assertTrue(data["ok"], data)
        return data["result"]

    def setUp(self):
        """What every test stands on, whatever the one before it did: the server, a node, the bot dip."""
        if self.dash is None or self.dash.poll() is not None:
            self.serve()
        self.node()
        if self.call("GET", "/api/v1/bots/dip")[0] == 404:
            status, _, data = self.call("POST", "/api/v1/bots", {"bot": self.bot("dip")})
            self.assertEqual((status, data["result"]["bot"]), (200, "dip"))

    def eve(self):
        """A new password of the viewer eve."""
        if not any(user["name"] == "eve" for user in self.good("user-ls")["items"]):
            self.good("user-add", {"name": "eve", "role": "viewer"})
        return self.good("user-passwd", {"name": "eve"})["password"]

    def test_1_verbs_and_readable_routes(self):
        self.assertEqual(self.get("/api/v1/status")["tenant"], "main")
        self.assertEqual([b["bot"] for b in self.get("/api/v1/bots")["items"]], ["dip"])
        self.assertEqual(self.get("/api/v1/bots?node=node-2")["items"], [])
        self.assertEqual(self.get("/api/v1/bots/dip")["spec"]["strategy"], "dca")
        status, _, data = self.call("POST", "/api/v1/bots/dip/pause")
        self.assertEqual((status, data["result"]["run"]), (200, "paused"))
        row = self.get("/api/v1/audit?verb=bot-pause")["items"][0]
        self.assertEqual((row["user"], row["origin"], row["target"]), ("admin", "api", "dip"))
        for path in ("accounts", "strategies", "strategies/grid", "bots/running", "trades",
                     "trades/stats", "statistics", "orders", "pnl/days", "nodes", "nodes/node-1",
                     "alerts", "market", "halts", "logs", "users", "tokens", "health", "whoami"):
            self.get("/api/v1/" + path)

    def test_2_what_is_refused_says_so(self):
        def error(*args, **more):
            status, reply, data = self.call(*args, **more)
            return status, data["error"]["code"], reply
        self.assertEqual(error("GET", "/api/v1/bots/nobody")[:2], (404, "not_found"))
        self.assertEqual(error("GET", "/api/v1/bot-lss")[:2], (404, "not_found"))
        status, code, reply = error("GET", "/api/v1/bot-stop")
        self.assertEqual((status, reply.getheader("Allow")), (405, "POST"))
        self.assertEqual(error("POST", "/api/v1/bot-stop", {"bto": 1})[:2],
                         (400, "invalid_argument"))
        self.assertEqual(error("POST", "/api/v1/bot-stop", "bot=dip", headers={
            "Content-Type": "application/x-www-form-urlencoded"})[0], 415)
        self.assertEqual(error("GET", "/api/v1/status", user=None)[:2], (401, "denied"))
        status, code, reply = error("GET", "/api/v1/status", user="+", password="x")
        self.assertEqual(status, 401)
        self.assertIn("Bearer", reply.getheader("WWW-Authenticate"))
        self.assertEqual(error("GET", "/api/v1/status",
                               headers={"Origin": "https://evil.example"})[:2], (403, "denied"))
        self.assertEqual(error("POST", "/api/v1/bot-stop", "x" * 300000)[0], 413)
        self.assertEqual(error("POST", "/api/v1/bot-pause", {"bot": "dip"},
                               headers={"Idempotency-Key": "a/b"})[:2], (400, "invalid_argument"))
        eve = self.eve()
        self.assertEqual(self.call("GET", "/api/v1/bots", user="eve", password=eve)[0], 200)
        # The broker itself does not let a viewer's request through.
        self.assertEqual(error("POST", "/api/v1/bots/dip/stop", {}, user="eve",
                               password=eve)[:2], (403, "denied"))

    def test_3_tokens_and_repeated_keys(self):
        token = self.call("POST", "/api/v1/tokens", {"name": "ci", "role": "trader"})[2]
        token = token["result"]["token"]
        key = {"Idempotency-Key": "0a1b2c3d-0000-4000-8000-000000000001"}
        first = self.call("POST", "/api/v1/bots/dip/resume", token=token, headers=key)
        self.assertEqual(first[0], 200, first[2])
        generation = first[2]["result"]["generation"]
        again = self.call("POST", "/api/v1/bots/dip/resume", token=token, headers=key)
        self.assertEqual(again[2], first[2])
        self.assertEqual(self.get("/api/v1/bots/dip")["bot"]["generation"], generation)
        other = self.call("POST", "/api/v1/bots/dip/pause", token=token, headers=key)
        self.assertEqual((other[0], other[2]["error"]["code"]), (409, "conflict"))
        self.assertEqual(self.call("DELETE", "/api/v1/tokens/ci")[0], 200)
        status = until(lambda: self.call("GET", "/api/v1/status", token=token)[0] in (401, 403))
        self.assertTrue(status)

    def test_4_no_answer_is_called_unknown(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            # An answer of its own, while the controller is still held and before call() gives up.
            status, _, data = self.call("POST", "/api/v1/bots/dip/pause", {})
            self.assertEqual((status, data.get("error", {}).get("code")), (504, "unknown"), data)
            self.assertIn("Idempotency-Key", data["error"]["hint"])
            until(lambda: self.call("GET", "/healthz")[0] == 503)
        finally:
            self.process.send_signal(signal.SIGCONT)
        until(lambda: self.call("GET", "/healthz")[0] == 200)

    def test_5_metrics_and_health(self):
        status, reply, data = self.call("GET", "/metrics", user=None)
        self.assertEqual(status, 200)
        self.assertTrue(reply.getheader("Content-Type").startswith("text/plain; version=0.0.4"))

        def names():
            found = set()
            for line in self.call("GET", "/metrics", user=None)[2].decode().splitlines():
                if line.startswith("#"):
                    continue
                match = re.fullmatch(r'(\w+)(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? (-?[0-9.e+-]+)', line)
                self.assertTrue(match, line)
                found.add(match[1])
            return found

        wanted = {"flotilla_" + name for name in (
            "broker_up", "dashboard_sessions", "node_up", "node_loop_lag_seconds",
            "controller_up", "controller_queue", "fills_total", "bots_by_phase",
            "requests_total", "refused_total", "database_bytes")}
        missing = wanted

        def told():  # by the controller, now and then; and a node that has not beaten has no figures
            nonlocal missing
            self.node().beat()
            missing = wanted - names()
            return not missing
        try:
            until(told)
        except AssertionError:
            self.assertEqual(missing, set())

        def health():
            data = self.call("GET", "/healthz", user=None)[2]
            return (data["ok"], data["broker"], data["controller"])
        until(lambda: health() == (True, "reachable", "online"))

    def test_6_the_page_lets_no_foreign_script_in(self):
        _, reply, _ = self.call("GET", "/", user=None)
        policy = dict(p.strip().split(" ", 1) for p in
                      reply.getheader("Content-Security-Policy").split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual((policy["script-src"], policy["style-src"]), ("'self'", "'self'"))
        self.assertEqual((policy["base-uri"], policy["frame-ancestors"]), ("'none'", "'none'"))
        self.assertNotIn("unsafe", reply.getheader("Content-Security-Policy"))
        self.assertEqual(reply.getheader("X-Content-Type-Options"), "nosniff")
        os.makedirs(f"{self.dir}/backtests/run-1", exist_ok=True)
        for name, body in (("summary.json", '{"net":"1"}'), ("report.html", "<h1>r</h1>")):
            with open(f"{self.dir}/backtests/run-1/{name}", "w", encoding="utf-8") as file:
                file.write(body)
        rows = self.get("/api/v1/backtests")["items"]
        self.assertEqual([(r["name"], r["summary"]["net"]) for r in rows], [("run-1", "1")])
        path = "/api/v1/backtests/run-1/report.html"
        self.assertEqual(self.call("GET", path, user=None)[0], 401)
        _, reply, data = self.call("GET", path)
        self.assertEqual(data, b"<h1>r</h1>")
        self.assertTrue(reply.getheader("Content-Security-Policy").startswith("sandbox"))
        link = self.call("POST", "/api/v1/backtests/run-1/ticket", {})[2]["result"]["url"]
        self.assertEqual(self.call("GET", link, user=None)[0], 200)
        self.assertEqual(self.call("GET", link[:-1] + "x", user=None)[0], 401)
        for name in ("..", "%2e%2e", "run-1%2f..%2f..", ".", "%2fetc"):
            self.assertEqual(self.call("GET", f"/api/v1/backtests/{name}/report.html")[0], 404)

    def test_7_strangers_bytes(self):
        rng = random.Random(7)
        for _ in range(150):  # any path and method: an answer or a hang-up, never an end
            path = "/" + "".join(rng.choice("abz/.%?&=-_~{}\"'<>\\;:@+2eF0") for _ in
                                 range(rng.randrange(60)))
            sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
            method = rng.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "BREW", "GET /api/v1"])
            sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                         "Connection: close\r\n\r\n".encode())
            sock.settimeout(PATIENCE_S)
            try:
                data = sock.recv(65536)
            except ConnectionError:  # a hang-up before it had read all of that
                data = b""
            if data:
                self.assertTrue(data.startswith(b"HTTP/1."), data[:40])
                self.assertNotIn(b" 500 ", data[:20])
            sock.close()
        slow = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)  # and then nothing more
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        big = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        try:
            big.sendall(b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n")
            big.settimeout(PATIENCE_S)
            self.assertNotIn(b" 200 ", big.recv(100))
        except OSError:
            pass  # hung up on
        self.assertEqual(self.call("GET", "/healthz/live")[0], 200)  # others are served meanwhile
        slow.settimeout(2 * PATIENCE_S)
        self.assertEqual(slow.recv(10), b"")
        self.assertIsNone(self.dash.poll())

    def test_8_sessions_end_and_guessing_slows_down(self):
        self.serve(session_idle_s=4)
        client = Socket(self.port)
        self.assertEqual(client.status, 101)
        client.send(connect("admin", self.password))
        self.assertEqual(client.receive()[1][0], 0x20)
        self.assertEqual(client.closed()[0], 4001)  # nobody did anything
        self.serve()
        client = Socket(self.port)
        client.send(connect("eve", self.eve()))
        self.assertEqual(client.receive()[1][3], 0)
        self.good("user-passwd", {"name": "eve"})  # her password is changed: her session ends
        client.closed()
        def guess():
            """What a guess is told: 0 and no reason when the broker refused it, as it does the first four."""
            client = Socket(self.port)
            client.send(connect("eve", "guess"))
            frame = client.receive()
            if frame[0] == 8:
                return struct.unpack(">H", frame[1][:2])[0], frame[1][2:].decode()
            self.assertNotEqual(frame[1][3], 0)
            client.sock.close()
            return 0, ""
        self.assertEqual([guess() for _ in range(4)], [(0, "")] * 4)
        # The waits begin with a second; they double while guesses are slower than that.
        code, reason = until(lambda: next((told for told in [guess()] if told[0]), None))
        self.assertEqual(code, 4029, reason)
        self.assertIn("wait", reason)

        def refused():
            status, reply, data = self.call("GET", "/api/v1/status", user="eve", password="guess")
            return (reply, data["error"]["code"]) if status == 429 else None
        reply, code = until(refused)
        self.assertEqual(code, "rate_limited")
        self.assertGreaterEqual(int(reply.getheader("Retry-After")), 1)
        client = Socket(self.port)
        client.send(b"\x30\x05hello")  # PUBLISH before CONNECT
        self.assertEqual(client.closed()[0], 1002)

    def test_9_tls_and_no_port_beyond_loopback_without_it(self):
        code, said = self.serve(listen="0.0.0.0:0")
        self.assertNotEqual(code, 0)
        self.assertIn("clear", said)
        pem = f"{self.dir}/cert.pem", f"{self.dir}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", pem[0],
                        "-keyout", pem[1]], check=True, capture_output=True)
        self.serve(listen="0.0.0.0:0", tls_cert=pem[0], tls_key=pem[1])
        context = ssl.create_default_context(cafile=pem[0])
        link = http.client.HTTPSConnection("localhost", self.port, timeout=120, context=context)
        link.request("GET", "/healthz/live")
        self.assertEqual(link.getresponse().read(), b'{"ok":true}\n')
        link.close()
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.call("GET", "/healthz/live")  # no clear text on that port


if __name__ == "__main__":
    tap.run(Dashboard)
