"""Somebody who gives orders all through the trouble: each request has an id, is sent again with the same
id until it is answered, and every answer to an id has to say the same."""
import json
import random
import threading
import time

import mqtt5
from rig import ulid

# verb -> what undoes it
MOVES = {"bot-pause": "bot-resume", "bot-stop": "bot-start"}
AGAIN_S = 0.6      # real seconds until a request is sent again
PATIENCE_S = 30.0  # until a request counts as never answered


class Person(threading.Thread):
    def __init__(self, rig, seed, bots):
        super().__init__(daemon=True)
        self.rig, self.dice, self.bots = rig, random.Random(seed), bots
        self.answers, self.asked, self.down = {}, {}, {}
        self.ending, self.client, self.failure = threading.Event(), None, None

    def run(self):
        try:
            while not self.ending.is_set():
                self.move(self.dice.choice(self.bots))
                self.ending.wait(self.dice.uniform(0.05, 0.3))
            for bot in sorted(self.down):
                self.ask(self.down[bot], {"bot": bot})
        except Exception as error:  # said by finish()  # pylint: disable=broad-except
            self.failure = error

    def move(self, bot):
        if bot in self.down:
            if self.ask(self.down[bot], {"bot": bot}):
                del self.down[bot]
            return
        verb = self.dice.choice(sorted(MOVES))
        self.down[bot] = MOVES[verb]
        self.ask(verb, {"bot": bot})

    def connect(self):
        if self.client:
            return True
        try:
            self.client = mqtt5.Client(self.rig.path("broker", "mosquitto.sock"), "admin",
                                       self.rig.secret("admin"))
            self.client.subscribe("flt/v1/main/u/admin/res/#")
        except (OSError, mqtt5.Refused):
            self.client = None
        return self.client is not None

    def ask(self, verb, args):
        """True once it was answered with ok; what was answered is kept."""
        now = self.rig.now_ms()
        request = {"v": 1, "id": ulid(now), "ts_ms": now, "src": "user/admin", "args": args,
                   "expires_ms": now + int(2 * PATIENCE_S * 1000 * self.rig.factor)}
        self.asked[request["id"]] = f"{verb} {args}"
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and request["id"] not in self.answers:
            try:
                if self.connect():
                    self.client.publish(f"flt/v1/main/u/admin/req/{verb}", json.dumps(request))
                    self.listen(request["id"])
                    continue
            except (OSError, IndexError):
                self.client = None
            time.sleep(0.05)
        return any(answer["ok"] for answer in self.answers.get(request["id"], []))

    def listen(self, wanted, seconds=AGAIN_S):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.client.receive(max(0.01, end - time.monotonic()))
            if not message:
                continue
            answer = json.loads(message[1])
            if answer.get("re") in self.asked:
                self.answers.setdefault(answer["re"], []).append(answer)
            if answer.get("re") == wanted:
                return

    def finish(self):
        """Ends when all bots are wanted running again; [(kind, text)] of what was answered wrongly."""
        self.ending.set()
        self.join(120)
        if self.failure or self.is_alive():
            return [("person", f"gave up: {self.failure}")]
        try:
            if self.connect():
                self.listen(None, 0.3)  # late answers
        except OSError:
            pass
        bad = [("unanswered", what) for name, what in self.asked.items() if name not in self.answers]
        for name, answers in self.answers.items():
            said = {json.dumps([a["ok"], a.get("result"), (a.get("error") or {}).get("code")], sort_keys=True)
                    for a in answers}
            if len(said) > 1:
                bad.append(("answers_differ", f"{self.asked[name]}: {sorted(said)}"))
        return bad
