"""The proxy's xDS client, alone, against a control plane in another language (fake_ads.py) that was written from the
wire facts."""
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

import grpc

import fake_ads
from certificates import openssl
from fake_ads import FakeAds, carried, resource, response
from wire import Wire

PATIENCE = fake_ads.PATIENCE


OWN = {"policies": [{"name": "own", "rules": [{"name": "web", "action": "ALLOW"}]}]}  # of the bootstrap


def listener(name, port, *policies):
    policies = policies or ["own"]
    chain = [{"egress_policy": {"policies": list(policies)}}, {"connect_tunnel": {}}, {"forward_router": {}}]
    return resource("Listener", {"name": name, "address": "127.0.0.1:%d" % port,
                                 "filters": [{"http_connection": {"filters": chain}}]})


def policy(name, domain="a.example"):
    return resource("EgressPolicy", {"name": name, "rules": [
        {"name": "r", "action": "ALLOW", "to": {"domains": [domain]}}]})


BAD = {"name": "r", "action": "ALLOW", "to": {"cidrs": ["10.0.0.0/33"]}}


class Follower:
    """The client, as a process."""

    def __init__(self, bootstrap, folder, keepalive_ms=30_000):
        path = os.path.join(folder, "bootstrap.json")
        with open(path, "w") as f:
            json.dump(bootstrap, f)
        self.process = subprocess.Popen([os.environ["FOLLOW"], path, str(keepalive_ms)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.log = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()
        self.logger = threading.Thread(target=self._read_log, daemon=True)
        self.logger.start()
        self.applied = 0

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def await_in_force(self, names):
        seen = []
        while not seen or seen[-1] != "in force: " + names:
            try:
                seen.append(self.lines.get(timeout=PATIENCE))
            except queue.Empty:
                raise AssertionError("not %r but %r" % (names, seen))
            self.applied += seen[-1].startswith("in force: ")

    def status(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line.startswith("status: "):
                return line
            self.applied += 1

    def await_status(self, part):
        for _ in range(1_000_000):
            line = self.status()
            if part in line:
                return line
        raise AssertionError("no %r in %r" % (part, line))

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
        self.logger.join()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.process.returncode:
            raise AssertionError("ended with %d: %s" % (self.process.returncode, self.log))


class XdsServer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)

    def ads(self, **how):
        ads = FakeAds(**how)
        self.addCleanup(ads.stop)
        return ads

    def follow(self, *servers, more=(), keepalive_ms=30_000, **xds):
        listed = [{"address": s} if isinstance(s, str) else s for s in servers]
        bootstrap = {"node": {"id": "me", "cluster": "c"}, "xds": {"servers": listed, **xds}, **OWN, **dict(more)}
        follower = Follower(bootstrap, self.folder, keepalive_ms)
        self.addCleanup(follower.stop)
        return follower

    def test_what_a_server_holds_comes_into_force_whatever_its_order(self):
        ads = self.ads()
        ads.put((policy("p"), "1"), (listener("l", 1, "p"), "1"))
        follower = self.follow(ads.address)
        follower.await_in_force("listeners l policies own p")
        ads.put((listener("m", 2, "q"), "1"))
        ads.put((policy("q"), "1"))
        follower.await_in_force("listeners l m policies own p q")
        ads.remove("Listener", "l")
        follower.await_in_force("listeners m policies own p q")  # p lingers for whoever came by l
        first = ads.first_requests[0]
        self.assertEqual((first.node.id, first.node.cluster, first.node.user_agent_name), ("me", "c", "egret"))
        self.assertIn("egret.schema.1", first.node.client_features)
        self.assertTrue(all(not r.HasField("node") for r in ads.first_requests[1:]))

    def test_one_bad_among_a_hundred_and_then_that_one_mended(self):
        ads = self.ads()
        names = ["p%d" % i for i in range(100)]
        follower = self.follow(ads.address)
        bad = resource("EgressPolicy", {"name": "p57", "rules": [BAD]})
        ads.put(*[(bad if n == "p57" else policy(n), "1") for n in names])
        ads.put(*[(listener("l%d" % i, i + 1, *names[i * 10:i * 10 + 10]), "1") for i in range(10)])
        nack = ads.await_answer(lambda a: a.error)
        self.assertEqual(nack.code, 13)
        self.assertEqual([(r.name, r.field, r.value) for r in nack.rejections],
                         [("p57", "rules[0].to.cidrs[0]", "10.0.0.0/33")])
        self.assertTrue(nack.rejections[0].reason and nack.rejections[0].remedy)
        self.assertEqual(follower.status().count("/parked"), 100)
        ads.put((policy("p57"), "2"))
        follower.await_in_force("listeners %s policies own %s" % (" ".join("l%d" % i for i in range(10)),
                                                              " ".join(sorted(names))))

    def test_a_bad_push_a_hundred_times_is_refused_each_time_and_logged_once(self):
        ads = self.ads(scripted=True)
        follower = self.follow(ads.address)
        stream = ads.await_stream()
        bad = resource("Listener", {"name": "l", "address": "nowhere"})
        for i in range(100):
            stream.send(response("Listener", [(bad, "1")], nonce=str(i)))
        stream.await_request()
        answers = [stream.await_request() for _ in range(100)]
        self.assertEqual([a.response_nonce for a in answers], [str(i) for i in range(100)])
        self.assertTrue(all(a.HasField("error_detail") for a in answers))
        follower.stop()
        self.assertEqual(sum("address: nowhere" in line for line in follower.log), 1, follower.log[:10])

    def test_nonces_and_versions_are_not_interpreted(self):
        ads = self.ads(scripted=True)
        follower = self.follow(ads.address)
        stream = ads.await_stream()
        stream.await_request()
        for nonce, version in (("0", "9"), ("", "1"), ("\u00e9 / *", "\u00e9"), ("0", "")):
            stream.send(response("Listener", [(listener("l", 1), version)], nonce=nonce))
            self.assertEqual(stream.await_request().response_nonce, nonce)
        stream.end()
        again = ads.await_stream().await_request()
        self.assertEqual((again.response_nonce, dict(again.initial_resource_versions)), ("", {"l": ""}))
        self.assertEqual(list(again.resource_names_subscribe), ["*"])

    def test_a_server_that_restarts_is_told_what_is_here_and_nothing_is_applied_anew(self):
        ads = self.ads()
        ads.put((policy("p"), "7"), (listener("l", 1, "p"), "8"))
        follower = self.follow(ads.address)
        follower.await_in_force("listeners l policies own p")
        before = follower.await_status("p=7/7/in_force").split(" applied=")[1].split()[0]
        state = ads.state
        ads.stop()
        ads = self.ads(port=ads.port)
        ads.state = state
        follower.await_status("streams=2")
        versions = {r.type_url.rsplit(".", 1)[-1]: dict(r.initial_resource_versions) for r in ads.first_requests}
        self.assertEqual(versions, {"EgressPolicy": {"p": "7"}, "Listener": {"l": "8"}})
        self.assertEqual(follower.status().split(" applied=")[1].split()[0], before)

    def test_another_server_takes_over_with_other_versions(self):
        first, second = self.ads(name="first"), self.ads(name="second")
        first.put((policy("p"), "a"), (listener("l", 1, "p"), "a"))
        second.put((policy("q"), "5"), (listener("l", 1, "q"), "5"))
        follower = self.follow(first.address, second.address)
        follower.await_in_force("listeners l policies own p")
        first.stop()
        follower.await_in_force("listeners l policies own p q")
        self.assertIn("server=" + second.address, follower.await_status("l=5/5/in_force"))

    def test_what_is_not_confirmed_goes(self):
        ads = self.ads(scripted=True)
        follower = self.follow(ads.address)
        stream = ads.await_stream()
        stream.send(response("Listener", [(listener("l", 1), "1")], ttl=0.2))
        stream.send(response("Listener", [(listener("m", 2), "1")], nonce="2"))
        follower.await_in_force("listeners m policies own")

    def test_a_flap_ends_as_it_ended(self):
        ads = self.ads()
        ads.put((listener("l", 1, "p"), "1"))
        follower = self.follow(ads.address)
        for i in range(200):
            ads.put((policy("p", "%s.example" % "ab"[i % 2]), str(i % 2)))
        ads.put((policy("p", "c.example"), "0"))
        follower.await_status("p=0/0/in_force")

    def test_each_kind_of_failure_is_said_once(self):
        ads = self.ads()
        ads.refusal = (grpc.StatusCode.UNAUTHENTICATED, "who are you")
        follower = self.follow(ads.address)
        follower.await_status("attempts=3")
        ads.refusal = (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many of you")
        follower.await_status("RESOURCE_EXHAUSTED")
        follower.stop()
        for word in ("UNAUTHENTICATED", "RESOURCE_EXHAUSTED"):
            self.assertEqual(sum(word in line for line in follower.log), 1, follower.log[:10])

    def test_a_carrier_for_a_server_that_refuses_foreign_types(self):
        ads = self.ads()
        ads.put((carried(policy("web")), "1"), (carried(listener("web", 1, "web")), "1"))
        follower = self.follow(ads.address, carrier="EXTENSION_CONFIG")
        follower.await_in_force("listeners web policies own web")
        self.assertEqual([r.type_url for r in ads.first_requests], [fake_ads.URL + fake_ads.CARRIER])
        bad = resource("EgressPolicy", {"name": "web", "rules": [BAD]})
        ads.put((carried(bad), "2"), (carried(policy("other")), "1"))
        self.assertIn("rules[0].to.cidrs[0]", ads.await_answer(lambda a: a.error).error)
        ads.remove(fake_ads.CARRIER, "Listener/web")
        follower.await_in_force("policies own web")

    def test_a_connection_that_died_unsaid_is_found(self):
        ads = self.ads()
        ads.put((listener("l", 1), "1"))
        wire = Wire(ads.port)
        self.addCleanup(wire.close)
        follower = self.follow(wire.address, keepalive_ms=1000)
        follower.await_in_force("listeners l policies own")
        wire.cut_unsaid()
        follower.await_status("streams=2")

    def make_certificate(self, name, issuer=None):
        at = lambda ending: os.path.join(self.folder, name + ending)
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        san = "subjectAltName=DNS:control.test" if issuer else "basicConstraints=critical,CA:TRUE"
        with open(at(".cnf"), "w") as f:
            f.write(san + "\n")
        openssl(self.folder, "req", "-new", *new_key, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                "/CN=" + name)
        signer = (["-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-CAcreateserial"] if issuer
                  else ["-signkey", name + ".key"])
        openssl(self.folder, "x509", "-req", "-days", "30", "-in", name + ".csr", "-extfile", name + ".cnf",
                "-out", name + ".pem", *signer)
        with open(at(".pem"), "rb") as certificate, open(at(".key"), "rb") as key:
            return certificate.read(), key.read()

    def test_a_client_certificate_that_rotates_is_shown_on_a_new_connection(self):
        root, _ = self.make_certificate("ca")
        certificate, key = self.make_certificate("server", "ca")
        self.make_certificate("first", "ca")
        self.make_certificate("second", "ca")
        ads = self.ads(scripted=True, credentials=grpc.ssl_server_credentials([(key, certificate)], root, True))
        path = lambda name: os.path.join(self.folder, name)
        for ending in (".pem", ".key"):
            shutil.copy(path("first" + ending), path("client" + ending))
        secrets = [{"name": "t", "trust": {"roots": {"file": path("ca.pem")}}},
                   {"name": "c", "certificate": {"certificate": {"file": path("client.pem")},
                                                 "key": {"file": path("client.key")}}}]
        tls = {"trust": "t", "certificate": "c", "server_name": "control.test"}
        follower = self.follow({"address": ads.address, "tls": tls}, more={"secrets": secrets})
        stream = ads.await_stream()
        self.assertEqual(stream.peer, "first")
        stream.await_request()
        stream.send(response("Listener", [(listener("l", 1), "1")]))
        follower.await_in_force("listeners l policies own secrets t c")
        for ending in (".key", ".pem"):
            os.replace(path("second" + ending), path("client" + ending))
        self.assertEqual(ads.await_stream().peer, "second")
        self.assertTrue(stream.ended.wait(PATIENCE))

    def test_a_server_with_a_certificate_for_somebody_else_is_not_believed(self):
        root, _ = self.make_certificate("ca")
        certificate, key = self.make_certificate("server", "ca")
        ads = self.ads(credentials=grpc.ssl_server_credentials([(key, certificate)]))
        ads.put((listener("l", 1), "1"))
        secrets = [{"name": "t", "trust": {"roots": {"inline_string": root.decode()}}}]
        tls = {"trust": "t", "server_name": "other.test"}
        follower = self.follow({"address": ads.address, "tls": tls}, more={"secrets": secrets})
        self.assertIn("connected=0", follower.await_status("attempts=2"))
        self.assertTrue(ads.streams.empty())


if __name__ == "__main__":
    unittest.main()
