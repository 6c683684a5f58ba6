"""What is pushed to the real proxy: what it decides and shows from then on, and secrets. Rows of the catalogue are named;
the wire is xds_test.py's."""
import itertools
import json
import os
import re
import ssl
import subprocess
import tempfile
import unittest

from authority import Authority
from egret import Egret, split_address
from fake_ads import FakeAds, resource
from harness import HOSTS, ProxyCase, allow, deny
from waiting import until

LISTENER, POLICY = "Listener", "EgressPolicy"


def listener(name="egress", policy="web", address="127.0.0.1:0", **http):
    filters = [{"egress_policy": {"policy": policy}}, {"connect_tunnel": {}}, {"forward_router": {}}]
    return resource(LISTENER, {"name": name, "address": address,
                               "filters": [{"http_connection": {"filters": filters, **http}}]})


def policy(*rules, name="web"):
    return resource(POLICY, {"name": name, "rules": list(rules) or [deny(), allow()]})


class PushCase(ProxyCase):
    def setUp(self):
        self.versions = itertools.count(1)

    def serve(self, **more):
        ads = FakeAds(**more)
        self.addCleanup(ads.stop)
        return ads

    def put(self, *resources):
        self.ads.put(*[(one, str(next(self.versions))) for one in resources])

    def begin(self, *ads, wait="LIVE", **top):
        """The proxy, told of these control planes; `wait`: what /ready has to say before this returns."""
        config = {"xds": {"servers": [{"address": one.address} for one in ads], **top.pop("xds", {})}, **top}
        return self.begin_with(config, wait)

    def begin_with(self, config, wait="LIVE"):
        self.egret = Pushed(config, HOSTS, wait)
        self.addCleanup(self._stop, self.egret)
        return self.egret

    def dump(self):
        return json.loads(self.egret.get("/config_dump")[1])

    def states(self):
        return {(one["type"].rsplit(".", 1)[-1], one["name"]): one for one in self.dump()["pushed"]["resources"]}

    def await_state(self, kind, name, state):
        until(lambda: self.states().get((kind, name), {}).get("state") == state,
              lambda: "%s %s to be %s; it is %r" % (kind, name, state, self.states().get((kind, name))))

    def await_version(self, kind, name, version):
        until(lambda: self.states().get((kind, name), {}).get("version_in_force") == version,
              lambda: "%s %s to be in force as %s: %r" % (kind, name, version, self.states()))

    def client(self, address=None):
        return super().client(address or self.egret.listener())

    def status(self, origin, name="origin.test"):
        client = self.client()
        answer = client.get(self.url(origin, name=name))
        client.close()
        return answer.status


class Pushed(Egret):
    """Its listeners come later than its process."""

    def __init__(self, config, hosts, wait):
        self.awaited = wait
        super().__init__(config, hosts)

    def _start(self):
        with open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen([os.environ["EGRET"], "--config", self.config_path, *self.arguments],
                                            stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        address = until(lambda: re.search(r"admin on (\S+)\n", self.stderr()), "the admin's address",
                        alive=self.assert_running)
        self.admin = split_address(address.group(1))
        until(lambda: self.says(self.awaited), lambda: "/ready to say %s; stderr: %s" % (self.awaited, self.stderr()),
              alive=self.assert_running)

    def says(self, word):
        try:
            return self.get("/ready")[1].startswith(word)
        except OSError:
            return False

    def listener(self, name="egress"):
        found = {one["name"]: one["address"] for one in json.loads(self.get("/listeners")[1])["listeners"]}
        host, _, port = found[name].rpartition(":")
        return host, int(port)


class Servers(PushCase):
    def setUp(self):
        super().setUp()
        self.ads = self.serve()

    def test_P08_X15_what_is_pushed_decides_the_next_request(self):
        self.put(listener(), policy())
        self.begin(self.ads)
        origin = self.origin()
        kept = self.client()
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        self.put(policy(deny("shut", ["origin.test"]), allow()))
        self.await_version(POLICY, "web", "3")
        answer = kept.get(self.url(origin))
        self.assertEqual((answer.status, answer.header("connection")), (403, None))

    def test_X19_another_server_takes_over(self):
        second = self.serve(name="second")
        for one in (self.ads, second):
            one.put((listener(), "a"), (policy(), "a"))
        self.begin(self.ads, second)
        self.ads.stop()
        second.put((policy(deny("shut", ["origin.test"]), allow()), "b"))
        self.await_version(POLICY, "web", "b")
        self.assertEqual(self.status(self.origin()), 403)
        self.assertEqual(self.dump()["pushed"]["control_plane"], "second")

    def test_O10_what_is_shown_is_what_was_pushed(self):
        pushed = policy(deny("one", ["a.test"]), allow("two"))
        self.put(listener(), pushed)
        self.begin(self.ads)
        shown = self.dump()
        self.assertEqual([rule["name"] for rule in shown["policies"][0]["rules"]], ["one", "two"])
        self.assertEqual({key: (one["state"], one["version_in_force"]) for key, one in self.states().items()},
                         {(LISTENER, "egress"): ("in_force", "1"), (POLICY, "web"): ("in_force", "2")})


class Secrets(PushCase):
    def secret(self, authority, name):
        certificate, key = authority.issue(name, "DNS:origin.test", "IP:127.0.0.1")
        with open(certificate) as c, open(key) as k:
            return resource("Secret", {"name": "front", "certificate": {
                "certificate": {"inline_string": c.read()}, "key": {"inline_string": k.read()}}})

    def test_S09_a_certificate_that_is_pushed_is_shown_to_the_next_client(self):
        authority = Authority(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")), "ca")
        self.ads = self.serve()
        front = listener()
        front.filters.add().CopyFrom(front.filters[0])
        front.filters[0].Clear()
        front.filters[0].tls_terminator.certificates.append("front")
        self.put(front, policy(), self.secret(authority, "first"))
        self.begin(self.ads, xds={"resource_types": ["Listener", "EgressPolicy", "DomainSet", "Upstream", "Secret"]})
        context = ssl.create_default_context(cafile=authority.ca)

        def shown():
            client = self.client()
            client.sock = context.wrap_socket(client.sock, server_hostname="origin.test")
            names = dict(pair for part in client.sock.getpeercert()["subject"] for pair in part)
            client.close()
            return names["commonName"]

        self.assertEqual(shown(), "first")
        self.put(self.secret(authority, "second"))
        self.await_version("Secret", "front", "4")
        self.assertEqual(shown(), "second")

    def test_M14_a_key_of_another_certificate_is_refused(self):
        authority = Authority(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")), "ca")
        self.ads = self.serve()
        front = listener()
        front.filters.add().CopyFrom(front.filters[0])
        front.filters[0].Clear()
        front.filters[0].tls_terminator.certificates.append("front")
        self.put(front, policy(), self.secret(authority, "first"))
        self.begin(self.ads)
        mixed, other = self.secret(authority, "second"), self.secret(authority, "third")
        mixed.certificate.key.inline_string = other.certificate.key.inline_string
        self.put(mixed)
        answer = self.ads.await_answer(lambda one: one.error)
        self.assertEqual([r.name for r in answer.rejections], ["front"])
        self.assertNotIn("PRIVATE", answer.error + str(answer.rejections))


if __name__ == "__main__":
    unittest.main()
