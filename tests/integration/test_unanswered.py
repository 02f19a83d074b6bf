"""What a controller owed when it was killed: the ends of commands that were under way, and fills of an
earlier owner that the present one does not have yet. The nodes are played.

Usage: test_unanswered.py FLOTILLA CONTROLLER
"""
import json
import signal
import sys
import unittest

import tap
import test_controller as base

STREAM_2 = "01JD8Z6M5K7Q4W2X9Y3B1C0DEB"


class Node(base.Node):
    """One that is alive: whoever waits for a word of the controller, beats meanwhile."""

    def __init__(self, client, name, stream):
        super().__init__(client, name)
        self.stream = stream

    def say(self, topic, message, retain=False):
        message["src"] = f"node/{self.name}"
        if "stream" in message:
            message["stream"] = self.stream
        if "journal" in message:
            message["journal"]["stream"] = self.stream
        super().say(topic, message, retain)

    def beat(self, bots_hash="0000000000000000"):
        super().beat(bots_hash)  # it holds something: an empty list would be a release

    def next(self, kind, test=lambda message: True, seconds=12):
        def look():
            self.beat()
            got = self.client.receive(0.5)
            if got and got[0].endswith("/" + kind) and got[1]:
                message = json.loads(got[1])
                return message if test(message) else None
            return None
        return base.until(look, seconds)

    def command(self, op, test=lambda message: True):
        return self.next("cmd", lambda m: m["op"] == op and test(m))

    def answer(self, command, state, **more):
        answer = base.example("n/res")
        answer.pop("result", None)
        answer.update(re=command["id"], op=command["op"], state=state, **more)
        self.say("res", answer)

    def records(self, *records):
        event = base.example("n/ev")
        event.update(first=self.head + 1, records=[{**record, "n": self.head + 1 + i}
                                                   for i, record in enumerate(records)])
        self.head += len(records)
        self.say("ev", event)
        self.next("sack", lambda m: m["committed"] == self.head)

    def trade(self, bot, epoch, trade):
        record = self.fill(bot, 1, trade, mode="paper")
        record["epoch"] = epoch
        return record

    def release(self, bot, epoch):
        return {"kind": "state", "bot": bot, "epoch": epoch, "ts_ms": 1772366400101,
                "state": {"state": {"epoch": epoch}, "final": True, "generation": 1}}


class Unanswered(base.Fleet):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nodes = {name: Node(cls.client(name), name, stream)
                     for name, stream in (("node-1", base.STREAM), ("node-2", STREAM_2))}
        for node in cls.nodes.values():
            node.birth()
            node.beat()

    def setUp(self):
        self.one, self.two = self.nodes["node-1"], self.nodes["node-2"]

    def kill_controller(self):
        self.stop(signal.SIGKILL)
        self.start()
        for node in self.nodes.values():
            node.beat()

    def request(self, verb, args):
        """Asked, and not waited for."""
        type(self).number += 1
        self.user.publish(f"{base.ROOT}u/admin/req/{verb}",
                          json.dumps({"id": f"r{self.number}", "args": args}))

    def shown(self, command):
        def ended():
            self.one.beat()
            row = self.good("command-show", {"id": command["id"]})
            return row if "ended_ms" in row else None
        return base.until(ended)

    def test_1_commands_of_a_killed_controller_get_their_ends(self):
        commands = {}
        for name in ("told", "never-came", "goes-on"):
            self.good("bot-deploy", {"bot": self.bot(name)})
            self.request("bot-reconcile", {"bot": name})
            commands[name] = self.one.command("reconcile", lambda m, name=name: m["bot"] == name)
        self.one.answer(commands["goes-on"], "accepted")
        base.until(lambda: self.good("command-show", {"id": commands["goes-on"]["id"]})["state"] == "accepted")
        self.kill_controller()
        result = base.example("cmd/reconcile")["result"]
        told = {"told": {"state": "done", "result": result}, "never-came": {"state": "unknown"},
                "goes-on": {"state": "accepted"}}
        names = {command["id"]: name for name, command in commands.items()}
        waiting = dict(told)
        while waiting:
            asked = self.one.command("query")
            name = names[asked["args"]["id"]]
            self.one.answer(asked, "done", result={"id": asked["args"]["id"], **told[name]})
            waiting.pop(name, None)
        self.one.answer(commands["goes-on"], "failed", error={"code": "venue_error", "message": "busy", "hint": ""})
        row = self.shown(commands["told"])
        self.assertEqual((row["state"], row["result"]), ("done", result))
        row = self.shown(commands["never-came"])
        self.assertEqual((row["state"], row["error"]["code"]), ("expired", "expired"))
        row = self.shown(commands["goes-on"])
        self.assertEqual((row["state"], row["error"]["code"]), ("failed", "venue_error"))

    def move(self, bot, owner, other, epoch):
        """Released by the one, taken over by the other: its document."""
        self.good("bot-move", {"bot": bot, "node": other.name})
        owner.next("desired", lambda m: m["bot"] == bot and m.get("release"))
        owner.records(owner.release(bot, epoch))
        return other.next("desired", lambda m: m["bot"] == bot and m["epoch"] == epoch + 1)

    def test_2_a_late_fill_reaches_the_present_owner_whatever_dies(self):
        """One that its node refused, or that a killed controller had not told, was lost to the bot's
        own books; and the next owner took it for one that the state had."""
        self.good("bot-deploy", {"bot": self.bot("late")})
        self.one.next("desired", lambda m: m["bot"] == "late")
        self.one.records(self.one.trade("late", 1, 100))
        doc = self.move("late", self.one, self.two, 1)
        self.assertEqual([row["trade_id"] for row in doc["resume"]["trades"]], ["100"])
        self.one.records(self.one.trade("late", 1, 101))  # it comes when another owns the bot
        told = lambda: self.two.command("late-fill")
        first = told()
        self.assertEqual((first["args"]["fill"]["trade_id"], first["epoch"]), ("101", 2))
        self.two.answer(first, "accepted")
        self.two.answer(first, "failed", error={"code": "conflict", "message": "not begun", "hint": ""})
        again = self.two.command("late-fill", lambda m: m["id"] != first["id"])
        self.kill_controller()
        after = self.two.command("late-fill", lambda m: m["id"] not in (first["id"], again["id"]))
        self.assertEqual(after["args"], first["args"])
        self.two.answer(after, "done", result={"booked": True})
        # One that has it tells so with its state; one that nobody has goes on with the bot.
        self.one.records(self.one.trade("late", 1, 102))
        self.assertEqual(self.two.command("late-fill", lambda m: m["id"] != after["id"])
                         ["args"]["fill"]["trade_id"], "102")
        doc = self.move("late", self.two, self.one, 2)
        self.assertEqual([row["trade_id"] for row in doc["resume"]["fills"]], ["102"])
        self.assertEqual([row["trade_id"] for row in doc["resume"]["trades"]], ["101", "100"])


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Unanswered)
