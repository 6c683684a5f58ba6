"""Who asks, by user and password or by certificate: rows P09, P10, H26 and T05 of the catalogue, the 407 over both versions, and what is
inside a tunnel."""
import base64
import json
import signal
import subprocess
import threading
import unittest
import urllib.request

from auth_case import ACCENTS, AFTER, ALICE, BCRYPT, BOB, CHALLENGE, COLONS, HORSE, SHA512, USERS, AuthCase, basic
from egret import DIRECT
from h2_client import H2Client
from harness import HOSTS, allow, proxy_config
from raw_client import RawClient
from tls_case import TlsProxy, pair
from waiting import SECONDS, until

CURL = ["curl", "-sS", "--max-time", "30", "-o", "/dev/stdout", "-w", "\n%{http_code} %{http_connect}"]
BY_USER = [allow("alices", domains=["origin.test"], **{"from": {"users": ["alice"]}}),
           allow("everybodys", domains=["www.origin.test"])]


def raw(value):
    return "Proxy-Authorization: " + value


def encoded(text):
    return raw("Basic " + base64.b64encode(text).decode())


class Challenges(AuthCase):
    def test_a_request_without_credentials_is_asked_and_one_with_them_is_served_on_the_same_connection(self):
        self.start_auth()
        origin = self.origin()
        client = self.client()
        for _ in range(2):
            self.asked(client.get(self.url(origin)))
        self.assert_ok(client.get(self.url(origin), ALICE))
        self.asked(client.get(self.url(origin)))
        line = self.egret.one_line(source=client.local, status=200)
        self.assertEqual(line["identity"], "alice")
        asked = self.egret.log_lines(3, source=client.local, status=407)
        self.assertEqual({(line.get("identity"), line["detail"]) for line in asked}, {(None, "auth_required")})
        self.assertEqual((self.accepted(), self.refused("missing")), (1, 3))

    def test_a_CONNECT_is_asked_and_its_connection_stays_for_one_that_says_who_asks(self):
        self.start_auth()
        origin = self.origin()
        client = self.client()
        authority = "origin.test:%d" % origin.port
        self.asked(client.connect(authority))
        self.asked(client.connect(authority, basic("alice", "wrong")))
        self.assertEqual(client.connect(authority, ALICE).status, 200)
        self.assert_ok(client.ask(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % authority.encode()))
        client.close()
        lines = self.egret.log_lines(2, identity="alice")  # the request, and its tunnel
        self.assertEqual({line["kind"] for line in lines}, {"request", "tunnel"})

    def test_hashes_of_every_kind_and_passwords_of_any_text_are_taken(self):
        self.start_auth()
        origin = self.origin()
        for user, password in (("alice", HORSE), ("bob", COLONS), ("carol", ACCENTS)):
            for scheme in ("Basic", "basic", "BASIC "):
                line = basic(user, password).replace("Basic", scheme)
                self.assert_ok(self.client().get(self.url(origin), line))
            self.asked(self.client().get(self.url(origin), basic(user, password + "x")))
            self.asked(self.client().get(self.url(origin), basic(user, password[:-1])))
        self.asked(self.client().get(self.url(origin), basic("nobody", HORSE)))

    def test_over_HTTP2_each_stream_says_for_itself_who_asks(self):
        self.start_auth()
        origin = self.origin()
        client = H2Client(self.egret.address)
        self.addCleanup(client.close)
        authority = "origin.test:%d" % origin.port
        said = ("proxy-authorization", ALICE.split(": ")[1])
        streams = [client.get(authority), client.get(authority, "/", said),
                   client.get(authority, "/", (said[0], said[1] + "x")),
                   client.open([(":method", "CONNECT"), (":authority", authority)], end=False),
                   client.open([(":method", "CONNECT"), (":authority", authority), said], end=False)]
        client.until(lambda: all(client.streams[stream].status for stream in streams))
        answers = [client.streams[stream] for stream in streams]
        self.assertEqual([answer.status for answer in answers], [407, 200, 407, 407, 200])
        for answer in answers:
            self.assertEqual(answer.headers.get("proxy-authenticate"), CHALLENGE if answer.status == 407 else None)

    def test_T05_what_comes_behind_a_CONNECT_that_is_asked_is_never_a_request(self):
        self.start_auth()
        origin = self.origin()
        authority = "origin.test:%d" % origin.port
        client = self.client()
        smuggled = "GET http://%s/smuggled HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n" % (authority, authority, ALICE)
        client.send(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n%s" % (authority, authority, smuggled)).encode())
        self.asked(client.read_response("CONNECT"))
        self.assertEqual(client.end(), "fin")
        self.assertEqual(origin.requests, [])

    def test_whoever_may_ask_unknown_is_asked_only_where_that_decides(self):
        self.start_auth(*BY_USER, optional=True)
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin, name="www.origin.test")))
        refused = self.client().get(self.url(origin, name="second.test"))
        self.assertEqual((refused.status, refused.all("proxy-authenticate")), (403, []))
        client = self.client()
        self.asked(client.get(self.url(origin)))
        self.assert_ok(client.get(self.url(origin), ALICE))
        self.assertEqual(client.get(self.url(origin), BOB).status, 403)
        self.asked(client.get(self.url(origin, name="www.origin.test"), basic("alice", "wrong")))
        self.assertEqual(self.accepted("none"), 3)
        line = self.egret.one_line(status=407, decision="challenge")
        self.assertEqual((line["rule"], line["reason"], line["stage"]), ("alices", "identity_unknown", "target"))

    def test_decisions_are_followed_by_who_asks(self):
        self.start_auth(optional=True)
        origin = self.origin()
        pages = {}
        for who in ("bob", "-"):
            page = pages[who] = self.client(self.egret.admin)
            page.send(b"GET /decisions?identity=%s HTTP/1.0\r\nHost: localhost\r\n\r\n" % who.encode())
            self.assertIn(b" 200 ", page.reader.until(b"\r\n\r\n"))
        for who in ((ALICE,), (BOB,), ()):
            self.assert_ok(self.client().get(self.url(origin), *who))
        told, of_nobody = (json.loads(pages[who].reader.until(b"\n")) for who in ("bob", "-"))
        self.assertEqual((told["identity"], told["verdict"]), ("bob", "forward"))
        self.assertNotIn(COLONS, json.dumps(told))
        self.assertEqual((of_nobody.get("identity"), of_nobody["verdict"]), (None, "forward"))

    def test_users_change_without_a_restart(self):
        self.start_auth()
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin), ALICE))
        self.asked(self.client().get(self.url(origin), basic("dave", COLONS)))
        self.write_users("dave:%s\n" % SHA512)
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 1, "the users to be read again")
        self.assert_ok(self.client().get(self.url(origin), basic("dave", COLONS)))
        self.asked(self.client().get(self.url(origin), ALICE))  # though it was known to be right
        self.write_users("dave:plain\n")
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="failed") >= 1, "the users to be refused")
        self.assertIn("line 1: not a hash of bcrypt", self.egret.stderr())
        self.assert_ok(self.client().get(self.url(origin), basic("dave", COLONS)))


class Malformed(AuthCase):
    """Row P10."""

    def test_P10_whatever_is_no_sound_credential_is_a_407_and_costs_nothing(self):
        self.start_auth()
        origin = self.origin()
        client = self.client()
        cases = ["", "Basic", "Basic ", "Basic =", "Basic ====", "Basic !!!!", "Basic YWxpY2U", "Basic YWxpY2U=",
                 "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==,", "Basic a b", "Basic  ", "BasicYWxpY2U6eA==", "Basic\tYWxpY2U6eA==",
                 "Basic YWxpY2U6eA=", "Basic YWxpY2U6eB==", "Digest username=\"alice\"", "Negotiate YIIC", "NTLM TlRMTVNTUAAB",
                 "Bearer", "Bearer a.b.c", "Bearer \"", "Basic realm=\"egress\"", "Basic YWxpY2U6eA==, Basic YWxpY2U6eA==",
                 "Basic " + "A" * 20000, "x", "Basic %s" % base64.b64encode(b"a" * 9000 + b":b").decode()]
        before = self.egret.descriptors()
        for value in cases:
            with self.subTest(value[:60]):
                self.asked(client.get(self.url(origin), raw(value)))
        for text in (b"alice", b"\0:\0", b"alice\0:correct horse", b"alice:correct horse\0", b"alice:a\nb", b"\x7f:x",
                     b"", b"alice:" + b"x" * 600):
            with self.subTest(text[:60]):
                self.asked(client.get(self.url(origin), encoded(text)))
        for text in (b":", b":correct horse", b"alice:", b"\xff\xfe:\xff", b"ALICE:correct horse"):
            with self.subTest(text):  # sound, and not known: these are looked up
                self.asked(client.get(self.url(origin), encoded(text)))
        self.assert_ok(client.get(self.url(origin), ALICE))
        self.assertLessEqual(self.egret.descriptors(), before + 3)
        self.egret.log_lines(status=200)
        told = self.egret.log_text() + self.egret.stderr() + self.egret.get("/stats/prometheus")[1]
        for secret in (HORSE, ALICE.split()[-1], "YWxpY2U", "TlRMTVNTUAAB", "A" * 100):
            self.assertNotIn(secret, told)

    def test_P10_more_than_one_field_is_a_400_and_64_KiB_a_431(self):
        self.start_auth()
        origin = self.origin()
        for second in (ALICE, BOB):
            response = self.client().get(self.url(origin), ALICE, second)
            self.assertEqual((response.status, response.all("proxy-authenticate")), (400, []))
        self.egret.log_lines(2, detail="http1.repeated_credentials")
        response = self.client().get(self.url(origin), raw("Basic " + "A" * 65536))
        self.assertEqual(response.status, 431)
        self.assertEqual(origin.requests, [])

    def test_P10_who_guesses_is_slowed_down_and_who_knows_is_not(self):
        self.start_auth()
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin), ALICE))
        client = self.client()
        answers = [client.get(self.url(origin), basic("alice", "guess %d" % n)) for n in range(60)]
        statuses = [answer.status for answer in answers]
        self.assertEqual(statuses[:32], [407] * 32)
        self.assertIn(429, statuses)
        for answer in answers:
            if answer.status == 429:
                self.assertGreaterEqual(int(answer.header("retry-after")), 1)
                self.assertEqual(answer.all("proxy-authenticate"), [])
        self.assert_ok(client.get(self.url(origin), ALICE))
        self.assertEqual(self.refused("throttled"), statuses.count(429))
        self.egret.log_lines(statuses.count(429), detail="auth_throttled")

    def test_many_who_ask_the_same_at_once_wait_for_one_check(self):
        self.start_auth(users="alice:%s\n" % BCRYPT)
        origin = self.origin()
        statuses = []

        def ask():
            client = RawClient(self.egret.address)
            statuses.append(client.get(self.url(origin), ALICE).status)
            client.close()
        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        self.assertLessEqual(set(statuses), {200, 429})  # the 33rd unknown one may be told to wait
        self.assertEqual(len(statuses), 100)


class Inside(AuthCase):
    def test_H26_credentials_for_the_proxy_go_no_further_and_an_origin_cannot_ask_for_them(self):
        self.start_auth()
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin), ALICE, "Proxy-Connection: keep-alive"))
        names = {name for name, _ in origin.requests[0].fields}
        self.assertEqual(names & {"proxy-authorization", "proxy-connection"}, set())
        asking = self.origin(lambda connection: (connection.read_request(), connection.send(
            b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"evil\"\r\nContent-Length: 0\r\n\r\n")))
        response = self.client().get(self.url(asking), ALICE)
        self.assertEqual((response.status, response.all("proxy-authenticate")), (502, []))

    def test_inside_a_tunnel_its_identity_decides_and_nobody_is_asked(self):
        def only(user):
            return allow(user + "s", protocols=["HTTP"],
                         **{"from": {"users": [user]}, "http": {"path_prefixes": ["/" + user]}})
        self.start_auth(only("alice"), only("bob"))
        origin = self.origin()
        authority = "origin.test:%d" % origin.port
        client = self.client()
        self.assertEqual(client.connect(authority, ALICE).status, 200)

        def inside(path, *fields):
            lines = ["GET %s HTTP/1.1" % path, "Host: " + authority, *fields, "", ""]
            return client.ask("\r\n".join(lines).encode())
        self.assert_ok(inside("/alice"))
        for fields in ((), (BOB,), (raw("Basic x"), raw("Basic y"))):
            response = inside("/bob", *fields)
            self.assertEqual((response.status, response.all("proxy-authenticate")), (403, []))
        self.assert_ok(inside("/alice", basic("alice", "wrong")))
        self.assertEqual(self.egret.metric("egret_tunnel_credentials_stripped_total"), 3)
        for request in origin.requests:
            self.assertIsNone(request.header("proxy-authorization"))
        lines = self.egret.log_lines(5, kind="request", method="GET")
        self.assertEqual({line["identity"] for line in lines}, {"alice"})

    def test_P09_no_two_users_share_a_connection_to_an_origin(self):
        self.start_auth(top={"workers": 1})
        origin = self.origin()
        for _ in range(3):
            for who in (ALICE, BOB):
                self.assert_ok(self.client().get(self.url(origin, "/" + who.split()[-1].rstrip("=")), who))
        users = [{request.target for request in connection.requests} for connection in origin.connections]
        self.assertEqual([len(paths) for paths in users], [1, 1])
        self.assertEqual(self.egret.metric("egret_upstream_reused_total"), 4)


class Limited(AuthCase):
    def adjust(self, config):
        filters = config["listeners"][0]["filters"][0]["http_connection"]["filters"]
        filters.insert(1, {"rate_limit": self.limit})

    def test_each_identity_has_requests_of_its_own(self):
        self.limit = {"per": "IDENTITY", "requests": {"rate": 1, "burst": 3}}
        self.start_auth()
        origin = self.origin()
        statuses = [self.client().get(self.url(origin), ALICE).status for _ in range(6)]
        self.assertEqual(statuses[:3], [200] * 3)
        self.assertIn(429, statuses)
        response = self.client().get(self.url(origin), BOB)
        self.assertEqual(response.status, 200)
        refused = self.client().get(self.url(origin), ALICE)
        if refused.status == 429:
            self.assertGreaterEqual(int(refused.header("retry-after")), 1)

    def test_each_identity_has_tunnels_of_its_own(self):
        self.limit = {"per": "IDENTITY", "tunnels": 2}
        self.start_auth()
        origin = self.origin(lambda connection: connection.wait_end())
        authority = "origin.test:%d" % origin.port
        held = [self.client() for _ in range(2)]
        self.assertEqual([client.connect(authority, ALICE).status for client in held], [200, 200])
        self.assertEqual(self.client().connect(authority, ALICE).status, 429)
        self.assertEqual(self.client().connect(authority, BOB).status, 200)
        held[0].close()
        until(lambda: self.client().connect(authority, ALICE).status == 200, "room for one more")


class Secrecy(AuthCase):
    """Row S01, of what clients send to be known, and what it is checked against."""

    def test_S01_no_password_hash_or_credential_is_told_anywhere(self):
        self.start_auth(secrets=[{"name": "inline", "htpasswd": {"inline_string": "eve:%s\n" % SHA512}}])
        with DIRECT.open(urllib.request.Request("http://%s:%d/logging?level=debug" % self.egret.admin, b""),
                         timeout=SECONDS) as answer:
            self.assertEqual(answer.status, 200)
        origin = self.origin()
        client = self.client()
        sent = [ALICE, BOB, basic("alice", "canary-1"), basic("canary-2", "canary-3"), raw("Bearer canary-4"),
                raw("Basic canary-5"), raw("canary-6")]
        answers = [client.get(self.url(origin), line) for line in sent]
        self.assertEqual([answer.status for answer in answers], [200, 200] + [407] * 5)
        self.assertEqual(client.connect("origin.test:1", basic("canary-7", "canary-8")).status, 407)
        self.egret.log_lines(8)
        pages = {path: self.egret.get(path)[1] for path in ("/config_dump", "/stats", "/stats/prometheus", "/connections")}
        with open("/proc/%d/cmdline" % self.egret.pid, "rb") as f:
            pages["cmdline"] = f.read().decode()
        with open(self.egret.log_path) as f:
            pages["log"] = f.read()
        pages["stderr"] = self.egret.stderr()
        pages["refusals"] = "".join(repr(answer) for answer in answers)
        secrets = ["canary", HORSE, COLONS, BCRYPT[7:], SHA512[24:], *(line.split()[-1] for line in sent)]
        for where, text in pages.items():
            for secret in secrets:
                self.assertNotIn(secret, text, where)


class Certificates(TlsProxy):
    def start_known(self, *methods, **auth):
        """Rules: what the SPIFFE ID, the assurance and the user may ask for, each at a path of its own."""
        def only(name, **who):
            return allow(name, **{"from": who, "http": {"path_prefixes": ["/" + name]}})
        filters = [{"proxy_auth": {"methods": list(methods), **auth}}, *AFTER[:1], *AFTER[2:]]
        rules = [only("spiffe", spiffe_ids=["spiffe://prod/ns/ci/*"]), only("sure", at_least="CERTIFICATE"),
                 only("token", at_least="TOKEN"), only("alice", users=["alice"])]
        config = proxy_config(rules, filters)
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {
            "certificates": ["proxy"], "plaintext_too": True,
            "client_certificates": {"mode": "REQUEST", "trust": "people"}}})
        config["secrets"] = [pair("proxy", self.proxy), {"name": "people", "trust": {"roots": {"file": self.people.ca}}},
                             {"name": "users", "htpasswd": {"inline_string": USERS}}]
        self.start_config(config, HOSTS)
        self.site = self.origin()

    def statuses(self, client, *fields):
        return {path: client.get(self.url(self.site, "/" + path), *fields).status
                for path in ("spiffe", "sure", "token", "alice")}

    def test_a_certificate_is_who_asks_where_its_uri_begins_as_it_has_to(self):
        self.start_known({"client_certificate": {"uri_prefixes": ["spiffe://prod/ns/ci"]}}, {"basic": {"users": "users"}})
        ci = self.people.issue("ci", "URI:spiffe://prod/ns/ci/sa/build")
        other = self.people.issue("other", "URI:spiffe://prod/ns/cities/sa/x")
        self.assertEqual(self.statuses(self.tls_client(ci)), {"spiffe": 200, "sure": 200, "token": 200, "alice": 403})
        self.assertEqual(set(self.statuses(self.tls_client(other)).values()), {407})
        self.assertEqual(set(self.statuses(self.tls_client()).values()), {407})
        # A password inside TLS is as good as a token; in clear as an address.
        known = {"spiffe": 403, "sure": 403, "token": 200, "alice": 200}
        self.assertEqual(self.statuses(self.tls_client(other), ALICE), known)
        self.assertEqual(self.statuses(self.client(), ALICE), {**known, "token": 403})
        self.assertEqual({line["identity"] for line in self.egret.log_lines(4, identity="spiffe://prod/ns/ci/sa/build")},
                         {"spiffe://prod/ns/ci/sa/build"})
        self.assertEqual(self.egret.metric("egret_auth_accepted_total", method="client_certificate"), 4)

    def test_where_nothing_can_be_asked_for_nobody_is_refused(self):
        self.start_known({"client_certificate": {"uri_prefixes": ["spiffe://prod"]}})
        response = self.client().get(self.url(self.site, "/sure"), ALICE)
        self.assertEqual((response.status, response.all("proxy-authenticate")), (403, []))
        self.egret.one_line(status=403, detail="no_identity")


class RealClients(AuthCase):
    def curl(self, *words):
        run = subprocess.run([*CURL, "-x", self.egret.url, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return run.stdout.decode().split("\n")[-1], run.returncode

    def test_curl_with_and_without_a_password(self):
        self.start_auth()
        origin = self.origin()
        url = self.url(origin)
        self.assertEqual(self.curl("-U", "alice:" + HORSE, url), ("200 000", 0))
        self.assertEqual(self.curl("-U", "alice:wrong", url)[0], "407 000")
        self.assertEqual(self.curl(url)[0], "407 000")
        self.assertEqual(self.curl("--proxy-anyauth", "-U", "alice:" + HORSE, url), ("200 000", 0))
        self.assertEqual(self.curl("-p", "-U", "alice:" + HORSE, url), ("200 200", 0))
        self.assertEqual(self.curl("-p", "--proxy-anyauth", "-U", "alice:" + HORSE, url), ("200 200", 0))
        self.assertEqual(self.curl("-p", "-U", "alice:wrong", url), ("000 407", 56))
        self.assertEqual(self.curl("-p", url), ("000 407", 56))
        self.assertEqual(self.curl("-p", "--proxy-ntlm", "-U", "alice:" + HORSE, url)[0], "000 407")


if __name__ == "__main__":
    unittest.main()
