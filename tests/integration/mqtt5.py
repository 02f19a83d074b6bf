"""A small MQTT 5 client for tests, blocking, so that a test says exactly what was answered."""
import os
import socket
import struct
import time

NOT_AUTHORISED = 135
PATIENCE_S = 60  # a slow machine is no failure


def _text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _varint(value):
    out = b""
    while True:
        byte, value = value % 128, value // 128
        out += bytes([byte | (128 if value else 0)])
        if not value:
            return out


def _response_topic(properties):
    """The response topic (8) among a PUBLISH's properties; None: there is none."""
    at = 0
    while at < len(properties):
        kind = properties[at]
        at += 1
        if kind in (8, 9):
            size = struct.unpack(">H", properties[at:at + 2])[0]
            if kind == 8:
                return properties[at + 2:at + 2 + size].decode()
            at += 2 + size
        else:
            at += {1: 1, 2: 4, 35: 2}[kind]
    return None


class Refused(Exception):
    """The broker's CONNACK, with its reason code."""


class Client:
    def __init__(self, address, username=None, password=None, timeout=PATIENCE_S):
        """`address` is a port on 127.0.0.1 or the path of a Unix socket."""
        if isinstance(address, int):
            self.sock = socket.create_connection(("127.0.0.1", address), timeout)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(address)
        self.timeout = timeout
        self.data = b""
        self.next_id = 1
        self.messages = []
        self.response_topic = None  # of the newest message that was read
        flags = 2 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
        body = _text("MQTT") + bytes([5, flags]) + struct.pack(">H", 60) + b"\0"
        body += _text("test-" + os.urandom(8).hex())
        body += _text(username) if username is not None else b""
        body += _text(password) if password is not None else b""
        self._send(0x10, body)
        kind, body = self._read()
        if kind != 0x20 or body[1] != 0:
            raise Refused(body[1] if kind == 0x20 else kind)

    def _send(self, kind, body):
        self.sock.sendall(bytes([kind]) + _varint(len(body)) + body)

    def _more(self):
        more = self.sock.recv(65536)
        if not more:
            raise ConnectionError("the broker closed the connection")
        self.data += more

    def _whole(self):
        """(kind, where its body begins, where it ends) of the packet that `data` begins with; None: a part."""
        length, shift = 0, 0
        for at in range(1, len(self.data)):
            length |= (self.data[at] & 127) << shift
            shift += 7
            if self.data[at] < 128:
                end = at + 1 + length
                return (self.data[0], at + 1, end) if len(self.data) >= end else None
        return None

    def _read(self):
        """The next packet. Nothing of it is taken before it is whole, so a time-out in it loses nothing."""
        while not (found := self._whole()):
            self._more()
        kind, begin, end = found
        body, self.data = self.data[begin:end], self.data[end:]
        return kind, body

    def _keep(self, kind, body):
        size = struct.unpack(">H", body[:2])[0]
        topic, at = body[2:2 + size].decode(), 2 + size
        if kind & 6:
            self._send(0x40, body[at:at + 2])
            at += 2
        length, shift = 0, 0
        while True:
            byte = body[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        self.response_topic = _response_topic(body[at:at + length])
        self.messages.append((topic, body[at + length:]))

    def _until(self, wanted):
        while True:
            kind, body = self._read()
            if kind & 0xF0 == 0x30:
                self._keep(kind, body)
            elif kind & 0xF0 == wanted:
                return body

    def publish(self, topic, payload=b"", retain=False):
        """With QoS 1; the reason code of the PUBACK, 0 or 16 (nobody listens) when accepted."""
        payload = payload.encode() if isinstance(payload, str) else payload
        body = _text(topic) + struct.pack(">H", self.next_id) + b"\0" + payload
        self.next_id += 1
        self._send(0x32 | (1 if retain else 0), body)
        answer = self._until(0x40)
        return answer[2] if len(answer) > 2 else 0

    def subscribe(self, topic, qos=1):
        """The reason code of the SUBACK: the granted QoS, or 128 and above."""
        self._send(0x82, struct.pack(">H", self.next_id) + b"\0" + _text(topic) + bytes([qos]))
        self.next_id += 1
        return self._until(0x90)[-1]

    def receive(self, timeout=PATIENCE_S):
        """The next message as (topic, payload); None when none comes in time."""
        end = time.monotonic() + timeout
        while not self.messages:
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                kind, body = self._read()
            except (TimeoutError, socket.timeout):
                return None
            finally:
                self.sock.settimeout(self.timeout)
            if kind & 0xF0 == 0x30:
                self._keep(kind, body)
        return self.messages.pop(0)

    def close(self):
        self.sock.close()
