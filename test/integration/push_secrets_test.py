"""Secrets that are pushed to the real proxy, and those with which it comes to its control plane. Rows of the catalogue
are named."""
import os
import shutil
import ssl
import tempfile
import unittest

import grpc

from authority import Authority
from fake_ads import PATIENCE, resource
from harness import HOSTS, allow
from mitm_authority_test import Load
from mitm_case import INSPECTED, MitmCase, mitm_config
from push_case import SHUT, PushCase, listener, policy
from waiting import until


def read(path):
    with open(path) as f:
        return f.read()


def secret(name, kind, certificate, key):
    return resource("Secret", {"name": name, kind: {"certificate": {"inline_string": read(certificate)},
                                                    "key": {"inline_string": read(key)}}})


class Scratch(PushCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def authority(self, name="ca"):
        return Authority(self.path(name), name)


class OfListeners(Scratch):
    def serve_tls(self):
        self.ca = self.authority()
        front = listener(before=[{"tls_terminator": {"certificates": ["front"]}}])
        self.server = self.ads((front, "1"), (policy(), "1"), (self.front("first"), "1"))
        self.start_pushed(self.server)

    def front(self, name):
        return secret("front", "certificate", *self.ca.issue(name, "DNS:origin.test", "IP:127.0.0.1"))

    def shown(self):
        client = self.client()
        client.sock = ssl.create_default_context(cafile=self.ca.ca).wrap_socket(client.sock,
                                                                                server_hostname="origin.test")
        names = dict(pair for part in client.sock.getpeercert()["subject"] for pair in part)
        client.close()
        return names["commonName"]

    def test_S09_a_certificate_that_is_pushed_is_shown_to_the_next_client(self):
        self.serve_tls()
        self.assertEqual(self.shown(), "first")
        self.server.put((self.front("second"), "2"))
        self.await_version("front", "2")
        self.assertEqual([self.shown() for _ in range(5)], ["second"] * 5)

    def test_M14_X02_a_key_of_another_certificate_is_refused(self):
        self.serve_tls()
        mixed, other = self.front("second"), self.front("third")
        mixed.certificate.key.inline_string = other.certificate.key.inline_string
        self.server.put((mixed, "2"))
        answer = self.server.await_answer(lambda one: one.error)
        self.assertEqual([r.name for r in answer.rejections], ["front"])
        self.assertNotIn("PRIVATE", answer.error + str(answer.rejections))
        self.assertEqual((self.shown(), self.row("front")["state"]), ("first", "parked"))

    def test_X13_a_secret_that_is_removed_in_use_goes_with_what_uses_it(self):
        self.serve_tls()
        self.server.remove("Secret", "front")
        self.await_state("front", "missing")
        self.assertEqual(self.shown(), "first")
        self.server.remove("Listener", "egress")
        until(lambda: not self.egret.live_listeners(), "the listener to go")
        until(lambda: not self.row("front"), "its secret to go")


class OfTheAuthority(PushCase, MitmCase):
    def certificate_authority(self, authority):
        return secret("ca", "certificate_authority", authority.ca, authority.path(authority.name + ".key"))

    def issuer(self, origin):
        client = self.inside(origin, context=self.both)
        issuer = dict(pair for part in client.sock.getpeercert()["issuer"] for pair in part)["commonName"]
        self.assert_ok(self.get_inside(client, origin))
        client.close()
        return issuer

    def serve_mitm(self):
        self.next = Authority(os.path.join(self.folder, "next"), "next")
        self.both = ssl.create_default_context(cafile=self.ours.ca)
        self.both.load_verify_locations(self.next.ca)
        config = mitm_config([INSPECTED], {"tls": {"trust": "origins"}}, [])
        server = self.ads(*[(resource("Listener", one), "1") for one in config["listeners"]],
                          (policy(INSPECTED), "1"), (self.certificate_authority(self.ours), "1"))
        self.start_pushed(server, workers=1,
                          secrets=[{"name": "origins", "trust": {"roots": {"file": self.authority.ca}}}])
        return server, self.tls_origin(alpn=("http/1.1",))

    def test_M13_no_handshake_fails_while_CAs_are_pushed(self):
        server, origin = self.serve_mitm()
        with Load(self, origin) as load:
            load.wait_for("ours")
            for n in range(6):
                authority = (self.next, self.ours)[n % 2]
                server.put((self.certificate_authority(authority), "c%d" % n))
                load.wait_for(authority.name)
        self.assertEqual((load.failures, self.shaken(result="failed")), ([], 0))

    def test_M14_a_CA_that_does_not_fit_is_refused_and_the_old_one_stays(self):
        server, origin = self.serve_mitm()
        mixed = self.certificate_authority(self.next)
        mixed.certificate_authority.key.inline_string = read(self.ours.path("ours.key"))
        leaf, key = self.next.issue("nobody", "DNS:nobody.test")
        for version, bad in (("2", mixed), ("3", secret("ca", "certificate_authority", leaf, key))):
            server.put((bad, version))
            answer = server.await_answer(lambda one: one.error)
            self.assertEqual([(r.name, r.version) for r in answer.rejections], [("ca", version)])
            self.assertNotIn("PRIVATE", answer.error + str(answer.rejections))
            self.assertEqual(self.issuer(origin), "ours")
        server.put((self.certificate_authority(self.next), "4"))
        self.await_version("ca", "4")
        self.assertEqual(self.issuer(origin), "next")


class TowardsTheServer(Scratch):
    """Row X25."""

    def setUp(self):
        super().setUp()
        self.ca = self.authority()
        certificate, key = self.ca.issue("server", "DNS:control.test")
        credentials = grpc.ssl_server_credentials([(self.read(key), self.read(certificate))], self.read(self.ca.ca), True)
        self.server = self.ads((policy(), "1"), (listener(), "1"), credentials=credentials)

    @staticmethod
    def read(path):
        return read(path).encode()

    def put_certificate(self, name, **how):
        """In the place of the one that the proxy has."""
        for source, to in zip(self.ca.issue(name, "DNS:proxy.test", **how), ("client.pem", "client.key")):
            shutil.copy(source, self.path(".new"))
            os.replace(self.path(".new"), self.path(to))

    def start_with_certificate(self, **more):
        secrets = [{"name": "roots", "trust": {"roots": {"file": self.ca.ca}}},
                   {"name": "us", "certificate": {"certificate": {"file": self.path("client.pem")},
                                                  "key": {"file": self.path("client.key")}}}]
        tls = {"trust": "roots", "certificate": "us", "server_name": "control.test"}
        servers = {"servers": [{"address": self.server.address, "tls": tls}]}
        self.start_config({"node": {"id": "egret-0"}, "xds": servers, "secrets": secrets}, HOSTS, **more)

    def test_X25_a_certificate_rotates_without_a_restart(self):
        self.put_certificate("first")
        self.start_with_certificate()
        stream, origin = self.server.await_stream(), self.origin()
        self.assertEqual(stream.peer, "first")
        kept = self.client()
        self.assert_ok(kept.get(self.url(origin)))
        self.put_certificate("second")
        self.assertEqual(self.server.await_stream().peer, "second")
        self.assertTrue(stream.ended.wait(PATIENCE))
        self.assert_ok(kept.get(self.url(origin)))
        self.server.put((policy(SHUT, allow()), "2"))
        self.await_status(origin, 403)

    def test_X25_one_that_has_expired_is_told_and_its_renewal_is_enough(self):
        self.put_certificate("old", end="20200101000000Z")
        self.start_with_certificate(says="INITIALIZING")
        until(lambda: "xds: " in self.egret.stderr(), "the refusal to be told", alive=self.egret.assert_running)
        self.assertEqual(self.egret.metric("egret_xds_connected"), 0)
        self.put_certificate("new")
        self.assertEqual(self.server.await_stream().peer, "new")
        until(lambda: self.egret.ready() == "LIVE\n", "it to be ready")
        self.assert_ok(self.client().get(self.url(self.origin())))


if __name__ == "__main__":
    unittest.main()
