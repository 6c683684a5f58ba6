"""The TestCase of tests that push to the real proxy."""
import json

from fake_ads import FakeAds, resource
from harness import HOSTS, ProxyCase, allow, deny
from waiting import until


def listener(name="egress", policy="web", port=0, before=(), upstream=None, **http):
    """`policy`: one name or several; `before`: network filters before http_connection; `upstream`: the next hop."""
    judged = {"policy": policy} if isinstance(policy, str) else {"policies": list(policy)}
    way = {"upstream": upstream} if upstream else {}
    filters = [{"egress_policy": judged}, {"connect_tunnel": way}, {"forward_router": way}]
    return resource("Listener", {"name": name, "address": "127.0.0.1:%d" % port,
                                 "filters": [*before, {"http_connection": {"filters": filters, **http}}]})


def policy(*rules, name="web"):
    return resource("EgressPolicy", {"name": name, "rules": list(rules) or [allow()]})


SHUT = deny("shut", ["origin.test"])  # before allow(): what a test pushes to see that a push is in force
BAD = dict(allow("bad"), to={"cidrs": ["10.0.0.0/33"]})  # what no proxy takes


class PushCase(ProxyCase):
    def ads(self, *pairs, **how):
        """A FakeAds that has these pairs of message and version."""
        ads = FakeAds(**how)
        self.addCleanup(ads.stop)
        if pairs:
            ads.put(*pairs)
        return ads

    def start_pushed(self, *servers, says=None, arguments=(), **top):
        """The proxy, told of these control planes; `top` adds to the file's top level, and its `xds` to that."""
        xds = {"servers": [{"address": one if isinstance(one, str) else one.address} for one in servers],
               **top.pop("xds", {})}
        config = {"node": {"id": "egret-0"}, "xds": xds, **top}
        return self.start_config(config, HOSTS, arguments, says)

    def serve(self, **more):
        """A listener and its policy, pushed."""
        ads = self.ads((policy(), "1"), (listener(), "1"))
        self.start_pushed(ads, **more)
        return ads, self.origin()

    def client(self, address=None):
        return super().client(address or self.egret.address or self.egret.live_listeners()["egress"])

    # --- What it says of itself.

    def dump(self):
        return json.loads(self.egret.get("/config_dump")[1])

    def pushed(self):
        return self.dump()["pushed"]

    def row(self, name):
        """What /config_dump says of the one resource of this name; empty where it knows of none."""
        return next((one for one in self.pushed()["resources"] if one["name"] == name), {})

    def states(self):
        return {one["name"]: one["state"] for one in self.pushed()["resources"]}

    def await_state(self, name, state):
        until(lambda: self.row(name).get("state") == state, lambda: "%s to be %s: %r" % (name, state, self.pushed()),
              alive=self.egret.assert_running)

    def await_version(self, name, version):
        until(lambda: self.row(name).get("version_in_force") == version,
              lambda: "%s to be in force as %s: %r" % (name, version, self.pushed()), alive=self.egret.assert_running)

    # --- What it does.

    def status(self, origin, **where):
        """Of a request on a connection of its own."""
        client = self.client()
        try:
            return client.get(self.url(origin, **where)).status
        finally:
            client.close()

    def await_status(self, origin, status):
        until(lambda: self.status(origin) == status, "status %d" % status, alive=self.egret.assert_running)
