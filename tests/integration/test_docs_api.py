#!/usr/bin/env python3
"""Pastes every line of docs/mqtt-api.md and docs/rest-api.md into a shell beside a demo fleet.

Usage: test_docs_api.py FLOTILLA DOCS
"""
import json
import os
import re
import subprocess
import sys
import unittest

import tap
from fleet import Fleet, wait_for

FLOTILLA, DOCS = sys.argv[1], sys.argv[2]


def blocks(name):
    """(text before the block, its lines) of each block of shell."""
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        page = file.read()
    parts = re.split(r"```sh\n(.*?)```", page, flags=re.S)
    return list(zip(parts[0::2], parts[1::2]))


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.up()
        cls.env = {**os.environ, "FLEET": cls.fleet.dir,
                   "URL": f"http://127.0.0.1:{cls.fleet.port}"}

    def paste(self, head, line):
        done = subprocess.run(["bash", "-c", head + "\n" + line], env=self.env, text=True,
                              capture_output=True, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def judge(self, before, line, out):
        """An answer is ok, or refused with a code that the page names."""
        answer = json.loads(out)
        refused = re.search(r"\*Refused\*: (.*)", before.rsplit("\n\n", 2)[-2])
        codes = re.findall(r"`(\w+)`", refused[1]) if refused else []
        if not answer["ok"]:
            self.assertIn(answer["error"]["code"], codes, f"{line}\n{answer}")

    def test_1_mqtt(self):
        (_, head), *rest = blocks("mqtt-api.md")
        asked = 0
        for before, block in rest:
            for line in block.strip().splitlines():
                code, out, err = self.paste(head, line)
                if line.startswith("ask "):
                    self.assertEqual(code, 0, f"{line}\n{err}")
                    self.judge(before, line, out)
                    asked += 1
                elif "*Rare.*" in before.rsplit("###", 1)[-1]:
                    self.assertIn(code, (0, 27), f"{line}\n{err}")  # 27: nothing was said
                else:
                    self.assertEqual(code, 0, f"{line}\n{err}")
                    self.assertTrue(out.startswith("flt/v1/main/"), out)
        self.assertGreater(asked, 50)

    def test_2_rest(self):
        (_, head), *rest = blocks("rest-api.md")
        wait_for("the bot of the other page to be gone", lambda: "paste" not in [
            row["bot"] for row in self.fleet.cli("bot", "ls")["items"]])
        for before, block in rest:
            for line in block.strip().splitlines():
                code, out, err = self.paste(head, line)
                self.assertEqual(code, 0, f"{line}\n{err}")
                if "/api/v1/" in line and "openapi" not in line:
                    self.judge(before, line, out)
                else:
                    self.assertTrue(out, line)


if __name__ == "__main__":
    tap.run(Docs)
