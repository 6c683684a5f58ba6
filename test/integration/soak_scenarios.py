"""What clients do in a soak, well-behaved and otherwise. Each scenario does one thing once, with a host name of its own, so
that the access log can be held against what the clients saw; it raises Unexpected where the proxy did not do its part."""
import collections
import socket
import threading
import time

from harness import HOSTS, allow, deny, proxy_config
from origins import OK, PassingOrigin, echo
from raw_client import RawClient

WORKERS = 2
LARGE_BYTES = 1 << 20
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES + b"x" * LARGE_BYTES
NAMES = ("keep", "upload", "large", "slow", "echo", "half", "bad", "dead", "abort", "chaos", "denied", "head")


class Unexpected(Exception):
    pass


def config(**top):
    """Policy, access log and metrics on; what is idle is let go soon, so that the end of a soak shows what stays."""
    filters = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}},
               {"forward_router": {"pool": {"idle_timeout": "2s"}}}]
    rules = [deny(), allow(), {"name": "machine", "action": "ALLOW", "reaches_private": ["127.0.0.0/8"], "to": {
        "cidrs": ["127.0.0.1/32"], "port_ranges": [{"first": 1024, "last": 65535}],
        "protocols": ["TLS", "HTTP", "OTHER"]}}]
    return proxy_config(rules, filters, workers=WORKERS, **top)


def hosts():
    return {**HOSTS, **{name + ".test": ["127.0.0.1"] for name in NAMES}}


# --- Origins.

def good(connection):
    while True:
        request = connection.read_request()
        if request is None:
            return
        connection.send(LARGE if request.target == "/large" else OK)
        connection.reader.forget()
        connection.requests.clear()


def bad(connection):
    """Ends as the path of the first request says."""
    request = connection.read_request()
    how = request.target if request is not None else ""
    if how == "/garbage":
        connection.send(b"ICY 200 OK\r\n\r\n")
    elif how == "/truncated":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part")
    elif how == "/late-reset":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 50000)
    if how in ("/reset", "/late-reset"):
        connection.reset()


def adds_up(connection):
    """Says how much it got, once it has got everything."""
    total = 0
    while connection.reader.more():
        total += len(connection.reader.rest())
        connection.reader.forget()
    connection.send(b"\0%d\n" % total)
    connection.fin()


def pours(connection):
    """Sends without end whatever comes, until the tunnel is broken."""
    if connection.reader.more():
        while True:
            connection.send(b"\0" * 65536)


class World:
    """Where the proxy and the origins are, and what the clients saw: (host, status) of requests, host of tunnels."""

    def __init__(self, address, secure, more_origins):
        self.address, self.secure = address, secure
        self.origins = {"good": PassingOrigin(good), "bad": PassingOrigin(bad), "echo": PassingOrigin(echo),
                        "half": PassingOrigin(adds_up), "pours": PassingOrigin(pours), **more_origins}
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.dead_port = s.getsockname()[1]
        self.lock = threading.Lock()
        self.requests, self.tunnels = collections.Counter(), collections.Counter()

    def url(self, host, path="/", origin="good"):
        return "http://%s:%d%s" % (host, self.origins[origin].port, path)

    def saw(self, host, response):
        with self.lock:
            self.requests[host, response.status] += 1

    def close(self):
        for origin in self.origins.values():
            origin.close()


def expect(what, got, wanted):
    if got != wanted:
        raise Unexpected("%s: %r instead of %r" % (what, got, wanted))


def answer(world, host, response, status, body=None):
    """Notes the response, and that it is what it must be."""
    if response is None:
        raise Unexpected("no response from " + host)
    world.saw(host, response)
    expect("status of " + host, response.status, status)
    if body is not None:
        expect("body of " + host, response.body, body)


def head_of(method, url):
    """Request line and Host; further fields and the empty line may follow."""
    return ("%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, url, url.split("/")[2])).encode()


class Scenario:
    """One client connection that is closed in any case."""

    def __init__(self, world, chance, **client):
        self.world, self.chance = world, chance
        self.client = RawClient(world.address, **client)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.close()

    def get(self, host, status=200, body=None, path="/", origin="good"):
        answer(self.world, host, self.client.get(self.world.url(host, path, origin)), status, body)

    def tunnel(self, host, origin):
        response = self.client.connect("%s:%d" % (host, self.world.origins[origin].port))
        if response is None:
            raise Unexpected("no response to CONNECT " + host)
        expect("status of CONNECT " + host, response.status, 200)
        with self.world.lock:
            self.world.tunnels[host] += 1


# --- Clients that do as they should: each operation has to succeed, or be refused as it must.

def keep_alive(world, chance):
    with Scenario(world, chance) as s:
        for _ in range(chance.randint(1, 100)):
            s.get("keep.test", body=b"ok")
            s.client.reader.forget()


def uploads(world, chance):
    with Scenario(world, chance) as s:
        head = head_of("POST", world.url("upload.test"))
        for _ in range(chance.randint(1, 5)):
            size = chance.choice((0, 1, 1000, 70_000, 400_000))
            framing, body = b"Content-Length: %d" % size, b"x" * size
            if chance.random() < 0.5:
                framing = b"Transfer-Encoding: chunked"
                body = (b"%x\r\n" % size + body + b"\r\n" if size else b"") + b"0\r\n\r\n"
            answer(world, "upload.test", s.client.ask(head + framing + b"\r\n\r\n" + body), 200, b"ok")


def downloads(world, chance):
    with Scenario(world, chance) as s:
        for _ in range(chance.randint(1, 3)):
            s.get("large.test", path="/large", body=LARGE[-LARGE_BYTES:])
            s.client.reader.forget()


def slow_reader(world, chance):
    url = world.url("slow.test", "/large")
    with Scenario(world, chance, receive_buffer=65536) as s:
        s.client.send(head_of("GET", url) + b"\r\n")
        for _ in range(chance.randint(5, 15)):  # less than there is: each reads 64 KiB at most
            time.sleep(0.05)
            s.client.reader.more()
        answer(world, "slow.test", s.client.read_response(), 200, LARGE[-LARGE_BYTES:])


def slow_writer(world, chance):
    url = world.url("slow.test")
    request = head_of("POST", url) + b"Content-Length: 300\r\n\r\n" + b"x" * 300
    with Scenario(world, chance) as s:
        for at in range(0, len(request), 20):
            s.client.send(request[at:at + 20])
            time.sleep(chance.random() * 0.02)
        answer(world, "slow.test", s.client.read_response(), 200, b"ok")


def tunnels(world, chance):
    with Scenario(world, chance) as s:
        s.tunnel("echo.test", "echo")
        for _ in range(chance.randint(1, 20)):
            data = b"\0" + bytes(chance.choice((1, 100, 5000, 30_000)))
            s.client.send(data)
            expect("echo", s.client.reader.exactly(len(data)), data)
            s.client.reader.forget()
        s.client.fin()
        expect("end of a tunnel", s.client.end(), "fin")


def half_closed(world, chance):
    with Scenario(world, chance) as s:
        s.tunnel("half.test", "half")
        size = chance.randint(1, 300_000)
        s.client.send(bytes(size))
        s.client.fin()
        expect("what a half-closed tunnel brought", s.client.reader.to_end(), b"\0%d\n" % size)


def refused(world, chance):
    with Scenario(world, chance) as s:
        s.get("denied.test", 403)
        s.get("unknown.test", 502)
        s.get("10.0.0.1", 403)
        answer(world, "denied.test", s.client.connect("denied.test:443"), 403)


def oversize_head(world, chance):
    with Scenario(world, chance) as s:
        response = s.client.get(world.url("head.test"), "X: " + "a" * 100_000)
        answer(world, "head.test", response, 431)


def nobody_there(world, chance):
    with Scenario(world, chance) as s:
        answer(world, "dead.test", s.client.get("http://dead.test:%d/" % world.dead_port), 502)
        response = s.client.connect("dead.test:%d" % world.dead_port)
        answer(world, "dead.test", response, 502)


def bad_origin(world, chance):
    with Scenario(world, chance) as s:
        how = chance.choice(("/reset", "/close", "/garbage", "/truncated", "/late-reset"))
        partial = how in ("/truncated", "/late-reset")
        s.get("bad.test", 200 if partial else 502, path=how, origin="bad")
        if partial:
            s.client.end()


# --- Clients that break off. What they got does not matter.

def opened_and_closed(world, chance):
    client = RawClient(world.address)
    chance.choice((client.close, client.reset))()


def aborted_request(world, chance):
    url = world.url("abort.test")
    request = head_of("POST", url) + b"Content-Length: 90000\r\n\r\n" + b"x" * 50_000
    with Scenario(world, chance) as s:
        s.client.send(request[:chance.choice((chance.randint(1, 100), len(request)))])
        s.client.reset()


def aborted_response(world, chance):
    url = world.url("abort.test", "/large")
    with Scenario(world, chance) as s:
        s.client.send(head_of("GET", url) + b"\r\n")
        s.client.reader.exactly(chance.randint(0, 100_000))
        chance.choice((s.client.reset, s.client.close))()


def aborted_tunnel(world, chance):
    with Scenario(world, chance) as s:
        s.client.connect("abort.test:%d" % world.origins["pours"].port)
        s.client.send_what_goes(bytes(chance.randint(1, 50_000)))
        s.client.reader.exactly(chance.randint(0, 500_000))
        chance.choice((s.client.reset, s.client.close))()


STRICT = (keep_alive, uploads, downloads, slow_reader, slow_writer, tunnels, half_closed, refused, oversize_head,
          nobody_there, bad_origin)
BREAKING_OFF = (opened_and_closed, aborted_request, aborted_response, aborted_tunnel)
