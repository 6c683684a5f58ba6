"""Load of all that a proxy port takes: requests on fresh and kept connections, HTTP/2, tunnels."""
import random
import socket
import time

from h2_client import H2Client
from load import Failed, Load
from raw_client import RawClient

REFUSED_STREAM = 7  # RFC 9113 8.7: as a stream beyond GOAWAY's last one, not looked at, and may be sent again
ROUNDS = 10


class MixedLoad(Load):
    """`streams` clients of HTTP/2, each with one request at a time on a connection that it keeps until GOAWAY; `tunnels`
    clients that open one, have ROUNDS KiB echoed by `echo` (host:port), and end it. `counts`: what was served."""

    def __init__(self, address, url, echo, streams=3, tunnels=3, **more):
        self.echo = echo
        self.kinds = [self._http2] * streams + [self._tunnel] * tunnels
        self.counts = {"http2": 0, "tunnel": 0}
        super().__init__(address, url, **more)

    def more_turns(self):
        return self.kinds

    def served_by_kind(self):
        counts = dict(self.counts)
        return {**counts, "http1": self.served - sum(counts.values())}

    def _count(self, kind):
        with self.lock:
            self.served += 1
            self.counts[kind] += 1

    def _http2(self):
        client = H2Client(self.address)
        try:
            while not self.stopping and not client.goaways:
                self._request(client)
                time.sleep(random.random() * self.pause)
        finally:
            client.close()

    def _request(self, client):
        authority = self.url.split("://")[1].split("/")[0]
        try:
            number = client.get(authority)
            heard = client.response(number)
        except OSError as e:
            raise Failed("HTTP/2: %r" % e) from None
        if heard.status == 200 and heard.body == b"ok" and heard.ended:
            return self._count("http2")
        unseen = heard.reset == REFUSED_STREAM or any(number > last for _, last in client.goaways)
        if heard.status is not None or not unseen:
            raise Failed("HTTP/2: %r, GOAWAY %r, %s" % (heard, client.goaways, client.closed))

    def _tunnel(self):
        client = RawClient(self.address)
        try:
            response = client.connect(self.echo)
            if response is None or response.status != 200:
                raise Failed("CONNECT: %r (%s)" % (response, client.reader.ended))
            for _ in range(ROUNDS):
                said = b"\0" + random.randbytes(1023)
                client.send(said)
                if client.reader.exactly(len(said)) != said:
                    raise Failed("tunnel: cut off (%s)" % client.reader.ended)
                time.sleep(random.random() * self.pause)
            client.sock.shutdown(socket.SHUT_WR)
            if client.end() != "fin":
                raise Failed("tunnel: reset after its end")
            self._count("tunnel")
        except AssertionError as e:
            raise Failed("tunnel: %r" % e) from None
        finally:
            client.close()
