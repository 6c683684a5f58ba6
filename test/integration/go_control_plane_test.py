"""The real proxy and a control plane that somebody else wrote: go-control-plane, with the proxy's own types in a
LinearCache for each behind a MuxCache, and carried in a SnapshotCache. Row X26 of the catalogue; the independent server
in Python is fake_ads.py, and all tests with it. test/interop/build builds what this runs; without it this skips."""
import json
import os
import queue
import subprocess
import tempfile
import threading
import unittest

from google.protobuf import json_format

import fake_ads
from interop import program
from push_case import BAD, SHUT, PushCase, allow, deny, listener, policy
from waiting import SECONDS, until

SOURCES = "test/interop/go_control_plane"
# A server of this kind ends the stream where a type is asked for that it does not have.
SERVED = ["Listener", "EgressPolicy", "DomainSet", "Upstream"]


class GoControlPlane:
    def __init__(self, kind, descriptors):
        self.process = subprocess.Popen([program("go_control_plane", SOURCES), kind, descriptors], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.lines, self.nacks = queue.Queue(), queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = "127.0.0.1:%d" % self.lines.get(timeout=SECONDS)["port"]

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            (self.nacks if "nack" in said else self.lines).put(said)

    def change(self, put=(), remove=()):
        """`put`: messages; `remove`: pairs of type and name."""
        entries = [{"type": one.DESCRIPTOR.name,
                    "resource": json_format.MessageToDict(one, descriptor_pool=fake_ads.POOL)} for one in put]
        gone = [{"type": kind, "name": name} for kind, name in remove]
        self.process.stdin.write(json.dumps({"put": entries, "remove": gone}) + "\n")
        self.process.stdin.flush()
        assert self.lines.get(timeout=SECONDS) == {"done": True}

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class WithGoControlPlane(PushCase):
    kind, options = "linear", {"resource_types": SERVED}

    @classmethod
    def setUpClass(cls):
        program("go_control_plane", SOURCES)
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.descriptors = os.path.join(folder, "descriptors")
        with open(cls.descriptors, "wb") as f:
            f.write(fake_ads.DESCRIPTORS)

    def go(self, *put):
        server = GoControlPlane(self.kind, self.descriptors)
        self.addCleanup(server.stop)
        server.change(put)
        return server

    def begin(self, *more):
        """The server and an origin; the proxy serves what was pushed, and `more` of it."""
        server = self.go(policy(), listener(), *more)
        self.start_pushed(server, xds=self.options)
        return server, self.origin()

    def test_X26_what_is_pushed_is_in_force_and_what_is_taken_away_goes(self):
        server, origin = self.begin(listener("second"))
        self.assertEqual(self.status(origin), 200)
        server.change([policy(SHUT, allow())])
        self.await_status(origin, 403)
        server.change(remove=[("Listener", "second")])
        until(lambda: list(self.egret.live_listeners()) == ["egress"], "the listener to go")
        self.assertTrue(server.nacks.empty())

    def test_X26_a_hundred_are_pushed_one_of_them_bad_and_then_mended(self):
        server, origin = self.begin()
        names = ["p%02d" % i for i in range(99)] + ["web"]
        news = [policy(SHUT if n == "web" else BAD if n == "p57" else deny("d"), allow(), name=n) for n in names]
        listeners = [listener("l%d" % i, names[i:i + 10]) for i in range(0, 100, 10)]
        server.change(news + listeners)
        nack = server.nacks.get(timeout=SECONDS)["nack"]
        self.assertIn("p57 rules[0].to.cidrs[0]: 10.0.0.0/33", nack)
        self.await_state("p57", "parked")
        self.assertNotIn("l50", self.egret.live_listeners())
        server.change([policy(deny("d"), allow(), name="p57")])
        until(lambda: {self.states().get(n) for n in names} == {"in_force"}, lambda: self.pushed())
        self.assertEqual(len(self.egret.live_listeners()), 11)
        self.assertEqual(self.status(origin), 403)
        self.assertTrue(server.nacks.empty())

    def test_X26_parts_come_in_any_order(self):
        server = self.go(listener())
        self.start_pushed(server, xds=self.options, says="INITIALIZING")
        server.change([fake_ads.resource("DomainSet", {"name": "closed", "domains": ["denied.test"]})])
        server.change([policy(deny("listed", None, to={"domain_sets": ["closed"]}), allow())])
        until(lambda: self.egret.ready() == "LIVE\n", lambda: self.egret.ready())
        origin = self.origin()
        self.assertEqual((self.status(origin), self.status(origin, name="denied.test")), (200, 403))

    def test_X26_another_replica_has_the_same_versions_and_nothing_is_applied_anew(self):
        first, second = self.go(policy(), listener()), self.go(policy(), listener())
        self.start_pushed(first, second, xds=self.options)
        applied = self.egret.metric("egret_config_applied_total")
        first.stop()
        until(lambda: self.egret.metric("egret_xds_streams_total") == 2 or self.pushed()["server"] == second.address,
              "the other to be tried")
        second.change([policy(SHUT, allow())])
        self.await_status(self.origin(), 403)
        until(lambda: self.egret.metric("egret_config_applied_total") > applied, "it to be counted")
        self.assertEqual(self.egret.metric("egret_config_applied_total"), applied + 1)


class Carried(WithGoControlPlane):
    """All of it in one subscription of a type that any SnapshotCache serves."""
    kind, options = "snapshot", {"carrier": "EXTENSION_CONFIG"}


if __name__ == "__main__":
    unittest.main()
