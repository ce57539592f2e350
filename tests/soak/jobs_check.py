#!/usr/bin/env python3
"""jobs_check.py ROUND DIRECTORY THIRD THIRD THIRD: compares what amtd tells of the jobs of a round of tests/soak/jobs with what
the devices tell. Every difference is a line, and the exit code 1."""
import collections
import json
import re
import sys

ON, CYCLE, RESET, SOFT_OFF = 2, 5, 10, 12
bad = []
told = collections.Counter()


def load(path):
    """A file of JSON documents, as amtsim writes them, or of one list."""
    decoder, text, at, found = json.JSONDecoder(), open(path).read(), 0, []
    while text[at:].strip():
        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        found.append(value)
    return found[0] if len(found) == 1 and isinstance(found[0], list) else found


def once(host, task, result, times, what):
    """A task that must not be done twice: `times` is the device's word."""
    state = "skipped" if result is None else result.get("cause") or result["result"]
    told[task, state] += 1
    if times > 1:
        bad.append(f"{host}: {task} ({state}): {what} {times} times")
    elif state == "ok" and times != 1:
        bad.append(f"{host}: {task} is told to be ok, and {what} never came")
    elif result is None and times != 0:
        bad.append(f"{host}: nothing is told of {task}, and {what} came")


def host_is_told(host, entry):
    if entry is None:
        bad.append(f"{host}: nothing is told of it")
        return {}
    tasks = {t["task"]: t for t in entry["tasks"] if t["result"] != "skipped"}
    for name, task in list(tasks.items()) + [("all of it", entry)]:
        if task["result"] not in ("ok", "failed"):
            bad.append(f"{host}: {name} ended as '{task['result']}'")
        elif task["result"] == "failed" and not (task.get("cause") and task.get("message") and task.get("hint")):
            bad.append(f"{host}: {name} failed and it is not told why: {task}")
    return tasks


def main():
    number, where = sys.argv[1], sys.argv[2]
    hosts = dict(zip(("cycle", "reset", "repair"), (names.split(",") for names in sys.argv[3:6])))
    record = {f"pc{r['device']:04d}": r for r in load(f"{where}/record")}
    consoles = {f"pc{c['device']:04d}": c["console"] for c in load(f"{where}/consoles")}
    marks = collections.Counter(line.strip() for line in open(f"{where}/marks"))
    hosts["care"] = sorted(record)
    for job, names in hosts.items():
        shown = {entry["host"]: entry for entry in load(f"{where}/{job}.json")}
        if len(shown) != len(names):
            bad.append(f"{job}: {len(shown)} hosts, not {len(names)}")
        for host in names:
            tasks = host_is_told(host, shown.get(host))
            events = record[host]["events"]
            if record[host]["events_dropped"]:
                bad.append(f"{host}: amtsim's record is not whole")
            asked = collections.Counter(e["request"] for e in events if e["event"] == "power" and e["return"] == 0)
            if job == "cycle":
                was_off = tasks.get("cycle", {}).get("from") == "off"
                once(host, "cycle", tasks.get("cycle"), asked[ON if was_off else CYCLE], "a power cycle")
                once(host, "mark", tasks.get("mark"), marks[f"cycle-{number} {host}"], "the command")
                once(host, "setup", tasks.get("setup"), asked[RESET], "a reset")
            elif job == "reset":
                typed = len(re.findall(rf"^reset-{number}\r?$", consoles.get(host, ""), re.M))
                once(host, "type", tasks.get("type"), typed, "the line")
                once(host, "reset", tasks.get("reset"), asked[RESET], "a reset")
                once(host, "again", tasks.get("again"), max(asked[CYCLE], asked[SOFT_OFF]), "a cycle")
            elif job == "repair":
                images = sum(1 for e in events if e["event"] == "boot" and "UseIDER" in e["flags"])
                once(host, "repair", tasks.get("repair"), images, "a boot from the image")
            for task in tasks if job == "care" else ():
                told[task, tasks[task].get("cause") or tasks[task]["result"]] += 1
    print(", ".join(f"{task} {state} {n}" for (task, state), n in sorted(told.items())))
    print("\n".join(bad), file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
