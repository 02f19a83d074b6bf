"""A broker and a controller without nodes, and a command line against them."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

FLOTILLA, CONTROLLER = sys.argv.pop(1), sys.argv.pop(1)


class CliCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="flt-cli-")
        cls.children = []
        cls.addClassCleanup(cls.finish)  # also when this here fails
        subprocess.run([FLOTILLA, "--dir", cls.dir, "broker", "config"], check=True, stdout=subprocess.DEVNULL)
        with open(f"{cls.dir}/fleet.json", encoding="utf-8") as file:
            fleet = json.load(file)
        config = {"tenant": fleet["tenant"], "fleet": fleet["fleet"], "dir": f"{cls.dir}/controller",
                  "mqtt": {"url": f"unix:{cls.dir}/broker/mosquitto.sock", "username": "controller",
                           "password_file": f"{cls.dir}/secrets/controller.password"}}
        with open(f"{cls.dir}/controller/controller.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        cls.port = fleet["ports"]["mqtt"]
        cls.children.append(cls.start_broker())
        cls.children.append(cls.start_controller())
        cls.wait_for_controller()

    @classmethod
    def wait_for_controller(cls):
        end = time.monotonic() + 60
        while cls.run_cli("--timeout", "500ms", "status").returncode:
            assert time.monotonic() < end, "the controller does not answer"

    @classmethod
    def start_broker(cls):
        return subprocess.Popen([FLOTILLA, "--dir", cls.dir, "broker", "run"], stderr=subprocess.DEVNULL)

    @classmethod
    def start_controller(cls):
        return subprocess.Popen([CONTROLLER, "--config", f"{cls.dir}/controller/controller.json"],
                                stderr=subprocess.DEVNULL)

    @classmethod
    def finish(cls):
        for child in reversed(cls.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.wait(60)
        shutil.rmtree(cls.dir)

    @classmethod
    def run_cli(cls, *args, stdin="", password=None, env=None, where=True):
        env = dict({"FLOTILLA_TIMEOUT": "30s", **os.environ}, XDG_CONFIG_HOME=f"{cls.dir}/xdg", XDG_CONFIG_DIRS=f"{cls.dir}/etc", **(env or {}))
        env.pop("FLOTILLA_DIR", None) if where else None
        if password:
            env["FLOTILLA_PASSWORD"] = password
        return subprocess.run([FLOTILLA, *(["--dir", cls.dir] if where else []), *args], capture_output=True,
                              text=True, check=False, timeout=120, input=stdin, env=env)

    def ask(self, *args, **more):
        done = self.run_cli("-o", "json", *args, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return json.loads(done.stdout)

    def refuse(self, *args, **more):
        done = self.run_cli("-o", "json", *args, **more)
        self.assertEqual(done.stdout, "", args)
        error = json.loads(done.stderr)["error"]
        self.assertEqual(set(error), {"code", "message", "hint", "field"})
        return done.returncode, error
