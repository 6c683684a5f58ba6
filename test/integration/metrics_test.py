"""What is told to Prometheus: complete, described, bounded (rows O04, O07, O08), and where it is told."""
import copy
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.request

from authority import Authority
from egret import DIRECT
from harness import ProxyCase, allow, deny, proxy_config
from origins import echo
from raw_client import RawClient
from waiting import SECONDS, until

PAGE = "deploy/metrics.md"
FREE = "127.0.0.1:0"


def families(text):
    """{name: (type, labels)} of a scrape."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    labels = {name: set() for name in types}
    for series in re.findall(r"^([a-z][^\n]*?) \S+$", text, re.M):
        name, _, rest = series.partition("{")
        if name not in types:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
        labels[name] |= set(re.findall(r'(\w+)="', rest)) - {"le"}
    return {name: (types[name], labels[name]) for name in types}


def described():
    """{name: (type, labels)} of the page."""
    with open(PAGE) as f:
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| [^|]+ \|$", f.read(), re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


class Metrics(ProxyCase):
    def test_the_page_lists_what_is_exposed_and_nothing_else(self):
        config = proxy_config([deny("later", mode="AUDIT"), allow()])
        certificate, key = Authority(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")), "ca").issue("proxy")
        config["secrets"] = [{"name": "c", "certificate": {"certificate": {"file": certificate}, "key": {"file": key}}}]
        keys = {"jwt": {"issuer": "i", "audiences": ["a"], "jwks_url": {"url": "https://127.0.0.1:9"}}}
        known = proxy_config([], [{"proxy_auth": {"methods": [keys]}}, {"egress_policy": {"policy": "web"}},
                                  {"forward_router": {}}])
        config["listeners"].append({"name": "tls", "address": FREE, "filters": [
            {"tls_terminator": {"certificates": ["c"]}}, *known["listeners"][0]["filters"]]})
        config["directory"] = {"path": tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))}
        self.start_config(config, {"origin.test": ["127.0.0.1"]})
        self.assert_ok(self.client().get(self.url(self.origin())))
        self.assertEqual(families(self.egret.get("/stats/prometheus")[1]), described())

    def test_O08_promtool_finds_nothing_to_complain_of(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        self.start()
        self.assert_ok(self.client().get(self.url(self.origin())))
        check = subprocess.run(["promtool", "check", "metrics"], input=self.egret.get("/stats/prometheus")[1], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
        self.assertEqual((check.returncode, check.stdout), (0, ""))

    def scrape(self, **fields):
        """(head fields, content) of a scrape with these fields."""
        request = urllib.request.Request("http://%s:%d/stats/prometheus" % self.egret.admin, headers=fields)
        with DIRECT.open(request, timeout=SECONDS) as answer:
            return answer.headers, answer.read()

    def test_O08_OpenMetrics_is_given_where_it_is_preferred_and_holds_the_same(self):
        try:
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        except ImportError:
            self.skipTest("python3-prometheus-client is not installed")
        self.start(deny("a-rule"), allow())
        self.assert_ok(self.client().get(self.url(self.origin())))
        prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," \
                     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        head, text = self.scrape(Accept=prometheus)
        self.assertEqual(head["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(text.endswith(b"\n# EOF\n"))
        parsed = list(text_string_to_metric_families(text.decode()))  # as strict as the format is
        self.assertEqual(len({family.name for family in parsed}), len(parsed))
        samples = {sample.name for family in parsed for sample in family.samples}
        self.assertEqual(samples, {series.split("{")[0] for series in self.egret.metrics()})
        for accept in ("*/*", "text/plain", "text/plain;q=0.9, application/openmetrics-text;q=0.8"):
            self.assertTrue(self.scrape(Accept=accept)[0]["Content-Type"].startswith("text/plain; version=0.0.4"), accept)

    def test_O08_gzip_is_given_to_whom_takes_it(self):
        self.start()
        for takes, coded in {"gzip": True, "deflate, gzip;q=0.5": True, "*": True, "identity": False, "gzip;q=0": False}.items():
            head, content = self.scrape(**{"Accept-Encoding": takes})
            self.assertEqual((head["Content-Encoding"], head["Vary"]), ("gzip" if coded else None, "Accept-Encoding"), takes)
            self.assertIn(b"# TYPE egret_build_info gauge", gzip.decompress(content) if coded else content)

    def test_what_an_audit_would_deny_is_counted(self):
        self.start(deny("would-close", ["second.test"], mode="AUDIT"), allow())
        counted = lambda: self.egret.metric("egret_policy_audits_total", policy="web", rule="would-close",
                                            result="would_deny")
        series = 'egret_policy_audits_total{policy="web",rule="would-close",result="would_deny"}'
        self.assertEqual(self.egret.metrics()[series], 0)
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(counted(), 0)
        self.assert_ok(self.client().get(self.url(origin, name="second.test")))
        self.assertGreaterEqual(counted(), 1)  # once at each stage that asked
        config = proxy_config([deny("soon", ["third.test"]), allow()])
        config["policies"][0].update(mode="AUDIT", audit_until="2999-01-01T00:00:00Z")
        self.start_config(config)
        audited = 'egret_policy_audits_total{policy="web",rule="%s",result="would_deny"}'
        self.assertEqual([self.egret.metrics()[audited % rule] for rule in ("soon", "otherwise")], [0, 0])

    def test_a_file_that_cannot_be_in_force_is_counted_until_it_can(self):
        self.start()
        self.assertEqual(self.egret.metric("egret_config_errors"), 0)
        with open(self.egret.config_path) as f:
            good = json.load(f)
        bad = copy.deepcopy(good)
        bad["policies"][0]["rules"][0]["action"] = "PERHAPS"
        for document, wrong in ((bad, True), (good, False)):
            self.egret.write("egret.yaml", json.dumps(document))
            self.egret.signal(signal.SIGHUP)
            until(lambda: (self.egret.metric("egret_config_errors") > 0) == wrong, "the file's faults to be counted")

    def test_what_is_granted_is_told(self):
        self.start(limits={"connections": 77})
        series = self.egret.metrics()
        self.assertEqual(series["egret_client_connections_limit"], 77)
        self.assertGreater(series["egret_memory_used_bytes"], 0)
        self.assertIn("egret_memory_limit_bytes", series)

    def test_O08_the_metrics_address_serves_scrapers_under_any_name_and_nobody_else(self):
        self.start(metrics={"address": FREE})
        address = self.ready_address("metrics")
        request = urllib.request.Request("http://%s:%d/stats/prometheus" % address, headers={"Host": "egret.svc:9902"})
        with DIRECT.open(request, timeout=SECONDS) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            self.assertIn("egret_build_info", answer.read().decode())
        for path, status in {"/ready": 200, "/live": 200, "/": 404, "/stats": 404, "/config_dump": 404, "/connections": 404,
                             "/logging": 404, "/stats/prometheus/../../config_dump": 404, "//config_dump": 404}.items():
            self.assertEqual(self.client(address).ask(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode()).status, status,
                             path)
        self.assertEqual(self.client(address).ask(b"POST /quitquitquit HTTP/1.1\r\nHost: x\r\n\r\n").status, 404)

    def ready_address(self, name):
        with open(self.egret.path("ready.json")) as f:
            host, _, port = json.load(f)[name].rpartition(":")
        return host, int(port)

    def test_configured_rules_are_there_from_the_start_with_0(self):
        self.start(deny(), allow())
        series = self.egret.metrics()
        for rule, action in (("closed", "deny"), ("local", "allow")):
            found = [value for name, value in series.items()
                     if name.startswith("egret_policy_decisions_total{") and 'rule="%s"' % rule in name
                     and 'action="%s"' % action in name]
            self.assertEqual(found, [0.0], rule)

    def test_O07_thousands_of_names_methods_and_paths_make_no_series(self):
        names = ["n%d.test" % n for n in range(2000)]
        self.start(allow(), hosts={name: ["127.0.0.1"] for name in names})
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin, name=names[0])))
        RawClient(self.egret.address).get("http://unknown.invalid/")
        before = set(self.egret.metrics())

        def load(part):
            client = RawClient(self.egret.address)
            for name in part:
                self.assert_ok(client.get(self.url(origin, "/" + name, name=name), "User-Agent: " + name))
            client.close()
        threads = [threading.Thread(target=load, args=(names[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.egret.log_lines(2000, status=200)
        # A pooled connection is admitted at another stage than a new one is: both are among a rule's few series.
        stageless = lambda names: {re.sub(',stage="[a-z]+"', '', name) for name in names}
        self.assertEqual(stageless(self.egret.metrics()) - stageless(before), set())

    def test_rules_past_the_first_thousand_are_counted_together(self):
        rules = [deny("r%d" % n, ["d%d.test" % n]) for n in range(1100)]
        self.start(*rules)
        for n in (3, 999, 1000, 1099):
            self.client().get("http://d%d.test/" % n)
        series = {name: value for name, value in self.egret.metrics().items() if name.startswith("egret_policy_decisions")}
        self.assertEqual(sum('rule="r' in name for name in series), 1000)
        told = {re.search('rule="([^"]+)"', name).group(1): value for name, value in series.items() if value}
        self.assertEqual(told, {"r3": 1.0, "r999": 1.0, "other": 2.0})

    def test_O04_gauges_return_to_zero_after_load_of_all_kinds(self):
        self.start()
        gauges = ("egret_client_connections_active", "egret_requests_active", "egret_tunnels_active",
                  "egret_upstream_pool_connections")
        origin, web = self.origin(echo), self.origin()
        clients = [self.tunnel(origin) for _ in range(10)]
        for client in clients:
            client.send(b"\0")
            client.reader.exactly(1)
        half = self.client()
        half.send(b"GET http://origin.test/ HTTP/1.1\r\nHo")
        aborted = self.client()
        aborted.send(b"POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nContent-Length: 100\r\n\r\nx"
                     % (self.url(web).encode(), web.port))
        until(lambda: self.egret.metric("egret_tunnels_active") == 10 and
              self.egret.metric("egret_requests_active") == 1, "what is open to be counted")
        for client in clients[::2] + [half]:
            client.close()
        for client in clients[1::2] + [aborted]:
            client.reset()
        web.close()  # idle pooled connections end with their origin
        until(lambda: not any(self.egret.metric(name) for name in gauges),
              lambda: "all gauges to be 0: %r" % {name: self.egret.metric(name) for name in gauges})

    def test_sizes_and_times_are_in_histograms(self):
        self.start()
        client = self.client()
        self.assert_ok(client.get(self.url(self.origin())))
        line = self.egret.one_line(source=client.local)
        series = self.egret.metrics()
        self.assertEqual(series["egret_request_size_bytes_sum"], line["received_bytes"])
        self.assertEqual(series["egret_response_size_bytes_sum"], line["sent_bytes"])
        for name in ("egret_request_duration_seconds", "egret_upstream_connect_duration_seconds",
                     "egret_dns_duration_seconds", "egret_request_size_bytes", "egret_response_size_bytes"):
            self.assertEqual(series[name + "_count"], 1, name)
            self.assertEqual(series[name + '_bucket{le="+Inf"}'], 1, name)
