"""A venue small enough to misbehave on demand: Binance's REST and streams on one loopback port.

Not an exchange: replies are scripted by the test through `Fake.rest`, a function from (method, path,
parameters) to (status, headers, JSON or text), or to None for a connection that is cut.
"""
import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, "fixtures", "binance", "instruments.json"), encoding="utf-8") as file:
    EXCHANGE_INFO = next(iter(json.load(file)["raw"].values()))


class Fake:
    def __init__(self, rest=None, secret="secret", clock_skew_ms=0, away=False):
        self.script = rest or (lambda method, path, params: None)
        self.secret = secret
        self.skew_ms = clock_skew_ms
        self.requests = []  # (method, path, params, monotonic time)
        self.subscribed = []  # (channel, socket)
        self.messages = []  # (monotonic time, JSON) from clients' sockets
        self.users = []
        self.lock = threading.Condition()
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))  # whoever connects before listen() is refused
        self.port = self.server.getsockname()[1]
        self.open = False
        if not away:
            self.come()

    def come(self):
        self.server.listen(100)
        self.open = True
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.open = False
        self.server.shutdown(socket.SHUT_RDWR)  # wakes accept(), which else keeps the port
        self.server.close()

    def accept(self):
        while self.open:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def now_ms(self):
        return int(time.time() * 1000) + self.skew_ms

    def serve(self, peer):
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = peer.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
                if "sec-websocket-key" in headers:
                    self.websocket(peer, lines[0].split()[1], headers, data)
                    return
                size = int(headers.get("content-length", 0))
                while len(data) < size:
                    data += peer.recv(65536)
                body, data = data[:size], data[size:]
                if not self.answer(peer, lines[0].split(), headers, body.decode()):
                    return
        except OSError:
            pass
        finally:
            peer.close()

    def answer(self, peer, words, headers, body):
        path, _, query = words[1].partition("?")
        text = body or query
        params = dict(urllib.parse.parse_qsl(text))
        with self.lock:
            self.requests.append((words[0], path, params, time.monotonic()))
            self.lock.notify_all()
        if path == "/api/v3/time":
            reply = (200, {}, {"serverTime": self.now_ms()})
        elif path == "/api/v3/exchangeInfo":
            reply = (200, {}, EXCHANGE_INFO)
        else:
            reply = self.check(params, text) or self.script(words[0], path, params)
        if reply is None:
            return False  # cut
        status, more, content = reply
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Content-Type: application/json",
                 *(f"{k}: {v}" for k, v in more.items())]
        peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        return True

    def check(self, params, text):
        """As the venue: signature, then the clock."""
        if "signature" not in params:
            return None
        message = text.rpartition("&signature=")[0]
        if hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest() != params["signature"]:
            return 400, {}, {"code": -1022, "msg": "Signature for this request is not valid."}
        age = self.now_ms() - int(params["timestamp"])
        if age > int(params["recvWindow"]) or age <= -1000:
            return 400, {}, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
        return None

    # --- streams ---

    def websocket(self, peer, path, headers, data):
        digest = hashlib.sha1((headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        peer.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n").encode())
        while True:
            while (frame := self.take_frame(data)) is None:
                more = peer.recv(65536)
                if not more:
                    return
                data += more
            opcode, payload, data = frame
            if opcode == 8:
                return
            if opcode == 9:
                self.send_frame(peer, 10, payload)
            elif opcode == 1:
                self.on_message(peer, json.loads(payload))

    @staticmethod
    def take_frame(data):
        if len(data) < 6:
            return None
        size, at = data[1] & 127, 2
        if size == 126:
            size, at = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127:
            size, at = struct.unpack("!Q", data[2:10])[0], 10
        if len(data) < at + 4 + size:
            return None
        mask, body = data[at:at + 4], data[at + 4:at + 4 + size]
        return data[0] & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(body)), data[at + 4 + size:]

    @staticmethod
    def send_frame(peer, opcode, payload):
        size = len(payload)
        head = bytes([0x80 | opcode, size]) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 126, size)
        peer.sendall(head + payload)

    def on_message(self, peer, message):
        with self.lock:
            self.messages.append((time.monotonic(), message))
            if message["method"] == "SUBSCRIBE":
                self.subscribed += [(name, peer) for name in message["params"]]
                reply = {"result": None, "id": message["id"]}
            elif message["method"] == "UNSUBSCRIBE":
                self.subscribed = [s for s in self.subscribed if s[0] not in message["params"] or s[1] is not peer]
                reply = {"result": None, "id": message["id"]}
            else:
                params = dict(message["params"])
                signature = params.pop("signature")
                text = "&".join(f"{k}={params[k]}" for k in sorted(params))
                good = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest() == signature
                reply = {"id": message["id"], "status": 200, "result": {"subscriptionId": 0}} if good else {
                    "id": message["id"], "status": 400, "error": {"code": -1022, "msg": "Signature is not valid."}}
                if good:
                    self.users.append(peer)
            self.lock.notify_all()
        self.send_frame(peer, 1, json.dumps(reply).encode())

    def push(self, channel, payload):
        for name, peer in list(self.subscribed):
            if name != channel:
                continue
            try:
                self.send_frame(peer, 1, json.dumps(payload).encode())
            except OSError:  # the client has left that connection
                self.subscribed = [s for s in self.subscribed if s[1] is not peer]

    def push_user(self, event):
        self.send_frame(self.users[-1], 1, json.dumps({"subscriptionId": 0, "event": event}).encode())

    def drop_streams(self):
        for peer in {id(p): p for _, p in self.subscribed}.values():
            peer.shutdown(socket.SHUT_RDWR)
        self.subscribed = []

    def wait(self, condition, seconds=60):
        with self.lock:
            if not self.lock.wait_for(condition, seconds):
                raise AssertionError("the venue did not see what it waited for")

    def count(self, path, method=None):
        return sum(1 for m, p, _, _ in self.requests if p == path and method in (None, m))
