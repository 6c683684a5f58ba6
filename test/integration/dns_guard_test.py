"""Rows D01-D03, D06-D08, D11 and D13-D16 of the catalogue, and T06: what is resolved, and what is never dialled."""
import os
import time

from dnslib import DNSRecord, RR, QTYPE, A

from dns_server import NXDOMAIN, REFUSED, SERVFAIL, SILENT
from harness import ProxyCase, allow, deny

V4 = ["0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1",
      "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
      "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
      "240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200", "169.254.170.2"]
V6 = ["::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "fc00::1",
      "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
      "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1",
      "2001:0:7f00:1::1", "2001::1"]


def any_public(**more):
    """Any name and any literal, on any port, and nothing private."""
    return {"name": "anything", "action": "ALLOW", **more,
            "to": {"domains": ["*.test", "localhost", "*.internal"], "cidrs": ["0.0.0.0/0", "::/0"],
                   "port_ranges": [{"first": 1, "last": 65535}], "protocols": ["TLS", "HTTP", "OTHER"]}}


class Guard(ProxyCase):
    def assert_prohibited(self, hosts):
        """Each host is refused by the address guard, to a GET and to a CONNECT. Gives the log lines."""
        asked = []
        for host in hosts:
            client, authority = self.client(), host.encode() + b":443"
            asked.append((host, client, client.get("http://%s/" % host)))
            client = self.client()
            asked.append((host, client, client.ask(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority, authority),
                                                   method="GET")))
        lines = []
        for host, client, response in asked:
            with self.subTest(host):
                lines.append(self.assert_refused(client, response, "address_prohibited"))
        return lines

    def test_D01_names_that_lead_to_private_ipv4_are_refused(self):
        names = {"n%d.test" % n: [address] for n, address in enumerate(V4)}
        self.start(any_public(), dns=names)
        for line in self.assert_prohibited(names):
            self.assertEqual((line["stage"], line.get("upstream")), ("address", None), line)

    def test_D01_private_ipv4_literals_are_refused(self):
        self.start(any_public())
        self.assert_prohibited(V4)

    def test_D02_names_that_lead_to_private_ipv6_are_refused(self):
        names = {"n%d.test" % n: [address] for n, address in enumerate(V6)}
        self.start(any_public(), dns=names)
        self.assert_prohibited(names)

    def test_D02_private_ipv6_literals_are_refused(self):
        self.start(any_public())
        self.assert_prohibited("[%s]" % address for address in V6)

    def test_D03_one_address_has_one_spelling(self):
        self.start(any_public())
        odd = ["2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.1", "0",
               "127.0.0.1..", "127.0.0.1.1", "127.0.0.01", "127.0.0.256", "1e3", "127.0.0.0x1", "%31%32%37.0.0.1",
               "[::ffff:127.0.0.1", "[127.0.0.1]", "[::127.0.0.1%lo]", "[0:0:0:0:0:0:0:0:1]", "[1:2:3]", "0x", "1.2.3"]
        for host in odd:
            with self.subTest(host):
                if host == "1e3":
                    continue  # not all digits, no 0x: a name, and an unknown one
                client = self.client()
                response = client.get("http://%s/" % host)
                self.assertEqual(response.status, 400, response)
                client.close()
                self.egret.one_line(source=client.local, status=400)
        for host in ("127.0.0.1", "127.0.0.1.", "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:0001]"):
            with self.subTest(host):
                client = self.client()
                response = client.get("http://%s/" % host)
                if host == "127.0.0.1." and response.status == 400:
                    continue
                line = self.assert_refused(client, response, "address_prohibited")
                self.assertEqual(line["target"], "127.0.0.1:80")

    def test_D06_answers_that_are_none_have_a_detail_each(self):
        def truncated(query, transport, earlier):
            if transport == "tcp":
                return ["127.0.0.1"]
            reply = query.reply()
            reply.header.tc = 1
            return reply.pack()

        def wrong_id(query, transport, earlier):
            reply = self.dns.reply(query, ["127.0.0.1"])
            reply.header.id ^= 1
            return reply.pack()

        def wrong_question(query, transport, earlier):
            reply = DNSRecord.question("other.test").reply()
            reply.header.id = query.header.id
            reply.add_answer(RR("other.test", QTYPE.A, ttl=60, rdata=A("127.0.0.1")))
            return reply.pack()
        self.start(allow(), resolver={"timeout": "2s"}, dns={
            "missing.test": NXDOMAIN, "failing.test": SERVFAIL, "refusing.test": REFUSED, "empty.test": [],
            "loop.test": ["CNAME loop.test"], "silent.test": SILENT, "garbage.test": lambda q, t, e: q.pack()[:7],
            "truncated.test": truncated, "wrong-id.test": wrong_id, "wrong-question.test": wrong_question,
            "alias.test": ["CNAME real.test", "127.0.0.1"]})
        for name, details in {"missing": ["dns_not_found"], "failing": ["dns_failure"], "refusing": ["dns_failure"],
                              "empty": ["dns_no_address"], "loop": ["dns_no_address", "dns_failure"],
                              "silent": ["dns_timeout"], "garbage": ["dns_failure", "dns_timeout"],
                              "wrong-id": ["dns_timeout", "dns_failure"],
                              "wrong-question": ["dns_timeout", "dns_failure"]}.items():
            with self.subTest(name):
                client = self.client()
                response = client.get("http://%s.test/" % name)
                line = self.egret.log_lines(source=client.local)[0]
                self.assertIn(line["detail"], details)
                self.assert_refused(client, response, line["detail"])
        origin = self.origin()
        for name in ("truncated.test", "alias.test"):
            with self.subTest(name):
                self.assert_ok(self.client().get(self.url(origin, name=name)))
        self.assertIn(("truncated.test", "A", "tcp"), self.dns.queries)

    def test_D07_a_name_server_that_is_silent_for_one_name_holds_up_no_other(self):
        self.start(allow(), resolver={"timeout": "3s"}, dns={"silent.test": SILENT, "origin.test": ["127.0.0.1"]})
        origin = self.origin()
        waiting = self.client()
        waiting.send(b"GET http://silent.test/ HTTP/1.1\r\nHost: silent.test\r\n\r\n")
        began = time.monotonic()
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertLess(time.monotonic() - began, 2)
        response = waiting.read_response()
        waited = time.monotonic() - began
        self.assert_refused(waiting, response, "dns_timeout")
        print("the silent name took %.2f s of 3" % waited)
        self.assertLess(waited, 10)

    def test_D08_answers_are_remembered_and_so_is_that_there_is_none(self):
        self.start(allow(), dns={"origin.test": ["127.0.0.1"], "missing.test": NXDOMAIN})
        origin = self.origin()
        for _ in range(5):
            self.assert_ok(self.client().get(self.url(origin), "Connection: close"))
            self.assertEqual(self.client().get("http://missing.test/").status, 502)
        for name in ("origin.test", "missing.test"):
            each_worker = len(os.sched_getaffinity(0))  # has a cache, and asks for A and AAAA
            self.assertLessEqual(len(self.dns.asked(name)), 2 * each_worker, self.dns.queries)

    def test_D11_the_next_address_is_tried_and_the_failed_one_logged(self):
        self.start(allow(), dns={"one.test": ["127.0.0.1", "127.0.0.2"], "two.test": ["127.0.0.2", "127.0.0.1"]})
        origin = self.origin()  # on 127.0.0.1 only
        attempts = []
        for name in ("one.test", "two.test"):
            client = self.client()
            self.assert_ok(client.get(self.url(origin, name=name)))
            line = self.egret.one_line(source=client.local)
            self.assertEqual(line["upstream"], "127.0.0.1:%d" % origin.port)
            attempts += line.get("attempts", [])
        self.assertTrue(attempts)
        self.assertEqual(set(attempts), {"127.0.0.2:%d: connection_refused" % origin.port})

    def test_D13_localhost_and_what_the_hosts_file_says_are_guarded_like_any_name(self):
        self.start(any_public(), hosts={"localhost": ["127.0.0.1", "::1"], "box.test": ["192.168.1.1"]})
        origin = self.origin()
        client = self.client()
        response = client.get("http://localhost:%d/" % origin.port)
        self.assert_refused(client, response, "address_prohibited")
        self.assertIn("reaches_private", response.text())  # the remedy
        self.assert_prohibited(["box.test"])
        self.assertEqual(origin.connections, [])

    def test_D13_zone_ids_are_refused(self):
        self.start(any_public())
        for host in ("[fe80::1%25lo]", "[fe80::1%lo]", "[::1%251]"):
            client = self.client()
            self.assertEqual(client.get("http://%s/" % host).status, 400)
            client.close()
            self.egret.one_line(source=client.local)

    def test_D14_metadata_is_refused_whatever_a_rule_says(self):
        self.start(any_public(reaches_private=["0.0.0.0/0", "::/0"]),
                   dns={"metadata.google.internal": ["169.254.169.254"], "azure.test": ["168.63.129.16"],
                        "ecs.test": ["169.254.170.2"], "aws6.test": ["fd00:ec2::254"]})
        self.assert_prohibited(["metadata.google.internal", "azure.test", "ecs.test", "aws6.test", "169.254.169.254",
                                "100.100.100.200", "168.63.129.16", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])

    def test_D15_T06_a_denied_name_is_neither_resolved_nor_dialled(self):
        self.start(deny(domains=["denied.test", ".secret.test"]), allow(),
                   dns={"denied.test": ["127.0.0.1"], "leak.secret.test": ["127.0.0.1"], "other.example": ["127.0.0.1"],
                        "origin.test": ["127.0.0.1"]})
        origin = self.origin()
        for name, rule in (("denied.test", "closed"), ("DENIED.test.", "closed"), ("leak.secret.test", "closed"),
                           ("other.example", None)):
            with self.subTest(name):
                client = self.client()
                response = client.get(self.url(origin, name=name))
                line = self.assert_refused(client, response, "policy_denied", rule=rule)
                self.assertEqual((line["decision"], line["stage"]), ("deny", "target"))
                self.assertNotIn("dns_ms", line)
                client = self.client()
                response = client.ask(b"CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n"
                                      % (name.encode(), origin.port, name.encode(), origin.port), method="GET")
                self.assert_refused(client, response, "policy_denied", rule=rule)
        self.assertEqual(self.dns.queries, [])
        self.assertEqual(origin.connections, [])
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual({q[0].lower() for q in self.dns.queries}, {"origin.test"})

    def test_D16_names_are_compared_in_one_form(self):
        self.start(deny(domains=["b\u00fccher.test"]), allow(), dns={"xn--bcher-kva.test": ["127.0.0.1"]})
        origin = self.origin()
        for name in ("xn--bcher-kva.test", "XN--BCHER-KVA.TEST", "xn--bcher-kva.test."):
            client = self.client()
            self.assert_refused(client, client.get(self.url(origin, name=name)), "policy_denied", rule="closed")
        self.assertEqual((self.dns.queries, origin.connections), ([], []))

    def test_literals_need_a_rule_with_cidrs(self):
        self.start()
        origin = self.origin()
        client = self.client()
        self.assert_refused(client, client.get(self.url(origin, name="127.0.0.1")), "policy_denied")
        self.assertEqual(origin.connections, [])
