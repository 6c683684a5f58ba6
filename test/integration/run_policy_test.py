"""egret run: --policy, and what it looks into."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from origins import ScriptedOrigin
from run_case import ASK, CLOSING, OWN_FAILURE, RunCase, egret, run, setUpModule


class ByPolicy(RunCase):
    """--policy, and what it looks into."""
    RULE = {"name": "reads", "action": "ALLOW", "reaches_private": ["127.0.0.0/8"],
            "to": {"domains": ["origin.test"], "port_ranges": [{"first": 1, "last": 65535}]}}

    def policy(self, rule, name="policy.yaml"):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, name)
        with open(path, "w") as f:
            json.dump({"policies": [{"name": "ci", "rules": [rule]}]}, f, indent=1)
        return path

    def secret_origin(self):
        certificates, secure = self.certificates()

        def answer(connection):
            with secure.wrap_socket(connection.sock, server_side=True) as secured:
                if secured.recv(65536):
                    secured.sendall(CLOSING)
        origin = ScriptedOrigin(answer)
        self.addCleanup(origin.close)
        return origin, certificates

    def test_requests_within_tls_are_judged(self):
        origin, certificates = self.secret_origin()
        url = "https://origin.test:%d/" % origin.port
        for policy in (self.policy({**self.RULE, "http": {"methods": ["GET"]}}),
                       os.path.dirname(self.policy({**self.RULE, "http": {"methods": ["GET"]}}))):
            script = "curl -sS %s; curl -sS -d x %s" % (url, url)
            done = self.outside("--policy", policy, "--", "sh", "-c", script, roots=certificates.ca)
            self.assertRegex(done.stdout, "^okEgret refused this request: The policy does not allow this", done.stderr)

    def test_within_that_of_programs_that_go_past_the_proxy_as_well(self):
        origin, certificates = self.secret_origin()
        policy = self.policy({**self.RULE, "http": {"methods": ["GET"]}})
        program = ASK + ("import ssl\n"
                         "for method in ('GET', 'PUT'):\n"
                         "    one = socket.create_connection((ask('origin.test'), %d))\n"
                         "    one = ssl.create_default_context().wrap_socket(one, server_hostname='origin.test')\n"
                         "    one.send(b'%%s / HTTP/1.0\\r\\nHost: origin.test:%d\\r\\n\\r\\n' %% method.encode())\n"
                         "    print(one.recv(100).split(b'\\r')[0])\n") % (origin.port, origin.port)
        done = self.outside("--policy", policy, "--", sys.executable, "-c", program, roots=certificates.ca)
        if "reach nothing at all" in done.stderr:
            self.skipTest(done.stderr)
        self.assertRegex(done.stdout, "200 OK'\nb'HTTP/1.. 403 ", done.stderr)

    def test_the_ca_is_believed_within_and_is_nowhere_else(self):
        script = 'env | grep -c "=$SSL_CERT_FILE$"; tail -1 "$SSL_CERT_FILE"; grep -c PRIVATE "$SSL_CERT_FILE"; cat "$SSL_CERT_FILE"'
        with open("/etc/ssl/certs/ca-certificates.crt") as f:
            before = f.read()
        done = run("--policy", self.policy({**self.RULE, "inspection": "REQUIRED"}), "--", "sh", "-c", script)
        count, last, secrets, *bundle = done.stdout.splitlines()
        self.assertEqual((last, secrets), ("-----END CERTIFICATE-----", "0"))
        self.assertGreaterEqual(int(count), 10)
        self.assertTrue("\n".join(bundle).startswith(before.strip()))
        self.assertGreater(len(bundle), len(before.splitlines()))
        with open("/etc/ssl/certs/ca-certificates.crt") as f:
            self.assertEqual(f.read(), before)

    def test_where_java_has_no_store_for_all_its_programs_there_is_one(self):
        """In an empty folder, of which there has to be one, and in this run alone."""
        script = ("for option in $JAVA_TOOL_OPTIONS; do case $option in *trustStore=*) echo \"${option#*=}\"; "
                  "openssl pkcs12 -in \"${option#*=}\" -nokeys -nomacver -passin pass: | grep -c BEGIN; touch /mnt/x; esac; done")
        hide = "for there in /etc/ssl/certs/java /mnt; do if [ -d $there ]; then mount -t tmpfs none $there; fi; done; "
        policy = self.policy({**self.RULE, "inspection": "REQUIRED"})
        done = subprocess.run(["unshare", "-rm", "sh", "-c", hide + '"$@"; ls /mnt', "sh",
                               *egret("--policy", policy, "--", "sh", "-c", script)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        where, count, *rest = done.stdout.splitlines()
        self.assertRegex(where, r"^/(mnt|media|srv)/roots\.p12$")
        self.assertGreater(int(count), 1)
        self.assertEqual(rest, [])
        self.assertIn("Read-only", done.stderr)

    def test_where_nothing_is_looked_into_clients_believe_whom_they_did(self):
        done = run("--policy", self.policy(self.RULE), "--", "sh", "-c", "echo ${SSL_CERT_FILE-none}; mount",
                   env={name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"})
        self.assertTrue(done.stdout.startswith("none\n"), done.stdout)
        self.assertNotIn("ca-certificates", done.stdout)

    def test_what_is_wrong_with_a_policy_is_told_before_anything_runs(self):
        bad = self.policy({**self.RULE, "action": "PERHAPS"})
        listeners = self.policy(self.RULE)
        with open(listeners, "w") as f:
            f.write('{"listeners": []}')
        for arguments, why in ((("--policy", bad), r"policy.yaml:\d+:\d+ policies\[0\]"), (("--policy", "/nowhere"), "No such file"),
                               (("--policy", listeners), "no policy in it"),
                               (("--policy", self.policy(self.RULE), "--allow", "a.test"), "either that, or --allow"),
                               (("--no-fence", "--policy", self.policy({**self.RULE, "inspection": "REQUIRED"})),
                                "looks into TLS")):
            done = run(*arguments, "--", "echo", "x")
            self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""), arguments)
            self.assertRegex(done.stderr, why)


if __name__ == "__main__":
    unittest.main()
