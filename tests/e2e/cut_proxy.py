#!/usr/bin/env python3
"""A TCP proxy that cuts its connections: after a random time, and, when asked, in the middle of what is sent.

  cut_proxy.py LISTEN-PORT TARGET-PORT SHORTEST LONGEST   (seconds)
"""
import random
import selectors
import socket
import sys
import time

listen, target = int(sys.argv[1]), int(sys.argv[2])
shortest, longest = float(sys.argv[3]), float(sys.argv[4])
server = socket.create_server(("127.0.0.1", listen))
sel = selectors.DefaultSelector()
sel.register(server, selectors.EVENT_READ, None)
pairs = []  # [client, server, when it is cut, bytes that wait for each]
print("ready", flush=True)


class Pair:
    def __init__(self, one, other):
        self.ends = [one, other]
        self.wait = {one: b"", other: b""}  # for that end
        self.due = time.monotonic() + random.uniform(shortest, longest)
        for end in self.ends:
            end.setblocking(False)
            sel.register(end, selectors.EVENT_READ, self)

    def watch(self):
        for i, end in enumerate(self.ends):
            events = 0
            if len(self.wait[self.ends[1 - i]]) < 1 << 20:
                events |= selectors.EVENT_READ
            if self.wait[end]:
                events |= selectors.EVENT_WRITE
            try:
                sel.modify(end, events or selectors.EVENT_WRITE, self)
            except (KeyError, ValueError):
                pass

    def move(self, end, events):
        other = self.ends[1 - self.ends.index(end)]
        if events & selectors.EVENT_READ:
            data = end.recv(65536)
            if not data:
                raise ConnectionError
            self.wait[other] += data
        if events & selectors.EVENT_WRITE and self.wait[end]:
            n = end.send(self.wait[end])
            self.wait[end] = self.wait[end][n:]

    def cut(self):
        for end in self.ends:
            try:
                sel.unregister(end)
            except (KeyError, ValueError):
                pass
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            end.close()
        pairs.remove(self)


while True:
    for key, events in sel.select(0.05):
        pair = key.data
        if pair is None:
            one, _ = server.accept()
            try:
                pairs.append(Pair(one, socket.create_connection(("127.0.0.1", target), 5)))
            except OSError:
                one.close()
        elif pair in pairs:
            try:
                pair.move(key.fileobj, events)
                pair.watch()
            except BlockingIOError:
                pass
            except OSError:
                pair.cut()
    for pair in [p for p in pairs if time.monotonic() > p.due]:
        pair.cut()
