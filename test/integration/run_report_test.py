"""egret run: what is told of a run, at its end and in files."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

from run_case import DENIED, LOCAL, OWN_FAILURE, RunCase, egret, run, setUpModule


class Told(RunCase):
    """What is said at the end."""

    def visit(self, *options, **how):
        where = "localhost:%d" % self.origin().port
        script = "curl -sS --noproxy '' http://%s/ && curl -sS http://denied.test/; exit 4" % where
        return where, run("--allow", where, *LOCAL, *options, "--", "sh", "-c", script, **how)

    def test_what_was_refused(self):
        _, done = self.visit()
        self.assertRegex(done.stderr, r"^egret run: refused  denied\.test:80 .*; no rule allows it\n$")
        self.assertEqual(done.returncode, 4)
        self.assertEqual(self.visit("--quiet")[1].stderr, "")

    def test_and_what_was_reached_where_that_is_asked_for(self):
        where, done = self.visit("-v")
        self.assertRegex(done.stderr, "egret run: reached  %s  1 time, .* rule allow-localhost-" % where)

    def test_a_denial_may_decide_on_the_status(self):
        self.assertEqual(self.visit("--fail-on-deny")[1].returncode, DENIED)
        self.assertEqual(run("--fail-on-deny", "--", "sh", "-c", "exit 4").returncode, 4)

    def test_reports(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path, page = (os.path.join(folder.name, name) for name in ("report.json", "page.md"))
        with open(page, "w") as f:
            f.write("before\n")
        where, done = self.visit("--report", path, env={**os.environ, "GITHUB_STEP_SUMMARY": page})
        with open(path) as f:
            report = json.load(f)
        self.assertEqual((report["program"], report["status"], report["fenced"], report["reached"], report["refused"]),
                         ("sh", 4, True, 1, 1))
        self.assertEqual([(one["outcome"], one["target"], one["times"]) for one in report["destinations"]],
                         [("refused", "denied.test:80", 1), ("reached", where, 1)])
        with open(page) as f:
            text = f.read()
        self.assertTrue(text.startswith("before\n###"), text)
        self.assertIn("| refused | `denied.test:80` | 1 |", text)

    def test_what_it_did_is_learned_as_a_policy(self):
        url = "http://127.0.0.1:%d/a" % self.origin().port
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "learned.yaml")
        curl = ("--", "curl", "-sS", "--noproxy", "")
        self.assertEqual(run("--learn", path, "--private", "127.0.0.0/8", *curl, url).stdout, "ok")
        with open(path) as f:
            self.assertIn("127.0.0.1", f.read())
        self.assertEqual(run("--policy", path, *curl, url).stdout, "ok")
        self.assertIn("does not allow", run("--policy", path, *curl, "http://other.test/").stdout)
        self.assertEqual(run("--learn", path, "--allow", "a.test", "true").returncode, OWN_FAILURE)
        self.assertEqual(run("--learn", path, "true").returncode, 0)
        self.assertIn("does not allow", run("--policy", path, *curl, url).stdout)  # nothing was reached

    def test_what_it_reached_is_recorded_and_signed(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        key, record, built = (os.path.join(folder.name, name) for name in ("key.pem", "record.json", "built"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        where, _ = self.visit("--record", record)
        with open(record) as f:
            statement = json.load(f)
        self.assertEqual([(one["outcome"], one["host"], one["requests"]) for one in statement["predicate"]["egress"]],
                         [("refused", "denied.test", ["GET /"]), ("reached", "localhost", ["GET /"])])
        self.assertEqual((statement["predicate"]["command"], statement["subject"]), ("sh", []))
        done = run("--record", record, "--record-key", key, "--record-subject", built, "--", "sh", "-c", "echo x >" + built)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(record) as f:
            envelope = json.load(f)
        signed = json.loads(base64.b64decode(envelope["payload"]))
        self.assertEqual(signed["subject"], [{"name": "built", "digest": {"sha256": hashlib.sha256(b"x\n").hexdigest()}}])
        self.assertTrue(envelope["signatures"][0]["sig"])
        self.assertIn("not a private key", run("--record", record, "--record-key", built, "true").stderr)
        self.assertEqual(run("--record-key", key, "true").returncode, OWN_FAILURE)

    def test_its_log_is_one_that_egretctl_reads(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        log, denies = (os.path.join(folder.name, name) for name in ("run.log", "policies/none.yaml"))
        where, done = self.visit("--log", log)
        with open(log) as f:
            lines = {one["target"]: text for text in f for one in [json.loads(text)] if one["event"] == "end"}
        self.assertEqual({target: json.loads(line)["decision"] for target, line in lines.items()},
                         {where: "allow", "denied.test:80": "deny"})
        os.mkdir(os.path.dirname(denies))
        with open(denies, "w") as f:
            f.write("policies: [{name: run, rules: [{name: closed, action: DENY}]}]\n")

        def ctl(*words, **how):
            return subprocess.run([os.environ["EGRETCTL"], *words], stdout=subprocess.PIPE, text=True, timeout=60, **how)
        replayed = ctl("replay", log, "--policy", os.path.dirname(denies))
        self.assertEqual(replayed.returncode, 4)
        self.assertIn(where, replayed.stdout)
        explained = ctl("explain", "--config", denies, "-", input=lines["denied.test:80"])
        self.assertEqual(explained.returncode, 1)
        self.assertIn("closed", explained.stdout)
        self.assertIn("localhost", ctl("learn", log).stdout)

    def test_a_log_that_cannot_be_written_is_told(self):
        _, done = self.visit("--log", "/dev/full")
        self.assertEqual(done.returncode, OWN_FAILURE)
        self.assertIn("the log is not whole: No space", done.stderr)

    def test_ready_policies(self):
        shown = run("--show", "@pypi")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("files.pythonhosted.org", shown.stdout)
        done = self.outside("--allow", "@pypi", *LOCAL, "--", "sh", "-c",
                            "curl -s https://pypi.org/; curl -s https://evil.test/; true", name="pypi.org")
        self.assertRegex(done.stderr, r"refused  evil\.test:443")
        self.assertNotRegex(done.stderr, r"refused  pypi\.org")
        self.assertEqual(run("--show", "@nothing").returncode, OWN_FAILURE)

    def test_what_a_command_makes_up_hides_nothing(self):
        """Many destinations that nobody understands, and words for a terminal or a page."""
        script = ("import os, socket\n"
                  "where = os.environ['http_proxy'].split('//')[1].strip('/').rsplit(':', 1)\n"
                  "def say(text):\n"
                  "    one = socket.create_connection((where[0], int(where[1])))\n"
                  "    one.sendall(text)\n    one.recv(1000)\n    one.close()\n"
                  "say(b'GET /\\x1b[31m`|<a> HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n')\n"
                  "for number in range(1100):\n"
                  "    say(b'GET /%d HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n' % number)\n"
                  "say(b'GET http://zz.test/ HTTP/1.1\\r\\nHost: zz.test\\r\\nConnection: close\\r\\n\\r\\n')\n")
        done = run("--fail-on-deny", "--", sys.executable, "-c", script)
        self.assertEqual(done.returncode, DENIED, done.stderr[-500:])
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("`", done.stderr)

    def test_streams_that_are_closed_stay_so(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        record = os.path.join(folder.name, "record.json")
        shell = '"$@" <&- >&- 2>&-'
        done = subprocess.run(["sh", "-c", shell, "sh", *egret("--record", record, "--", "sh", "-c", "exit 3")], timeout=60)
        self.assertEqual(done.returncode, 3)
        with open(record) as f:
            self.assertEqual(json.load(f)["predicate"]["egress"], [])

    def test_without_a_place_for_its_report_it_does_not_begin(self):
        done = run("--report", "/nowhere/report.json", "--", "echo", "x")
        self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""))
        self.assertIn("/nowhere/report.json: No such file", done.stderr)


if __name__ == "__main__":
    unittest.main()
