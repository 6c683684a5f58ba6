"""Many proxies whose control plane goes and comes back: row X29 of the catalogue."""
import os
import unittest

from egret import Egret
from harness import HOSTS
from push_case import SHUT, PushCase, allow, listener, policy
from waiting import until

# By hand: FLEET=200 and bazel/run_python_tests.py.
PROXIES = int(os.environ.get("FLEET", "12"))


class Fleet(PushCase):
    def start_many(self, ads, **top):
        config = {"node": {"id": "egret-0"}, "workers": 1, "xds": {"servers": [{"address": ads.address}]}, **top}
        fleet = []
        for _ in range(PROXIES):
            fleet.append(Egret(config, HOSTS))
            self.addCleanup(self._stop, fleet[-1])
        return fleet

    def test_X29_a_fleet_comes_back_spread_over_time(self):
        ads = self.ads((policy(), "1"), (listener(), "1"))
        fleet = self.start_many(ads)
        ads.stop()
        state, ads = ads.state, self.ads(port=ads.port)
        ads.state = state
        ads.put((policy(SHUT, allow()), "2"))
        came = sorted(ads.await_stream().began for _ in fleet)
        # Half a second and more; all at one moment without jitter. A machine that is slow makes it longer.
        print("%d streams within %.2f s, at most %d in 100 ms" % (len(came), came[-1] - came[0], max(
            sum(at <= other < at + 0.1 for other in came) for at in came)))
        self.assertGreater(came[-1] - came[0], 0.1)
        for egret in fleet:
            until(lambda: '"shut"' in egret.get("/config_dump")[1], "the push to be in force", alive=egret.assert_running)


if __name__ == "__main__":
    unittest.main()
