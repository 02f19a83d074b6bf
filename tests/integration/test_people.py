#!/usr/bin/env python3
"""What people ask of the controller over all bots: orders, portfolio, days, alerts, history, audit,
tokens, health; a test client plays the node."""
import http.server
import json
import os
import sqlite3
import threading
import time
import unittest

from test_controller import PATIENCE_S, Fleet, ROOT, example, until
import mqtt5
import tap

DAY_MS = 86400000


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes alerts; says 500 as often as `fail` says."""
    got, fail = [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Hook.fail > 0:
            Hook.fail -= 1
            self.send_response(500)
        else:
            Hook.got.append(json.loads(body))
            self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class People(Fleet):
    def deploy(self, name, **more):
        return self.good("bot-deploy", {"bot": self.bot(name, **more)})

    def state(self, bot, **more):
        state = example("n/state")
        state.update(bot=bot, incarnation=self.node().incarnation, generation=1, epoch=1,
                     mode="live", instrument="BTC-USDT", price="110", price_age_ms=20, **more)
        self.node().say(f"b/{bot}/state", state, True)

    def ask_node(self, verb, args, op, result):
        """Asks a verb that goes on to the node, and answers for the node."""
        node = self.node()
        node.beat()
        type(self).number += 1
        ident = f"n{self.number}"
        self.user.publish(f"{ROOT}u/admin/req/{verb}", json.dumps({"id": ident, "args": args}))
        cmd = node.next("cmd", lambda m: m["op"] == op)
        answer = example("n/res")
        answer.update(re=cmd["id"], op=op, state="done", result=result)
        node.say("res", answer)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            got = self.user.receive(1)
            if got and got[0].endswith("/" + ident):
                return json.loads(got[1])
        raise AssertionError("no answer")

    def test_1_open_orders_come_from_the_nodes_and_ended_ones_from_the_books(self):
        node = self.node()
        self.deploy("dip")
        self.assertEqual(self.good("order-ls"), {"items": []})
        self.state("dip", orders_open=1, phase="running")
        until(lambda: self.good("bot-show", {"bot": "dip"})["bot"].get("orders_open"))
        answer = self.ask_node("order-ls", {}, "orders", example("cmd/orders")["result"])
        row = answer["result"]["items"][0]
        self.assertEqual((row["bot"], row["node"], row["open"], row["price"]),
                         ("dip", "node-1", True, "64123.1"))
        records = []
        for n in (1, 2, 3):
            record = example("types/ev_record")
            record.pop("fill")
            record.update(n=n, bot="dip", epoch=1, kind="order", ts_ms=1000 * n,
                          order={**example("types/ev_order"), "client_order_id": f"c{n}",
                                 "reason": "cancelled by the strategy", "label": "cell 1 buy"})
            records.append(record)
        node.send(records)
        node.next("sack", lambda m: m["committed"] == 3)
        page = self.good("order-ls", {"open": False, "limit": 2})
        self.assertEqual([r["client_order_id"] for r in page["items"]], ["c3", "c2"])
        self.assertEqual((page["items"][0]["account"], page["items"][0]["label"]),
                         ("demo", "cell 1 buy"))
        page = self.good("order-ls", {"open": False, "limit": 2, "after": page["next"]})
        self.assertEqual([r["client_order_id"] for r in page["items"]], ["c1"])
        self.assertNotIn("next", page)
        self.bad("order-ls", {"open": False, "after": "nonsense"}, "invalid_argument", "after")
        self.bad("order-ls", {"bot": "nobody"}, "not_found", "bot")

    def test_2_the_portfolio_adds_up_and_days_are_differences(self):
        until(lambda: 60 < time.time() % 86400 < 86400 - 60, 150)  # "today" is one day from here on
        node = self.node()
        fills = [node.fill("dip", 4, 14), node.fill("dip", 5, 15)]
        for count, record in enumerate(fills, 1):
            record["fill"]["book"].update(position=str(2 * count), cost=str(200 * count),
                                          cash="-200.2" if count == 1 else "-400.4")
        node.send(fills)
        node.next("sack", lambda m: m["committed"] == 5)
        out = self.good("portfolio")
        total = out["total"][0]
        # bought 2 * 2 at 100, fee 0.2 each; the mark is 110
        self.assertEqual((total["quote"], total["net"], total["exposure"]), ("USDT", "39.6", "440"))
        self.assertEqual((total["today"], total["d30"]), ("39.6", "39.6"))
        rows = {r["asset"]: r for r in out["items"]}
        self.assertEqual((rows["BTC"]["qty"], rows["BTC"]["value"]), ("4", "440"))
        self.assertEqual(rows["USDT"]["qty"], "-400.4")
        day = self.good("pnl-days", {"bot": "dip"})["items"]
        self.assertEqual([(d["net"], d["fills"], d["fees"]) for d in day],
                         [("39.6", 2, {"USDT": "0.4"})])
        # The same standing a day ago: then today brought nothing, and yesterday all of it.
        self.stop()
        base = sqlite3.connect(f"{self.dir}/ctl/controller.db")
        with base:
            base.execute("DELETE FROM book_days")
            base.execute("INSERT INTO book_days SELECT ?, bot, venue, account, instrument, mode,"
                         " 'USDT', '-0.4', '40', volume, fees, fills FROM books",
                         (int(time.time() * 1000) // DAY_MS - 1,))
        base.close()
        self.start()
        node.birth()
        self.state("dip", phase="running")
        until(lambda: self.good("portfolio")["total"][0]["today"] == "0")
        total = self.good("portfolio")["total"][0]
        self.assertEqual((total["today"], total["d7"]), ("0", "39.6"))
        days = self.good("pnl-days", {})["items"]
        self.assertEqual([(d["net"], d["total"]) for d in days], [("39.6", "39.6")], days)
        self.bad("pnl-days", {"from_ms": 2, "to_ms": 1_800_000_000_000}, "invalid_argument",
                 "from_ms")

    def test_3_generations_say_who_from_where_and_what(self):
        self.ask("bot-pause", raw=json.dumps({"id": "p1", "src": "user/admin/cli",
                                              "args": {"bot": "dip"}}))
        rows = self.good("bot-history", {"bot": "dip"})["items"]
        self.assertEqual((rows[0]["by"], rows[0]["origin"]), ("user/admin", "cli"))
        self.assertEqual(rows[0]["changes"], [{"path": "run", "old": "running", "new": "paused"}])
        spec = self.bot("dip", note="second")
        name = next(k for k, v in spec["params"].items() if isinstance(v, (int, str)))
        self.good("bot-deploy", {"bot": spec})
        row = self.good("bot-history", {"bot": "dip", "limit": 1})
        self.assertIn({"path": "note", "new": "second"}, row["items"][0]["changes"], name)
        older = self.good("bot-history", {"bot": "dip", "after": row["next"]})["items"]
        self.assertEqual(older[0]["run"], "paused")
        self.bad("bot-history", {"bot": "nobody"}, "not_found", "bot")
        rows = self.good("audit-ls", {"verb": "bot-pause", "who": "admin", "target": "dip"})
        self.assertEqual([r["origin"] for r in rows["items"]], ["cli"])
        self.assertEqual(self.good("audit-ls", {"who": "nobody"})["items"], [])
        self.assertEqual(self.good("audit-ls", {"since_ms": int(time.time() * 1000) + 60000}),
                         {"items": []})

    def test_4_alerts_begin_are_seen_and_end(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        self.bad("notify-add", {"name": "far", "url": "http://example.com/x"}, "invalid_argument",
                 "url")
        self.good("notify-add", {"name": "hook", "url": url})
        self.assertEqual(self.good("notify-test", {"name": "hook"})["status"], 204)
        Hook.fail = 1  # the first post of the alert fails and is tried again
        self.state("dip", phase="error", reason={"code": "x", "message": "the venue says no"})
        row = until(lambda: [r for r in self.good("alert-ls", {"active": True})["items"]
                             if r["alert"] == "error-dip"])[0]
        self.assertEqual((row["code"], row["target"], row["count"]), ("bot_error", "dip", 1))
        until(lambda: [g for g in Hook.got if g["alert"] == "error-dip" and not g["cleared"]], 12)
        seen = self.good("alert-ack", {"alert": "error-dip", "note": "looking"})["alert"]
        self.assertEqual((seen["acked_by"], seen["note"]), ("admin", "looking"))
        self.assertNotIn("cleared_ms", seen)
        self.stop()
        self.start()  # it is still in force, still seen, and the same
        node = self.node()
        node.birth()
        again = [r for r in self.good("alert-ls", {"active": True})["items"]
                 if r["alert"] == "error-dip"][0]
        self.assertEqual((again["id"], again["note"]), (row["id"], "looking"))
        self.state("dip", phase="running")
        until(lambda: not [r for r in self.good("alert-ls", {"active": True})["items"]
                           if r["alert"] == "error-dip"])
        past = [r for r in self.good("alert-ls", {"active": False})["items"]
                if r["id"] == row["id"]][0]
        self.assertGreaterEqual(past["cleared_ms"], row["since_ms"])
        until(lambda: [g for g in Hook.got if g["alert"] == "error-dip" and g["cleared"]], 12)
        self.bad("alert-ack", {"alert": "error-dip"}, "not_found", "alert")
        until(lambda: self.good("notify-ls")["items"][0]["sent"] >= 3)  # the hook has it before its answer counts
        self.good("notify-rm", {"name": "hook"})
        self.bad("notify-test", {"name": "hook"}, "not_found", "name")
        server.shutdown()
        server.server_close()

    def as_user(self, client, name, verb, args=None, seconds=PATIENCE_S):
        """What `name` gets for a verb over its own connection; None: no answer."""
        type(self).number += 1
        ident = f"u{self.number}"
        client.publish(f"{ROOT}u/{name}/req/{verb}", json.dumps({"id": ident, "args": args or {}}))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = client.receive(max(end - time.monotonic(), 0.01))
            if got and got[0].endswith("/" + ident):
                return json.loads(got[1])
        return None

    def sign_in(self, name, password):
        client = self.client(name, password)
        client.subscribe(f"{ROOT}u/{name}/res/#")
        return client

    def test_5_tokens_do_no_more_than_their_maker_and_end(self):
        made = self.good("token-add", {"name": "ci", "role": "viewer", "ttl_s": 3600})
        self.assertTrue(made["token"].startswith("flt_ci_"), made)
        token = self.sign_in("token-ci", made["token"].split("_", 2)[2])
        self.assertTrue(self.as_user(token, "token-ci", "bot-ls")["ok"])
        self.assertIsNone(self.as_user(token, "token-ci", "bot-pause", {"bot": "dip"}, 1))
        self.assertEqual(self.as_user(token, "token-ci", "token-add",
                                      {"name": "more"})["error"]["code"], "denied")
        eve = self.good("user-add", {"name": "eve", "role": "viewer"})["password"]
        mine = self.sign_in("eve", eve)
        answer = self.as_user(mine, "eve", "token-add", {"name": "boss", "role": "trader"})
        self.assertEqual(answer["error"]["code"], "denied")
        self.assertTrue(self.as_user(mine, "eve", "token-add", {"name": "look"})["ok"])
        rows = self.as_user(mine, "eve", "token-ls")["result"]["items"]
        self.assertEqual([(r["name"], r["made_by"]) for r in rows], [("look", "eve")])
        self.assertEqual([r["name"] for r in self.good("token-ls")["items"]], ["ci", "look"])
        self.assertGreater(self.good("token-ls")["items"][0]["used_ms"], 0)
        self.assertEqual(self.as_user(mine, "eve", "token-rm", {"name": "ci"})["error"]["code"],
                         "not_found")
        self.assertNotIn("token-ci", [u["name"] for u in self.good("user-ls")["items"]])
        self.bad("token-add", {"name": "ci"}, "conflict", "name")
        self.bad("user-add", {"name": "token-x", "role": "viewer"}, "invalid_argument", "name")
        self.good("token-rm", {"name": "ci"})
        with self.assertRaises(mqtt5.Refused):
            self.sign_in("token-ci", made["token"].split("_", 2)[2])
        with open(f"{self.dir}/ctl/controller.db", "rb") as file:
            self.assertNotIn(made["token"].split("_", 2)[2].encode(), file.read())

    def test_6_a_role_is_changed_and_tokens_above_it_end(self):
        bob = self.good("user-add", {"name": "bob", "role": "trader"})["password"]
        client = self.sign_in("bob", bob)
        self.assertTrue(self.as_user(client, "bob", "bot-resume", {"bot": "dip"}))
        self.assertTrue(self.as_user(client, "bob", "token-add",
                                     {"name": "robot", "role": "trader"})["ok"])
        self.assertEqual(self.good("user-role", {"name": "bob", "role": "viewer"})["role"],
                         "viewer")
        client = self.sign_in("bob", bob)
        self.assertIsNone(self.as_user(client, "bob", "bot-pause", {"bot": "dip"}, 1))
        until(lambda: "robot" not in [r["name"] for r in self.good("token-ls")["items"]])
        self.bad("user-role", {"name": "admin", "role": "viewer"}, "conflict", "name")
        self.bad("user-role", {"name": "nobody", "role": "viewer"}, "not_found", "name")

    def test_7_a_request_is_done_once_per_id(self):
        generation = self.good("bot-show", {"bot": "dip"})["bot"]["generation"]
        raw = json.dumps({"id": "01JD8Z6M5K7Q4W2X9Y3B1C0XXX", "args": {"bot": "dip"}})
        first = self.ask("bot-pause", raw=raw)
        self.assertTrue(first["ok"], first)
        after = self.good("bot-show", {"bot": "dip"})["bot"]["generation"]
        self.assertEqual(self.ask("bot-pause", raw=raw), first)  # word for word
        self.good("bot-resume", {"bot": "dip"})
        self.assertEqual(self.ask("bot-pause", raw=raw), first)  # and it is not done again
        row = self.good("bot-show", {"bot": "dip"})["bot"]
        self.assertEqual((row["run"], row["generation"]), ("running", after + 1))
        self.assertGreaterEqual(after, generation)
        other = self.ask("bot-stop", raw=raw)
        self.assertEqual((other["error"]["code"], other["error"]["field"]), ("conflict", "id"))
        self.stop()
        self.start()
        self.node().birth()
        self.assertEqual(self.ask("bot-pause", raw=raw), first)  # by another process, too

    def test_8_health_counts(self):
        before = self.good("health")
        self.assertEqual(before["nodes"][0]["node"], "node-1")
        self.assertGreater(before["controller"]["db_bytes"], 0)
        self.bad("bot-show", {"bot": "nobody"}, "not_found")
        self.node().say("hb", {"k": "not a number"})
        after = until(lambda: (lambda h: h if h["refused"].get("message_malformed") else None)(
            self.good("health")))
        self.assertEqual(after["refused"]["request_not_found"],
                         before["refused"].get("request_not_found", 0) + 1)
        self.assertGreater(after["controller"]["requests"], before["controller"]["requests"])

    def test_9_markets_and_logs(self):
        row = self.good("market-ls")["items"][0]
        self.assertEqual((row["instrument"], row["last"], row["bots"], row["names"]),
                         ("BTC-USDT", "110", 1, ["dip"]))
        self.assertEqual(self.good("market-ls", {"venue": "okx"})["items"], [])
        lines = self.good("log-ls", {"level": "info", "text": "bus_up"})["items"]
        self.assertEqual((lines[0]["source"], lines[0]["event"]), ("controller", "bus_up"))
        answer = self.ask_node("log-ls", {"bot": "dip"}, "logs", {"lines": [
            {"ts_ms": 5, "level": "info", "event": "second", "text": ""},
            {"ts_ms": 3, "level": "debug", "event": "first", "text": "x=<b>"}]})
        self.assertEqual([(r["event"], r["bot"], r["source"]) for r in answer["result"]["items"]],
                         [("first", "dip", "node/node-1"), ("second", "dip", "node/node-1")])
        self.bad("log-ls", {"node": "node-9"}, "not_found", "node")


if __name__ == "__main__":
    tap.run(People)
