"""Parent proxies: row T19 of the catalogue, whose addresses are asked for, and whose credentials are shown to whom."""
import base64
import os
import subprocess

from egret import Egret
from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from origins import swallow
from waiting import SECONDS

OPENS = b"HTTP/1.1 200 Connection established\r\n\r\n"


def opens(answer):
    """Script of a parent: reads the CONNECT, answers, and gives back what comes through the tunnel."""
    def script(connection):
        if connection.read_head() is None:
            return
        connection.send(answer)
        while connection.reader.more():
            connection.send(connection.reader.rest())
    return script


class Parents(ProxyCase):
    def through(self, *scripts, resolve="REMOTE", hosts=None, timeout="10s", **hop):
        """The proxy, with everything going through a parent that follows the scripts."""
        self.parent = self.origin(*scripts)
        filters = [{"egress_policy": {"policy": "web"}},
                   {"connect_tunnel": {"upstream": "parent", "connect_timeout": timeout}},
                   {"forward_router": {"upstream": "parent", "connect_timeout": timeout, "response_header_timeout": "2s"}}]
        self.start(deny(), allow(), filters=filters, hosts=hosts, upstreams=[
            {"name": "parent", "http_proxy": {"address": "127.0.0.1:%d" % self.parent.port, **hop}, "resolve": resolve}],
            drain={"jitter": "0s"}, secrets=[{"name": "cred", "credential": {"inline_string": "me:canary"}}])

    def connect(self, name="origin.test"):
        client = self.client()
        return client, client.connect(name + ":443")

    def assert_tunnel_failed(self, detail, status, secret=b"inside"):
        client, response = self.connect()
        line = self.egret.one_line(source=client.local)
        self.assertEqual((response.status, line.get("detail"), line["next_hop"]), (status, detail, "parent"), line)
        self.assertIn(detail, response.header("proxy-status"))
        self.assertNotIn(secret, bytes(client.reader.received))  # what the parent says is not for the client
        self.assertIsNone(response.header("proxy-authenticate"))
        return line

    def test_T19_what_a_parent_answers_to_connect_is_told_by_a_code_of_its_own(self):
        body = b"Content-Length: 6\r\n\r\ninside"
        for answer, detail in {
            b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=inside\r\n" + body: "parent_auth",
            b"HTTP/1.1 502 Bad Gateway\r\n" + body: "parent_refused",
            b"HTTP/1.1 403 No\r\nX: inside\r\n" + body: "parent_refused",
            b"HTTP/1.1 301 There\r\nLocation: http://inside/\r\n" + body: "parent_refused",
            b"inside, this is no HTTP\r\n\r\n": "parent_malformed",
            b"HTTP/1.1 200 inside\nX: y\n\n": "parent_malformed",
            b"HTTP/1.1 200 OK\r\nX: " + b"inside" * 40000 + b"\r\n\r\n": "parent_malformed",
            b"HTTP/1.1 103 inside\r\n\r\n" * 1000: "parent_malformed",
            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\ninside": "parent_malformed",
        }.items():
            with self.subTest(answer[:30]):
                def script(connection, answer=answer):
                    connection.read_head()
                    connection.send(answer)
                    connection.wait_end()
                self.through(script)
                self.assert_tunnel_failed(detail, 502)
                self.egret.stop()

    def test_T19_a_parent_that_breaks_off_or_says_nothing(self):
        self.through(lambda c: c.read_head() and c.reset(), lambda c: c.read_head() and c.close(), timeout="1s")
        self.assert_tunnel_failed("upstream_reset", 502)
        self.assert_tunnel_failed("upstream_closed", 502)
        self.egret.stop()

        def slow(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 O")
            connection.wait_end()
        self.through(slow, timeout="1s")
        client, response = self.connect()
        self.assertEqual(response.status, 504)
        self.egret.one_line(source=client.local)
        self.assertEqual(self.parent.wait_ended(), "fin")

    def test_T19_framing_of_a_200_means_nothing(self):
        for fields in (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n"):
            with self.subTest(fields):
                self.through(opens(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\0first"))
                client, response = self.connect()
                self.assertEqual((response.status, response.header("content-length"),
                                  response.header("transfer-encoding")), (200, None, None))
                self.assertEqual(client.reader.exactly(6), b"\0first")
                client.send(b"more")
                self.assertEqual(client.reader.exactly(4), b"more")
                client.close()
                self.egret.stop()

    def test_T19_what_a_parent_answers_to_a_request(self):
        for answer, status, detail in (
            (b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=inside\r\nContent-Length: 6\r\n\r\ninside", 502,
             "parent_auth"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502,
             "upstream_conflicting_framing"),
            (b"garbage inside\r\n\r\n", 502, "upstream_malformed"),
            (b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\norigin", 502, None),  # an answer like any other
        ):
            with self.subTest(answer[:20]):
                def script(connection, answer=answer):
                    connection.read_head()
                    connection.send(answer)
                    connection.wait_end()
                self.through(script)
                client = self.client()
                response = client.get("http://origin.test/")
                line = self.egret.one_line(source=client.local)
                self.assertEqual((response.status, line.get("detail")), (status, detail), line)
                self.assertNotIn(b"inside", bytes(client.reader.received))
                self.egret.stop()

    def test_every_vetted_address_is_asked_for_until_the_parent_reaches_one(self):
        asked = []

        def picky(connection):
            head = connection.read_head()
            asked.append(head.target)
            if not head.target.startswith("127.0.0.3:"):
                connection.send(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            connection.send(OPENS)
            while connection.reader.more():
                connection.send(connection.reader.rest())
        self.through(picky, resolve="LOCAL", hosts={"origin.test": ["127.0.0.1", "127.0.0.2", "127.0.0.3"]})
        client, response = self.connect()
        self.assertEqual(response.status, 200)
        client.send(b"\0x")
        self.assertEqual(client.reader.exactly(2), b"\0x")
        client.close()
        line = self.egret.one_line(source=client.local)
        self.assertEqual(asked, ["127.0.0.%d:443" % n for n in (1, 2, 3)])
        self.assertEqual(line["upstream"], "127.0.0.3:443")
        self.assertEqual(line["attempts"], ["127.0.0.%d:443: parent_refused" % n for n in (1, 2)])

    def test_an_address_that_the_parent_is_silent_about_does_not_hold_up_the_next(self):
        def picky(connection):
            if connection.read_head().target.startswith("127.0.0.1:"):
                connection.wait_end()
            else:
                connection.send(OPENS)
                connection.wait_end()
        self.through(picky, resolve="LOCAL", hosts={"origin.test": ["127.0.0.1", "127.0.0.2"]})
        client, response = self.connect()
        self.assertEqual(response.status, 200)
        self.assertEqual(self.parent.wait_ended(0), "fin")
        client.close()
        self.assertEqual(self.egret.one_line(source=client.local)["upstream"], "127.0.0.2:443")

    def test_a_parent_that_asks_who_we_are_is_asked_once(self):
        self.through(lambda c: c.read_head() and c.send(b"HTTP/1.1 407 Who\r\n\r\n"), resolve="LOCAL",
                     hosts={"origin.test": ["127.0.0.1", "127.0.0.2"]})
        self.assert_tunnel_failed("parent_auth", 502)
        self.assertEqual(len(self.parent.connections), 1)

    def test_a_parent_that_is_gone_is_told_as_such(self):
        self.through(swallow, resolve="LOCAL", hosts={"origin.test": ["127.0.0.1", "127.0.0.2"]})
        self.parent.close()
        self.assert_tunnel_failed("connection_refused", 502)

    def test_S10_credentials_are_for_the_parent_alone(self):
        self.through(opens(OPENS), credential="cred")
        client, response = self.connect()
        self.assertEqual(response.status, 200)
        head = self.parent.wait_requests(1)[0]
        self.assertEqual(head.header("proxy-authorization"), "Basic " + base64.b64encode(b"me:canary").decode())
        self.assertNotIn("canary", self.egret.get("/config_dump")[1] + self.egret.get("/clusters")[1])


class CommandLine(ProxyCase):
    """--parent and --parent-credentials."""

    def with_parent(self, *words):
        self.egret = Egret(proxy_config([allow()]), HOSTS, arguments=words)
        self.addCleanup(self._stop, self.egret)

    def shown_to(self, parent):
        self.client().get("http://origin.test/")
        credential = parent.wait_requests(1)[0].header("proxy-authorization")
        return base64.b64decode(credential.removeprefix("Basic "))

    def refused(self, *words, listener="address: '127.0.0.1:0'"):
        path = os.path.join(os.environ["TEST_TMPDIR"], "egret.yaml")
        with open(path, "w") as f:
            f.write("{listeners: [{name: a, %s, filters: [{http_connection: {filters: [{egress_policy: {policy: w}}, "
                    "{forward_router: {}}]}}]}], policies: [{name: w}]}" % listener)
        run = subprocess.run([os.environ["EGRET"], "--config", path, "--mode", "validate", *words], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertNotIn("canary", run.stdout)
        return run.stdout

    def test_user_and_password_in_the_url_are_percent_encoded(self):
        parent = self.origin()
        self.with_parent("--parent", "http://us%40er:p%3Aa%2fs%25%C3%A9@127.0.0.1:%d/" .replace("%d", str(parent.port)))
        self.assertEqual(self.shown_to(parent), b"us@er:p:a/s%\xc3\xa9")
        self.assertNotIn("us%40er", self.egret.get("/server_info")[1])

    def test_S06_a_file_keeps_them_out_of_the_list_of_processes(self):
        parent = self.origin()
        path = os.path.join(os.environ["TEST_TMPDIR"], "parent-credentials")
        with open(path, "w") as f:
            f.write("user:can%41ary:x\n")
        self.with_parent("--parent", "http://127.0.0.1:%d" % parent.port, "--parent-credentials", path)
        self.assertEqual(self.shown_to(parent), b"user:can%41ary:x")
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (self.egret.pid, name), "rb") as f:
                self.assertNotIn(b"ary:x", f.read())

    def test_what_is_wrong_is_told_without_the_secret(self):
        for words, said in (
            (("--parent", "http://u:canary%4@p:1"), "not well percent-encoded"),
            (("--parent", "http://u:canary%zz@p:1"), "not well percent-encoded"),
            (("--parent", "http://u:canary%0a@p:1"), "not well percent-encoded"),
            (("--parent", "http://u%3a:canary@p:1"), "colon"),
            (("--parent", "http://u:canary@p"), "--parent: not a proxy's URL"),
            (("--parent", "http://u:canary@p:1", "--parent-credentials", "/x"), "--parent-credentials: --parent has"),
            (("--parent-credentials", "/x"), "--parent-credentials: for which proxy?"),
        ):
            with self.subTest(words):
                self.assertIn(said, self.refused(*words))

    def test_what_cannot_go_by_it_does_not_go_past_it(self):
        """A listener that dials nothing but the address that was wanted cannot leave that to another proxy."""
        listener = ("address: '127.0.0.1:0', transparent: REDIRECT, destination: ORIGINAL_IF_RESOLVED, "
                    "listener_filters: [tls_inspector, {egress_policy: {policy: w}}]")
        self.assertIn("listeners[0].upstream: parent: this parent resolves names, so nobody knows what it dials",
                      self.refused("--parent", "http://127.0.0.1:1", listener=listener))
