"""A small fleet for the bench programs: simulator, broker, controller and one node, each started here
and ended by its own process, in a temporary folder that goes with it."""
import base64
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/integration"))
import mqtt5  # noqa: E402

TENANT = "flt/v1/main/"
FLEET = "01JD8Z6M5K7Q4W2X9Y3B1C0DEF"


def row(name, value, unit, compared=""):
    print(f"{name}\t{value:.1f}\t{unit}\t{compared}", flush=True)


def until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


class Rig:
    def __init__(self, build):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix="flotilla-bench-")
        self.processes, self.urls, self.admin = [], {}, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.end(process)
        if os.environ.get("KEEP_LOGS"):
            os.system(f"tail -n 15 {self.dir}/*.log >&2")
        shutil.rmtree(self.dir, ignore_errors=True)

    def program(self, path):
        return os.path.join(self.build, path)

    def start(self, name, *command, stdout=subprocess.DEVNULL):
        with open(f"{self.dir}/{name}.log", "ab") as log:
            process = subprocess.Popen(command, stdout=stdout, stderr=log, text=True)
        self.processes.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def sim(self, *arguments):
        """Starts flotilla-sim; its urls by name: rest, stream, control."""
        process = self.start("sim", self.program("exchanges/sim/flotilla-sim"), "--db",
                             f"{self.dir}/sim.db", *arguments, stdout=subprocess.PIPE)
        line = process.stdout.readline()
        if not line.startswith("ready "):
            with open(f"{self.dir}/sim.log", encoding="utf-8") as log:
                raise SystemExit(f"flotilla-sim did not start: {log.read()[-400:]}")
        self.urls = dict(word.split("=", 1) for word in line.split()[1:])
        return process

    def sim_state(self):
        with urllib.request.urlopen(self.urls["control"] + "/state", timeout=5) as reply:
            return json.load(reply)

    def cli(self, *words, text=None):
        done = subprocess.run([self.program("controller/cli/flotilla"), "--dir", self.dir, "-o",
                               "json", "--timeout", "20s", *words], capture_output=True, text=True,
                              input=text, check=False, timeout=120)
        if done.returncode:
            raise SystemExit(f"flotilla {' '.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def client(self, user="admin"):
        with open(f"{self.dir}/secrets/{user}.password", encoding="ascii") as file:
            return mqtt5.Client(f"{self.dir}/broker/mosquitto.sock", user, file.read().strip())

    def _try_client(self):
        try:
            return self.client()
        except (OSError, mqtt5.Refused):
            return None

    def broker(self):
        port = self.cli("broker", "config")["port"]
        self.start("broker", self.program("controller/cli/flotilla"), "--dir", self.dir, "broker",
                   "run", "--port", str(port))
        self.admin = until("the broker answers", self._try_client)

    def _config(self, user, folder, **more):
        venue = {"rest_url": self.urls["rest"], "stream_url": self.urls["stream"],
                 "ws_api_url": self.urls["stream"] + "/ws-api/v3"}
        path = f"{self.dir}/{folder}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"tenant": "main", "fleet": FLEET, "dir": f"{self.dir}/{folder}",
                       "venues": {"binance": venue},
                       "mqtt": {"url": f"unix:{self.dir}/broker/mosquitto.sock", "username": user,
                                "password_file": f"{self.dir}/secrets/{user}.password"},
                       **more}, file)
        return path

    def controller(self):
        path = self._config("controller", "controller")
        hears = self.client()
        hears.subscribe(TENANT + "ctl/state")
        process = self.start("controller", self.program("controller/flotilla-controller"),
                             "--config", path)
        if not hears.receive(20):
            raise SystemExit("no word of the controller")
        hears.close()
        return process

    def node(self):
        """Starts node-1; the process, the milliseconds to its first heartbeat, and those of CPU."""
        path = self._config("node-1", "node-1", node="node-1", capacity=2000)
        hears = self.client()
        hears.subscribe(TENANT + "n/node-1/hb", 0)
        began = time.monotonic()
        process = self.start("node", self.program("botnode/flotilla-node"), "--config", path)
        if not hears.receive(20):
            raise SystemExit("no heartbeat of the node")
        taken = 1000 * (time.monotonic() - began)
        cpu = 1000 * cpu_seconds(process.pid)
        hears.close()
        return process, taken, cpu

    def account(self, name, key, secret):
        path = f"{self.dir}/{name}.key.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"key": key, "secret": secret}, file)
        self.cli("account", "add", name, "--venue", "binance", "--sandbox", "--key-file", path)

    @staticmethod
    def request(client, verb, **args):
        """Sends a request as the user admin; its id, which ends the topic of its answer."""
        mine = f"01JD8Z6M5K7Q4W2X9Y3B{os.urandom(3).hex().upper()}"
        now = int(time.time() * 1000)
        client.publish(f"{TENANT}u/admin/req/{verb}", json.dumps(
            {"v": 1, "id": mine, "ts_ms": now, "src": "user/admin", "args": args}))
        return mine

    def ask(self, client, verb, **args):
        """One request as the user admin, and its answer's result."""
        mine = self.request(client, verb, **args)
        while True:
            got = client.receive(30)
            if not got:
                raise SystemExit(f"no answer to {verb}")
            if got[0].endswith(mine):
                answer = json.loads(got[1])
                if not answer["ok"]:
                    raise SystemExit(f"{verb}: {answer['error']}")
                return answer["result"]


def count_frames(stream_url, streams, seconds):
    """WebSocket frames a second of these streams: what a node gets."""
    host, port = re.match(r"ws://([\d.]+):(\d+)", stream_url).groups()
    with socket.create_connection((host, int(port)), 5) as sock:
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall((f"GET /stream?streams={'/'.join(streams)} HTTP/1.1\r\nHost: {host}:{port}\r\n"
                      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(4096)
        data, count, end = data.split(b"\r\n\r\n", 1)[1], 0, time.monotonic() + seconds
        while time.monotonic() < end:
            data += sock.recv(1 << 18)
            at = 0
            while len(data) - at >= 4:
                size = data[at + 1] & 127
                head = 4 if size == 126 else 10 if size == 127 else 2
                if head == 4:
                    size = struct.unpack(">H", data[at + 2:at + 4])[0]
                elif head == 10:
                    size = struct.unpack(">Q", data[at + 2:at + 10])[0]
                if len(data) - at < head + size:
                    break
                at += head + size
                count += 1
            data = data[at:]
    return count / seconds
