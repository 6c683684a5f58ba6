"""What the "log, modify, inject" of intercepted tunnels comes to: body_rewrite, header_rewrite and tap behind
mitm_terminator, with HTTP/1.1 and with HTTP/2 inside."""
import gzip
import json
import os
import unittest

from http_text import Message
from mitm_case import MitmCase
from origins import reply
from tls_origin import H2Server

PAGE = b"<html><head><title>old</title></head><body>old </body></html>\n"
CHANGED = b"<html><head><title>new</title><x></head><body>new </body></html>\n"
CHANGES = {"request": [{"replace": {"text": "old", "with": "newer"}}],
           "response": [{"replace": {"text": "old", "with": "new"}}, {"insert": {"at": "HEAD_END", "text": "<x>"}}]}
SECRET = "canary"


class Site:
    """An origin over TLS that says the same in either version, and remembers what it was asked."""

    def __init__(self, case, version, body, *fields):
        self.h2 = H2Server(self.answer)
        self.body, self.fields, self.uploads = body, fields, []
        lines = "".join("%s: %s\r\n" % field for field in (*fields, ("Content-Length", len(body))))
        self.origin = case.tls_origin(reply(b"HTTP/1.1 200 OK\r\n%s\r\n" % lines.encode() + body), h2=self.h2,
                                      alpn=(version,))

    def answer(self, headers, content):
        self.uploads.append(content)
        return [(":status", "200"), *((name.lower(), value) for name, value in self.fields)], self.body, None

    def asked(self):
        """Of the last request: (fields with small names, content)."""
        if self.h2.seen:
            return self.h2.seen[-1], self.uploads[-1]
        request = self.origin.requests[-1]
        return dict(request.fields), request.body


class Inside(MitmCase):
    def start_with(self, *filters):
        self.start_mitm(http={"filters": [{"egress_policy": {}}, *filters, {"forward_router": {}}]})

    def ask(self, site, version, path="/", *fields, method="GET", body=b""):
        """The response, as one of HTTP/1."""
        origin = site.origin
        if version == "http/1.1":
            client = self.inside(origin)
            lines = ["%s: %s" % field for field in fields] + (["Content-Length: %d" % len(body)] if body else [])
            head = ["%s %s HTTP/1.1" % (method, path), "Host: " + self.authority_of(origin), *lines, "", ""]
            response = client.ask("\r\n".join(head).encode() + body)
        else:
            client = self.inside_h2(origin)
            stream = self.ask_h2(client, origin, path, *((name.lower(), value) for name, value in fields),
                                 method=method, end=not body)
            if body:
                client.send(stream, body, end=True)
            got = client.response(stream)
            self.assertTrue(got.ended, got)
            response = Message(b"HTTP/2 %d\r\n\r\n" % got.status)
            response.fields, response.body = list(got.headers.items()), got.body
        client.close()
        return response

    def versions(self):
        for version in ("http/1.1", "h2"):
            with self.subTest(version):
                yield version


class BodyRewrite(Inside):
    def test_a_page_is_changed_in_whatever_coding_it_comes(self):
        self.start_with({"body_rewrite": CHANGES})
        html = ("Content-Type", "text/html")
        for version in self.versions():
            for site in (Site(self, version, PAGE, html, ("ETag", '"1"')),
                         Site(self, version, gzip.compress(PAGE), html, ("Content-Encoding", "gzip"))):
                response = self.ask(site, version, "/", ("Accept-Encoding", "br, gzip"))
                self.assert_ok(response, CHANGED)
                self.assertEqual((response.header("content-encoding"), response.header("etag")), (None, None))
                self.assertNotIn("br", site.asked()[0]["accept-encoding"])

    def test_an_upload_is_changed(self):
        self.start_with({"body_rewrite": CHANGES})
        for version in self.versions():
            site = Site(self, version, b"ok")
            said = b"an old word, and an old one"
            self.assert_ok(self.ask(site, version, "/", ("Content-Type", "text/plain"), method="POST", body=said))
            self.assertEqual(site.asked()[1], said.replace(b"old", b"newer"))

    def test_large_content_is_changed_as_it_passes(self):
        self.start_with({"body_rewrite": CHANGES})
        page = b"".join(b"%d: an old line of many\n" % n for n in range(100000))
        for version in self.versions():
            site = Site(self, version, page, ("Content-Type", "text/plain"))
            self.assertEqual(self.ask(site, version).body, page.replace(b"old", b"new"))

    def test_what_is_refused_inside_stays_as_it_is(self):
        self.start_with({"body_rewrite": {"response": [{"replace": {"text": "not for you", "with": "all yours"}}]}})
        for version in self.versions():
            response = self.ask(Site(self, version, b"ok"), version, "/secret")
            self.assertEqual(response.status, 403)
            self.assertIn("not for you", response.text())


class HeaderRewrite(Inside):
    def test_fields_are_set_and_removed_on_either_way(self):
        self.start_with({"header_rewrite": {
            "request": [{"remove": "x-internal"}, {"set": {"name": "X-Team", "value": "egress"}},
                        {"append": {"name": "X-More", "value": "2"}}],
            "response": [{"remove": "server"}, {"set": {"name": "X-Read", "value": "yes"}}]}})
        for version in self.versions():
            site = Site(self, version, b"ok", ("Server", "secret/1.0"), ("X-Read", "no"))
            response = self.ask(site, version, "/", ("X-Internal", "a"), ("X-Team", "mine"), ("X-Kept", "b"))
            self.assert_ok(response)
            self.assertEqual((response.header("server"), response.header("x-read")), (None, "yes"))
            asked = site.asked()[0]
            self.assertEqual([asked.get(name) for name in ("x-internal", "x-team", "x-more", "x-kept")],
                             [None, "egress", "2", "b"])


class Tap(Inside):
    def start_tap(self, **settings):
        self.har = os.path.join(self.folder, "%s.har" % self.id())
        self.start_with({"tap": {"file": self.har, "duration": "600s", **settings}})

    def entries(self, count):
        self.assertTrue(self.egret.log_lines(count, kind="request"))
        self.egret.stop()  # what is on its way to the disk arrives first
        with open(self.har) as f:
            text = f.read()
        return text, json.loads(text)["log"]["entries"]

    def test_the_inner_exchange_is_written_and_nothing_that_may_be_secret(self):
        """S01 as well: behind TLS as before it."""
        self.start_tap(max_content_bytes=1000)
        sites = {}
        for version in self.versions():
            sites[version] = site = Site(self, version, gzip.compress(PAGE), ("Content-Type", "text/html"),
                                         ("Content-Encoding", "gzip"), ("Set-Cookie", "id=canary"))
            self.ask(site, version, "/path?token=canary", ("Authorization", "Bearer canary"), ("Cookie", "id=canary"),
                     ("X-Api-Key", "canary"), ("Proxy-Authorization", "Basic canary"),
                     ("Content-Type", "text/plain"), method="POST", body=b"up=load")
        text, entries = self.entries(2)
        self.assertNotIn(SECRET, text)
        for (version, site), entry in zip(sites.items(), entries):
            request, response = entry["request"], entry["response"]
            self.assertEqual((request["method"], request["url"], request["postData"]["text"]),
                             ("POST", "https://origin.test:%d/path?token=redacted" % site.origin.port, "up=load"))
            self.assertEqual((response["status"], response["content"]["text"]), (200, PAGE.decode()))
            self.assertEqual(request["httpVersion"], {"h2": "HTTP/2", "http/1.1": "HTTP/1.1"}[version])
            self.assertIn(entry["_request_id"], self.egret.log_text())

    def test_bodies_pass_byte_for_byte(self):
        self.start_tap(max_content_bytes=100)
        data = os.urandom(1000000)
        for version in self.versions():
            self.assert_ok(self.ask(Site(self, version, data), version), data)
        text, entries = self.entries(2)
        self.assertEqual([entry["response"]["content"]["size"] for entry in entries], [len(data)] * 2)
        self.assertLess(len(text), 10000)


if __name__ == "__main__":
    unittest.main()
