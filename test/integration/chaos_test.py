"""Many clients and origins that break off anywhere, for a while (rows O03, O04, T21, H28 all at once). Nothing is asked
of a single exchange; what must hold is that the proxy lives, lets go of everything, and tells each end once."""
import collections
import threading
import time

from chaos import Client, unreliable, unreliable_echo
from harness import ProxyCase
from waiting import until

SECONDS, CLIENTS = 8, 16


class Chaos(ProxyCase):
    def active(self):
        return {k: v for k, v in self.egret.metrics().items() if k.split("{")[0].endswith("_active")}

    def test_O04_everything_is_let_go_and_every_end_is_told_once(self):
        self.start()
        descriptors, idle = self.egret.descriptors(), self.active()
        origin, echo = self.origin(unreliable), self.origin(unreliable_echo)
        clients = [Client(seed, self.egret.address, origin, echo) for seed in range(CLIENTS)]
        deadline = time.monotonic() + SECONDS
        threads = [threading.Thread(target=client.run, args=(deadline,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.egret.assert_running()
        print("%d connections of clients" % sum(client.served for client in clients))
        until(lambda: self.active() == idle, lambda: "the gauges of before, not %r" % self.active())
        # What stays are links to the origins that wait to be used again.
        links = len(origin.connections) - sum(c.ended is not None or c.closed for c in origin.connections)
        until(lambda: self.egret.descriptors() <= descriptors + links,
              lambda: "%d descriptors and %d links, not %d" % (descriptors, links, self.egret.descriptors()))
        self.egret.stop()
        lines = self.egret.all_log_lines()
        ends = collections.Counter(line["request_id"] for line in lines if line["event"] == "end")
        self.assertEqual([i for i, count in ends.items() if count != 1], [])
        self.assertLessEqual({line["request_id"] for line in lines if line["event"] == "open"}, set(ends))
        self.assertEqual([line for line in lines if line["status"] == 502
                          and line.get("detail") in ("client_gone", "client_ended_early")], [])
        print(dict(collections.Counter(line.get("detail") for line in lines if line["event"] == "end")))
