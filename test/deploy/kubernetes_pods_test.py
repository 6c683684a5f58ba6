"""The pods of deploy/kubernetes, run as a kubelet would run them: their files, arguments, ports, probes and certificates,
what a changed ConfigMap or Secret does to them, and the variables of a namespace."""
import json
import os
import shutil
import ssl
import subprocess
import unittest

from dns_server import DnsServer
from interop import program
from issued import Issued, issue, key_pem, pem
from netns import NetnsCase, public
from origins import OK, ScriptedOrigin, reply
from pod import Pod
from rendered import objects, pod_template
from waiting import SECONDS, until

PUBLIC = "9.1.1.1"
NAMES = {name: [PUBLIC] for name in ("example.com", "www.example.com", "elsewhere.test")}
CONTROL = "egret-control.egret-system.svc"
LEAF = {"privateKey": {"algorithm": "ECDSA", "size": 256}, "duration": "24h", "usages": ["digital signature", "server auth"]}
ROOT = {"privateKey": {"algorithm": "ECDSA", "size": 256}, "duration": "24h", "usages": ["cert sign"], "isCA": True,
        "commonName": "Public root"}
JAVA = """
import java.net.*;
public class Fetch {
  public static void main(String[] args) throws Exception {
    for (String url : args) System.out.print(((HttpURLConnection) new URL(url).openConnection()).getResponseCode() + " ");
  }
}
"""
CLOSING = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")


def setUpModule():
    program("kubernetes", "tools/kubernetes")


class PodCase(NetnsCase):
    def setUp(self):
        probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        if probe.returncode:
            self.skipTest("nothing can be mounted here: " + probe.stdout.strip())
        public(PUBLIC)
        self.dns = DnsServer({**NAMES, CONTROL: ["127.0.0.1"]}, port=53)
        self.addCleanup(self.dns.close)
        self.clear_origin()
        self.folder = os.environ["TEST_TMPDIR"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def clear_origin(self):
        origin = ScriptedOrigin(reply(OK), host=PUBLIC, port=80)
        self.addCleanup(origin.close)

    def secured_origin(self):
        """On port 443, believed by whoever has the root in SSL_CERT_FILE; gives the environment that says so."""
        root, key = issue(ROOT, None)
        leaf, leaf_key = issue({**LEAF, "dnsNames": ["example.com", "www.example.com"]}, (root, key))
        for name, content in (("public.pem", pem(root)), ("origin.pem", pem(leaf) + key_pem(leaf_key))):
            with open(self.path(name), "wb") as f:
                f.write(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("origin.pem"))

        def script(connection):
            with context.wrap_socket(connection.sock, server_side=True) as secured:
                if secured.recv(65536):
                    secured.sendall(CLOSING)
        origin = ScriptedOrigin(script, host=PUBLIC, port=443)
        self.addCleanup(origin.close)
        return {"SSL_CERT_FILE": self.path("public.pem")}

    def pod(self, *where, **how):
        pod = Pod(*where, **how)
        self.addCleanup(pod.kill)
        return pod

    def curl(self, url, *more, variables=None, prefix=()):
        """Status that curl tells, or its own; with the variables of a workload, by default the shop's."""
        if variables is None:
            client = pod_template(self.shop.one("Deployment", "client"))["spec"]["containers"][0]
            variables = {one["name"]: one["value"] for one in client["env"]}
        run = subprocess.run(
            [*prefix, "curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code} %{http_connect}", "--resolve",
             "egret.egret-system.svc:3128:127.0.0.1", *more, url], env={"PATH": os.environ["PATH"], **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = run.stderr
        code, connect = run.stdout.split()
        return int(code) or int(connect) or -run.returncode

    def await_curl(self, status, *where, **how):
        until(lambda: self.curl(*where, **how) == status, lambda: "%d of %r; the last: %s" % (status, where, self.said))

    def deny_all(self, of):
        """Puts a policy that allows nothing into the ConfigMap."""
        policies = of.one("ConfigMap", "egret-resources")["data"]
        self.assertIn("name: egress", policies["policies.yaml"])
        policies["policies.yaml"] = "policies:\n- {name: egress}\n"


class Base(PodCase):
    def test_it_is_ready_serves_the_shop_and_goes_by_what_the_config_map_says_next(self):
        base, self.shop = objects("base"), objects("examples/shop")
        egret = self.pod(base, "Deployment", "egret")
        egret.await_probes()
        self.assertEqual(self.curl("http://example.com/"), 200)
        self.assertEqual(self.curl("http://elsewhere.test/"), 403)
        self.assertEqual(self.curl("https://elsewhere.test/"), 403)
        self.assertEqual(self.dns.asked("elsewhere.test"), [])
        # Inside the cluster it goes by itself: Egret would refuse it.
        for name in ("web.shop.svc", "web.shop.svc.cluster.local", "kubernetes.default"):
            self.assertEqual(self.curl("http://%s/" % name, "--resolve", "%s:80:%s" % (name, PUBLIC)), 200, name)
        self.deny_all(base)
        egret.sync()
        self.await_curl(403, "http://example.com/")

    def test_the_metrics_port_tells_what_the_scaler_and_the_pod_monitor_ask_for_and_the_admin_is_not_there(self):
        base = objects("base")
        egret = self.pod(base, "Deployment", "egret")
        egret.await_probes()
        endpoint = base.one("PodMonitor", "egret")["spec"]["podMetricsEndpoints"][0]
        status, text = egret.get(endpoint["port"], endpoint["path"])
        self.assertEqual(status, 200)
        wanted = [m["pods"]["metric"]["name"] for m in base.one("HorizontalPodAutoscaler", "egret")["spec"]["metrics"]
                  if "pods" in m]
        self.assertEqual(wanted, ["egret_tunnels_active"])
        self.assertIn("\n%s 0\n" % wanted[0], text)
        self.assertEqual(egret.get("metrics", "/config_dump")[0], 404)
        asked = subprocess.run([os.environ["EGRETCTL"], "config", "--admin", "unix:%s/admin.sock" % egret.volume("run")],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(asked.returncode, 0, asked.stdout)
        info = egret_info(egret)
        self.assertEqual((info["node_id"], info["node_cluster"], info["workers"]), ("egret-5d9c7b-x2x4z", "egress", 2))


def egret_info(pod):
    run = subprocess.run(["curl", "-sS", "--unix-socket", pod.volume("run") + "/admin.sock", "http://localhost/server_info"],
                         stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


class ControlPlane(PodCase):
    def both(self, name, **how):
        self.set, self.shop = objects(name), objects("examples/shop")
        self.issued = Issued(self.set)
        self.control = self.pod(self.set, "Deployment", "egret-control", self.issued.secrets)
        self.egret = self.pod(self.set, "Deployment", "egret", self.issued.secrets, **how)
        for pod in (self.control, self.egret):
            pod.await_probes()

    def egretctl(self, *words):
        run = subprocess.run([os.environ["EGRETCTL"], *words, "--control", "unix:%s/control.sock" % self.control.volume("run")],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.returncode, run.stdout

    def test_it_pushes_what_its_config_map_says_to_proxies_that_its_certificates_name(self):
        self.both("overlays/control-plane")
        self.assertEqual(self.curl("http://example.com/"), 200)
        until(lambda: self.egretctl("status")[0] == 0, lambda: self.egretctl("status"))
        self.assertRegex(self.egretctl("status")[1], r"egret-5d9c7b-x2x4z +egress +in force")
        self.deny_all(self.set)
        self.control.sync()
        self.await_curl(403, "http://example.com/")

    def test_a_proxy_that_waits_for_it_is_alive_and_not_ready(self):
        rendered = objects("overlays/control-plane")
        egret = self.pod(rendered, "Deployment", "egret", Issued(rendered).secrets)
        until(lambda: egret.probe("livenessProbe")[0] == 200, lambda: egret.output(), alive=egret.assert_running)
        self.assertEqual(egret.probe("readinessProbe")[0], 503)

    def test_a_proxy_comes_back_by_another_ca_and_its_new_certificate(self):
        self.both("overlays/control-plane")
        self.control.kill()
        for name in ("egret-control-ca", "egret-control-tls", "egret-xds-tls"):
            self.issued.renew(name)
        self.deny_all(self.set)
        self.egret.sync()
        self.control = self.pod(self.set, "Deployment", "egret-control", self.issued.secrets)
        self.await_curl(403, "http://example.com/")

    def test_a_next_release_goes_out_when_an_operator_says_so(self):
        environment = self.secured_origin()
        self.both("overlays/full", environment=environment)
        shown = {"metadata": {"namespace": "egret-system", "name": "egret-next"}, "kind": "ConfigMap",
                 "data": dict(self.set.one("ConfigMap", "egret-resources")["data"])}
        shown["data"]["policies.yaml"] = "policies:\n- {name: egress}\n"
        self.set.all.append(shown)
        self.control.sync()
        until(lambda: 'egret_control_rollout_percent{group="egress"} 0' in self.control.get("metrics", "/metrics")[1],
              lambda: self.control.output())
        self.assertEqual(self.curl("http://example.com/"), 200)
        code, said = self.egretctl("preview", self.control.volume("egress") + "/next", "--group", "egress", "--for", "1s")
        self.assertIn(code, (0, 4), said)
        code, said = self.egretctl("rollout", "advance", "--group", "egress", "--percent", "100")
        self.assertEqual(code, 0, said)
        self.await_curl(403, "http://example.com/")


class Interception(PodCase):
    def intercept(self, name):
        self.environment = self.secured_origin()
        self.set, self.shop = objects(name), objects("examples/shop-inspected")
        self.issued = Issued(self.set)

    def issuer(self):
        """Of the certificate that a client sees: CA's name and serial number."""
        run = subprocess.run(["openssl", "s_client", "-proxy", "127.0.0.1:3128", "-connect", "example.com:443", "-servername",
                              "example.com", "-showcerts"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
        return run.stdout

    def bundle(self):
        """What trust-manager puts into the ConfigMap egret-ca: here without the public roots, so that what is believed is
        the CA's root alone."""
        with open(self.path("ca.crt"), "wb") as f:
            for source in self.set.one("Bundle", "egret-ca")["spec"]["sources"]:
                if "secret" in source:
                    f.write(self.issued.secrets["cert-manager", source["secret"]["name"]][source["secret"]["key"]])
        client = pod_template(self.shop.one("Deployment", "client"))["spec"]["containers"][0]
        variables = {one["name"]: one["value"] for one in client["env"]}
        self.assertEqual(variables["CURL_CA_BUNDLE"], "/etc/egret-ca/ca.crt")
        return {name: self.path("ca.crt") if value == "/etc/egret-ca/ca.crt" else value for name, value in variables.items()}

    def test_requests_are_read_clients_believe_the_root_and_the_ca_is_renewed_under_them(self):
        self.intercept("overlays/interception")
        egret = self.pod(self.set, "Deployment", "egret", self.issued.secrets, environment=self.environment)
        egret.await_probes()
        variables = self.bundle()
        self.assertEqual(self.curl("https://example.com/", variables=variables), 200, self.said)
        self.assertEqual(self.curl("https://example.com/", "-d", "secret", variables=variables), 403)
        self.assertNotIn("warning", egret.output())
        first = self.issuer()
        self.assertIn("Egret interception", first)
        self.issued.renew("egret-ca")
        egret.sync()
        encoded = self.issued.secrets["egret-system", "egret-ca"]["tls.crt"].decode().split("\n")[1]
        self.assertNotIn(encoded, first)
        until(lambda: encoded in self.issuer(), lambda: "the new CA; " + egret.output())
        self.assertEqual(self.curl("https://example.com/", variables=variables), 200, self.said)

    def test_java_goes_out_by_variables_of_its_own(self):
        if not shutil.which("keytool"):
            self.skipTest("no Java here")
        self.intercept("overlays/interception")
        egret = self.pod(self.set, "Deployment", "egret", self.issued.secrets, environment=self.environment)
        variables = self.bundle()
        formats = self.set.one("Bundle", "egret-ca")["spec"]["target"]["additionalFormats"]["pkcs12"]
        subprocess.run(["keytool", "-importcert", "-noprompt", "-file", self.path("ca.crt"), "-keystore", self.path("ca.p12"),
                        "-storetype", "PKCS12", "-storepass", formats["password"]], check=True, stderr=subprocess.DEVNULL)
        for name, text in (("Fetch.java", JAVA), ("hosts", "127.0.0.1 egret.egret-system.svc\n")):
            with open(self.path(name), "w") as f:
                f.write(text)
        store = "/etc/egret-ca/" + formats["key"]
        variables["JDK_JAVA_OPTIONS"] = variables["JDK_JAVA_OPTIONS"].replace(store, self.path("ca.p12"))
        egret.await_probes()
        run = subprocess.run(["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Djdk.net.hosts.file=" + self.path("hosts"),
                              "Fetch.java", "https://example.com/", "http://elsewhere.test/"], cwd=self.folder,
                             env={"PATH": os.environ["PATH"], **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        self.assertEqual(run.stdout, "200 403 ", run.stderr)

    def test_with_a_control_plane_the_ca_stays_in_the_pod(self):
        self.intercept("overlays/full")
        control = self.pod(self.set, "Deployment", "egret-control", self.issued.secrets)
        egret = self.pod(self.set, "Deployment", "egret", self.issued.secrets, environment=self.environment)
        for pod in (control, egret):
            pod.await_probes()
        variables = self.bundle()
        self.assertEqual(self.curl("https://example.com/", variables=variables), 200, self.said)
        self.assertEqual(self.curl("https://example.com/", "-d", "secret", variables=variables), 403)


if __name__ == "__main__":
    unittest.main()
