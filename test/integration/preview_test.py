"""A candidate policy beside the one in force: what it would change is told, and nothing of it is done. And the log,
followed from elsewhere."""
import json
import os
import signal
import subprocess
import threading

from harness import ProxyCase, allow, deny
from origins import echo
from raw_client import RawClient
from waiting import SECONDS, until


class ByCtl(ProxyCase):
    def folder(self, **lists):
        path = self.egret.path("candidate")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "candidate.json"), "w") as f:
            json.dump(lists, f, indent=1)
        return path

    def candidate(self, *rules, **more):
        return self.folder(policies=[{"name": "web", "rules": list(rules)}], **more)

    def begin(self, command, *words):
        """egretctl, running; what it prints gathers in .lines."""
        run = subprocess.Popen([os.environ["EGRETCTL"], command, "--admin", "%s:%d" % self.egret.admin, *words],
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

    def previewing(self):
        return self.egret.metric("egret_preview_active") == 1

    def await_preview(self):
        until(self.previewing, "the preview")


class Preview(ByCtl):
    def changes(self, run):
        """{(stage, name, live verdict, candidate's): count} so far."""
        out = {}
        for line in map(json.loads, run.lines):
            if line["event"] == "change":
                key = line["stage"], line["target"].split(":")[0], line["live"]["verdict"], line["candidate"]["verdict"]
                out[key] = out.get(key, 0) + line["count"]
        return out

    def await_changes(self, run, wanted):
        until(lambda: self.changes(run) == wanted, lambda: "%r; there are %r" % (wanted, self.changes(run)))

    def test_what_would_be_denied_is_served_and_listed(self):
        self.start(workers=2)
        origin = self.origin()
        run = self.begin("preview", "--output", "json", self.candidate(deny(domains=["second.test"]), allow()))
        self.await_preview()
        for _ in range(3):
            self.assert_ok(self.client().get(self.url(origin, name="second.test")))
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(self.client().get(self.url(origin, name="denied.test")).status, 403)
        self.await_changes(run, {("target", "second.test", "continue", "deny"): 3,
                                 ("target", "denied.test", "deny", "continue"): 1})
        told = [json.loads(line) for line in run.lines if "second.test" in line][0]
        self.assertEqual((told["who"], told["method"], told["candidate"]["rule"], told["live"]["rule"]),
                         ("127.0.0.1", "GET", "closed", "local"))
        self.assertEqual(self.egret.metric("egret_preview_decisions_total", result="changed"), 4)
        run.send_signal(signal.SIGINT)
        self.assertEqual(self.ended(run)[0], 4)
        until(lambda: not self.previewing(), "the preview to end")
        self.assert_ok(self.client().get(self.url(origin, name="second.test")))

    def test_a_table_comes_at_the_end(self):
        self.start()
        origin = self.origin()
        run = self.begin("preview", self.candidate(deny(domains=["origin.test"]), allow()))
        self.await_preview()
        self.assert_ok(self.client().get(self.url(origin)))
        until(lambda: run.lines, "the first line")
        self.assertEqual(run.lines, ["127.0.0.1  GET origin.test:%d  target: continue by web/local -> deny by web/closed"
                                     "  (1)" % origin.port])
        run.send_signal(signal.SIGINT)
        status, out, _ = self.ended(run)
        self.assertEqual(status, 4)
        self.assertRegex(out, r"\n1 +127\.0\.0\.1 +GET +origin\.test:%d +target +continue by web/local +deny by web/closed"
                         % origin.port)

    def test_each_stage_is_compared(self):
        self.start()
        origin, inside = self.origin(echo), self.origin()
        no_posts = {**deny(name="no-posts", domains=["www.origin.test"]), "http": {"methods": ["POST"]}}
        no_posts["to"]["protocols"] = ["HTTP"]
        run = self.begin("preview", "--output", "json", self.candidate(
            no_posts, {**allow(name="elsewhere", domains=["second.test"]), "reaches_private": ["127.9.0.0/16"]},
            allow(protocols=("TLS", "HTTP"))))
        self.await_preview()
        raw = self.tunnel(origin)
        raw.send(b"\0binary, no TLS\r\n")  # H: it may carry only TLS or HTTP
        raw.reader.exactly(4)
        self.assert_ok(self.client().get(self.url(inside, name="second.test")))  # A
        clear = self.tunnel(inside, name="www.origin.test")
        post = b"POST / HTTP/1.1\r\nHost: www.origin.test:%d\r\nContent-Length: 0\r\n\r\n" % inside.port  # R
        self.assertEqual(clear.ask(post).status, 200)
        self.await_changes(run, {("hello", "origin.test", "relay", "deny"): 1,
                                 ("address", "second.test", "forward", "deny"): 1,
                                 ("request", "www.origin.test", "forward", "deny"): 1})

    def test_a_pooled_connection_is_compared(self):
        self.start()
        origin = self.origin()
        client = self.client()
        self.assert_ok(client.get(self.url(origin)))
        run = self.begin("preview", "--output", "json", self.candidate(
            {**allow(name="elsewhere", domains=["origin.test"]), "reaches_private": ["127.9.0.0/16"]}))
        self.await_preview()
        self.assert_ok(client.get(self.url(origin)))
        self.await_changes(run, {("request", "origin.test", "forward", "deny"): 1})

    def test_it_ends_after_its_time(self):
        self.start()
        status, out, _ = self.ended(self.begin("preview", self.candidate(allow()), "--for", "1s"))
        self.assertEqual((status, out), (0, "0 of 0 decisions would change"))
        self.assertFalse(self.previewing())

    def test_it_ends_with_whoever_asked(self):
        self.start()
        run = self.begin("preview", self.candidate(allow()), "--for", "10m")
        self.await_preview()
        self.assertIn("Another preview", self.ended(self.begin("preview", self.candidate(allow())))[2])
        run.kill()
        until(lambda: not self.previewing(), "the preview to end")
        self.begin("preview", self.candidate(allow()), "--for", "10m")
        self.await_preview()

    def test_what_is_not_valid_is_refused_with_field_and_remedy(self):
        self.start()
        status, _, err = self.ended(self.begin("preview", self.candidate(allow(domains=["*.*"]))))
        self.assertEqual(status, 1)
        self.assertRegex(err, r"candidate\.json:\d+:\d+ policies\[0\]\.rules\[0\]\.to\.domains\[0\]: \*\.\*: .*example\.com")
        # What only the proxy can tell: this set is nowhere.
        rule = allow()
        rule["to"]["domain_sets"] = ["nowhere"]
        status, _, err = self.ended(self.begin("preview", self.candidate(rule)))
        self.assertEqual(status, 1)
        self.assertRegex(err, r"candidate\.json:\d+:\d+ policies\[0\]\.rules\[0\]\.to\.domain_sets\[0\]: nowhere: .*; \w+")
        names = self.egret.write("names", "a.example\n")
        status, _, err = self.ended(self.begin("preview", self.folder(
            domain_sets=[{"name": "list", "file": {"path": names}}])))
        self.assertEqual(status, 1)
        self.assertIn("may not name files", err)
        self.assertFalse(self.previewing())

    def test_a_candidate_may_bring_its_lists(self):
        self.start()
        origin = self.origin()
        rule = deny(domains=None)
        rule["to"]["domain_sets"] = ["shut"]
        run = self.begin("preview", "--output", "json", self.candidate(
            rule, allow(), domain_sets=[{"name": "shut", "domains": ["origin.test"]}]))
        self.await_preview()
        self.assert_ok(self.client().get(self.url(origin)))
        self.await_changes(run, {("target", "origin.test", "continue", "deny"): 1})

    def test_the_time_and_the_size_are_bounded(self):
        self.start()
        for time in ("0s", "25h", "soon"):
            answer = self.client(self.egret.admin).ask(
                b"POST /preview?for=%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" % time.encode(), "POST")
            self.assertEqual(answer.status, 400, time)
        answer = self.client(self.egret.admin).ask(
            b"POST /preview?for=1s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "POST")
        self.assertEqual(answer.status, 422)
        self.assertIn("at least one", json.loads(answer.body)["errors"][0]["remedy"])


class Tail(ByCtl):
    def test_lines_are_followed_and_filtered(self):
        self.start(workers=2)
        origin = self.origin()
        denied = self.begin("tail", "--log", "--verdict", "deny", "--lines", "2", "--output", "json")
        second = self.begin("tail", "--log", "--host", "second.test", "--lines", "1")
        get = lambda name, path="/": self.client().get(self.url(origin, path, name))  # noqa: E731

        def both_follow():
            get("denied.test")
            get("second.test")
            return denied.lines and second.lines
        until(both_follow, "the first lines")
        get("origin.test")
        get("denied.test", "/%1b[31mred")
        status, out, _ = self.ended(denied)
        self.assertEqual(status, 0)
        self.assertEqual([(json.loads(line)["decision"], json.loads(line)["rule"]) for line in out.splitlines()],
                         [("deny", "closed")] * 2)
        status, out, _ = self.ended(second)
        self.assertEqual(status, 0)
        self.assertIn("GET second.test:%d/  200  web/local" % origin.port, out)

    def test_text_logs_can_be_followed_as_well(self):
        self.start(access_log=[{"file": {"path": "/dev/null"}, "format": "TEXT"}])
        origin = self.origin()
        run = self.begin("tail", "--log", "--lines", "1", "--output", "json")

        def seen():
            self.client().get(self.url(origin))
            return run.lines
        until(seen, "a line")
        self.assertEqual(json.loads(self.ended(run)[1])["target"], "origin.test:%d" % origin.port)

    def test_who_does_not_read_misses_lines_and_slows_nobody(self):
        self.start()
        origin = self.origin()
        tail = RawClient(self.egret.admin, receive_buffer=4096)
        self.addCleanup(tail.close)
        tail.send(b"GET /tail HTTP/1.0\r\nHost: localhost\r\n\r\n")
        tail.reader.until(b"\r\n\r\n")
        client = self.client()
        path = "/" + "p" * 15000
        for _ in range(500):  # 7 MB: more than sockets hold
            self.assert_ok(client.get(self.url(origin, path)))
        dropped = tail.reader.until(b'{"event":"dropped","count":')
        self.assertGreater(dropped.count(b"\n"), 10)

    def test_only_so_many_follow(self):
        self.start()
        tails = []
        for _ in range(8):
            tails.append(self.client(self.egret.admin))
            tails[-1].send(b"GET /tail HTTP/1.0\r\nHost: localhost\r\n\r\n")
            tails[-1].reader.until(b"\r\n\r\n")
        self.assertEqual(self.egret.get("/tail")[0], 503)
        tails[0].close()
        run = self.begin("tail", "--lines", "1")

        def again():
            nonlocal run
            self.client().get(self.url(self.origin()))
            if run.poll() == 1:
                run = self.begin("tail", "--lines", "1")
            return run.lines
        until(again, "room for another")
        self.assertEqual(self.ended(self.begin("tail", "--host", "*.*"))[0], 1)


class Decisions(ByCtl):
    def follow(self, query=""):
        """What /decisions says, from now on."""
        page = self.client(self.egret.admin)
        page.send(b"GET /decisions?%s HTTP/1.0\r\nHost: localhost\r\n\r\n" % query.encode())
        self.assertIn(b" 200 ", page.reader.until(b"\r\n\r\n"))
        return page

    def test_decisions_come_as_they_are_made(self):
        """Of a request whose answer is still being waited for, and of a tunnel that is open."""
        self.start(workers=2)
        release = threading.Event()
        self.addCleanup(release.set)

        def held(connection):
            connection.read_request()
            release.wait(SECONDS)
        origin, tunnelled = self.origin(held), self.origin(echo)
        page = self.follow()
        client = self.client()
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                    % (self.url(origin, "/p?token=canary").encode(), origin.port))
        told = json.loads(page.reader.until(b"\n"))
        self.assertEqual((told["event"], told["verdict"], told["decision"], told["rule"], told["path"], told["target"]),
                         ("decision", "forward", "allow", "local", "/p", "origin.test:%d" % origin.port))
        self.assertNotIn("canary", json.dumps(told))  # S05
        self.assertEqual([line for line in self.egret.all_log_lines() if line["request_id"] == told["request_id"]], [])
        tunnel = self.client()
        tunnel.send(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test\r\n\r\n" % tunnelled.port)
        self.assertIn(b" 200 ", tunnel.reader.until(b"\r\n\r\n"))
        tunnel.send(b"\0neither TLS nor HTTP")
        told = json.loads(page.reader.until(b"\n"))
        self.assertEqual((told["verdict"], told["kind"], told["stage"]), ("relay", "tunnel", "hello"))
        release.set()

    def test_verdict_host_and_rule_narrow_what_is_told(self):
        self.start(workers=2)
        origin = self.origin()
        pages = {narrowed: self.follow(narrowed)
                 for narrowed in ("verdict=deny", "verdict=forward&host=second.test", "rule=closed", "contains=second")}
        for name in ("origin.test", "second.test", "denied.test"):
            self.client().get(self.url(origin, "/", name))
        first = {narrowed: json.loads(page.reader.until(b"\n"))["target"].split(":")[0]
                 for narrowed, page in pages.items()}
        self.assertEqual(first, {"verdict=deny": "denied.test", "verdict=forward&host=second.test": "second.test",
                                 "rule=closed": "denied.test", "contains=second": "second.test"})
        for wrong in ("verdict=continue", "host=*.*", "who=me"):
            self.assertEqual(self.egret.get("/decisions?" + wrong)[0], 400, wrong)

    def test_egretctl_shows_them(self):
        self.start(workers=2)
        origin = self.origin()
        denied = self.begin("tail", "--verdict", "deny", "--rule", "closed", "--lines", "1")
        second = self.begin("tail", "--host", "second.test", "--contains", "/wanted", "--lines", "1", "--output", "json")

        def both_follow():
            self.client().get(self.url(origin, "/%1b[31mred", "denied.test"))
            self.client().get(self.url(origin, "/other", "second.test"))
            self.client().get(self.url(origin, "/wanted", "second.test"))
            return denied.lines and second.lines
        until(both_follow, "the lines")
        self.assertRegex(self.ended(denied)[1], r"  deny  \S+  GET denied\.test:%d/%%1b\[31mred  target  web/closed"
                         % origin.port)
        self.assertEqual(json.loads(self.ended(second)[1])["path"], "/wanted")


if __name__ == "__main__":
    import unittest
    unittest.main()
