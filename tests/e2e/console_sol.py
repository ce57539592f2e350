"""A person on the serial console of a simulated machine, who restarts it meanwhile. Run by console_sol.sh."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from terminal import Terminal  # noqa: E402

ESCAPE = b"\x05c"

t = Terminal()
before = t.run("stty -g")
t.type("amtcli console pc0001 --charset cp437\r")
# it may be up before the first word is said
t.expect(rb"pc0001 (up, you write\]|[^\n]*you write\].*\[up\])")
t.type("\r")
t.expect(rb"root@pc0001:/# ")

# the menu inside
t.type(ESCAPE + b"p")
t.expect(rb" r  reset.*does nothing: ")
t.type("r\r")
t.expect(rb"\[pc0001: reset\]")
t.expect("\u2550\u2550\u2557".encode())  # the frame of the firmware, as it is drawn in CP437
t.expect(rb"POST of boot 2")
t.expect(rb"root@pc0001:/# ")

# somebody else, while we are attached
subprocess.run(["amtcli", "power", "cycle", "pc0001"], check=True, stdout=subprocess.DEVNULL)
t.expect(rb"POST of boot 3")
t.expect(rb"root@pc0001:/# ")
t.type("\r")
t.expect(rb"root@pc0001:/# ")

# firmware setup, by one command
t.type(ESCAPE + b".")
t.expect(rb"\[left pc0001\].*ready> $")
t.type("AMTCLI_CHARSET=cp437 amtcli boot pc0002 --to bios --reset --console\r")
t.expect(rb"POST of boot 2")
t.expect(rb"BIOS setup.*\[pc0002: done, power on\]|\[pc0002: done, power on\].*BIOS setup")
t.type(ESCAPE + b".")
t.expect(rb"\[left pc0002\].*ready> $")
# a machine whose user is to be asked first
t.type("amtcli console pc0003\r")
t.expect(rb"\[pc0003 [^\n]*you write\].*six-digit code is on the screen|"  # which is told at once when it was there before
         rb"\[pc0003 [^\n]*six-digit code is on the screen[^\n]*you write\]")
shown = json.loads(subprocess.run(["amtcli", "console", "show", "pc0003", "-o", "json"], check=True, stdout=subprocess.PIPE).stdout)
assert "six-digit code" in shown["reason"], "whoever comes later is not told: %s" % shown
t.type(ESCAPE + b"C")
t.expect(rb"the six digits on the screen of the machine: ")
code = json.loads(subprocess.run(["amtsim", "ctl", os.environ["CONTROL"], "get", "3"], check=True,
                                 stdout=subprocess.PIPE).stdout)["consent"]["code"]
t.type("%06d\r" % code)
t.expect(rb"\[pc0003: done\].*\[up\]")
t.type("\r")
t.expect(rb"root@pc0003:/# ")
t.type(ESCAPE + b".")
t.expect(rb"\[left pc0003\].*ready> $")
assert t.run("stty -g") == before, "the terminal is not as it was"
t.close()
