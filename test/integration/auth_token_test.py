"""Who asks, by token and by address: what rules know of it, and what becomes of tunnels when it ends or changes."""
import json
import os
import signal
import subprocess
import time
import unittest

from auth_case import AFTER, CHALLENGE, AuthCase, Issuer, b64url, basic, bearer
from harness import HOSTS, ProxyCase, allow, proxy_config
from origins import echo
from reload_case import Reloading
from tls_case import TlsProxy, pair
from waiting import until

JWT = {"issuer": "https://issuer.test", "audiences": ["egret"], "jwks": "keys", "accept_as_basic_password": True}
BEARER = 'Bearer realm="egress"'
LEEWAY = 30  # seconds between clocks


def only(name, **who):
    return allow(name, **{"from": who, "to": {"domains": ["*.test"], "port_ranges": [{"first": 1, "last": 65535}],
                                              "protocols": ["HTTP"]}, "http": {"path_prefixes": ["/" + name]}})


class Tokens(AuthCase):
    def start_tokens(self, *rules, **jwt):
        folder = os.path.join(os.environ["TEST_TMPDIR"], self.id())
        os.makedirs(folder)
        self.issuer = Issuer(folder)
        self.keys = os.path.join(folder, "jwks.json")
        self.write_keys(self.issuer.jwks())
        self.start_auth(*rules, methods=[{"jwt": {**JWT, **jwt}}], secrets=[{"name": "keys", "jwks": {"file": self.keys}}],
                        top={"revocation_grace": "0s"})

    def write_keys(self, text):
        with open(self.keys + ".new", "w") as f:
            f.write(text)
        os.rename(self.keys + ".new", self.keys)

    def test_a_token_says_who_asks_as_bearer_and_as_password(self):
        self.start_tokens()
        origin = self.origin()
        client = self.client()
        self.asked(client.get(self.url(origin)), BEARER, CHALLENGE)
        token = self.issuer.sign()
        for line in (bearer(token), bearer(token), basic("jwt", token)):
            self.assert_ok(client.get(self.url(origin), line))
        for line in (bearer(token[:-8]), bearer(self.issuer.sign(aud="other")), bearer(self.issuer.sign(exp=1)),
                     basic("jwt", "secret"), bearer(token.replace(".", "..", 1))):
            self.asked(client.get(self.url(origin), line), BEARER, CHALLENGE)
        self.assertEqual({line["identity"] for line in self.egret.log_lines(3, status=200)}, {"alice"})
        self.assertEqual(self.accepted("jwt"), 3)
        text = self.egret.log_text() + self.egret.stderr() + self.egret.get("/config_dump")[1]
        self.assertNotIn(token.split(".")[2], text)

    def test_claims_groups_and_service_accounts_are_known_to_rules(self):
        self.start_tokens(only("group", groups=["ci"]), only("claim", claims=[{"name": "team", "values": ["red"]}]),
                          only("account", service_accounts=["build/runner"]), only("space", namespaces=["build"]),
                          only("sure", at_least="TOKEN"))
        origin = self.origin()
        cluster = {"kubernetes.io": {"namespace": "build", "serviceaccount": {"name": "runner"}}}

        def may(**claims):
            client, line = self.client(), bearer(self.issuer.sign(**claims))
            return {path for path in ("group", "claim", "account", "space", "sure")
                    if client.get(self.url(origin, "/" + path), line).status == 200}
        self.assertEqual(may(groups=["ci", "x"], team="red"), {"group", "claim"})
        self.assertEqual(may(sub="system:serviceaccount:build:runner", **cluster), {"account", "space"})
        self.assertEqual(may(sub="mallory", **cluster), set())

    def assert_lives(self, client):
        client.send(b"\0there")
        self.assertEqual(client.reader.exactly(6), b"\0there")

    def tunnel_by(self, origin, line):
        client = self.client()
        self.assertEqual(client.connect("origin.test:%d" % origin.port, line).status, 200)
        self.assert_lives(client)
        return client

    def test_what_is_open_by_a_token_ends_with_it(self):
        self.start_tokens(allow("alices", **{"from": {"users": ["alice"]}}))
        origin = self.origin(echo, echo)
        ends = int(time.time()) + 4 - LEEWAY
        long, short = (self.tunnel_by(origin, bearer(self.issuer.sign(**more))) for more in ({}, {"exp": ends}))
        self.assertEqual(short.end(), "rst")
        self.assertGreaterEqual(time.time(), ends + LEEWAY)
        self.assert_lives(long)
        self.egret.one_line(kind="tunnel", detail="policy_revoked", event="end")

    def test_what_is_open_by_a_key_ends_when_the_key_goes(self):
        self.start_tokens(allow("alices", **{"from": {"users": ["alice"]}}))
        second = Issuer(self.issuer.folder, "k2")
        self.write_keys(self.issuer.jwks(second))
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 1, "the keys to be read again")
        origin = self.origin(echo, echo)
        gone, kept = (self.tunnel_by(origin, bearer(issuer.sign())) for issuer in (self.issuer, second))
        self.write_keys(second.jwks())
        self.egret.signal(signal.SIGHUP)
        self.assertEqual(gone.end(), "rst")
        self.assert_lives(kept)
        self.asked(self.client().get(self.url(origin), bearer(self.issuer.sign())), BEARER, CHALLENGE)


class TokensInTls(TlsProxy):
    def rsa_key(self):
        """A key that nobody here signs by."""
        path = os.path.join(self.folder, "rsa.pem")
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, stderr=subprocess.DEVNULL)
        told = subprocess.run(["openssl", "rsa", "-in", path, "-noout", "-modulus"], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout
        modulus = bytes.fromhex(told.strip().partition("=")[2])
        return {"kty": "RSA", "kid": "rsa", "alg": "RS256", "n": b64url(modulus), "e": "AQAB"}

    def test_a_signature_that_is_wrong_harms_no_connection(self):
        """What the check of one leaves in the thread is not taken for an error of the TLS of others."""
        issuer = Issuer(self.folder)
        config = proxy_config([allow()], [{"proxy_auth": {"methods": [{"jwt": JWT}]}}, *AFTER], workers=1)
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {"certificates": ["proxy"]}})
        keys = json.dumps({"keys": [issuer.jwk, self.rsa_key()]})
        config["secrets"] = [pair("proxy", self.proxy), {"name": "keys", "jwks": {"inline_string": keys}}]
        self.start_config(config, HOSTS)
        origin, good = self.origin(), bearer(issuer.sign())
        other, wrong = self.tls_client(), self.tls_client()
        self.assert_ok(other.get(self.url(origin), good))
        forged = bearer(".".join(b64url(part) for part in (b'{"alg":"RS256","kid":"rsa"}', b"{}", b"x" * 256)))
        for _ in range(3):
            self.assertEqual(wrong.get(self.url(origin), forged).status, 407)
            self.assert_ok(other.get(self.url(origin), good))
        self.assert_ok(wrong.get(self.url(origin), good))


class Addresses(Reloading, ProxyCase):
    def start_workloads(self, *workloads, optional=True):
        filters = [{"proxy_auth": {"methods": [{"source_address": {"workloads": "pods"}}], "optional": optional}}, *AFTER]
        rules = [allow("ci", domains=["origin.test"], **{"from": {"service_accounts": ["build/ci"]}}),
                 allow("red", domains=["second.test"], **{"from": {"claims": [{"name": "label.team", "values": ["red"]}]}}),
                 allow("all", domains=["www.origin.test"])]
        config = proxy_config(rules, filters, revocation_grace="0s",
                              workload_sets=[{"name": "pods", "workloads": list(workloads)}])
        self.start_config(config, HOSTS)
        self.config = self.read_config()

    def statuses(self, origin):
        return [self.client().get(self.url(origin, name=name)).status
                for name in ("origin.test", "second.test", "www.origin.test")]

    CI = {"addresses": ["127.0.0.1"], "namespace": "build", "service_account": "ci"}
    RED = {"addresses": ["127.0.0.1"], "namespace": "shop", "labels": {"team": "red"}}

    def test_an_address_says_who_asks_and_an_unknown_one_is_nobodys(self):
        self.start_workloads(self.CI)
        origin = self.origin()
        self.assertEqual(self.statuses(origin), [200, 403, 200])
        self.assertEqual({line["identity"] for line in self.egret.log_lines(3)}, {"build/ci"})
        self.reload(lambda config: config["workload_sets"][0].update(workloads=[{**self.CI, "addresses": ["127.0.0.9"]}]))
        self.assertEqual(self.statuses(origin), [403, 403, 200])

    def test_where_somebody_has_to_be_known_an_unknown_address_is_refused(self):
        self.start_workloads({**self.CI, "addresses": ["127.0.0.9"]}, optional=False)
        response = self.client().get(self.url(self.origin(), name="www.origin.test"))
        self.assertEqual((response.status, response.all("proxy-authenticate")), (403, []))
        self.egret.one_line(detail="no_identity")

    def test_an_address_that_changes_owner_ends_its_tunnels(self):
        self.start_workloads(self.CI)
        origin = self.origin(echo, echo)
        ours, anybodys = self.tunnel(origin), self.tunnel(origin, "www.origin.test")
        for client in (ours, anybodys):
            client.send(b"\0there")
            self.assertEqual(client.reader.exactly(6), b"\0there")
        self.reload(lambda config: config["workload_sets"][0].update(workloads=[self.RED]))
        self.assertEqual(ours.end(), "rst")
        anybodys.send(b"on")
        self.assertEqual(anybodys.reader.exactly(2), b"on")
        self.assertEqual(self.statuses(self.origin()), [403, 200, 200])
        self.egret.one_line(kind="tunnel", detail="policy_revoked", event="end")


if __name__ == "__main__":
    unittest.main()
