"""Runs `bazel test` and closes with one plain line: "N passed, N failed, N skipped".

Counts test cases (of gtest, of Python's unittest, of corpora: from the XML each test writes), not
targets. A target without XML of its own (a crash, a time-out, a shell test) and a target
that did not build count as one each.
"""
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET

NO_TESTS_FOUND = 4  # exit status of bazel


def bazel_command():
    binary = "/usr/bin/bazel" if os.access("/usr/bin/bazel", os.X_OK) else "bazel"
    return [binary] + os.environ.get("EGRET_BAZEL_STARTUP", "").split()


def read_cases(xml_path):
    """[(name, "passed" | "failed" | "skipped", message)] of one test.xml; None if it cannot be read."""
    try:
        root = ET.parse(xml_path).getroot()
    except (OSError, ET.ParseError):
        return None
    cases = []
    for case in root.iter("testcase"):
        name = ".".join(x for x in (case.get("classname"), case.get("name")) if x)
        bad = case.find("failure")
        bad = bad if bad is not None else case.find("error")
        skipped = case.find("skipped")
        if bad is not None:
            cases.append((name, "failed", bad.get("message") or ""))
        elif skipped is not None or case.get("result") in ("skipped", "suppressed") or case.get("status") == "notrun":
            reason = (skipped.get("message") or skipped.text or "") if skipped is not None else "disabled"
            # gtest puts "file:line" before the text
            lines = [line for line in reason.strip().splitlines() if line.strip()]
            cases.append((name, "skipped", lines[-1].strip() if lines else "no reason given"))
        else:
            cases.append((name, "passed", ""))
    return cases


class Events:
    """What Bazel's build event file says: results of tests, and targets that did not build."""

    def __init__(self, path):
        self.results = {}  # (label, run, shard) -> (attempt, status, test.xml, test.log)
        self.broken = set()
        if not os.path.exists(path):
            return
        with open(path) as f:
            for line in f:
                event = json.loads(line)
                ident = event["id"]
                if "testResult" in ident and "testResult" in event:
                    self.add_result(ident["testResult"], event["testResult"])
                elif "targetCompleted" in ident and not event.get("completed", {}).get("success"):
                    self.broken.add(ident["targetCompleted"]["label"])

    def add_result(self, ident, result):
        files = {o["name"]: urllib.parse.unquote(urllib.parse.urlparse(o.get("uri", "")).path)
                 for o in result.get("testActionOutput", [])}
        key = (ident["label"], ident.get("run", 0), ident.get("shard", 0))
        if ident.get("attempt", 0) >= self.results.get(key, (0,))[0]:
            self.results[key] = (ident.get("attempt", 0), result["status"], files.get("test.xml", ""),
                                 files.get("test.log", ""))


def tally(events):
    """Prints skips and failures, returns [passed, failed, skipped]."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    skips, failures = [], []
    for (label, _, _), (_, status, xml, log) in sorted(events.results.items()):
        ok = status in ("PASSED", "FLAKY")
        cases = read_cases(xml)
        if not cases:
            cases = [(status.lower().replace("_", " "), "passed" if ok else "failed", "")]
        elif not ok and all(outcome != "failed" for _, outcome, _ in cases):
            # Crashed, timed out, or leaked after its last case.
            cases.append((status.lower().replace("_", " "), "failed", "after its last test case"))
        for name, outcome, message in cases:
            counts[outcome] += 1
            message = message.strip().splitlines()[0][:200] if message.strip() else ""
            if outcome == "skipped":
                skips.append("skipped: %s %s: %s" % (label, name, message))
            elif outcome == "failed":
                failures.append("failed: %s %s%s\n    %s" % (label, name, ": " + message if message else "", log))
    for label in sorted(events.broken):
        failures.append("failed: %s did not build" % label)
        counts["failed"] += 1
    print("\n".join(skips + failures), end="\n" if skips or failures else "")
    return [counts[k] for k in ("passed", "failed", "skipped")]


def main():
    args = sys.argv[1:]
    counts_file = None
    if args and args[0].startswith("--counts="):
        counts_file = args.pop(0)[len("--counts="):]
    if not any(a.startswith(("//", ":", "@", "-//")) for a in args):
        args.append("//...")
    quiet = [] if sys.stderr.isatty() else ["--curses=no", "--show_progress_rate_limit=30", "--noshow_loading_progress"]
    if "--" in args:  # e.g. tools/test --config=asan -- //... -//test/x:y
        targets = args.index("--")
        options, targets = args[:targets], args[targets:]
    else:
        options, targets = [a for a in args if not a.startswith("-//")], []
        if len(options) != len(args):
            targets = ["--"] + [a for a in args if a.startswith(("//", ":", "@", "-//"))]
            options = [a for a in args if a not in targets]
    with tempfile.TemporaryDirectory() as tmp:
        bep = os.path.join(tmp, "events.json")
        command = bazel_command() + ["test", "--keep_going", "--build_event_json_file=" + bep]
        status = subprocess.run(command + quiet + options + targets, stdin=subprocess.DEVNULL).returncode
        events = Events(bep)
    counts = tally(events)
    if status not in (0, NO_TESTS_FOUND) and counts[1] == 0:
        print("failed: the build itself (bazel's exit status is %d)" % status)
        counts[1] = 1
    if counts_file:
        with open(counts_file, "a") as f:
            f.write("%d %d %d\n" % tuple(counts))
    sys.stdout.flush()
    print("%d passed, %d failed, %d skipped" % tuple(counts), flush=True)
    sys.exit(status if status else (1 if counts[1] else 0))


if __name__ == "__main__":
    main()
