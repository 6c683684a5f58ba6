"""The configuration takes the place of another while traffic flows, by SIGHUP: what changed is in force, what did not
goes on, and what is wrong changes nothing."""
import copy
import json
import socket
import unittest

from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from load import Load
from reload_case import REFUSED, Reloading


class Reloads(Reloading, ProxyCase):
    def setUp(self):
        self.config = proxy_config([deny(), allow()])

    def begin(self):
        self.start_config(self.config, HOSTS)
        self.config = self.read_config()
        return self.origin()

    def listeners(self):
        return {listener["name"]: listener["address"] for listener in
                json.loads(self.egret.get("/listeners")[1])["listeners"]}

    def address_of(self, name):
        host, _, port = self.listeners()[name].rpartition(":")
        return host, int(port)

    def test_P08_the_next_request_of_a_kept_connection_goes_by_the_new_policy(self):
        origin = self.begin()
        kept = self.client()
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        self.reload(lambda config: config["policies"][0]["rules"].insert(0, deny("shut", ["origin.test"])))
        answer = kept.get(self.url(origin))
        self.assertEqual(answer.status, 403)
        self.assertIsNone(answer.header("connection"))  # its listener did not change
        self.egret.one_line(status=403, rule="shut")
        self.reload(lambda config: config["policies"][0]["rules"].pop(0))
        self.assertEqual(kept.get(self.url(origin)).status, 200)

    def test_X12_swapped_again_and_again_under_load_no_request_fails(self):
        origin = self.begin()
        load = Load(self.egret.address, self.url(origin))
        self.addCleanup(load.stop)

        def swap(config):
            filters = config["listeners"][0]["filters"][0]["http_connection"]
            filters["via"] = "b" if filters.get("via") == "a" else "a"
            config["policies"][0]["rules"][0]["name"] = "closed-" + filters["via"]

        for _ in range(6):
            self.reload(swap)
            load.wait_served(100)
        self.assertGreater(load.told, 0)  # connections of what was replaced
        self.assertEqual(load.stop(), [])

    def test_a_listener_that_changed_tells_its_connections_and_keeps_its_socket(self):
        origin = self.begin()
        kept, other = self.client(), self.client()
        for client in (kept, other):
            self.assertEqual(client.get(self.url(origin)).status, 200)
        before = self.listeners()
        self.reload(lambda config: config["listeners"][0]["filters"][0]["http_connection"].update(via="changed"))
        self.assertEqual(self.listeners(), before)
        answer = kept.get(self.url(origin))
        self.assertEqual((answer.status, answer.header("connection")), (200, "close"))
        self.assertEqual(other.end(), "fin")  # never asked again
        fresh = self.client().get(self.url(origin))
        self.assertEqual((fresh.status, fresh.header("connection")), (200, None))
        self.assertTrue(any("changed" in request.header("via") for request in origin.requests))

    def test_X13_a_listener_that_is_taken_away_lets_its_tunnels_live(self):
        origin = self.begin()
        second = copy.deepcopy(self.config["listeners"][0])
        second["name"] = "second"
        self.reload(lambda config: config["listeners"].append(second))
        address = self.address_of("second")
        tunnel, kept = self.client(address), self.client(address)
        self.assertEqual(tunnel.connect("origin.test:%d" % origin.port).status, 200)
        self.assertEqual(kept.get(self.url(origin)).status, 200)
        self.reload(lambda config: config["listeners"].pop())
        self.assertEqual(list(self.listeners()), ["egress"])
        with self.assertRaises(OSError):
            socket.create_connection(address, 5)
        self.assertEqual(kept.get(self.url(origin)).header("connection"), "close")
        self.assertEqual(tunnel.get("/inside", host="origin.test:%d" % origin.port).status, 200)

    def test_what_is_wrong_changes_nothing_and_says_where(self):
        origin = self.begin()
        for break_it, says in [
            (lambda config: config["policies"][0]["rules"][0].pop("action"), "policies[0].rules[0].action"),
            (lambda config: config["listeners"].append(dict(config["listeners"][0])), "another listener has this name"),
            (lambda config: config["policies"].clear(), "no policy of this name"),
        ]:
            with self.subTest(says):
                self.reload(break_it, REFUSED)
                self.assertIn(says, self.egret.stderr())
                self.assertEqual(self.client().get(self.url(origin)).status, 200)

    def test_X02_a_port_that_is_taken_refuses_the_whole(self):
        origin = self.begin()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            second = dict(self.config["listeners"][0], name="second", address="127.0.0.1:%d" % taken.getsockname()[1])

            def change(config):
                config["listeners"].append(second)
                config["policies"][0]["rules"].insert(0, deny("shut", ["origin.test"]))

            self.reload(change, REFUSED)
        self.assertIn("listeners[1].address", self.egret.stderr())
        self.assertIn("Address already in use", self.egret.stderr())
        self.assertEqual(self.client().get(self.url(origin)).status, 200)

    def test_what_takes_a_restart_is_told(self):
        origin = self.begin()
        self.reload(lambda config: config.update(workers=7, policies=[{"name": "web", "rules": [deny("all", None)]}]))
        self.assertIn("workers: what has changed there takes a restart", self.egret.stderr())
        self.assertEqual(self.client().get(self.url(origin)).status, 403)

    def test_the_page_and_the_metrics_show_what_is_in_force(self):
        self.begin()
        self.reload(lambda config: config["policies"].append({"name": "later", "rules": [deny("nothing", None)]}))
        self.assertIn('"later"', self.egret.get("/config_dump")[1])
        self.assertEqual(self.egret.metric("egret_policy_enforced", policy="later"), 1)

    def test_a_rate_limit_of_an_unchanged_listener_is_not_forgotten(self):
        self.config["listeners"][0]["filters"][0]["http_connection"]["filters"].insert(
            1, {"rate_limit": {"per": "SOURCE_ADDRESS", "tunnels": 1}})
        origin = self.begin()
        self.assertEqual(self.client().connect("origin.test:%d" % origin.port).status, 200)
        self.reload(lambda config: config["policies"][0]["rules"].append(deny("more", ["more.test"])))
        self.assertEqual(self.client().connect("origin.test:%d" % origin.port).status, 429)


if __name__ == "__main__":
    unittest.main()
