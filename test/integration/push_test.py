"""What is pushed to the real proxy: what it decides and shows from then on. Rows of the catalogue are named; the wire
is xds_test.py's and xds_rows_test.py's, secrets are push_secrets_test.py's."""
import unittest

from fake_ads import resource
from harness import allow, deny
from origins import echo
from push_case import SHUT, PushCase, listener, policy
from waiting import until


class Pushes(PushCase):
    def test_P08_X15_what_is_pushed_decides_the_next_request(self):
        ads, origin = self.serve()
        kept = self.client()
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        ads.put((policy(SHUT, allow()), "2"))
        self.await_version("web", "2")
        answer = kept.get(self.url(origin))
        self.assertEqual((answer.status, answer.header("connection")), (403, None))

    def test_P08_a_tunnel_that_a_push_denies_ends(self):
        ads = self.ads((policy(), "1"), (listener(), "1"))
        self.start_pushed(ads, revocation_grace="1s")
        origin = self.origin(echo)
        denied, other = self.tunnel(origin), self.tunnel(origin, "second.test")
        for one in (denied, other):
            one.send(b"\0x")
            self.assertEqual(one.reader.exactly(2), b"\0x")
        ads.put((policy(SHUT, allow()), "2"))
        self.assertEqual(denied.end(), "rst")
        other.send(b"y")
        self.assertEqual(other.reader.exactly(1), b"y")
        self.egret.one_line(kind="tunnel", detail="policy_revoked")

    def test_X13_a_next_hop_that_is_removed_in_use_stays_until_nothing_needs_it(self):
        first, second = self.origin(), self.origin()

        def hop(name, parent):
            return resource("Upstream", {"name": name, "resolve": "REMOTE",
                                         "http_proxy": {"address": "127.0.0.1:%d" % parent.port}})

        ads = self.ads((policy(), "1"), (listener(upstream="first"), "1"), (hop("first", first), "1"))
        self.start_pushed(ads)
        kept = self.client()
        self.assert_ok(kept.get("http://origin.test/"))
        ads.remove("Upstream", "first")
        self.await_state("first", "missing")
        self.assert_ok(kept.get("http://origin.test/"))
        self.assertEqual((len(first.requests), len(second.requests)), (2, 0))
        ads.put((listener(upstream="second"), "2"))  # it waits for what it needs
        self.await_state("egress", "warming")
        self.assert_ok(kept.get("http://origin.test/"))
        ads.put((hop("second", second), "1"))
        self.await_version("egress", "2")
        self.assertEqual(self.row("first"), {})
        self.assert_ok(self.client().get("http://origin.test/"))
        self.assertEqual((len(first.requests), len(second.requests)), (3, 1))

    def test_X19_another_server_takes_over(self):
        first, second = self.ads(name="first"), self.ads(name="second")
        for one in (first, second):
            one.put((listener(), "a"), (policy(), "a"))
        self.start_pushed(first, second)
        first.stop()
        second.put((policy(SHUT, allow()), "b"))
        self.await_version("web", "b")
        self.assertEqual(self.status(self.origin()), 403)
        self.assertEqual(self.pushed()["control_plane"], "second")

    def test_O10_what_is_shown_is_what_was_pushed(self):
        ads = self.ads((listener(), "1"), (policy(deny("one", ["a.test"]), allow("two")), "2"))
        self.start_pushed(ads)
        shown = self.dump()
        self.assertEqual([rule["name"] for rule in shown["policies"][0]["rules"]], ["one", "two"])
        self.assertEqual({one["name"]: (one["state"], one["version_in_force"]) for one in self.pushed()["resources"]},
                         {"egress": ("in_force", "1"), "web": ("in_force", "2")})

    def test_O10_what_is_wrong_is_shown_beside_what_is_in_force(self):
        ads, _ = self.serve()
        ads.put((policy(deny("other"), {"name": "r"}), "2"))
        ads.await_answer(lambda a: a.error)
        row = self.row("web")
        self.assertEqual((row["state"], row["version_received"], row["version_in_force"]), ("parked", "2", "1"))
        self.assertIn("rules[1].action", row["errors"][0])
        self.assertNotIn("other", [rule["name"] for rule in self.dump()["policies"][0]["rules"]])


class Boots(PushCase):
    """Row L12: never ready before the listeners are bound and all that they need is there."""

    def test_L12_not_ready_until_the_last_part_has_come(self):
        parts = [(listener(policy="web"), "1"),
                 (policy(deny("listed", None, to={"domain_sets": ["closed"]}), allow()), "1")]
        ads = self.ads()
        egret = self.start_pushed(ads, says="INITIALIZING")
        for part in parts:
            ads.put(part)
            ads.await_answer(lambda a: a.kind == part[0].DESCRIPTOR.name)
            self.assertEqual((egret.get("/ready")[0], egret.live_listeners()), (503, {}))
            self.assertEqual(egret.get("/live")[0], 200)
        ads.put((resource("DomainSet", {"name": "closed", "domains": ["denied.test"]}), "1"))
        until(lambda: egret.ready() == "LIVE\n", lambda: egret.ready())
        self.assertEqual(self.status(self.origin(), name="denied.test"), 403)

    def test_L12_not_ready_while_the_server_has_nothing(self):
        egret = self.start_pushed(self.ads(), xds={"initial_fetch_timeout": "1s"}, says="INITIALIZING")
        until(lambda: self.pushed()["settled"], "the first set")
        self.assertEqual((egret.get("/ready")[0], egret.live_listeners()), (503, {}))


if __name__ == "__main__":
    unittest.main()
