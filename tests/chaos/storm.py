"""A broker that dies under a thousand nodes: all are back within seconds, what was wanted meanwhile is
what they hold, no fill is lost or doubled, also when the controller is killed in the middle.

Usage: storm.py --build DIR [--nodes 1000] [--bots 2] [--rounds 3] [--fills 10000] [--backend mosquitto]
"""
import argparse
import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import conduct  # noqa: E402
import mqtt5  # noqa: E402
import rig as rigs  # noqa: E402

TENANT = "flt/v1/main"


class Swarm:
    """chaos_swarm as one login whose role stands for the roles of all its nodes."""

    def __init__(self, rig, count, library="mosquitto"):
        self.rig, self.count, self.bots = rig, count, 0
        password = secrets.token_hex(16)
        self.login(password)
        url = f"mqtt://127.0.0.1:{rig.fleet['ports']['mqtt']}"
        self.child = subprocess.Popen(
            [rig.tools["swarm"], url, "main", str(count), library, "swarm", password], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=rigs.with_us,
            stderr=open(rig.path("log", "swarm.log"), "ab"))
        if self.child.stdout.readline() != "ready\n":
            raise AssertionError("chaos_swarm does not start")

    def login(self, password):
        send = [{"acltype": "publishClientSend", "topic": f"{TENANT}/n/#", "allow": True}]
        hear = [{"acltype": kind, "topic": f"{TENANT}/{part}/#", "allow": True}
                for part in ("c", "ctl") for kind in ("subscribePattern", "publishClientReceive")]
        client = mqtt5.Client(self.rig.path("broker", "mosquitto.sock"), "controller",
                              self.rig.secret("controller"))
        client.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": [
            {"command": "createRole", "rolename": "swarm", "acls": send + hear},
            {"command": "createClient", "username": "swarm", "password": password,
             "roles": [{"rolename": "swarm"}]}]}))
        client.close()

    def say(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def stats(self):
        self.say("stats")
        return json.loads(self.child.stdout.readline())

    def not_up(self):
        up = self.stats()["up"]
        return None if up == self.count else f"{up} of {self.count} nodes are connected"

    def not_agreed(self):
        """A lease since the last connection named the hash (bots, epochs, generations) that a node has."""
        stats = self.stats()
        return None if stats["agreed"] == self.count and stats["bots"] == self.bots else \
            f"{stats['agreed']} of {self.count} nodes hold what they should, {stats['bots']} bots"

    def not_acknowledged(self):
        stats = self.stats()
        return None if stats["committed"] == stats["head"] else \
            f"{stats['committed']} of {stats['head']} records are acknowledged"

    def close(self):
        self.child.stdin.close()
        self.child.wait(60)
        self.child.stdout.close()


class Storm:
    def __init__(self, options):
        self.options, self.figures = options, {}
        tools = dict(conduct.tools_of(options.build), inject=None)
        self.rig = rigs.Rig(tools, 1, 1.0, options.backend, nodes=())
        self.swarm = None

    def measure(self, what, why_not, limit):
        """How long until `why_not()` says None; a failure after `limit` seconds of patience."""
        begin = time.monotonic()
        self.rig.until(what, why_not, limit)
        seconds = time.monotonic() - begin
        self.figures.setdefault(what, []).append(seconds)
        print(f"# {what}: {seconds:.2f} s", flush=True)
        return seconds

    def up(self):
        self.rig.configure()
        self.rig.begin()
        self.swarm = Swarm(self.rig, self.options.nodes)
        self.measure("first connection of all nodes", self.swarm.not_up, 60)
        self.measure("the controller sees all nodes", self.nodes_missing, 60)
        bots = [dict(conduct.bot(f"b{number:05d}", "grid", "BTC-USDT", f"swarm-{number % self.options.nodes:04d}",
                                 lower=50000, upper=70000, levels=10, budget=1000))
                for number in range(self.options.nodes * self.options.bots)]
        self.swarm.bots = len(bots)
        for at in range(0, len(bots), 200):
            self.rig.ask("apply", {"bots": bots[at:at + 200], "start": True}, 30)
        self.measure("all bots held after deploying", self.swarm.not_agreed, 60)

    def nodes_missing(self):
        status = self.rig.try_ask("status", {})
        if status is None:
            return "no answer"
        return None if status["nodes_up"] == self.options.nodes else f"{status['nodes_up']} nodes are up"

    def pause(self, run):
        """Every tenth bot is wanted otherwise."""
        for number in range(0, self.options.nodes * self.options.bots, 10 * self.options.bots):
            self.rig.ask("bot-pause" if run == "paused" else "bot-resume", {"bot": f"b{number:05d}"}, 20)

    def broker_dies(self, number):
        """An empty broker takes its place, and what is wanted changes as it comes back."""
        self.pause("paused" if number % 2 == 0 else "running")
        self.rig.processes["broker"].kill(1.0)
        stored = self.rig.path("broker", "mosquitto.db")
        if os.path.exists(stored):
            os.unlink(stored)
        while not self.rig.processes["broker"].alive():
            self.rig.wait(0.01)
        begin = time.monotonic()
        self.rig.until("all connected after the broker's restart", self.swarm.not_up, 60)
        connected = time.monotonic() - begin
        self.rig.until("all hold what they should", self.swarm.not_agreed, 60)
        agreed = time.monotonic() - begin
        self.figures.setdefault("connected", []).append(connected)
        self.figures.setdefault("agreed", []).append(agreed)
        print(f"# broker's death {number}: connected after {connected:.2f} s, desired equals held after "
              f"{agreed:.2f} s", flush=True)

    def controller_dies(self):
        """kill -9 amid the fills; afterwards its books are those of the nodes' streams."""
        self.swarm.say(f"fills {self.options.fills}")
        self.rig.wait(4)
        for _ in range(2):
            self.rig.processes["controller"].kill(0.0)
            self.rig.wait(3)
        self.swarm.say("fills 0")
        self.rig.wait(0.2)
        stats = self.swarm.stats()
        self.measure("all fills acknowledged", self.swarm.not_acknowledged, 120)
        self.figures["fills"] = [stats["head"]]
        self.check_books(stats["head"])

    def check_books(self, expected):
        path = self.rig.path("controller", "controller.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            total, distinct = db.execute(
                "SELECT count(*), count(DISTINCT trade_id) FROM fills").fetchone()
            summed = db.execute("SELECT sum(fills) FROM books").fetchone()[0]
        if not total == distinct == summed == expected:
            raise AssertionError(f"{expected} fills were made; booked {total}, different {distinct}, summed {summed}")
        print(f"# {expected} fills: none lost, none doubled", flush=True)

    def check_alerts(self):
        """No node died, so none may be called dead."""
        with open(self.rig.path("log", "controller.log"), encoding="utf-8") as log:
            lost = [line for line in log if "code=node_lost" in line]
        if lost:
            raise AssertionError(f"{len(lost)} nodes were called lost: {lost[0]}")

    def run(self):
        self.up()
        for number in range(self.options.rounds):
            self.broker_dies(number)
        if self.options.fills:
            self.controller_dies()
        self.check_alerts()

    def close(self):
        if self.swarm:
            self.swarm.close()
        self.rig.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--bots", type=int, default=2, help="a node")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fills", type=int, default=10000, help="a second, while the controller is killed")
    parser.add_argument("--backend", default="mosquitto", help="of the controller")
    options = parser.parse_args()
    storm, why = Storm(options), None
    try:
        storm.run()
    except (AssertionError, TimeoutError) as error:
        why = error
    finally:
        storm.close()
    print(f"{'not ok' if why else 'ok'} 1 - {options.nodes} nodes outlive their broker and controller")
    if why:
        print(f"# {why}")
    print("1..1")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
