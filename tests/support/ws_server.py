#!/usr/bin/env python3
"""A WebSocket server for tests (RFC 6455, standard library only). Prints "port N", serves until stdin closes.

The path says how it behaves: /echo, /fragments (each message comes back in pieces with a ping between),
/drop (hangs up after the first message without a word), /close (says 4001 "maintenance" after it),
/deaf (answers no ping), /deny (refuses the upgrade), /slam (hangs up before it), /reset (resets the connection
before it), /after-reset (greets when such a one was reset), /huge (sends 256 KiB at once). It greets each
connection with "hello N H": its number on this path and the X-Test header.
"""
import base64
import hashlib
import socket
import ssl
import struct
import sys
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
RESET = struct.pack("ii", 1, 0)  # linger no time at all
seen = {}
was_reset = threading.Event()


def frame(opcode, data, fin=True):
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    if len(data) < 65536:
        return head + struct.pack("!BH", 126, len(data)) + data
    return head + struct.pack("!BQ", 127, len(data)) + data


def read_frame(file):
    head = file.read(2)
    if len(head) < 2:
        return None, b""
    size = head[1] & 127
    if size == 126:
        size = struct.unpack("!H", file.read(2))[0]
    elif size == 127:
        size = struct.unpack("!Q", file.read(8))[0]
    mask = file.read(4)
    data = file.read(size)
    return head[0] & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def handshake(file, conn):
    path = file.readline().split()[1].decode()
    headers = {}
    while (line := file.readline().strip()):
        name, value = line.split(b":", 1)
        headers[name.lower()] = value.strip()
    if path.startswith("/slam"):
        return None, None
    if path.startswith("/reset"):
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return path, None
    if path.startswith("/deny"):
        conn.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return None, None
    key = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + GUID).digest())
    conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n")
    return path, headers


def reply(conn, path, data):
    """False: this was the last one."""
    if path == "/fragments":
        third = max(1, len(data) // 3)
        conn.sendall(frame(1, data[:third], False) + frame(9, b"are you there") +
                     frame(0, data[third:2 * third], False) + frame(0, data[2 * third:]))
    elif path == "/drop":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False
    elif path == "/close":
        conn.sendall(frame(8, struct.pack("!H", 4001) + b"maintenance"))
        return False
    elif path == "/huge":
        conn.sendall(frame(1, b"x" * 262144))
    else:
        conn.sendall(frame(1, data))
    return True


def serve(conn):
    with conn, conn.makefile("rb") as file:
        path, headers = handshake(file, conn)
        if headers is None:
            return path
        if path == "/after-reset":
            was_reset.wait()
        seen[path] = seen.get(path, 0) + 1
        conn.sendall(frame(1, b"hello %d %s" % (seen[path], headers.get(b"x-test", b"-"))))
        while True:
            opcode, data = read_frame(file)
            if opcode is None:
                return path
            if opcode == 8:
                conn.sendall(frame(8, data))
                return path
            if opcode == 9 and path != "/deaf":
                conn.sendall(frame(10, data))
            if opcode == 10 and path == "/fragments":
                conn.sendall(frame(1, b"pong " + data))
            if opcode in (1, 2) and not reply(conn, path, data):
                return path


def run(conn, tls):
    try:
        if serve(tls.wrap_socket(conn, server_side=True) if tls else conn) == "/reset":
            was_reset.set()
    except (OSError, ValueError, KeyError, IndexError):
        pass


def main():
    tls = None
    if len(sys.argv) > 1:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[1], sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=run, args=(conn, tls), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("port", listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
