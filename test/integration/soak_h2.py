"""What clients of HTTP/2 and of TLS do in a soak; as soak_scenarios.py, which does the same for HTTP/1 in clear."""
import os
import socket
import ssl

from authority import Authority
from h2.exceptions import ProtocolError
from h2_client import H2Client
from h2_origin import Peer
from origins import PassingOrigin
from raw_client import RawClient
from soak_scenarios import LARGE, LARGE_BYTES, answer, expect
from waiting import SECONDS

GRPC = ("content-type", "application/grpc")
NAMES = ("h2", "h2-up", "h2-large", "h2-echo", "grpc", "tls")


class Secure:
    """The listener with TLS: its part of the file, and how its clients come there."""

    def __init__(self, folder):
        authority = Authority(os.path.join(folder, "authority"), "soak")
        self.certificate, self.key = authority.issue("proxy", "DNS:proxy.test")
        self.ca = authority.ca
        self.address = None

    def configure(self, config):
        config["secrets"] = [{"name": "c", "certificate": {"certificate": {"file": self.certificate},
                                                           "key": {"file": self.key}}}]
        config["listeners"].append({"name": "secure", "address": "127.0.0.1:0", "filters": [
            {"tls_terminator": {"certificates": ["c"]}}, *config["listeners"][0]["filters"]]})
        return config

    def connect(self, alpn):
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols([alpn])
        return context.wrap_socket(socket.create_connection(self.address, SECONDS), server_hostname="proxy.test")


def peers(connection):
    """An origin that speaks HTTP/2, to whatever gRPC is asked of."""
    Peer(connection.sock).serve()


def origins():
    return {"h2": PassingOrigin(peers)}


class Connection:
    """One of HTTP/2, in clear or over TLS as chance has it; closed in any case."""

    def __init__(self, world, chance):
        self.world = world
        secure = chance.random() < 0.5
        self.client = H2Client(world.address, sock=world.secure.connect("h2") if secure else None)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.close()

    def authority(self, host, origin="good"):
        return "%s:%d" % (host, self.world.origins[origin].port)

    def finish(self, host, stream, status=200, body=None):
        answer(self.world, host, self.client.response(stream), status, body)


# --- Clients that do as they should.

def h2_side_by_side(world, chance):
    with Connection(world, chance) as c:
        for _ in range(chance.randint(1, 5)):
            streams = [c.client.get(c.authority("h2.test")) for _ in range(chance.randint(1, 30))]
            denied = c.client.get("denied.test:80")
            for stream in streams:
                c.finish("h2.test", stream, body=b"ok")
            c.finish("denied.test", denied, 403)


def h2_uploads(world, chance):
    with Connection(world, chance) as c:
        for _ in range(chance.randint(1, 4)):
            stream = c.client.get(c.authority("h2-up.test"), method="POST", end=False)
            c.client.send(stream, b"x" * chance.choice((0, 1, 1000, 70_000, 400_000)), end=True)
            c.finish("h2-up.test", stream, body=b"ok")


def h2_downloads(world, chance):
    with Connection(world, chance) as c:
        streams = [c.client.get(c.authority("h2-large.test"), "/large") for _ in range(chance.randint(1, 3))]
        for stream in streams:
            c.finish("h2-large.test", stream, body=LARGE[-LARGE_BYTES:])


def h2_tunnels(world, chance):
    with Connection(world, chance) as c:
        streams = [c.client.connect(c.authority("h2-echo.test", "echo")) for _ in range(chance.randint(1, 5))]
        for stream in streams:
            expect("status of CONNECT over HTTP/2", c.client.head(stream).status, 200)
            with world.lock:
                world.tunnels["h2-echo.test"] += 1
        data = b"\0" + bytes(chance.choice((1, 100, 5000, 30_000)))
        for stream in streams:
            c.client.send(stream, data)
        for stream in streams:
            expect("echo", c.client.body(stream, len(data)), data)
            c.client.send(stream, b"", end=True)
            expect("end of a tunnel", (c.client.response(stream).ended, c.client.streams[stream].reset), (True, None))


def h2_to_h2(world, chance):
    with Connection(world, chance) as c:
        streams = [c.client.get(c.authority("grpc.test", "h2"), "/call", GRPC) for _ in range(chance.randint(1, 20))]
        for stream in streams:
            c.finish("grpc.test", stream, body=b"ok")


def http1_over_tls(world, chance):
    client = RawClient(world.secure.address)
    try:
        client.sock.close()
        client.sock = client.reader.sock = world.secure.connect("http/1.1")
        for _ in range(chance.randint(1, 20)):
            answer(world, "tls.test", client.get(world.url("tls.test")), 200, b"ok")
            client.reader.forget()
    finally:
        client.close()


# --- Clients that break off.

def h2_broken_off(world, chance):
    with Connection(world, chance) as c:
        streams = [c.client.get(c.authority("abort.test"), "/large") for _ in range(chance.randint(1, 20))]
        try:
            c.client.body(streams[0], chance.randint(0, 100_000))
            for stream in chance.sample(streams, len(streams) // 2):
                c.client.reset(stream)
        except ProtocolError:  # it was over already
            pass
        chance.choice((c.client.kill, c.client.close))()


def h2_tunnel_broken_off(world, chance):
    with Connection(world, chance) as c:
        stream = c.client.connect(c.authority("abort.test", "pours"))
        if c.client.head(stream).status == 200:
            c.client.send(stream, b"\0")
            c.client.body(stream, chance.randint(1, 300_000))
        chance.choice((c.client.kill, c.client.close))()


def handshake_broken_off(world, chance):
    hello = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="proxy.test").do_handshake()
    except ssl.SSLWantReadError:
        pass
    said = hello.read()
    client = RawClient(world.secure.address)
    client.send(said[:chance.randint(1, len(said))])
    chance.choice((client.close, client.reset))()


STRICT = (h2_side_by_side, h2_uploads, h2_downloads, h2_tunnels, h2_to_h2, http1_over_tls)
BREAKING_OFF = (h2_broken_off, h2_tunnel_broken_off, handshake_broken_off)
