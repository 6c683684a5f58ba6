"""Rows H09, H25-H27 of the catalogue: targets, methods and fields that need care, and what our own pages say."""
from harness import ProxyCase, allow, deny
from origins import reply


class TargetRows(ProxyCase):
    def setUp(self):
        self.start(deny(message="Not from here."), allow())
        self.recorder = self.origin()
        self.authority = "origin.test:%d" % self.recorder.port

    def ask(self, target, *fields, method="GET", host=None):
        """(client, response) to a request with exactly this target."""
        client = self.client()
        target = target if isinstance(target, bytes) else target.encode("latin-1")
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: " + (host or self.authority).encode()]
        return client, client.ask(b"\r\n".join(lines + [f.encode() for f in fields]) + b"\r\n\r\n", method)

    def test_H09_targets_that_readers_may_take_differently_are_refused(self):
        port = self.recorder.port
        refused = [
            "http://user@%s/" % self.authority,
            "http://user:secret@%s/" % self.authority,
            "http://denied.test@%s/" % self.authority,
            "http://%s@denied.test/" % self.authority,
            "http://%s/#fragment" % self.authority,
            "http://%s#fragment" % self.authority,
            "http://%s\\@denied.test/" % self.authority,
            "http:\\\\%s\\" % self.authority,
            "http:/%s/" % self.authority,
            "http:%s/" % self.authority,
            "http:///path",
            "http://:%d/" % port,
            "http://",
            "://%s/" % self.authority,
            "//%s/" % self.authority,
            "http://origin.test:/",
            "http://origin.test:%dx/" % port,
            "http://origin.test:+%d/" % port,
            "http://origin.test:0/",
            "http://origin.test:65536/",
            "http://origin.test:0x50/",
            "http://origin.test:80:80/",
            "http://origin..test:%d/" % port,
            "http://.origin.test:%d/" % port,
            "http://origin.test..:%d/" % port,
            "http://ori%%67in.test:%d/" % port,
            "http://orig*n.test:%d/" % port,
            "http://origin.test,second.test:%d/" % port,
            "http://%s.test:%d/" % ("a" * 64, port),
            "http://%s:%d/" % (".".join(["a" * 60] * 5), port),
            "http://[::1/",
            "http://::1/",
            "http://[fe80::1%25lo]/",
            "http://[fe80::1%lo]/",
            "http://[::g]/",
            "http://[127.0.0.1]:%d/" % port,
            "http://127.1:%d/" % port,
            "http://2130706433:%d/" % port,
            "http://0x7f.0.0.1:%d/" % port,
            "http://0177.0.0.1:%d/" % port,
            "http://127.0.0.01:%d/" % port,
            "http://127.0.0.256:%d/" % port,
            "http://1.2.3.4.5:%d/" % port,
            "http://0x7f000001:%d/" % port,
            b"http://ori\xef\xbd\x87in.test:%d/" % port,
            b"http://b\xc3\xbccher.test:%d/" % port,
            b"http://%s/caf\xc3\xa9" % self.authority.encode(),
            b"http://%s/a b" % self.authority.encode(),
        ]
        for target in refused:
            with self.subTest(target):
                client, response = self.ask(target)
                self.assertIsNotNone(response, "no response")
                self.assertIn(response.status, (400, 501), response)
                client.close()
                line = self.egret.one_line(source=client.local)
                self.assertIn(line["detail"], ("http1.invalid_target", "http1.malformed", "http1.not_a_proxy_request",
                                               "http1.unsupported_scheme", "http1.invalid_character"))
        self.assertEqual(self.recorder.connections, [])

    def test_H09_spellings_of_one_name_are_forwarded_and_logged_in_one_form(self):
        port = self.recorder.port
        for target in ("http://ORIGIN.Test:%d/" % port, "HTTP://origin.test:%d/" % port,
                       "http://origin.test.:%d/" % port, "http://origin.test:0%d/" % port,
                       "http://origin.test:%d" % port, "http://origin.test:%d?" % port):
            with self.subTest(target):
                client, response = self.ask(target, host=target.split("://")[1].strip("/?"))
                if response.status == 400 and ":0" in target:
                    continue  # a leading zero may be refused, too
                self.assert_ok(response)
                line = self.egret.one_line(source=client.local)
                self.assertEqual(line["target"], self.authority)
                self.assertEqual(self.recorder.requests[-1].all("host"), [self.authority])
                self.assertEqual(self.recorder.requests[-1].target[:1], "/")

    def test_H25_trace_is_refused_and_max_forwards_is_honoured(self):
        client, response = self.ask("http://%s/" % self.authority, "Cookie: secret=1", method="TRACE")
        self.assertIn(response.status, (403, 405, 501), response)
        self.assertNotIn("secret", response.text())
        self.egret.one_line(source=client.local, status=response.status)
        self.assertEqual(self.recorder.connections, [])
        client, response = self.ask("http://%s/" % self.authority, "Max-Forwards: 0", method="OPTIONS")
        self.assertEqual((response.status, len(self.recorder.connections)), (200, 0), response)
        client, response = self.ask("http://%s/" % self.authority, "Max-Forwards: 5", method="OPTIONS")
        self.assertEqual(self.recorder.requests[-1].header("max-forwards"), "4")

    def test_H25_options_without_a_path_asks_for_the_server_itself(self):
        self.assertEqual(self.ask("http://" + self.authority, method="OPTIONS")[1].status, 200)
        self.assertEqual(self.recorder.requests[-1].start_line, "OPTIONS * HTTP/1.1")
        self.assertEqual(self.ask("http://%s/" % self.authority, method="OPTIONS")[1].status, 200)
        self.assertEqual(self.recorder.requests[-1].start_line, "OPTIONS / HTTP/1.1")

    def test_H25_many_ranges_pass_through_as_they_came(self):
        value = "bytes=" + ",".join("%d-" % n for n in range(1000))
        self.assert_ok(self.ask("http://%s/" % self.authority, "Range: " + value)[1])
        self.assertEqual(self.recorder.requests[-1].header("range"), value)

    def test_H25_a_long_x_forwarded_for_goes_no_further(self):
        value = ", ".join("10.0.%d.%d" % (n // 250, n % 250) for n in range(5000))
        self.assertLess(len(value), 64000)
        self.assert_ok(self.ask("http://%s/" % self.authority, "X-Forwarded-For: " + value)[1])
        self.assertIsNone(self.recorder.requests[-1].header("x-forwarded-for"))

    def test_H25_a_via_of_our_own_is_a_loop_and_a_long_one_of_others_is_not(self):
        others = "Via: " + ", ".join("1.1 p%d" % n for n in range(500))
        self.assert_ok(self.ask("http://%s/" % self.authority, others)[1])
        name = self.recorder.requests[-1].all("via")[-1].split(" ")[-1]
        client, response = self.ask("http://%s/" % self.authority, "Via: 1.0 other, 1.1 " + name)
        self.assert_refused(client, response, "proxy_loop")
        client, response = self.ask("http://%s/" % self.authority, "Via: 1.1 %s (comment)" % name.upper())
        self.assert_refused(client, response, "proxy_loop")

    def test_H26_what_is_between_client_and_proxy_stays_there(self):
        _, response = self.ask("http://%s/" % self.authority, "Proxy-Authorization: Basic c2VjcmV0OnNlY3JldA==",
                               "Proxy-Connection: Keep-Alive", "Proxy-Authenticate: x")
        self.assert_ok(response)
        seen = self.recorder.requests[-1]
        self.assertEqual([n for n, _ in seen.fields if n.startswith("proxy-")], [])
        self.assertNotIn(b"c2VjcmV0", self.recorder.received)
        self.assertNotIn("c2VjcmV0", self.egret.log_text())

    def test_H26_a_407_of_the_origin_is_a_502(self):
        origin = self.origin(reply(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                                   b"Proxy-Authenticate: Basic realm=\"give me\"\r\nContent-Length: 0\r\n\r\n"))
        client = self.client()
        response = client.get(self.url(origin))
        self.assert_refused(client, response, "upstream_unasked_407")
        self.assertIsNone(response.header("proxy-authenticate"))

    def test_H27_our_pages_carry_nothing_that_a_client_put_into_a_url(self):
        for path in ("/<script>alert(1)</script>", "/%3Cscript%3E", "/%0d%0aSet-Cookie:%20a=b", "/\"onload=\"",
                     "/?token=s3cr3t"):
            with self.subTest(path):
                client, response = self.ask("http://denied.test:%d%s" % (self.recorder.port, path),
                                            "Cookie: session=s3cr3t", "Referer: <script>",
                                            host="denied.test:%d" % self.recorder.port)
                if response.status == 400:
                    continue  # "<" and quotes are no characters of a URI
                self.assert_refused(client, response, "policy_denied", rule="closed")
                self.assertIsNone(response.header("set-cookie"))
                self.assertIn("Not from here.", response.text())
                for word in ("<script", "s3cr3t", "onload"):
                    self.assertNotIn(word, response.text().lower())
        self.assertNotIn("s3cr3t", self.egret.log_text())

    def test_H27_credentials_in_a_url_are_neither_shown_nor_logged(self):
        client, response = self.ask("http://user:s3cr3t@%s/" % self.authority)
        self.assertEqual(response.status, 400)
        self.assertNotIn("s3cr3t", response.text() + repr(response.fields))
        self.egret.one_line(source=client.local)
        self.assertNotIn("s3cr3t", self.egret.log_text())
