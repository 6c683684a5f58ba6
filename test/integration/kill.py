"""Proxies and control planes restart at random while configuration changes and clients come: whatever ends, and in
whatever order, no request fails that the configuration did not ask to fail. kill_test.py runs it for seconds; for minutes:

    EGRET=... EGRET_CONTROL=... python3 -B test/integration/kill.py --seconds 300 [--seed N]

Control planes are killed, or end in order, and come back; all of them may be away at once. Proxies give way to a new
process that takes over, or are drained while their clients go to the other one: the ways in which a restart is promised
to cost nothing. Files are edited all the time, now and then into something that is not valid."""
import argparse
import collections
import os
import random
import shutil
import tempfile
import threading
import time

from control_plane import Control, Library, listener
from egret import Egret
from harness import HOSTS, allow, deny
from load import Load
from origins import RecorderOrigin
from waiting import until

PROXIES, CONTROLS = 2, 2
FIRST_FETCH = "2s"  # where no control plane is there, what was kept serves
PATIENCE = 60


class Place:
    """Where one proxy after the other runs, and its clients."""

    def __init__(self, name, config, folder, url):
        self.name, self.config, self.url = name, config, url
        self.socket = os.path.join(folder, name)
        self.config["xds"]["last_good"] = {"directory": self.socket + ".kept"}
        os.mkdir(self.socket + ".kept")
        self.egret = self.start()
        self.load = Load(self.egret.address, url, fresh=2, kept=2, pause=0.02)

    def start(self):
        return Egret(self.config, HOSTS, ("--take-over", self.socket))

    def leave(self, egret):
        """It has been told to end; it ends in order."""
        status = egret.wait(PATIENCE)
        assert status == 0, "%s ended with %d: %s" % (self.name, status, egret.stderr())
        shutil.rmtree(egret.folder, ignore_errors=True)


class Kill:
    def __init__(self, seconds, seed):
        self.seconds, self.random = seconds, random.Random(seed)
        self.done = collections.Counter()
        self.folder = tempfile.mkdtemp(prefix="egret-", dir="/tmp")  # a socket's path is short
        self.origin = RecorderOrigin()
        self.library = Library()
        self.edits = 0
        self.edit()
        self.controls = [Control(self.library) for _ in range(CONTROLS)]
        self.over = False
        self.problems = []
        self.places = []

    def run(self):
        url = "http://origin.test:%d/" % self.origin.port
        self.places = [Place("p%d" % n, self.config_of(n), self.folder, url) for n in range(PROXIES)]
        threads = [threading.Thread(target=self._repeat, args=(turn, longest)) for turn, longest in (
            (self.edit, 0.5), (self.restart_control, 2), (self.restart_proxy, 1))]
        for thread in threads:
            thread.start()
        time.sleep(self.seconds)
        self.over = True
        for thread in threads:
            thread.join(PATIENCE * 2)
            assert not thread.is_alive(), "one of the restarts hangs"

    def _repeat(self, turn, longest):
        while not self.over:
            try:
                turn()
            except (AssertionError, OSError) as e:
                self.problems.append("%s: %r" % (turn.__name__, e))
                return
            time.sleep(self.random.random() * longest)

    def config_of(self, n):
        servers = [{"address": one.address} for one in self.controls[n % CONTROLS:] + self.controls[:n % CONTROLS]]
        return {"node": {"id": "p%d" % n, "cluster": "web"}, "workers": 2,
                "xds": {"servers": servers, "initial_fetch_timeout": FIRST_FETCH},
                "drain": {"accept_grace": "3s", "timeout": "20s", "jitter": "1s"}}

    # --- What happens.

    def edit(self):
        """The same for clients, and other resources each time: a rule, a list, the listener's chain."""
        self.edits += 1
        if self.edits % 7 == 0:
            self.library.put("web", listeners=[listener()], policies=[{"name": "web", "rules": [{"name": "bad"}]}])
            self.done["edits that are not valid"] += 1
            return
        chain = listener()
        chain["filters"][0]["http_connection"]["via"] = "v%d" % (self.edits // 5)
        listed = deny("listed", None)
        listed["to"]["domain_sets"] = ["closed"]
        self.library.put("web", listeners=[chain],
                         policies=[{"name": "web", "rules": [deny("edit-%d" % self.edits), listed, allow()]}],
                         domain_sets=[{"name": "closed", "domains": ["closed-%d.test" % self.edits]}])
        self.done["edits"] += 1

    def restart_control(self):
        both = self.random.random() < 0.2
        gone = range(CONTROLS) if both else [self.random.randrange(CONTROLS)]
        for i in gone:
            old = self.controls[i]
            if self.random.random() < 0.7:
                old.kill()
                self.done["control planes killed"] += 1
            else:
                old.end()
                self.done["control planes ended"] += 1
            shutil.rmtree(old.folder, ignore_errors=True)
        self.done["times without a control plane"] += both
        time.sleep(self.random.random() * (4 if both else 1))
        for i in gone:
            self.controls[i] = Control(self.library, self.controls[i].port)

    def restart_proxy(self):
        place = self.random.choice(self.places)
        old = place.egret
        old.asked_to_end = True
        self.done["configurations put in force"] += int(old.metric("egret_config_applied_total"))
        if self.random.random() < 0.7:
            place.egret = place.start()
            self.done["proxies taken over from"] += 1
        else:
            other = self.places[1 - self.places.index(place)]
            old.terminate()
            until(lambda: old.get("/ready")[0] == 503, "/ready to say 503")
            place.load.address = other.egret.address  # as whoever watches /ready sees to
            self.done["proxies drained"] += 1
        place.leave(old)
        if place.egret is old:
            place.egret = place.start()
            place.load.address = place.egret.address

    # --- What comes of it.

    def finish(self):
        """[(what, what is told of it, whether it holds)]; everything has ended then."""
        failures = [e for place in self.places for e in place.load.stop()]
        served = sum(place.load.served for place in self.places)
        verdicts = [("what restarts comes back", "; ".join(self.problems) or "always", not self.problems),
                    ("no request fails", "%d of %d: %s" % (len(failures), served + len(failures),
                                                          collections.Counter(map(str, failures)).most_common(5)),
                     not failures)]
        if not self.problems:
            verdicts.append(self._last_edit())
        for place in self.places:
            place.egret.stop()
            shutil.rmtree(place.egret.folder, ignore_errors=True)
        for control in self.controls:
            control.end()
        self.origin.close()
        self.library.delete()
        shutil.rmtree(self.folder, ignore_errors=True)
        return verdicts

    def _last_edit(self):
        """All proxies have what the files say at the end."""
        self.library.put("web", listeners=[listener()], policies=[{"name": "web", "rules": [deny("last", None)]}])
        until(lambda: all('"last"' in place.egret.get("/config_dump")[1] for place in self.places), "the last edit",
              PATIENCE)
        return "the last edit is in force everywhere", "after %d" % self.edits, True


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--seconds", type=float, default=300)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    asked = arguments.parse_args()
    print("seed %d" % asked.seed, flush=True)
    kill = Kill(asked.seconds, asked.seed)
    kill.run()
    verdicts = kill.finish()
    for name, count in sorted(kill.done.items()):
        print("%-40s %d" % (name, count))
    for what, told, holds in verdicts:
        print("%s: %s: %s" % ("ok" if holds else "FAILED", what, told))
    return 0 if all(holds for _, _, holds in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
