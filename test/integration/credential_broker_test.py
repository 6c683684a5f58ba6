"""credential_broker: a secret that its user never has. Rows S01, S06 and S10 of the catalogue, and that a placeholder goes
nowhere but where it is bound."""
import base64
import calendar
import hashlib
import hmac
import http.server
import os
import re
import signal
import subprocess
import threading
import time
import unittest
from urllib.parse import parse_qsl, quote, unquote

try:
    import yaml
except ImportError:
    yaml = None

import clients_tools_test
from auth_case import ALICE, BASIC, BOB, USERS
from client_case import need, proxy_env
from harness import HOSTS, allow, proxy_config
from mitm_case import INSPECTED
from mitm_filters_test import Inside, Site
from mitm_secrecy_test import Secrecy
from origins import OK, reply
from tls_origin import server_context
from waiting import SECONDS, until

PLACEHOLDER, SECRET, NEXT = "egret-placeholder", "canary-of-the-origin", "canary-after-the-first"
BEARER = ("Authorization", "Bearer " + PLACEHOLDER)


def in_base64(text):
    """What of it stands in Base64 wherever it begins."""
    return [base64.b64encode(b"x" * n + text.encode()).decode()[4:-4] for n in range(3)]


def chain(broker, policy=None, router=None):
    return [{"egress_policy": policy or {}}, {"credential_broker": broker}, {"forward_router": router or {}}]


def basic(user, password):
    return ("Authorization", "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode())


class BrokerCase(Inside, Secrecy):
    def setUp(self):
        self.secret_path = os.path.join(self.folder, self.id())
        self.put_secret(SECRET)

    def put_secret(self, text):
        with open(os.open(self.secret_path + ".new", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text + "\n")
        os.replace(self.secret_path + ".new", self.secret_path)

    def start_broker(self, *origins, secret=None, rules=(), known=None, before=(), **binding):
        """The same binding for each of the origins, unless it says otherwise. known: fields of the filter itself; before:
        filters between it and the policy."""
        binding = {"secret": "token", "host": "origin.test", "placeholder": PLACEHOLDER,
                   **({} if {"template", "s3"} & set(binding) else {"header": "authorization"}), **binding}
        broker = {"bindings": [{"port": origin.port, **binding} for origin in origins], **(known or {})}
        policy, *rest = chain(broker)
        self.start_mitm(*rules, http={"filters": [policy, *before, *rest]},
                        secrets=[{"name": "token", "credential": secret or {"file": self.secret_path}}])

    def sites(self, *fields):
        return {version: Site(self, version, b"ok", *fields) for version in ("http/1.1", "h2")}

    def assert_broker_refused(self, response, detail):
        """Reply, log and metrics tell the same."""
        told = response.header("proxy-status")
        line = self.egret.one_line(request_id=re.search(r'request-id="([^"]+)"', told).group(1))
        words = ("credential_broker", "request", "deny", detail)
        self.assertEqual((response.status, line["status"], line["detail"]), (403, 403, detail))
        self.assertEqual((line["rule"], line["stage"], line["decision"], line["reason"]), words)
        self.assertIn(detail, told)
        self.assertIn("rule=credential_broker", told)
        self.assertIn("credential_broker", response.text())

    def assert_counted(self, detail, count):
        self.assertEqual(self.egret.metric("egret_failures_total", detail=detail), count)
        self.assertEqual(self.egret.metric("egret_policy_decisions_total", rule="credential_broker", action="deny",
                                           stage="request"), count)

    def curl(self, *words, status=0):
        """What curl says on both of its outputs."""
        run = subprocess.run([need("curl"), "-sS", "-v", "--max-time", str(int(SECONDS)), *words], text=True,
                             env=proxy_env(self.egret.url, self.ours.ca), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(run.returncode, status, run.stdout)
        return run.stdout


class Filled(BrokerCase):
    def test_S01_S06_only_the_origin_sees_the_secret(self):
        """Rows S01 and S06: not the client, and no log, page, metric, capture, argument or environment of the proxy."""
        sites = self.sites(("X-Echo", SECRET))
        har = self.secret_path + ".har"
        self.start_broker(*(site.origin for site in sites.values()), secret={"inline_string": SECRET},
                          before=[{"tap": {"file": har, "duration": "600s"}}])
        self.say_all()
        said = ""
        for version, site in sites.items():
            url = "https://" + self.authority_of(site.origin)
            for words, wanted in (
                    (("-H", "Authorization: Bearer " + PLACEHOLDER), "Bearer " + SECRET),
                    (("-H", "Authorization: token " + PLACEHOLDER), "token " + SECRET),
                    (("-u", "me:" + PLACEHOLDER), basic("me", SECRET)[1])):
                said += self.curl("--http2" if version == "h2" else "--http1.1", *words, url + "/v1")
                self.assertEqual(site.asked()[0]["authorization"], wanted)
            said += self.curl("-H", "X-Api-Key: " + PLACEHOLDER, url)  # refused
        self.egret.log_lines(8, kind="request")
        everything = {"curl": said, "stderr": self.egret.stderr(), **self.admin_pages()}
        until(lambda: '"exchanges":8' in self.egret.get("/taps")[1].replace(" ", ""), "all to be captured")
        for name, path in (("log", self.egret.log_path), ("capture", har)):
            with open(path) as f:
                everything[name] = f.read()
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (self.egret.pid, name)) as f:
                everything[name] = f.read()
        for where, text in everything.items():
            for needle in [SECRET, *in_base64(SECRET)]:
                self.assertNotIn(needle, text, where)
        self.assertIn('"credential_broker"', everything["/config_dump"])
        self.assertIn(PLACEHOLDER, everything["capture"])  # in the place of what came back

    def test_a_request_for_https_itself(self):
        """Without a tunnel: the proxy does the TLS; in clear the same host has nothing."""
        origin = self.tls_origin(alpn=("http/1.1",))
        binding = {"secret": "token", "host": "origin.test", "port": origin.port, "header": "authorization",
                   "placeholder": PLACEHOLDER}
        config = proxy_config([allow()], chain({"bindings": [binding]}, {"policy": "web"}, {"tls": {"trust": "origins"}}),
                              secrets=[{"name": "token", "credential": {"file": self.secret_path}},
                                       {"name": "origins", "trust": {"roots": {"file": self.authority.ca}}}])
        config["listeners"][0]["filters"][0]["http_connection"]["https_in_clear"] = True
        self.start_config(config, HOSTS)
        client = self.client()
        self.assert_ok(client.get("https://" + self.authority_of(origin), "%s: %s" % BEARER))
        self.assertEqual(origin.requests[0].all("authorization"), ["Bearer " + SECRET])
        response = client.get("http://" + self.authority_of(origin), "%s: %s" % BEARER)
        self.assert_refused(client, response, "credential_misplaced", rule="credential_broker", status=403)

    def test_no_table_of_a_connection_holds_it(self):
        """RFC 7541 7.1.3, towards the origin."""
        site = Site(self, "h2", b"ok")
        for header in ("authorization", "x-api-key", "private-token"):
            self.start_broker(site.origin, header=header)
            self.assert_ok(self.ask(site, "h2", "/", (header, PLACEHOLDER), ("x-any", "v")))
            self.assertEqual(site.h2.unindexed[-1], {header})

    def test_an_origin_that_gives_it_back_is_not_heard(self):
        """Of row S01: a net, for fields of a response's head."""
        said = SECRET + " " + basic("me", SECRET)[1]
        sites = self.sites(("X-Echo", said))
        self.start_broker(*(site.origin for site in sites.values()))
        for version, site in sites.items():
            response = self.ask(site, version, "/", basic("me", PLACEHOLDER))
            self.assert_ok(response)
            self.assertEqual(response.header("x-echo"), PLACEHOLDER + " Basic " + PLACEHOLDER)

    def test_the_secret_is_rotated_under_traffic(self):
        """Each request has one or the other, and the next one after the change has the new one."""
        sites = self.sites()
        self.start_broker(*(site.origin for site in sites.values()))
        done, broken = threading.Event(), []

        def ask_on(version, site):
            client = self.inside(site.origin) if version == "http/1.1" else self.inside_h2(site.origin)
            while not done.is_set():
                status = (self.get_inside(client, site.origin, "/", "%s: %s" % BEARER).status
                          if version == "http/1.1" else client.response(self.ask_h2(
                              client, site.origin, "/", ("authorization", BEARER[1]))).status)
                if status != 200:
                    broken.append(status)
        threads = [threading.Thread(target=ask_on, args=item) for item in sites.items()]
        for thread in threads:
            thread.start()
        try:
            until(lambda: self.egret.metric("egret_requests_total") > 50, "traffic")
            self.put_secret(NEXT)
            self.egret.signal(signal.SIGHUP)
            until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 1, "the secret to be read again")
            for version, site in sites.items():
                self.assert_ok(self.ask(site, version, "/last", BEARER))
            before = self.egret.metric("egret_requests_total")
            until(lambda: self.egret.metric("egret_requests_total") > before + 50, "traffic after it")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual(broken, [])
        for asked in ([dict(r.fields)["authorization"] for r in sites["http/1.1"].origin.requests],
                      [fields["authorization"] for fields in sites["h2"].h2.seen]):
            self.assertEqual(sorted(set(asked)), sorted(["Bearer " + SECRET, "Bearer " + NEXT]))
            self.assertEqual(asked[-1], "Bearer " + NEXT)


class Templates(BrokerCase):
    def test_each_puts_the_credential_where_its_service_wants_it(self):
        token, key = ("authorization", "Bearer " + SECRET), ("x-api-key", SECRET)
        for template, goes, stays in (
                ("GITHUB", ((BEARER, token), (("Authorization", "token " + PLACEHOLDER), (token[0], "token " + SECRET)),
                            (basic("me", PLACEHOLDER), (token[0], basic("x-access-token", SECRET)[1]))),
                 [("Authorization", PLACEHOLDER), ("X-Api-Key", PLACEHOLDER)]),
                ("NPM", ((BEARER, token),), [basic("me", PLACEHOLDER), ("X-Api-Key", PLACEHOLDER)]),
                ("PYPI", ((basic("me", PLACEHOLDER), (token[0], basic("__token__", SECRET)[1])),), [BEARER]),
                ("ANTHROPIC", ((("X-Api-Key", PLACEHOLDER), key), (BEARER, token)),
                 [basic("me", PLACEHOLDER), ("X-Api-Key", "Bearer " + PLACEHOLDER), ("Api-Key", PLACEHOLDER)]),
                ("OPENAI", ((BEARER, token),), [basic("me", PLACEHOLDER), ("Api-Key", PLACEHOLDER)])):
            site = Site(self, "http/1.1", b"ok")
            self.start_broker(site.origin, template=template)
            for sent, wanted in goes:
                self.assert_ok(self.ask(site, "http/1.1", "/", sent))
                self.assertEqual(site.origin.requests[-1].all(wanted[0]), [wanted[1]], (template, sent))
            for sent in stays:
                self.assert_broker_refused(self.ask(site, "http/1.1", "/", sent), "credential_misplaced")

    def test_git_clones_with_a_placeholder(self):
        class Closed(clients_tools_test.GitBackend):
            """Whoever does not show the secret is asked for it."""

            def serve(self):
                if self.headers.get("authorization") == basic("x-access-token", SECRET)[1]:
                    return super().serve()
                self.body()
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = serve

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closed)
        server.root = os.path.join(self.folder, "served")
        server.socket = server_context(self.pair).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        server.port = server.server_address[1]
        self.start_broker(server, template="GITHUB")

        def git(*words, status=0):
            names = {"GIT_%s_%s" % (who, what): "a@origin.test" for who in ("AUTHOR", "COMMITTER")
                     for what in ("NAME", "EMAIL")}
            run = subprocess.run([need("git"), *words], cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env=proxy_env(self.egret.url, self.ours.ca, GIT_CONFIG_NOSYSTEM="1",
                                               GIT_TERMINAL_PROMPT="0", **names))
            self.assertEqual(run.returncode, status, run.stdout)
            return run.stdout.strip()
        git("init", "-q", "-b", "main", "work")
        git("-C", "work", "commit", "-q", "--allow-empty", "-m", "first")
        git("clone", "-q", "--bare", "work", "served/repo.git")
        where = "origin.test:%d/repo.git" % server.port
        git("clone", "-q", "https://me:%s@%s" % (PLACEHOLDER, where), "copy")
        self.assertEqual(git("-C", "copy", "rev-parse", "HEAD"), git("-C", "work", "rev-parse", "HEAD"))
        self.assertIn("403", git("clone", "-q", "https://me:of-my-own@" + where, "other", status=128))


class Refused(BrokerCase):
    def test_a_placeholder_in_another_place(self):
        sites = self.sites()
        self.start_broker(*(site.origin for site in sites.values()), methods=["GET"], path_prefixes=["/v1"])
        count = 0
        for version, site in sites.items():
            for path, method, *fields in (
                    ("/v1", "GET", ("X-Api-Key", PLACEHOLDER)),
                    ("/v1", "GET", ("Cookie", "a=" + PLACEHOLDER)),
                    ("/v1", "GET", basic(PLACEHOLDER, "x")),
                    ("/v1", "GET", ("Authorization", basic("me", PLACEHOLDER)[1].rstrip("="))),
                    ("/v1?token=" + PLACEHOLDER, "GET"),
                    ("/v1?token=%65gret-placeholder", "GET"),
                    ("/v2", "GET", BEARER),
                    ("/v1/%2e%2e/v2", "GET", BEARER),
                    ("/v1", "DELETE", BEARER)):
                with self.subTest(version + path, fields=fields):
                    response = self.ask(site, version, path, *fields, method=method)
                    self.assert_broker_refused(response, "credential_misplaced")
                    count += 1
        self.assertEqual([site.h2.seen or site.origin.requests for site in sites.values()], [[], []])
        self.assert_counted("credential_misplaced", count)

    def test_credentials_of_the_clients_own(self):
        sites = self.sites()
        self.start_broker(*(site.origin for site in sites.values()))
        fields = [(name, "mine") for name in ("Authorization", "Cookie", "X-Api-Key", "Private-Token",
                                              "X-Amz-Security-Token")]
        for version, site in sites.items():
            for field in fields:
                self.assert_broker_refused(self.ask(site, version, "/", field), "credential_foreign")
        self.assert_counted("credential_foreign", 2 * len(fields))
        self.assertEqual([site.h2.seen or site.origin.requests for site in sites.values()], [[], []])

    def test_credentials_of_the_clients_own_are_stripped_or_passed(self):
        for wanted, kept in (("STRIP", []), ("PASS", ["a=b"])):
            site = Site(self, "http/1.1", b"ok")
            self.start_broker(site.origin, other_credentials=wanted)
            self.assert_ok(self.ask(site, "http/1.1", "/", BEARER, ("Cookie", "a=b")))
            request = site.origin.requests[-1]
            self.assertEqual((request.all("authorization"), request.all("cookie")), (["Bearer " + SECRET], kept))

    def test_credentials_in_the_query_and_those_that_are_named(self):
        known = {"credential_headers": ["x-our-token"], "credential_query_keys": ["our_key"]}
        for wanted in ("REFUSE", "STRIP"):
            site = Site(self, "http/1.1", b"ok")
            self.start_broker(site.origin, known=known, other_credentials=wanted)
            for path, *fields in (("/?a=b&access_token=mine",), ("/?Our%5fKey=mine&a=b",),
                                  ("/?a=b", ("X-Our-Token", "mine"))):
                response = self.ask(site, "http/1.1", path, BEARER, *fields)
                if wanted == "REFUSE":
                    self.assert_broker_refused(response, "credential_foreign")
                    continue
                self.assert_ok(response)
                request = site.origin.requests[-1]
                self.assertEqual((request.target, request.all("x-our-token"), request.all("authorization")),
                                 ("/?a=b", [], ["Bearer " + SECRET]))

    def test_an_origin_that_is_not_verified_has_nothing(self):
        origin = self.tls_origin(alpn=("http/1.1",))
        broker = {"bindings": [{"secret": "token", "host": "origin.test", "port": origin.port, "header": "authorization",
                                "placeholder": PLACEHOLDER}]}
        self.start_mitm(http={"filters": chain(broker)},
                        destinations=[{"domains": ["origin.test"], "unverified": True}],
                        secrets=[{"name": "token", "credential": {"file": self.secret_path}}])
        client = self.inside(origin)
        self.assert_ok(self.get_inside(client, origin))
        self.assert_broker_refused(self.get_inside(client, origin, "/", "%s: %s" % BEARER), "credential_misplaced")
        self.assertEqual(len(origin.requests), 1)


class Identities(BrokerCase):
    """Whom a tunnel's CONNECT made known."""

    def start_config(self, config, hosts=None, arguments=(), says=None):
        outer = config["listeners"][0]["filters"][0]["http_connection"]["filters"]
        outer.insert(0, {"proxy_auth": {"methods": [BASIC]}})
        config["secrets"].append({"name": "people", "htpasswd": {"inline_string": USERS}})
        return super().start_config(config, hosts, arguments, says)

    def ask_as(self, who, origin):
        client = self.client()
        self.assertEqual(client.connect(self.authority_of(origin), who).status, 200)
        client.sock = self.client_context(("http/1.1",)).wrap_socket(client.sock, server_hostname="origin.test")
        client.reader.sock = client.sock
        return self.get_inside(client, origin, "/", "%s: %s" % BEARER)

    def test_only_whom_it_is_bound_to_has_it(self):
        origin = self.tls_origin(alpn=("http/1.1",))
        self.start_broker(origin, users=["alice"])
        self.assert_ok(self.ask_as(ALICE, origin))
        self.assert_broker_refused(self.ask_as(BOB, origin), "credential_misplaced")
        self.assertEqual([request.all("authorization") for request in origin.requests], [["Bearer " + SECRET]])


def hash_of(content):
    return hashlib.sha256(content).hexdigest()


def signature_of(secret_key, date, scope, method, target, fields, names, content_hash):
    """AWS Signature Version 4, as Amazon's documents have it. scope: region and service."""
    path, _, query = target.partition("?")
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(query, keep_blank_values=True))
    lines = [method, quote(unquote(path), safe="/-_.~"), "&".join("=".join(pair) for pair in pairs),
             *("%s:%s" % (name, fields[name].strip()) for name in names), "", ";".join(names), content_hash]
    place = "%s/%s/%s/aws4_request" % (date[:8], *scope)
    text = "\n".join(["AWS4-HMAC-SHA256", date, place, hash_of("\n".join(lines).encode())])
    key = ("AWS4" + secret_key).encode()
    for part in place.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def signed(key_id, *more, scope=("eu-central-1", "s3"), content_hash="UNSIGNED-PAYLOAD"):
    """The fields of a client that signs with some key of its own."""
    return (("X-Amz-Date", "20200101T000000Z"), ("X-Amz-Content-Sha256", content_hash), *more,
            ("Authorization", "AWS4-HMAC-SHA256 Credential=%s/20200101/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, "
             "Signature=%s" % (key_id, *scope, hash_of(b"any"))))


class Bucket(BrokerCase):
    """Requests that are signed for S3."""

    KEY_ID = "EGRETPLACEHOLDERID"

    def start_bucket(self, *sites, token=""):
        self.put_secret("AKIDOFTHEPROXY:" + SECRET + (":" + token if token else ""))
        self.start_broker(*(site.origin for site in sites), s3={"region": "us-east-2"}, placeholder=self.KEY_ID)

    def assert_signed(self, asked, method, target, host, content_hash):
        form = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=AKIDOFTHEPROXY/(\d{8})/us-east-2/s3/aws4_request, "
                            r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", asked["authorization"])
        self.assertIsNotNone(form, asked)
        names = form.group(2).split(";")
        self.assertLessEqual({"host"} | {name for name in asked if name.startswith("x-amz-")}, set(names))
        self.assertEqual(asked["x-amz-content-sha256"], content_hash)
        date = asked["x-amz-date"]
        age = time.time() - calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
        self.assertLess(abs(age), 900)  # as old as S3 takes it
        self.assertEqual(form.group(3), signature_of(SECRET, date, ("us-east-2", "s3"), method, target,
                                                     {**asked, "host": host}, names, content_hash))

    def test_requests_are_signed_anew(self):
        sites = self.sites()
        self.start_bucket(*sites.values())
        for version, site in sites.items():
            host = self.authority_of(site.origin)
            for method, target, body in (("GET", "/bucket/a%20b/%C3%BC?prefix=x%2Fy&list-type=2&acl", b""),
                                         ("PUT", "/bucket/object", b"content")):
                for content_hash in ("UNSIGNED-PAYLOAD", hash_of(body), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
                    fields = signed(self.KEY_ID, ("X-Amz-Meta-Of", "mine  own"), content_hash=content_hash)
                    response = self.ask(site, version, target, *fields, method=method, body=body)
                    self.assert_ok(response)
                    asked, content = site.asked()
                    self.assertEqual(content, body)
                    self.assert_signed({**asked, "x-amz-meta-of": "mine own"}, method, target, host, content_hash)

    def test_a_temporary_key_brings_its_token(self):
        site = Site(self, "http/1.1", b"ok")
        self.start_bucket(site, token="session-token")
        self.assert_ok(self.ask(site, "http/1.1", "/", *signed(self.KEY_ID)))
        asked, _ = site.asked()
        self.assertEqual(asked["x-amz-security-token"], "session-token")
        self.assert_signed(asked, "GET", "/", self.authority_of(site.origin), "UNSIGNED-PAYLOAD")

    def test_a_secret_of_another_form_is_told_without_being_shown(self):
        site = Site(self, "http/1.1", b"ok")
        for secret, why, where in ((SECRET, "not ACCESS_KEY_ID:SECRET_KEY", {"s3": {"region": "us-east-2"}}),
                                   (SECRET + "\nb", "not one line of visible ASCII", {}),
                                   ("", "not one line of visible ASCII", {})):
            self.put_secret(secret)
            with self.assertRaises(AssertionError) as told:
                self.start_broker(site.origin, **where)
            self.assertIn(".credential: " + why, str(told.exception))
            self.assertNotIn(SECRET, str(told.exception))

    def test_what_cannot_be_signed_is_refused_with_a_remedy(self):
        sites = self.sites()
        self.start_bucket(*sites.values())
        for version, site in sites.items():
            response = self.ask(site, version, "/", *signed(self.KEY_ID,
                                                            content_hash="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"))
            self.assert_broker_refused(response, "credential_unsigned")
            self.assertIn("STREAMING-UNSIGNED-PAYLOAD-TRAILER", response.text())
            self.assert_broker_refused(self.ask(site, version, "/", *signed("AKIDOFMYOWN")), "credential_foreign")
            presigned = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s%%2F20200101&X-Amz-Signature=a"
            self.assert_broker_refused(self.ask(site, version, presigned % self.KEY_ID), "credential_misplaced")
            self.assert_broker_refused(self.ask(site, version, presigned % "AKIDOFMYOWN"), "credential_foreign")
        self.assertEqual([site.h2.seen or site.origin.requests for site in sites.values()], [[], []])


def spelt_out(config):
    """With {} behind each filter that stands there as its name alone, which JSON has no words for."""
    if isinstance(config, dict):
        return {key: [one if isinstance(one, dict) else {one: {}} for one in spelt_out(value)]
                if key.endswith("filters") else spelt_out(value) for key, value in config.items()}
    return [spelt_out(one) for one in config] if isinstance(config, list) else config


@unittest.skipIf(yaml is None, "python3-yaml is not installed")
class Recipe(BrokerCase):
    """README.md, "Keeping a token out of the workload", with an origin of this machine in the place of GitHub."""

    def test_it_does_what_it_says(self):
        with open("README.md") as f:
            section = re.search(r"^### Keeping a token out of the workload\n(.*?)^### ", f.read(), re.M | re.S).group(1)
        config = spelt_out(yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", section, re.M | re.S).group(1)))
        api, site = Site(self, "http/1.1", b"ok"), Site(self, "http/1.1", b"ok")
        listener, tunnels = config["listeners"]
        listener["address"] = "127.0.0.1:0"
        terminator, http = tunnels["filters"]
        terminator["mitm_terminator"]["tls"] = {"trust": "origins"}
        bindings = http["http_connection"]["filters"][1]["credential_broker"]["bindings"]
        for binding, origin in zip(bindings, (api.origin, site.origin)):
            binding.update(host="origin.test", port=origin.port)
        (rule,) = config["policies"][0]["rules"]
        rule.update(allow(rule["name"], protocols=["TLS"], inspection=rule["inspection"]))
        authority, github = config["secrets"]
        authority["certificate_authority"] = {"certificate": {"file": self.ours.ca}, "key": {"file": self.key_path}}
        github["credential"]["file"] = self.secret_path
        config["secrets"].append({"name": "origins", "trust": {"roots": {"file": self.authority.ca}}})
        self.start_config(config, HOSTS)
        bearer = ("Authorization", "Bearer egret-github")
        self.assert_ok(self.ask(api, "http/1.1", "/repos/acme/app", bearer))
        self.assertEqual(api.origin.requests[-1].all("authorization"), ["Bearer " + SECRET])
        self.assert_ok(self.ask(site, "http/1.1", "/acme/app/info/refs", basic("me", "egret-github")))
        self.assertEqual(site.origin.requests[-1].all("authorization"), [basic("x-access-token", SECRET)[1]])
        for origin, path, field, detail in ((api, "/repos/other", bearer, "credential_misplaced"),
                                            (api, "/acme", ("X-Any", "egret-github"), "credential_misplaced"),
                                            (site, "/?t=egret-github", bearer, "credential_misplaced"),
                                            (site, "/acme", ("Authorization", "Bearer mine"), "credential_foreign")):
            self.assert_broker_refused(self.ask(origin, "http/1.1", path, field), detail)


class Elsewhere(BrokerCase):
    """Row S10."""

    def test_S10_a_redirect_to_another_authority_takes_nothing_along(self):
        """Row S10: not even with a client that sends its credentials wherever it is told to."""
        pair = self.authority.issue("second", "DNS:second.test")
        other = self.tls_origin(alpn=("http/1.1",), pair=pair)
        there = "https://second.test:%d/" % other.port
        origin = self.tls_origin(reply(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % there.encode()),
                                 alpn=("http/1.1",))
        self.start_broker(origin, rules=[INSPECTED])
        said = self.curl("-L", "--location-trusted", "-H", "%s: %s" % BEARER,
                         "https://" + self.authority_of(origin) + "/")
        self.assertIn("credential_misplaced", said)
        self.assertNotIn(SECRET, said)
        self.assertEqual(origin.requests[0].all("authorization"), ["Bearer " + SECRET])
        self.assertEqual(other.requests, [])
        self.assert_counted("credential_misplaced", 1)

    def test_S10_what_is_asked_once_more_is_asked_of_the_same(self):
        """Row S10: a connection that ended meanwhile is another one to the same authority."""
        def once(connection):
            connection.read_request()
            connection.send(OK)

        origin = self.tls_origin(once, reply(OK), alpn=("http/1.1",))
        self.start_broker(origin)
        client = self.inside(origin)
        for _ in range(2):
            self.assert_ok(self.get_inside(client, origin, "/", "%s: %s" % BEARER))
        self.assertEqual([request.all("authorization") for request in origin.requests], [["Bearer " + SECRET]] * 2)

    def test_S10_a_parent_sees_a_tunnel_and_no_more(self):
        """Row S10: the hop before the origin."""
        origin = self.tls_origin(alpn=("http/1.1",))
        parent = self.start(allow())
        parent_log = parent.log_path
        self.parent = "%s:%d" % parent.address
        self.start_broker(origin, rules=[INSPECTED])
        self.assert_ok(self.get_inside(self.inside(origin), origin, "/", "%s: %s" % BEARER))
        self.assertEqual(origin.requests[0].all("authorization"), ["Bearer " + SECRET])
        until(lambda: parent.metric("egret_requests_total") == 1, "the parent's tunnel")
        with open(parent_log) as f:
            self.assertNotIn(SECRET, f.read())

    def start_config(self, config, hosts=None, arguments=(), says=None):
        """Where there is a parent, whatever is dialled goes through it."""
        if getattr(self, "parent", None):
            config["upstreams"] = [{"name": "parent", "http_proxy": {"address": self.parent}, "resolve": "REMOTE"}]
            chains = [config["listeners"][0]["filters"][0],
                      config["listeners"][1]["filter_chains"][0]["filters"][1]]
            for chain in chains:
                for one in chain["http_connection"]["filters"]:
                    for name in one:
                        if name in ("connect_tunnel", "forward_router"):
                            one[name]["upstream"] = "parent"
        return super().start_config(config, hosts, arguments, says)


if __name__ == "__main__":
    unittest.main()
