"""Clients that know of no proxy, turned to a transparent listener by nftables. Row T22 of the catalogue. The client is
in a network namespace behind a veth pair, so that what Egret itself dials is not turned again:

    client 10.99.0.2, fd99::2 -- veth -- 10.99.0.1, fd99::1: nftables, Egret; origins on public addresses of lo"""
import os
import ssl
import subprocess
import tempfile
import threading
import unittest

from certificates import Certificates
from dns_server import DnsServer
from netns import NetnsCase, ip, nft, public
from origins import OK, ScriptedOrigin, reply
from reload_case import Reloading
from waiting import SECONDS, until

ONE, ELSEWHERE, SIX = "9.1.1.1", "9.8.8.8", "2620:fe::9"
NAMES = {"origin.test": [ONE], "denied.test": [ONE]}
RULES = ({"name": "closed", "action": "DENY", "to": {"domains": ["denied.test"]}},
         {"name": "public-web", "action": "ALLOW"})
CLOSING = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
ALERT = 35  # curl: the handshake failed


def tls(context):
    def script(connection):
        with context.wrap_socket(connection.sock, server_side=True) as secured:
            if secured.recv(65536):
                secured.sendall(CLOSING)
    return script


class Turned(Reloading, NetnsCase):
    mode = "REDIRECT"

    def setUp(self):
        holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.inside = "/proc/%d/ns/net" % holder.pid
        until(lambda: os.readlink(self.inside) != os.readlink("/proc/self/ns/net"), "the client's namespace")
        ip("link add veth0 type veth peer name veth1 netns %d" % holder.pid)
        ip("addr add 10.99.0.1/24 dev veth0")
        ip("addr add fd99::1/64 dev veth0 nodad")
        ip("link set veth0 up")
        for words in ("link set lo up", "addr add 10.99.0.2/24 dev veth1", "addr add fd99::2/64 dev veth1 nodad",
                      "link set veth1 up", "route add default via 10.99.0.1", "-6 route add default via fd99::1"):
            self.as_client("ip", *words.split(), check=True)
        public(ONE, SIX + "/128")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.certificates = Certificates(folder.name)
        self.secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.secure.load_cert_chain(self.certificates.certificate, self.certificates.key)

    def as_client(self, *command, **how):
        return subprocess.run(["nsenter", "--net=" + self.inside, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=40, **how)

    def curl(self, url, at=None, *more):
        """`at`: the address that the client's own resolver would have given."""
        host, port = url.split("/")[2], "443" if url.startswith("https") else "80"
        pinned = ["--resolve", "%s:%s:%s" % (host, port, at)] if at else []
        return self.as_client("curl", "-sS", "--max-time", "20", "--cacert", self.certificates.ca, *pinned, *more, url)

    def listen(self, *rules, names=None, inspector=None, top=None, **listener):
        """Egret with a transparent listener and everything from the client turned to it. `top`: more of the file."""
        self.dns = DnsServer(names or NAMES)
        self.addCleanup(self.dns.close)
        http = {"filters": [{"egress_policy": {}}, {"forward_router": {}}]}
        chains = [{"name": "relayed", "match": {"verdict": "RELAY"}, "filters": [{"tcp_relay": {}}]},
                  {"name": "clear", "match": {"verdict": "INSPECT", "protocol": "HTTP"},
                   "filters": [{"http_connection": http}]}]
        looks = [{"tls_inspector": inspector or {}}, {"egress_policy": {"policy": "web"}}]
        self.start_config({
            "listeners": [{"name": "egress", "address": "[::]:0", "transparent": self.mode, "listener_filters": looks,
                           "filter_chains": chains, **listener}],
            "policies": [{"name": "web", "rules": list(rules) or list(RULES)}],
            "resolver": {"servers": [self.dns.address]},
            "workers": 2, **(top or {})})
        self.turn(self.egret.address[1])

    def turn(self, port):
        nft("add table inet turn")
        nft("add chain inet turn pre { type nat hook prerouting priority dstnat ; }")
        nft("add rule inet turn pre iifname veth0 meta l4proto tcp redirect to :%d" % port)

    def origins(self):
        """(clear, secured): on ports 80 and 443 of both public addresses."""
        made = []
        for port, script in ((80, reply(OK)), (443, tls(self.secure))):
            for host in (ONE, SIX):
                made.append(ScriptedOrigin(script, host=host, port=port))
                self.addCleanup(made[-1].close)
        return made

    def assert_line(self, original, **fields):
        line = self.egret.one_line(original_destination=original, **fields)
        self.assertTrue(line["source"].startswith(("10.99.0.2:", "[fd99::2]:")), line)
        return line

    def test_clear_http_goes_to_the_host_that_each_request_names(self):
        self.origins()
        self.listen()
        run = self.curl("http://origin.test/", ONE)
        self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assert_line(ONE + ":80", target="origin.test:80", kind="request", rule="public-web", upstream=ONE + ":80")
        run = self.curl("http://denied.test/", ONE, "-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(run.stdout, "403")
        self.assert_line(ONE + ":80", target="denied.test:80", rule="closed", detail="policy_denied")
        self.assertEqual(self.dns.asked("denied.test"), [])

    def test_requests_of_one_connection_are_judged_one_by_one(self):
        self.origins()
        self.listen()
        run = self.as_client("curl", "-sS", "--max-time", "20", "-w", " %{http_code} %{num_connects}\\n",
                             "-H", "Host: origin.test", "http://%s/" % ONE, "--next", "-sS", "-w",
                             "%{http_code} %{num_connects}\\n", "-o", "/dev/null", "-H", "Host: denied.test",
                             "http://%s/" % ONE)
        self.assertEqual(run.stdout, "ok 200 1\n403 0\n")
        run = self.curl("http://origin.test/", ONE, "-o", "/dev/null", "-w", "%{http_code}", "-H",
                        "Host: origin.test:8080")
        self.assertEqual(run.stdout, "421")

    def test_tls_is_relayed_to_the_name_that_it_shows(self):
        self.origins()
        self.listen()
        run = self.curl("https://origin.test/", ONE)
        self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assert_line(ONE + ":443", target="origin.test:443", sni="origin.test", carries="tls", kind="tunnel",
                         rule="public-web", decision="allow", upstream=ONE + ":443")
        run = self.curl("https://denied.test/", ONE)
        self.assertEqual(run.returncode, ALERT, run.stdout)
        self.assert_line(ONE + ":443", target="denied.test:443", sni="denied.test", rule="closed",
                         detail="policy_denied")
        self.assertEqual(self.dns.asked("denied.test"), [])

    def through_a_parent(self, resolve, asked):
        def parent(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            tls(self.secure)(connection)
        hop = ScriptedOrigin(parent)
        self.addCleanup(hop.close)
        self.listen(upstream="parent", top={"upstreams": [{
            "name": "parent", "http_proxy": {"address": "127.0.0.1:%d" % hop.port}, "resolve": resolve}]})
        run = self.curl("https://origin.test/", ONE)
        self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assert_line(ONE + ":443", target="origin.test:443", next_hop="parent", rule="public-web")
        self.assertEqual(self.curl("https://denied.test/", ONE).returncode, ALERT)
        self.assertEqual([head.target for head in hop.requests], [asked])

    def test_a_parent_that_resolves_is_asked_for_the_name(self):
        self.through_a_parent("REMOTE", "origin.test:443")
        self.assertEqual(self.dns.asked("origin.test"), [])

    def test_a_parent_that_does_not_is_asked_for_the_address_that_was_vetted(self):
        self.through_a_parent("LOCAL", ONE + ":443")

    def test_T22_a_name_on_a_false_address_is_judged_and_dialled_by_its_name(self):
        self.origins()
        self.listen()
        for url in ("https://origin.test/", "http://origin.test/"):
            run = self.curl(url, ELSEWHERE)
            self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        for port in (443, 80):
            self.assert_line("%s:%d" % (ELSEWHERE, port), target="origin.test:%d" % port, upstream="%s:%d" % (ONE, port))

    def test_T22_original_if_resolved_refuses_a_name_on_a_false_address(self):
        clear, _, secured, _ = self.origins()
        self.listen(destination="ORIGINAL_IF_RESOLVED")
        for url in ("https://origin.test/", "http://origin.test/"):
            run = self.curl(url, ONE)
            self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assertEqual(self.curl("https://origin.test/", ELSEWHERE).returncode, ALERT)
        run = self.curl("http://origin.test/", ELSEWHERE, "-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(run.stdout, "403")
        for port in (443, 80):
            self.assert_line("%s:%d" % (ELSEWHERE, port), detail="sni_address_mismatch", reason="sni_address_mismatch")
        self.assertEqual((len(clear.connections), len(secured.connections)), (1, 1))

    def test_T22_T18_a_connection_to_the_listener_itself_is_refused(self):
        self.listen()
        port = self.egret.address[1]
        for host, text in (("10.99.0.1", "10.99.0.1:%d"), ("[fd99::1]", "[fd99::1]:%d")):
            run = self.as_client("curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}",
                                 "http://%s:%d/" % (host, port))
            self.assertEqual(run.stdout, "403")
            self.assert_line(text % port, detail="address_prohibited", reason="own_listener")

    def test_T22_ipv6_is_turned_as_well(self):
        self.origins()
        self.listen(names={"origin.test": [SIX]})
        for url, port in (("https://origin.test/", 443), ("http://origin.test/", 80)):
            run = self.curl(url, "[%s]" % SIX)
            self.assertEqual((run.returncode, run.stdout), (0, "ok"))
            where = "[%s]:%d" % (SIX, port)
            self.assert_line(where, target="origin.test:%d" % port, upstream=where)

    def listen_for(self, *addresses):
        """The address of one workload; only that one may."""
        ours = {"name": "ours", "action": "ALLOW", "from": {"service_accounts": ["build/ci"]}}
        who = {"addresses": list(addresses), "namespace": "build", "service_account": "ci"}
        self.listen(ours, listener_filters=[{"source_identity": {"workloads": "pods"}}, {"tls_inspector": {}},
                                            {"egress_policy": {"policy": "web"}}],
                    top={"workload_sets": [{"name": "pods", "workloads": [who]}], "revocation_grace": "0s"})
        self.config = self.read_config()

    def test_an_address_says_who_asks_in_tls_and_in_clear(self):
        self.origins()
        self.listen_for("10.99.0.2")
        for url, port in (("https://origin.test/", 443), ("http://origin.test/", 80)):
            run = self.curl(url, ONE)
            self.assertEqual((run.returncode, run.stdout), (0, "ok"))
            self.assert_line("%s:%d" % (ONE, port), identity="build/ci", rule="ours")
        run = self.curl("https://origin.test/", "[%s]" % SIX)  # from an address that is nobody's
        self.assertEqual(run.returncode, ALERT, run.stdout)
        run = self.curl("http://origin.test/", "[%s]" % SIX, "-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(run.stdout, "403")
        for port in (443, 80):
            line = self.assert_line("[%s]:%d" % (SIX, port), rule="otherwise", detail="policy_denied")
            self.assertNotIn("identity", line)

    def test_an_address_that_changes_owner_ends_what_is_open_by_it(self):
        asked = threading.Event()

        def hold(connection):
            with self.secure.wrap_socket(connection.sock, server_side=True) as secured:
                secured.recv(65536)
                asked.set()
                secured.recv(1)
        origin = ScriptedOrigin(hold, host=ONE, port=443)
        self.addCleanup(origin.close)
        self.listen_for("10.99.0.2")
        client = threading.Thread(target=self.curl, args=("https://origin.test/", ONE))
        client.start()
        self.addCleanup(client.join)
        self.assertTrue(asked.wait(SECONDS))
        self.reload(lambda config: config["workload_sets"][0]["workloads"][0].update(addresses=["10.99.0.3"]))
        client.join(SECONDS)
        self.assertFalse(client.is_alive())
        self.assert_line(ONE + ":443", event="end", identity="build/ci", detail="policy_revoked")

    def test_without_a_name_the_address_is_the_target(self):
        self.origins()
        self.listen(*RULES, {"name": "one", "action": "ALLOW", "to": {"cidrs": [ONE]}})
        run = self.curl("https://%s/" % ONE, None, "-k")
        self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assert_line(ONE + ":443", target=ONE + ":443", rule="one")
        self.assertEqual(self.curl("https://%s/" % ELSEWHERE, None, "-k").returncode, ALERT)
        self.assert_line(ELSEWHERE + ":443", target=ELSEWHERE + ":443", detail="policy_denied", rule="otherwise")

    def test_T10_an_sni_that_is_no_name_or_another_address_is_refused(self):
        _, _, secured, _ = self.origins()
        self.listen(*RULES, {"name": "one", "action": "ALLOW", "to": {"cidrs": [ONE]}})
        for name, detail in ((ELSEWHERE, "sni_mismatch"), ("a..b", "sni_malformed"), ("origin.test:443", "sni_malformed")):
            with self.subTest(name):
                run = self.as_client("openssl", "s_client", "-connect", ONE + ":443", "-servername", name,
                                     stdin=subprocess.DEVNULL)
                self.assertIn("access denied", run.stdout)
                self.assert_line(ONE + ":443", sni=name, detail=detail)
        self.assertEqual(secured.connections, [])

    def test_clients_are_told_apart_by_their_fingerprint(self):
        self.origins()
        other = {"from": {"ja4": ["t12i000000_000000000000_000000000000"]}}
        self.listen({"name": "others", "action": "DENY", **other},
                    {"name": "for-others", "action": "ALLOW", "to": {"domains": ["second.test"]}, **other},
                    {"name": "for-all", "action": "ALLOW", "to": {"domains": ["origin.test"]}})
        self.assertEqual(self.curl("https://origin.test/", ONE).stdout, "ok")
        line = self.assert_line(ONE + ":443", rule="for-all")
        self.assertRegex(line["ja4"], "^t13d[0-9]{4}h[12]_[0-9a-f]{12}_[0-9a-f]{12}$")
        self.assertEqual(self.curl("https://second.test/", ONE).returncode, ALERT)
        self.assert_line(ONE + ":443", rule="otherwise", detail="policy_denied", ja4=line["ja4"])
        self.assertEqual(self.curl("http://origin.test/", ONE).stdout, "ok")  # in clear there is none

    def test_a_server_that_speaks_first_is_reached_after_the_inspectors_timeout(self):
        def smtp(connection):
            connection.send(b"220 mail.test ESMTP\r\n")
            connection.fin()
            connection.wait_end()
        origin = ScriptedOrigin(smtp, host=ONE, port=25)
        self.addCleanup(origin.close)
        other = {"cidrs": [ONE], "ports": [25], "protocols": ["OTHER"]}
        self.listen({"name": "mail", "action": "ALLOW", "to": other}, inspector={"timeout": "0.3s"})
        run = self.as_client("curl", "-sS", "--max-time", "20", "telnet://%s:25" % ONE, stdin=subprocess.DEVNULL)
        self.assertIn("220 mail.test ESMTP", run.stdout)
        self.assert_line(ONE + ":25", carries="other", rule="mail", target=ONE + ":25")

    def test_chains_of_another_listener_may_be_shared(self):
        self.origins()
        with_tunnels = [{"name": "relayed", "match": {"verdict": "RELAY"}, "filters": [{"tcp_relay": {}}]}]
        self.dns = DnsServer(NAMES)
        self.addCleanup(self.dns.close)
        self.start_config({
            "listeners": [
                {"name": "tunnels", "internal": {}, "filter_chains": with_tunnels,
                 "listener_filters": [{"tls_inspector": {}}, {"egress_policy": {}}]},
                {"name": "egress", "address": "[::]:0", "transparent": self.mode, "chains_of": "tunnels",
                 "listener_filters": [{"egress_policy": {"policy": "web"}}]}],
            "policies": [{"name": "web", "rules": list(RULES)}], "resolver": {"servers": [self.dns.address]}})
        self.turn(self.egret.address[1])
        self.assertEqual(self.curl("https://origin.test/", ONE).stdout, "ok")
        self.assert_line(ONE + ":443", listener="egress", rule="public-web")
        run = self.curl("http://origin.test/", ONE, "-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(run.stdout, "403")
        self.assert_line(ONE + ":80", detail="no_chain")


class Tproxy(Turned):
    mode = "TPROXY"

    def turn(self, port):
        try:
            nft("add table inet turn")
            nft("add chain inet turn pre { type filter hook prerouting priority mangle ; }")
            for family in ("ip", "ip6"):
                nft("add rule inet turn pre iifname veth0 meta nfproto %s meta l4proto tcp tproxy %s to :%d "
                    "meta mark set 1 accept" % ({"ip": "ipv4", "ip6": "ipv6"}[family], family, port))
        except AssertionError as e:
            raise unittest.SkipTest("this kernel has no tproxy for nftables: %s" % e) from None
        for family in ("-4", "-6"):
            ip("%s rule add fwmark 1 lookup 100" % family)
            ip("%s route add local default dev lo table 100" % family)
