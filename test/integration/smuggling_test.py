"""Row H23 of the catalogue: a corpus of ambiguous requests through the proxy to nginx. What nginx takes for a second
request of its own, nobody but a well-behaved client may have sent."""
import itertools

from harness import ProxyCase
from nginx import Nginx
from raw_client import RawClient
from waiting import until

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: origin.test\r\n\r\n"
CODINGS = (b"Transfer-Encoding: chunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding:\tchunked",
           b"Transfer-Encoding: Chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity",
           b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: \xa0chunked",
           b"Transfer-Encoding: chunked\xa0", b"Transfer_Encoding: chunked", b"X: y\r\n Transfer-Encoding: chunked",
           b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked", b"\0Transfer-Encoding: chunked",
           b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding: \"chunked\"",
           b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: chunked;q=1", b"Content-Encoding: chunked")
LENGTHS = (b"", b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: %d" % (5 + len(SMUGGLED)),
           b"Content-Length: 5\r\nContent-Length: 0", b"Content-Length: 0, 5", b"Content-Length: +5",
           b"Content-Length: 05", b"Content-Length : 5", b"Content-Length: 5 \x0b", b"Content-Length: 0x5",
           b"Content-Length:\r\n 5", b"Content-Length: 18446744073709551621",
           b"Content_Length: 5", b"Content-Length: -1")
BODIES = (b"0\r\n\r\n" + SMUGGLED, b"0;\n\r\n\r\n" + SMUGGLED, b"00\n\r\n" + SMUGGLED, b"0x0\r\n\r\n" + SMUGGLED,
          b"5\r\nhello0\r\n\r\n" + SMUGGLED, b"\r\n\r\n" + SMUGGLED, b"0\r\nX: y\n\r\n" + SMUGGLED)


class Smuggling(ProxyCase):
    def test_H23_nginx_never_sees_a_request_that_the_proxy_did_not(self):
        nginx = Nginx()
        self.addCleanup(nginx.close)
        self.start()
        authority = b"origin.test:%d" % nginx.port
        forwarded = sent = 0
        for number, (coding, length, body) in enumerate(itertools.product(CODINGS, LENGTHS, BODIES)):
            fields = b"".join(f + b"\r\n" for f in (length, coding) if f)
            request = b"POST http://%s/case%d HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n%s" % (
                authority, number, authority, fields, body)
            client = RawClient(self.egret.address)
            client.send_what_goes(request)
            client.fin()
            answer = client.reader.to_end()
            client.close()
            sent += 1
            forwarded += answer.startswith(b"HTTP/1.1 404 ")
        # A request of a well-behaved client closes the log.
        self.assertEqual(self.client().get("http://%s/last" % authority.decode()).status, 404)
        until(lambda: any("/last" in r for r in nginx.requests()), "nginx's log")
        self.assertEqual([r for r in nginx.requests() if "smuggled" in r], [])
        print("%d cases, %d forwarded" % (sent, forwarded))
        self.assertGreater(forwarded, 0)
        self.assertLess(forwarded, sent // 4)
