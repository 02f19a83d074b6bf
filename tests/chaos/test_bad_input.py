"""What a fleet refuses, while it trades: old epochs, replays, wrong clocks, forgeries, other tenants, broken
bytes; and clocks that jump by an hour in running processes. Each is refused, counted, and shown by
`flotilla doctor` and /metrics.

Usage: test_bad_input.py BUILD
"""
import json
import os
import random
import re
import subprocess
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import conduct  # noqa: E402
import mqtt5  # noqa: E402
import mutate  # noqa: E402
import rig as rigs  # noqa: E402
import tap  # noqa: E402

BUILD = sys.argv[1]
ROOT = "flt/v1/main/"
HOUR = 3600 * 1000
FACTOR = 5.0
LEASE = 15 / FACTOR  # real seconds
BOTS = ("calm-0", "calm-1", "calm-2", "calm-3")


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = rig = rigs.Rig(conduct.tools_of(BUILD), 11, FACTOR)
        try:
            rig.configure()
            cls.port = rigs.free_ports(1)[0]
            os.makedirs(rig.path("dashboard"), exist_ok=True)
            rig.write({"tenant": "main", "listen": f"127.0.0.1:{cls.port}", "fleet_dir": rig.dir,
                       "mqtt_socket": rig.path("broker", "mosquitto.sock"), "mqtt_username": "dashboard",
                       "mqtt_password_file": rig.path("secrets", "dashboard.password")},
                      "dashboard", "dashboard.json")
            rig.processes["dashboard"] = rigs.Process(rig, "dashboard", [
                rig.tools["dashboard"], "--config", rig.path("dashboard", "dashboard.json")])
            rig.begin()
            rig.processes["dashboard"].start()
            rig.until("both nodes are up", rig.nodes_down, 20)
            rig.until("instruments are loaded", lambda: rig.why_not("instrument-ls", "binance"), 20)
            rig.ask("apply", {"start": True, "bots": [
                {**conduct.bot(name, "dca", "BTC-USDT", rigs.NODES[i % 2], amount="100", interval="5s",
                               take_profit_pct=0.3, max_orders=100),
                 "placement": {"node": rigs.NODES[i % 2], "failover": "auto"}}
                for i, name in enumerate(BOTS)]})
            rig.until("all bots run", lambda: rig.bots_not(("running",)), 40)
            cls.messages, _, _ = mutate.examples()
            cls.term = rig.ask("status", {})["term"]
        except BaseException:
            rig.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.rig.close(keep=bool(os.environ.get("FLT_KEEP_LOG")))

    # --- hands

    def login(self, user):
        client = mqtt5.Client(self.rig.path("broker", "mosquitto.sock"), user, self.rig.secret(user))
        self.addCleanup(client.close)
        return client

    def refused(self):
        return self.rig.ask("health", {})["refused"]

    def counted(self, before, *kinds):
        """Until each kind was counted once more than `before`."""
        def why():
            now = self.refused()
            missing = [kind for kind in kinds if now.get(kind, 0) <= before.get(kind, 0)]
            return f"not counted: {missing} in {now}" if missing else None
        self.rig.until(f"counted: {kinds}", why, 15)

    def rows(self):
        return {row["bot"]: row for row in self.rig.ask("bot-ls", {"limit": 100})["items"]}

    def owners(self):
        return {name: (row["node"], row["epoch"], row["generation"]) for name, row in self.rows().items()}

    def message(self, src, **more):
        now = self.rig.now_ms()
        return {"v": 1, "id": rigs.ulid(now), "ts_ms": now, "src": src, "seq": 10 ** 9, **more}

    def command(self, **change):
        now = self.rig.now_ms()
        message = self.message("controller", term=self.term, op="record", bot=self.bot("node-1"), epoch=1,
                               args={"ttl_s": 0}, expires_ms=now + 60000)
        message.update(change)
        return json.dumps(message)

    def bot(self, node):
        return next(name for name, row in sorted(self.rows().items()) if row["node"] == node)

    def fills(self):
        return self.rig.ask("status", {})["fills"]

    # --- messages

    def test_1_what_a_node_says_wrongly_is_refused_by_the_controller(self):
        before, owners, name = self.refused(), self.owners(), self.bot("node-1")
        node = self.login("node-1")
        state = self.message("node/node-1", epoch=0, bot=name, generation=99, phase="stopped")
        state = {**self.messages["n/<node>/b/<bot>/state"], **state}
        node.publish(f"{ROOT}n/node-1/b/{name}/state", json.dumps(state))
        lost = lambda src, number: json.dumps({**self.messages["n/<node>/presence"], **self.message(src),
                                               "state": "lost", "incarnation": number})
        node.publish(f"{ROOT}n/node-1/presence", lost("node/node-2", 10 ** 6))
        deep = "[" * 100 + "]" * 100
        for payload in (deep, b"\x00\xff\xfe{}", "{", json.dumps({"v": 1})):
            node.publish(f"{ROOT}n/node-1/ev", payload)
        node.publish(f"{ROOT}n/node-1/presence", lost("node/node-1", 1))  # of another process
        self.counted(before, "message_old_epoch", "message_forged", "message_deep", "message_binary",
                     "message_malformed", "message_old_number")
        self.assertEqual(self.owners(), owners)
        self.assertEqual(self.rows()[name]["phase"], "running")

    def test_2_what_a_node_may_not_say_is_refused_by_the_broker(self):
        owners, term = self.owners(), self.rig.ask("status", {})["term"]
        other, admin = self.login("node-2"), self.login("admin")
        now = self.message("node/node-1", state="lost", incarnation=10 ** 6, boot=rigs.ulid(1))
        for client, topic in ((other, f"{ROOT}n/node-1/presence"), (other, f"{ROOT}n/node-1/ev"),
                              (other, f"{ROOT}c/node-1/cmd"), (other, f"{ROOT}ctl/halt"),
                              (other, "flt/v1/other/n/node-2/presence"), (other, "flt/v1/other/ctl/halt"),
                              (admin, f"{ROOT}u/node-1/req/halt"), (admin, "flt/v1/other/u/admin/req/halt"),
                              (self.login("controller"), "flt/v1/other/c/node-1/cmd")):
            with self.subTest(topic=topic):
                self.assertEqual(client.publish(topic, json.dumps(now)), mqtt5.NOT_AUTHORISED)
        self.assertGreaterEqual(other.subscribe("flt/v1/other/#"), 128)
        self.assertGreaterEqual(admin.subscribe("flt/v1/other/u/admin/res/#"), 128)
        self.assertEqual((self.owners(), self.rig.ask("status", {})["term"]), (owners, term))

    def test_3_a_node_of_another_tenant_gets_nothing_and_says_why(self):
        rig = self.rig
        login = json.loads(rig.run_cli("-o", "json", "broker", "login", "node-3"))
        with open(rig.path("secrets", "node-3.password"), "w", encoding="ascii") as file:
            file.write(login["password"])
        os.makedirs(rig.path("node-3"), exist_ok=True)
        broker = rig.fleet["ports"]["mqtt"]
        rig.daemon("node-3", broker, broker, node="node-3", tenant="other")
        process = rigs.Process(rig, "node-3", [rig.tools["node"], "--config", rig.path("node-3", "node-3.json")])
        process.start()
        try:
            def said():
                with open(rig.path("log", "node-3.log"), encoding="utf-8") as log:
                    text = log.read()
                missing = [word for word in ("subscribe_refused", "publish_refused", "tenant") if word not in text]
                return f"{missing} are not in its log: {text[-500:]}" if missing else None
            rig.until("it says what is wrong", said, 20)
        finally:
            code = process.end()
        self.assertEqual(code, 0)
        self.assertNotIn("node-3", [row["node"] for row in rig.ask("node-ls", {})["items"]])

    def test_4_commands_to_a_node(self):
        before, controller = self.refused(), self.login("controller")
        now = self.rig.now_ms()
        again = self.command()
        for payload in (again, again, self.command(epoch=0, seq=10 ** 9 + 1), self.command(term=1),
                        self.command(ts_ms=now + HOUR, expires_ms=now + HOUR + 60000),
                        self.command(expires_ms=now - HOUR), self.command(src="node/node-2"),
                        "[" * 100 + "]" * 100, b"\x00\xff\xfe{}", "{"):
            controller.publish(f"{ROOT}c/node-1/cmd", payload)
        self.counted(before, *(f"message_{kind}" for kind in (
            "repeated", "old_epoch", "old_term", "future", "expired", "forged", "deep", "binary", "malformed")))

    def test_5_requests_of_people(self):
        before, admin = self.refused(), self.login("admin")
        now, bot = self.rig.now_ms(), self.bot("node-1")
        ask = lambda **more: json.dumps({**self.message("user/admin", expires_ms=now + 60000, args={"bot": bot}),
                                         **more})
        again = ask()
        for payload in (again, again, ask(ts_ms=now + HOUR, expires_ms=now + HOUR + 60000),
                        ask(expires_ms=now - HOUR), ask(src="user/eve"), "[" * 100 + "]" * 100,
                        b"\x00\xff\xfe{}", ask(args={"bot": "x" * 300000})):
            admin.publish(f"{ROOT}u/admin/req/bot-resume", payload)
        self.counted(before, *(f"message_{kind}" for kind in (
            "repeated", "future", "expired", "forged", "deep", "binary", "oversized")))

    # --- clocks

    def step(self, name, ms):
        self.rig.processes[name].control["step_ns"] += ms * 1000000

    def trades(self, why):
        """New fills are booked, by bots of both nodes."""
        at = self.fills()
        self.rig.until(f"{why}: fills", lambda: None if self.fills() > at else "none", 40)

    def test_6_clocks_that_jump_take_no_lease_and_hide_no_trade(self):
        owners = self.owners()
        for name, kind in (("node-1", "message_clock_step"), ("controller", "message_clock_step")):
            for jump in (HOUR, -2 * HOUR, HOUR):
                before = self.refused()
                self.step(name, jump)
                if name == "controller":  # it asks by its clock
                    self.rig.clock["wall_ns"] += jump * 1000000
                self.counted(before, kind)
        self.rig.wait(20)  # longer than a lease
        self.trades("after the jumps")
        self.assertIsNone(self.rig.bots_not(("running",)))
        self.assertEqual(self.owners(), owners)
        rows = self.rig.ask("node-ls", {})["items"]
        self.assertEqual({row["node"]: row["state"] for row in rows}, {"node-1": "up", "node-2": "up"})

    def test_7_a_clock_put_back_gives_no_longer_lease(self):
        """Cut off, and its clock an hour back: the bots run elsewhere when the lease is over."""
        rig, mine = self.rig, [name for name, row in self.rows().items() if row["node"] == "node-1"]
        rig.links.order("drop", "node-1-broker")
        self.step("node-1", -HOUR)
        begin = time.monotonic()
        age_ms = next(row["age_ms"] for row in rig.ask("node-ls", {})["items"] if row["node"] == "node-1")
        heard = begin - age_ms / 1000 / FACTOR  # or later; the lease that this gave is over LEASE after it

        def moved():
            rows = self.rows()
            rest = [name for name in mine if rows[name]["node"] != "node-2" or rows[name].get("phase") != "running"]
            return f"not yet on node-2: {rest}" if rest else None
        rig.until("its bots run on node-2", moved, 30)
        self.assertGreater(time.monotonic() - heard, 0.95 * LEASE, "before the lease was over")
        self.step("node-1", HOUR)
        rig.links.heal()
        rig.until("node-1 is back", rig.nodes_down, 20)
        self.trades("after the takeover")

    # --- what people see

    def test_8_doctor_and_metrics_show_each_kind(self):
        kinds = [f"message_{kind}" for kind in (
            "malformed", "oversized", "deep", "binary", "forged", "old_term", "old_epoch", "old_number",
            "repeated", "expired", "future", "clock_step")]
        clock = {"CHAOS_CONTROL": self.rig.processes["controller"].control_path,
                 "LD_PRELOAD": self.rig.tools["inject"]}
        done = subprocess.run([self.rig.tools["flotilla"], "--dir", self.rig.dir, "-o", "json", "doctor"],
                              capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **clock})
        document = json.loads(done.stdout)
        line = next(row for row in document["checks"] if row["check"] == "refused")
        self.assertEqual(line["state"], "warn")
        shown = dict(re.findall(r"(message_\w+) (\d+)", line["message"]))
        self.assertEqual([kind for kind in kinds if int(shown.get(kind, 0)) < 1], [], line)

        def missing():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as reply:
                    text = reply.read().decode()
            except OSError as error:
                return str(error)
            found = dict(re.findall(r'flotilla_refused_total\{kind="(\w+)"\} (\d+)', text))
            rest = [kind for kind in kinds if int(found.get(kind, 0)) < int(shown[kind])]
            return f"{rest} of {found}" if rest else None
        self.rig.until("/metrics shows them", missing, 20)

    def test_9_the_books_are_the_venues(self):
        rig = self.rig
        conduct.settle(rig, 40)
        rig.processes["dashboard"].end()
        self.assertEqual(rig.down(), {})
        self.assertEqual(books.Books(rig.dir).check(), [])


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    random.seed(11)
    tap.run(BadInput)
