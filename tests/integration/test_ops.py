"""Operations: the word to the service manager, units, compose files, and a node's upgrade with its
way back.

Usage: test_ops.py FLOTILLA SOURCE_ROOT BUILD_ROOT
"""
import glob
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

import tap
from fleet import CliError, Fleet, free_port, wait_for

FLOTILLA, SOURCE, BUILD = sys.argv[1:4]
NODE_EXE = os.path.join(BUILD, "botnode", "flotilla-node")


class ServiceManager(unittest.TestCase):
    """systemd's side of sd_notify(3): a datagram socket, and WATCHDOG_USEC."""

    def test_01_up_says_ready_signs_of_life_and_stopping(self):
        folder = tempfile.mkdtemp(prefix="flotilla-notify-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        manager.settimeout(30)
        env = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        child = subprocess.Popen([FLOTILLA, "--dir", os.path.join(folder, "fleet"), "up", "--demo",
                                  "--port", str(free_port())], env=env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            words = []
            while words.count("WATCHDOG=1") < 2 or "READY=1" not in words:
                words.append(manager.recv(256).decode())
            child.send_signal(signal.SIGTERM)
            while words[-1] != "STOPPING=1":
                words.append(manager.recv(256).decode())
            self.assertEqual(child.wait(60), 0)
        finally:
            if child.poll() is None:
                child.kill()
            manager.close()

    def test_02_a_socket_that_is_not_there_stops_nothing(self):
        done = subprocess.run([NODE_EXE, "--config", "/nonexistent.json"], capture_output=True,
                              text=True, env={**os.environ, "NOTIFY_SOCKET": "/nowhere/notify"})
        self.assertIn("nonexistent.json", done.stderr)


class Units(unittest.TestCase):
    def units(self):
        return sorted(glob.glob(os.path.join(BUILD, "compose", "systemd", "*.service")))

    def test_01_each_unit_starts_a_program_of_the_build_and_is_hardened(self):
        built = {"flotilla": FLOTILLA, "flotilla-node": NODE_EXE,
                 "flotilla-controller": os.path.join(BUILD, "controller", "flotilla-controller"),
                 "flotilla-dashboard": os.path.join(BUILD, "dashboard", "flotilla-dashboard")}
        self.assertEqual(len(self.units()), 5)
        for path in self.units():
            with open(path, encoding="utf-8") as file:
                text = file.read()
            program = re.search(r"^ExecStart=(\S+)", text, re.M)[1]
            self.assertTrue(os.access(built[os.path.basename(program)], os.X_OK), path)
            for word in ("NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=\n",
                         "SystemCallFilter=@system-service", "Restart=always"):
                self.assertIn(word, text, path)
            self.assertNotIn("@bindir@", text)
            if "Type=notify" in text:
                self.assertIn("WatchdogSec=", text, path)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_02_systemd_reads_them(self):
        folder = tempfile.mkdtemp(prefix="flotilla-units-")
        self.addCleanup(shutil.rmtree, folder)
        for path in self.units():
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", file.read(), flags=re.M)
            text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
            copy = os.path.join(folder, os.path.basename(path))
            with open(copy, "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy],
                                  capture_output=True, text=True, timeout=120)
            ours = [line for line in done.stderr.splitlines()
                    if os.path.basename(path).split("@")[0].removesuffix(".service") in line]
            self.assertEqual(ours, [], path)


class Compose(unittest.TestCase):
    ENV = {"SITE": "/srv/x", "NODE": "node-3", "PORT": "8090", "CONFIG": "/srv/c",
           "EMQX_COOKIE": "x"}

    def files(self):
        return sorted(glob.glob(os.path.join(SOURCE, "compose", "*.yml")))

    def test_01_no_secret_no_docker_socket_and_nothing_beyond_loopback(self):
        self.assertGreaterEqual(len(self.files()), 4)
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn("docker.sock", text, path)
            self.assertNotRegex(text, r"(?i)(password|secret|cookie)\w*:\s*[\"']?[a-z0-9]", path)
            for port in re.findall(r"ports:\s*\[\"([^\"]+)", text):
                self.assertTrue(port.startswith("127.0.0.1:"), path)
            self.assertIn("no-new-privileges:true", text, path)
            self.assertIn("healthcheck:", text, path)

    @unittest.skipUnless(shutil.which("docker-compose"), "no docker-compose")
    def test_02_docker_compose_reads_them(self):
        for path in self.files():
            done = subprocess.run(["docker-compose", "-f", path, "config", "-q"],
                                  capture_output=True, text=True, env={**os.environ, **self.ENV})
            self.assertEqual(done.returncode, 0, done.stderr)


def script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return path


class Upgrade(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        cls.tools = tempfile.mkdtemp(prefix="flotilla-programs-")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()
        shutil.rmtree(cls.tools)

    def refused(self, *words):
        with self.assertRaises(CliError) as caught:
            self.fleet.cli(*words, timeout=150)
        return caught.exception.error

    def running(self):
        bots = self.fleet.cli("node", "show", "node-1")["bots"]
        return sorted(bot["bot"] for bot in bots if bot.get("phase") == "running")

    def pid(self):
        return self.fleet.pids()["node-1"]

    def test_01_ping_hears_a_heartbeat_and_says_when_there_is_none(self):
        self.assertTrue(self.fleet.cli("node", "ping", "node-1")["alive"])
        self.assertEqual(self.refused("node", "ping", "node-9")["code"], "unavailable")

    def test_02_what_is_no_node_program_is_refused_before_anything_changes(self):
        before = self.pid()
        self.assertEqual(self.refused("node", "upgrade", "node-1", "--program", "/bin/true",
                                      "--yes")["code"], "invalid_argument")
        self.assertEqual(self.refused("node", "upgrade", "node-1", "--program", "/nowhere",
                                      "--yes")["code"], "not_found")
        self.assertEqual(self.refused("node", "upgrade", "node-9", "--yes")["code"], "not_found")
        self.assertEqual(self.pid(), before)

    def test_03_the_node_comes_back_with_all_its_bots(self):
        before, bots = self.pid(), self.running()
        self.assertTrue(bots)
        program = script(self.tools, "same", f'#!/bin/sh\nexec {NODE_EXE} "$@"\n')
        result = self.fleet.cli("node", "upgrade", "node-1", "--program", program, "--yes",
                                timeout=150)
        self.assertEqual(result["bots"], len(bots))
        self.assertEqual(self.running(), bots)
        self.assertNotEqual(self.pid(), before)
        self.assertEqual(os.readlink(os.path.join(self.fleet.dir, "node-1", "program")), program)

    def test_04_a_program_that_does_not_bring_bots_back_is_taken_out_again(self):
        bots = self.running()
        bad = script(self.tools, "bad", "#!/bin/sh\n[ \"$1\" = --version ] && { echo "
                     "'flotilla-node 9.9.9'; exit 0; }\nexit 1\n")
        error = self.refused("node", "upgrade", "node-1", "--program", bad, "--wait", "4s", "--yes")
        self.assertIn("the old program is back", error["message"])
        wait_for("its bots", lambda: self.running() == bots, 30)
        self.assertNotEqual(os.readlink(os.path.join(self.fleet.dir, "node-1", "program")), bad)

    def test_05_books_are_equal_after_all_that(self):
        wait_for("books equal to the venue",
                 lambda: self.fleet.run("doctor", "--reconcile").returncode == 0, 30)


if __name__ == "__main__":
    tap.run(ServiceManager, Units, Compose, Upgrade)
