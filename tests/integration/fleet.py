"""A whole fleet for a test: `flotilla up` in a temporary folder on free ports, and hands on it."""
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time


# Deadlines are for what never comes: a slow machine is no failure, so none is shorter than this.
PATIENCE_S = 90


_ours = []  # sockets in the abstract namespace, held until this process ends


# Neither what outgoing connections get, nor what `flotilla up` chooses for its daemons (from 10000), nor one of
# those that browsers refuse (up to 6697, and 10080).
PORTS = range(7000, 10000)


def free_port():
    """A port that nobody has; no test beside this one is given the same while this process lives."""
    while True:
        port = PORTS[secrets.randbelow(len(PORTS))]
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0flotilla-test-port-{port}")
        except OSError:
            mark.close()
            continue
        _ours.append(mark)  # a port that somebody else has is tried no more
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def wait_for(what, condition, seconds=PATIENCE_S, every=0.1):
    """Polls until `condition()` is true and returns its value; the failure names `what`. A controller or
    broker that is just away (it was killed, it starts) is waited for too."""
    seconds = max(seconds, PATIENCE_S)
    end, why = time.monotonic() + seconds, ""
    while True:
        try:
            value = condition()
            if value:
                return value
            why = ""
        except CliError as error:
            if error.error.get("code") not in ("unavailable", "unknown"):
                raise
            why = f" ({error})"
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}{why}")
        time.sleep(every)


class CliError(Exception):
    def __init__(self, code, error):
        super().__init__(f"exit {code}: {error}")
        self.code, self.error = code, error


class Fleet:
    def __init__(self, flotilla, demo=True):
        self.flotilla, self.demo = flotilla, demo
        self.dir = tempfile.mkdtemp(prefix="flotilla-test-")
        self.port = free_port()
        self.process = self.ready = self.password = None
        self.extra = []  # more words for `up`

    def up(self, seconds=180):
        command = [self.flotilla, "up", "--dir", self.dir, "--port", str(self.port)]
        if self.demo:
            command.append("--demo")
        command += self.extra
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        self.ready = self.process.stdout.readline().strip()
        timer.cancel()
        if not self.ready.startswith("ready "):
            self.process.kill()
            raise AssertionError(f"no ready line but {self.ready!r}: "
                                 f"{self.process.stderr.read()[-2000:]}\n{self.logs()}")
        found = re.search(r"password=(\S+)", self.ready)
        if found:
            self.password = found[1]
        # What it says later must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def down(self, seconds=PATIENCE_S):
        """SIGTERM to `up`; its exit status."""
        if not self.process:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.process = None
        return code

    def close(self):
        try:
            self.down()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def pids(self):
        run, found = os.path.join(self.dir, "run"), {}
        for name in os.listdir(run):
            if not name.endswith(".pid"):
                continue
            try:
                with open(os.path.join(run, name), encoding="ascii") as file:
                    words = file.read().split()
            except FileNotFoundError:
                continue  # it ended since the folder was read
            if words and words[0].isdigit():
                found[name[:-4]] = int(words[0])
        return found

    @contextlib.contextmanager
    def killed(self, name):
        """kill -9; it is started again only after what the body does."""
        up, pid = self.pids()["up"], self.pids()[name]
        os.kill(up, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            yield
        finally:
            os.kill(up, signal.SIGCONT)
        wait_for(f"{name} is started again", lambda: self.pids().get(name, pid) != pid and alive(self.pids()[name]))

    def reconciled(self):
        """Fills take a moment from the venue to the books; then both are the same."""
        return self.run("doctor", "--reconcile").returncode == 0

    def logs(self, lines=8):
        folder, rows = os.path.join(self.dir, "log"), []
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                rows += [f"{name}: {row.rstrip()}" for row in file.readlines()[-lines:]]
        return "\n".join(rows)

    def run(self, *words, timeout=2 * PATIENCE_S, text=None):
        """A command; unless it says otherwise, it is as patient as the test."""
        return subprocess.run([self.flotilla, "--dir", self.dir, *words], capture_output=True,
                              text=True, timeout=timeout, input=text, check=False,
                              env={"FLOTILLA_TIMEOUT": "30s", **os.environ})

    def cli(self, *words, **options):
        """The command's JSON document; CliError with the error object otherwise."""
        done = self.run("-o", "json", *words, **options)
        if done.returncode:
            try:
                error = json.loads(done.stderr.strip().splitlines()[-1])["error"]
            except (ValueError, LookupError):
                error = {"code": "?", "message": done.stderr + done.stdout}
            raise CliError(done.returncode, error)
        return json.loads(done.stdout)

    def secret(self, user):
        with open(os.path.join(self.dir, "secrets", f"{user}.password"), encoding="ascii") as file:
            return file.read().strip()


def catches(pid, signum):
    """Whether the process has a handler of its own for that signal, as the kernel says."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        mask = next(line.split()[1] for line in file if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (signum - 1) & 1)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
