#!/usr/bin/env python3
"""The real controller on the real broker; a test client plays the node, from the schemas' examples."""
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from decimal import Decimal

import mqtt5
import tap
from fake_binance import Fake

FLOTILLA, CONTROLLER = sys.argv.pop(1), sys.argv.pop(1)
SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../schemas")
ROOT = "flt/v1/main/"
STREAM = "01JD8Z6M5K7Q4W2X9Y3B1C0DEA"
ID = "01JD8Z6M5K7Q4W2X9Y3B1C0DEF"


def example(path):
    with open(os.path.join(SCHEMAS, path + ".json"), encoding="utf-8") as file:
        return copy.deepcopy(json.load(file)["examples"][0])


PATIENCE_S = 60  # deadlines are for what never comes; a slow machine is no failure


def until(condition, seconds=PATIENCE_S):
    seconds = max(seconds, PATIENCE_S)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"it did not come to be in {seconds} s")


class Node:
    """What a node says, by hand."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.incarnation, self.boot, self.k, self.head = 0, ID, 0, 0
        self.bots, self.beaten = {}, 0
        client.subscribe(f"{ROOT}c/{name}/#")

    def say(self, topic, message, retain=False):
        self.client.publish(f"{ROOT}n/{self.name}/{topic}", json.dumps(message), retain)

    def birth(self, incarnation=None):
        self.incarnation = incarnation or self.incarnation + 1
        birth = example("n/presence")
        birth.update(state="up", incarnation=self.incarnation, boot=self.boot,
                     journal={"stream": STREAM, "first": 1, "head": self.head})
        birth.pop("strategies")
        self.say("presence", birth, True)

    def beat(self, bots_hash="e3b0c44298fc1c14"):
        self.k += 1
        self.beaten = time.monotonic()
        beat = example("n/hb")
        beat.update(k=self.k, incarnation=self.incarnation, boot=self.boot, stream=STREAM,
                    head=self.head, bots_hash=bots_hash)
        self.say("hb", beat)

    def live(self):
        """Beats if it is time, however long a test takes; it holds something: an empty list would be a release."""
        if time.monotonic() - self.beaten > 1:
            self.beat("0000000000000000")

    def fill(self, bot, n, trade, side="buy", mode="live"):
        record = example("types/ev_record")
        record.update(n=n, bot=bot, epoch=1)
        record["fill"].update(trade_id=str(trade), side=side, mode=mode, price="100", qty="2",
                              fee="0.2", fee_asset="USDT")
        record["fill"]["book"].update(position=str(2 * n), cash=str(Decimal("-200.2") * n),
                                      cost=str(200 * n))
        return record

    def send(self, records):
        event = example("n/ev")
        event.update(stream=STREAM, first=records[0]["n"], records=records)
        self.head = max(self.head, records[-1]["n"])
        self.say("ev", event)

    def look(self, kind, test):
        """The message that comes now, if it is one on c/<node>/.../<kind> that passes `test`."""
        self.live()
        got = self.client.receive(0.5)
        if got and got[0].endswith("/" + kind) and got[1]:
            message = json.loads(got[1])
            return message if test(message) else None
        return None

    def next(self, kind, test=lambda message: True):
        """The next message on c/<node>/.../<kind> that passes `test`."""
        return until(lambda: self.look(kind, test))


class Fleet(unittest.TestCase):
    """A broker, a controller, a user; the tests are in the classes below."""
    venues = None

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="flt-controller-")
        cls.process = cls.broker = None
        cls.addClassCleanup(cls.finish)  # also when this here fails
        out = subprocess.run([FLOTILLA, "--dir", cls.dir, "-o", "json", "broker", "config"],
                             check=True, capture_output=True, text=True).stdout
        port = json.loads(out)["port"]
        cls.broker = subprocess.Popen(
            [FLOTILLA, "--dir", cls.dir, "broker", "run", "--port", str(port)],
            stderr=subprocess.DEVNULL)
        until(cls.try_client)
        cls.config = f"{cls.dir}/controller.json"
        with open(cls.config, "w", encoding="utf-8") as file:
            json.dump({"tenant": "main", "fleet": ID, "dir": f"{cls.dir}/ctl",
                       **({"venues": cls.venues} if cls.venues else {}),
                       "mqtt": {"url": f"unix:{cls.dir}/broker/mosquitto.sock",
                                "username": "controller",
                                "password_file": f"{cls.dir}/secrets/controller.password"}}, file)
        cls.number = 0
        cls.user = cls.client("admin")
        cls.user.subscribe(f"{ROOT}u/admin/res/#")
        cls.start()

    @classmethod
    def start(cls):
        cls.process = subprocess.Popen([CONTROLLER, "--config", cls.config],
                                       stderr=open(f"{cls.dir}/controller.log", "ab"))
        until(lambda: cls.ask("status", seconds=0.5))

    @classmethod
    def stop(cls, number=signal.SIGTERM):
        cls.process.send_signal(number)
        return cls.process.wait(PATIENCE_S)

    @classmethod
    def finish(cls):
        if os.environ.get("FLT_KEEP_LOG"):
            shutil.copy(f"{cls.dir}/controller.log", os.environ["FLT_KEEP_LOG"])
        for process in (cls.process, cls.broker):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE_S)
        shutil.rmtree(cls.dir)

    @classmethod
    def try_client(cls):
        try:
            cls.client("admin").close()
            return True
        except (ConnectionError, FileNotFoundError):
            return False

    @classmethod
    def client(cls, name, password=None):
        if password is None:
            with open(f"{cls.dir}/secrets/{name}.password", encoding="ascii") as file:
                password = file.read().strip()
        return mqtt5.Client(f"{cls.dir}/broker/mosquitto.sock", name, password)

    @classmethod
    def ask(cls, verb, args=None, seconds=PATIENCE_S, raw=None, ident=None):
        """The whole answer; None when none comes."""
        for node in vars(cls).get("played", {}).values():
            node.live()
        cls.number += 1
        ident = ident or f"r{cls.number}"
        body = raw if raw is not None else json.dumps({"id": ident, "args": args or {}})
        cls.user.publish(f"{ROOT}u/admin/req/{verb}", body)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = cls.user.receive(max(end - time.monotonic(), 0.01))
            if got and (got[0].endswith("/" + ident) or (raw is not None and not re.search(r"/r\d+$", got[0]))):
                return json.loads(got[1])  # an "r1" that comes now was asked, and given up, before
        return None

    def good(self, verb, args=None):
        answer = self.ask(verb, args)
        self.assertIsNotNone(answer, verb)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def bad(self, verb, args, code, field=None):
        answer = self.ask(verb, args)
        self.assertIsNotNone(answer, verb)
        self.assertFalse(answer["ok"], answer)
        self.assertEqual(answer["error"]["code"], code, answer)
        if field is not None:
            self.assertEqual(answer["error"].get("field"), field, answer)
        return answer["error"]

    def node(self, name="node-1"):
        if "played" not in vars(type(self)):
            type(self).played = {}
        if name not in self.played:
            self.played[name] = Node(self.client(name), name)
            self.played[name].birth()
            self.played[name].beat()
        return self.played[name]

    BOT = {"name": "dip", "strategy": "dca", "venue": "binance", "instrument": "BTC-USDT",
           "mode": "paper", "params": {}}

    def bot(self, name, **more):
        defaults = {}
        for param in self.good("strategy-show", {"strategy": "dca"})["params"]:
            if "default" not in param:
                defaults[param["name"]] = param.get("min", "1")
        return {**self.BOT, "name": name, "params": defaults,
                "placement": {"node": "node-1"}, **more}


class Controller(Fleet):
    def test_1_malformed_requests_are_answered_too(self):
        answer = self.ask("status", raw="{not json")
        self.assertEqual(answer["error"]["code"], "invalid_argument")
        self.assertEqual(answer["re"], "")
        answer = self.ask("status", raw=json.dumps({"args": {}}))
        self.assertEqual(answer["error"]["field"], "id")
        self.assertIn("bot-ls", self.bad("bot-lss", {}, "not_found", "verb")["hint"])
        self.bad("bot-show", {"bto": "x"}, "invalid_argument")
        self.bad("bot-show", {"bot": "nobody"}, "not_found", "bot")
        expired = self.ask("status", raw=json.dumps({"id": "old", "expires_ms": 1}))
        self.assertEqual(expired["error"]["code"], "expired")

    def test_2_a_node_is_seen_and_leased(self):
        node = self.node()
        node.beat()
        lease = node.next("lease", lambda m: m["k"] == node.k)
        self.assertEqual((lease["boot"], lease["incarnation"]), (node.boot, node.incarnation))
        rows = self.good("node-ls")["items"]
        self.assertEqual([(r["node"], r["state"]) for r in rows], [("node-1", "up")])
        whoami = self.good("whoami")
        self.assertEqual((whoami["user"], whoami["role"]), ("admin", "admin"))

    def test_3_a_refused_deploy_says_where_and_changes_nothing(self):
        self.node()
        self.bad("bot-deploy", {"bot": {**self.bot("dip"), "parms": {}}}, "invalid_argument",
                 "bot.parms")
        error = self.bad("bot-deploy", {"bot": {**self.bot("dip"), "strategy": "dcaa"}},
                         "not_found", "bot.strategy")
        self.assertIn("dca", error["hint"])
        spec = self.bot("dip")
        spec["params"]["no_such_param"] = 1
        self.bad("bot-deploy", {"bot": spec}, "invalid_argument", "bot.params.no_such_param")
        self.bad("bot-deploy", {"bot": {**self.bot("dip"), "mode": "live"}}, "invalid_argument",
                 "bot.account")
        self.bad("bot-deploy", {"bot": {**self.bot("dip"), "placement": {"node": "node-9"}}},
                 "not_found", "bot.placement.node")
        self.bad("apply", {"bots": [self.bot("one"), {**self.bot("two"), "mode": "papr"}]},
                 "invalid_argument", "bots[1].mode")
        self.assertEqual(self.good("bot-ls")["items"], [])

    def test_4_a_bot_is_deployed_paused_and_stopped(self):
        node = self.node()
        plan = self.good("bot-deploy", {"bot": self.bot("dip"), "dry_run": True})
        self.assertTrue(plan["created"])
        self.assertEqual(self.good("bot-ls")["items"], [])
        done = self.good("bot-deploy", {"bot": self.bot("dip")})
        self.assertEqual((done["node"], done["run"], done["epoch"]), ("node-1", "running", 1))
        desired = node.next("desired", lambda m: m["bot"] == "dip")
        self.assertEqual((desired["generation"], desired["spec"]["strategy"]), (1, "dca"))
        self.assertFalse(self.good("bot-deploy", {"bot": self.bot("dip")})["changed"])
        self.assertEqual(self.good("bot-pause", {"bot": "dip"})["run"], "paused")
        self.assertEqual(node.next("desired")["run"], "paused")
        self.good("bot-stop", {"bot": "dip", "how": "flatten"})
        self.assertEqual(node.next("desired")["run"], "flat")
        self.bad("bot-resume", {"bot": "dip"}, "conflict", "bot")
        self.good("bot-start", {"bot": "dip"})
        rows = self.good("audit-ls", {"limit": 3})["items"]
        self.assertEqual([r["verb"] for r in rows], ["bot-start", "bot-resume", "bot-stop"])
        self.assertEqual([r["ok"] for r in rows], [True, False, True])
        shown = self.good("bot-show", {"bot": "dip"})
        self.assertEqual(shown["bot"]["generation"], 4)
        self.assertTrue(shown["history"])

    def test_5_a_wrong_hash_brings_a_sync(self):
        node = self.node()

        def asked():  # the controller leaves a node 3 s to apply what it was sent
            node.beat("0000000000000000")
            return node.look("cmd", lambda m: m["op"] == "sync" and m["args"]["bots"])
        sync = until(asked)
        self.assertEqual([b["bot"] for b in sync["args"]["bots"]], ["dip"])
        self.assertEqual(sync["args"]["desired"][0]["bot"], "dip")

    def test_6_fills_are_booked_once_and_gaps_are_asked_for(self):
        node = self.node()
        node.send([node.fill("dip", 1, 11), node.fill("dip", 2, 12)])
        self.assertEqual(node.next("sack", lambda m: m["committed"] == 2)["stream"], STREAM)
        node.send([node.fill("dip", 2, 12), node.fill("dip", 3, 13)])  # two comes again
        node.next("sack", lambda m: m["committed"] == 3)
        node.send([node.fill("dip", 6, 16)])  # four and five are lost
        asked = node.next("sack", lambda m: "replay" in m)["replay"]
        self.assertEqual((asked["from"], asked["to"]), (4, 6))
        replay = example("n/rp")
        replay.update(req=asked["req"], stream=STREAM, first=4, last=True,
                      records=[node.fill("dip", n, 10 + n) for n in (4, 5, 6)])
        node.say(f"rp/{asked['req']}", replay)
        node.next("sack", lambda m: m["committed"] == 6)
        self.assertEqual([f["trade_id"] for f in self.good("bot-fills", {"bot": "dip"})["items"]],
                         ["16", "15", "14", "13", "12", "11"])
        node.send([node.fill("dip", 7, 11)])  # another number, a live trade that is booked
        node.next("sack", lambda m: m["committed"] == 7)
        status = self.good("status")
        self.assertEqual((status["fills"], status["alerts"]), (6, []))
        row = self.good("reconcile")["items"][0]
        self.assertEqual((row["fills"], row["bought"], row["paid"], row["fees"]),
                         (6, "12", "1200", {"USDT": "1.2"}))
        total = self.good("pnl")["total"][0]
        self.assertEqual((total["quote"], total["fills"]), ("USDT", 6))
        self.assertEqual(total["realised"], "-1.2")

    def test_7_what_was_acknowledged_survives_kill_9(self):
        node = self.node()
        before = self.good("status")
        self.stop(signal.SIGKILL)
        self.start()
        after = self.good("status")
        self.assertEqual(after["fills"], before["fills"])
        self.assertGreater(after["term"], before["term"])
        node.birth()  # the node comes back; its position is not asked for again
        sack = node.next("sack")
        self.assertEqual(sack["committed"], 7)
        self.assertEqual(self.good("bot-show", {"bot": "dip"})["bot"]["generation"], 4)

    def test_8_the_nodes_answer_is_passed_on(self):
        node = self.node()
        node.beat()
        type(self).number += 1
        ident = f"r{self.number}"
        self.user.publish(f"{ROOT}u/admin/req/bot-orders",
                          json.dumps({"id": ident, "args": {"bot": "dip"}}))
        cmd = node.next("cmd", lambda m: m["op"] == "orders")
        result = example("cmd/orders")["result"]
        answer = example("n/res")
        answer.update(re=cmd["id"], op="orders", state="done", result=result)
        node.say("res", answer)
        got = until(lambda: self.user.receive(1))
        body = json.loads(got[1])
        self.assertEqual((body["re"], body["ok"]), (ident, True), body)
        self.assertEqual(body["result"]["orders"][0]["key"], 17)

    def test_9_halts_are_numbered_and_listed(self):
        node = self.node()
        node.client.subscribe(f"{ROOT}ctl/halt")
        done = self.good("halt", {"scope": "bot", "target": "dip", "reason": "test"})
        self.assertEqual(done["halts"][0]["how"], "pause")
        said = node.next("halt", lambda m: m["number"] == done["number"])
        self.assertEqual(said["halts"][0]["target"], "dip")
        self.bad("halt", {"scope": "node", "target": "node-9", "reason": "x"}, "not_found", "target")
        self.assertEqual(self.good("resume", {"scope": "bot", "target": "dip", "reason": "ok"})["halts"], [])
        self.bad("resume", {"scope": "fleet", "reason": "ok"}, "not_found")

    def test_a_users_are_made_at_the_broker(self):
        made = self.good("user-add", {"name": "eve", "role": "viewer"})
        eve = self.client("eve", made["password"])
        eve.subscribe(f"{ROOT}u/eve/res/#")
        eve.publish(f"{ROOT}u/eve/req/whoami", json.dumps({"id": "w"}))
        self.assertEqual(json.loads(until(lambda: eve.receive(1))[1])["result"]["role"], "viewer")
        self.assertEqual(eve.publish(f"{ROOT}u/eve/req/halt", "{}"), mqtt5.NOT_AUTHORISED)
        roles = {u["name"]: u["role"] for u in self.good("user-ls")["items"]}
        self.assertEqual((roles["admin"], roles["eve"]), ("admin", "viewer"))
        self.good("user-passwd", {"name": "eve"})
        with self.assertRaises(mqtt5.Refused):
            self.client("eve", made["password"])
        self.good("user-rm", {"name": "eve"})
        self.bad("user-rm", {"name": "eve"}, "not_found", "name")
        self.bad("user-rm", {"name": "admin"}, "conflict", "name")

    def test_b_the_digest_is_retained_and_small(self):
        watcher = self.client("admin")
        watcher.subscribe(f"{ROOT}ui/digest/#")
        def newest():
            topic, payload = watcher.receive(1) or ("", b"{}")
            self.assertLess(len(payload), 4000)
            page = json.loads(payload)
            return page if topic.endswith("/0") and page["fleet"]["fills"] == 6 else None
        page = until(newest)
        self.assertEqual([b["n"] for b in page["bots"]], ["dip"])

    def test_bb_a_removed_bot_goes_when_its_node_lets_it_go(self):
        node = self.node()
        state = example("n/state")
        state.update(bot="dip", epoch=1, generation=4, phase="running")
        node.say("b/dip/state", state, True)
        until(lambda: self.good("bot-show", {"bot": "dip"})["bot"].get("phase") == "running")
        self.bad("bot-rm", {"bot": "dip"}, "conflict", "bot")
        # A word of before the stop proves nothing: it may be about to trade, and its orders may rest.
        generation = self.good("bot-stop", {"bot": "dip"})["generation"]
        for words in ({"phase": "stopped", "generation": generation - 1},
                      {"phase": "stopping", "generation": generation},
                      {"phase": "recovering", "generation": generation}):
            state.update(words, seq=state["seq"] + 1)
            node.say("b/dip/state", state, True)
            until(lambda: self.good("bot-show", {"bot": "dip"})["bot"].get("phase") == words["phase"])
            error = self.bad("bot-rm", {"bot": "dip"}, "conflict", "bot")
            self.assertIn("was told to stop and has not confirmed yet", error["message"])
            self.assertIn("flotilla bot stop dip --wait", error["hint"])
        self.assertFalse(self.good("bot-rm", {"bot": "dip", "force": True})["removed"])
        self.assertFalse(self.good("bot-rm", {"bot": "dip"})["removed"])  # asked for already
        self.assertTrue(node.next("desired", lambda m: m["bot"] == "dip" and "release" in m)["release"])
        node.client.publish(f"{ROOT}n/node-1/b/dip/state", b"", True)
        until(lambda: self.good("bot-ls")["items"] == [])
        self.assertEqual(self.good("status")["fills"], 6)  # the books keep what it did
        again = self.good("bot-deploy", {"bot": self.bot("dip"), "start": False})
        self.assertEqual((again["epoch"], again["created"]), (2, True))
        self.assertGreater(again["generation"], 4)

    def test_bc_keys_travel_and_lie_sealed(self):
        node = self.node()
        node.beat()
        secret = "s3cr3t-" + os.urandom(8).hex()
        with open(f"{self.dir}/keys.json", "w", encoding="utf-8") as file:
            json.dump({"key": "k1", "secret": secret}, file)
        os.chmod(f"{self.dir}/keys.json", 0o600)
        subprocess.run([FLOTILLA, "--dir", self.dir, "account", "add", "demo", "--venue", "binance",
                        "--sandbox", "--key-file", f"{self.dir}/keys.json"], check=True,
                       capture_output=True)
        self.assertTrue(self.good("account-ls")["items"][0]["keyed"])
        self.bad("account-add", {"name": "demo", "venue": "binance", "credentials_sealed": "AAAA"},
                 "invalid_argument", "credentials_sealed")
        self.bad("account-add", {"name": "demo", "venue": "binance"}, "conflict", "name")
        live = {**self.bot("keyed"), "account": "demo", "mode": "live"}
        self.good("bot-deploy", {"bot": live})
        sent = node.next("cmd", lambda m: m["op"] == "account")
        self.assertEqual(sent["args"]["account"], "demo")
        self.assertGreater(len(sent["args"]["sealed"]), 80)
        self.bad("account-rm", {"name": "demo"}, "conflict", "name")
        for path in ("controller.log", "ctl/controller.db", "ctl/controller.db-wal"):
            with open(f"{self.dir}/{path}", "rb") as file:
                self.assertNotIn(secret.encode(), file.read(), path)
        self.good("bot-rm", {"bot": "keyed", "force": True})
        node.client.publish(f"{ROOT}n/node-1/b/keyed/state", b"", True)
        until(lambda: all(b["bot"] != "keyed" for b in self.good("bot-ls")["items"]))
        self.good("account-rm", {"name": "demo"})
        node.next("cmd", lambda m: m["op"] == "account-forget")
        self.assertIn("(sealed)", [r["args"] for r in self.good("audit-ls", {"limit": 20})["items"]])

    def test_c_stock_tools_are_enough(self):
        node = self.node()
        node.beat()
        with open(f"{self.dir}/secrets/admin.password", encoding="ascii") as file:
            login = ["--unix", f"{self.dir}/broker/mosquitto.sock", "-V", "5", "-u", "admin", "-P",
                     file.read().strip()]

        def rr(verb, **args):
            out = subprocess.run(
                ["mosquitto_rr", *login, "-t", f"{ROOT}u/admin/req/{verb}", "-e",
                 f"{ROOT}u/admin/res/tool", "-W", "60", "-m", json.dumps({"id": "tool", "args": args})],
                check=True, capture_output=True, text=True).stdout
            answer = json.loads(out)
            self.assertTrue(answer["ok"], answer)
            return answer["result"]

        self.assertEqual(rr("bot-deploy", bot=self.bot("by-hand"))["node"], "node-1")
        self.assertEqual(rr("bot-pause", bot="by-hand")["run"], "paused")
        self.assertEqual(rr("bot-watch", bot="by-hand", ttl_s=10)["node"], "node-1")
        node.next("cmd", lambda m: m["op"] == "watch" and m["bot"] == "by-hand")
        with subprocess.Popen(["mosquitto_sub", *login, "-t", f"{ROOT}n/+/b/by-hand/fill", "-C", "1",
                               "-W", "60"], stdout=subprocess.PIPE, text=True) as sub:
            fill = example("n/fill")
            fill["bot"] = "by-hand"

            def seen():  # until the subscription stands
                node.say("b/by-hand/fill", fill)
                return sub.poll() is not None
            until(seen)
            self.assertEqual(json.loads(sub.stdout.read())["fill"]["trade_id"], "8812")
        self.assertEqual(rr("bot-stop", bot="by-hand")["run"], "stopped")

    def test_d_it_ends_cleanly_and_says_so(self):
        watcher = self.client("admin")
        watcher.subscribe(f"{ROOT}ctl/state")
        self.assertEqual(json.loads(until(lambda: watcher.receive(1))[1])["state"], "online")
        self.assertEqual(self.stop(), 0)
        self.assertEqual(json.loads(until(lambda: watcher.receive(1))[1])["state"], "offline")


def klines(method, path, params):
    if path != "/api/v3/klines":
        return 404, {}, {"code": -1, "msg": "no"}
    start = 1772366400000
    return 200, {}, [[start + 60000 * i, "100.0", "101.5", "99.5", "100.5", "3.25",
                      start + 60000 * i + 59999, "325", 7, "1", "100", "0"] for i in range(3)]


class Rules(Fleet):
    """With a venue whose rules are known: what a deploy is checked against."""

    @classmethod
    def setUpClass(cls):
        cls.fake = Fake(klines)
        url = f"127.0.0.1:{cls.fake.port}"
        cls.venues = {"binance": {"rest_url": f"http://{url}", "stream_url": f"ws://{url}",
                                  "ws_api_url": f"ws://{url}/ws-api/v3"}}
        super().setUpClass()
        until(lambda: (cls.ask("instrument-ls", {"venue": "binance"}) or {}).get("ok"))

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.fake.close()

    def grid(self, **more):
        params = {"lower": "90000", "upper": "110000", "levels": 10, "budget": "5000"}
        params.update(more.pop("params", {}))
        return {"bot": {"name": "g", "strategy": "grid", "venue": "binance", "mode": "paper",
                        "instrument": "BTC-USDT", "params": params,
                        "placement": {"node": "node-1"}, **more}}

    def test_bad_bots_are_refused_with_the_fields_path(self):
        self.node()
        error = self.bad("bot-deploy", self.grid(instrument="BTC-USDX"), "not_found", "bot.instrument")
        self.assertIn("BTC-USDT", error["hint"])
        self.bad("bot-deploy", self.grid(params={"budget": "20"}), "invalid_argument",
                 "bot.params.budget")
        self.bad("bot-deploy", self.grid(params={"upper": "80000"}), "invalid_argument",
                 "bot.params.upper")
        self.bad("bot-deploy", self.grid(params={"lower": "109990"}), "invalid_argument")
        self.bad("bot-deploy", self.grid(params={"levels": 251}), "invalid_argument",
                 "bot.params.levels")
        self.bad("bot-deploy", self.grid(risk={"max_order_notional": "1"}), "invalid_argument",
                 "bot.risk.max_order_notional")
        self.bad("bot-deploy", self.grid(risk={"max_drawdown_pct": 200}), "invalid_argument",
                 "bot.risk.max_drawdown_pct")
        self.bad("apply", {"bots": [self.grid()["bot"], self.grid()["bot"]]}, "conflict",
                 "bots[1].name")
        self.assertEqual(self.good("bot-ls")["items"], [])
        self.assertTrue(self.good("bot-deploy", self.grid())["created"])
        self.bad("bot-deploy", self.grid(instrument="ETH-USDT"), "conflict", "bot.name")

    def test_candles_and_instruments_come_from_the_venue(self):
        rows = self.good("instrument-ls", {"venue": "binance", "text": "btc"})["items"]
        self.assertEqual([(r["name"], r["venue_symbol"]) for r in rows], [("BTC-USDT", "BTCUSDT")])
        got = self.good("candles", {"venue": "binance", "instrument": "BTC-USDT", "timeframe": "1m",
                                    "limit": 3})["candles"]
        self.assertEqual([(c["open"], c["close"], c["volume"]) for c in got],
                         [("100", "100.5", "3.25")] * 3)
        self.bad("candles", {"venue": "binance", "instrument": "BTC-USDT", "timeframe": "7m"},
                 "invalid_argument", "timeframe")
        self.bad("candles", {"venue": "okx", "instrument": "BTC-USDT", "timeframe": "1m"},
                 "not_found", "venue")


if __name__ == "__main__":
    tap.run(Controller, Rules)
