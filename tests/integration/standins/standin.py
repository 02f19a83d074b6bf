#!/usr/bin/env python3
"""A stand-in for a daemon in tests of `flotilla up`: it only shows that it is ready, as the real one
does. Its name says which: flotilla-sim, flotilla-controller, flotilla-node, flotilla-dashboard."""
import http.server
import json
import os
import signal
import socket
import sys
import threading

import mqtt5

NAME = os.path.basename(sys.argv[0])
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def serve(port):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def connect(config):
    with open(config["mqtt"]["password_file"], encoding="ascii") as file:
        password = file.read().strip()
    return mqtt5.Client(config["mqtt"]["url"][5:], config["mqtt"]["username"], password)


def controller(config):
    loading = 3  # its venue's instruments come a moment after it answers
    root = f"flt/v1/{config['tenant']}/"
    client = connect(config)
    client.subscribe(root + "u/+/req/#")
    while True:
        message = client.receive(3600)
        request = json.loads(message[1])
        user, verb = message[0][len(root):].split("/")[1::2]
        result = {"items": []} if verb.endswith("-ls") else {"fills": 1, "box_key": "ab" * 32}
        answer = {"v": 1, "id": "x", "ts_ms": 1, "src": "controller", "re": request["id"], "verb": verb,
                  "ok": True, "result": result}
        if verb == "apply" and loading:
            loading -= 1
            answer.update(ok=False, error={"code": "unavailable", "hint": "try again in a moment", "field": "",
                                           "message": "the instruments of binance are not loaded yet"})
        elif verb == "apply":
            with open(os.path.join(config["dir"], "applied"), "a", encoding="ascii") as file:
                file.write(f"{len(request['args']['bots'])}\n")
        if verb == "pnl":
            answer.update(ok=False, error={"code": "denied", "message": "not for you", "hint": "ask", "field": "by"})
        client.publish(client.response_topic or f"{root}u/{user}/res/{request['id']}", json.dumps(answer))


def node(config):
    client = connect(config)
    stop = threading.Event()
    while not stop.wait(0.1):
        client.publish(f"flt/v1/{config['tenant']}/n/{config['node']}/hb", "{}")


def main():
    if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), NAME + ".broken")):
        print("ts=now lvl=error mod=standin ev=failed why=\"broken on purpose\"", file=sys.stderr)
        sys.exit(3)
    if NAME == "flotilla-sim":
        serve(int(sys.argv[sys.argv.index("--listen") + 1].split(":")[1]))
    with open(sys.argv[sys.argv.index("--config") + 1], encoding="utf-8") as file:
        config = json.load(file)
    if NAME == "flotilla-dashboard":
        serve(int(config["listen"].split(":")[1]))
    (controller if NAME == "flotilla-controller" else node)(config)


try:
    main()
except (ConnectionError, socket.error):
    sys.exit(1)
