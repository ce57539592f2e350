#!/usr/bin/env python3
"""An attacker's client of amtd: speaks the mux protocol (docs/mux.md) with nothing of amtd's own code, and asks for everything.

    mux_raw.py HOW calls [TRIES]      every call of the API's table, generated from the table; TRIES: JSON lines {"call", "params"} that are
                                      tried as well, or {"call", "elsewhere": true}. Whatever is not denied, and should be, is told; the last line is the number of denials
    mux_raw.py HOW channels KINDS     opens a channel of each kind (a JSON object {kind: parameters}); one line each: KIND accepted|REASON
    mux_raw.py HOW call NAME PARAMS   the answer's last line
    mux_raw.py HOW noise N            N connections that send what is no protocol, cut off anywhere
    mux_raw.py HOW crowd N            as many of N connections as are let in, until the end of standard input; prints how many
    mux_raw.py HOW hoard N            N requests that do not end, on one connection: how many bytes were taken before one was refused
    mux_raw.py HOW join TOKEN         joins with its key, as whatever the token is for
    mux_raw.py HOW type CONSOLE TEXT  tries to attach so that it could write; then watches, and types all the same

HOW is the path of a UNIX socket, or HOST:PORT,CERTIFICATE,KEY for TLS.
"""
import base64
import hashlib
import hmac
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys

HELLO, OPEN, ACCEPT, REJECT, DATA, WINDOW, CLOSE, SIGNAL, PING, PONG = range(1, 11)
ROOM = 1 << 20


class Mux:
    def __init__(self, how):
        self.sock = dial(how)
        self.sock.settimeout(60)
        self.next = 1
        self.credit = 0  # of the channel that was opened last
        self.buffer = b""
        self.send(HELLO, 0, struct.pack(">H", 1))

    def send(self, kind, channel, payload=b""):
        self.sock.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind]) + struct.pack(">I", channel) + payload)

    def read(self, n):
        while len(self.buffer) < n:
            piece = self.sock.recv(1 << 16)
            if not piece:
                raise EOFError("the connection was closed")
            self.buffer += piece
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def frame(self):
        while True:
            head = self.read(8)
            payload = self.read(int.from_bytes(head[:3], "big"))
            kind, channel = head[3], int.from_bytes(head[4:], "big")
            if kind == PING:
                self.send(PONG, 0, payload)
            elif kind == DATA:
                self.send(WINDOW, channel, struct.pack(">I", len(payload)))
                return kind, channel, payload
            elif kind != HELLO:
                return kind, channel, payload

    def open(self, kind, params=b""):
        """The channel, or None and the reason."""
        channel, name = self.next, kind.encode()
        self.next += 2
        self.send(OPEN, channel, struct.pack(">IB", ROOM, len(name)) + name + params)
        while True:
            what, where, payload = self.frame()
            if where == channel and what == ACCEPT:
                self.credit = int.from_bytes(payload, "big")
                return channel, ""
            if where == channel and what == REJECT:
                return None, payload.decode(errors="replace")

    def lines(self, channel):
        """What comes on the channel, until its end."""
        out = b""
        while True:
            kind, where, payload = self.frame()
            if where == channel and kind == DATA:
                out += payload
            elif where == channel and kind == CLOSE:
                self.send(CLOSE, channel)
                return out.decode(errors="replace").splitlines()

    def call(self, name, params):
        channel, why = self.open("call")
        if channel is None:
            return {"failure": {"cause": why.split(":")[0], "message": why}}
        self.send(DATA, channel, json.dumps({"call": name, "params": params}).encode() + b"\n")
        return json.loads(self.lines(channel)[-1])


def dial(how):
    if "," not in how:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(how)
        return sock
    address, certificate, key = how.split(",")
    host, port = address.rsplit(":", 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    return context.wrap_socket(socket.create_connection((host, int(port))))


# What each parameter may be, so that a call is refused for who makes it and for nothing else.
VALUES = {
    "name": "echo", "target": "all", "hosts": "pc9", "host": "pc0001", "collection": "four", "user": "amtd-wanda", "role": "administer",
    "names": ["echo"], "text": "x", "regex": "x", "action": "force", "task": "power", "to": ["root@localhost"], "subject": "x",
    "addresses": ["127.16.0.1"], "set": {}, "token": "amtd1-x", "log": "event",
}
BY_TYPE = {"string": "echo", "integer": 1, "boolean": False, "array": [], "object": {}}


def params_of(call):
    return {p["name"]: VALUES.get(p["name"], BY_TYPE[p["type"]]) if not isinstance(VALUES.get(p["name"]), list) or p["type"] == "array"
            else 1 for p in call["params"] if p["required"] or p["name"] in ("user", "addresses", "text")}


def calls(mux, tries):
    table = mux.call("api.list", {})["reply"]
    wanted = [(c["call"], params_of(c)) for c in table if c["role"] != "watch"]
    tried = {t["call"] for t in tries}
    denied, wrong = 0, []
    # What a handler decides by itself: each of these needs a try of its own.
    for c in table:
        if c["changes"] and c["role"] == "watch" and c["call"] not in tried:
            wrong.append(f"{c['call']} changes something, and nobody has tried it: add it to the tries")
    for name, params in wanted + [(t["call"], t["params"]) for t in tries if not t.get("elsewhere")]:
        failure = mux.call(name, params).get("failure", {})
        if failure.get("cause") == "denied":
            denied += 1
        else:
            wrong.append(f"{name} {json.dumps(params)} is not denied: {json.dumps(failure) if failure else 'it was done'}")
    for line in wrong:
        print(line)
    print(denied)
    return 1 if wrong or len(wanted) < 40 else 0


def channels(how, kinds):
    for kind, params in kinds.items():
        channel, why = Mux(how).open(kind, params.encode() if isinstance(params, str) else json.dumps(params).encode())
        print(kind, "accepted" if channel else why)
    return 0


def noise(how, count):
    """Frames that are none, half ones, whole ones on channels that are not there; amtd must drop each and live."""
    dice = random.Random(6)
    for i in range(count):
        try:
            mux = Mux(how)
            if i % 4 == 0:
                mux.sock.sendall(dice.randbytes(dice.randrange(1, 3000)))
            elif i % 4 == 1:
                mux.send(dice.randrange(0, 256), dice.randrange(0, 9), dice.randbytes(dice.randrange(0, 300)))
            elif i % 4 == 2:
                channel, _ = mux.open("call")
                if channel:
                    mux.send(DATA, channel, b'{"call": "host.list", "params": ' + b"[" * 100000 + b"\n")
            else:
                mux.send(OPEN, 1, struct.pack(">IB", 10, 255) + b"x")
            mux.sock.close()
        except (OSError, EOFError):
            pass
    return 0


def crowd(how, count):
    stay = []
    for _ in range(count):
        try:
            mux = Mux(how)
            mux.read(10)  # its HELLO: it is not refused
            stay.append(mux)
        except (OSError, EOFError):
            pass
    print(len(stay), flush=True)
    sys.stdin.read()
    return 0


def hoard(how, count):
    mux, taken = Mux(how), 0
    piece = b"x" * 65000
    for _ in range(count):
        channel, _why = mux.open("call")
        for _ in range(200):
            while mux.credit < len(piece):
                kind, where, payload = mux.frame()
                if kind == WINDOW and where == channel:
                    mux.credit += int.from_bytes(payload, "big")
                elif kind == DATA and b"failure" in payload:
                    print(taken)
                    return 0
            mux.send(DATA, channel, piece)
            mux.credit -= len(piece)
            taken += len(piece)
    print(taken)
    return 1


def join(how, token):
    """The tokens of docs/mux.md; the proof is made with the pins of both ends."""
    raw = base64.urlsafe_b64decode(token[6:] + "=" * (-len(token[6:]) % 4))
    pin, ident, secret = raw[9:41], raw[41:49], raw[49:69]
    certificate = how.split(",")[1]
    der = subprocess.run(f"openssl x509 -in {certificate} -noout -pubkey | openssl pkey -pubin -outform DER", shell=True, check=True,
                         capture_output=True).stdout
    own = hashlib.sha256(der).digest()
    proof = hmac.new(secret, b"amtd join 1\0" + pin + own, hashlib.sha256).hexdigest()
    channel, why = Mux(how).open("join", json.dumps({"id": ident.hex(), "proof": proof}).encode())
    print("joined" if channel else why)
    return 0 if channel else 1


def type_text(how, console, text):
    mux = Mux(how)
    channel, why = mux.open("console", json.dumps({"console": console, "mode": "force"}).encode())
    if channel is not None:
        print("attached so that it could write")
        return 1
    channel, why = mux.open("console", json.dumps({"console": console, "mode": "watch"}).encode())
    if channel is None:
        print(why)
        return 1
    mux.send(DATA, channel, text.encode())
    mux.send(SIGNAL, channel, struct.pack(">I", 1))
    mux.call("api.list", {})  # what was sent before has been read
    return 0


def main():
    how, what, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if what == "calls":
        tries = [json.loads(line) for line in open(rest[0])] if rest else []
        return calls(Mux(how), tries)
    if what == "channels":
        return channels(how, json.loads(rest[0]))
    if what == "call":
        print(json.dumps(Mux(how).call(rest[0], json.loads(rest[1]))))
        return 0
    if what == "noise":
        return noise(how, int(rest[0]))
    if what == "crowd":
        return crowd(how, int(rest[0]))
    if what == "hoard":
        return hoard(how, int(rest[0]))
    if what == "join":
        return join(how, rest[0])
    if what == "type":
        return type_text(how, *rest)
    sys.exit(__doc__)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
