"""Who a proxy is, and what it may have: the control plane behind client certificates."""
import os
import shutil
import subprocess
import tempfile
import unittest

import grpc

from certificates import openssl
from control_plane import Control, Library, listener
from fake_ads import Request, Response, URL, message
from harness import allow
from waiting import SECONDS

SANS = {"server": "IP:127.0.0.1", "p1": "URI:spiffe://egress.test/web/p1", "p2": "DNS:p2.web", "any": "DNS:*.web",
        "viewer": "URI:spiffe://egress.test/operators/ann", "operator": "URI:spiffe://egress.test/operators/bob"}


def make_certificates(folder):
    """FOLDER/ca.pem, and NAME.pem and NAME.key for each of SANS."""
    with open(os.path.join(folder, "x509.cnf"), "w") as f:
        f.write("[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n")
        for name, san in SANS.items():
            f.write("[%s]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth, clientAuth\n"
                    "subjectAltName = %s\n" % (name, san))
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    signed = ["x509", "-req", "-days", "30", "-extfile", "x509.cnf"]
    for name in ("ca", *SANS):
        openssl(folder, "req", "-new", *new_key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        by = ["-signkey", "ca.key"] if name == "ca" else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        openssl(folder, *signed, "-in", name + ".csr", *by, "-extensions", name, "-out", name + ".pem")


class Client:
    """One stream of discovery. `name`: whose certificate it shows; None: it speaks in clear."""

    def __init__(self, address, credentials):
        self.channel = (grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address))
        self.call = self.channel.stream_stream(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
            request_serializer=Request.SerializeToString, response_deserializer=Response.FromString)

    def report(self, node, cluster):
        """The code with which the stream of reports ends, or None: it does not."""
        report = message("egret.control.v1.Report")()
        report.node.id, report.node.cluster = node, cluster
        call = self.channel.stream_stream("/egret.control.v1.Fleet/Connect",
                                          request_serializer=type(report).SerializeToString,
                                          response_deserializer=message("egret.control.v1.Command").FromString)
        try:
            return next(call(iter([report]), timeout=SECONDS), None)  # no command: in order
        except grpc.RpcError as e:
            return e.code()

    def ask(self, node, cluster, kind, *names):
        """The first response; or the code with which the stream ends."""
        request = Request(type_url=URL + "egret.config.v1." + kind, resource_names_subscribe=names)
        request.node.id, request.node.cluster = node, cluster
        try:
            return next(self.call(iter([request]), timeout=SECONDS))
        except grpc.RpcError as e:
            return e.code()


class ControlTlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        make_certificates(cls.folder)
        cls.library = Library()
        secrets = [{"name": name, "credential": {"inline_string": "user:word"}} for name in ("used", "unused")]
        with_parent = listener()
        with_parent["filters"][0]["http_connection"]["filters"][2] = {"forward_router": {"upstream": "parent"}}
        cls.library.put("web", listeners=[with_parent], policies=[{"name": "web", "rules": [allow()]}], secrets=secrets,
                        upstreams=[{"name": "parent",
                                    "http_proxy": {"address": "parent.test:3128", "credential": "used"}}])
        cls.library.put("other", listeners=[listener(policies=["p"])], policies=[{"name": "p", "rules": [allow()]}])
        path = lambda name: os.path.join(cls.folder, name)  # noqa: E731
        tls = ["--tls-cert", path("server.pem"), "--tls-key", path("server.key"), "--client-ca", path("ca.pem")]
        cls.library.put("web/next", listeners=[with_parent], policies=[{"name": "web", "rules": [allow("other")]}],
                        secrets=secrets, upstreams=[{"name": "parent", "http_proxy": {"address": "parent.test:3128"}}])
        rollouts = path("rollouts")
        os.mkdir(rollouts)
        cls.control = Control(cls.library, arguments=[
            *tls, "--control", "127.0.0.1:0", "--viewers", SANS["viewer"][4:], "--operators", SANS["operator"][4:],
            "--rollouts", rollouts])

    @classmethod
    def tearDownClass(cls):
        cls.control.end()
        cls.library.delete()
        shutil.rmtree(cls.folder)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()

    def client(self, name):
        client = Client(self.control.address, grpc.ssl_channel_credentials(
            self.read("ca.pem"), self.read(name + ".key"), self.read(name + ".pem")))
        self.addCleanup(client.channel.close)
        return client

    def test_a_proxy_is_who_its_certificate_says(self):
        self.assertEqual([r.name for r in self.client("p1").ask("p1", "web", "Listener", "*").resources], ["egress"])
        self.assertEqual([r.name for r in self.client("p2").ask("p2", "web", "Listener", "*").resources], ["egress"])
        self.assertEqual([r.name for r in self.client("any").ask("p3", "web", "Listener", "*").resources], ["egress"])
        for name, node, cluster in (("p1", "p2", "web"), ("p1", "p1", "other"), ("p2", "p1", "web"),
                                    ("viewer", "p1", "web"), ("any", "p1", "other")):
            self.assertEqual(self.client(name).ask(node, cluster, "Listener", "*"), grpc.StatusCode.PERMISSION_DENIED)

    def test_nobody_reports_for_another(self):
        for name, node, cluster in (("p1", "p2", "web"), ("p1", "p1", "other"), ("viewer", "p1", "web")):
            self.assertEqual(self.client(name).report(node, cluster), grpc.StatusCode.PERMISSION_DENIED)
        self.client("p2").ask("p2", "web", "Listener", "*")
        self.assertIsNone(self.client("p2").report("p2", "web"))

    def test_nobody_is_served_without_a_certificate(self):
        client = Client(self.control.address, grpc.ssl_channel_credentials(self.read("ca.pem")))
        self.addCleanup(client.channel.close)
        self.assertEqual(client.ask("p1", "web", "Listener", "*"), grpc.StatusCode.UNAVAILABLE)

    def test_secrets_are_for_those_who_need_them(self):
        response = self.client("p1").ask("p1", "web", "Secret", "used", "unused")
        self.assertEqual(([r.name for r in response.resources], list(response.removed_resources)), (["used"], ["unused"]))
        self.assertEqual(list(self.client("p1").ask("p1", "web", "Secret", "*").resources), [])

    def test_secrets_do_not_travel_in_clear(self):
        control = Control(self.library)
        self.addCleanup(control.end)
        client = Client(control.address, None)
        self.addCleanup(client.channel.close)
        response = client.ask("p1", "web", "Secret", "used")
        self.assertEqual((list(response.resources), list(response.removed_resources)), ([], ["used"]))

    def test_who_has_no_group_or_no_name_is_told(self):
        control = Control(self.library)
        self.addCleanup(control.end)
        for node, cluster, code in (("p1", "nobody", grpc.StatusCode.NOT_FOUND),
                                    ("", "web", grpc.StatusCode.INVALID_ARGUMENT)):
            client = Client(control.address, None)
            self.addCleanup(client.channel.close)
            self.assertEqual(client.ask(node, cluster, "Listener", "*"), code)

    def egretctl(self, name, *words):
        path = lambda file: os.path.join(self.folder, file)  # noqa: E731
        return subprocess.run([os.environ["EGRETCTL"], *words, "--control", self.control.operators, "--tls-ca",
                               path("ca.pem"), "--tls-cert", path(name + ".pem"), "--tls-key", path(name + ".key")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_only_viewers_see_the_fleet(self):
        run = self.egretctl("viewer", "status")
        self.assertIn("web ", run.stdout, run.stderr)
        run = self.egretctl("p1", "status")
        self.assertEqual((run.returncode, run.stdout), (3, ""))
        self.assertIn("--viewers", run.stderr)

    def test_only_operators_command(self):
        advance = ("rollout", "advance", "--group", "web", "--percent", "1")
        for words in (advance, ("rollout", "halt", "--group", "web")):
            run = self.egretctl("viewer", *words)
            self.assertEqual((run.returncode, run.stdout), (1, ""))
            self.assertIn("--operators", run.stderr)
        self.assertIn("--operators", self.egretctl("viewer", "drain", "--group", "web").stderr)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "candidate.yaml"), "w") as f:
                f.write("policies: [{name: web}]\n")
            run = self.egretctl("viewer", "preview", folder, "--group", "web")
            self.assertEqual((run.returncode, run.stdout), (1, ""))
            self.assertIn("--operators", run.stderr)
            self.assertIn("no proxy", self.egretctl("operator", "preview", folder, "--group", "web").stderr)
        run = self.egretctl("viewer", "tail", "--group", "web")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("--operators", run.stderr)
        self.assertIn("not begun", self.egretctl("viewer", "rollout", "status").stdout)
        run = self.egretctl("operator", *advance)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("goes on", run.stdout)


if __name__ == "__main__":
    unittest.main()
