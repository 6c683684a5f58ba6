"""What all proxies of a group decide, followed by way of their control plane."""
import json
import os
import signal
import subprocess
import threading
import unittest

from control_case import StatusCase
from harness import allow, deny
from waiting import SECONDS, until


class FleetTail(StatusCase):
    def setUp(self):
        super().setUp()
        self.serve(deny(domains=["denied.test"]), allow())

    def begin(self, *words, group="web"):
        """egretctl tail, running; what it prints gathers in .lines."""
        run = subprocess.Popen([os.environ["EGRETCTL"], "tail", "--group", group, "--control", self.plane.operators,
                                *words],
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

    def proxies(self, *names):
        egrets = [self.proxy(self.plane, node=name) for name in names]
        self.await_fleet(0, *["%s " % name for name in names], "xds ")
        return egrets

    def get(self, egret, origin, name="origin.test"):
        client = self.client(egret.address)
        status = client.get("http://%s:%d/" % (name, origin.port), "Connection: close").status
        client.close()
        return status

    def test_lines_of_all_proxies_come_as_they_are_asked_for(self):
        origin = self.origin()
        egrets = self.proxies("p1", "p2")
        denied = self.begin("--output", "json", "--verdict", "deny")
        one = self.begin("--proxy", "p2", "--lines", "1", "--log", "--contains", '"status":403')

        def both_are_heard():
            for egret in egrets:
                self.assertEqual(self.get(egret, origin, "denied.test"), 403)
                self.assertEqual(self.get(egret, origin), 200)
            return {json.loads(line)["proxy"] for line in denied.lines} == {"p1", "p2"} and one.lines
        until(both_are_heard, lambda: (denied.lines, one.lines))
        self.assertEqual({(told["decision"], told["target"].split(":")[0]) for told in map(json.loads, denied.lines)},
                         {("deny", "denied.test")})
        status, out, _ = self.ended(one)
        self.assertEqual(status, 0)
        self.assertTrue(out.startswith("p2  "), out)
        self.assertIn("denied.test:%d/  403  " % origin.port, out)

    def test_it_is_given_back_when_nobody_follows(self):
        origin = self.origin()
        egret, = self.proxies("p1")
        for _ in range(10):  # more than may follow at once
            run = self.begin("--lines", "1")

            def heard():
                self.get(egret, origin)
                return run.poll() is not None
            until(heard, "a line")
            self.assertEqual(self.ended(run)[0], 0)

    def test_what_is_lost_on_the_way_is_counted(self):
        origin = self.origin()
        egret, = self.proxies("p1")
        run = self.begin("--output", "json", "--host", "origin.test")

        def heard():
            self.get(egret, origin)
            return run.lines
        until(heard, "a line")
        before = len(run.lines)
        run.send_signal(signal.SIGSTOP)
        client = self.client(egret.address)
        for _ in range(500):  # 7 MB: more than all hops keep
            self.assertEqual(client.get("http://origin.test:%d/%s" % (origin.port, "p" * 15000)).status, 200)
        run.send_signal(signal.SIGCONT)

        def lost():
            return sum(line["count"] for line in map(json.loads, run.lines) if line.get("event") == "dropped")

        def told():
            return sum("decision" in line for line in map(json.loads, run.lines))
        until(lambda: told() + lost() >= before + 500, lambda: (before, told(), lost()))
        self.assertGreater(lost(), 0)

    def test_who_cannot_be_followed_is_told(self):
        self.assertEqual(self.ended(self.begin("--host", "*.*"))[0], 1)
        status, _, err = self.ended(self.begin(group="nowhere"))
        self.assertEqual(status, 1)
        self.assertIn("no group nowhere", err)

    def test_it_ends_with_the_control_plane(self):
        self.proxies("p1")
        run = self.begin()
        status, _, err = self.ended(self.begin("--proxy", "nobody"))
        self.assertEqual(status, 1)
        self.assertIn("no proxy", err)
        self.plane.kill()
        self.assertEqual(self.ended(run)[0], 3)


if __name__ == "__main__":
    unittest.main()
