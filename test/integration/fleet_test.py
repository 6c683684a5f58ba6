"""What proxies report of themselves, and what they are told, by way of their control plane."""
import json
import unittest

from control_case import StatusCase, policy
from control_plane import listener
from fake_ads import FakeAds, resource
from harness import HOSTS, allow, deny
from waiting import until


class ReportTest(StatusCase):
    def only_group(self):
        return json.loads(self.egretctl("--output", "json")[1])["groups"][0]

    def only_proxy(self):
        return json.loads(self.egretctl("--output", "json")[1])["proxies"][0]

    def test_a_refusal_outlives_the_control_plane_that_heard_it(self):
        self.start_config({"node": {"id": "p1", "cluster": "web"}, "listeners": [listener("pinned")],
                           "xds": {"servers": [{"address": self.plane.address}]}}, HOSTS)
        self.await_fleet(0, "in force")
        self.library.put("web", listeners=[listener(), listener("pinned")], policies=[policy(allow())])
        self.await_fleet(1, "refuses")
        self.plane.kill()
        self.plane = self.operated(self.plane.port)
        out = self.await_fleet(1, "refuses")
        self.assertRegex(out, r"p1 of web refuses Listener pinned name: pinned: .*bootstrap.*; \w+")
        self.serve()
        self.await_fleet(0, "in force")

    def test_it_says_where_its_configuration_came_from_and_what_its_rules_decided(self):
        origin = self.origin()
        self.serve(deny("shut", domains=["denied.test"]), allow("open"))
        self.proxy(self.plane)
        self.await_status(origin, 403, name="denied.test")
        self.assertEqual(self.status(origin), 200)

        def decided(rule, what):
            return any(count.get(what) for count in self.only_group().get("counts", []) if count["rule"] == rule)
        until(lambda: decided("open", "allowed") and decided("shut", "denied"), self.only_group)
        self.assertFalse(decided("open", "denied") or decided("shut", "allowed"))
        proxy = self.only_proxy()
        self.assertEqual((proxy["config"]["source"], proxy["reporting"]), ("XDS", True))
        self.assertIn("xds ", self.await_fleet(0, "in force"))
        self.assertIn('egret_control_proxies_reporting{group="web"} 1', self.plane.get("/metrics")[1])


    def test_each_replica_knows_its_own(self):
        other = self.operated()
        self.proxy(self.plane)
        self.proxy(other, node="p2")
        self.assertNotIn("p2 ", self.await_fleet(0, "p1 "))
        self.await_fleet(0, "p1 ", "p2 ", planes=[self.plane, other])
        other.end()
        self.await_fleet(3, "p1 ", planes=[self.plane, other])

    def test_a_control_plane_without_the_service_is_left_alone(self):
        origin = self.origin()
        ads = FakeAds()
        self.addCleanup(ads.stop)
        ads.put((resource("Listener", listener()), "1"))
        ads.put((resource("EgressPolicy", policy(allow())), "1"))
        self.start_config({"node": {"id": "p1", "cluster": "web"}, "xds": {"servers": [{"address": ads.address}]}}, HOSTS)
        until(lambda: "has no Fleet service" in self.egret.stderr(), "the proxy to notice")
        ads.put((resource("EgressPolicy", policy(deny(domains=["origin.test"]))), "2"))
        self.await_status(origin, 403)
        self.assertEqual(self.egret.stderr().count("Fleet"), 1)
        self.assertEqual(self.egret.metric("egret_xds_attempts_total"), 1)


if __name__ == "__main__":
    unittest.main()
