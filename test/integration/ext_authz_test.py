"""ext_authz: an outside service is asked about what policy lets through. Row P07 of the catalogue: where it does not
answer, nothing passes."""
import os
import threading
import unittest

import grpc

from auth_case import ALICE, BCRYPT
from fake_authz import FakeAuthz, allowed, denied
from harness import ProxyCase
from mitm_case import MitmCase
from reload_case import Reloading
from waiting import SECONDS, until


def read(path):
    with open(path, "rb") as f:
        return f.read()


def chain(service, before=(), **more):
    address = service if isinstance(service, str) else service.address
    asks = {"ext_authz": {"address": address, "timeout": "10s", **more}}
    return [*before, {"egress_policy": {"policy": "web"}}, asks, {"connect_tunnel": {}}, {"forward_router": {}}]


class AuthzCase(ProxyCase):
    def service(self, answer=lambda request: allowed(), **how):
        service = FakeAuthz(answer, **how)
        self.addCleanup(service.stop)
        return service

    def results(self, result):
        return self.egret.metric("egret_ext_authz_total", result=result)

    def failed(self, response, **match):
        self.assertEqual(response.status, 403, response)
        self.assertIn("ext_authz_error", response.header("proxy-status"))
        line = self.egret.one_line(status=403, **match)
        self.assertEqual((line["detail"], line["rule"]), ("ext_authz_error", "ext_authz"))
        self.assertIn(line["request_id"], response.header("proxy-status"))


class Answers(AuthzCase):
    def test_what_is_asked_and_what_is_not_told(self):
        service, origin = self.service(), self.origin()
        self.start(filters=chain(service, context_extensions=[{"key": "tier", "value": "gold"}]))
        client = self.client()
        response = client.get(self.url(origin, "/a?b=c"), "Authorization: Bearer tell-nobody",
                              "Cookie: tell=nobody", "X-Api-Key: tell-nobody", "Private-Token: tell-nobody",
                              "X-Amz-Security-Token: tell-nobody", "Proxy-Authorization: Basic tell-nobody",
                              "X-Team: a", "X-Team: b")
        self.assert_ok(response)
        asked, = service.asked
        http = asked.request.http
        self.assertEqual((http.method, http.path, http.scheme, http.protocol, http.host),
                         ("GET", "/a?b=c", "http", "HTTP/1.1", "origin.test:%d" % origin.port))
        self.assertEqual(http.headers["x-team"], "a, b")
        self.assertNotIn("tell", str(asked))
        self.assertEqual(asked.source.address.socket_address.address, "127.0.0.1")
        self.assertEqual(asked.destination.address.socket_address.address, "origin.test")
        self.assertEqual((asked.source.principal, dict(asked.context_extensions)), ("", {"tier": "gold"}))
        self.assertEqual(http.id, self.egret.one_line(status=200)["request_id"])
        self.assertEqual(self.results("allowed"), 1)

    def test_credentials_are_told_where_the_configuration_says_so(self):
        service, origin = self.service(), self.origin()
        self.start(filters=chain(service, credential_headers=["authorization"]))
        self.assert_ok(self.client().get(self.url(origin), "Authorization: Bearer t", "Cookie: c"))
        headers = dict(service.asked[0].request.http.headers)
        self.assertEqual((headers.get("authorization"), headers.get("cookie")), ("Bearer t", None))

    def test_a_denial_has_the_services_words_and_the_proxys_marks(self):
        service, origin = self.service(lambda _: denied(401, "not today", [("x-why", "sunday")])), self.origin()
        self.start(filters=chain(service))
        response = self.client().get(self.url(origin))
        self.assertEqual((response.status, response.body, response.header("x-why")), (401, b"not today", "sunday"))
        line = self.egret.one_line(status=401)
        self.assertEqual((line["detail"], line["rule"], line["decision"]), ("ext_authz_denied", "ext_authz", "deny"))
        self.assertIn(line["request_id"], response.header("proxy-status"))
        self.assertEqual(self.results("denied"), 1)
        self.assertEqual(origin.requests, [])

    def test_a_bare_denial_is_the_proxys_own_403(self):
        service, origin = self.service(lambda _: denied()), self.origin()
        self.start(filters=chain(service))
        response = self.client().get(self.url(origin))
        self.assertEqual(response.status, 403)
        self.assertIn("ext_authz", response.text())

    def test_fields_are_set_added_and_removed(self):
        service = self.service(lambda _: allowed([("x-user", "u"), ("x-more", "2", True)], ["x-secret"],
                                                 [("x-checked", "yes")]))
        origin = self.origin()
        self.start(filters=chain(service))
        response = self.client().get(self.url(origin), "X-User: me", "X-More: 1", "X-Secret: s")
        self.assert_ok(response)
        self.assertEqual(response.header("x-checked"), "yes")
        head = origin.requests[0]
        self.assertEqual((head.all("x-user"), head.all("x-more"), head.all("x-secret")), (["u"], ["1", "2"], []))

    def test_what_policy_denies_nobody_is_asked_about(self):
        service, origin = self.service(), self.origin()
        self.start(filters=chain(service))
        self.assertEqual(self.client().get(self.url(origin, name="denied.test")).status, 403)
        self.assertEqual(service.asked, [])

    def test_CONNECT_is_asked_about(self):
        service = self.service(lambda a: denied(302) if a.request.http.host.startswith("second") else allowed())
        origin = self.origin()
        self.start(filters=chain(service))
        self.assert_ok(self.tunnel(origin).get("/", host="origin.test:%d" % origin.port))
        http = service.asked[0].request.http
        self.assertEqual((http.method, http.host, http.path), ("CONNECT", "origin.test:%d" % origin.port, ""))
        self.assertEqual(self.client().connect("second.test:%d" % origin.port).status, 302)

    def test_who_asks_is_the_principal(self):
        service, origin = self.service(), self.origin()
        users = os.path.join(os.environ["TEST_TMPDIR"], "%s.htpasswd" % self.id())
        with open(users, "w") as f:
            f.write("alice:%s\n" % BCRYPT)
        auth = {"proxy_auth": {"methods": [{"basic": {"users": "people"}}]}}
        self.start(filters=chain(service, [auth]), secrets=[{"name": "people", "htpasswd": {"file": users}}])
        self.assert_ok(self.client().get(self.url(origin), ALICE))
        self.assertEqual(service.asked[0].source.principal, "alice")
        self.assertNotIn("proxy-authorization", service.asked[0].request.http.headers)

    def test_many_at_once(self):
        service, origin = self.service(), self.origin()
        self.start(filters=chain(service), workers=2)
        statuses = []

        def some():
            client = self.client()
            for _ in range(50):
                statuses.append(client.get(self.url(origin)).status)
        threads = [threading.Thread(target=some) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 800)
        self.assertEqual((len(service.asked), self.results("allowed")), (800, 800))


class P07_FailsClosed(AuthzCase):
    def test_P07_no_answer_in_time(self):
        release = threading.Event()
        self.addCleanup(release.set)
        service, origin = self.service(lambda _: release.wait(SECONDS) and allowed()), self.origin()
        self.start(filters=chain(service, timeout="50ms"))
        self.failed(self.client().get(self.url(origin)))
        self.assertEqual(origin.requests, [])
        self.assertEqual(self.results("error"), 1)

    def test_P07_no_service_until_it_is_there_and_when_it_has_gone(self):
        service, origin = self.service(), self.origin()
        self.start(filters=chain(service))
        client = self.client()
        self.assert_ok(client.get(self.url(origin)))
        service.stop()
        self.failed(client.get(self.url(origin, "/gone")), path="/gone")
        self.service(port=service.port)
        until(lambda: client.get(self.url(origin)).status == 200, "an answer that allows")

    def test_P07_answers_that_cannot_be_carried_out(self):
        answers = [allowed([("host", "other.test")]), allowed([("x-a", "b\r\nx-c: d")]), allowed([("content-length", "1")]),
                   allowed(remove=["proxy-x"]), denied(200), denied(407), denied(body="x" * 65537)]
        origin = self.origin()
        service = self.service(lambda _: answers[len(service.asked) - 1])
        self.start(filters=chain(service))
        for i in range(len(answers)):
            self.failed(self.client().get(self.url(origin, "/%d" % i)), path="/%d" % i)
        self.assertEqual(origin.requests, [])

    def one_that_waits(self):
        """A request about which the service thinks until it is released, and there is room for one."""
        release = threading.Event()
        self.addCleanup(release.set)
        service, origin = self.service(lambda _: release.wait(SECONDS) and allowed()), self.origin()
        self.start(filters=chain(service, max_calls=1))
        client = self.client()
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin).encode(), origin.port))
        until(lambda: service.asked, "the question")
        return client, origin, service, release

    def test_more_than_max_calls_have_no_answer(self):
        first, origin, service, release = self.one_that_waits()
        self.failed(self.client().get(self.url(origin, "/second")), path="/second")
        release.set()
        self.assert_ok(first.read_response())

    def test_who_goes_gives_the_question_up(self):
        first, origin, service, release = self.one_that_waits()
        first.reset()
        until(lambda: service.given_up, "the service to be told")
        second = self.client()
        release.set()
        until(lambda: second.get(self.url(origin)).status == 200, "an answer that allows")

    def test_failure_mode_allow_is_counted(self):
        service, origin = self.service(), self.origin()
        service.stop()
        self.start(filters=chain(service, failure_mode_allow=True))
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual((self.results("failed_open"), self.results("error")), (1, 0))

    def test_P07_what_came_is_no_failure_that_lets_through(self):
        def refuse(_):
            raise RuntimeError("of the service's own")
        answers = [lambda _: denied(200), lambda _: denied(body="x" * 65537), lambda _: denied(body="x" * (2 << 20)),
                   lambda _: allowed([("host", "other.test")]), refuse]
        origin = self.origin()
        service = self.service(lambda request: answers[len(service.asked) - 1](request))
        self.start(filters=chain(service, failure_mode_allow=True))
        for i in range(len(answers)):
            self.failed(self.client().get(self.url(origin, "/%d" % i)), path="/%d" % i)
        self.assertEqual((origin.requests, self.results("failed_open")), ([], 0))


class Reloads(Reloading, AuthzCase):
    def test_the_service_that_is_now_named_is_asked(self):
        first, origin = self.service(), self.origin()
        second = self.service(lambda _: denied(451))
        self.start(filters=chain(first))
        self.config = self.read_config()
        self.assert_ok(self.client().get(self.url(origin)))

        def name_the_second(config):
            for http in config["listeners"][0]["filters"][0]["http_connection"]["filters"]:
                if "ext_authz" in http:
                    http["ext_authz"]["address"] = second.address
        self.reload(name_the_second)
        self.assertEqual(self.client().get(self.url(origin)).status, 451)
        self.assertEqual((len(first.asked), len(second.asked)), (1, 1))


class Inside(MitmCase, AuthzCase):
    def test_requests_inside_inspected_tunnels_are_asked_about(self):
        service = self.service(lambda a: denied() if a.request.http.path == "/no" else allowed([("x-user", "u")]))
        origin = self.tls_origin()
        asks = {"ext_authz": {"address": service.address, "timeout": "10s"}}
        self.start_mitm(http={"filters": [{"egress_policy": {}}, asks, {"forward_router": {}}]})
        client = self.inside_h2(origin)
        authority = "origin.test:%d" % origin.port
        streams = [client.open([(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path)])
                   for path in ("/yes", "/no")]
        statuses = [client.response(stream).status for stream in streams]
        self.assertEqual(statuses, [200, 403])
        told = {(a.request.http.path, a.request.http.scheme, a.request.http.protocol) for a in service.asked}
        self.assertEqual(told, {("/yes", "https", "HTTP/2"), ("/no", "https", "HTTP/2")})

    def test_the_service_and_the_proxy_know_each_other(self):
        origin = self.origin()
        pair = self.authority.issue("authz", "DNS:authz.test")
        shown = self.authority.issue("proxy", "DNS:proxy.test")
        key, certificate, ca = (read(path) for path in (pair[1], pair[0], self.authority.ca))
        credentials = grpc.ssl_server_credentials([(key, certificate)], ca, True)
        service = self.service(credentials=credentials)
        tls = {"trust": "theirs", "certificate": "shown", "server_name": "authz.test"}
        secrets = [{"name": "theirs", "trust": {"roots": {"file": self.authority.ca}}},
                   {"name": "shown", "certificate": {"certificate": {"file": shown[0]}, "key": {"file": shown[1]}}}]
        self.start(filters=chain(service, tls=tls), secrets=secrets)
        self.assert_ok(self.client().get(self.url(origin)))
        self.start(filters=chain(service, tls=dict(tls, server_name="other.test")), secrets=secrets)
        self.failed(self.client().get(self.url(origin)))


if __name__ == "__main__":
    unittest.main()
