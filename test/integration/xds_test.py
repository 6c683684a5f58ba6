"""The proxy and a control plane: what is pushed is in force, what is wrong hurts nothing, and traffic notices neither."""
import itertools
import json
import os
import shutil
import socket
import tempfile
import unittest

from fake_ads import resource
from harness import HOSTS, allow, deny, proxy_config
from load import Load
from push_case import BAD, PushCase, listener, policy
from waiting import until


class Xds(PushCase):
    def test_what_is_pushed_is_served_and_what_is_pushed_next(self):
        ads, origin = self.serve()
        kept = self.client()
        self.assert_ok(kept.get(self.url(origin)))
        ads.put((policy(deny("shut", ["origin.test"]), allow()), "2"))
        self.assertEqual(ads.await_answer(lambda a: a.nonce.endswith("-3") or a.error).error, "")
        answer = kept.get(self.url(origin))
        self.assertEqual((answer.status, answer.header("connection")), (403, None))
        self.egret.one_line(status=403, rule="shut")
        self.assertEqual(self.egret.metric("egret_xds_connected"), 1)
        self.assertEqual(self.egret.metric("egret_config_source", source="xds"), 1)

    def test_X02_X03_what_is_wrong_is_told_where_it_was_written_and_hurts_nothing(self):
        ads, origin = self.serve()
        ads.put((policy(BAD), "2"))
        nack = ads.await_answer(lambda a: a.error)
        self.assertEqual([(r.name, r.version, r.field, r.value) for r in nack.rejections],
                         [("web", "2", "rules[0].to.cidrs[0]", "10.0.0.0/33")])
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(self.states()["web"], "parked")
        self.assertEqual(self.egret.metric("egret_xds_rejected_total", type="EgressPolicy"), 1)
        ads.put((policy(deny("shut", None)), "3"))
        ads.await_answer(lambda a: not a.error and a.kind == "EgressPolicy" and a.nonce != nack.nonce)
        self.assertEqual(self.client().get(self.url(origin)).status, 403)

    def test_X02_a_port_of_another_program_refuses_its_response_only(self):
        ads, origin = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ads.put((listener("second", port=taken.getsockname()[1]), "1"))
            nack = ads.await_answer(lambda a: a.error)
            self.assertEqual([(r.name, r.field) for r in nack.rejections], [("second", "address")], nack.error)
            self.assertIn("in use", nack.error)
            self.assertEqual(self.states()["second"], "conflict")
            ads.put((policy(deny("shut", None)), "2"))
            self.await_status(origin, 403)

    def test_X07_without_a_server_only_what_is_local_serves_and_only_after_a_while(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
            own = proxy_config([deny(), allow()])
            own["listeners"].append(dict(own["listeners"][0], name="waits", filters=[{"http_connection": {"filters": [
                {"egress_policy": {"policy": "pushed"}}, {"forward_router": {}}]}}]))
            self.start_config({"xds": {"servers": [{"address": "127.0.0.1:%d" % silent.getsockname()[1]}],
                                       "initial_fetch_timeout": "1s"}, **own}, HOSTS)
            self.assertEqual(list(self.egret.live_listeners()), ["egress"])
            self.assert_ok(self.client().get(self.url(self.origin())))
            self.assertEqual(self.egret.metric("egret_config_source", source="bootstrap"), 1)

    def test_X07_without_a_server_what_was_kept_serves(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            kept = {"last_good": {"directory": folder}, "initial_fetch_timeout": "1s"}
            ads = self.ads((policy(), "1"), (listener(), "1"))
            self.start_pushed(ads, xds=kept)
            self.egret.stop()
            ads.stop()
            self.start_pushed(ads, xds=kept)
            self.assert_ok(self.client().get(self.url(self.origin())))
            self.assertEqual(self.egret.metric("egret_config_source", source="last_good"), 1)

    def test_X08_a_server_that_goes_leaves_everything_as_it_was(self):
        ads, origin = self.serve()
        kept = self.client()
        self.assert_ok(kept.get(self.url(origin)))
        ads.stop()
        until(lambda: self.egret.metric("egret_xds_connected") == 0, "the end to be noticed")
        self.assert_ok(kept.get(self.url(origin)))
        self.assert_ok(self.client().get(self.url(origin)))
        state, ads = ads.state, self.ads(port=ads.port)
        ads.state = state
        until(lambda: self.egret.metric("egret_xds_connected") == 1, "the next stream")
        ads.put((policy(deny("shut", None)), "2"))
        self.await_status(origin, 403)

    def test_X11_in_any_order_a_listener_never_opens_without_what_it_needs(self):
        rules = [deny("listed", None, to={"domain_sets": ["closed"]}), allow()]
        parts = [(listener(), "1"), (policy(*rules), "1"),
                 (resource("DomainSet", {"name": "closed", "domains": ["denied.test"]}), "1")]
        origin = self.origin()
        for order in itertools.permutations(parts):
            ads = self.ads((listener("first", "other"), "1"), (policy(name="other"), "1"))
            egret = self.start_pushed(ads)
            for part in order:
                ads.put(part)
            until(lambda: "egress" in self.egret.live_listeners(), "the listener")
            client = self.client(self.egret.live_listeners()["egress"])
            self.assertEqual(client.get(self.url(origin, name="denied.test")).status, 403)
            self.assert_ok(client.get(self.url(origin)))
            egret.stop()

    def test_X12_swapped_again_and_again_under_load_no_request_fails(self):
        ads, origin = self.serve()
        load = Load(self.egret.address, self.url(origin))
        self.addCleanup(load.stop)
        for i in range(20):
            ads.put((policy(deny("d%d" % i), allow(), name="p%d" % (i % 2)), str(i)))
            ads.put((listener(policy="p%d" % (i % 2)), "x%d" % i))
            load.wait_served(50)
        self.assertEqual(load.stop(), [])
        until(lambda: self.states() == {"egress": "in_force", "p1": "in_force"}, "the last one to be in force")

    def test_X13_what_is_taken_away_goes_once_nothing_needs_it(self):
        ads, origin = self.serve()
        tunnel = self.tunnel(origin)
        ads.remove("EgressPolicy", "web")
        until(lambda: self.states().get("web") == "missing", "it to be missed")
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(self.egret.metric("egret_xds_missing_references"), 1)
        ads.remove("Listener", "egress")
        until(lambda: self.egret.live_listeners() == {}, "the listener to go")
        with self.assertRaises(OSError):
            socket.create_connection(self.egret.address, 5)
        self.assert_ok(tunnel.get("/inside", host="origin.test:%d" % origin.port))

    def test_X16_a_storm_of_pushes_under_load(self):
        ads, origin = self.serve()
        load = Load(self.egret.address, self.url(origin))
        self.addCleanup(load.stop)
        for i in range(300):
            ads.put((policy(deny("d%d" % i), allow()), "s%d" % i))
        ads.await_answer(lambda a: a.nonce.endswith("-302"))
        load.wait_served(100)
        self.assertEqual(load.stop(), [])
        one = next(r for r in self.pushed()["resources"] if r["name"] == "web")
        self.assertEqual((one["version_in_force"], one["state"]), ("s299", "in_force"))

    def test_names_of_the_bootstrap_cannot_be_pushed(self):
        ads = self.ads((listener(), "1"))
        self.start_pushed(ads, policies=[{"name": "web", "rules": [deny("pinned", None)]}])
        origin = self.origin()
        ads.put((policy(), "1"))
        self.assertEqual(self.client().get(self.url(origin)).status, 403)
        ads.put((listener("second"), "1"))
        until(lambda: "second" in self.egret.live_listeners(), "the second listener")
        self.egret.one_line(status=403, rule="pinned")

    # What Kubernetes does with a mounted ConfigMap, and what goes wrong with one.
    def test_X27_a_directory_is_followed_and_what_is_wrong_in_it_changes_nothing(self):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        path = lambda name: os.path.join(folder, name)
        versions = itertools.count()

        def swing(text):
            version = "..%d" % next(versions)
            os.mkdir(path(version))
            with open(os.path.join(path(version), "egret.yaml"), "w") as f:
                f.write(text)
            os.symlink(version, path("..data_tmp"))
            os.replace(path("..data_tmp"), path("..data"))

        def config(*rules):
            return json.dumps(proxy_config(list(rules)))

        swing(config(allow()))
        os.symlink("..data/egret.yaml", path("egret.yaml"))
        self.start_config({"directory": {"path": folder}}, HOSTS)
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(self.egret.metric("egret_config_source", source="directory"), 1)
        swing(config(deny("shut", ["origin.test"]), allow()))
        self.await_status(origin, 403)
        for wrong, says in ((lambda: swing("listeners: ["), "egret.yaml"),
                            (lambda: swing(json.dumps(proxy_config([{"name": "r"}]))), "no action"),
                            (lambda: os.unlink(path("egret.yaml")), "no resource file in it")):
            wrong()
            until(lambda: says in json.dumps(self.pushed()["directory_errors"]), says)
            self.assertGreaterEqual(self.egret.metric("egret_config_errors"), 1)
            self.assertEqual(self.client().get(self.url(origin)).status, 403)
        self.assertEqual(self.egret.metric("egret_directory_reloads_total"), 2)

    def test_X27_a_file_that_is_written_in_pieces_renamed_over_or_emptied(self):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        file = os.path.join(folder, "egret.yaml")

        def write(text, name=file):
            with open(name, "w") as f:
                f.write(text)

        def reloads(count):
            until(lambda: self.egret.metric("egret_directory_reloads_total") == count, lambda: self.pushed())

        def errors():
            return " ".join(self.pushed()["directory_errors"])

        write(json.dumps(proxy_config([allow()])))
        self.start_config({"directory": {"path": folder}}, HOSTS)
        origin = self.origin()
        shut = json.dumps(proxy_config([deny("shut", ["origin.test"]), allow()]))
        write(shut[:100])
        until(errors, "the half to be told of")
        self.assert_ok(self.client().get(self.url(origin)))
        write(shut)
        self.await_status(origin, 403)
        reloads(2)
        write(json.dumps(proxy_config([allow()])), file + ".new~")
        os.replace(file + ".new~", file)
        self.await_status(origin, 200)
        reloads(3)
        write("")
        until(errors, "the empty file to be told of")
        self.assert_ok(self.client().get(self.url(origin)))
        os.unlink(file)
        until(lambda: "no resource file in it" in errors(), errors)
        self.assert_ok(self.client().get(self.url(origin)))
        reloads(3)


if __name__ == "__main__":
    unittest.main()
