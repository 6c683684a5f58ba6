"""The TestCase of all integration tests: starts the proxy with a policy for origins of this machine, gives clients,
and checks refusals the same way everywhere. What it starts it ends; if a test fails it shows what the proxy said."""
import os
import shutil
import unittest

from dns_server import DnsServer
from egret import Egret
from origins import RecorderOrigin, ScriptedOrigin
from raw_client import RawClient

# What a detail of the log means to the client: HTTP status and RFC 9209 error type.
REFUSALS = {
    "http1.malformed": (400, "http_request_error"),
    "http1.invalid_character": (400, "http_request_error"),
    "http1.folded_field": (400, "http_request_error"),
    "http1.space_before_colon": (400, "http_request_error"),
    "http1.conflicting_framing": (400, "http_request_error"),
    "http1.invalid_content_length": (400, "http_request_error"),
    "http1.invalid_transfer_encoding": (400, "http_request_error"),
    "http1.unknown_transfer_coding": (501, "http_request_error"),
    "http1.unsupported_version": (505, "http_request_error"),
    "http1.unknown_method": (501, "http_request_error"),
    "http1.invalid_target": (400, "http_request_error"),
    "http1.not_a_proxy_request": (400, "http_request_error"),
    "http1.unsupported_scheme": (501, "http_request_error"),
    "https_in_clear": (403, "http_request_denied"),
    "http1.invalid_host": (400, "http_request_error"),
    "http1.host_mismatch": (400, "http_request_error"),
    "http1.invalid_connect_target": (400, "http_request_error"),
    "http1.connect_with_body": (400, "http_request_error"),
    "http1.invalid_connection_field": (400, "http_request_error"),
    "http1.headers_too_large": (431, "http_request_error"),
    "http1.too_many_fields": (431, "http_request_error"),
    "http1.uri_too_long": (414, "http_request_error"),
    "http1.invalid_chunk": (400, "http_request_error"),
    "http1.invalid_trailer": (400, "http_request_error"),
    "http1.unknown_expectation": (417, "http_request_error"),
    "http2.not_served": (400, "http_request_error"),
    "client_header_timeout": (408, "http_request_error"),
    "client_body_timeout": (408, "http_request_error"),
    "upstream_header_timeout": (504, "http_response_timeout"),
    "request_timeout": (504, "http_response_timeout"),
    "policy_denied": (403, "http_request_denied"),
    "credential_misplaced": (403, "http_request_denied"),
    "credential_foreign": (403, "http_request_denied"),
    "credential_unsigned": (403, "http_request_denied"),
    "address_prohibited": (403, "destination_ip_prohibited"),
    "sni_missing": (403, "http_request_denied"),
    "sni_malformed": (403, "http_request_denied"),
    "sni_mismatch": (403, "http_request_denied"),
    "sni_address_mismatch": (403, "http_request_denied"),
    "ech_outer_name": (403, "http_request_denied"),
    "misdirected": (421, "http_request_denied"),
    "proxy_loop": (502, "proxy_loop_detected"),
    "dns_timeout": (504, "dns_timeout"),
    "dns_failure": (502, "dns_error"),
    "dns_not_found": (502, "dns_error"),
    "dns_no_address": (502, "dns_error"),
    "connection_refused": (502, "connection_refused"),
    "connection_timeout": (504, "connection_timeout"),
    "destination_unreachable": (502, "destination_ip_unroutable"),
    "connection_prohibited": (502, "destination_ip_unroutable"),
    "upstream_closed": (502, "connection_terminated"),
    "upstream_reset": (502, "connection_terminated"),
    "upstream_malformed": (502, "http_protocol_error"),
    "upstream_conflicting_framing": (502, "http_protocol_error"),
    "upstream_headers_too_large": (502, "http_response_header_section_size"),
    "upstream_too_many_interim": (502, "http_protocol_error"),
    "upstream_unasked_101": (502, "http_upgrade_failed"),
    "upstream_unasked_407": (502, "http_protocol_error"),
    "upstream_bad_upgrade": (502, "http_upgrade_failed"),
}

ANY_PORT = [{"first": 1, "last": 65535}]
LOOPBACK = ["127.0.0.0/8"]
SANITIZED = any("log_path=" in os.environ.get(name, "") for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"))


def allow(name="local", domains=("origin.test", "*.test"), protocols=("TLS", "HTTP", "OTHER"), **more):
    """A rule that lets names reach origins of this machine, on any port."""
    to = {"domains": list(domains), "port_ranges": ANY_PORT, "protocols": list(protocols)}
    return {"name": name, "action": "ALLOW", "to": to, "reaches_private": LOOPBACK, **more}


def deny(name="closed", domains=("denied.test",), **more):
    return {"name": name, "action": "DENY", "to": {"domains": list(domains)} if domains else {}, **more}


HOSTS = {name: ["127.0.0.1"] for name in ("origin.test", "second.test", "denied.test", "www.origin.test")}


def proxy_config(rules, filters=None, **top):
    """The smallest explicit proxy with these rules; `top` adds to the file's top level."""
    filters = filters or [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}}, {"forward_router": {}}]
    return {
        "listeners": [{"name": "egress", "address": "127.0.0.1:0",
                       "filters": [{"http_connection": {"filters": filters}}]}],
        "policies": [{"name": "web", "rules": rules}],
        **top,
    }


class ProxyCase(unittest.TestCase):
    maxDiff = None
    egret = None

    def start(self, *rules, hosts=None, dns=None, filters=None, **top):
        """The proxy with `rules` (by default: deny denied.test, allow *.test here). dns: {name: answers} of a DnsServer
        that it then asks; without it only the names of `hosts` exist. filters: the HTTP chain, if not the usual one."""
        if dns is not None:
            self.dns = DnsServer(dns)
            self.addCleanup(self.dns.close)
            top.setdefault("resolver", {}).setdefault("servers", [self.dns.address])
        hosts = HOSTS if hosts is None and dns is None else hosts or {}
        return self.start_config(proxy_config(list(rules) or [deny(), allow()], filters, **top), hosts)

    def start_config(self, config, hosts=None, arguments=(), says=None):
        self.egret = Egret(config, hosts, arguments, says)
        self.addCleanup(self._stop, self.egret)
        return self.egret

    def _stop(self, egret):
        outcome = getattr(self, "_outcome", None)
        try:
            egret.stop()
        except AssertionError as e:
            if outcome is not None and not outcome.success:  # the first failure is the one that matters
                print("and then: %s" % e, flush=True)
            else:
                raise
        finally:
            if outcome is not None and not outcome.success:
                print("--- egret's stderr:\n%s\n--- egret's log:\n%s" % (egret.stderr(), egret.log_text()), flush=True)
        shutil.rmtree(egret.folder, ignore_errors=True)

    def origin(self, *scripts, **where):
        """A ScriptedOrigin, or with no script one that records and says "ok"."""
        origin = ScriptedOrigin(*scripts, **where) if scripts else RecorderOrigin(**where)
        self.addCleanup(origin.close)
        return origin

    def client(self, address=None):
        client = RawClient(address or self.egret.address)
        self.addCleanup(client.close)
        return client

    def url(self, origin, path="/", name="origin.test"):
        return "http://%s:%d%s" % (name, origin.port, path)

    def tunnel(self, origin, name="origin.test"):
        """A client whose CONNECT to the origin was answered with 200."""
        client = self.client()
        response = client.connect("%s:%d" % (name, origin.port))
        self.assertEqual(response.status, 200, response)
        return client

    def assert_refused(self, client, response, detail, rule=None, closes=False, **match):
        """The client got the refusal that `detail` means, and exactly one log line (of this connection, and with what
        `match` says) tells the same. Gives that line."""
        status, error = REFUSALS[detail]
        self.assertIsNotNone(response, "no response; the log:\n" + self.egret.log_text())
        if closes:
            self.assertEqual(((response.header("connection") or "").lower(), client.end()), ("close", "fin"), response)
            client.close()
        line = self.egret.one_line(source=client.local, **match)
        self.assertEqual((response.status, line.get("detail")), (status, detail), "%r\n%s" % (response, line))
        self.assertEqual(line["status"], status)
        self.assert_reason_is_told(response, line, error, rule)
        return line

    def assert_reason_is_told(self, response, line, error, rule=None):
        told = response.header("proxy-status") or ""
        self.assertIn("error=" + error, told.replace('"', ""))
        self.assertIn(line["request_id"], told)
        self.assertTrue((response.header("content-type") or "").startswith("text/plain"), response)
        if rule is not None:
            self.assertEqual(line.get("rule"), rule)
            self.assertIn(rule, response.text() + told)

    def assert_ok(self, response, body=b"ok"):
        self.assertIsNotNone(response, "no response; the log:\n" + self.egret.log_text())
        self.assertEqual((response.status, response.body), (200, body), response)
