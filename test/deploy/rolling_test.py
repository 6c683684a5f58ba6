"""Ending under load of every kind, two replicas that are rolled behind a balancer, and many idle tunnels that end
(rows L01, L08, L09)."""
import collections
import datetime
import json
import os
import resource
import socket
import threading

from egret import Egret
from haproxy import Haproxy
from harness import HOSTS, SANITIZED, ProxyCase, allow, deny, proxy_config
from mixed_load import MixedLoad
from origins import echo
from raw_client import RawClient
from waiting import SECONDS, until

MANY = 60 if SANITIZED else 300  # requests that are enough to speak of a load
TUNNELS = int(os.environ.get("EGRET_TEST_TUNNELS", 300 if SANITIZED else 2000))


class LoadCase(ProxyCase):
    def config(self, **top):
        return proxy_config([deny(), allow()], **top)

    def mixed_load(self, address):
        echoing = self.origin(echo)
        load = MixedLoad(address, self.url(self.origin()), "origin.test:%d" % echoing.port, fresh=3, kept=3)
        self.addCleanup(load.stop)
        return load

    def await_each_kind(self, load):
        before = load.served_by_kind()
        until(lambda: load.failures or all(n > before[kind] for kind, n in load.served_by_kind().items()),
              "something of each kind to be served")


class Ends(LoadCase):
    def test_L01_while_it_accepts_on_everything_is_served_and_then_it_ends(self):
        self.start_config(self.config(drain={"accept_grace": "60s", "timeout": "60s"}), HOSTS)
        load = self.mixed_load(self.egret.address)
        load.wait_served(MANY)
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
        for _ in range(3):
            self.await_each_kind(load)  # also on connections that are made now
        load.connecting = False  # as whoever watches /ready sees to
        for thread in load.threads:  # each goes on until it is told to go
            thread.join(SECONDS)
        self.assertEqual(load.stop(), [])
        self.egret.terminate()  # nothing is open; it need not take the 60 s
        self.assertEqual(self.egret.wait(), 0)


class Rolls(LoadCase):
    def start_replica(self, config):
        replica = Egret(config, HOSTS)
        self.addCleanup(self._stop, replica)
        with open(replica.path("ready.json")) as f:
            replica.probed = json.load(f)["metrics"]
        return replica

    def test_L08_two_replicas_are_rolled_without_a_failed_request(self):
        config = self.config(drain={"accept_grace": "4s", "timeout": "30s", "jitter": "1s"},
                             metrics={"address": "127.0.0.1:0"})
        replicas = {name: self.start_replica(config) for name in ("a", "b")}
        self.egret = replicas["a"]
        balancer = Haproxy({name: (replica.address[1], int(replica.probed.rpartition(":")[2]))
                            for name, replica in replicas.items()})
        self.addCleanup(balancer.close)
        load = self.mixed_load(balancer.address)
        load.wait_served(MANY)
        for name, old in replicas.items():
            old.terminate()
            balancer.await_state(name, "DOWN")
            self.await_each_kind(load)
            self.assertEqual(old.wait(), 0)
            config["listeners"][0]["address"] = "127.0.0.1:%d" % old.address[1]
            config["metrics"]["address"] = old.probed
            self.start_replica(config)
            balancer.await_state(name, "UP")
            load.wait_served(MANY)
        self.assertEqual(load.stop(), [])
        print("L08: %r served, none failed" % load.served_by_kind())


def ended(line):
    """By the proxy's own clock: a line's time is that of its beginning."""
    began = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
    return began.timestamp() + line["duration_ms"] / 1000


class Idle(ProxyCase):
    def open_tunnels(self, count):
        """Relayed ones, through which nothing goes any more."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
        count = min(count, (limits[1] - 500) // 2)  # two sockets each: ours and the origin's
        accepted = []
        origin = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.addCleanup(origin.close)

        def accept():
            while len(accepted) < count:
                accepted.append(origin.accept()[0])
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        tunnels = []
        for _ in range(count):
            tunnels.append(RawClient(self.egret.address))
            self.assertEqual(tunnels[-1].connect("origin.test:%d" % origin.getsockname()[1]).status, 200)
            tunnels[-1].send(b"\0")
        accepting.join(SECONDS)
        self.assertEqual(len(accepted), count)
        for end in [*tunnels, *accepted]:  # which keeps them open until then
            self.addCleanup(end.close)
        return tunnels

    def test_L09_many_idle_tunnels_end_spread_over_the_jitter(self):
        jitter_s, tenths = 3, 10
        self.start_config(proxy_config([allow()], drain=dict.fromkeys(("timeout", "jitter"), "%ds" % jitter_s)), HOSTS)
        tunnels = self.open_tunnels(TUNNELS)
        self.egret.terminate()
        self.assertEqual(self.egret.wait(), 0)
        self.assertEqual({tunnel.end() for tunnel in tunnels}, {"rst"})
        lines = [line for line in self.egret.all_log_lines() if line["event"] == "end"]
        self.assertEqual({(line["detail"], line["close_reason"]) for line in lines}, {("drain", "drain")})
        self.assertEqual(len(lines), len(tunnels))
        ends = sorted(ended(line) for line in lines)
        per_tenth = collections.Counter(int((end - ends[0]) * tenths) for end in ends)
        print("L09: %d tunnels ended in %.2f s; in the fullest tenth of a second %d, which is %.1f times the mean"
              % (len(ends), ends[-1] - ends[0], max(per_tenth.values()),
                 max(per_tenth.values()) * jitter_s * tenths / len(ends)))
        self.assertLess(max(per_tenth.values()), len(ends) / 4)  # a thirtieth, but for a machine that stands still
        self.assertGreater(len(per_tenth), jitter_s * tenths / 4)
