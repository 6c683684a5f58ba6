"""The access log and the metrics tell the truth: rows O01, O02, O04, O06, O07, S01 and S05 of the catalogue."""
import json
import os
import threading

from harness import ProxyCase, allow, deny
from origins import echo, reply
from raw_client import RawClient
from waiting import until


class Log(ProxyCase):
    def test_O06_each_line_is_one_json_object_whatever_peers_send(self):
        self.start()
        origin = self.origin()
        agents = [b"plain", b"quote\"backslash\\", b"\xff\xfe\xc0\x80 not utf-8", b"tab\there",
                  b"\xe2\x80\xa8 line separator", b"</script>", b"{\"event\":\"end\"}", b"%n%s%d", b"\xf0\x9f\xa6\x89",
                  b"a" * 5000]
        clients = []
        for agent in agents:
            client = self.client()
            self.assert_ok(client.ask(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\nUser-Agent: %s\r\n\r\n"
                                      % (self.url(origin, "/a%22b").encode(), origin.port, agent)))
            clients.append(client)
        for junk in (b"GET http://origin.test/\"\\ HTTP/1.1\r\nHost: \"\r\n\r\n", b"\x1b[31m\x07\r\n\r\n",
                     b"\xff" * 50 + b"\r\n\r\n", b"CONNECT \"},{\":1 HTTP/1.1\r\n\r\n"):
            client = self.client()
            client.ask(junk, method="GET")
            clients.append(client)
        for client in clients:
            self.egret.one_line(source=client.local)
        with open(self.egret.log_path, "rb") as f:
            data = f.read()
        lines = data.split(b"\n")
        self.assertEqual(lines.pop(), b"")
        self.assertEqual(len(lines), len(clients))
        for line in lines:
            self.assertIsInstance(json.loads(line.decode("utf-8")), dict)
            self.assertFalse(any(byte < 0x20 or byte == 0x7F for byte in line), line)

    def test_O02_bytes_are_those_on_the_wire(self):
        self.start()
        body = os.urandom(50000)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + os.urandom(70000)
        origin = self.origin(reply(answer))
        client = self.client()
        request = b"POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nContent-Length: %d\r\n\r\n" % (
            self.url(origin).encode(), origin.port, len(body)) + body
        client.ask(request)
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["received_bytes"], line["sent_bytes"]), (len(request), len(client.reader.received)))
        client = self.tunnel(self.origin(echo))
        data = b"\0" + os.urandom(40000)
        client.send(data)
        client.reader.exactly(len(data))
        client.fin()
        client.end()
        line = self.egret.one_line(source=client.local)
        sent = len(client.reader.received)
        self.assertIn(line["sent_bytes"], (sent, len(data)))  # with the head of the 200, or the tunnel's own alone
        self.assertGreaterEqual(line["received_bytes"], len(data))

    def test_O01_clients_log_metrics_and_origin_agree(self):
        self.start()
        origin = self.origin()
        seen = {200: 0, 403: 0}
        lock = threading.Lock()

        def load(worker):
            client = RawClient(self.egret.address)
            for n in range(50):
                name = "denied.test" if (worker + n) % 3 == 0 else "origin.test"
                status = client.get("http://%s:%d/" % (name, origin.port)).status
                with lock:
                    seen[status] += 1
            client.close()
        threads = [threading.Thread(target=load, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(seen.values()), 400)
        self.assertEqual(len(origin.requests), seen[200])
        lines = self.egret.log_lines(400)
        self.assertEqual({s: len([x for x in lines if x["status"] == s]) for s in seen}, seen)
        self.assertEqual(len({line["request_id"] for line in lines}), 400)
        metrics = self.egret.metrics()
        for rule, status in (("local", 200), ("closed", 403)):
            total = sum(v for k, v in metrics.items() if "decision" in k and 'rule="%s"' % rule in k)
            self.assertEqual(total, seen[status], metrics)

    def active(self):
        return {k: v for k, v in self.egret.metrics().items() if k.split("{")[0].endswith("_active")}

    def test_O04_gauges_return_to_zero(self):
        self.start()
        busy = self.active()
        origin = self.origin(echo)
        tunnels = [self.tunnel(origin) for _ in range(20)]
        for client in tunnels:
            client.send(b"\0")
            client.reader.exactly(1)
        self.assertNotEqual(self.active(), busy)
        for client in tunnels[:10]:
            client.close()
        for client in tunnels[10:]:
            client.reset()
        until(lambda: self.active() == busy, lambda: "the gauges of before, %r, not %r" % (busy, self.active()))

    def test_O07_what_clients_choose_makes_no_series(self):
        self.start(allow(), hosts={"n%d.test" % n: ["127.0.0.1"] for n in range(100)})
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin, name="n0.test")))
        self.client().get("http://unknown0.test/x")
        before = len(self.egret.metrics())
        for n in range(1, 100):
            self.assert_ok(self.client().get(self.url(origin, "/%d" % n, name="n%d.test" % n), "User-Agent: a%d" % n))
        self.assertLessEqual(len(self.egret.metrics()), before + 5)

    def test_S01_S05_secrets_of_clients_are_nowhere(self):
        self.start(deny(), allow(), filters=[
            {"egress_policy": {"policy": "web"}},
            {"header_rewrite": {"request": [{"set": {"name": "x-token", "value": "canary8"}}]}}, {"forward_router": {}}])
        origin = self.origin()
        for name in ("origin.test", "denied.test"):
            self.client().get(self.url(origin, "/path?token=canary1", name=name), "Authorization: Bearer canary2",
                              "Cookie: a=canary3", "Proxy-Authorization: Basic canary4", "X-Api-Key: canary5")
        self.client().get("http://user:canary6@origin.test:%d/" % origin.port)
        self.client().ask(b"CONNECT user:canary7@origin.test:443 HTTP/1.1\r\nHost: x\r\n\r\n", method="GET")
        self.egret.log_lines(4)
        with open(self.egret.log_path) as f:
            everything = f.read()
        everything += self.egret.stderr() + self.egret.get("/config_dump")[1] + self.egret.get("/stats/prometheus")[1]
        self.assertNotIn("canary", everything)
