#!/usr/bin/env python3
"""flotilla top in a pseudo-terminal: every size, every view, few bytes when little changes, and a terminal
that is as before on every way out."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata
import unittest

import tap
from fleet import Fleet, wait_for

FLOTILLA = sys.argv.pop(1)
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"


class Screen:
    """What a terminal shows: cursor moves, clearing and text; anything else is kept in `odd`."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.row = self.column = 0
        self.rest, self.odd, self.outside = "", [], []
        self.stale = False  # after a resize: what was on its way is of the old size, until it is cleared
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.width for _ in range(self.height)]

    def feed(self, text):
        text, at = self.rest + text, 0
        self.rest = ""
        while at < len(text):
            if text[at] != "\033":
                self.put(text[at])
                at += 1
                continue
            found = re.match(r"\033\[([?0-9;]*)([A-Za-z])", text[at:])
            if not found:
                if len(text) - at < 16:
                    self.rest = text[at:]
                    return
                self.odd.append(text[at:at + 8])
                at += 1
                continue
            at += found.end()
            if found[2] == "H":
                numbers = [int(part or 1) for part in (found[1] or "1;1").split(";")]
                self.row, self.column = numbers[0] - 1, numbers[1] - 1
            elif found[2] == "J":
                self.stale = False
                self.clear()
            elif found[2] not in "mhl":
                self.odd.append(found[0])

    def put(self, char):
        if ord(char) < 32:
            self.odd.append(char)
            return
        if self.stale:
            return
        wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if self.row >= self.height or self.column + wide > self.width:
            self.outside.append((self.row, self.column, char))
        else:
            self.cells[self.row][self.column] = char
        self.column += wide

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Top:
    def __init__(self, fleet, width, height, *words):
        self.screen = Screen(width, height)
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.environ.pop("NO_COLOR", None)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.execv(FLOTILLA, [FLOTILLA, "--dir", fleet.dir, "top", *words])
        self.before = termios.tcgetattr(self.fd)

    def read(self, seconds):
        """Bytes that came within `seconds`; what is there already is read, however late it is."""
        end, count = time.monotonic() + seconds, 0
        while True:
            left = end - time.monotonic()
            if not select.select([self.fd], [], [], max(left, 0))[0] or (left <= 0 and count):
                return count
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return count
            if not data:
                return count
            count += len(data)
            self.raw += data
            self.screen.feed(data.decode("utf-8", "replace"))

    def until(self, *patterns, seconds=90):
        """All of them at once; what is read may be a part of a picture."""
        end = time.monotonic() + seconds
        while missing := [each for each in patterns if not re.search(each, self.screen.text(), re.M)]:
            if time.monotonic() > end:
                raise AssertionError(f"no {missing} on:\n{self.screen.text()}")
            self.read(0.05)

    def drain(self):
        """All that it wrote before it ended."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # EIO: nobody has the other end, and nothing is left
                return
            if not data:
                return
            self.raw += data
            self.screen.feed(data.decode("utf-8", "replace"))

    def idle(self):
        """Until it has read every key, and sleeps: what it draws for them is on its way here."""
        with open(f"/proc/{self.pid}/fd/0", "rb", buffering=0) as other:
            def unread():
                return struct.unpack("i", fcntl.ioctl(other, termios.FIONREAD, b"\0" * 4))[0]
            wait_for("its keys are read and drawn", lambda: not unread() and state_of(self.pid) == "S"
                     and not self.read(0.02), every=0)

    def key(self, keys, pattern=None):
        os.write(self.fd, keys.encode())
        if pattern:
            self.until(pattern)

    def resize(self, width, height):
        self.screen = Screen(width, height)
        self.screen.stale = True
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def end(self, signum=None, keys=None):
        if signum:
            os.kill(self.pid, signum)
        if keys:
            os.write(self.fd, keys.encode())
        wait = time.monotonic() + 90
        while True:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.drain()
                break
            if time.monotonic() > wait:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError("top does not end")
        self.after = termios.tcgetattr(self.fd)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class TopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA)
        cls.addClassCleanup(cls.fleet.close)
        cls.fleet.up()
        wait_for("all bots run", lambda: all(
            row.get("phase") == "running" for row in cls.fleet.cli("bot", "ls")["items"]), 40)

    def restored(self, top, before_codes=True):
        raw = top.raw.decode("utf-8", "replace")
        if before_codes:
            self.assertIn(ENTER, raw)
            self.assertGreater(raw.rfind(LEAVE), raw.rfind(ENTER))
            self.assertGreater(raw.rfind("\033[?25h"), raw.rfind("\033[?25l"))  # the cursor is back
        self.assertEqual(top.after[3], top.before[3])  # echo, lines, signals

    def test_the_whole_fleet_is_drawn_and_nothing_outside(self):
        top = Top(self.fleet, 140, 30)
        top.until("24 of 24", "nodes 2/2", "BOT", "btc-grid-1", "eth-sma-2", "● running", "read-only")
        self.assertEqual(top.end(keys="q"), 0)
        self.assertEqual((top.screen.odd, top.screen.outside), ([], []))
        self.restored(top)

    def test_no_line_is_longer_than_any_terminal(self):
        top = Top(self.fleet, 100, 24)
        top.until("BOT")
        for width, height in ((200, 60), (80, 24), (60, 12), (40, 8), (20, 5), (10, 3), (5, 2), (1, 1), (80, 1), (3, 40)):
            top.resize(width, height)
            wait_for("a new picture", lambda: top.read(0.02) is not None and not top.screen.stale)
            for keys in ("", "n", "\r", "q", "\r", "?", "x", "q", "/", "g", "\033", "b"):
                if keys:
                    top.key(keys)
                top.read(0.04)
            top.idle()
            self.assertEqual((top.screen.odd, top.screen.outside), ([], []), (width, height))
        top.resize(120, 30)
        top.until("nodes 2/2")
        self.assertEqual(top.end(signal.SIGTERM), 0)
        self.restored(top)

    def test_little_is_sent_when_little_changes_and_at_most_4_frames_a_second(self):
        top = Top(self.fleet, 120, 30)
        top.until("24 of 24")
        top.key(" ", "PAUSED")
        top.read(0.3)
        idle = top.read(2)
        self.assertLess(idle, 600, "a paused display changes only in its ages")
        top.key(" ")
        full = 120 * 30
        began = time.monotonic()
        moving = top.read(3)
        self.assertLess(moving / (time.monotonic() - began) / 4, full / 2, "half a screen a frame is no difference")
        top.end(keys="q")

    def test_sort_filter_drill_and_back(self):
        top = Top(self.fleet, 140, 40)
        top.until("24 of 24")
        top.key("/grid node=node-1\r", r"(?<!\d)4 of 24")
        self.assertNotIn("btc-dca-1", top.screen.text())
        top.key("/\x15x=1", "bots have no field x")
        top.key("\033", r"(?<!\d)4 of 24")
        top.key("ssssss", "EQUITY▼")
        top.key("r", "EQUITY▲")

        def ascending():
            top.read(0.05)  # the picture may be read in part, and the rows change
            found = [re.search(r"[+-]\d+\.\d\d", line) for line in top.screen.text().splitlines() if "grid-" in line]
            values = [float(each[0]) for each in found if each]
            return len(values) == 4 and values == sorted(values)
        wait_for("four rows by their equity", ascending)
        top.key("\r", "^price .*\\.\\.")
        top.until("equity .*\\.\\.", "[\u2801-\u28ff]{3}", "open orders:")  # the second: a line in braille
        top.key("q", r"(?<!\d)4 of 24")
        top.key("n", "RUNNING +CPU")
        top.until("node-[12].*up")  # a node is listed when its first heartbeat is heard
        top.key("\r", "node-[12].*of 24")
        top.key("?", "any key goes back")
        top.key("x")
        self.assertEqual(top.end(signal.SIGINT), 0)
        self.restored(top)

    def test_read_only_refuses_to_act_and_write_asks_first(self):
        top = Top(self.fleet, 120, 30, "-l", "eth-rsi-1")
        top.until("1 of 24")
        top.key("P", "read-only: start with")
        top.end(keys="q")
        top = Top(self.fleet, 120, 30, "--write", "-l", "eth-rsi-1")
        top.until("1 of 24")
        top.key("P", r"pause eth-rsi-1\? \[y/N\]")
        top.key("n", "nothing was changed")
        top.key("P", r"\[y/N\]")
        top.key("y", "‖ paused")
        top.key("R", r"resume eth-rsi-1\?")
        top.key("y", "● running")
        self.assertEqual(top.end(keys="\x03"), 0)
        self.restored(top)
        verbs = [row["verb"] for row in self.fleet.cli("audit", "--target", "eth-rsi-1", "--who", "admin")["items"]]
        self.assertEqual(verbs, ["bot-resume", "bot-pause"])

    def test_the_terminal_is_given_back_on_every_way_out(self):
        for signum, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, -signal.SIGHUP),
                               (signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGABRT, -signal.SIGABRT)):
            top = Top(self.fleet, 80, 24)
            top.until("BOT")
            self.assertEqual(top.end(signum), status)
            self.restored(top)

    def test_ctrl_z_gives_it_back_too_and_fg_takes_it_again(self):
        top = Top(self.fleet, 80, 24)
        top.until("BOT")
        top.key("\x1a")
        wait_for("it stopped", lambda: state_of(top.pid) == "T")
        top.read(0.1)
        self.assertTrue(top.raw.decode("utf-8", "replace").endswith(LEAVE))
        self.assertEqual(termios.tcgetattr(top.fd)[3], top.before[3])
        top.screen.clear()
        os.kill(top.pid, signal.SIGCONT)
        top.until("BOT")
        self.assertEqual(top.end(keys="q"), 0)

    def test_a_broker_that_goes_and_comes_is_said(self):
        top = Top(self.fleet, 100, 20)
        top.until("BOT")
        pids = self.fleet.pids()
        os.kill(pids["up"], signal.SIGSTOP)  # or the next broker is there before anybody looks
        try:
            os.kill(pids["broker"], signal.SIGKILL)
            top.until("NO CONNECTION")
        finally:
            os.kill(pids["up"], signal.SIGCONT)
        top.until("read-only")
        self.assertEqual(top.end(keys="q"), 0)
        self.restored(top)


if __name__ == "__main__":
    tap.run(TopTest)
