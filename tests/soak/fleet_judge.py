"""Is what amtd says of a fleet true? Run by `fleet` with its directory and what is to be judged: each answer of amtcli beside the
devices as they were made (file `devices`) and what they recorded. Every host is looked at, every difference told; 1 when there is one."""
import json
import re
import sys

DIR, WHAT = sys.argv[1], sys.argv[2]
TASKS = ["wake", "look", "quarantine", "repair", "work", "done", "down"]
FIRMWARE = {"6": "6.2.50", "9": "9.1.45", "11": "11.8.93", "16": "16.0.15"}
MEMORY_GIB = {"6": 4, "9": 8, "11": 16, "16": 32}
IMAGE = 262144
ON, RESET_WITH_BOOT, OFF, SOFT_OFF = 2, 10, 8, 12
mistakes = []


def read(name):
    with open(f"{DIR}/{name}", encoding="utf-8") as file:
        return json.load(file)


def lines(name):
    with open(f"{DIR}/{name}", encoding="utf-8") as file:
        return {row["device"]: row for row in map(json.loads, file)}


class Device:
    """One as it was made."""

    def __init__(self, line):
        n, self.address, self.what, patched, task, cause, fault = line.split()
        self.n = int(n)
        self.is_host = self.what.isdigit()
        self.patched = patched == "yes"
        self.ends_at = None if task == "-" else task
        self.cause = None if cause == "-" else cause
        self.fault = fault

    def wrong(self, text):
        mistakes.append(f"device {self.n} ({self.what}, {self.fault}): {text}")

    def same(self, what, is_, should):
        if is_ != should:
            self.wrong(f"{what}: {is_!r}, not {should!r}")


with open(f"{DIR}/devices", encoding="utf-8") as file:
    DEVICES = [Device(line) for line in file]
HOSTS = [d for d in DEVICES if d.is_host]


def by_address(rows):
    return {row["address"]: row for row in rows}


def judge_sweep():
    """Every address of the range, also those with nothing at them."""
    found = by_address(read("sweep.json"))
    at = {d.address: d for d in DEVICES}
    nothing = Device("0 - refused no - - -")
    if len(found) != 2048:
        mistakes.append(f"{len(found)} addresses")
    for address, row in found.items():
        d = at.get(address, nothing)
        finding = {"not-provisioned": "not-provisioned", "not-amt": "other-service", "refused": "refused"}.get(d.what, "amt")
        d.same(f"{address} is", row["finding"], finding)
        d.same(f"{address} became", row.get("outcome"), "added" if d.is_host else None)
        d.same(f"{address} has a reason", bool(row["why"]), True)
        if d.is_host and not row.get("version", "").startswith(FIRMWARE[d.what]):
            d.wrong(f"version {row.get('version')}")
        d.same(f"{address} is set up", row.get("provisioning"),
               "post" if d.is_host else "pre" if d.what == "not-provisioned" else None)


def judge_inventory():
    rows = {row["host"]: row["inventory"] for row in read("inventory.json")}
    hosts = by_address(read("hosts.json"))
    for d in HOSTS:
        have = rows.get(hosts.get(d.address, {}).get("name"))
        if have is None:
            d.wrong("no inventory")
            continue
        d.same("serial", have["system"]["serial"], f"{d.n:08d}")
        d.same("memory", have["memory"]["bytes"], MEMORY_GIB[d.what] << 30)
        d.same("modules", sum(m["bytes"] for m in have["memory"]["modules"]), MEMORY_GIB[d.what] << 30)
        d.same("AMT", have["firmware"]["amt"], FIRMWARE[d.what])
        d.same("name", have["amt"]["host_name"], f"pc{d.n:04d}")
        d.same("battery", "batteries" in have, d.n % 10 == 0)
    if len(rows) != len(HOSTS):
        mistakes.append(f"{len(rows)} inventories of {len(HOSTS)} hosts")


def judge_collections():
    queries = {
        "lab": lambda d: True,
        "small": lambda d: MEMORY_GIB[d.what] < 16,
        "old": lambda d: int(d.what) < 10,
        "portable": lambda d: d.n % 10 == 0,
        "unpatched": lambda d: not d.patched,
    }
    for name, holds in queries.items():
        members = by_address(read(f"@{name}.json"))
        for d in HOSTS:
            d.same(f"in @{name}", d.address in members, holds(d))
        if len(members) != sum(map(holds, HOSTS)):
            mistakes.append(f"@{name} has {len(members)} hosts")


class Night:
    """What a device says was done to it."""

    def __init__(self, record, state, defense):
        events = record["events"]
        self.accepted = [e["request"] for e in events if e["event"] == "power" and e["return"] == 0]
        self.went = [e["state"] for e in events if e["event"] == "state"]
        self.image_boots = sum(1 for e in events if e["event"] == "boot" and "UseIDER" in e["flags"])
        self.sessions = {e["session"] for e in events if e["event"] == "session" and e["what"] == "opened"}
        self.filtered = any(e["event"] == "defense" for e in events)
        self.counters = record["counters"]
        self.inventoried = record["classes"].get("CIM_Chassis", 0) > 0
        self.power = state["power"]
        self.quarantined = any(port["active"] == "amt:quarantine" for port in defense["ports"])
        self.filters = len(defense["filters"])
        self.dropped = record["events_dropped"]


def judge_report(d, row):
    """The report by itself: whole, in order, and with what is to be known of a failure."""
    tasks = [t["task"] for t in row["tasks"] if not t["task"].startswith("undo-")]
    d.same("tasks", tasks, TASKS[: len(tasks)])
    failed = [t for t in row["tasks"] if t["result"] == "failed" and not t["task"].startswith("undo-")]
    d.same("result", row["result"], "failed" if failed else "ok")
    if not failed:
        d.same("tasks at the end", tasks, TASKS)
        return None
    d.same("failed tasks", len(failed), 1)
    d.same("the last task", tasks[-1], failed[0]["task"])
    d.same("its cause", failed[0]["cause"], row.get("cause"))
    for what in ("message", "hint"):
        if not failed[0].get(what):
            d.wrong(f"no {what}")
    return failed[0]["task"]


def judge_deeds(d, row, night):
    """The report beside what the device says."""
    result = {t["task"]: t["result"] for t in row["tasks"]}
    ok = {task for task in result if result[task] == "ok"}
    skipped = result.get("quarantine") == "skipped"
    undone = "undo-wake" in ok

    d.same("woken", ON in night.accepted and "on" in night.went, "wake" in ok)
    d.same("inventoried", night.inventoried, "look" in result)
    if "quarantine" in result:
        d.same("quarantine skipped", skipped, d.patched)
    d.same("filters touched", night.filtered and not skipped, "quarantine" in ok or night.filtered and d.ends_at == "quarantine")
    d.same("in quarantine", night.quarantined, "quarantine" in ok and "undo-quarantine" not in ok)
    if not night.quarantined:
        d.same("filters left behind", night.filters, 0)
    d.same("boots from the image", night.image_boots, int("repair" in ok))
    d.same("read the image", night.counters["ider_bytes"] >= IMAGE + IMAGE // 2, "work" in ok)  # half of it is what boots
    d.same("console", "sol" in night.sessions, "work" in result and d.fault.find('"sol"') < 0)
    d.same("power", night.power, "on" if ok and "down" not in ok and not undone else "off")
    wanted = [ON] * ("wake" in ok) + [RESET_WITH_BOOT] * ("repair" in ok) + [OFF] * undone
    if row.get("cause") == "not-reached" and not ok:
        wanted = [ON]
    asked = night.accepted  # what is taken back is asked for politely where that is possible, and then may be insisted on
    if undone and SOFT_OFF in asked:
        asked = [r for r in asked if r != OFF]
        asked[asked.index(SOFT_OFF)] = OFF
    d.same("power requests", asked, wanted)
    d.same("wrong passwords", night.counters["logins_wrong"], int(row.get("cause") == "auth-failed"))
    d.same("lost events", night.dropped, 0)
    for task in row["tasks"]:
        if task["task"] == "wake" and task["result"] == "ok":
            d.same("was, and became", (task["from"], task["to"]), ("off", "on"))


def judge_text(rows):
    """What people read: hosts with equal results in one line, each cause with its hosts and what to do."""
    with open(f"{DIR}/report.txt", encoding="utf-8") as file:
        text = file.read()
    causes = {}
    for row in rows:
        if row.get("cause"):
            causes[row.get("cause")] = causes.get(row.get("cause"), 0) + 1
    for cause, n in causes.items():
        if not re.search(rf"^{re.escape(cause)} \({n}\): \S+\n  \S", text, re.MULTILINE):
            mistakes.append(f"{cause} ({n}) is not told with its hosts and a hint")
    good = sum(row["result"] == "ok" for row in rows)
    if f"{good} ok, {len(rows) - good} failed" not in text:
        mistakes.append("the counts are not told")
    if len(text.splitlines()) > 40 + 4 * sum(causes.values()):
        mistakes.append(f"{len(text.splitlines())} lines for {sum(causes.values())} failures")


def judge_night():
    rows = read("report.json")
    hosts = by_address(read("hosts.json"))
    report = {row["host"]: row for row in rows}
    record, state, defense = lines("record"), lines("states"), lines("defense")
    for d in HOSTS:
        row = report.get(hosts[d.address]["name"])
        if row is None:
            d.wrong("not in the report")
            continue
        ended_at = judge_report(d, row)
        d.same("ended at", ended_at, d.ends_at)
        d.same("cause", row.get("cause"), d.cause)
        judge_deeds(d, row, Night(record[d.n], state[d.n], defense[d.n]))
    for d in DEVICES:
        if not d.is_host and record[d.n]["counters"]["requests"] > 0:
            d.wrong("it is no host, and was asked")
    run = read("runs.json")[-1]
    good = sum(row["result"] == "ok" for row in rows)
    if (len(rows), run["hosts"], run["ok"], run["failed"]) != (len(HOSTS), len(HOSTS), good, len(HOSTS) - good):
        mistakes.append(f"the list says otherwise: {run}")
    judge_text(rows)


def judge_again():
    """Who had failed, and nobody else, has all of it done, and it goes well."""
    hosts = by_address(read("hosts.json"))
    report = {row["host"]: row for row in read("again.json")}
    record = lines("record")
    for d in HOSTS:
        row = report.get(hosts[d.address]["name"])
        d.same("done again", row is not None, d.ends_at is not None)
        d.same("asked again", record[d.n]["counters"]["requests"] > 0, d.ends_at is not None)
        if row:
            d.same("result", (row["result"], row.get("cause")), ("ok", None))


{"sweep": judge_sweep, "inventory": judge_inventory, "collections": judge_collections, "night": judge_night,
 "again": judge_again}[WHAT]()
for mistake in mistakes[:50]:
    print(f"{WHAT}: {mistake}", file=sys.stderr)
print(f"fleet: {WHAT}: {'all as it is' if not mistakes else f'{len(mistakes)} mistakes'}")
sys.exit(1 if mistakes else 0)
