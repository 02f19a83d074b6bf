"""Requests and commands: carried out once, answered twice, refused when late, forged, old or broken.

Usage: test_commands.py FLOTILLA
"""
import json
import os
import signal
import sys
import time
import unittest

import mqtt5
import tap
from fleet import Fleet, alive, wait_for

FLOTILLA = sys.argv[1]
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid():
    value, text = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big"), ""
    for _ in range(26):
        text, value = ALPHABET[value & 31] + text, value >> 5
    return text


def now_ms():
    return int(time.time() * 1000)


ROOT = "flt/v1/main/"


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.up()

    def login(self, user, password=None):
        path = os.path.join(self.fleet.dir, "broker", "mosquitto.sock")
        client = mqtt5.Client(path, user, password or self.fleet.secret(user))
        self.addCleanup(client.close)
        return client

    # --- requests of people

    def ask(self, client, verb, args=None, user="admin", seconds=60, **head):
        """The answer to one request; `head` changes its envelope."""
        message = {"v": 1, "id": ulid(), "ts_ms": now_ms(), "src": f"user/{user}",
                   "expires_ms": now_ms() + 60000, "args": args or {}, **head}
        return self.send(client, verb, json.dumps(message), message["id"], user, seconds)

    def send(self, client, verb, payload, ident, user="admin", seconds=60):
        client.publish(f"{ROOT}u/{user}/req/{verb}", payload)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = client.receive(end - time.monotonic())
            if got and got[0].startswith(f"{ROOT}u/{user}/res/"):
                answer = json.loads(got[1])
                if answer["re"] == ident:
                    return answer
        self.fail(f"no answer to {verb}")

    def admin(self):
        client = self.login("admin")
        client.subscribe(f"{ROOT}u/admin/res/#")
        return client

    def restart(self, name):
        pid = self.fleet.pids()[name]
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{name} is started again", lambda: self.fleet.pids().get(name, pid) != pid and
                 alive(self.fleet.pids()[name]), 20)

    def bot(self):
        return next(bot for bot in self.fleet.cli("bot", "ls")["items"] if bot["node"] == "node-1")

    def test_1_a_request_is_carried_out_once_also_after_a_restart(self):
        client, ident = self.admin(), ulid()
        args = {"scope": "bot", "target": self.bot()["bot"], "reason": "once"}
        first = self.ask(client, "halt", args, id=ident)
        self.assertTrue(first["ok"], first)
        again = self.ask(client, "halt", args, id=ident)
        self.assertEqual(again["result"]["number"], first["result"]["number"])
        self.assertEqual(again["id"], first["id"], "it is the answer of then")
        other = self.ask(client, "halt", {**args, "reason": "other"}, id=ident)
        self.assertEqual(other["error"]["code"], "conflict")
        self.restart("controller")
        wait_for("the controller answers", lambda: self.fleet.run("status").returncode == 0)
        later = self.ask(client, "halt", args, id=ident)
        self.assertEqual(later["result"]["number"], first["result"]["number"])
        shown = self.ask(client, "command-show", {"id": ident})["result"]
        self.assertEqual((shown["state"], shown["verb"], shown["user"]), ("done", "halt", "admin"))
        self.assertLessEqual(shown["accepted_ms"], shown["ended_ms"])
        self.fleet.cli("resume", args["target"], "--reason", "over")

    def test_2_requests_that_are_late_early_forged_or_broken_are_refused(self):
        client, ident = self.admin(), ulid()
        args = {"bot": self.bot()["bot"]}
        late = self.ask(client, "bot-start", args, ts_ms=now_ms() - 3600000,
                        expires_ms=now_ms() - 3590000)
        self.assertEqual(late["error"]["code"], "expired", "a start that was queued for an hour")
        early = self.ask(client, "bot-start", args, ts_ms=now_ms() + 3600000,
                         expires_ms=now_ms() + 3610000)
        self.assertEqual((early["error"]["code"], early["error"]["field"]),
                         ("invalid_argument", "ts_ms"))
        forged = self.ask(client, "bot-start", args, src="user/somebody")
        self.assertEqual((forged["error"]["code"], forged["error"]["field"]), ("denied", "src"))
        for payload in ("[" * 200, b"\x00\x01\xff", "{\"id\": \"x\", \"args\": " + "[" * 40 + "]" * 40 + "}",
                        json.dumps({"id": "big", "args": {"bot": "x" * 300000}})):
            client.publish(f"{ROOT}u/admin/req/bot-start", payload)
            got = json.loads(client.receive()[1])
            self.assertFalse(got["ok"])
            self.assertEqual(got["error"]["code"], "invalid_argument", got)
        client.publish(f"{ROOT}u/admin/req/status", json.dumps({"id": ident}), retain=True)
        self.assertTrue(json.loads(client.receive()[1])["ok"])  # the live copy is a request like others
        self.restart("controller")  # and the kept one is none
        wait_for("the controller answers", lambda: self.fleet.run("status").returncode == 0)
        got = client.receive(1)
        self.assertTrue(got is None or json.loads(got[1])["re"] != ident, got)
        self.assertTrue(self.ask(client, "status")["ok"])

    def test_3_the_command_line_sends_again_until_the_controller_is_back(self):
        bot = self.bot()["bot"]
        pid = self.fleet.pids()["controller"]
        os.kill(pid, signal.SIGKILL)  # it is away for a moment
        self.addCleanup(self.fleet.run, "bot", "resume", bot)  # others need it running, also when this fails
        self.assertEqual(self.fleet.cli("bot", "pause", bot)["run"], "paused")
        pid = self.fleet.pids()["controller"]
        os.kill(pid, signal.SIGSTOP)
        try:
            done = self.fleet.run("-o", "json", "--timeout", "2s", "halt", bot, "--reason", "late",
                                  "--yes")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is not known", done.stderr)
        ident = done.stderr.split("its id is ")[1][:26]
        shown = lambda: self.fleet.run("-o", "json", "command", "show", ident)
        wait_for("the controller answers", lambda: self.fleet.run("status").returncode == 0)
        # It stood still past the deadline: what it finds then is refused.
        self.assertNotEqual(shown().returncode, 0)
        self.assertEqual(self.fleet.cli("status")["halts"], [])

    def bot_row(self, name):
        return next(bot for bot in self.fleet.cli("bot", "ls")["items"] if bot["bot"] == name)

    def test_4_who_changes_the_own_password_over_mqtt_hears_the_new_one(self):
        made = self.fleet.cli("user", "add", "ada", "--role", "admin")
        client = self.login("ada", made["password"])
        client.subscribe(f"{ROOT}u/ada/res/#")
        answer = self.ask(client, "user-passwd", {"name": "ada"}, user="ada")
        self.assertTrue(answer["ok"], answer)
        new = answer["result"]["password"]
        self.assertNotEqual(new, made["password"])

        def holds():
            try:
                self.login("ada", new)
                return True
            except mqtt5.Refused:
                return False

        wait_for("the new password holds", holds, 5)
        with self.assertRaises(mqtt5.Refused):
            self.login("ada", made["password"])

    # --- commands to nodes, as the controller sends them

    answered = set()  # ids that a node answered

    def node_answers(self, client, ident, count, seconds=60):
        found, end = [], time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            got = client.receive(end - time.monotonic())
            if got and got[0] == f"{ROOT}n/node-1/res":
                answer = json.loads(got[1])
                self.answered.add(answer["re"])
                if answer["re"] == ident:
                    found.append(answer)
        return found

    def command(self, client, count=1, seconds=60, **change):
        message = {"v": 1, "id": ulid(), "ts_ms": now_ms(), "src": "controller", "seq": 10**9,
                   "term": self.term, "op": "record", "bot": self.name, "epoch": self.epoch,
                   "args": {"ttl_s": 0}, "expires_ms": now_ms() + 60000}
        message.update(change)
        client.publish(f"{ROOT}c/node-1/cmd", json.dumps({key: value for key, value in message.items()
                                                          if value is not None}))
        return self.node_answers(client, message["id"], count, seconds)

    def refused(self):
        return self.heartbeat().get("refused", {})

    def heartbeat(self):
        client = self.login("admin")
        client.subscribe(f"{ROOT}n/node-1/hb", 0)
        return json.loads(client.receive()[1])

    def test_5_a_command_is_accepted_then_done_once_and_refused_when_it_should_be(self):
        row = self.bot()
        type(self).name, type(self).epoch = row["bot"], row["epoch"]
        type(self).term = self.fleet.cli("status")["term"]
        client = self.login("controller")
        client.subscribe(f"{ROOT}n/node-1/res")
        ident = ulid()
        self.command(client, 2, args={"ttl_s": 2}, seq=10**6)
        first = self.command(client, 2, id=ident, args={"ttl_s": 3})
        self.assertEqual([answer["state"] for answer in first], ["accepted", "done"])
        again = self.command(client, 1, id=ident, args={"ttl_s": 3})
        self.assertEqual([answer["id"] for answer in again], [first[1]["id"]])
        cases = (
            ({"term": self.term - 1}, "rejected", "stale", "old_term"),
            ({"epoch": self.epoch - 1, "seq": 10**9 + 1}, "rejected", "stale", "old_epoch"),
            ({"seq": 5}, "rejected", "stale", "out_of_order"),
            ({"expires_ms": now_ms() - 3600000}, "expired", "expired", "expired"),
            ({"ts_ms": now_ms() + 3600000, "expires_ms": now_ms() + 3605000}, "rejected",
             "invalid_argument", "future"),
            ({"expires_ms": now_ms() + 10**9}, "rejected", "invalid_argument", "future"),
        )
        before = self.refused()
        for change, state, code, kind in cases:
            with self.subTest(kind=kind, change=change):
                answer, = self.command(client, 1, **change)
                self.assertEqual((answer["state"], answer["error"]["code"]), (state, code), answer)
        forged = ulid()
        self.command(client, 0, id=forged, src="node/node-2")
        self.command(client, 1, op="status", bot=None, epoch=None, args={})  # answered after it
        self.assertNotIn(forged, self.answered)
        for payload in ("[" * 200, b"\x00\x01\xff", "{}", "x" * 1100000):
            try:
                client.publish(f"{ROOT}c/node-1/cmd", payload)
            except (ConnectionError, OSError):
                client = self.login("controller")  # the broker's own limit
                client.subscribe(f"{ROOT}n/node-1/res")
        wait_for("they are counted", lambda: self.refused().get("binary", 0) >
                 before.get("binary", 0), 5)
        after = self.refused()
        for kind in ("old_term", "old_epoch", "out_of_order", "expired", "future", "forged", "deep",
                     "binary", "repeated"):
            self.assertGreater(after.get(kind, 0), 0 if kind == "repeated" else before.get(kind, 0),
                               f"{kind} in {after}")

        # The table of commands outlives the process.
        self.restart("node-1")
        wait_for("node-1 is back", lambda: self.command(client, 1, 1, op="status", bot=None, epoch=None,
                                                        args={}))
        again = self.command(client, 1, id=ident, args={"ttl_s": 3})
        self.assertEqual([answer["id"] for answer in again], [first[1]["id"]])

    def test_6_a_command_that_the_broker_kept_is_refused(self):
        client = self.login("controller")
        client.subscribe(f"{ROOT}n/node-1/res")
        message = {"v": 1, "id": ulid(), "ts_ms": now_ms(), "src": "controller", "seq": 2 * 10**9,
                   "term": self.term, "op": "flatten", "bot": self.name, "epoch": self.epoch,
                   "args": {"reason": "kept by the broker"}, "expires_ms": now_ms() + 60000}
        with self.fleet.killed("node-1"):  # or it is there again before the broker keeps anything
            client.publish(f"{ROOT}c/node-1/cmd", json.dumps(message), retain=True)
        try:
            answer = self.node_answers(client, message["id"], 1)
        finally:
            client.publish(f"{ROOT}c/node-1/cmd", b"", retain=True)
        self.assertEqual([row["state"] for row in answer], ["rejected"])
        self.assertGreater(self.refused()["retained"], 0)
        wait_for("it runs", lambda: self.bot_row(self.name).get("phase") == "running")


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Commands)
