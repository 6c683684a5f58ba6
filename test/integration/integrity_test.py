"""Whole streams and nobody else's bytes: rows T01, T21, S03 and O05 of the catalogue."""
import hashlib
import os
import random
import socket
import threading
import time

from harness import SANITIZED, ProxyCase, allow, deny
from netns import NetnsCase, nft
from origins import OK, reply
from raw_client import LINGER_RESET, RawClient
from waiting import SECONDS, until

MIB = 1 << 20
BLOCK = random.Random(1).randbytes(MIB)


def send_blocks(sock, count, digest):
    """`count` MiB, of which no two are the same."""
    for n in range(count):
        block = n.to_bytes(8, "big") + BLOCK[8:]
        digest.update(block)
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)


def take_all(sock, digest, first):
    """`first`: what was read already."""
    digest.update(first)
    buffer, total = bytearray(MIB), len(first)
    while size := sock.recv_into(buffer):
        digest.update(memoryview(buffer)[:size])
        total += size
    return total


class Transfer:
    """Both ways at once through one connection pair; what each side sent and the other heard."""

    def __init__(self, case, count):
        self.sent = {side: hashlib.sha256() for side in ("client", "origin")}
        self.heard = {side: hashlib.sha256() for side in ("client", "origin")}
        self.bytes = {}

        def serve(connection):
            connection.sock.settimeout(120)
            self.run(connection, "origin", count)
        origin = case.origin(serve)
        client = case.tunnel(origin)
        client.sock.settimeout(120)
        client.send(b"\0")  # neither TLS nor HTTP
        began = time.monotonic()
        self.run(client, "client", count)
        client.sock.close()
        until(lambda: "origin" in self.bytes, "the origin to have heard all", 120)
        self.seconds = time.monotonic() - began
        case.assertEqual(self.bytes, {"client": count * MIB, "origin": count * MIB + 1})
        case.assertEqual(self.heard["client"].digest(), self.sent["origin"].digest())
        expected = hashlib.sha256(b"\0")
        for n in range(count):
            expected.update(n.to_bytes(8, "big") + BLOCK[8:])
        case.assertEqual(self.heard["origin"].digest(), expected.digest())
        line = case.egret.one_line(source=client.local)
        case.assertEqual((line["close_reason"] in ("client_fin", "upstream_fin"), line.get("detail")), (True, None))
        case.assertGreaterEqual(line["sent_bytes"], count * MIB)
        case.assertGreaterEqual(line["received_bytes"], count * MIB)

    def run(self, end, side, count):
        sending = threading.Thread(target=send_blocks, args=(end.sock, count, self.sent[side]))
        sending.start()
        total = take_all(end.sock, self.heard[side], end.reader.rest())
        sending.join()
        self.bytes[side] = total


class Streams(ProxyCase):
    def test_T01_a_gibibyte_both_ways_arrives_as_it_was_sent(self):
        self.start()
        count = 64 if SANITIZED else 1024
        before = self.egret.resident_kib()
        seconds = Transfer(self, count).seconds
        print("T01: %d MiB each way at %.0f Mbit/s" % (count, 2 * count * MIB * 8 / seconds / 1e6))
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib() - before, 16 << 10)

    def test_T21_what_arrives_before_a_side_dies_is_exactly_what_was_sent(self):
        self.start()
        rounds = int(os.environ.get("EGRET_TEST_ROUNDS", "100" if SANITIZED else "600"))
        pattern = BLOCK[:300000]
        heard, lock = {}, threading.Lock()

        def serve(connection):  # says which round it is, then dies where the round says so
            head = connection.reader.exactly(9)
            chance = random.Random(head)
            size, reset, upload = chance.randint(0, len(pattern)), chance.random() < 0.5, chance.random() < 0.5
            if upload:
                data = connection.reader.to_end()
                with lock:
                    heard[head] = (data, connection.ended)
                return
            connection.sock.sendall(pattern[:size])
            if reset:
                connection.reset()
            else:
                connection.fin()
                connection.wait_end()
        origin = self.origin(serve)

        def run(numbers):
            for n in numbers:
                head = b"\0" + n.to_bytes(8, "big")
                chance = random.Random(head)
                size, reset, upload = chance.randint(0, len(pattern)), chance.random() < 0.5, chance.random() < 0.5
                client = RawClient(self.egret.address)
                if client.connect("origin.test:%d" % origin.port).status != 200:
                    raise AssertionError("no tunnel")
                client.send(head)
                if upload:
                    client.send(pattern[:size])
                    if reset:
                        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
                    client.sock.close()
                    until(lambda: head in heard, "the origin to hear the end")
                    data, ended = heard.pop(head)
                else:
                    data, ended = client.reader.to_end(), client.reader.ended
                    client.close()
                whole = len(data) == size if not reset else len(data) <= size
                if not whole or data != pattern[:len(data)] or (ended == "fin" and len(data) != size):
                    raise AssertionError("round %d: %d of %d bytes, %s" % (n, len(data), size, ended))

        def guarded(numbers):
            try:
                run(numbers)
            except Exception as e:
                failures.append(e)
        failures = []
        threads = [threading.Thread(target=guarded, args=(range(n, rounds, 4),)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "all tunnels to end")

    def test_S03_no_client_and_no_origin_gets_a_byte_of_others(self):
        self.start(deny(), allow())
        canary = b"CANARY" * 2000
        shares = self.origin(reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(canary) + canary,
                                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                                   % (len(canary), canary)))

        def curt(connection):  # answers in bits and pieces, most of them too short
            chance = random.Random(connection.index)
            while connection.read_head() is not None:
                answer = chance.choice((OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nabc", b"HTTP/1.1 200 O",
                                        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\nabc", b"x\r\n\r\n",
                                        b"HTTP/1.1 103 Early\r\n\r\n" + OK, b"HTTP/1.0 200 OK\r\n\r\nabc", b""))
                connection.send(answer)
                if answer != OK:
                    return
        probed = self.origin(curt)
        deadline = time.monotonic() + (4 if SANITIZED else 8)
        seen, failures = [0, 0], []

        def share():
            client = self.client()
            while time.monotonic() < deadline:
                response = client.ask(b"POST %s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nContent-Length: %d\r\n\r\n"
                                      % (self.url(shares, "/CANARY").encode(), canary[:600], len(canary)) + canary)
                if response is None or response.body != canary:
                    raise AssertionError(repr(response))
                seen[0] += 1

        def probe(seed):
            chance = random.Random(seed)
            target = self.url(probed).encode()
            while time.monotonic() < deadline:
                client = RawClient(self.egret.address)
                for request in chance.choices((
                        b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target, b"GET http://denied.test/ HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET %s HTTP/1.1\r\nHost: x\r\nX: " % target, b"\r\n", b"nonsense\r\n\r\n",
                        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc" % target,
                        b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n\0" % (probed.port, probed.port)),
                        k=chance.randint(1, 3)):
                    client.send_what_goes(request)
                try:
                    client.fin()
                except OSError:
                    pass
                heard = client.reader.to_end()
                client.close()
                if b"CANARY" in heard:
                    raise AssertionError("a client heard: %r" % heard[:500])
                seen[1] += 1

        def guarded(work, *words):
            try:
                work(*words)
            except Exception as e:
                failures.append(e)
        threads = [threading.Thread(target=guarded, args=(share,)) for _ in range(2)]
        threads += [threading.Thread(target=guarded, args=(probe, seed)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("S03: %d exchanges with the canary beside %d probes" % tuple(seen))
        self.assertEqual(failures, [])
        self.assertGreater(min(seen), 20)
        self.assertNotIn(b"CANARY", probed.received)
        self.assertNotIn("CANARY", self.egret.get("/stats/prometheus")[1] + self.egret.get("/connections")[1])


class Counters(ProxyCase):
    def test_O05_no_counter_ever_goes_back(self):
        self.start(deny(), allow())
        origin, stop = self.origin(), threading.Event()

        def load():
            while not stop.is_set():
                client = RawClient(self.egret.address)
                client.get(self.url(origin))
                client.get("http://denied.test/")
                client.close()
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            last = {}
            for _ in range(30):
                now = self.egret.metrics()
                for series, value in last.items():
                    if series.split("{")[0].endswith(("_total", "_count", "_sum", "_bucket")):
                        self.assertGreaterEqual(now.get(series, -1), value, series)
                last = now
        finally:
            stop.set()
            for thread in threads:
                thread.join()


class Lossy(NetnsCase):
    def test_T01_also_where_packets_are_lost(self):
        self.start()
        nft("add table inet loss")
        nft("add chain inet loss out { type filter hook output priority 0 ; }")
        nft("add rule inet loss out meta l4proto tcp numgen random mod 100 == 0 drop")
        count = 4 if SANITIZED else 16
        seconds = Transfer(self, count).seconds
        print("T01: %d MiB each way with a packet in a hundred lost, %.0f Mbit/s" % (count, 2 * count * MIB * 8 / seconds / 1e6))
