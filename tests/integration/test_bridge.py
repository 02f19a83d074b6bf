"""Two sites: nodes behind a mosquitto of their own, the controller behind another, a bridge between
them over a link that is cut and healed. Books stay equal to the venue's.

EMQX itself cannot run here; what its bridge gets is the same file with try_private false.

Usage: test_bridge.py FLOTILLA
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

import mqtt5
import tap
from fleet import CliError, Fleet, free_port, wait_for

FLOTILLA = sys.argv[1]
NODE_EXE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(FLOTILLA))), "botnode",
                        "flotilla-node")


class Link:
    """A TCP link between two sites that can be cut: connections end and new ones are refused."""

    def __init__(self, port):
        self.target, self.up, self.pairs = port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.up = False
        for pair in self.pairs:
            for sock in pair:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()

    def heal(self):
        self.up = True

    def close(self):
        self.cut()
        self.listener.close()


class Bridge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        with open(os.path.join(cls.fleet.dir, "fleet.json"), encoding="utf-8") as file:
            ports = json.load(file)["ports"]
        cls.link, cls.control = Link(ports["mqtt"]), f"http://127.0.0.1:{ports['sim_control']}"
        cls.venue("/speed", b'{"speed":20}')  # at the market's own, minutes may pass without a fill
        cls.site = tempfile.mkdtemp(prefix="flotilla-site-")
        cls.children = []

    @classmethod
    def tearDownClass(cls):
        for child in cls.children:
            child.send_signal(signal.SIGTERM)
        for child in cls.children:
            child.wait(60)
        cls.link.close()
        cls.fleet.close()
        shutil.rmtree(cls.site)

    @classmethod
    def start(cls, *command):
        log = open(os.path.join(cls.site, f"{os.path.basename(command[0])}.log"), "ab")
        child = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        cls.children.append(child)
        return child

    def refused(self, *words):
        with self.assertRaises(CliError) as caught:
            self.fleet.cli(*words)
        return caught.exception.error

    def nodes(self):
        return {row["node"]: row["state"] for row in self.fleet.cli("node", "ls")["items"]}

    def row(self, name="far"):
        return next(row for row in self.fleet.cli("bot", "ls")["items"] if row["bot"] == name)

    @classmethod
    def venue(cls, path, data=None):
        with urllib.request.urlopen(urllib.request.Request(cls.control + path, data), timeout=60) as reply:
            return json.load(reply)

    def traded(self):
        """How many fills of the bot the venue has; its order ids begin with the fleet's and bot's bits."""
        prefix, count, after = self.fleet.cli("fills", "far", "-n", "1")["items"][0]["client_order_id"][:8], 0, 0
        while after is not None:
            page = self.venue(f"/ledger/fills?after={after}&limit=5000")
            count += sum(row["client_order_id"].startswith(prefix) for row in page["items"])
            after = page.get("next")
        return count

    def reconciled(self):
        return self.fleet.run("doctor", "--reconcile").returncode == 0

    def test_01_a_bridge_is_refused_without_nodes_tls_or_a_password(self):
        self.assertEqual(self.refused("broker", "bridge", "berlin")["field"], "node")
        words = ("broker", "bridge", "berlin", "--node", "node-3", "--url")
        self.assertEqual(self.refused(*words, "mqtt://hub.example")["code"], "denied")
        self.assertEqual(self.refused(*words, "mqtts://hub.example")["field"], "password-file")
        self.assertEqual(self.refused(*words, "http://x")["field"], "url")
        self.assertEqual(self.refused("broker", "listen", "--port", "8883")["code"], "denied")

    def test_02_the_site_is_made_with_its_own_logins(self):
        self.fleet.run("broker", "bridge", "berlin", "--node", "node-3", "--url",
                       f"mqtt://127.0.0.1:{self.link.port}", "--out", self.site, "--home",
                       self.site)
        conf = os.path.join(self.site, "broker", "conf.d", "bridge-berlin.conf")
        self.assertEqual(os.stat(conf).st_mode & 0o777, 0o600)
        with open(conf, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("topic flt/v1/main/n/node-3/# out 1", text)
        self.assertIn("topic flt/v1/main/c/node-3/# in 1", text)
        self.assertNotIn(" both ", text)
        self.assertEqual(self.refused("broker", "bridge", "berlin", "--node", "node-3", "--url",
                                      f"mqtt://127.0.0.1:{self.link.port}", "--out",
                                      self.site)["code"], "conflict")

    def test_03_a_node_behind_the_bridge_comes_up_and_trades(self):
        self.start(FLOTILLA, "--dir", self.site, "broker", "run", "--port", str(free_port()))
        wait_for("the site's broker",
                 lambda: os.path.exists(os.path.join(self.site, "broker", "mosquitto.sock")))
        self.start(NODE_EXE, "--config", os.path.join(self.site, "node-3", "node.json"))
        wait_for("node-3 up at the controller", lambda: self.nodes().get("node-3") == "up")
        self.fleet.cli("bot", "deploy", "--name", "far", "--strategy", "pmm_simple", "--account",
                       "demo", "--instrument", "BTC-USDT", "--node", "node-3", "--failover", "sticky", "--param",
                       "amount=500", "--param", "bid_spreads_bps=[11,22]", "--param",
                       "ask_spreads_bps=[11,22]", "--wait=30s")
        wait_for("fills across the bridge", lambda: self.row()["fills"] > 0, 60)

    def test_04_a_cut_link_stops_no_bot_and_loses_no_fill(self):
        wait_for("books equal", self.reconciled)
        self.link.cut()
        before = self.traded()
        wait_for("it trades on meanwhile", lambda: self.traded() > before)
        outage = self.traded()
        wait_for("the node is missed", lambda: self.nodes()["node-3"] != "up")
        self.assertLessEqual(self.row()["fills"], before, "nothing crosses a cut link")
        self.link.heal()
        wait_for("node-3 up again", lambda: self.nodes()["node-3"] == "up")
        wait_for("the fills of the outage", lambda: self.row()["fills"] >= outage)
        wait_for("books equal", self.reconciled)

    def test_05_commands_reach_it_again_and_answers_come_back(self):
        self.fleet.cli("bot", "stop", "far", "--yes", "--wait=30s")
        self.assertEqual(self.row()["phase"], "stopped")

    def test_06_nothing_goes_around(self):
        """A message of the node is seen once at its site, and the site hears no other node."""
        client = mqtt5.Client(os.path.join(self.site, "broker", "mosquitto.sock"), "controller",
                              self.password_of("controller"))
        client.subscribe("flt/v1/main/n/#", 0)
        topics, beats = set(), []
        while len(beats) < 4:
            topic, payload = client.receive()
            topics.add(topic.split("/")[4])
            if topic.endswith("/hb"):
                beats.append(json.loads(payload)["k"])
        client.close()
        self.assertEqual(topics, {"node-3"})
        self.assertEqual(sorted(set(beats)), beats, "each heartbeat once, no echo")

    def password_of(self, name):
        with open(os.path.join(self.site, "secrets", f"{name}.password"), encoding="ascii") as file:
            return file.read().strip()

    def test_07_the_bridges_login_may_speak_for_its_nodes_alone(self):
        with open(os.path.join(self.site, "broker", "conf.d", "bridge-berlin.conf"),
                  encoding="utf-8") as file:
            rows = dict(line.split(" ", 1) for line in file.read().splitlines() if " " in line
                        and not line.startswith("#"))
        hub = mqtt5.Client(os.path.join(self.fleet.dir, "broker", "mosquitto.sock"), "controller",
                           self.fleet.secret("controller"))
        hub.subscribe("flt/v1/main/n/+/hb", 0)
        thief = mqtt5.Client(os.path.join(self.fleet.dir, "broker", "mosquitto.sock"), "berlin",
                             rows["remote_password"])
        thief.publish("flt/v1/main/n/node-1/hb", b"forged")
        thief.publish("flt/v1/main/n/node-3/hb", b"own")
        seen = []
        while b"own" not in seen:
            seen.append(hub.receive()[1])
        self.assertNotIn(b"forged", seen)
        thief.close()
        hub.close()


if __name__ == "__main__":
    tap.run(Bridge)
