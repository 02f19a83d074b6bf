"""A bot is deployed, paused, stopped and its fills followed with mosquitto's own tools alone.

Usage: test_mqtt_tools.py FLOTILLA
"""
import json
import subprocess
import sys
import time
import unittest
import urllib.request

import tap
from fleet import Fleet, wait_for

FLOTILLA = sys.argv[1]
ROOT = "flt/v1/main"


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.up()
        cls.login = ["--unix", f"{cls.fleet.dir}/broker/mosquitto.sock", "-u", "admin", "-P",
                     cls.fleet.password]
        cls.serial = 0
        with open(f"{cls.fleet.dir}/fleet.json", encoding="ascii") as file:
            control = f"http://127.0.0.1:{json.load(file)['ports']['sim_control']}"
        # At the market's own speed a minute may pass without a fill of one bot.
        urllib.request.urlopen(urllib.request.Request(f"{control}/speed", b'{"speed":20}'), timeout=60).close()

    def request(self, verb, args):
        """One verb by mosquitto_rr; the answer's document."""
        type(self).serial += 1
        now = int(time.time() * 1000)
        message = {"v": 1, "id": f"01JD8Z6M5K7Q4W2X9Y3B{self.serial:06d}", "ts_ms": now,
                   "src": "user/admin", "expires_ms": now + 60000, "args": args}
        done = subprocess.run(
            ["mosquitto_rr", *self.login, "-V", "mqttv5", "-q", "1", "-W", "60", "-t",
             f"{ROOT}/u/admin/req/{verb}", "-e", f"{ROOT}/u/admin/res/rr", "-m",
             json.dumps(message)], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["re"], message["id"])
        return answer

    def ask(self, verb, args):
        answer = self.request(verb, args)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def messages(self, topic, count, seconds=60):
        done = subprocess.run(["mosquitto_sub", *self.login, "-q", "1", "-t", f"{ROOT}/{topic}",
                               "-C", str(count), "-W", str(seconds)], capture_output=True,
                              text=True, timeout=seconds + 5, check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def phase(self, bot):
        found = self.messages(f"n/+/b/{bot}/state", 1)
        return found[0]["phase"] if found else None

    def test_1_deploy(self):
        self.ask("bot-deploy", {"bot": {
            "name": "by-hand", "strategy": "pmm_simple", "account": "demo",
            "instrument": "BTC-USDT", "mode": "live",
            "params": self.quoting()}, "start": True})
        wait_for("running", lambda: self.phase("by-hand") == "running")

    def quoting(self):
        """The parameters of a bot of the demo that quotes close to the market."""
        for row in self.ask("bot-ls", {"limit": 100})["items"]:
            if row["strategy"] == "pmm_simple" and row["instrument"] == "BTC-USDT":
                return self.ask("bot-show", {"bot": row["bot"]})["spec"]["params"]
        self.fail("the demo has no pmm_simple on BTC-USDT")

    def test_2_follow_its_fills(self):
        def watched(kind):
            self.ask("bot-watch", {"bot": "by-hand", "ttl_s": 60})  # for as long as the next line waits
            return self.messages(f"n/+/b/by-hand/{kind}", 1)
        self.assertEqual(wait_for("a word", lambda: watched("live"))[0]["bot"], "by-hand")
        fills = wait_for("a fill", lambda: watched("fill"))
        self.assertEqual(fills[0]["bot"], "by-hand")
        wait_for("the fill in the books", lambda: fills[0]["fill"]["trade_id"] in [
            row["trade_id"] for row in self.ask("bot-fills", {"bot": "by-hand", "limit": 100})["items"]])

    def test_3_pause_and_stop(self):
        self.ask("bot-pause", {"bot": "by-hand"})
        wait_for("paused", lambda: self.phase("by-hand") == "paused")
        self.ask("bot-stop", {"bot": "by-hand"})
        wait_for("stopped", lambda: self.phase("by-hand") == "stopped")
        self.assertEqual(self.ask("bot-orders", {"bot": "by-hand"})["orders"], [])

    def test_4_every_request_gets_an_answer_also_a_bad_one(self):
        for verb, args, code in (("bot-show", {"bot": "nobody"}, "not_found"),
                                 ("bot-show", {"bto": "x"}, "invalid_argument"),
                                 ("no-such-verb", {}, "not_found")):
            with self.subTest(verb=verb):
                answer = self.request(verb, args)
                self.assertFalse(answer["ok"])
                self.assertEqual(answer["error"]["code"], code, answer)

    def test_5_what_was_done_is_in_the_audit(self):
        rows = self.ask("audit-ls", {"limit": 50})["items"]
        self.assertLessEqual({"bot-deploy", "bot-pause", "bot-stop"}, {row["verb"] for row in rows})
        self.assertEqual({row["user"] for row in rows if row.get("target") == "by-hand"}, {"admin"})


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Tools)
