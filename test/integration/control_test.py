"""The proxy and its control plane, as their users run them: files are edited, and traffic tells."""
import json
import os
import subprocess
import unittest

import grpc

from control_case import ControlCase, StatusCase, policy
from control_plane import listener
from harness import HOSTS, allow, deny
from waiting import SECONDS, until

BAD = {"name": "web", "rules": [allow(domains=["*.*"])]}


class ControlTest(ControlCase):
    def test_an_edit_is_in_force(self):
        origin = self.origin()
        self.serve()
        control = self.control()
        self.proxy(control)
        self.assertEqual(self.status(origin), 200)
        self.serve(deny(domains=["origin.test"]), allow())
        self.await_status(origin, 403)
        self.serve()
        self.await_status(origin, 200)
        self.assertEqual(control.get("/ready")[0], 200)
        self.assertIn('egret_control_proxies_connected{group="web"} 1', control.get("/metrics")[1])

    def test_the_common_folder_is_every_groups(self):
        origin = self.origin()
        self.library.put("common", policies=[policy(deny(domains=["denied.test"]), allow())])
        self.library.put("web", listeners=[listener()])
        self.proxy(self.control())
        self.assertEqual(self.status(origin, "denied.test"), 403)
        self.library.put("common", policies=[policy(allow())])
        self.await_status(origin, 200, name="denied.test")

    def test_what_is_not_valid_is_told_and_not_served(self):
        origin = self.origin()
        self.serve()
        control = self.control()
        self.proxy(control)
        applied = self.egret.metric("egret_config_applied_total")
        self.library.put("web", listeners=[listener()], policies=[BAD])
        control.await_said("resources.json:")
        self.assertIn("policies[0].rules[0].to.domains[0]", control.stderr())
        self.assertEqual(self.status(origin), 200)
        self.assertEqual(self.egret.metric("egret_config_applied_total"), applied)
        self.assertIn('egret_control_group_valid{group="web"} 0', control.get("/metrics")[1])
        self.assertEqual(control.get("/ready"), (200, "web: last good served\n"))
        self.assertEqual(control.get("/live"), (200, "OK\n"))
        self.serve(deny(domains=["origin.test"]))
        self.await_status(origin, 403)

    def test_it_dies_and_comes_back_and_nothing_is_applied_again(self):
        origin = self.origin()
        self.serve()
        first = self.control()
        self.proxy(first)
        applied = self.egret.metric("egret_config_applied_total")
        first.kill()
        until(lambda: self.egret.metric("egret_xds_connected") == 0, "the proxy to notice")
        self.assertEqual(self.status(origin), 200)
        second = self.control(first.port)
        until(lambda: self.egret.metric("egret_xds_connected") == 1, "the proxy to be back")
        until(lambda: 'egret_control_proxies_behind{group="web"} 0' in second.get("/metrics")[1]
              and 'egret_control_proxies_connected{group="web"} 1' in second.get("/metrics")[1], "the proxy to be up to date")
        self.assertEqual(self.egret.metric("egret_config_applied_total"), applied)
        self.serve(deny(domains=["origin.test"]))
        self.await_status(origin, 403)

    def test_another_replica_takes_over(self):
        origin = self.origin()
        self.serve()
        first, second = self.control(), self.control()
        self.proxy(first, second)
        applied = self.egret.metric("egret_config_applied_total")
        first.kill()
        until(lambda: 'egret_control_proxies_connected{group="web"} 1' in second.get("/metrics")[1],
              "the proxy to be at the other")
        self.assertEqual(self.egret.metric("egret_config_applied_total"), applied)
        self.serve(deny(domains=["origin.test"]))
        self.await_status(origin, 403)

    def test_a_list_and_its_policy_change_together(self):
        origin = self.origin()

        def put(*names):
            rule = deny(domains=None)
            rule["to"]["domain_sets"] = ["shut"]
            self.library.put("web", listeners=[listener()], policies=[policy(rule, allow())],
                             domain_sets=[{"name": "shut", "domains": list(names)}])

        put("denied.test")
        self.proxy(self.control())
        self.assertEqual((self.status(origin), self.status(origin, "denied.test")), (200, 403))
        put("origin.test")
        self.await_status(origin, 403)
        self.assertEqual(self.status(origin, "denied.test"), 200)

    def test_any_server_of_snapshots_carries_it_too(self):
        origin = self.origin()
        self.serve()
        self.proxy(self.control(), carrier="EXTENSION_CONFIG")
        self.assertEqual(self.status(origin), 200)
        self.serve(deny(domains=["origin.test"]))
        self.await_status(origin, 403)


class StatusTest(StatusCase):
    def test_who_has_what(self):
        self.proxy(self.plane)
        self.await_fleet(0, "p1 ", "in force")
        code, out, _ = self.egretctl("--output", "json")
        told = json.loads(out)
        self.assertEqual((code, told["groups"][0]["version"]), (0, told["proxies"][0]["version"]))
        # What it does not ask for is no reason to be behind.
        self.library.put("web", listeners=[listener()],
                         policies=[policy(allow()), {"name": "spare", "rules": [allow()]}])
        until(lambda: json.loads(self.egretctl("--output", "json")[1])["groups"] != told["groups"], "the next version")
        self.await_fleet(0, "p1 ", "in force")
        self.egret.stop()
        self.await_fleet(0, "p1 ", "gone")

    def test_a_refusal_is_told_with_its_remedy(self):
        self.start_config({"node": {"id": "p1", "cluster": "web"}, "listeners": [listener("pinned")],
                           "xds": {"servers": [{"address": self.plane.address}]}}, HOSTS)
        self.await_fleet(0, "in force")
        self.library.put("web", listeners=[listener(), listener("pinned")], policies=[policy(allow())])
        out = self.await_fleet(1, "refuses")
        self.assertRegex(out, r"p1 of web refuses Listener pinned name: pinned: .*bootstrap.*; \w+")
        self.assertIn('egret_control_proxies_refusing{group="web"} 1', self.plane.get("/metrics")[1])
        self.assertGreaterEqual(self.egret.metric("egret_config_errors"), 1)
        self.serve()
        self.await_fleet(0, "in force")
        self.assertEqual(self.egret.metric("egret_config_errors"), 0)

    def test_bad_files_are_told(self):
        self.library.put("web", listeners=[listener()], policies=[BAD])
        self.await_fleet(1, "last good served", "resources.json:", "policies[0].rules[0].to.domains[0]")

    def test_nobody_answers(self):
        self.plane.end()
        self.assertEqual(self.egretctl()[0], 3)
        self.assertEqual(self.egretctl("--output", "xml")[0], 2)

    def test_the_standard_services_are_there(self):
        with grpc.insecure_channel(self.plane.address) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            self.assertEqual(check(b"", timeout=SECONDS), b"\x08\x01")  # SERVING
            reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            answer = next(reflect(iter([b"\x3a\x00"]), timeout=SECONDS))  # list_services: ""
            self.assertIn(b"envoy.service.discovery.v3.AggregatedDiscoveryService", answer)


class CheckTest(ControlCase):
    def validate(self):
        run = subprocess.run([os.environ["EGRET_CONTROL"], "--resources", self.library.folder, "--mode", "validate"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.returncode, run.stdout

    def test_a_folder_is_checked_without_serving_it(self):
        self.assertEqual(self.validate()[0], 1)
        self.serve()
        self.assertEqual(self.validate()[0], 0)
        self.library.put("other", listeners=[listener()])
        status, text = self.validate()
        self.assertEqual(status, 1)
        self.assertIn("no policy of this name", text)


if __name__ == "__main__":
    unittest.main()
