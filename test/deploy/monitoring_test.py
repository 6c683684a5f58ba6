"""Alerts and dashboards: what fires and what does not, what they ask a live Prometheus, and that each alert is told of
(rows O08 and O13)."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

from authority import Authority
from control_case import ControlCase, policy
from control_plane import listener
from harness import allow, deny, proxy_config
from monitoring_rules import CASES, promtool_file
from prometheus import Prometheus
from waiting import SECONDS, until

MONITORING = "deploy/monitoring"
FREE = "127.0.0.1:0"
SEVERITIES = {"critical", "warning", "info"}
INTERVAL = "400ms"
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$job": ".*", "$instance": ".*", "$group": ".*"}
METRIC = r"(?<![\w:$])(?:job:)?(?:egret|process)_[\w:]*|(?<![\w:])up(?=\{)"


def read(path):
    with open(path) as f:
        return f.read()


def groups():
    return yaml.safe_load(read(MONITORING + "/rules.yaml"))["spec"]["groups"]


def rules():
    return [rule for group in groups() for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboards():
    """{file name: the dashboard}."""
    folder = MONITORING + "/dashboards"
    return {name: json.loads(read(os.path.join(folder, name))) for name in os.listdir(folder) if name.endswith(".json")}


def panels():
    return [(name, panel) for name, board in dashboards().items() for panel in board["panels"] if panel["type"] != "row"]


def with_values(text):
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


def selectors(expression):
    """Each metric that it names, with its matchers."""
    return set(re.findall(r"(?:%s)(?:\{[^}]*\})?" % METRIC, expression))


def egretctl(*words):
    run = subprocess.run([os.environ["EGRETCTL"], *words], stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS)
    return run.stdout


def promtool(*words):
    run = subprocess.run(["promtool", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=10 * SECONDS)
    return run.returncode, run.stdout


class Rules(unittest.TestCase):
    def setUp(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, document):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            yaml.safe_dump(document, f, sort_keys=False)
        return path

    def test_promtool_finds_no_fault(self):
        code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", self.write("rules.yml", {"groups": groups()}))
        self.assertEqual(code, 0, said)

    def test_each_alert_fires_on_what_it_is_for_and_not_on_what_is_nearly_that(self):
        self.assertEqual(set(CASES), set(alerts()))
        recorded = [rule for rule in rules() if "record" in rule]
        files = []
        for name, rule in alerts().items():  # each alone with what is recorded: all at each step of all would take long
            path = self.write(name + ".rules", {"groups": [{"name": name, "rules": [*recorded, rule]}]})
            files.append(self.write(name + ".test", promtool_file(path, name)))
        code, said = promtool("test", "rules", *files)
        self.assertEqual(code, 0, said)


class Told(unittest.TestCase):
    def test_each_alert_says_what_it_is_and_where_to_read_on(self):
        for name, rule in alerts().items():
            with self.subTest(name):
                self.assertRegex(name, "^Egret[A-Z]")
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook_url"})
                self.assertTrue(rule["annotations"]["runbook_url"].endswith("deploy/runbook.md#" + name.lower()))

    def test_each_alert_has_a_section_of_the_runbook_and_each_section_an_alert(self):
        told = re.findall(r"^### (\w+)$", read("deploy/runbook.md"), re.M)
        self.assertEqual(sorted(told), sorted(alerts()))

    def test_the_runbook_names_what_there_is(self):
        text = read("deploy/runbook.md")
        said = egretctl("--help")
        commands = set(re.findall(r"^  (\w+) ", said, re.M))
        for command, words in re.findall(r"`egretctl\s+([\w-]+)([^`]*)`", text):
            self.assertIn(command, commands)
            usage = egretctl(command, "--help")
            for option in re.findall(r"--[\w-]+", words):
                self.assertIn(option, usage, command)
        for alert in re.findall(r"\bEgret[A-Z]\w+", text):
            self.assertIn(alert, alerts())
        for metric in re.findall(r"`((?:egret|process)_\w+)`", text):
            self.assertIn("| `%s` |" % metric, read("deploy/metrics.md"))

    def test_what_is_worth_an_alarm_has_one(self):
        rows = re.findall(r"^\| `(\w+)` .*worth an alarm", read("deploy/metrics.md"), re.M | re.I)
        self.assertGreaterEqual(len(rows), 3)
        for metric in rows:
            self.assertTrue(any(metric in rule["expr"] for rule in alerts().values()), metric)

    def test_the_component_ships_all_of_it(self):
        component = yaml.safe_load(read(MONITORING + "/kustomization.yaml"))
        maps = component["configMapGenerator"]
        self.assertEqual(component["resources"], ["rules.yaml"])
        self.assertEqual(sorted(name for one in maps for name in one["files"]),
                         sorted("dashboards/" + name for name in dashboards()))
        for one in maps:
            self.assertEqual(one["options"]["labels"]["grafana_dashboard"], "1")


class Dashboards(unittest.TestCase):
    def test_the_files_are_what_is_said_in_panels(self):
        folder = os.path.abspath(MONITORING + "/dashboards")
        sys.path.insert(0, folder)
        self.addCleanup(sys.path.remove, folder)
        import panels as source
        for name, text in source.all_files().items():
            self.assertEqual(read(os.path.join(folder, name)), text, name + ": run deploy/monitoring/dashboards/make")
        self.assertEqual(set(source.all_files()), set(dashboards()))

    def test_each_dashboard_is_one_that_Grafana_takes(self):
        boards = dashboards()
        self.assertEqual(len({board["uid"] for board in boards.values()}), len(boards))
        for name, board in boards.items():
            variables = board["templating"]["list"]
            self.assertEqual((variables[0]["name"], variables[0]["type"], variables[0]["query"]),
                             ("datasource", "datasource", "prometheus"), name)
            used = set(re.findall(r"\$(?!__)\{?(\w+)", json.dumps(board["panels"])))
            self.assertEqual(used, {one["name"] for one in variables}, name)
            ids = [panel["id"] for panel in board["panels"]]
            self.assertEqual(len(set(ids)), len(ids), name)
            self.assert_no_overlap(name, [panel["gridPos"] for panel in board["panels"]])

    def assert_no_overlap(self, name, places):
        taken = set()
        for at in places:
            self.assertLessEqual(at["x"] + at["w"], 24, name)
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, "%s: %r" % (name, at))
            taken |= cells

    def test_each_panel_can_be_read(self):
        for name, panel in panels():
            with self.subTest("%s: %s" % (name, panel["title"])):
                self.assertRegex(panel["description"], r"\.$")
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")
                    if panel["type"] != "table":
                        self.assertTrue(target["legendFormat"])
                        by = re.match(r"(?:topk\(\d+, |[\d* ]+)?(?:sum|max|min) by \(([\w, ]+)\)", target["expr"])
                        named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                        kept = set(re.split(", ", by.group(1))) - {"le"} if by else named
                        self.assertEqual(named, kept)  # lines are told apart by their names


class Live(ControlCase):
    """A proxy with all that a file can have, one that is pushed to, their control plane, and Prometheus."""

    def setUp(self):
        super().setUp()
        if shutil.which("prometheus") is None:
            self.skipTest("prometheus is not installed")
        scraped = self.start_file_proxy(), self.start_pushed_proxy()
        live = [{**group, "interval": INTERVAL} for group in groups()]
        jobs = {"egret": ("/stats/prometheus", scraped), "egret-control": ("/metrics", [self.plane.admin])}
        self.prometheus = Prometheus(jobs, yaml.safe_dump({"groups": live}), INTERVAL)
        self.addCleanup(self.prometheus.end)

    def start_file_proxy(self):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        certificate, key = Authority(folder, "ca").issue("proxy")
        keys = {"jwt": {"issuer": "i", "audiences": ["a"], "jwks_url": {"url": "https://127.0.0.1:9"}}}
        config = proxy_config([deny(), deny("later", ["second.test"], mode="AUDIT"), allow()], metrics={"address": FREE})
        config["secrets"] = [{"name": "c", "certificate": {"certificate": {"file": certificate}, "key": {"file": key}}}]
        known = proxy_config([], [{"proxy_auth": {"methods": [keys]}}, {"egress_policy": {"policy": "web"}},
                                  {"forward_router": {}}])
        config["listeners"].append({"name": "tls", "address": FREE, "filters": [
            {"tls_terminator": {"certificates": ["c"]}}, *known["listeners"][0]["filters"]]})
        egret = self.start_config(config, {"origin.test": ["127.0.0.1"], "second.test": ["127.0.0.1"]})
        origin = self.origin()
        for name, status in {"origin.test": 200, "second.test": 200, "denied.test": 403}.items():
            self.assertEqual(self.client().get(self.url(origin, name=name)).status, status)
        self.tunnel(origin).close()
        with open(egret.path("ready.json")) as f:
            host, _, port = json.load(f)["metrics"].rpartition(":")
        return host, int(port)

    def start_pushed_proxy(self):
        self.serve()
        os.makedirs(os.path.join(self.library.folder, "web", "next"))
        with open(os.path.join(self.library.folder, "web", "next", "resources.json"), "w") as f:
            json.dump({"listeners": [listener()], "policies": [policy(deny(), allow())]}, f)
        rollouts = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.plane = self.control(arguments=["--rollouts", rollouts])
        egret = self.proxy(self.plane)
        until(lambda: egret.metric("egret_xds_connected") == 1, "the proxy to be connected")
        return egret.admin

    def test_O08_O13_all_is_scraped_and_each_query_finds_what_it_names(self):
        prometheus = self.prometheus
        recorded = [rule["record"] for rule in rules() if "record" in rule]
        until(lambda: all(prometheus.query("count_over_time(%s[1m]) > 2" % one) for one in recorded) and
              len(prometheus.query("count_over_time(egret_control_build_info[1m]) > 2")) == 1,
              lambda: "some scrapes; it says %r" % prometheus.api("targets")["activeTargets"], alive=prometheus.assert_running)
        for target in prometheus.api("targets")["activeTargets"]:
            self.assertEqual((target["health"], target["lastError"]), ("up", ""), target["scrapeUrl"])
        for group in prometheus.api("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
        asked = [(name, target["expr"]) for name, panel in panels() for target in panel["targets"]]
        asked += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
        named = set()
        for where, expression in asked:
            expression = with_values(expression)
            with self.subTest(where, expression=expression):
                prometheus.query(expression)
                found = selectors(expression)
                self.assertTrue(found)
                named |= found
        dangling = [one for one in sorted(named) if not prometheus.query("count(%s)" % one)]
        self.assertEqual(dangling, [])
        for board in dashboards().values():
            for variable in board["templating"]["list"][1:]:
                metric = re.search(r"\((.*), \w+\)$", variable["query"]["query"]).group(1)
                self.assertTrue(prometheus.query("count by (%s) (%s)" % (variable["name"], with_values(metric))), variable)
        # It asks for OpenMetrics, where a whole number's bound has its ".0".
        self.assertTrue(prometheus.query('egret_request_duration_seconds_bucket{le="1.0"}'))
        self.assertEqual(prometheus.stderr(), "")  # no duplicate, no sample out of order

    def test_the_runbooks_pages_are_there(self):
        pages = set(re.findall(r"egretctl\s+page\s+(?!--post)'?(/[\w/]*)", read("deploy/runbook.md")))
        self.assertGreater(len(pages), 4)
        for page in pages:
            self.assertEqual(self.egret.get(page)[0], 200, page)

    def test_O13_the_pages_list_what_is_exposed_by_egret_control(self):
        text = self.plane.get("/metrics")[1]
        exposed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", read("deploy/control.md"), re.M))
        self.assertEqual(exposed, told)
        code, said = 0, ""
        if shutil.which("promtool"):
            check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, timeout=SECONDS)
            code, said = check.returncode, check.stdout
        self.assertEqual((code, said), (0, ""))
