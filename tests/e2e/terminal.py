"""A person at a terminal: a shell on a pty of its own, what is typed, what is seen. For tests."""
import os
import pty
import re
import select
import signal
import termios
import time

LIMIT = 120  # seconds for anything to happen


class Terminal:
    def __init__(self, term="xterm"):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM=term, PS1="ready> ", HISTFILE="")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.expect(rb"ready> $")

    def read(self, seconds):
        """What comes within that time, at most; True when anything came."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            part = b""
        self.seen += part
        return part != b""

    def expect(self, regex):
        """Waits for it; what was seen up to its end is used up. Returns the match."""
        end = time.monotonic() + LIMIT
        while True:
            match = re.search(regex, self.seen, re.DOTALL)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if time.monotonic() > end:
                raise SystemExit("no %r in %r" % (regex, self.seen[-2000:]))
            self.read(0.2)

    def type(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    def run(self, command):
        """Runs a command in the shell until its prompt is back; returns what it printed."""
        self.type(command + "\r")
        self.expect(re.escape(command.encode()) + rb"[^\n]*\n")
        return self.expect(rb"^(.*?)ready> $").group(1)

    def until(self, what, condition):
        """Waits until the condition holds, reading meanwhile."""
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("waited in vain until " + what)
            self.read(0.05)

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    def foreground(self):
        return os.tcgetpgrp(self.fd)

    def close(self):
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.fd)
        os.waitpid(self.pid, 0)
