"""Rows T10, T11, T13, M17 and H10 of the catalogue: what a ClientHello shows, and whether the names agree."""
import hashlib
import os
import tempfile

from dns_server import NXDOMAIN
from harness import ANY_PORT, LOOPBACK, ProxyCase, allow, deny
from origins import swallow
from tls_hello import client_hello, grease_ech, records
from waiting import until

TLS = ("TLS", "HTTP")


def short_sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# That of tls_hello.client_hello: three cipher suites, six extensions.
JA4 = "t13d0306h1_%s_%s" % (short_sha256("1301,1302,c02f"), short_sha256("000a,000d,002b,0033_0403,0804,0401"))
JA3 = hashlib.md5(b"771,4865-4866-49199,0-10-13-43-51-16,29-23,").hexdigest()


class Hellos(ProxyCase):
    def say(self, origin, hello, target="origin.test"):
        client = self.tunnel(origin, name=target)
        client.send(records(hello))
        return client

    def assert_relayed(self, hello, target="origin.test"):
        origin = self.origin(swallow)
        client = self.say(origin, hello, target)
        until(lambda: origin.received == records(hello), "the ClientHello as it was sent")
        client.close()
        line = self.egret.one_line(source=client.local, kind="tunnel")
        self.assertEqual(line["decision"], "allow", line)
        return line

    def assert_refused_with(self, hello, detail, target="origin.test"):
        """With an alert, and without a byte for the origin. Gives the log line."""
        origin = self.origin(swallow)
        before = self.egret.metric("egret_failures_total", detail=detail)
        client = self.say(origin, hello, target)
        alert = client.reader.exactly(7)
        self.assertEqual((alert[:1], alert[6:]), (b"\x15", b"\x31"), alert)  # fatal access_denied
        client.end()
        client.close()
        line = self.egret.one_line(source=client.local, kind="tunnel")
        self.assertEqual((line.get("detail"), line["stage"]), (detail, "hello"), line)
        self.assertEqual(origin.received, b"")
        self.assertEqual(self.egret.metric("egret_failures_total", detail=detail), before + 1)
        return line


class Names(Hellos):
    def test_T10_each_mismatch_has_a_detail_and_a_counter_of_its_own(self):
        self.start(deny(), allow(protocols=TLS))
        for name, detail in (("second.test", "sni_mismatch"), ("127.0.0.1", "sni_mismatch"), (None, "sni_missing"),
                             ("origin.test:443", "sni_malformed"), ("[::1]", "sni_malformed"),
                             ("a..b", "sni_malformed")):
            with self.subTest(name):
                line = self.assert_refused_with(client_hello(name), detail)
                self.assertEqual((line["reason"], line["rule"]), (detail, "name_guard"), line)
                self.assertEqual(line.get("sni"), name)

    def test_T10_a_rule_may_let_the_name_be_left_out(self):
        self.start(allow("old-clients", domains=["origin.test"], protocols=TLS, without_sni=True),
                   allow("rest", protocols=TLS))
        self.assertEqual(self.assert_relayed(client_hello(None))["rule"], "old-clients")
        self.assert_refused_with(client_hello("second.test"), "sni_mismatch")
        self.assert_refused_with(client_hello(None), "sni_missing", target="second.test")

    def test_M17_the_name_before_an_encrypted_hello_is_the_targets_or_one_that_a_rule_gives(self):
        self.start(allow("fronted", domains=["origin.test"], protocols=TLS, ech_outer_names=["ech.test"]),
                   allow("rest", protocols=TLS))
        ech = grease_ech()
        self.assertIs(self.assert_relayed(client_hello("origin.test", more=ech))["ech"], True)  # noise, as browsers send
        line = self.assert_relayed(client_hello("ech.test", more=ech))
        self.assertEqual((line["sni"], line["rule"], line["ech"]), ("ech.test", "fronted", True))
        self.assert_refused_with(client_hello("ech.test"), "sni_mismatch")
        self.assert_refused_with(client_hello("other.test", more=ech), "ech_outer_name")
        self.assert_refused_with(client_hello(None, more=ech), "sni_missing")
        self.assert_refused_with(client_hello("ech.test", more=ech), "ech_outer_name", target="second.test")
        self.assertNotIn("ech", self.assert_relayed(client_hello("origin.test")))


class Literals(Hellos):
    """A name that is shown in a tunnel to an address."""

    def setUp(self):
        here = {"name": "here", "action": "ALLOW", "reaches_private": LOOPBACK,
                "to": {"cidrs": LOOPBACK, "port_ranges": ANY_PORT, "protocols": list(TLS)}}
        self.start(deny(), here, allow("names", domains=["*.test"], protocols=TLS),
                   dns={"origin.test": ["127.0.0.2", "127.0.0.1"], "moved.test": ["127.0.0.2"],
                        "denied.test": ["127.0.0.1"], "gone.test": NXDOMAIN})

    def test_T10_without_a_name_or_with_the_address_itself_it_is_relayed(self):
        self.assertEqual(self.assert_relayed(client_hello(None), "127.0.0.1")["rule"], "here")
        self.assert_relayed(client_hello("127.0.0.1"), "127.0.0.1")
        self.assert_refused_with(client_hello("127.0.0.2"), "sni_mismatch", "127.0.0.1")

    def test_T10_the_name_must_be_allowed_and_resolve_to_the_address(self):
        line = self.assert_relayed(client_hello("Origin.TEST"), "127.0.0.1")
        self.assertEqual((line["sni"], line["rule"]), ("origin.test", "here"))
        self.assert_refused_with(client_hello("moved.test"), "sni_address_mismatch", "127.0.0.1")
        line = self.assert_refused_with(client_hello("elsewhere.example"), "policy_denied", "127.0.0.1")
        self.assertEqual(line["rule"], "otherwise")
        self.assertEqual(self.dns.asked("elsewhere.example"), [])

    def test_T10_a_name_that_is_denied_is_not_even_looked_up(self):
        line = self.assert_refused_with(client_hello("denied.test"), "policy_denied", "127.0.0.1")
        self.assertEqual(line["rule"], "closed")
        self.assertEqual(self.dns.asked("denied.test"), [])

    def test_T10_a_name_that_does_not_exist_is_refused(self):
        origin = self.origin(swallow)
        client = self.say(origin, client_hello("gone.test"), "127.0.0.1")
        self.assertEqual(client.reader.exactly(7)[:1], b"\x15")
        client.end()
        client.close()
        self.assertEqual(self.egret.one_line(source=client.local, kind="tunnel")["detail"], "dns_not_found")
        self.assertEqual(origin.received, b"")


class Sizes(Hellos):
    def test_T11_a_post_quantum_hello_may_be_split_at_any_byte(self):
        self.start(allow(protocols=TLS))
        hello = records(client_hello("origin.test", post_quantum=True))
        self.assertGreater(len(hello), 1400)
        for at in list(range(1, 12)) + [100, 1200, len(hello) - 1]:
            with self.subTest(at):
                origin = self.origin(swallow)
                client = self.tunnel(origin)
                client.send(hello[:at])
                self.assertEqual(origin.received, b"")
                client.send(hello[at:])
                until(lambda o=origin: o.received == hello, "the whole ClientHello")
                client.close()

    def test_T13_a_hello_that_does_not_come_in_time_is_refused(self):
        tunnels = {"name": "tunnels", "internal": {}, "filters": [{"tls_inspector": {"timeout": "0.2s"}},
                                                                  {"egress_policy": {}}, {"tcp_relay": {}}]}
        filters = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {"listener": "tunnels"}},
                   {"forward_router": {}}]
        listeners = [{"name": "egress", "address": "127.0.0.1:0",
                      "filters": [{"http_connection": {"filters": filters}}]}, tunnels]
        self.start(allow(), listeners=listeners)
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        client.send(records(client_hello("origin.test"))[:20])
        self.assertEqual(client.reader.exactly(7)[:1], b"\x15")
        client.end()
        client.close()
        self.assertEqual(self.egret.one_line(source=client.local, kind="tunnel")["detail"], "tls_hello")
        self.assertEqual(origin.received, b"")


class Fingerprints(Hellos):
    def test_a_rule_tells_clients_apart_by_them(self):
        self.start(deny("this-client", domains=(), **{"from": {"ja4": [JA4]}}), allow(protocols=TLS))
        line = self.assert_refused_with(client_hello("origin.test"), "policy_denied")
        self.assertEqual((line["rule"], line["ja4"], line["ja3"]), ("this-client", JA4, JA3))
        self.assertEqual((line["hello_versions"], line["hello_alpn"]), ("TLSv1.3,TLSv1.2", "http/1.1"))
        other = self.assert_relayed(client_hello("origin.test", alpn=("h2",)))
        self.assertEqual(other["ja4"], JA4.replace("h1_", "h2_"))

    def test_an_allow_by_ja3_is_for_nobody_else(self):
        rule = allow(protocols=TLS)
        rule["from"] = {"ja3": [JA3]}
        self.start(rule)
        self.assert_relayed(client_hello("origin.test"))
        self.assert_refused_with(client_hello("origin.test", alpn=()), "policy_denied")

    def test_the_log_tells_them_where_it_is_asked_to(self):
        self.start(allow(protocols=TLS))
        self.assertNotIn("ja4", self.assert_relayed(client_hello("origin.test")))
        for how, wanted in (({"fingerprints": True}, '"ja3":"%s","ja4":"%s",' % (JA3, JA4)),
                            ({"format": "TEXT", "text_format": "%TLS_JA4_FINGERPRINT% %TLS_JA3_FINGERPRINT%"},
                             "%s %s\n" % (JA4, JA3))):
            with self.subTest(how):
                path = os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "log")
                self.start(allow(protocols=TLS), access_log=[{"file": {"path": path}, **how}])
                origin = self.origin(swallow)
                client = self.say(origin, client_hello("origin.test"))
                until(lambda o=origin: o.received, "the ClientHello")
                client.close()
                until(lambda p=path, w=wanted: os.path.exists(p) and w in open(p, encoding="ascii").read(), wanted)


class Hosts(ProxyCase):
    def test_H10_the_authority_wins_and_host_is_made_anew(self):
        self.start()
        origin = self.origin()
        client = self.client()
        self.assert_ok(client.ask(b"GET http://origin.test:%d/x HTTP/1.1\r\nHost: denied.test\r\n\r\n" % origin.port))
        self.assertEqual(origin.requests[-1].header("host"), "origin.test:%d" % origin.port)
        self.assertEqual(client.ask(b"GET http://denied.test/ HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                                    % origin.port).status, 403)

    def test_H10_a_host_that_is_missing_or_repeated_is_refused(self):
        self.start()
        origin = self.origin()
        target = b"GET http://origin.test:%d/x HTTP/1.1\r\n" % origin.port
        for hosts in (b"", b"Host: origin.test\r\nHost: origin.test\r\n", b"Host: origin.test\r\nhost: second.test\r\n",
                      b"Host: a b\r\n"):
            with self.subTest(hosts):
                self.assertEqual(self.client().ask(target + hosts + b"\r\n").status, 400)
        self.assertEqual(origin.requests, [])
