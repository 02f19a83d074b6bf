"""What breaks when: a plan from the dice, and hands that carry it out."""
import os
import signal

from rig import NODES

ORDER = "/api/v3/order"
NODE_LINKS = [f"{node}-{end}" for node in NODES for end in ("broker", "venue")]
LINKS = [*NODE_LINKS, "controller-broker"]


def kinds(dice):
    """name -> a step: (what to do, its arguments, seconds until it is undone)."""
    node = dice.choice(NODES)
    anyone = dice.choice((*NODES, "controller"))
    return {
        "kill": ("kill", (dice.choice((*NODES, *NODES, "controller", "controller", "broker", "sim")),
                          dice.uniform(0.2, 8)), 0),
        "gone": ("kill", (node, dice.uniform(20, 35)), 0),
        "power": ("power", (dice.choice((*NODES, *NODES, "controller")), dice.uniform(0.5, 5),
                            dice.choice((0, 300000, 700000))), 0),
        "freeze": ("freeze", (dice.choice((*NODES, *NODES, "controller", "broker")),),
                   dice.choice((2, 8, 22))),
        "cut": ("cut", (dice.choice(LINKS), dice.choice(("", "", "up", "down"))), dice.choice((2, 6, 20))),
        "delay": ("delay", (dice.choice(LINKS), dice.randrange(20, 1500)), dice.uniform(3, 15)),
        "reset": ("reset", (dice.choice(LINKS),), 0),
        "empty": ("empty", (dice.uniform(0.2, 3),), 0),
        "disk": ("disk", (anyone,), dice.uniform(2, 8)),
        "sync": ("set", (anyone, "sync_fail_ppm", 300000), dice.uniform(1, 5)),
        "slow": ("set", (anyone, "sync_late_us", dice.randrange(1000, 40000)), dice.uniform(2, 8)),
        "net": ("set", (dice.choice((*NODES, "controller", "broker")),
                        dice.choice(("net_fail_ppm", "net_short_ppm", "connect_fail_ppm")),
                        dice.choice((3000, 100000))), dice.uniform(2, 8)),
        "clock": ("clock", (dice.choice((node, "controller")), dice.choice((-4000, -700, 700, 4000))),
                  dice.uniform(3, 15)),
        "venue": ("venue", (venue_fault(dice),), dice.uniform(2, 8)),
    }


def venue_fault(dice):
    fault = lambda kind, path=None, **params: {
        "kind": kind, "params": params, "match": {"path": path} if path else {}, "count": dice.randrange(1, 8)}
    return dice.choice((
        fault("accept_then_timeout", ORDER), fault("accept_then_timeout", ORDER, status=504),
        fault("accept_then_timeout", ORDER, hang=True, ms=8000),
        fault("http_status", ORDER, status=503, code=-1008), fault("http_status", None, status=429, ms=2000),
        fault("latency", None, ms=dice.randrange(200, 3000)), fault("drop_events", None, streams="user"),
        fault("repeat_events", None, streams="all"), fault("reject", ORDER, code=-2010),
        fault("disconnect_streams", None, streams=dice.choice(("user", "market", "all"))),
        dict(fault("skew_clock", None, ms=dice.choice((-3000, 3000))), count=-1)))


def make(dice, seconds, only=""):
    """[(at, name, what, args, until)] in order of time; about one trouble in four seconds."""
    wanted, steps = [name for name in only.split(",") if name], []
    for _ in range(max(1, int(seconds / 4))):
        at, table = dice.uniform(0, seconds * 0.85), kinds(dice)
        name = dice.choice(sorted(table) if not wanted else wanted)
        what, args, length = table[name]
        steps.append((at, name, what, args, min(at + length, seconds)))
    return sorted(steps, key=lambda step: step[0])


class Hands:
    def __init__(self, rig):
        self.rig = rig

    def kill(self, name, down):
        self.rig.processes[name].kill(down / self.rig.factor)

    def power(self, name, down, keep):
        process = self.rig.processes[name]
        process.control["keep_ppm"] = keep
        process.power_loss(down / self.rig.factor)

    def freeze(self, name):
        self.rig.processes[name].freeze(True)

    def unfreeze(self, name):
        self.rig.processes[name].freeze(False)

    def cut(self, link, way):
        self.rig.links.order("drop", link, *([way] if way else []))

    def uncut(self, link, _way):
        self.rig.links.order("open", link)

    def delay(self, link, ms):
        self.rig.links.order("delay", link, max(1, int(ms / self.rig.factor)))

    def undelay(self, link, _ms):
        self.rig.links.order("delay", link, 0)

    def reset(self, link):
        self.rig.links.order("reset", link)

    def empty(self, down):
        """The broker is replaced by one that knows the logins and nothing else."""
        self.rig.processes["broker"].kill(down / self.rig.factor)
        stored = self.rig.path("broker", "mosquitto.db")
        if os.path.exists(stored):
            os.unlink(stored)

    def disk(self, name):
        self.rig.processes[name].control["disk_full"] = 1

    def undisk(self, name):
        self.rig.processes[name].control["disk_full"] = 0

    def set(self, name, field, value):
        self.rig.processes[name].control[field] = value

    def unset(self, name, field, _value):
        self.rig.processes[name].control[field] = 0

    def clock(self, name, ms):
        self.rig.processes[name].control["step_ns"] = ms * 1000000

    def unclock(self, name, _ms):
        self.rig.processes[name].control["step_ns"] = 0

    def venue(self, fault):
        try:
            self.rig.venue("POST", "/fault", fault)
        except OSError:
            pass  # it is down just now, which is trouble enough

    def unvenue(self, _fault):
        try:
            self.rig.venue("DELETE", "/fault")
        except OSError:
            pass

    def heal(self):
        for process in self.rig.processes.values():
            process.again_at = 0.0
            if process.frozen:
                process.signal(signal.SIGCONT)
                process.frozen = False
            for field in ("disk_full", "sync_fail_ppm", "sync_late_us", "net_fail_ppm", "net_short_ppm",
                          "net_late_us", "connect_fail_ppm", "connect_late_us", "step_ns"):
                process.control[field] = 0
        self.rig.links.heal()
        self.unvenue(None)


def play(rig, steps, seconds, log):
    """Does each step at its time and undoes it at its own; then everything is healed."""
    hands, now = Hands(rig), 0.0
    events = [(at, 0, name, what, args) for at, name, what, args, _ in steps]
    events += [(until, 1, name, "un" + what, args) for _, name, what, args, until in steps
               if hasattr(hands, "un" + what)]
    for at, _, name, what, args in sorted(events, key=lambda event: event[:2]):
        rig.wait(max(0.0, at - now))
        now = max(now, at)
        log.write(f"{at:6.1f} {name}: {what} {args}\n")
        log.flush()
        getattr(hands, what)(*args)
    rig.wait(max(0.0, seconds - now))
    hands.heal()
    rig.watch()
