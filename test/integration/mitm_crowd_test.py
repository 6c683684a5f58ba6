"""Row R18: eight thousand connections at once, of every kind, on two workers; fewer where the system grants fewer
descriptors. All of them are served, a new one is too, and when they go everything goes."""
import asyncio
import multiprocessing
import random
import resource
import unittest

from harness import SANITIZED, allow
from mitm_case import INSPECTED, SECRET, MitmCase
from origins import OK
from raw_client import RawClient
from tls_origin import server_context
from waiting import until

CROWD = 800 if SANITIZED else 8000
MOST_KIB_EACH = 24  # of a connection, on average: an inspected one has TLS on two sides


async def answer(reader, writer):
    """Gives back what begins with a NUL, and answers requests."""
    try:
        said = b""
        while piece := await reader.read(4096):
            said += piece
            if said[:1] == b"\0":
                writer.write(said)
                said = b""
            while b"\r\n\r\n" in said:
                said = said.partition(b"\r\n\r\n")[2]
                writer.write(OK)
    except OSError:
        pass
    writer.close()


def serve(pipe, pair):
    """A process of its own, which has descriptors of its own."""
    async def main():
        servers = [await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, backlog=1024)
                   for context in (None, server_context(pair, ("http/1.1",)))]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.gather(*(server.serve_forever() for server in servers))
    asyncio.run(main())


class Crowd(MitmCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.count = min(CROWD, int(hard * 0.4))  # the proxy has two for most of them
        ours, theirs = multiprocessing.Pipe()
        self.site = multiprocessing.get_context("fork").Process(target=serve, args=(theirs, self.pair), daemon=True)
        self.site.start()
        self.addCleanup(self.site.join)
        self.addCleanup(self.site.kill)
        self.clear, self.secure = ours.recv()
        self.start_mitm(SECRET, allow("open", domains=["second.test"], protocols=["OTHER"]), INSPECTED)
        self.context = self.client_context(("http/1.1",))

    def start_config(self, config, hosts=None):
        config["workers"] = 2
        return super().start_config(config, hosts)

    # --- Each kind: how it begins, and what it says again and again.

    def plain(self):
        client = RawClient(self.egret.address)
        return client, lambda: client.get("http://origin.test:%d/" % self.clear).body

    def opaque(self):
        client = RawClient(self.egret.address)
        self.assertEqual(client.connect("second.test:%d" % self.clear).status, 200)

        def say():
            client.send(b"\0ok")
            return client.reader.exactly(3)[1:]
        return client, say

    def clear_inside(self):
        client = RawClient(self.egret.address)
        self.assertEqual(client.connect("origin.test:%d" % self.clear).status, 200)
        return client, lambda: self.ask(client, self.clear)

    def decrypted(self):
        client = RawClient(self.egret.address)
        self.assertEqual(client.connect("origin.test:%d" % self.secure).status, 200)
        client.sock = self.context.wrap_socket(client.sock, server_hostname="origin.test")
        client.reader.sock = client.sock
        return client, lambda: self.ask(client, self.secure)

    @staticmethod
    def ask(client, port):
        response = client.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % port)
        return response.body if response.status == 200 else response

    def test_R18_thousands_of_connections_of_every_kind(self):
        kinds = (self.plain, self.opaque, self.clear_inside, self.decrypted)
        before, descriptors = self.egret.resident_kib(), self.egret.descriptors()
        crowd = []
        for n in range(self.count):
            client, say = kinds[n % len(kinds)]()
            self.addCleanup(client.close)
            self.assertEqual(say(), b"ok")
            crowd.append((client, say))
        self.assertEqual(self.egret.metric("egret_client_connections_active"), self.count)
        each = (self.egret.resident_kib() - before) / self.count
        print("%d connections, %.1f KiB each" % (self.count, each))
        if not SANITIZED:
            self.assertLess(each, MOST_KIB_EACH)
        for _, say in random.sample(crowd, self.count // 4):
            self.assertEqual(say(), b"ok")
        for kind in kinds:
            client, say = kind()
            self.assertEqual(say(), b"ok")
            client.close()
        for client, _ in crowd:
            client.close()
        until(lambda: self.egret.metric("egret_client_connections_active") == 0, "all to be gone")
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "all tunnels to be gone")
        pool = self.egret.metric("egret_upstream_pool_connections")
        self.assertLessEqual(self.egret.descriptors() - descriptors, pool + 8)
        self.assertEqual(self.egret.metric("egret_failures_total"), 0)


if __name__ == "__main__":
    unittest.main()
