"""What people do with `amtcli console` on terminals. Run by console_terminal.sh: amtd is there, with the consoles
echo (gives back what is typed), second (the same) and shell (a shell)."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from terminal import Terminal  # noqa: E402

ESCAPE = b"\x05c"


def attach(terminal, command, greeting):
    """The command in the foreground of the terminal; returns its process."""
    terminal.type(command + "\r")
    terminal.expect(greeting)
    terminal.until("the terminal is raw", terminal.is_raw)
    return terminal.foreground()


def leave(terminal):
    terminal.type(ESCAPE + b".")
    terminal.expect(rb"\[left [a-z]+\].*ready> $")
    assert not terminal.is_raw(), "left in raw mode"


def types_and_leaves():
    t = Terminal()
    before = t.run("stty -g")
    attach(t, "amtcli console echo", rb"\[echo up, you write\]\r\n")
    t.type("abc\r")
    t.expect(rb"abc")
    t.type("\x03\x1a\x11\x13\x1c" + "through\r")  # what a terminal would keep for itself
    t.expect(rb"\x03\x1a\x11\x13\x1cthrough")
    t.type(b"\x05\x05x")  # the first character, once
    t.expect(rb"\x05\x05x")
    t.type(ESCAPE + b"\\101")
    t.expect(rb"A")
    leave(t)
    assert t.run("echo code $?").startswith(b"code 0"), "leaving is no failure"
    assert t.run("stty -g") == before, "the terminal is not as it was"
    t.close()


def sequences():
    t = Terminal()
    attach(t, "amtcli console echo", rb"you write\]")
    for typed, seen in (
        (b"?", rb"\[help: \^Ec and then\].*take the right to write.*this list"),
        (b"w", rb"\[who is on echo\].*writes"),
        (b"i", rb"\[info\].*keys plain, character set utf-8"),
        (b"u", rb"\[consoles\].*echo  up.*second  up.*shell  up"),
        (b"v", rb"\[amtcli [0-9.]+\]"),
        (b"k", rb"\[keys: linux\]"),
        (b"c", rb"\[character set: cp437\]"),
        (b"bhello there\r", rb"message[^\n]*hello there.*hello there\]"),
        (b"na note\r", rb"a note\]"),
        (b"L", rb"\[logging[^\n]*off\]"),
        (b"L", rb"\[logging[^\n]*on\]"),
        (b"d", rb"\[down"),
        (b"o", rb"\[up\]"),
        (b"s", rb"nobody writes now\]"),
        (b"a", rb"\[you write now\]"),
        (b"p\r", rb"\[power\].* c  cycle.*\[nothing was done\]"),
        (b"p\x03", rb"\[nothing was done\]"),
        (b"Q", rb"\[unknown -- use \?\]"),
        (b"e\x14x", rb"\[sequences begin with \^Tx now\]"),
    ):
        t.type(ESCAPE + typed)
        t.expect(seen)
    t.type("remembered\r")
    t.expect(rb"remembered")
    t.type("\x14xr")
    t.expect(rb"\[replay\].*remembered.*\[end of replay\]")
    t.type("\x14x;")
    t.expect(rb"console: ")
    t.type("secnod\r")  # a slip costs nothing
    t.expect(rb"\[there is neither a console nor a host 'secnod'\].*\[echo up, you write\]")
    t.type("\x14x;")
    t.expect(rb"console: ")
    t.type("second\r")
    t.expect(rb"\[second up, you write\]")
    t.type("\x14x.")
    t.expect(rb"\[left second\].*ready> $")
    t.close()


def shares():
    one, two, three = Terminal(), Terminal(), Terminal()
    attach(one, "amtcli console echo", rb"you write\]")
    attach(two, "amtcli console echo", rb"\[echo up, read-only; it is written by [^\n]*\]")
    attach(three, "amtcli console echo --read-only", rb"\[echo up, watching only")
    two.type("no\r")
    two.expect(rb"\[read-only -- \^Ec \? for help\]")
    one.type("seen by all\r")
    two.expect(rb"seen by all")
    three.expect(rb"seen by all")
    two.type(ESCAPE + b"a")
    one.expect(rb"wants to write: \^Ec G hands it over\]")
    one.type(ESCAPE + b"G")
    two.expect(rb"\[you write now\]")
    two.type("by the second\r")
    three.expect(rb"by the second")
    one.type(ESCAPE + b"f")
    one.expect(rb"\[you write now\]")
    three.type(ESCAPE + b"f")
    three.expect(rb"\(denied\)\]")
    leave(one)
    two.expect(rb"\[you write now\]")  # it waited in line
    leave(two)
    leave(three)
    for t in (one, two, three):
        t.close()


def says_what_is_wrong():
    t = Terminal()
    attach(t, "amtcli console absent", rb"\[absent (waiting|connecting)[^\]]*, you write\]")
    t.type(ESCAPE + b".")
    t.expect(rb"\[left absent\].*ready> $")
    attach(t, "amtcli console absent", rb"\[absent waiting: [^\]]*No such file or directory, you write\]")
    t.type(ESCAPE + b"o")  # it connects now: why it did not before is no news, and then it is
    t.expect(rb"\[connecting\].*\[waiting: [^\]]*No such file or directory\]")
    leave(t)
    t.close()


def logs_again():
    """What somebody switched off is on again when they go."""
    t = Terminal()
    attach(t, "amtcli console second", rb"you write\]")
    t.type(ESCAPE + b"L")
    t.expect(rb"\[logging[^\n]*off\]")
    assert b'"off"' in subprocess.check_output(["amtcli", "console", "show", "second", "-o", "json"])
    leave(t)
    t.run("amtcli console show second -o json | grep -c '\"logging\": \"on\"'")
    assert b'"on"' in subprocess.check_output(["amtcli", "console", "show", "second", "-o", "json"])
    subprocess.check_call(["amtcli", "console", "logging", "second", "off"])  # that is meant to last
    attach(t, "amtcli console second", rb"you write\]")
    leave(t)
    assert b'"off"' in subprocess.check_output(["amtcli", "console", "show", "second", "-o", "json"])
    subprocess.check_call(["amtcli", "console", "logging", "second", "on"])
    t.close()


def survives_signals():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGSEGV, signal.SIGKILL):
        t = Terminal()
        t.run("ulimit -c 0")
        before = t.run("stty -g")
        process = attach(t, "amtcli console echo", rb"\[echo up")
        os.kill(process, number)
        t.expect(rb"ready> ")  # what puts the terminal right may come after the prompt
        t.until("the terminal is as it was after signal %d" % number, lambda: not t.is_raw())
        t.until("the same terminal after signal %d" % number, lambda: t.run("stty -g") == before)
        t.close()


def stops_and_goes_on():
    t = Terminal()
    attach(t, "amtcli console echo", rb"\[echo up")
    for stop in (lambda: t.type(ESCAPE + b"z"), lambda: os.kill(t.foreground(), signal.SIGTSTP)):
        stop()
        t.expect(rb"Stopped.*ready> $")
        assert b"-icanon" not in t.run("stty -a"), "stopped in raw mode"
        t.type("fg\r")
        t.until("the terminal is raw again", t.is_raw)
        t.type("still here\r")
        t.expect(rb"still here")
    leave(t)
    t.close()


def goes_on_after_amtd():
    """amtd is killed and comes back: what was seen is not seen again, and what is printed after is."""
    t = Terminal()
    attach(t, "amtcli console echo", rb"\[echo up, you write\]")
    t.type("before\r")
    t.expect(rb"before")
    subprocess.run([os.environ["RESTART"]], check=True)
    t.expect(rb"trying again\].*\[echo [^\n]*you write\]")
    t.type("after\r")
    t.expect(rb"after")
    assert b"before" not in t.seen, "seen twice"
    leave(t)
    t.close()


def keys_and_characters():
    t = Terminal()
    attach(t, "amtcli console echo --keys vt100+ --charset cp437", rb"you write\]")
    t.type("\033[21~ \033OP \177 \u00e4\r")  # F10, F1, Backspace, an umlaut that comes back as it went
    t.expect("\0330 \0331 \b \u00e4".encode())
    leave(t)
    t.close()


def screen():
    """A program on the machine that is left on the alternate screen does not keep the terminal there."""
    t = Terminal()
    attach(t, "amtcli console echo", rb"you write\]")
    t.type("\033[?1049h\r")
    t.expect(rb"\x1b\[\?1049h")
    t.type(ESCAPE + b".")
    t.expect(rb"\x1b\[\?1049l.*ready> $")
    t.close()


def title():
    t = Terminal()
    t.type("amtcli console echo\r")
    t.expect(rb"\x1b\[22;0t\x1b\]0;echo\x07")
    t.expect(rb"you write\]")
    t.type(ESCAPE + b".")
    t.expect(rb"\x1b\[23;0t.*ready> $")
    t.close()


for test in (types_and_leaves, sequences, shares, says_what_is_wrong, logs_again, survives_signals, stops_and_goes_on, keys_and_characters, screen, title,
             goes_on_after_amtd):
    test()
    print(test.__name__, flush=True)
