"""Random and mutated messages to every topic class, as every role, and to every port: nothing crashes,
and who has no right changes nothing.

Usage: mutate.py --build DIR [--count 20000] [--seed S]      (count: messages in all)
"""
import argparse
import glob
import json
import os
import random
import secrets
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import conduct  # noqa: E402
import mqtt5  # noqa: E402
import rig as rigs  # noqa: E402

SCHEMAS = os.path.join(HERE, "..", "..", "schemas")
ROOT = "flt/v1/main"
WEIRD = (None, True, False, -1, 0, 1, 2 ** 53, -2 ** 63, 2 ** 64, 1e308, -0.0, "", "0", "-1", "NaN", "1e999", "9" * 400,
         "\0", "\ud800", "../../etc/passwd", "'; DROP TABLE bots;--", "%s%n%x", [], {}, [[]], "a" * 5000,
         "\u202e", "01JD8Z6M5K7Q4W2X9Y3B1C0DEF", "btc-grid")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def examples():
    """({topic name: example}, {verb: example of its arguments}, {op: example}) of the schemas."""
    messages = {}
    for row in load(os.path.join(SCHEMAS, "topics.json"))["topics"]:
        document = load(os.path.join(SCHEMAS, row["message"] + ".json"))
        messages[row["topic"]] = (document.get("examples") or [{}])[0]
    verbs, ops = ({os.path.basename(path)[:-5]: load(path)["examples"][0].get("args", {})
                   for path in sorted(glob.glob(os.path.join(SCHEMAS, folder, "*.json")))}
                  for folder in ("req", "cmd"))
    return messages, verbs, ops


class Mutator:
    def __init__(self, dice):
        self.dice = dice

    def value(self, value, depth=0):
        """The same document with one place changed."""
        dice = self.dice
        if isinstance(value, dict) and value and (depth == 0 or dice.random() < 0.7):
            out, key = dict(value), dice.choice(list(value))
            what = dice.randrange(6)
            if what == 0:
                del out[key]
            elif what == 1:
                out[dice.choice(("x", "", key + "x", "a" * 300))] = out.pop(key)
            else:
                out[key] = self.value(out[key], depth + 1)
            return out
        if isinstance(value, list) and value and dice.random() < 0.8:
            out, at = list(value), dice.randrange(len(value))
            if dice.random() < 0.2:
                return out * dice.choice((2, 50))
            out[at] = self.value(out[at], depth + 1)
            return out
        return dice.choice(WEIRD)

    def text(self, document):
        """Bytes of a message: its document mutated, or its bytes, or something else altogether."""
        dice, what = self.dice, self.dice.randrange(20)
        if what == 0:
            return dice.randbytes(dice.randrange(0, 400))
        if what == 1:
            return b"[" * dice.randrange(1, 5000)
        if what == 2:
            return b'{"a":' * dice.randrange(1, 3000) + b"1"
        for _ in range(dice.randrange(0, 4)):
            document = self.value(document)
        data = bytearray(json.dumps(document, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass"))
        if what < 8 and data:
            for _ in range(dice.randrange(1, 6)):
                kind, at = dice.randrange(4), dice.randrange(len(data) or 1)
                if kind == 0:
                    data[at:at + 1] = bytes([dice.randrange(256)])
                elif kind == 1:
                    del data[at:at + dice.randrange(1, 20)]
                elif kind == 2:
                    data[at:at] = data[at:at + dice.randrange(1, 40)]
                else:
                    del data[at:]
                if not data:
                    break
        return bytes(data)


class Pen:
    """QoS 0 publishes in bulk over one connection."""

    def __init__(self, path, user, password):
        self.client = mqtt5.Client(path, user, password, 20)
        self.buffer = bytearray()

    def write(self, topic, payload):
        head = mqtt5._text(topic) + b"\0"  # pylint: disable=protected-access
        self.buffer += b"\x30" + mqtt5._varint(len(head) + len(payload)) + head + payload  # pylint: disable=protected-access
        if len(self.buffer) > 65536:
            self.flush()

    def flush(self):
        self.client.sock.settimeout(20)
        self.client.sock.sendall(bytes(self.buffer))
        self.buffer.clear()

    def close(self):
        self.flush()
        self.client.close()


class Attack:
    def __init__(self, options):
        self.options = options
        self.dice = random.Random(options.seed)
        self.mutator = Mutator(self.dice)
        self.messages, self.verbs, self.ops = examples()
        self.rig = rigs.Rig(dict(conduct.tools_of(options.build), inject=None), options.seed, 1.0)
        self.sent = 0

    # --- the fleet

    def up(self):
        self.rig.configure()
        self.port = rigs.free_ports(1)[0]
        os.makedirs(self.rig.path("dashboard"), exist_ok=True)
        self.rig.write({"tenant": "main", "listen": f"127.0.0.1:{self.port}",
                        "mqtt_socket": self.rig.path("broker", "mosquitto.sock")}, "dashboard", "dashboard.json")
        self.rig.processes["dashboard"] = rigs.Process(self.rig, "dashboard", [
            self.rig.tools["dashboard"], "--config", self.rig.path("dashboard", "dashboard.json")])
        self.rig.begin()
        self.rig.processes["dashboard"].start()
        self.rig.until("both nodes are up", self.rig.nodes_down, 20)
        self.rig.until("instruments", lambda: self.rig.why_not("instrument-ls", "binance"), 20)
        self.rig.ask("apply", {"bots": conduct.fleet_of(random.Random(1)), "start": True})
        self.rig.until("all bots run", lambda: self.rig.bots_not(("running",)), 40)
        self.viewer = self.rig.ask("user-add", {"name": "eve", "role": "viewer"})["password"]
        self.trader = self.rig.ask("user-add", {"name": "tom", "role": "trader"})["password"]
        self.stranger = secrets.token_hex(16)
        client = mqtt5.Client(self.rig.path("broker", "mosquitto.sock"), "controller", self.rig.secret("controller"))
        client.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": [
            {"command": "createRole", "rolename": "node-node-3", "acls": [
                {"acltype": "publishClientSend", "topic": f"{ROOT}/n/node-3/#", "allow": True}]},
            {"command": "createClient", "username": "node-3", "password": self.stranger,
             "roles": [{"rolename": "node-node-3"}]}]}))
        client.close()
        self.starts = {name: process.starts for name, process in self.rig.processes.items()}

    def facts(self):
        """What nobody without rights may change."""
        keep = ("bot", "run", "generation", "epoch", "node", "strategy")
        bots = [{key: row.get(key) for key in keep} for row in self.rig.ask("bot-ls", {"limit": 500})["items"]]
        return {"bots": sorted(bots, key=lambda row: row["bot"]),
                "halts": self.rig.ask("halt-ls", {}), "users": self.rig.ask("user-ls", {}),
                "accounts": self.rig.ask("account-ls", {})}

    def alive(self, after):
        """Nobody ended, and the controller has read all that was sent before."""
        self.rig.ask("status", {}, 60)
        for name, process in self.rig.processes.items():
            if not process.alive() or process.starts != self.starts[name]:
                code = process.child.poll()
                with open(self.rig.path("log", f"{name}.log"), encoding="utf-8", errors="replace") as log:
                    raise AssertionError(f"{name} ended ({code}) after {after}: {log.readlines()[-3:]}")

    # --- messages by topic

    def payload(self, topic, term=0):
        document = self.messages[topic]
        if topic.startswith("u/<user>/req"):
            verb = self.dice.choice(sorted(self.verbs))
            document = dict(document, args=self.verbs[verb])
        else:
            verb = ""
        if topic == "c/<node>/cmd" and self.dice.random() < 0.9:
            op = self.dice.choice(sorted(self.ops))
            document = dict(document, op=op, args=self.ops[op])
        now = self.rig.now_ms()
        if isinstance(document, dict):
            document = dict(document, id=rigs.ulid(now), ts_ms=now)
            if "expires_ms" in document or verb:
                document["expires_ms"] = now + 60000
            if "term" in document and term:
                document["term"] = term
        return verb, self.mutator.text(document)

    def place(self, topic, node, user, verb):
        """The topic with names in its places."""
        words = {"<node>": node, "<user>": user, "<verb>": verb or "status", "<bot>": self.dice.choice(
            ("grid-0", "dca-6", "nobody")), "<req>": "01JD8Z6M5K7Q4W2X9Y3B1C0DEF", "<venue>": "binance",
            "<instrument>": "BTC-USDT", "<kind>": "quote", "<page>": "0", "<alert>": "x", "<job>": "x",
            "<account>": "demo", "<source>": "tv"}
        return "/".join([ROOT, *(words.get(level, level) for level in topic.split("/"))])

    def flood(self, login, password, topics, count, node="node-1", user="admin", term=0):
        pen = Pen(self.rig.path("broker", "mosquitto.sock"), login, password)
        for number in range(count):
            topic = self.dice.choice(topics)
            verb, payload = self.payload(topic, term)
            if len(payload) < 900000:
                pen.write(self.place(topic, node, user, verb), payload)
                self.sent += 1
            if number % 2000 == 1999:
                pen.flush()
                self.alive(f"{login}'s messages on {topics[:3]}...")
        pen.close()
        self.alive(f"{login}'s messages")

    # --- the classes of attackers

    def those_without_rights(self, share):
        every = sorted(self.messages)
        own = ["u/<user>/req/<verb>", "u/<user>/sig/<source>"]
        before = self.facts()
        self.flood("eve", self.viewer, every, share)                       # all of it is others'
        self.flood("eve", self.viewer, own, share, user="eve")             # her own requests
        self.flood("node-3", self.stranger, every, share)                  # another node's topics
        nodes = [topic for topic in every if topic.startswith("n/")]
        self.flood("node-3", self.stranger, nodes, share, node="node-3")   # its own, of bots that it has not
        after = self.facts()
        if before != after:
            raise AssertionError(f"changed without rights: {[(k, before[k], after[k]) for k in before if before[k] != after[k]]}")

    def those_with_rights(self, share):
        """They may change things, so only nothing may break."""
        term = self.rig.ask("status", {})["term"]
        down = [topic for topic in self.messages if topic.startswith(("c/", "ctl/", "ui/"))]
        self.flood("tom", self.trader, ["u/<user>/req/<verb>"], share, user="tom")
        self.flood("controller", self.rig.secret("controller"), down, share, term=term)
        self.flood("controller", self.rig.secret("controller"), down, share, node="node-2")

    def raw(self, port, lines, count, what):
        """Mutated requests and noise to a port of ours."""
        for number in range(count):
            with socket.socket() as sock:
                sock.settimeout(2)
                sock.connect(("127.0.0.1", port))
                data = bytearray(self.dice.choice(lines))
                for _ in range(self.dice.randrange(0, 5)):
                    at = self.dice.randrange(len(data) or 1)
                    if self.dice.random() < 0.5:
                        data[at:at + 1] = self.dice.randbytes(self.dice.randrange(0, 9))
                    else:
                        del data[at:at + self.dice.randrange(1, 30)]
                try:
                    sock.sendall(bytes(data))
                    if number % 4 == 0:
                        sock.shutdown(socket.SHUT_WR)
                        sock.recv(4096)
                    elif number % 4 == 1:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass
            self.sent += 1
        self.alive(what)

    def ports(self, share):
        host = b"Host: 127.0.0.1\r\n"
        upgrade = (b"GET %s HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")
        frame = b"\x82\x8e\1\2\3\4" + self.dice.randbytes(14)
        body = json.dumps({"args": {"bot": "grid-0"}}).encode()
        post = b"POST %s HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        pages = [b"GET %s HTTP/1.1\r\n" % path + host + b"\r\n"
                 for path in (b"/", b"/healthz", b"/metrics", b"/api/v1/bots", b"/%2e%2e/etc/passwd", b"/" + b"a" * 9000)]
        self.raw(self.port, [*pages, upgrade % b"/mqtt" + frame, post % (b"/api/v1/bot-stop", len(body), body),
                             b"\x16\x03\x01" + self.dice.randbytes(60)], share, "noise at the dashboard's port")
        order = b"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&timestamp=1&signature=00"
        venue = [b"GET /api/v3/%s HTTP/1.1\r\n" % path + host + b"\r\n" for path in
                 (b"exchangeInfo", b"klines?symbol=BTCUSDT&interval=1m", b"depth?symbol=BTCUSDT&limit=99999999")]
        venue += [post % (b"/api/v3/order", len(order), order), upgrade % b"/ws" + frame, upgrade % b"/ws-api/v3" + frame]
        self.raw(int(self.rig.processes["sim"].argv[2].split(":")[1]), venue, share, "noise at the simulator's port")
        control = [post % (path, len(data), data) for path, data in (
            (b"/fault", b'{"kind":"latency","count":1,"params":{"ms":1}}'), (b"/speed", b'{"speed":1}'),
            (b"/deposit", b'{"key":"k","asset":"BTC","amount":"1"}'))]
        self.raw(self.rig.control_port, control + [b"GET /ledger/fills?after=-1 HTTP/1.1\r\n" + host + b"\r\n"],
                 share // 2, "noise at the simulator's control port")
        self.raw(self.rig.fleet["ports"]["mqtt"], [b"\x10\x7f\0\4MQTT\5" + self.dice.randbytes(40), self.dice.randbytes(99)],
                 share // 2, "noise at the broker's port")

    def run(self):
        self.up()
        begin = time.monotonic()
        share = max(50, self.options.count // 8)
        self.those_without_rights(share)
        self.ports(min(share, 20000) // 10)
        self.those_with_rights(share)
        self.rig.ask("status", {})
        reached = {user: sum(row["user"] == user for row in self.rig.ask("audit-ls", {"limit": 500})["items"])
                   for user in ("eve", "tom")}
        if not reached["tom"]:
            raise AssertionError(f"nothing arrived: {reached}")
        print(f"# {self.sent} messages in {time.monotonic() - begin:.0f} s, seed {self.options.seed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    attack, why = Attack(options), None
    try:
        attack.run()
    except (AssertionError, TimeoutError, OSError) as error:
        why = error
    finally:
        attack.rig.close()
    print(f"{'not ok' if why else 'ok'} 1 - mutated messages crash nobody and change nothing without rights")
    for line in str(why or "").splitlines():
        print(f"# {line[:2000]}")
    print("1..1")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
