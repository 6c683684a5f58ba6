#!/usr/bin/python3 -IB
"""Runs one unittest file and writes JUnit XML to $XML_OUTPUT_FILE, one test case a method.

Used by egret_integration_test (bazel/integration_test.bzl says what tests may rely on).
    run_python_tests.py [--binary=ENV=PATH ...] [--helper=FILE.py ...] TEST.py [PATTERN]
"""
import argparse
import fnmatch
import glob
import importlib.util
import os
import re
import signal
import sys
import tempfile
import time
import traceback
import unittest
import xml.etree.ElementTree as ET

NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SanitizerReports:
    """Sanitizers of child processes write to files, so that no report is lost with a killed child."""

    def __init__(self, folder):
        self.prefix = os.path.join(folder, "sanitizer-report")
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                os.environ[name] += ":log_path=" + self.prefix

    def take(self):
        text = ""
        for path in sorted(glob.glob(glob.escape(self.prefix) + ".*")):
            with open(path, errors="replace") as f:
                text += f.read()
            os.unlink(path)
        return text


class Result(unittest.TestResult):
    """Keeps one (outcome, message, seconds) a test method, and prints as it goes."""

    def __init__(self, reports):
        super().__init__()
        self.reports = reports
        self.cases = {}  # id -> (outcome, message, seconds)
        self.running = None
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.running, self.began = test.id(), time.monotonic()
        print("[ RUN     ] " + test.id(), flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        found = self.reports.take()
        if found:
            self.put(test, "failed", "a child process was caught by a sanitizer:\n" + found)
        elif test.id() not in self.cases:
            self.put(test, "passed", "")
        outcome, message, seconds = self.cases[test.id()]
        self.running = None
        if message:
            print(message, flush=True)
        print("[ %-7s ] %s (%.2f s)" % (outcome, test.id(), seconds), flush=True)

    def put(self, test, outcome, message):
        old = self.cases.get(test.id(), ("passed", "", 0))
        if old[0] == "failed":  # a failure stays one, whatever tearDown or another subTest adds
            outcome = "failed"
        seconds = time.monotonic() - self.began if self.running else 0.0
        self.cases[test.id()] = (outcome, "\n".join(m for m in (old[1], message) if m), seconds)

    def addError(self, test, err):
        super().addError(test, err)
        self.put(test, "failed", self._exc_info_to_string(err, test))
        if self.running is None:  # setUpClass, setUpModule: no startTest around it
            print(self.cases[test.id()][1], flush=True)

    def addFailure(self, test, err):
        self.addError(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.put(test, "failed", "%s\n%s" % (subtest, self._exc_info_to_string(err, test)))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.put(test, "skipped", reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.put(test, "failed", "passed, but is marked as an expected failure")


def methods(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from methods(item)
        else:
            yield item


def explain_missing(result, ids, why):
    """Gives every method that never started the outcome of the fixture that kept it from starting."""
    fixtures = {}  # "module.Class" or "module" -> (outcome, message)
    for name in [n for n in result.cases if re.match(r"(setUp|tearDown)(Class|Module) \(", n)]:
        owner = name[name.index("(") + 1:-1]
        if name.startswith("setUp"):
            fixtures[owner] = (name.split(" ")[0], *result.cases.pop(name)[:2])
    for i in ids:
        if i in result.cases:
            continue
        fixture = fixtures.get(i.rpartition(".")[0]) or fixtures.get(i.split(".")[0])
        if fixture:
            name, outcome, message = fixture
            result.cases[i] = (outcome, message if outcome == "skipped" else "%s failed:\n%s" % (name, message), 0.0)
        else:
            result.cases[i] = ("failed", "did not run: " + why, 0.0)


def headline(outcome, message):
    """The one line of a message that tells most."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if outcome == "skipped" or not lines:
        return " ".join(lines)
    if lines[0].startswith(("time-out", "did not run")):
        return lines[0]
    return next((line for line in lines if line.startswith("SUMMARY: ")), lines[-1])


def write_xml(cases, name):
    path = os.environ.get("XML_OUTPUT_FILE")
    if not path:
        return
    outcomes = [c[0] for c in cases.values()]
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name=name, tests=str(len(cases)),
                          failures=str(outcomes.count("failed")), skipped=str(outcomes.count("skipped")))
    for i, (outcome, message, seconds) in cases.items():
        owner, _, method = i.rpartition(".")
        case = ET.SubElement(suite, "testcase", classname=owner, name=method, time="%.3f" % seconds)
        if outcome != "passed":
            message = NOT_XML.sub("?", message)
            tag = "failure" if outcome == "failed" else "skipped"
            ET.SubElement(case, tag, message=headline(outcome, message)).text = message
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except unittest.SkipTest as e:
        return unittest.TestSuite([unittest.FunctionTestCase(lambda: None)]), str(e)
    return unittest.defaultTestLoader.loadTestsFromModule(module), None


def select(suite, pattern):
    tests = list(methods(suite))
    if pattern:
        glob_ = pattern if "*" in pattern else "*%s*" % pattern
        tests = [t for t in tests if fnmatch.fnmatchcase(t.id(), glob_)]
    total, index = int(os.environ.get("TEST_TOTAL_SHARDS", 1)), int(os.environ.get("TEST_SHARD_INDEX", 0))
    if os.environ.get("TEST_SHARD_STATUS_FILE"):
        open(os.environ["TEST_SHARD_STATUS_FILE"], "w").close()
    return tests[index::total]


def prepare_environment(args):
    scratch = os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp(prefix="egret-test-")
    os.environ["TEST_TMPDIR"] = scratch
    os.environ["HOME"] = scratch
    # Daemons (nginx) and network tools live in sbin; Go's archive installs below /usr/local/go.
    os.environ["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin"
    for name in list(os.environ):  # the test says which proxy is used, not the machine
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"):
            del os.environ[name]
    for binary in args.binary:
        name, _, path = binary.partition("=")
        os.environ[name] = os.path.abspath(path)
    for path in [args.test] + args.helper:
        folder = os.path.dirname(os.path.abspath(path))
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return scratch


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--binary", action="append", default=[])
    p.add_argument("--helper", action="append", default=[])
    p.add_argument("test")
    p.add_argument("pattern", nargs="?", default=os.environ.get("TESTBRIDGE_TEST_ONLY"))
    args = p.parse_args()
    result = Result(SanitizerReports(prepare_environment(args)))
    ids = []

    def finish(why):
        explain_missing(result, ids, why)
        write_xml(result.cases, args.test)
        outcomes = [c[0] for c in result.cases.values()]
        print("%d passed, %d failed, %d skipped" % tuple(outcomes.count(o) for o in ("passed", "failed", "skipped")))
        sys.stdout.flush()
        return 1 if "failed" in outcomes else 0

    def on_term(_signal, frame):
        if result.running:
            where = "".join(traceback.format_stack(frame))
            result.cases[result.running] = ("failed", "time-out while it ran; it was here:\n" + where,
                                            time.monotonic() - result.began)
            print(result.cases[result.running][1])
        finish("the time-out came first")
        os._exit(1)

    signal.signal(signal.SIGTERM, on_term)
    try:
        suite, skip = load(args.test)
    except BaseException:  # a module that cannot be imported is one failure
        message = traceback.format_exc()
        print(message)
        result.cases[args.test] = ("failed", message, 0.0)
        return finish("")
    if skip is not None:
        result.cases[args.test] = ("skipped", skip, 0.0)
        return finish("")
    tests = select(suite, args.pattern)
    ids += [t.id() for t in tests]
    unittest.TestSuite(tests).run(result)
    return finish("the runner ended early")


if __name__ == "__main__":
    sys.exit(main())
