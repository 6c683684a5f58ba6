"""Connections to the origins of inspected tunnels: made once for many, kept for others, given up for a fresh one."""
import os
import socket
import ssl
import threading

from authority import Authority
from h2_client import H2Client
from harness import allow
from mitm_case import INSPECTED, SECRET, MitmCase
from origins import OK, reply
from tls_origin import H2Server, TlsOrigin, server_context
from waiting import until

BOTH = ("h2", "http/1.1")


class SlowOrigin(TlsOrigin):
    """Shakes no hands before so many connections are there."""

    def __init__(self, count, *words, **more):
        self.count = count
        super().__init__(*words, **more)

    def _run(self, script, connection):
        until(lambda: len(self.connections) >= self.count, "%d connections" % self.count)
        super()._run(script, connection)


class Links(MitmCase):
    COUNT = 12

    def slow_origin(self, alpn, pair=None):
        origin = SlowOrigin(self.COUNT, server_context(pair or self.pair, alpn), reply(OK), h2_script=H2Server())
        self.addCleanup(origin.close)
        return origin

    def burst(self, one):
        """What `one` gives or raises, so many times at once."""
        results = [None] * self.COUNT

        def run(n):
            try:
                results[n] = one()
            except OSError as e:
                results[n] = e
        threads = [threading.Thread(target=run, args=(n,)) for n in range(self.COUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_of_a_burst_of_tunnels_to_an_origin_of_http2_one_shakes_hands(self):
        self.start_mitm()
        origin = self.slow_origin(BOTH)

        def one():
            h2 = self.inside_h2(origin)
            return h2.response(self.ask_h2(h2, origin)).status
        self.assertEqual(self.burst(one), [200] * self.COUNT)
        self.assertEqual(origin.handshakes, [("h2", False)])
        self.assertEqual(self.shaken("upstream"), 1)

    def test_of_a_burst_to_an_origin_of_http1_each_has_its_own(self):
        self.start_mitm()
        origin = self.slow_origin(("http/1.1",))

        def one():
            return self.get_inside(self.inside(origin, BOTH), origin).status
        self.assertEqual(self.burst(one), [200] * self.COUNT)
        self.assertEqual(len(origin.handshakes), self.COUNT)

    def test_of_a_burst_to_an_origin_that_is_not_believed_each_learns_why(self):
        self.start_mitm()
        pair = Authority(os.path.join(self.folder, "nobody"), "nobody").issue("x", "DNS:origin.test")
        origin = self.slow_origin(BOTH, pair)
        for result in self.burst(lambda: self.inside(origin, BOTH)):
            self.assertIsInstance(result, ssl.SSLError)
        for line in self.egret.log_lines(self.COUNT, kind="tunnel"):
            self.assertEqual(line["detail"], "tls_certificate_error")
        until(lambda: len(origin.failures) == self.COUNT, "the origin to hear of it each time")

    def test_a_connection_that_nobody_asked_anything_of_is_kept(self):
        for alpn in (("http/1.1",), ("h2",)):
            with self.subTest(alpn):
                self.start_mitm()
                origin = self.tls_origin(alpn=alpn)
                self.inside(origin, alpn).close()
                self.egret.one_line(kind="tunnel", close_reason="client_silent")
                with self.assertRaises(ssl.SSLError):  # nor one of a client that does not believe the leaf
                    self.inside(origin, alpn, context=self.client_context(alpn, trust=False))
                client = self.inside(origin, alpn)
                if alpn == ("h2",):
                    h2 = H2Client(None, sock=client.sock)
                    self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
                else:
                    self.assert_ok(self.get_inside(client, origin))
                client.close()
                self.assertEqual(origin.handshakes, [(alpn[0], False)])

    def hang_up_once(self, alpn):
        """An origin whose first connection ends where its first request has come."""
        def hang_up(connection):
            connection.read_request()

        def goes(server, connection, h2, stream):
            return len(origin.connections) == 1
        origin = self.tls_origin(hang_up, reply(OK), alpn=alpn, h2=H2Server(before=goes))
        return origin

    def test_a_request_that_may_be_repeated_goes_out_once_more(self):
        for alpn in (("http/1.1",), ("h2",)):
            with self.subTest(alpn):
                self.start_mitm()
                origin = self.hang_up_once(alpn)
                if alpn == ("h2",):
                    h2 = self.inside_h2(origin)
                    self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
                else:
                    self.assert_ok(self.get_inside(self.inside(origin), origin))
                self.assertEqual(len(origin.handshakes), 2)
                line = self.egret.one_line(kind="request")
                self.assertEqual((line["status"], line["decision"], line["stage"]), (200, "allow", "address"))

    def test_a_request_that_may_not_is_answered_with_the_failure(self):
        self.start_mitm()
        origin = self.hang_up_once(("http/1.1",))
        self.assertEqual(self.get_inside(self.inside(origin), origin, "/", "Content-Length: 0", method="POST").status, 502)
        self.assertEqual(len(origin.handshakes), 1)

    def test_it_is_not_repeated_a_second_time(self):
        self.start_mitm()
        origin = self.tls_origin(lambda connection: connection.read_request(), alpn=("http/1.1",))
        self.assertEqual(self.get_inside(self.inside(origin), origin).status, 502)
        self.assertEqual(len(origin.handshakes), 2)


class Reserved(MitmCase):
    """200 to a CONNECT without a dial, where an HTTP/2 connection to its destination is there already."""

    def ask(self, origin, client=None):
        h2 = client or self.inside_h2(origin)
        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)

    def dials(self):
        return self.egret.metric("egret_upstream_connections_total")

    def test_an_origin_that_is_connected_is_not_dialled_again(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(INSPECTED, origin=how)
                origin = self.tls_origin()
                for _ in range(5):
                    self.ask(origin)
                self.assertEqual((len(origin.connections), len(origin.handshakes), self.dials()), (1, 1, 1))

    def test_the_log_says_which_connection_it_was(self):
        self.start_mitm(INSPECTED)
        origin = self.tls_origin()
        first = self.inside_h2(origin)
        self.ask(origin, first)
        second = self.inside_h2(origin)
        self.ask(origin, second)
        second.close()
        line = self.egret.one_line(kind="tunnel", source=second.local)
        self.assertEqual((line["inspected"], line["upstream"], line["upstream_reused"]),
                         ("live", "127.0.0.1:%d" % origin.port, True))
        self.assertNotIn("connect_ms", line)

    def test_another_offer_is_answered_too_and_dials_when_it_asks(self):
        self.start_mitm(INSPECTED)
        origin = self.tls_origin()
        self.ask(origin)
        client = self.inside(origin, ("http/1.1",))
        self.assertEqual((client.sock.selected_alpn_protocol(), self.dials()), ("http/1.1", 1))
        self.assert_ok(self.get_inside(client, origin))
        self.assertEqual(sorted(alpn for alpn, _ in origin.handshakes), ["h2", "http/1.1"])

    def test_what_may_be_relayed_is_dialled(self):
        self.start_mitm(SECRET, allow("either"))  # of TLS each request is judged; what is neither TLS nor HTTP is relayed
        origin = self.tls_origin()
        for _ in range(3):
            self.ask(origin)
        self.assertEqual((self.dials(), len(origin.handshakes)), (3, 1))

    def test_another_name_or_port_is_dialled(self):
        self.start_mitm(INSPECTED)
        origin, other = self.tls_origin(), self.tls_origin()
        self.ask(origin)
        self.ask(other)
        self.assertEqual(self.dials(), 2)
        self.assertEqual(len(other.handshakes), 1)

    def test_one_that_ends_before_the_client_says_hello(self):
        self.start_mitm(INSPECTED)
        origin = self.tls_origin()
        self.ask(origin)
        waiting = self.tunnel(origin)
        origin.connections[0].sock.shutdown(socket.SHUT_RDWR)
        until(lambda: self.egret.metric("egret_upstream_pool_connections") == 0, "its end")
        waiting.sock = self.client_context(("h2",)).wrap_socket(waiting.sock, server_hostname="origin.test")
        h2 = H2Client(None, sock=waiting.sock)
        h2.local = waiting.local
        self.addCleanup(h2.close)
        self.ask(origin, h2)
        self.assertEqual((len(origin.handshakes), self.dials()), (2, 2))
        h2.close()
        self.assertEqual(self.egret.one_line(kind="tunnel", source=waiting.local)["inspected"], "lazy")

    def test_200_still_means_reached(self):
        self.start_mitm(INSPECTED)
        origin = self.tls_origin()
        self.ask(origin)
        port = origin.port
        origin.close()
        until(lambda: self.egret.metric("egret_upstream_pool_connections") == 0, "the end of what there was")
        response = self.client().ask(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (port, port))
        self.assertEqual(response.status, 502)

    def test_clear_http_and_what_is_neither_have_nothing_of_it(self):
        self.start_mitm(INSPECTED)
        origin = self.tls_origin()
        self.ask(origin)
        clear = self.tunnel(origin)
        clear.send(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port)
        until(lambda: len(origin.failures) == 1, "the request, which is no ClientHello, on a connection of its own")
        neither = self.tunnel(origin)
        neither.send(b"SSH-2.0-test\r\n")
        self.assertIn(neither.end(), ("fin", "rst"))
        self.assertEqual(len(origin.handshakes), 1)
