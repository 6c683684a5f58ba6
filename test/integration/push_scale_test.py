"""Many resources, one of many that changes, and many pushes in a row: what is compiled is counted, time is not measured
(tools/bench/push does that). Rows of the catalogue are named."""
import unittest

from fake_ads import resource
from harness import allow, deny
from load import Load
from push_case import PushCase, listener, policy

POLICIES, SETS = 16, 1_000  # a listener takes so many policies
PUSHES = 300


def domain_set(number, *domains):
    return resource("DomainSet", {"name": "s%d" % number, "domains": [*domains] or ["a%d.example" % number]})


def policy_of_sets(number, last):
    """Its share of the sets, each shut by a rule of its own."""
    rules = [deny("r%d" % i, to={"domain_sets": ["s%d" % i]}) for i in range(number, SETS, POLICIES)]
    return policy(*rules, last, name="p%d" % number)


def everything():
    front = listener(policy="p0")
    rest = resource("Listener", {"name": "rest", "address": "127.0.0.1:0", "filters": [{"http_connection": {"filters": [
        {"egress_policy": {"policies": ["p%d" % i for i in range(1, POLICIES)]}}, {"forward_router": {}}]}}]})
    return [front, rest, *(policy_of_sets(i, allow()) for i in range(POLICIES)), *(domain_set(i) for i in range(SETS))]


class Scale(PushCase):
    def setUp(self):
        self.server = self.ads(*((one, "1") for one in everything()))
        self.start_pushed(self.server)

    def compiled(self):
        """[listeners, policies, sets] so far."""
        return [self.egret.metric("egret_config_compiled_total", type=kind)
                for kind in ("Listener", "EgressPolicy", "DomainSet")]

    def compiled_for(self, change):
        before = self.compiled()
        change()
        return [now - then for now, then in zip(self.compiled(), before)]

    def push(self, one, version):
        self.server.put((one, version))
        self.await_version(one.name, version)

    def test_X14_all_of_many_resources_are_in_force(self):
        self.assertEqual(len(self.states()), 2 + POLICIES + SETS)
        self.assertEqual(set(self.states().values()), {"in_force"})
        self.assertEqual(self.compiled()[2], SETS)  # none of them twice
        self.assertEqual(self.status(self.origin()), 200)

    def test_X15_one_of_many_touches_one(self):
        origin, kept = self.origin(), self.client()
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        shut = domain_set(POLICIES, "origin.test")  # of policy p0
        self.assertEqual(self.compiled_for(lambda: self.push(shut, "2")), [0, 0, 1])
        self.assertEqual(kept.get(self.url(origin)).status, 403)
        self.assertEqual(self.compiled_for(lambda: self.push(policy_of_sets(0, deny("last")), "2")), [0, 1, 0])
        self.assertEqual(self.compiled_for(lambda: self.push(domain_set(POLICIES), "3")), [0, 0, 1])
        self.assertEqual(kept.get(self.url(origin)).status, 403)
        self.assertEqual(self.compiled_for(lambda: self.push(policy_of_sets(0, allow()), "3")), [0, 1, 0])
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        kept.close()

    def test_X16_a_storm_of_pushes_fails_no_request(self):
        origin = self.origin()
        load = Load(self.egret.live_listeners()["egress"], self.url(origin), fresh=2, kept=2)
        load.wait_served(10)
        applied = self.egret.metric("egret_config_applied_total")
        before = self.compiled()
        for i in range(PUSHES):  # whatever the proxy says meanwhile
            self.server.put((domain_set(i % 10, "b%d.example" % i), "storm%d" % i))
        self.await_version("s%d" % ((PUSHES - 1) % 10), "storm%d" % (PUSHES - 1))
        load.stop()
        self.assertEqual(load.failures, [])
        self.assertLessEqual(self.egret.metric("egret_config_applied_total") - applied, PUSHES)
        listeners, policies, sets = (now - then for now, then in zip(self.compiled(), before))
        self.assertEqual((listeners, policies), (0, 0))
        self.assertLessEqual(sets, PUSHES)  # some of those that came together count once
        self.assertEqual(self.egret.metric("egret_xds_rejected_total"), 0)
        self.assertEqual(self.states()["s0"], "in_force")


if __name__ == "__main__":
    unittest.main()
