#!/usr/bin/env python3
"""`flotilla up` and `down` with the real broker and stand-ins for our daemons (standins/): what is
under test is the supervisor, and the command line's requests and answers."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import mqtt5
import tap
from fleet import free_port

FLOTILLA, DEMO = sys.argv.pop(1), sys.argv.pop(1)
HERE = os.path.dirname(os.path.abspath(__file__))
CHILDREN = ("broker", "controller", "node-1", "node-2", "dashboard")


def until(what, seconds=90):
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Up(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="flt-up-")
        self.dir = os.path.join(self.base, "fleet")
        self.flotilla = shutil.copy(FLOTILLA, os.path.join(self.base, "flotilla"))
        for name in ("sim", "controller", "node", "dashboard"):
            shutil.copy(f"{HERE}/standins/standin.py", f"{self.base}/flotilla-{name}")
            os.chmod(f"{self.base}/flotilla-{name}", 0o755)
        self.port = free_port()
        self.ups = []

    def tearDown(self):
        for process in self.ups:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(60)
            process.stdout.close()
            process.stderr.close()
        shutil.rmtree(self.base)

    def start(self, *args):
        process = subprocess.Popen([self.flotilla, "up", "--dir", self.dir, "--port", str(self.port), *args],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ups.append(process)
        return process

    def run_cli(self, *args):
        return subprocess.run([self.flotilla, "--dir", self.dir, *args], capture_output=True, text=True,
                              check=False, timeout=120, stdin=subprocess.DEVNULL)

    def pid(self, name):
        try:
            with open(f"{self.dir}/run/{name}.pid", encoding="ascii") as file:
                return int(file.read().split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    def stop(self, process):
        pids = [self.pid(name) for name in CHILDREN]
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)
        self.assertFalse([pid for pid in pids if alive(pid)])

    def test_the_first_start_says_the_password_and_the_second_does_not(self):
        first = self.start()
        line = first.stdout.readline()
        match = re.fullmatch(rf"ready http://127\.0\.0\.1:{self.port} user=admin password=(\S{{24,}})\n", line)
        self.assertTrue(match, line)
        mqtt5.Client(f"{self.dir}/broker/mosquitto.sock", "admin", match[1]).close()
        self.stop(first)
        second = self.start()
        self.assertEqual(second.stdout.readline(), f"ready http://127.0.0.1:{self.port} user=admin\n")
        mqtt5.Client(f"{self.dir}/broker/mosquitto.sock", "admin", match[1]).close()
        self.stop(second)

    def test_every_child_that_is_killed_comes_back_and_the_others_stay(self):
        up = self.start()
        up.stdout.readline()
        for name in CHILDREN:
            before = {other: self.pid(other) for other in CHILDREN}
            os.kill(before[name], signal.SIGKILL)
            until(lambda: self.pid(name) not in (0, before[name]))
            if name != "broker":  # stand-ins end with their connection, as daemons need not
                self.assertTrue(all(self.pid(other) == before[other] for other in CHILDREN if other != name))
            until(lambda: self.run_cli("status", "--timeout", "1s").returncode == 0)
        self.assertIsNone(up.poll())
        self.stop(up)

    def test_detach_returns_when_ready_and_down_ends_everything(self):
        done = self.run_cli("up", "--port", str(self.port), "--detach")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(f"ready http://127.0.0.1:{self.port} user=admin password="))
        pids = [self.pid(name) for name in ("up", *CHILDREN)]
        self.assertTrue(all(alive(pid) for pid in pids))
        down = self.run_cli("down")
        self.assertEqual((down.returncode, down.stderr), (0, "stopped\n"))
        self.assertFalse([pid for pid in pids if alive(pid)])
        self.assertEqual(self.run_cli("down").returncode, 0)

    def test_a_demo_is_deployed_once_and_its_keys_are_in_no_arguments(self):
        """Once, though the controller could not take it at first: `up` ended then, on a slow machine."""
        shutil.copytree(DEMO, os.path.join(self.base, "share", "flotilla", "demo"))
        os.mkdir(os.path.join(self.base, "bin"))
        for name in os.listdir(self.base):
            if name.startswith("flotilla"):
                os.rename(f"{self.base}/{name}", f"{self.base}/bin/{name}")
        self.flotilla = f"{self.base}/bin/flotilla"
        for start in range(2):
            up = self.start(*(["--demo"] if start == 0 else []))
            self.assertTrue(up.stdout.readline().startswith("ready "))
            with open(f"{self.dir}/controller/applied", encoding="ascii") as file:
                self.assertEqual(file.read(), "24\n")
            with open(f"{self.dir}/secrets/demo.key.json", encoding="utf-8") as file:
                key = json.load(file)
            for name in ("sim", *CHILDREN):
                with open(f"/proc/{self.pid(name)}/cmdline", encoding="utf-8") as file:
                    self.assertNotIn(key["secret"], file.read())
            self.stop(up)

    def test_a_busy_port_and_a_running_folder_are_one_clear_sentence_each(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            busy = sock.getsockname()[1]
            done = self.run_cli("up", "--port", str(busy), "-o", "json")
            error = json.loads(done.stderr)["error"]
            self.assertEqual((done.returncode, error["code"], error["field"]), (4, "conflict", "port"))
            self.assertIn(str(busy), error["message"])
        up = self.start()
        up.stdout.readline()
        done = self.run_cli("up", "--port", str(free_port()))
        self.assertEqual(done.returncode, 4)
        self.assertIn("is running already", done.stderr)
        self.stop(up)

    def test_a_daemon_that_does_not_start_is_named_with_its_last_words(self):
        with open(f"{self.base}/flotilla-controller.broken", "w", encoding="ascii"):
            pass
        done = self.run_cli("up", "--port", str(self.port), "--detach", "-o", "json")
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, error["code"]), (11, "unavailable"))
        self.assertIn("controller does not start (code 3)", error["message"])
        self.assertIn("broken on purpose", error["message"])
        self.assertFalse([name for name in CHILDREN if self.pid(name)])

    def test_a_missing_program_is_said_before_anything_starts(self):
        os.unlink(f"{self.base}/flotilla-node")
        done = self.run_cli("up", "--port", str(self.port))
        self.assertEqual(done.returncode, 11)
        self.assertIn("flotilla-node is not beside flotilla", done.stderr)

    def test_children_end_with_an_up_that_is_killed_and_the_next_one_goes_on(self):
        first = self.start()
        first.stdout.readline()
        pids = [self.pid(name) for name in CHILDREN]
        first.kill()
        first.wait(60)
        until(lambda: not any(alive(pid) for pid in pids))
        second = self.start()
        self.assertEqual(second.stdout.readline(), f"ready http://127.0.0.1:{self.port} user=admin\n")
        self.stop(second)

    def test_answers_go_to_stdout_and_refusals_to_stderr_with_their_exit_code(self):
        up = self.start()
        up.stdout.readline()
        done = self.run_cli("-o", "json", "status")
        self.assertEqual((done.returncode, json.loads(done.stdout)["fills"], done.stderr), (0, 1, ""))
        done = self.run_cli("-o", "json", "pnl", "--by", "node")
        self.assertEqual(done.returncode, 5)
        self.assertEqual(done.stdout, "")
        self.assertEqual(json.loads(done.stderr), {"error": {"code": "denied", "message": "not for you",
                                                             "hint": "ask", "field": "by"}})
        done = self.run_cli("bot", "ls", "--user", "nobody")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no password of nobody", done.stderr)
        os.environ["FLOTILLA_PASSWORD"] = "wrong"
        done = self.run_cli("status")
        del os.environ["FLOTILLA_PASSWORD"]
        self.assertEqual(done.returncode, 5)
        self.assertIn("the broker refuses admin", done.stderr)
        done = self.run_cli("-o", "json", "doctor")
        checks = {row["check"]: row["state"] for row in json.loads(done.stdout)["checks"]}
        for name in ("folder", "processes", "listening", "controller"):
            self.assertEqual(checks[name], "ok", name)
        self.stop(up)

    def test_a_damaged_fleet_file_is_reported_and_left_alone(self):
        os.makedirs(self.dir)
        with open(f"{self.dir}/fleet.json", "w", encoding="utf-8") as file:
            file.write('{"tenant": "ma')
        done = self.run_cli("up", "--port", str(self.port))
        self.assertEqual(done.returncode, 2)
        self.assertIn("fleet.json", done.stderr)
        with open(f"{self.dir}/fleet.json", encoding="utf-8") as file:
            self.assertEqual(file.read(), '{"tenant": "ma')


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = HERE
    tap.run(Up)
