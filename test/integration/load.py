"""Load: clients that connect for each request and clients that keep their connection, each in a thread, until told to
stop; every failure is kept, with what the client had got by then."""
import random
import socket
import threading
import time

from raw_client import RawClient
from waiting import SECONDS, until


class Failed(Exception):
    """`got`: bytes of a response; `sent`: whether the request went out on a connection that had served others."""

    def __init__(self, what, got=0, reused=False):
        super().__init__("%s, %d bytes of a response%s" % (what, got, ", on a kept connection" if reused else ""))
        self.got, self.reused = got, reused


class Load:
    """`fresh` threads with a connection for each request, `kept` threads that keep theirs until the proxy says close
    (or, with obey=False, until it ends). `pause`: longest time between two requests of a kept connection."""

    def __init__(self, address, url, fresh=4, kept=4, pause=0.01, obey=True):
        self.address, self.url, self.pause, self.obey = address, url, pause, obey
        self.connecting = True  # new connections may be made
        self.stopping = False
        self.served, self.told, self.failures = 0, 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(turn,), daemon=True)
                        for turn in [self._fresh] * fresh + [self._kept] * kept + self.more_turns()]
        for thread in self.threads:
            thread.start()

    def more_turns(self):
        """Of kinds of clients that a derived class adds; each runs in a thread of its own."""
        return []

    def _run(self, turn):
        while not self.stopping and self.connecting:
            try:
                turn()
            except Failed as e:
                self.failures.append(e)
            except OSError as e:
                self.failures.append(Failed("connecting: %r" % e))
                time.sleep(0.01)  # a proxy that is gone is not asked ten thousand times

    def _ask(self, client, reused):
        before = len(client.reader.received)
        try:
            response = client.get(self.url)
        except (OSError, AssertionError) as e:
            raise Failed(repr(e), len(client.reader.received) - before, reused) from None
        got = len(client.reader.received) - before
        if response is None or response.status != 200 or response.body != b"ok":
            raise Failed("%r (%s)" % (response, client.reader.ended), got, reused)
        with self.lock:
            self.served += 1
        return response

    def _fresh(self):
        client = RawClient(self.address)
        try:
            self._ask(client, False)
        finally:
            client.close()

    def _kept(self):
        client = RawClient(self.address)
        try:
            reused = False
            while not self.stopping:
                response = self._ask(client, reused)
                reused = True
                if (response.header("connection") or "").lower() == "close":
                    with self.lock:
                        self.told += 1
                    if self.obey:
                        return
                time.sleep(random.random() * self.pause)  # what a client does between two requests
        finally:
            client.close()

    def wait_served(self, more):
        enough = self.served + more
        until(lambda: self.served >= enough or self.failures, "%d requests more" % more, SECONDS * 2)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(SECONDS)
        if any(thread.is_alive() for thread in self.threads):
            raise AssertionError("a client of the load hangs")
        return self.failures
