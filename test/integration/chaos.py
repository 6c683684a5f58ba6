"""Clients and origins that break off anywhere. Nothing can be asked of a single exchange of theirs."""
import random
import time

from origins import OK
from raw_client import RawClient


def unreliable(connection):
    """Answers like an origin that is sometimes good."""
    chance = random.Random(connection.index)
    while connection.read_head() is not None:
        x = chance.random()
        if x < 0.1:
            return connection.reset()
        if x < 0.2:
            return connection.close()
        if x < 0.3:
            return connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part")
        if x < 0.4:
            connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * chance.randint(1, 20))
        if x < 0.5:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 2000
                            + chance.choice((b"0\r\n\r\n", b"zz")))
        elif x < 0.55:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nand more")
        else:
            connection.send(OK)
    return None


def unreliable_echo(connection):
    chance = random.Random(connection.index)
    while connection.reader.more():
        connection.send(connection.reader.rest())
        if chance.random() < 0.05:
            return connection.reset()
        if chance.random() < 0.05:
            connection.fin()
            connection.wait_end()
    return None


class Client:
    def __init__(self, seed, proxy, origin, echo, name=b"origin.test"):
        self.chance = random.Random(seed)
        self.proxy = proxy
        self.web, self.tunnels = (b"%s:%d" % (name, o.port) for o in (origin, echo))
        self.served = 0

    def run(self, deadline):
        while time.monotonic() < deadline:
            client = RawClient(self.proxy)
            client.sock.settimeout(1)
            try:
                self.chance.choice((self.ask, self.tunnel))(client)
                self.chance.choice((client.reset, client.close, client.fin))()
            except (OSError, ValueError):  # the other side broke off, or said nonsense
                pass
            client.close()
            self.served += 1

    def ask(self, client):
        get = b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n" % (self.web, self.web)
        post = get.replace(b"GET", b"POST")
        requests = (get + b"\r\n", post + b"Content-Length: 9\r\n\r\n123456789",
                    post + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                    post + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                    post + b"Content-Length: 900000\r\n\r\n" + b"x" * 100000)
        for _ in range(self.chance.randint(1, 5)):
            request = self.chance.choice(requests) * self.chance.choice((1, 1, 3))
            if self.chance.random() < 0.2:
                request = request[:self.chance.randint(0, len(request))]
            client.send(request)
            if self.chance.random() < 0.2:
                return
            client.read_response()

    def tunnel(self, client):
        early = b"\0early" if self.chance.random() < 0.3 else b""
        client.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (self.tunnels, self.tunnels) + early)
        if self.chance.random() < 0.1:
            return
        client.read_response("CONNECT")
        for _ in range(self.chance.randint(0, 20)):
            client.send(b"\0" * self.chance.choice((1, 100, 70000)))
