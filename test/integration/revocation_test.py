"""What is open is judged again when policies change and when a rule's window ends: row P08 of the catalogue, for tunnels,
upgraded connections and requests in flight."""
import datetime
import selectors
import socket
import threading
import time
import unittest

from h2_client import H2Client
from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from load import Load
from mitm_case import INSPECTED, MitmCase
from origins import OK, echo, swallow
from reload_case import Reloading
from tls_hello import client_hello, records
from waiting import until
from ws import SAMPLE_KEY, switches

REVOKED = {"detail": "policy_revoked", "kind": "tunnel", "event": "end"}
ASK_TO_SWITCH = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: " + SAMPLE_KEY]


def first(*rules):
    """A change of the configuration: these rules come before the others."""
    def change(config):
        config["policies"][0]["rules"][:0] = rules
    return change


def in_clear(name, **http):
    """Denies such requests."""
    return {"name": name, "action": "DENY", "to": {"protocols": ["HTTP"]}, "http": http}


def hence(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Holding:
    """An origin that accepts and says nothing, with one thread for all of its connections."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.held = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                self.held.append(self.listener.accept()[0])
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.held:
            sock.close()


class Revocations(Reloading, ProxyCase):
    def begin(self, rules=None, **top):
        self.start_config(proxy_config(rules or [allow()], **{"revocation_grace": "1s", **top}), HOSTS)
        self.config = self.read_config()

    def relayed(self, origin, name="origin.test"):
        client = self.tunnel(origin, name)
        self.assert_lives(client)
        return client

    def assert_lives(self, client):
        client.send(b"\0there")
        self.assertEqual(client.reader.exactly(6), b"\0there")

    def test_P08_a_tunnel_that_is_denied_now_is_reset_and_no_other(self):
        self.begin()
        origin = self.origin(echo)
        gone, kept = self.relayed(origin), self.relayed(origin, "second.test")
        self.reload(first(deny("shut", ["origin.test"])))
        self.assertEqual(gone.end(), "rst")
        self.egret.one_line(source=gone.local, rule="shut", close_reason="policy_revoked", **REVOKED)
        self.assert_lives(kept)
        self.assertEqual(self.egret.metric("egret_failures_total", detail="policy_revoked"), 1)

    def test_P08_loosening_and_audit_end_nothing(self):
        self.begin()
        client = self.relayed(self.origin(echo))
        self.reload(first(allow("more", ["*.more.test"])))
        self.assert_lives(client)
        self.reload(first(deny("watched", ["origin.test"], mode="AUDIT")))
        self.assert_lives(client)
        # Judged by now, both times: what a third policy ends comes after them.
        other = self.relayed(self.origin(echo), "second.test")
        self.reload(lambda config: config["policies"].__setitem__(0, {"name": "web", "rules": [
            allow("still", ["origin.test"])]}))
        self.assertEqual(other.end(), "rst")
        self.assert_lives(client)
        self.assertEqual(self.egret.metric("egret_failures_total", detail="policy_revoked"), 1)

    def test_P08_over_HTTP2_only_the_stream_ends(self):
        self.begin()
        origin, plain = self.origin(echo), self.origin()
        client = H2Client(self.egret.address)
        self.addCleanup(client.close)
        numbers = {name: client.connect("%s:%d" % (name, origin.port)) for name in ("origin.test", "second.test")}
        for number in numbers.values():
            client.head(number)
            client.send(number, b"\0there")
            client.body(number, 6)
        self.reload(first(deny("shut", ["origin.test"])))
        gone = client.streams[numbers["origin.test"]]
        self.assertTrue(client.until(lambda: gone.over))
        self.assertIsNotNone(gone.reset)
        kept = numbers["second.test"]
        client.send(kept, b"more")
        client.body(kept, 10)
        self.assertEqual(client.response(client.get("second.test:%d" % plain.port)).status, 200)

    def test_P08_a_WebSocket_is_judged_on_what_its_request_said(self):
        self.begin()
        origin = self.origin(switches())
        clients = {}
        for path in ("/gone", "/kept"):
            clients[path] = self.client()
            self.assertEqual(clients[path].get(self.url(origin, path), "X-Team: " + path, *ASK_TO_SWITCH).status, 101)
        self.reload(first(in_clear("shut", paths=["/gone"])))
        self.assertEqual(clients["/gone"].end(), "rst")
        self.egret.one_line(source=clients["/gone"].local, rule="shut", carries="websocket", **REVOKED)
        clients["/kept"].send(b"there")
        self.assertEqual(clients["/kept"].reader.exactly(5), b"THERE")
        self.reload(first(in_clear("team", headers=[{"name": "x-team", "values": ["/kept"]}])))
        self.assertEqual(clients["/kept"].end(), "rst")

    def test_P08_a_request_that_waits_is_told(self):
        self.begin()
        origin = self.origin(swallow)
        client = self.client()
        client.send(("GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin), origin.port)).encode())
        until(lambda: b"\r\n\r\n" in origin.received, "the request to be with the origin")
        self.reload(first(deny("shut", ["origin.test"])))
        answer = client.read_response()
        self.assertEqual((answer.status, client.end()), (403, "fin"))
        self.assertIn("policy_revoked", answer.header("proxy-status"))
        self.egret.one_line(source=client.local, rule="shut", detail="policy_revoked", status=403)

    def test_P08_a_rules_window_ends_what_it_allowed(self):
        self.begin([allow("while", ["origin.test"], not_after=hence(3)), allow("always", ["second.test"])])
        origin = self.origin(echo)
        gone, kept = self.relayed(origin), self.relayed(origin, "second.test")
        self.assertEqual(gone.end(), "rst")
        self.egret.one_line(source=gone.local, rule="otherwise", **REVOKED)
        self.assert_lives(kept)

    def test_P08_thousands_of_tunnels_end_within_the_grace_and_others_do_not_notice(self):
        self.begin(revocation_grace="4s")
        origin, holding = self.origin(), Holding()
        self.addCleanup(holding.close)
        clients = []
        for _ in range(2000):
            client = self.client()
            self.assertEqual(client.connect("second.test:%d" % holding.port).status, 200)
            client.send(b"\0")
            clients.append(client)
        until(lambda: self.egret.metric("egret_tunnels_active") == 2000, "the tunnels to be open")
        load = Load(self.egret.address, self.url(origin))
        self.addCleanup(load.stop)
        load.wait_served(100)
        begun = time.monotonic()
        self.reload(first(deny("shut", ["second.test"])))
        spread = self.watch_end(clients, begun)
        load.wait_served(100)
        self.assertEqual(load.stop(), [])
        print("2000 tunnels ended from %.2f s to %.2f s after the change" % spread, flush=True)
        self.assertEqual(self.egret.metric("egret_failures_total", detail="policy_revoked"), 2000)

    def watch_end(self, clients, begun):
        """Seconds until the first and until the last of them has ended."""
        watched = selectors.DefaultSelector()
        for client in clients:
            watched.register(client.sock, selectors.EVENT_READ, client)
        ends = []
        while watched.get_map():
            ready = watched.select(60)
            self.assertTrue(ready, "%d tunnels have not ended" % len(watched.get_map()))
            for key, _ in ready:
                watched.unregister(key.fileobj)
                ends.append(time.monotonic() - begun)
        for client in clients:
            self.assertEqual(client.end(), "rst")
        return ends[0], ends[-1]


class Inspected(Reloading, MitmCase):
    def begin(self, *rules):
        self.start_mitm(*rules, top={"revocation_grace": "1s"})
        self.config = self.read_config()

    def test_P08_what_is_relayed_and_only_to_be_read_by_now_is_ended(self):
        self.begin(allow("plain"))
        client = self.tunnel(self.origin(swallow))
        client.send(records(client_hello("origin.test")))
        self.egret.log_lines(1, source=client.local, event="open")
        until(lambda: self.egret.metric("egret_policy_decisions_total", rule="plain", stage="hello") == 1, "the verdict")

        def inspect(config):
            config["policies"][0]["rules"] = [INSPECTED]
        self.reload(inspect)
        self.assertEqual(client.end(), "rst")
        self.egret.one_line(source=client.local, event="end", detail="inspection_now_required", rule="inspected")

    def test_P08_inside_an_inspected_tunnel_requests_are_judged_and_the_tunnel_is_kept(self):
        self.begin(INSPECTED)
        proceed = threading.Event()

        def slow(connection):
            while request := connection.read_request():
                if request.start_line.split()[1] == "/slow":
                    proceed.wait(60)
                connection.send(OK)
        origin = self.tls_origin(slow, alpn=("http/1.1",))
        self.addCleanup(proceed.set)
        kept, asking = self.inside(origin), self.inside(origin)
        self.assertEqual(self.get_inside(kept, origin).status, 200)
        asking.send(("GET /slow HTTP/1.1\r\nHost: %s\r\n\r\n" % self.authority_of(origin)).encode())
        until(lambda: any("/slow" in request.start_line for request in origin.requests), "the request to be there")
        self.reload(first(deny("slow", None, http={"paths": ["/slow"]})))
        answer = asking.read_response()
        self.assertEqual(answer.status, 403)
        self.egret.one_line(kind="request", path="/slow", rule="slow", detail="policy_revoked")
        self.assertEqual(self.get_inside(kept, origin).status, 200)
        self.reload(first(deny("shut", ["origin.test"])))
        self.assertNotEqual(kept.end(), None)
        self.egret.one_line(source=kept.local, rule="shut", **REVOKED)


if __name__ == "__main__":
    unittest.main()
