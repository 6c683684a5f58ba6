"""Row P16 of the catalogue, at size: what the client is told, what the log says and what the metrics count is the same, of
everybody's requests in every mixture."""
import collections
import json
import re
import threading
import unittest

from auth_case import ALICE, BOB, HORSE, AuthCase, basic
from harness import ANY_PORT, SANITIZED, allow, deny
from raw_client import RawClient
from waiting import SECONDS, until

COUNT = 6_000 if SANITIZED else 100_000
CLIENTS, BATCH = 4, 50  # a batch is sent at once
TOLD = ("policy", "rule", "stage", "reason")


class Verdicts(AuthCase):
    def adjust(self, config):
        config["listeners"][0]["filters"][0]["http_connection"]["denial_detail"] = "FULL"

    def kinds(self, port):
        """(request line's method and URL, who asks): (status, rule)."""
        web = "http://%s:" + str(port)
        self.wrong = basic("alice", HORSE + "!")
        return {
            ("GET", web % "origin.test" + "/a", ALICE): (200, "alices"),
            ("GET", web % "second.test" + "/b", None): (200, "everybodys"),
            ("GET", web % "second.test" + "/c", BOB): (200, "everybodys"),
            ("GET", web % "denied.test" + "/d", ALICE): (403, "closed"),
            ("GET", web % "denied.test" + "/e?q=1", None): (403, "closed"),
            ("GET", web % "origin.test" + "/secret/x", ALICE): (403, "secrets"),
            ("DELETE", web % "origin.test" + "/f", ALICE): (403, "verbs"),
            ("GET", web % "origin.test" + "/g", BOB): (403, "otherwise"),
            ("GET", "http://10.0.0.1/h", ALICE): (403, "address_guard"),
            ("GET", web % "origin.test" + "/i", None): (407, None),
            ("GET", web % "origin.test" + "/j", self.wrong): (407, None),
        }

    def test_P16_response_log_and_metrics_agree_on_mixed_requests_of_several_people(self):
        alices = allow("alices", domains=["origin.test"], **{"from": {"users": ["alice"]}})
        self.start_auth(
            deny("closed"),
            {"name": "secrets", "action": "DENY", "to": {"domains": ["origin.test"], "protocols": ["HTTP"], "port_ranges": ANY_PORT}, "http": {"path_prefixes": ["/secret"]}},
            {"name": "verbs", "action": "DENY", "to": {"domains": ["origin.test"], "protocols": ["HTTP"], "port_ranges": ANY_PORT}, "http": {"methods": ["DELETE"]}},
            {"name": "literals", "action": "ALLOW", "to": {"cidrs": ["10.0.0.0/8"]}},
            alices, allow("everybodys", domains=["second.test"]), optional=True)
        origin = self.origin()
        kinds = list(self.kinds(origin.port).items())
        self.seen, self.told, self.lock = collections.Counter(), {}, threading.Lock()
        threads = [threading.Thread(target=self.ask, args=(kinds, n)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(self.seen.values()), COUNT)
        lines = self.all_lines()
        self.check_each(kinds, lines)
        self.check_metrics(lines)

    def ask(self, kinds, number):
        """In batches over one connection; what comes back is what was asked for, in that order."""
        client = RawClient(self.egret.address)
        asked = range(number, COUNT, CLIENTS)
        for at in range(0, len(asked), BATCH):
            batch = [kinds[n * 7 % len(kinds)] for n in asked[at:at + BATCH]]
            client.send(b"".join(self.request(*what) for what, _ in batch))
            for (what, (status, _)) in batch:
                response = client.read_response(what[0])
                with self.lock:
                    self.seen[what, response.status] += 1
                    if status != 200:
                        body = json.loads(response.body)
                        self.told[body["request_id"]] = (what, response.status, body)
        client.close()

    @staticmethod
    def request(method, url, who):
        host = url.split("/")[2]
        lines = ["%s %s HTTP/1.1" % (method, url), "Host: " + host, "Accept: application/problem+json", *([who] if who else [])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def all_lines(self):
        def count():
            with open(self.egret.log_path, "rb") as f:
                return sum(1 for _ in f)
        until(lambda: count() >= COUNT, lambda: "%d lines, not %d" % (COUNT, count()), SECONDS * 2)
        with open(self.egret.log_path, "rb") as f:
            return [json.loads(line) for line in f]

    def check_each(self, kinds, lines):
        expected = dict(kinds)
        for (what, status), times in self.seen.items():
            # Who goes on with a wrong password waits.
            self.assertIn(status, (407, 429) if what[2] == self.wrong else (expected[what][0],), (what, times))
        self.assertEqual(len(lines), COUNT)
        by_id = {line["request_id"]: line for line in lines}
        self.assertEqual(len(by_id), COUNT)
        for request_id, (what, status, body) in self.told.items():
            line = by_id[request_id]
            self.assertEqual(expected[what][1], line.get("rule") if status == 403 else None, (what, line))
            self.assertEqual((status, body["status"], body["code"]), (line["status"], line["status"], line["detail"]))
            for name in TOLD:
                self.assertEqual(body.get(name), line.get(name) or None, (name, what, body, line))
        # What was let through is known by its path.
        for (what, status), times in self.seen.items():
            if status == 200:
                same = [line for line in lines if line["status"] == 200 and line["path"] == "/" + what[1].rsplit("/", 1)[1]]
                self.assertEqual({(line["rule"], line.get("identity", "")) for line in same},
                                 {(expected[what][1], {ALICE: "alice", BOB: "bob", None: ""}[what[2]])})
                self.assertEqual(len(same), times)

    def check_metrics(self, lines):
        """The named rules, by stage and what they said; failures by detail; responses by class."""
        decided = collections.Counter()
        for line in lines:
            if line.get("rule"):
                decided[line.get("policy", ""), line["rule"], line["stage"]] += 1
        counted = collections.Counter()
        metrics = self.egret.metrics()
        for series, value in metrics.items():
            if series.startswith("egret_policy_decisions_total{"):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
                counted[labels["policy"], labels["rule"], labels["stage"]] += int(value)
        self.assertEqual(counted, decided)
        details = collections.Counter(line["detail"] for line in lines if line.get("detail"))
        for detail, times in details.items():
            self.assertEqual(self.egret.metric("egret_failures_total", detail=detail), times, detail)
        self.assertEqual(self.egret.metric("egret_requests_total"), COUNT)
        for name in "2xx", "4xx":
            self.assertEqual(self.egret.metric("egret_responses_total", **{"class": name}),
                             sum(line["status"] // 100 == int(name[0]) for line in lines))


if __name__ == "__main__":
    unittest.main()
