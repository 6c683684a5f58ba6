"""Rows P01-P06, P11, P13, P15 and P16 of the catalogue: nobody talks a policy into another answer."""
import json
import os
import re
import subprocess
import tempfile

from harness import ANY_PORT, LOOPBACK, ProxyCase, allow, deny, proxy_config
from tls_hello import client_hello, records


class Names(ProxyCase):
    def verdicts(self, names, port):
        """{name: status} of a GET for each."""
        result = {}
        for name in names:
            client = self.client()
            result[name] = client.get("http://%s:%d/" % (name, port)).status
            self.egret.one_line(source=client.local, status=result[name])
        return result

    def test_P01_case_and_a_trailing_dot_change_no_verdict(self):
        self.start(deny(domains=["Denied.Test"]), allow(domains=["ORIGIN.test"]))
        port = self.origin().port
        self.assertEqual(set(self.verdicts(["origin.test", "Origin.TEST", "origin.test."], port).values()), {200})
        denied = self.verdicts(["denied.test", "DENIED.test", "denied.test.", "other.test"], port)
        self.assertEqual(set(denied.values()), {403})

    def test_P01_the_default_port_is_the_port_80(self):
        self.start(deny("eighty", to={"domains": ["origin.test"], "ports": [80]}), allow())
        for url in ("http://origin.test/", "http://origin.test:80/", "http://origin.test:/", "http://ORIGIN.test.:80/"):
            with self.subTest(url):
                client = self.client()
                response = client.get(url)
                if response.status == 400 and "test:/" in url:
                    continue
                line = self.assert_refused(client, response, "policy_denied", rule="eighty")
                self.assertEqual(line["target"], "origin.test:80")

    def test_P01_a_rule_for_a_port_is_for_that_port(self):
        origin, other = self.origin(), self.origin()
        rule = allow()
        del rule["to"]["port_ranges"]
        rule["to"]["ports"] = [origin.port]
        self.start(rule)
        self.assert_ok(self.client().get(self.url(origin)))
        client = self.client()
        self.assert_refused(client, client.get(self.url(other)), "policy_denied")
        self.assertEqual(other.connections, [])

    def test_P06_patterns_match_label_by_label(self):
        hosts = {name: ["127.0.0.1"] for name in (
            "below.test", "a.below.test", "a.b.below.test", "evilbelow.test", "below.test.evil.test", "both.test",
            "a.both.test", "xboth.test", "exact.test", "a.exact.test", "exactxtest.test", "exact-test.test")}
        self.start(allow(domains=["*.below.test", ".both.test", "exact.test"]), hosts=hosts)
        verdicts = self.verdicts(hosts, self.origin().port)
        self.assertEqual({n for n, status in verdicts.items() if status == 200},
                         {"a.below.test", "a.b.below.test", "both.test", "a.both.test", "exact.test"})
        self.assertEqual(set(verdicts.values()), {200, 403})


class Denials(ProxyCase):
    def test_a_denial_is_told_in_the_form_that_is_asked_for(self):
        rule = deny("uploads", to={"domains": ["origin.test"]})
        self.start({**rule, "message": "Ask <b>security</b>."}, allow())
        authority = "origin.test:%d" % self.origin().port
        for accept, kind in (("*/*", "text/plain"), ("text/html,*/*;q=0.8", "text/html"),
                             ("application/json, text/plain, */*", "application/problem+json")):
            for method in ("GET", "CONNECT"):
                with self.subTest(accept, method=method):
                    client = self.client()
                    field = "Accept: " + accept
                    told = client.connect(authority, field) if method == "CONNECT" else client.get(
                        "http://%s/" % authority, field)
                    self.assertEqual((told.status, told.header("content-type").split(";")[0]), (403, kind))
                    line = self.egret.one_line(source=client.local, status=403)
                    self.assertEqual((line["rule"], line["stage"], line["reason"]), ("uploads", "target", "rule"))
                    text = told.text()
                    for part in ("uploads", line["request_id"], line["policy"]):
                        self.assertIn(part, text)
                    self.assertEqual("<b>" in text, kind != "text/html")
                    if kind.endswith("json"):
                        problem = json.loads(text)
                        self.assertEqual((problem["status"], problem["rule"], problem["code"], problem["request_id"]),
                                         (403, "uploads", line["detail"], line["request_id"]))


class Requests(ProxyCase):
    def start_with_http(self, http, **more):
        self.start(allow(protocols=["HTTP"], http=http, **more))
        return self.origin()

    def path(self, origin, path):
        client = self.client()
        return client, client.get("http://origin.test:%d%s" % (origin.port, path), host="origin.test:%d" % origin.port)

    def test_P02_what_is_matched_is_what_is_forwarded(self):
        origin = self.start_with_http({"path_prefixes": ["/public"]})
        for path in ("/public", "/public/", "/public/a?b=/../c", "/public/a%20b", "/public/%7Euser"):
            with self.subTest(path):
                self.assert_ok(self.path(origin, path)[1])
        for path in ("/", "/secret", "/publicity", "/PUBLIC", "/public/../secret", "/public/%2e%2e/secret",
                     "/public/.%2E/secret", "/public/..;/secret", "/public/..%2fsecret", "/public/..%5csecret",
                     "/public/..\\secret", "/public/./../secret", "/public/a/../../secret", "/./secret", "//public/x",
                     "/public//../../secret", "/public/%252e%252e/secret", "/public/%c0%ae%c0%ae/secret",
                     "/public/%00/../../secret", "/public%00/x", "/x/%2e%2e/public/../secret", "/public/..%00/secret",
                     "/public/%", "/public/%zz", "/%70ublic/../secret", "/public;x/../../secret", "/secret?/public",
                     "/public/%2e%2e%2fsecret", "/public/..%252fsecret", "/public/...;/x/../../../secret"):
            with self.subTest(path):
                before = len(origin.requests)
                client, response = self.path(origin, path)
                line = self.egret.one_line(source=client.local)
                if response.status == 200:
                    seen = origin.requests[-1].target
                    self.assertEqual(seen.split("?")[0], line["path"], "matched, logged and forwarded alike")
                    self.assertTrue(seen.startswith("/public/"), seen)
                    for trick in ("/..", "%2e", "%2f", "%5c", "\\", "%00", "%c0", ";/"):
                        self.assertNotIn(trick, seen.lower())
                else:
                    self.assertIn(response.status, (400, 403))
                    self.assertEqual(len(origin.requests), before)

    def test_P02_a_denied_path_is_denied_in_every_spelling(self):
        self.start(deny("admin", to={"domains": ["origin.test"], "protocols": ["HTTP"]},
                        http={"path_prefixes": ["/admin"]}), allow())
        origin = self.origin()
        self.assert_ok(self.path(origin, "/other")[1])
        for path in ("/admin", "/admin/", "/admin?x", "/admin/x", "/x/../admin", "/./admin", "//admin", "/%61dmin",
                     "/admi%6e/x", "/x/%2e%2e/admin", "/x%2f..%2fadmin", "/admin%2fx", "/x//../admin", "/admin;x",
                     "/\\admin", "/%2fadmin", "/x/..%5cadmin", "/admin%00", "/admin/../admin"):
            with self.subTest(path):
                before = len(origin.requests)
                client, response = self.path(origin, path)
                self.egret.one_line(source=client.local)
                if response.status == 200:  # then an origin of any habit must read another path
                    seen = origin.requests[-1].target
                    self.fail("%s went out as %s" % (path, seen))
                self.assertIn(response.status, (400, 403))
                self.assertEqual(len(origin.requests), before)

    def test_P03_every_value_of_a_repeated_field_counts(self):
        origin = self.start_with_http({"headers": [{"name": "X-Team", "values": ["red", "blue"]}]})
        for fields, status in ((("X-Team: red",), 200), (("x-team: blue",), 200), ((), 403), (("X-Team: green",), 403),
                               (("X-Team: red", "X-Team: blue"), 200), (("X-Team: red", "X-Team: green"), 403),
                               (("X-Team: green", "X-Team: red"), 403), (("X-Team: red, green",), 403),
                               (("X-Team: red", "x-team: "), 403), (("X-Team: Red",), 403)):
            with self.subTest(fields):
                client = self.client()
                self.assertEqual(client.get(self.url(origin), *fields).status, status)
                self.egret.one_line(source=client.local, status=status)

    def test_P03_one_value_is_enough_to_deny(self):
        self.start(deny("bots", to={"protocols": ["HTTP"]},
                        http={"headers": [{"name": "X-Kind", "values": ["bot"]}]}), allow())
        origin = self.origin()
        for fields, status in (((), 200), (("X-Kind: human",), 200), (("X-Kind: bot",), 403),
                               (("X-Kind: human", "X-Kind: bot"), 403), (("X-Kind: bot", "X-Kind: human"), 403)):
            with self.subTest(fields):
                self.assertEqual(self.client().get(self.url(origin), *fields).status, status)

    def test_P04_an_underscore_is_no_dash(self):
        origin = self.start_with_http({"headers": [{"name": "X-Team", "values": ["red"]}]})
        client = self.client()
        self.assertIn(client.get(self.url(origin), "X_Team: red").status, (400, 403))
        self.assertEqual(origin.requests, [])

    def test_P04_methods_are_compared_as_they_are(self):
        origin = self.start_with_http({"methods": ["GET", "HEAD"]})
        self.assert_ok(self.client().get(self.url(origin)))
        for method in ("POST", "get", "Get", "GETX", "DELETE"):
            client = self.client()
            response = client.ask(b"%s %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                                  % (method.encode(), self.url(origin).encode(), origin.port))
            self.assertIn(response.status, (400, 403, 501))
            self.egret.one_line(source=client.local)
        self.assertEqual(len(origin.requests), 1)

    def test_P05_marks_of_other_proxies_are_not_passed_on(self):
        self.start()
        origin = self.origin()
        self.assert_ok(self.client().get(
            self.url(origin), "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https",
            "Forwarded: for=10.0.0.1", "X-Request-Id: mine"))
        seen = origin.requests[-1]
        for name in ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"):
            self.assertIsNone(seen.header(name), name)
        self.assertEqual(seen.header("x-request-id"), "mine")
        self.assertNotIn("127.0.0.1", repr(seen.fields).replace("127.0.0.1:%d" % origin.port, ""))

    def test_P11_inside_a_tunnel_to_port_80_the_same_rules_hold(self):
        origin = self.start_with_http({"methods": ["GET"], "path_prefixes": ["/public"]})
        client = self.tunnel(origin)
        host = b"Host: origin.test:%d\r\n\r\n" % origin.port
        self.assert_ok(client.ask(b"GET /public/x HTTP/1.1\r\n" + host))
        for request in (b"GET /secret HTTP/1.1\r\n", b"DELETE /public HTTP/1.1\r\n"):
            self.assertEqual(client.ask(request + host).status, 403)
        self.assertEqual([r.target for r in origin.requests], ["/public/x"])

    def test_P11_rules_that_only_hold_for_clear_http_let_no_tls_pass(self):
        origin = self.start_with_http({"methods": ["GET"]})
        client = self.client()
        response = client.connect("origin.test:%d" % origin.port)
        self.assertEqual(response.status, 200, response)  # it may yet be HTTP
        client.send(records(client_hello("origin.test")))
        self.assertEqual(client.reader.exactly(7)[:1], b"\x15")
        client.end()
        client.close()
        line = self.egret.one_line(source=client.local, kind="tunnel")
        self.assertEqual((line["detail"], line["stage"]), ("policy_denied", "hello"))
        self.assertEqual(origin.requests, [])

    def test_P11_a_rule_that_would_have_to_read_tls_is_a_config_error(self):
        config = proxy_config([allow(protocols=["TLS"], http={"methods": ["GET"]})])
        path = os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "egret.yaml")
        with open(path, "w") as file:
            json.dump(config, file)
        run = subprocess.run([os.environ["EGRET"], "--config", path, "--mode", "validate"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(run.returncode, 1, run.stdout)
        for word in ("policies[0].rules[0].http: local:", "the built-in tunnel", "mitm_terminator"):
            self.assertIn(word, run.stdout)


class Stacks(ProxyCase):
    def start_stack(self, *policies, names):
        filters = [{"egress_policy": {"policies": names}}, {"connect_tunnel": {}}, {"forward_router": {}}]
        config = proxy_config([], filters)
        config["policies"] = list(policies)
        self.start_config(config, {n: ["127.0.0.1"] for n in ("origin.test", "paste.test", "third.test")})

    def test_a_guardrail_only_forbids_and_a_policy_must_allow(self):
        guard = {"name": "guardrails", "otherwise": "ABSTAIN", "rules": [deny("no-paste", ["paste.test"])]}
        prod = {"name": "prod", "rules": [allow(domains=["origin.test", "paste.test"])]}
        self.start_stack(guard, prod, names=["guardrails", "prod"])
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin)))
        for name, policy, rule in (("paste.test", "guardrails", "no-paste"), ("third.test", "prod", "otherwise")):
            client = self.client()
            line = self.assert_refused(client, client.get(self.url(origin, name=name)), "policy_denied", rule=rule)
            self.assertEqual(line["policy"], policy)

    def test_P15_nothing_is_allowed_by_a_policy_without_rules(self):
        self.start_stack({"name": "empty"}, names=["empty"])
        origin = self.origin()
        client = self.client()
        self.assert_refused(client, client.get(self.url(origin)), "policy_denied")
        self.assertEqual(origin.connections, [])

    def test_P15_nothing_is_allowed_by_policies_that_all_abstain(self):
        self.start_stack({"name": "guard", "otherwise": "ABSTAIN", "rules": [deny("no-paste", ["paste.test"])]},
                         names=["guard"])
        client = self.client()
        self.assert_refused(client, client.get(self.url(self.origin())), "policy_denied")

    def test_P13_an_audited_rule_changes_no_verdict_and_is_logged(self):
        self.start(deny("would-close", ["origin.test"], mode="AUDIT"), allow())
        origin = self.origin()
        client = self.client()
        self.assert_ok(client.get(self.url(origin)))
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["decision"], line["rule"]), ("allow", "local"))
        self.assertIn("would_deny", line["audit"])
        self.assertIn("would-close", line["audit"])
        self.assert_ok(self.client().get(self.url(origin, name="second.test")))

    def test_D17_without_ports_a_rule_allows_the_webs_alone(self):
        self.start({"name": "web", "action": "ALLOW", "to": {"domains": ["origin.test"]}, "reaches_private": LOOPBACK})
        for port in (21, 22, 25, 81, 445, 3306, 6379, 8080, 8443):
            with self.subTest(port):
                client = self.client()
                response = client.ask(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (port, port),
                                      method="GET")
                self.assertEqual(self.assert_refused(client, response, "policy_denied")["rule"], "otherwise")
                client = self.client()
                self.assert_refused(client, client.get("http://origin.test:%d/" % port), "policy_denied")
        for port in (80, 443):  # nobody may listen there, but the policy agrees
            client = self.client()
            client.connect("origin.test:%d" % port)
            client.close()
            self.assertEqual(self.egret.one_line(source=client.local)["rule"], "web")

    def told_with(self, **connection):
        """What a client that policy denies and one that the address guard refuses are told; and their log lines."""
        config = proxy_config([deny(message="Ask the owl."), allow(domains=["origin.test"])])
        del config["policies"][0]["rules"][1]["reaches_private"]
        config["listeners"][0]["filters"][0]["http_connection"].update(connection)
        self.start_config(config, {"denied.test": ["127.0.0.1"], "origin.test": ["127.0.0.1"]})
        answers = []
        for name, detail in (("denied.test", "policy_denied"), ("origin.test", "address_prohibited")):
            client = self.client()
            response = client.get("http://%s/" % name)
            line = self.egret.one_line(source=client.local)
            self.assertEqual((response.status, line["detail"]), (403, detail))
            self.assertIn(line["request_id"], response.text())
            self.assertIn(line["request_id"], response.header("proxy-status"))
            answers.append((response.header("proxy-status") + response.text()).replace(line["request_id"], ""))
        self.egret.stop()
        return answers

    def test_the_refused_are_told_the_rule_or_less_or_more(self):
        denied, guarded = self.told_with()
        for word in ("rule closed of policy web", "Ask the owl.", "policy=web rule=closed"):
            self.assertIn(word, denied)
        self.assertNotIn("reason", denied)
        self.assertIn("destination_ip_prohibited", guarded)
        denied, guarded = self.told_with(denial_detail="FULL")
        self.assertIn("(stage target, reason rule)", denied)
        self.assertIn("reason=rule", denied)
        self.assertIn("stage address", guarded)
        denied, guarded = self.told_with(denial_detail="NONE")
        self.assertEqual(re.sub(r"egret-[0-9a-f]+", "", denied), re.sub(r"egret-[0-9a-f]+", "", guarded))
        for word in ("rule", "owl", "web", "closed", "address", "reason"):
            self.assertNotIn(word, denied)

    def test_P16_response_log_and_metric_name_the_same_rule(self):
        self.start(deny("one", ["denied.test"]), deny("two", ["second.test"]), allow())
        origin = self.origin()
        wanted = {"denied.test": ("one", 403, 7), "second.test": ("two", 403, 5), "origin.test": ("local", 200, 3)}
        for name, (rule, status, times) in wanted.items():
            for _ in range(times):
                client = self.client()
                response = client.get(self.url(origin, name=name))
                line = self.egret.one_line(source=client.local)
                self.assertEqual((response.status, line["rule"]), (status, rule))
        metrics = self.egret.metrics()
        for rule, status, times in wanted.values():
            series = [v for k, v in metrics.items() if "decision" in k and 'rule="%s"' % rule in k]
            self.assertEqual(sum(series), times, (rule, metrics))

    def test_a_rule_for_a_source_is_for_that_source(self):
        rule = allow()
        rule["from"] = {"cidrs": ["127.0.0.2/32"]}
        self.start(rule)
        origin = self.origin()
        client = self.client()
        self.assert_refused(client, client.get(self.url(origin)), "policy_denied")

    def test_resolved_ranges_are_judged_on_what_the_name_became(self):
        rule = {"name": "near", "action": "ALLOW", "reaches_private": LOOPBACK,
                "to": {"domains": ["*.test"], "port_ranges": ANY_PORT, "resolved_cidrs": ["127.0.0.1/32"]}}
        self.start(rule, hosts={"near.test": ["127.0.0.1"], "far.test": ["127.0.0.9"],
                                "both.test": ["127.0.0.1", "127.0.0.9"]})
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin, name="near.test")))
        for name in ("far.test", "both.test"):
            client = self.client()
            self.assertEqual(client.get(self.url(origin, name=name)).status, 403)
            self.assertEqual(self.egret.one_line(source=client.local)["decision"], "deny")
