"""A candidate beside what is in force on all proxies of a group, by way of their control plane."""
import json
import os
import signal
import subprocess
import tempfile
import threading
import unittest

from control_case import StatusCase, policy
from control_plane import listener
from harness import allow, deny
from waiting import SECONDS, until


def of_list(name, rule):
    return {**rule, "to": {"domain_sets": [name]}}


class FleetPreview(StatusCase):
    def candidate(self, **lists):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        with open(os.path.join(folder, "candidate.json"), "w") as f:
            json.dump(lists, f, indent=1)
        return folder

    def begin(self, *words, planes=None, group="web"):
        """egretctl preview, running; what it prints gathers in .lines."""
        where = [word for plane in planes or [self.plane] for word in ("--control", plane.operators)]
        run = subprocess.Popen([os.environ["EGRETCTL"], "preview", "--group", group, *where, *words],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        run.lines = []

        def gather():
            for line in run.stdout:
                run.lines.append(line.rstrip("\n"))
        run.reader = threading.Thread(target=gather)
        run.reader.start()

        def end():
            run.kill()
            run.wait()
            run.reader.join()
            run.stderr.close()
            run.stdout.close()
        self.addCleanup(end)
        return run

    def ended(self, run):
        status = run.wait(SECONDS * 3)
        run.reader.join()
        return status, "\n".join(run.lines), run.stderr.read()

    def proxies(self, *names, plane=None):
        egrets = [self.proxy(plane or self.plane, node=name) for name in names]
        self.await_fleet(0, *["%s " % name for name in names], "xds ", planes=[plane or self.plane])
        return egrets

    def await_preview(self, egrets, running=1):
        until(lambda: [egret.metric("egret_preview_active") for egret in egrets] == [running] * len(egrets),
              "previews: %d" % running)

    def get(self, egret, origin, name="origin.test"):
        client = self.client(egret.address)
        status = client.get("http://%s:%d/" % (name, origin.port), "Connection: close").status
        client.close()
        return status

    def counts(self, run):
        out = {}
        for line in map(json.loads, run.lines):
            if line["event"] == "change":
                key = line["target"].split(":")[0], line["live"]["verdict"], line["candidate"]["verdict"]
                out[key] = out.get(key, 0) + line["count"]
        return out

    def test_what_would_be_denied_is_served_by_all_and_listed_as_a_sum(self):
        origin = self.origin()
        egrets = self.proxies("p1", "p2")
        run = self.begin("--output", "json", self.candidate(policies=[policy(deny(domains=["origin.test"]), allow())]))
        self.await_preview(egrets)
        for egret, times in zip(egrets, (2, 1)):
            for _ in range(times):
                self.assertEqual(self.get(egret, origin), 200)
            self.assertEqual(self.get(egret, origin, "second.test"), 200)
        until(lambda: self.counts(run) == {("origin.test", "continue", "deny"): 3}, lambda: run.lines)
        run.send_signal(signal.SIGINT)
        self.assertEqual(self.ended(run)[0], 4)
        self.assertEqual(json.loads(run.lines[-1])["proxies"], 2)
        self.await_preview(egrets, 0)
        self.assertEqual(self.get(egrets[0], origin), 200)

    def test_it_ends_after_its_time_with_a_table(self):
        origin = self.origin()
        egrets = self.proxies("p1")
        run = self.begin("--for", "4s", self.candidate(policies=[policy(deny(domains=["origin.test"]), allow())]))
        self.await_preview(egrets)
        self.assertEqual(self.get(egrets[0], origin), 200)
        status, out, err = self.ended(run)
        self.assertEqual((status, err), (4, ""))
        self.assertRegex(out, r"\n1 +127\.0\.0\.1 +GET +origin\.test:\d+ +target +continue by web/\S+ +deny by web/closed")
        self.assertIn("\n1 of ", out)
        self.await_preview(egrets, 0)

    def test_lists_have_the_names_of_the_files(self):
        origin = self.origin()
        rules = [of_list("shut", deny()), allow()]
        self.library.put("web", listeners=[listener()], policies=[policy(*rules)],
                         domain_sets=[{"name": "shut", "domains": ["denied.test"]}])
        egrets = self.proxies("p1")
        until(lambda: self.get(egrets[0], origin, "denied.test") == 403, "the list")
        run = self.begin("--output", "json", self.candidate(domain_sets=[{"name": "shut", "domains": ["origin.test"]}]))
        self.await_preview(egrets)
        self.assertEqual(self.get(egrets[0], origin), 200)
        self.assertEqual(self.get(egrets[0], origin, "denied.test"), 403)
        until(lambda: self.counts(run) == {("origin.test", "continue", "deny"): 1,
                                           ("denied.test", "deny", "continue"): 1}, lambda: run.lines)

    def test_it_ends_with_whoever_asked(self):
        egrets = self.proxies("p1")
        run = self.begin(self.candidate(policies=[policy(deny())]))
        self.await_preview(egrets)
        run.kill()
        self.await_preview(egrets, 0)

    def test_it_ends_with_the_control_plane(self):
        egrets = self.proxies("p1")
        run = self.begin(self.candidate(policies=[policy(deny())]))
        self.await_preview(egrets)
        self.plane.kill()
        self.await_preview(egrets, 0)
        self.assertEqual(self.ended(run)[0], 3)

    def test_another_one_takes_its_place(self):
        egrets = self.proxies("p1")
        run = self.begin(self.candidate(policies=[policy(deny())]))
        self.await_preview(egrets)
        self.begin(self.candidate(policies=[policy(deny(domains=["origin.test"]))]))
        status, _, err = self.ended(run)
        self.assertEqual(status, 3)
        self.assertIn("p1 does not preview it: another preview has taken its place", err)
        self.await_preview(egrets)

    def test_who_comes_later_is_told_as_well(self):
        origin = self.origin()
        self.proxies("p1")
        run = self.begin("--output", "json", self.candidate(policies=[policy(deny(domains=["origin.test"]), allow())]))
        late = self.proxies("p2")
        self.await_preview(late)
        self.assertEqual(self.get(late[0], origin), 200)
        until(lambda: self.counts(run) == {("origin.test", "continue", "deny"): 1}, lambda: run.lines)

    def test_of_several_replicas_all_are_asked(self):
        origin = self.origin()
        other = self.operated()
        egrets = self.proxies("p1") + self.proxies("p2", plane=other)
        run = self.begin("--output", "json", self.candidate(policies=[policy(deny(domains=["origin.test"]), allow())]),
                         planes=[self.plane, other])
        self.await_preview(egrets)
        self.assertEqual([self.get(egret, origin) for egret in egrets], [200, 200])
        until(lambda: self.counts(run) == {("origin.test", "continue", "deny"): 2}, lambda: run.lines)

    def test_what_the_group_would_refuse_is_refused_with_place_and_remedy(self):
        self.proxies("p1")
        status, out, err = self.ended(self.begin(self.candidate(policies=[policy(of_list("nowhere", allow()))])))
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(err, r"candidate\.json:\d+:\d+ policies\[0\]\.rules\[0\]\.to\.domain_sets\[0\]: nowhere: .*; \w+")
        status, _, err = self.ended(self.begin(self.candidate(policies=[policy(allow())])))
        self.assertEqual(status, 1)
        self.assertIn("the group's files hold just that", err)

    def test_nobody_is_there(self):
        status, out, err = self.ended(self.begin(self.candidate(policies=[policy(deny())])))
        self.assertEqual((status, out), (1, ""))
        self.assertIn("no proxy", err)
        status, _, err = self.ended(self.begin(self.candidate(policies=[policy(deny())]), group="nowhere"))
        self.assertEqual(status, 1)
        self.assertIn("no group nowhere", err)


if __name__ == "__main__":
    unittest.main()
