"""What is told of tunnels that are inspected: how leaves were come by, and how long it took; and,
where somebody asks for them, the secrets of its TLS."""
import json
import os
import signal
import ssl
import tempfile

from mitm_case import MitmCase
from waiting import until


class Told(MitmCase):
    def leaves(self):
        return {result: self.egret.metric("egret_leaves_total", result=result)
                for result in ("cached", "minted", "waited", "failed")}

    def test_leaves_are_counted_by_how_they_were_come_by(self):
        self.start_mitm(hosts={name: ["127.0.0.1"] for name in ("origin.test", "a.more.test")})
        origin = self.tls_origin()
        for name in ("origin.test", "a.more.test", "origin.test"):
            self.assert_ok(self.get_inside(self.inside(origin, name=name), origin, name=name))
        self.assertEqual(self.leaves(), {"cached": 1, "minted": 2, "waited": 0, "failed": 0})
        self.assertEqual(self.egret.metric("egret_leaves_cached"), 2)

    def test_the_time_that_inspection_took_is_told(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                origin = self.tls_origin()
                client = self.inside(origin)
                self.assert_ok(self.get_inside(client, origin))
                client.close()
                took = self.egret.one_line(kind="tunnel")["inspect_ms"]
                series = self.egret.metrics()
                self.assertEqual(series["egret_inspect_duration_seconds_count"], 1)
                self.assertAlmostEqual(series["egret_inspect_duration_seconds_sum"], took / 1000)

    def test_no_time_is_told_of_a_tunnel_that_was_not_decrypted(self):
        self.start_mitm()
        plain = self.origin()
        client = self.tunnel(plain)
        self.assert_ok(self.get_inside(client, plain))
        client.close()
        self.assertNotIn("inspect_ms", self.egret.one_line(kind="tunnel"))
        self.assertEqual(self.egret.metrics()["egret_inspect_duration_seconds_count"], 0)


class Secrets(MitmCase):
    """debug.tls_key_log, and how loud it is."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")), "keys")

    def lines(self):
        with open(self.path) as f:
            return f.read().splitlines()

    def one_request(self, origin):
        client = self.inside(origin)
        self.assert_ok(self.get_inside(client, origin))
        client.close()

    def test_the_secrets_of_both_sides_and_of_both_versions_are_written(self):
        self.start_mitm(top={"debug": {"tls_key_log": {"path": self.path}}})
        theirs = os.path.join(self.folder, "theirs")
        for version in ("TLSv1_3", "TLSv1_2"):
            def log_theirs(context):
                context.keylog_filename = theirs
                context.maximum_version = ssl.TLSVersion[version]
            origin = self.tls_origin(adjust=log_theirs)
            context = self.client_context(("http/1.1",))
            context.keylog_filename = theirs
            context.maximum_version = ssl.TLSVersion[version]
            client = self.inside(origin, context=context)
            self.assert_ok(self.get_inside(client, origin))
            client.close()
        with open(theirs) as f:  # what the two peers of the proxy know is what it knows
            known = {line for line in f.read().splitlines() if not line.startswith("#")}
        self.assertEqual({line.split()[0] for line in known}, {
            "CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"})
        self.assertEqual(set(self.lines()), known)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_it_is_loud(self):
        self.start_mitm(top={"debug": {"tls_key_log": {"path": self.path}}})
        self.assertIn("can decrypt all TLS of this proxy", self.egret.stderr())
        said = "warning: the secrets of all TLS connections are written to " + self.path
        self.assertEqual(self.egret.stderr().count(said), 1)
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.stderr().count(said) == 2, "it to be said again")
        self.assertEqual(self.egret.metric("egret_tls_key_log_active"), 1)
        self.assertIn("written to a file (debug.tls_key_log)", self.egret.get("/")[1])
        self.assertEqual(json.loads(self.egret.get("/inspection")[1])["tls_key_log"], self.path)

    def test_nothing_is_written_by_default_nor_because_of_the_environment(self):
        os.environ["SSLKEYLOGFILE"] = self.path
        self.addCleanup(os.environ.pop, "SSLKEYLOGFILE")
        self.start_mitm()
        self.one_request(self.tls_origin())
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(self.egret.metric("egret_tls_key_log_active"), 0)
        self.assertNotIn("tls_key_log", self.egret.get("/")[1])
        self.assertNotIn("tls_key_log", self.egret.get("/inspection")[1])

    def test_a_file_that_others_may_read_gets_nothing_and_traffic_goes_on(self):
        with open(self.path, "w"):
            os.chmod(self.path, 0o644)
        self.start_mitm(top={"debug": {"tls_key_log": {"path": self.path}}})
        self.one_request(self.tls_origin())
        self.assertEqual(self.lines(), [])
        self.assertIn("others may open it", self.egret.stderr())
        self.assertEqual(self.egret.metric("egret_tls_key_log_active"), 0)
