"""A real gRPC client and server through the proxy. In clear: CONNECT, then HTTP/2 inside the tunnel, which is read and
judged call by call; the server's SETTINGS arrive before the client has said a word. Over TLS: what a tunnel carries is
nobody's business, whether the tunnel is a connection of HTTP/1 or a stream of HTTP/2."""
import os
import queue
import select
import socket
import threading
import unittest
from concurrent import futures

try:
    import grpc
except ImportError:
    grpc = None

from certificates import Certificates
from h2_client import H2Client
from harness import ProxyCase, allow, deny

SECONDS = 30


def unary(request, context):
    context.set_trailing_metadata((("x-asked", request.decode()[:5]),))
    if request == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked")
    return request[::-1]


def count(request, context):
    for n in range(int(request)):
        yield b"%d" % n


def total(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def echo(requests, context):
    for request in requests:
        yield b"> " + request


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class GrpcCase(ProxyCase):
    """A server, the proxy, and self.channel to the server through the proxy."""

    def setUp(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {
            "Unary": grpc.unary_unary_rpc_method_handler(unary),
            "Count": grpc.unary_stream_rpc_method_handler(count),
            "Total": grpc.stream_unary_rpc_method_handler(total),
            "Echo": grpc.stream_stream_rpc_method_handler(echo),
            "Closed": grpc.unary_unary_rpc_method_handler(unary),
        }),))
        self.port = self.listen()
        self.server.start()
        self.addCleanup(lambda: self.server.stop(None).wait(SECONDS))
        self.start(*self.rules())
        self.channel = self.open_channel()
        self.addCleanup(self.channel.close)

    def rules(self):
        return [allow()]

    def listen(self):
        return self.server.add_insecure_port("127.0.0.1:0")

    def proxy_of_environment(self, name):
        os.environ[name] = self.egret.url
        self.addCleanup(os.environ.pop, name, None)


class Calls:
    """What works in whatever way the channel goes."""

    def test_a_unary_call_with_its_trailers(self):
        answer, call = self.channel.unary_unary("/test.Service/Unary").with_call(b"hello", timeout=SECONDS)
        self.assertEqual(answer, b"olleh")
        self.assertEqual(dict(call.trailing_metadata())["x-asked"], "hello")

    def test_a_call_that_fails_says_why(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.channel.unary_unary("/test.Service/Unary")(b"fail", timeout=SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(raised.exception.details(), "as asked")

    def test_large_messages_both_ways(self):
        message = os.urandom(3 << 20).hex().encode()[:3 << 20]
        self.assertEqual(self.channel.unary_unary("/test.Service/Unary")(message, timeout=SECONDS), message[::-1])

    def test_streams_from_the_server_to_it_and_both_ways(self):
        self.assertEqual(list(self.channel.unary_stream("/test.Service/Count")(b"1000", timeout=SECONDS)),
                         [b"%d" % n for n in range(1000)])
        self.assertEqual(self.channel.stream_unary("/test.Service/Total")(iter([b"abc"] * 1000), timeout=SECONDS),
                         b"3000")

        said = queue.Queue()
        answers = self.channel.stream_stream("/test.Service/Echo")(iter(said.get, None), timeout=SECONDS)
        for word in (b"one", b"two", b"three"):
            said.put(word)
            self.assertEqual(next(answers), b"> " + word)
        said.put(None)
        self.assertEqual(list(answers), [])


class InClear(Calls, GrpcCase):
    def rules(self):
        closed = deny("no-closed", domains=())
        closed["to"]["protocols"] = ["HTTP"]
        closed["http"] = {"paths": ["/test.Service/Closed"]}
        return [closed, allow()]

    def open_channel(self):
        self.proxy_of_environment("grpc_proxy")
        return grpc.insecure_channel("origin.test:%d" % self.port)

    def test_many_calls_share_the_tunnel_and_its_connection_to_the_server(self):
        call = self.channel.unary_unary("/test.Service/Unary")
        call(b"first", timeout=SECONDS)  # by now it knows how many may be open at once
        calls = [call.future(b"%d" % n, timeout=SECONDS) for n in range(200)]
        self.assertEqual([c.result() for c in calls], [(b"%d" % n)[::-1] for n in range(200)])
        lines = self.egret.log_lines(kind="request", method="POST")
        self.assertLessEqual(sum(not line.get("upstream_reused") for line in lines), 2)

    def test_each_call_is_judged(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.channel.unary_unary("/test.Service/Closed")(b"hello", timeout=SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
        line = self.egret.one_line(path="/test.Service/Closed")
        self.assertEqual((line["status"], line["rule"]), (403, "no-closed"))
        self.assertEqual(self.channel.unary_unary("/test.Service/Unary")(b"hello", timeout=SECONDS), b"olleh")


class OverTlsCase(GrpcCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates(os.environ["TEST_TMPDIR"])

    @staticmethod
    def read(path):
        with open(path, "rb") as f:
            return f.read()

    def listen(self):
        pair = self.read(self.certificates.key), self.read(self.certificates.certificate)
        return self.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))

    def secure_channel(self, target, *options):
        roots = self.read(self.certificates.ca)
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options)

    def assert_tunnel(self, protocol):
        """The one tunnel that the calls went through, once the channel is closed."""
        self.channel.close()
        line = self.egret.one_line(kind="tunnel", target="origin.test:%d" % self.port)
        self.assertEqual((line["protocol"], line["carries"], line["sni"]), (protocol, "tls", "origin.test"))


class OverTls(Calls, OverTlsCase):
    def open_channel(self):
        self.proxy_of_environment("https_proxy")
        return self.secure_channel("origin.test:%d" % self.port)

    def test_it_is_a_tunnel_over_http_1(self):
        self.test_a_unary_call_with_its_trailers()
        self.assert_tunnel("HTTP/1.1")

    def test_the_proxy_may_be_told_to_the_channel(self):
        os.environ.pop("https_proxy")
        self.channel.close()
        self.channel = self.secure_channel("origin.test:%d" % self.port, ("grpc.http_proxy", self.egret.url))
        self.test_a_unary_call_with_its_trailers()
        self.assert_tunnel("HTTP/1.1")


class OverTlsInHttp2(Calls, OverTlsCase):
    """gRPC speaks no HTTP/2 to proxies: something on this machine takes its bytes into a stream."""

    def open_channel(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.settimeout(SECONDS)
        thread = threading.Thread(target=self.carry, args=(listener,), daemon=True)
        thread.start()
        self.addCleanup(thread.join, SECONDS)  # the channel is closed before
        return self.secure_channel("127.0.0.1:%d" % listener.getsockname()[1],
                                   ("grpc.ssl_target_name_override", "origin.test"), ("grpc.enable_http_proxy", 0))

    def carry(self, listener):
        """One connection, until its client ends it."""
        sock, _ = listener.accept()
        client = H2Client(self.egret.address)
        stream, passed, ended = client.connect("origin.test:%d" % self.port), 0, False
        while not ended:
            readable, _, _ = select.select([sock, client.sock], [], [])
            if client.sock in readable:
                client.hear()
            if sock in readable:
                data = sock.recv(65536)
                ended = not data
                client.send(stream, data, end=ended)
            body = client.streams[stream].body
            sock.sendall(body[passed:])
            passed = len(body)
        client.response(stream)
        client.close()
        sock.close()

    def test_it_is_a_tunnel_over_http_2(self):
        self.test_a_unary_call_with_its_trailers()
        self.assert_tunnel("HTTP/2")


if __name__ == "__main__":
    unittest.main()
