"""Tokens of an issuer whose keys the proxy fetches itself: from a real HTTPS origin that rotates them, is down, slow or
elsewhere than it may be."""
import os
import shutil
import socket
import tempfile
import threading
import unittest

from auth_case import AuthCase, Issuer, bearer
from authority import Authority
from harness import LOOPBACK, allow
from origins import echo
from reload_case import Reloading
from tls_origin import TlsOrigin, server_context
from waiting import SECONDS, until

JWT = {"issuer": "https://issuer.test", "audiences": ["egret"]}


class KeysByUrl(Reloading, AuthCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.authority = Authority(os.path.join(cls.folder, "ca"), "keys")
        cls.pair = cls.authority.issue("origin", "DNS:origin.test")
        cls.issuer, cls.other = (Issuer(cls.folder, kid) for kid in ("k1", "k2"))

    def publish(self, text=None, status="200 OK", field="Cache-Control: max-age=3600", port=0):
        """An origin whose answer is `self.answer` at the time, given once `self.may_answer`."""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.set_answer(text or self.issuer.jwks(), status, field)

        def script(connection):
            while connection.read_request():
                self.may_answer.wait(SECONDS)
                connection.send(self.answer)
        self.published = TlsOrigin(server_context(self.pair), script, port=port)
        self.addCleanup(self.published.close)

    def set_answer(self, text, status="200 OK", field="Cache-Control: max-age=3600"):
        head = "HTTP/1.1 %s\r\n%s\r\nContent-Length: %d\r\n\r\n" % (status, field, len(text))
        self.answer = (head + text).encode()

    def start_keys(self, *rules, port=None, trust=None, name="origin.test", reaches=LOOPBACK, **jwt):
        url = {"url": "https://%s:%d/keys?of=egret" % (name, port or self.published.port), "tls": {"trust": "issuers"},
               "reaches_private": reaches}
        roots = {"roots": {"file": trust or self.authority.ca}}
        self.start_auth(*rules, methods=[{"jwt": {**JWT, "jwks_url": url, **jwt}}], top={"revocation_grace": "0s"},
                        secrets=[{"name": "issuers", "trust": roots}])
        self.config = self.read_config()

    def status(self, origin, token):
        return self.client().get(self.url(origin), bearer(token)).status

    def fetches(self, result):
        return self.egret.metric("egret_jwks_fetches_total", result=result)

    def assert_never(self, why):
        """No keys: every token is a wrong one, and the log says why."""
        origin = self.origin()
        self.assertEqual(self.status(origin, self.issuer.sign()), 407)
        self.assertEqual(origin.requests, [])
        self.assertGreaterEqual(self.fetches("failed"), 1)
        self.assertEqual(self.egret.metric("egret_jwks_fetched_timestamp_seconds"), 0)
        self.assertIn("keys of https://%s" % why[0], self.egret.stderr())
        self.assertIn(why[1], self.egret.stderr())

    def test_keys_are_fetched_before_they_are_needed(self):
        self.publish()
        self.start_keys()
        until(lambda: self.fetches("ok") == 1, "the keys")
        self.assertGreater(self.egret.metric("egret_jwks_fetched_timestamp_seconds"), 0)
        origin = self.origin()
        for token in (self.issuer.sign(), self.issuer.sign(sub="bob")):
            self.assertEqual(self.status(origin, token), 200)
        request, = self.published.requests
        self.assertEqual((request.method, request.target), ("GET", "/keys?of=egret"))
        self.assertEqual(request.all("host"), ["origin.test:%d" % self.published.port])
        self.assertEqual(self.published.names, ["origin.test"])

    def test_a_new_key_is_asked_for_once_and_an_old_one_proves_nothing(self):
        self.publish()
        self.start_keys(allow("people", **{"from": {"users": ["alice"]}}))
        until(lambda: self.fetches("ok") == 1, "the keys")
        origin = self.origin(echo)
        tunnel = self.client()
        self.assertEqual(tunnel.connect("origin.test:%d" % origin.port, bearer(self.issuer.sign())).status, 200)
        tunnel.send(b"\0there")
        self.assertEqual(tunnel.reader.exactly(6), b"\0there")
        before = len(self.published.requests)
        self.set_answer(self.other.jwks())
        plain = self.origin()
        self.assertEqual(self.status(plain, self.other.sign()), 200)
        self.assertEqual(tunnel.end(), "rst")
        self.egret.one_line(kind="tunnel", detail="policy_revoked", event="end")
        for token in (self.issuer.sign(), self.issuer.sign(), self.issuer.sign(iss="https://else.test")):
            self.assertEqual(self.status(plain, token), 407)
        self.assertEqual(len(self.published.requests), before + 1)

    def test_where_it_is_down_tokens_are_refused_until_it_is_back(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self.start_keys(port=port)
        self.assert_never(("origin.test:%d/keys" % port, "connection_refused"))
        self.publish(port=port)
        origin = self.origin()
        until(lambda: self.status(origin, self.issuer.sign()) == 200, "the keys of who is back")

    def test_who_comes_while_it_is_slow_waits_for_it(self):
        self.publish()
        self.may_answer.clear()
        self.start_keys()
        self.published.wait_requests(1)
        origin, client = self.origin(), self.client()
        client.send(("GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n%s\r\n\r\n" % (
            self.url(origin), origin.port, bearer(self.issuer.sign()))).encode())
        self.assertEqual(self.fetches("ok"), 0)
        self.may_answer.set()
        self.assert_ok(client.read_response())

    def test_a_private_address_is_not_asked_unless_it_is_opened(self):
        self.publish()
        self.start_keys(reaches=["10.0.0.0/8"])
        self.assert_never(("origin.test:%d/keys" % self.published.port, "127.0.0.1 is refused: loopback"))
        self.assertEqual(self.published.connections, [])

    def test_who_is_not_believed_or_says_nothing_of_use_gives_no_keys(self):
        stranger = Authority(os.path.join(self.folder, "stranger"), "stranger")
        elsewhere = self.origin()
        for given, told in (({"trust": stranger.ca}, "tls_"), ({"status": "302 Found", "field": "Location: " +
                            self.url(elsewhere)}, "answers 302"), ({"text": "[" * (1 << 20) + "["}, "longer than"),
                            ({"text": '{"keys": []}'}, "no key to check signatures by")):
            with self.subTest(told):
                trust = given.pop("trust", None)
                self.publish(**given)
                self.start_keys(trust=trust)
                self.assert_never(("origin.test:%d/keys" % self.published.port, told))
        self.assertEqual(elsewhere.requests, [])

    def test_keys_outlive_a_change_of_the_listener(self):
        self.publish()
        self.start_keys()
        origin = self.origin()
        self.assertEqual(self.status(origin, self.issuer.sign()), 200)
        before = len(self.published.requests)

        def other_realm(config):
            filters = config["listeners"][0]["filters"][0]["http_connection"]["filters"]
            filters[0]["proxy_auth"]["realm"] = "other"
        self.reload(other_realm)
        self.assertEqual(self.client().get(self.url(origin)).all("proxy-authenticate"), ['Bearer realm="other"'])
        self.assertEqual(self.status(origin, self.issuer.sign(sub="bob")), 200)
        self.assertEqual(len(self.published.requests), before)


if __name__ == "__main__":
    unittest.main()
