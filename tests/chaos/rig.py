"""A fleet for the harness: each process alone in our hands, each link through a wire that can be cut
(chaos_link), each program with the injection layer (chaos_inject.so) and so with its own clock.

All times run `factor` times faster than the machine's: programs wait 5 s and wake after 0.5 s.
"""
import ctypes
import json
import mmap
import os
import secrets
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

import mqtt5
from fleet import free_port

FIELDS = ("magic factor_milli real_wall_ns wall_ns real_mono_ns mono_ns step_ns boot disk_full "
          "net_fail_ppm net_short_ppm net_late_us sync_fail_ppm sync_late_us connect_fail_ppm "
          "connect_late_us seed keep_ppm net_failed net_short sync_failed connect_failed full "
          "sectors_lost power_lost").split()
PATIENCE_S = 90  # deadlines are for what never comes: a slow machine is no failure
MAGIC = 0x464C543143484153
POWER_SIGNAL = signal.SIGRTMIN + 7
NODES = ("node-1", "node-2")
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(ts_ms):
    value, out = (ts_ms << 80) | secrets.randbits(80), ""
    for _ in range(26):
        out, value = ULID[value & 31] + out, value >> 5
    return out


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def with_us():
    """In a child before it begins: it ends when this process does, however that ends. Each child has a session
    of its own, so no signal to our group reaches it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Control:
    """One program's struct chaos_control (inject.h)."""

    def __init__(self, path, clock, seed, **fields):
        with open(path, "wb") as file:
            file.write(b"\0" * 8 * len(FIELDS))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        for name, value in {**clock, "seed": seed, "keep_ppm": 500000, **fields}.items():
            self[name] = value
        self["magic"] = MAGIC

    def __setitem__(self, name, value):
        struct.pack_into("<q", self.map, 8 * FIELDS.index(name), value)

    def __getitem__(self, name):
        return struct.unpack_from("<q", self.map, 8 * FIELDS.index(name))[0]


class Process:
    """One program; started again after a death as long as it is `wanted`."""

    def __init__(self, rig, name, argv):
        self.rig, self.name, self.argv = rig, name, argv
        self.control_path = os.path.join(rig.dir, "chaos", f"{name}.control")
        self.control = Control(self.control_path, rig.clock, rig.seed ^ hash_of(name))
        self.child, self.wanted, self.frozen = None, False, False
        self.again_at, self.starts = 0.0, 0

    def start(self):
        env = dict(os.environ)
        if self.rig.tools["inject"]:
            env.update(CHAOS_CONTROL=self.control_path, CHAOS_EVIDENCE=self.rig.evidence,
                       LD_PRELOAD=self.rig.tools["inject"])
        if self.name in self.rig.losers:
            env["CHAOS_DIR"] = os.path.join(self.rig.dir, self.name)
        with open(os.path.join(self.rig.dir, "log", f"{self.name}.log"), "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=env, cwd=self.rig.dir, start_new_session=True,
                                          preexec_fn=with_us)
        self.wanted, self.frozen = True, False
        self.starts += 1

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def freeze(self, frozen):
        self.signal(signal.SIGSTOP if frozen else signal.SIGCONT)
        self.frozen = frozen

    def kill(self, down=0.05):
        """kill -9; it comes back `down` real seconds later."""
        self.signal(signal.SIGKILL)
        if self.child:
            self.child.wait()
        self.frozen, self.again_at = False, time.monotonic() + down

    def power_loss(self, down=0.05):
        """What was not synced is lost, the kernel is a new one."""
        if not self.alive():
            return
        self.freeze(False)
        self.signal(POWER_SIGNAL)
        try:
            self.child.wait(60)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.name} outlived its power") from error
        self.control["boot"] += 1
        self.again_at = time.monotonic() + down

    def end(self, seconds=60):
        """SIGTERM and its exit status; -9 when it had to be killed."""
        self.wanted = False
        if not self.alive():
            return self.child.returncode if self.child else 0
        self.freeze(False)
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def watch(self):
        if self.wanted and not self.alive() and time.monotonic() >= self.again_at:
            self.start()
            self.again_at = time.monotonic() + 0.2


def hash_of(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 & (1 << 62) - 1
    return value


def free_ports(count):
    return [free_port() for _ in range(count)]


class Links:
    """chaos_link and its orders."""

    def __init__(self, program, log, wires):
        spec = [f"{name}={port}={target}" for name, (port, target) in wires.items()]
        self.names = list(wires)
        self.child = subprocess.Popen([program, log, *spec], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, start_new_session=True,
                                      preexec_fn=with_us)
        if self.child.stdout.readline() != "ready\n":
            raise AssertionError("chaos_link does not start")

    def order(self, *words):
        self.child.stdin.write(" ".join(map(str, words)) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        if answer != "ok":
            raise AssertionError(f"chaos_link {words}: {answer}")

    def heal(self):
        for name in self.names:
            self.order("open", name)

    def close(self):
        self.child.stdin.close()
        self.child.wait(60)
        self.child.stdout.close()


class Rig:
    def __init__(self, tools, seed, factor=10.0, library="mosquitto", config=None, nodes=NODES):
        self.tools, self.seed, self.library, self.nodes = tools, seed, library, nodes
        self.losers = (*nodes, "controller")  # whose power can go
        self.config = config or {}
        self.dir = tempfile.mkdtemp(prefix="flotilla-chaos-")
        self.evidence = os.path.join(self.dir, "chaos")
        for name in ("chaos", "log", "sim", "controller", *self.nodes):
            os.makedirs(os.path.join(self.dir, name), mode=0o700, exist_ok=True)
        real, mono = time.time_ns(), time.monotonic_ns()
        self.factor = factor
        self.clock = {"factor_milli": int(factor * 1000), "real_wall_ns": real, "wall_ns": real,
                      "real_mono_ns": mono, "mono_ns": mono, "boot": 1}
        self.processes, self.links, self.client = {}, None, None
        self.sim_key = secrets.token_hex(32)

    # --- time

    def now_ms(self):
        """Fleet time."""
        real = time.time_ns() - self.clock["real_wall_ns"]
        return int(self.clock["wall_ns"] + real * self.factor) // 1000000

    def wait(self, fleet_seconds):
        """Keeps the fleet alive that long."""
        end = time.monotonic() + fleet_seconds / self.factor
        while True:
            self.watch()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.02))

    def while_it_runs(self, work):
        """`work()` in a thread, the fleet watched over meanwhile; its result."""
        done = []
        thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
        thread.start()
        while thread.is_alive():
            self.wait(0.2)
        return done[0]

    def watch(self):
        for process in self.processes.values():
            process.watch()

    def until(self, what, condition, seconds):
        """`condition()` gives None when all is well, else what is not; `seconds` are real."""
        seconds = max(seconds, PATIENCE_S)
        end = time.monotonic() + seconds
        while True:
            self.watch()
            why = condition()
            if why is None:
                return
            if time.monotonic() > end:
                raise AssertionError(f"{what} not within {seconds} s: {why}")
            time.sleep(0.05)

    # --- files

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, document, *names):
        with open(self.path(*names), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            json.dump(document, f)

    def secret(self, user):
        with open(self.path("secrets", f"{user}.password"), encoding="ascii") as file:
            return file.read().strip()

    def configure(self):
        subprocess.run([self.tools["flotilla"], "--dir", self.dir, "broker", "config"], check=True,
                       stdout=subprocess.DEVNULL)
        with open(self.path("fleet.json"), encoding="ascii") as file:
            self.fleet = json.load(file)
        broker = self.fleet["ports"]["mqtt"]
        venue, self.control_port, *ports = free_ports(3 + 2 * len(self.nodes))
        wires = {f"{name}-broker": (port, broker) for name, port in zip((*self.nodes, "controller"), ports)}
        wires.update({f"{name}-venue": (port, venue)
                      for name, port in zip(self.nodes, ports[len(self.nodes) + 1:])})
        for name in self.nodes:
            self.daemon(name, wires[f"{name}-broker"][0], wires[f"{name}-venue"][0], node=name)
        self.daemon("controller", wires["controller-broker"][0], venue)
        self.links = Links(self.tools["link"], self.path("chaos", "sent.log"), wires)
        self.write([{"key": self.sim_key, "secret": self.sim_key,
                     "balances": {"USDT": "1000000", "BTC": "10", "ETH": "100"}}], "secrets", "sim.json")
        self.write({"key": self.sim_key, "secret": self.sim_key}, "secrets", "key.json")
        os.makedirs(self.path("run"), exist_ok=True)
        config = self.path("{}", "{}.json")
        for name, argv in (
                ("broker", [shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin"), "-c",
                            self.path("broker", "mosquitto.conf")]),
                ("sim", self.sim_argv(venue)),
                ("controller", [self.tools["controller"], "--config",
                                config.format("controller", "controller")]),
                *((name, [self.tools["node"], "--config", config.format(name, name)]) for name in self.nodes)):
            self.processes[name] = Process(self, name, argv)

    def daemon(self, name, broker, venue, **more):
        self.write({"tenant": "main", "fleet": self.fleet["fleet"], "dir": self.path(name), **more,
                    "mqtt": {"url": f"mqtt://127.0.0.1:{broker}", "username": name,
                             "library": self.library,
                             "password_file": self.path("secrets", f"{name}.password")},
                    "venues": {"binance": {"rest_url": f"http://127.0.0.1:{venue}",
                                           "stream_url": f"ws://127.0.0.1:{venue}",
                                           "ws_api_url": f"ws://127.0.0.1:{venue}/ws-api/v3"}},
                    **self.config.get("node" if name in self.nodes else name, {})},
                   name, f"{name}.json")

    def sim_argv(self, port):
        return [self.tools["sim"], "--listen", f"127.0.0.1:{port}", "--control",
                f"127.0.0.1:{self.control_port}", "--db", self.path("sim", "sim.db"),
                "--accounts", self.path("secrets", "sim.json"), "--seed", str(self.seed % 100000 + 1),
                "--limit-orders-10s", "20000", "--limit-weight", "600000", "--history", "60",
                "--market", f"BTC-USDT=random:price=60000,vol=3,rate=8,seed={self.seed % 1000 + 1}",
                "--market", f"ETH-USDT=random:price=1800,vol=4,rate=8,seed={self.seed % 1000 + 2}"]

    # --- start and end

    def up(self, bots):
        self.configure()
        self.begin()
        self.until("both nodes are up", self.nodes_down, 20)
        self.until("instruments are loaded", lambda: self.why_not("instrument-ls", "binance"), 20)
        self.ask("apply", {"bots": bots, "start": True})
        self.until("all bots run", lambda: self.bots_not(("running",)), 40)
        return self

    def begin(self):
        """Everything runs, and the account is there."""
        for name in ("broker", "sim", "controller"):
            self.processes[name].start()
        self.until("the broker answers", self.no_client, 20)
        self.until("the controller answers", lambda: self.why_not("status"), 20)
        for name in self.nodes:
            if not os.path.exists(self.path("secrets", f"{name}.password")):
                login = json.loads(self.run_cli("-o", "json", "broker", "login", name))
                with open(self.path("secrets", f"{name}.password"), "w", encoding="ascii") as file:
                    file.write(login["password"])
            self.processes[name].start()
        self.run_cli("account", "add", "demo", "--venue", "binance", "--sandbox", "--key-file",
                     self.path("secrets", "key.json"))

    def nodes_down(self):
        rows = self.try_ask("node-ls", {})
        if rows is None:
            return "no answer"
        down = [row["node"] for row in rows["items"] if row["state"] != "up"]
        return f"down: {down}" if down or len(rows["items"]) < len(self.nodes) else None

    def run_cli(self, *words):
        env = dict(os.environ)
        if self.tools["inject"]:
            env.update(CHAOS_CONTROL=self.processes["controller"].control_path,
                       LD_PRELOAD=self.tools["inject"])
        done = subprocess.run([self.tools["flotilla"], "--dir", self.dir, "--timeout", "60s", *words],
                              capture_output=True, text=True, timeout=120, check=False, env=env)
        if done.returncode:
            raise AssertionError(f"flotilla {words}: {done.stderr}")
        return done.stdout

    def down(self):
        """A clean end: what each process said by its exit status."""
        codes = {}
        for name in (*self.nodes, "controller", "sim", "broker"):
            if name in self.processes:
                codes[name] = self.processes[name].end()
        return {name: code for name, code in codes.items() if code != 0}

    def close(self, keep=False):
        for process in self.processes.values():
            process.wanted = False
            process.kill()
        if self.client:
            self.client.close()
        if self.links:
            self.links.close()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    # --- asking

    def no_client(self):
        if self.client:
            return None
        try:
            self.client = mqtt5.Client(self.path("broker", "mosquitto.sock"), "admin", self.secret("admin"))
            if self.client.subscribe("flt/v1/main/u/admin/res/#") > 2:
                raise AssertionError("the broker refuses admin's answers")
            return None
        except (OSError, mqtt5.Refused) as error:
            self.client = None
            return str(error) or type(error).__name__

    def ask(self, verb, args, seconds=30.0, again=2.0):
        """The answer's result. The same id is sent again until it is answered: at most once executed
        is the controller's promise."""
        now = self.now_ms()
        request = {"v": 1, "id": ulid(now), "ts_ms": now, "src": "user/admin",
                   "expires_ms": now + int(seconds * self.factor * 1000), "args": args}
        text, end = json.dumps(request), time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch()
            try:
                if self.no_client() is None:
                    self.client.publish(f"flt/v1/main/u/admin/req/{verb}", text)
                    answer = self.answer_to(request["id"], min(again, end - time.monotonic()))
                    if answer:
                        if not answer["ok"]:
                            raise AssertionError(f"{verb}: {answer['error']}")
                        return answer["result"]
            except (OSError, IndexError):
                self.client = None
            time.sleep(0.02)
        raise TimeoutError(f"{verb} was not answered in {seconds} s")

    def answer_to(self, name, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch()
            message = self.client.receive(min(0.1, max(end - time.monotonic(), 0.005)))
            if message:
                document = json.loads(message[1])
                if document.get("re") == name:
                    return document
        return None

    def try_ask(self, verb, args):
        try:
            return self.ask(verb, args, 2.0)
        except (AssertionError, TimeoutError):
            return None

    def why_not(self, verb, venue=None):
        answer = self.try_ask(verb, {"venue": venue} if venue else {})
        return "no answer" if answer is None or (venue and not answer["items"]) else None

    def running(self, count):
        status = self.try_ask("status", {})
        if status is None:
            return "no answer"
        return None if status["running"] == count else f"{status['running']} of {count} bots run"

    def bots_not(self, phases):
        rows = self.try_ask("bot-ls", {"limit": 500})
        if rows is None:
            return "no answer"
        bad = [f"{row['bot']} {row.get('phase')} {row.get('reason', '')}" for row in rows["items"]
               if row.get("phase") not in phases]
        return "; ".join(bad[:4]) if bad else None

    def venue(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.control_port}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)
