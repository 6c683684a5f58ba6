"""A policy that is learned from a proxy's own log allows what that log tells of, and nothing that is like it."""
import json
import os
import shutil
import tempfile

from egretctl_test import egretctl
from harness import deny
from mitm_case import INSPECTED, MitmCase
from origins import OK, reply


class Learned(MitmCase):
    def learn(self, lines):
        """Of the lines of a log: the folder with the policy that is proposed, and its text."""
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        log = os.path.join(folder, "access.log")
        with open(log, "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in lines)
        status, text, err = egretctl("learn", log)
        self.assertEqual(status, 0, err)
        policies = os.path.join(folder, "policies")
        os.mkdir(policies)
        with open(os.path.join(policies, "learned.yaml"), "w") as f:
            f.write(text)
        status, out, err = egretctl("replay", log, "--policy", policies)
        self.assertEqual(status, 0, text + out + err)
        return policies, text

    def test_what_was_seen_inside_tunnels_and_in_clear(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(deny("closed", domains=["closed.test"]), INSPECTED, origin=how)
                secure, clear = self.tls_origin(*[reply(OK)] * 2), self.origin(*[reply(OK)] * 2)
                client = self.inside(secure)
                for path in ("/repos/acme/17", "/repos/acme/18?token=secret"):
                    self.assertEqual(self.get_inside(client, secure, path).status, 200)
                client.close()
                for name, status in (("origin.test", 200), ("closed.test", 403)):
                    plain = self.client()
                    self.assertEqual(plain.get("http://%s:%d/x" % (name, clear.port), "Connection: close").status, status)
                lines = self.egret.log_lines(5)
                _, text = self.learn(lines)
                self.assertNotIn("token", text)
                self.assertNotIn("closed.test", text)
                rules = self.rules_of(text)
                self.assertIn(("origin.test", secure.port, ("GET",), ("/repos/acme",)), rules, text)
                self.assertIn(("origin.test", clear.port, ("GET",), ("/x",)), rules, text)

    def rules_of(self, text):
        rules = set()
        lines = [line.split("#")[0].strip() for line in text.splitlines()]
        for number, line in enumerate(lines):
            if line != "to:":
                continue
            here = lines[number:lines.index("action: ALLOW", number)]
            field = lambda key: next((json.loads(one.split(": ", 1)[1]) for one in here if one.startswith(key)), [])
            for name in (json.loads(one[2:]) for one in here if one.startswith("- ")):
                for port in field("ports:"):
                    rules.add((name, port, tuple(field("methods:")), tuple(field("path_prefixes:"))))
        return rules
