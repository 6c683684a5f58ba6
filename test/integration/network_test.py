"""Rows D04, D05, D10, D12, T06 and T07 of the catalogue: public addresses, routes and lost packets, each method in a
network namespace of its own. The policy is that of the smallest useful file: any name, nothing private."""
import ctypes
import os
import time

from dnslib import QTYPE

from dns_server import SILENT, DnsServer
from netns import NetnsCase, ip, nft, public, tool
from origins import OK, ScriptedOrigin, echo, reply
from waiting import until

PUBLIC_WEB = {"name": "public-web", "action": "ALLOW"}
ONE, TWO, THREE = "9.1.1.1", "9.2.2.2", "9.3.3.3"
SIX = "2620:fe::9"
CLONE_NEWNS = 0x20000


class Network(NetnsCase):
    def web(self, dns, **top):
        self.start(PUBLIC_WEB, dns=dns, **top)

    def web_origin(self, address, text=b"ok"):
        """An origin on port 80 of `address`."""
        script = reply(OK.replace(b"ok", text).replace(b" 2\r", b" %d\r" % len(text)))
        origin = ScriptedOrigin(script, host=address, port=80)
        self.addCleanup(origin.close)
        return origin

    def count_syns(self, address):
        """A counter of connection attempts to `address`; gives a function that reads it."""
        nft("add table inet count")
        nft("add chain inet count out { type filter hook output priority 0 ; }")
        nft("add rule inet count out ip daddr %s tcp flags & (syn|ack) == syn counter" % address)
        return lambda: int(nft("list table inet count").split("packets ")[1].split()[0])

    def test_the_smallest_file_reaches_the_public_web_and_nothing_else(self):
        public(ONE)
        origin = self.web_origin(ONE)
        self.web({"www.test": [ONE], "inside.test": ["10.0.0.1"]})
        client = self.client()
        self.assert_ok(client.get("http://www.test/"))
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["rule"], line["upstream"]), ("public-web", ONE + ":80"))
        for url, detail in (("http://inside.test/", "address_prohibited"), ("http://%s/" % ONE, "policy_denied"),
                            ("http://www.test:8080/", "policy_denied"), ("http://www.test:22/", "policy_denied")):
            with self.subTest(url):
                client = self.client()
                self.assert_refused(client, client.get(url), detail)
        self.assertEqual(len(origin.connections), 1)

    def test_D04_what_was_checked_is_what_is_dialled(self):
        public(ONE)
        origin, private = self.web_origin(ONE), self.web_origin("127.0.0.1", b"private")
        flip = lambda query, transport, earlier: [ONE] if earlier == 0 else ["127.0.0.1"]  # noqa: E731
        self.web({"flip.test": flip}, resolver={"cache": {"min_ttl": "0s"}})
        self.dns.ttl = 0
        self.assert_ok(self.client().get("http://flip.test/", "Connection: close"))
        self.assertEqual(len([q for q in self.dns.asked("flip.test") if q[1] == "A"]), 1)
        client = self.client()
        response = client.ask(b"CONNECT flip.test:80 HTTP/1.1\r\nHost: flip.test:80\r\n\r\n", method="GET")
        self.assert_refused(client, response, "address_prohibited")
        self.assertEqual((len(origin.connections), len(private.connections)), (1, 0))

    def test_D05_a_mixed_answer_is_refused(self):
        public(ONE)
        origin, private = self.web_origin(ONE), self.web_origin("127.0.0.1", b"private")
        self.web({"mixed.test": [ONE, "127.0.0.1"], "mixed6.test": [ONE, "::1"]})
        for name in ("mixed.test", "mixed6.test"):
            client = self.client()
            self.assert_refused(client, client.get("http://%s/" % name), "address_prohibited")
        self.assertEqual((origin.connections, private.connections), ([], []))

    def test_D05_where_the_config_says_filter_the_public_address_is_used(self):
        public(ONE)
        origin, private = self.web_origin(ONE), self.web_origin("127.0.0.1", b"private")
        self.web({"mixed.test": ["127.0.0.1", ONE, "10.0.0.1"], "none.test": ["127.0.0.1", "10.0.0.1"]},
                 address_guard={"mixed_answers": "FILTER"})
        client = self.client()
        self.assert_ok(client.get("http://mixed.test/"))
        client = self.client()
        self.assert_refused(client, client.get("http://none.test/"), "address_prohibited")
        self.assertEqual((len(origin.connections), private.connections), (1, []))

    def test_ranges_that_the_operator_adds_are_refused_too(self):
        public(ONE)
        origin = self.web_origin(ONE)
        self.web({"pod.test": [ONE]}, address_guard={"also_refuse": ["9.1.0.0/16"]})
        client = self.client()
        self.assert_refused(client, client.get("http://pod.test/"), "address_prohibited")
        self.assertEqual(origin.connections, [])

    def test_D10_a_black_hole_in_ipv6_costs_little(self):
        public(ONE, SIX + "/128")
        nft("add table inet hole")
        nft("add chain inet hole out { type filter hook output priority 0 ; }")
        nft("add rule inet hole out ip6 daddr %s drop" % SIX)
        origin = self.web_origin(ONE)
        self.web({"dual.test": [SIX, ONE]})
        client = self.client()
        began = time.monotonic()
        self.assert_ok(client.get("http://dual.test/"))
        waited = time.monotonic() - began
        print("a lost IPv6 cost %.0f ms" % (waited * 1000))
        self.assertLess(waited, 3)
        self.assertEqual(self.egret.one_line(source=client.local)["upstream"], ONE + ":80")
        self.assertEqual(len(origin.connections), 1)

    def test_D12_names_are_looked_up_as_they_are(self):
        self.web({"www.test": [ONE], "www": [ONE]})
        self.client().get("http://unknown.test/")
        self.client().get("http://www/")
        self.assertLessEqual({q[0] for q in self.dns.queries}, {"unknown.test", "www"})
        self.assertLessEqual({q[1] for q in self.dns.queries}, {"A", "AAAA"})

    def test_D12_another_resolv_conf_holds_for_the_next_question(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            self.skipTest("no mount namespace can be made here: " + os.strerror(ctypes.get_errno()))
        path = os.path.join(os.environ["TEST_TMPDIR"], "resolv.conf")
        self.write(path, "search elsewhere.test\noptions ndots:5\nnameserver 127.0.0.1\n")
        try:
            tool("mount", "--bind %s /etc/resolv.conf" % path)
        except AssertionError as e:
            self.skipTest("no file can be mounted here: %s" % e)
        public(ONE)
        self.web_origin(ONE)
        silent = DnsServer({"slow.test": SILENT}, port=53)
        other = DnsServer({"www.test": [ONE]}, host="127.0.0.2", port=53)
        self.addCleanup(silent.close)
        self.addCleanup(other.close)
        self.start(PUBLIC_WEB, hosts={}, resolver={"timeout": "20s", "cache": {"negative_ttl": "0s"}})
        waiting = self.client()
        waiting.send(b"GET http://slow.test/ HTTP/1.1\r\nHost: slow.test\r\n\r\n")
        until(lambda: silent.asked("slow.test"), "the question that stays open")
        self.write(path, "nameserver 127.0.0.2\n")
        until(lambda: self.client().get("http://www.test/").status == 200, "the other server to be asked")
        self.assertEqual([line for line in self.egret.all_log_lines() if line["target"] == "slow.test:80"], [])
        self.assertEqual(other.asked("slow.test"), [])
        self.assertEqual([q for q in silent.queries + other.queries if "elsewhere" in q[0]], [])

    @staticmethod
    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    def test_T06_a_denied_target_gets_no_packet(self):
        public(ONE)
        syns = self.count_syns(ONE)
        origin = self.web_origin(ONE)
        self.start({"name": "closed", "action": "DENY", "to": {"domains": ["denied.test"]}}, PUBLIC_WEB,
                   dns={"denied.test": [ONE], "www.test": [ONE]})
        client = self.client()
        response = client.ask(b"CONNECT denied.test:80 HTTP/1.1\r\nHost: denied.test:80\r\n\r\n", method="GET")
        self.assert_refused(client, response, "policy_denied", rule="closed")
        self.assertEqual((syns(), self.dns.queries, origin.connections), (0, [], []))
        self.assert_ok(self.client().get("http://www.test/"))
        self.assertEqual(syns(), 1)

    def test_T07_each_way_not_to_get_there_has_its_own_detail(self):
        public(ONE, TWO)
        ip("route add unreachable 9.4.4.0/24")
        ip("route add prohibit 9.5.5.0/24")
        ip("route add blackhole 9.6.6.0/24")
        nft("add table inet lost")
        nft("add chain inet lost out { type filter hook output priority 0 ; }")
        nft("add rule inet lost out ip daddr %s drop" % TWO)
        self.start(PUBLIC_WEB, dns={"refused.test": [ONE], "lost.test": [TWO], "unreachable.test": ["9.4.4.4"],
                                    "prohibited.test": ["9.5.5.5"], "none.test": [THREE]},
                   filters=[{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {"connect_timeout": "1s"}},
                            {"forward_router": {"connect_timeout": "1s"}}])
        for name, details in {"refused": ["connection_refused"], "unreachable": ["destination_unreachable"],
                              "prohibited": ["connection_prohibited"], "none": ["destination_unreachable"],
                              "lost": ["connection_timeout"]}.items():
            for method in ("GET", "CONNECT"):
                with self.subTest((name, method)):
                    client = self.client()
                    began = time.monotonic()
                    if method == "GET":
                        response = client.get("http://%s.test/" % name)
                    else:
                        response = client.ask(b"CONNECT %s.test:80 HTTP/1.1\r\nHost: %s.test:80\r\n\r\n"
                                              % (name.encode(), name.encode()), method="GET")
                    waited = time.monotonic() - began
                    self.assert_refused(client, response, details[0])
                    if name == "lost":
                        print("%s: the timeout of 1 s took %.3f s" % (method, waited))
                        self.assertGreater(waited, 0.9)
                        self.assertLess(waited, 4)

    def test_T12_a_server_that_speaks_first_needs_a_rule_for_other(self):
        public(ONE)

        def smtp(connection):
            connection.send(b"220 mail.test ESMTP\r\n")
            echo(connection)
        origin = ScriptedOrigin(smtp, host=ONE, port=80)
        self.addCleanup(origin.close)
        self.web({"mail.test": [ONE]})
        client = self.client()
        self.assertEqual(client.connect("mail.test:80").status, 200)
        self.assertEqual(client.reader.to_end(), b"")
        self.assertEqual(self.egret.one_line(source=client.local, kind="tunnel")["detail"], "policy_denied")
        self.assertEqual(origin.received, b"")

    def test_both_address_families_are_asked_for_and_either_serves(self):
        public(SIX + "/128")
        self.web_origin(SIX)
        self.web({"six.test": [SIX]})
        client = self.client()
        self.assert_ok(client.get("http://six.test/"))
        self.assertEqual(self.egret.one_line(source=client.local)["upstream"], "[%s]:80" % SIX)
        self.assertEqual({q[1] for q in self.dns.asked("six.test")}, {QTYPE[QTYPE.A], QTYPE[QTYPE.AAAA]})
