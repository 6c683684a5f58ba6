"""A real gRPC client and server through the proxy, in clear: CONNECT, then HTTP/2 inside the tunnel, which is read and
judged call by call. The server's SETTINGS arrive before the client has said a word."""
import os
import queue
import unittest
from concurrent import futures

try:
    import grpc
except ImportError:
    grpc = None

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
class Calls(ProxyCase):
    def setUp(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {
            "Unary": grpc.unary_unary_rpc_method_handler(unary),
            "Count": grpc.unary_stream_rpc_method_handler(count),
            "Total": grpc.stream_unary_rpc_method_handler(total),
            "Echo": grpc.stream_stream_rpc_method_handler(echo),
            "Closed": grpc.unary_unary_rpc_method_handler(unary),
        }),))
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.addCleanup(lambda: self.server.stop(None).wait(SECONDS))
        closed = deny("no-closed", domains=())
        closed["to"]["protocols"] = ["HTTP"]
        closed["http"] = {"paths": ["/test.Service/Closed"]}
        self.start(closed, allow())
        os.environ["grpc_proxy"] = self.egret.url
        self.addCleanup(os.environ.pop, "grpc_proxy")
        self.channel = grpc.insecure_channel("origin.test:%d" % port)
        self.addCleanup(self.channel.close)

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
        message = os.urandom(3 << 20)
        self.assertEqual(self.channel.unary_unary("/test.Service/Unary")(message.hex().encode()[:3 << 20],
                                                                         timeout=SECONDS),
                         message.hex().encode()[:3 << 20][::-1])

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


if __name__ == "__main__":
    unittest.main()
