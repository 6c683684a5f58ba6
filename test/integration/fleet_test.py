"""What proxies report of themselves, and what they are told, by way of their control plane."""
import hashlib
import json
import os
import tempfile
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


def cohort(release, node):
    return int.from_bytes(hashlib.sha256(release.encode() + b"\0" + node.encode()).digest()[:8], "big") % 100


class RolloutTest(StatusCase):
    PROXIES = ["p%d" % number for number in range(6)]

    def setUp(self):
        super().setUp()
        self.plane.end()
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.plane = self.operated(arguments=["--rollouts", self.folder])

    def rollout(self, *words):
        return self.egretctl(*words, "--group", "web", command="rollout")

    def stage(self, *rules, extra=()):
        self.library.put("web/next", listeners=[listener(), *extra], policies=[policy(*rules)])

        def next_release():
            code, out, _ = self.rollout("status", "--output", "json")
            return json.loads(out).get("groups", [{}])[0].get("rollout", {}).get("release") if code == 0 else None
        return until(next_release, lambda: "a next release; %r" % (self.rollout("status"),))

    def fleet(self, pinned=None):
        """By name; the bootstrap of the one that is `pinned` has a listener that a push must not replace."""
        server = {"servers": [{"address": self.plane.address}], "initial_fetch_timeout": "60s"}
        return {node: self.start_config(
            {"node": {"id": node, "cluster": "web"}, "xds": server,
             **({"listeners": [listener("pinned")]} if node == pinned else {})}, HOSTS) for node in self.PROXIES}

    def statuses(self, proxies, origin):
        found = {}
        for node, egret in proxies.items():
            client = self.client(egret.address)
            found[node] = client.get("http://origin.test:%d/" % origin.port, "Connection: close").status
            client.close()
        return found

    def test_only_the_cohort_gets_it_until_all_do(self):
        origin = self.origin()
        proxies = self.fleet()
        self.await_fleet(0, *["%s " % node for node in self.PROXIES])
        release = self.stage(deny(domains=["origin.test"]), allow())
        self.assertEqual(set(self.statuses(proxies, origin).values()), {200})
        for percent in (50, 100):
            self.assertEqual(self.rollout("advance", "--percent", str(percent), "--release", release)[0], 0)
            wanted = {node: 403 if cohort(release, node) < percent else 200 for node in self.PROXIES}
            until(lambda: self.statuses(proxies, origin) == wanted, lambda: (wanted, self.statuses(proxies, origin)))
            self.await_fleet(0, "next at %d%%" % percent)
        # Its files become the group's own, and nothing is sent to anybody.
        applied = {node: egret.metric("egret_config_applied_total") for node, egret in proxies.items()}
        self.serve(deny(domains=["origin.test"]), allow())
        self.library.remove("web/next")
        until(lambda: "no group has" in self.rollout("status")[1], lambda: self.rollout("status"))
        self.assertEqual(set(self.statuses(proxies, origin).values()), {403})
        self.assertEqual({node: egret.metric("egret_config_applied_total") for node, egret in proxies.items()}, applied)

    def test_a_refusal_in_the_cohort_halts_it_and_a_restart_changes_nothing(self):
        origin = self.origin()
        rules = [deny(domains=["origin.test"]), allow()]
        release = self.stage(*rules, extra=[listener("pinned")])
        first = min(self.PROXIES, key=lambda node: cohort(release, node))
        proxies = self.fleet(pinned=first)
        percent = str(cohort(release, first) + 1)
        self.assertEqual(self.rollout("advance", "--percent", percent)[0], 0)
        until(lambda: self.rollout("status")[0] == 1, lambda: self.rollout("status"))
        self.assertRegex(self.rollout("status")[1], "halted by egret-control .*: %s refuses Listener pinned" % first)
        code, _, err = self.rollout("advance", "--percent", "100")
        self.assertEqual(code, 1)
        self.assertIn("--resume", err)
        self.plane.kill()
        self.plane = self.operated(self.plane.port, ["--rollouts", self.folder])
        self.await_fleet(1, "next halted at %s%%" % percent, *["%s " % node for node in self.PROXIES])
        del proxies[first]
        self.assertEqual(set(self.statuses(proxies, origin).values()), {200})
        self.assertIn('egret_control_rollout_halted{group="web"} 1', self.plane.get("/metrics")[1])

    def test_a_release_that_would_change_more_than_it_may_is_halted(self):
        origin = self.origin()
        release = self.stage(deny(domains=["origin.test"]), allow())
        proxies = self.fleet()
        self.await_fleet(0, *["%s " % node for node in self.PROXIES])
        last = max(self.PROXIES, key=lambda node: cohort(release, node))
        percent = str(cohort(release, last))  # but for that one all have it
        self.assertEqual(self.rollout("advance", "--percent", percent, "--most-changed", "0")[0], 0)
        until(lambda: proxies[last].metric("egret_preview_active") == 1, "it previews the release")
        self.assertEqual(self.statuses({last: proxies[last]}, origin), {last: 200})
        until(lambda: self.rollout("status")[0] == 1, lambda: self.rollout("status"))
        self.assertRegex(self.rollout("status")[1],
                         "changes decisions of 1 identity, and 0 may be: .*127.0.0.1 asks for origin.test:%d: continue by .*"
                         " now, deny by .* then" % origin.port)
        until(lambda: proxies[last].metric("egret_preview_active") == 0, "it ends with the halt")
        self.assertEqual(self.rollout("advance", "--percent", percent, "--resume", "--most-changed", "1")[0], 0)
        until(lambda: proxies[last].metric("egret_preview_active") == 1, "it previews the release again")
        self.assertEqual(self.statuses({last: proxies[last]}, origin), {last: 200})
        until(lambda: ", of 1 identity" in self.rollout("status")[1], lambda: self.rollout("status"))
        self.assertEqual(self.rollout("status")[0], 0)

    def test_a_group_drains_when_an_operator_says_so(self):
        egret = self.proxy(self.plane)
        self.await_fleet(0, "p1 ", "xds ")
        self.assertEqual(self.egretctl("--group", "web", "--proxy", "nobody", command="drain")[0], 1)
        self.assertEqual(self.egretctl("--group", "web", "--proxy", "p1", command="drain")[1], "draining: 1 proxy\n")
        egret.asked_to_end = True
        self.assertEqual(egret.wait(), 0)


if __name__ == "__main__":
    unittest.main()
