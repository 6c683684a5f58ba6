"""Chromium whose TLS is read, and that believes the CA of the proxy as egretctl env says. Its pages are looked at as it
has them: the tree of the page, and, for a denial, a picture."""
import os
import re
import shutil
import struct
import threading
import unittest
import zlib

from harness import SANITIZED
from mitm_user import RealClients
from tls_origin import H2Server
from waiting import SECONDS
from ws import switching

BROWSERS = ("chromium-headless-shell", "chromium")
SCRIPTS = 20
COUNT = "document.title = String((Number(document.title) || 0) + 1);"
PAGE = "<html><head><title>none</title></head><body>%s</body></html>" % "".join(
    "<script src='/add.js?%d'></script>" % n for n in range(SCRIPTS))
# The page is loaded when /gate.js has come, and that comes when the browser has said what it heard.
TALK = """<html><head><title>none</title></head><body><script>
const talk = new WebSocket('wss://' + location.host + '/chat');
talk.onopen = () => talk.send('hello');
talk.onmessage = said => { document.title = said.data; talk.send('heard'); };
talk.onerror = () => document.title = 'no WebSocket';
</script><script src='/gate.js'></script></body></html>"""


def read_frame(reader):
    """The payload of a short masked frame (RFC 6455 5.2)."""
    _, length = reader.exactly(2)
    mask = reader.exactly(4)
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(reader.exactly(length & 0x7f)))


@unittest.skipIf(SANITIZED, "what a browser does is tested without sanitizers")
class Chromium(RealClients):
    terminator = {}

    @classmethod
    def setUpClass(cls):
        cls.browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if cls.browser is None or shutil.which("certutil") is None:
            raise unittest.SkipTest("chromium and certutil are not both installed (tools/install interop)")
        super().setUpClass()

    def setUp(self):
        self.start_user(**self.terminator)
        self.heard = threading.Event()
        self.site = self.tls_origin(self.talk, h2=H2Server(self.answer))
        self.url = "https://origin.test:%d" % self.site.port

    def answer(self, headers, _):
        """Of the site, over HTTP/2."""
        pages = {"/page": PAGE, "/talk": TALK}
        path = headers[":path"]
        if path == "/gate.js":
            self.heard.wait(SECONDS)
        kind, text = "text/javascript", COUNT * path.startswith("/add.js")
        if path in pages:
            kind, text = "text/html", pages[path]
        return [(":status", "200"), ("content-type", kind)], text.encode(), None

    def talk(self, connection):
        """Of the site, where WebSocket is asked of it."""
        request = connection.read_request()
        connection.send(switching(request.header("sec-websocket-key")))
        said = read_frame(connection.reader).upper()
        connection.send(bytes((0x81, len(said))) + said)
        if read_frame(connection.reader) == b"heard":
            self.heard.set()
        connection.wait_end()

    def browse(self, *words):
        out = self.run_as("chromium", self.browser, "--headless", "--no-sandbox", "--disable-gpu",
                          "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                          "--disable-component-update", "--user-data-dir=" + os.path.join(self.home, "profile"), *words)
        return out.decode(errors="replace")

    def title(self, path):
        page = self.browse("--dump-dom", self.url + path)
        found = re.search("<title>(.*)</title>", page)
        self.assertTrue(found, page[-2000:] + self.errors[-4000:])
        return found.group(1)

    def test_a_page_with_what_belongs_to_it(self):
        self.assertEqual(self.title("/page"), str(SCRIPTS))
        lines = self.assert_read(self.site.port, SCRIPTS + 1, status=200)
        self.assertEqual({line["protocol"] for line in lines}, {"HTTP/2"})
        self.assertEqual(len({line["parent_id"] for line in lines}), 1)  # one tunnel

    def test_a_websocket(self):
        self.assertEqual(self.title("/talk"), "HELLO")
        line = self.egret.one_line(kind="tunnel", carries="websocket")
        self.assertEqual((line["protocol"], line["upstream_protocol"], line["rule"]),
                         ("HTTP/2", "HTTP/1.1", "inspected"))
        self.assertEqual(line["parent_id"], self.assert_read(self.site.port, path="/talk")[0]["parent_id"])

    def test_a_denial_is_seen(self):
        self.assertIn("not for you", self.browse("--dump-dom", self.url + "/secret/plans"))
        self.browse("--screenshot=denial.png", "--window-size=800,400", self.url + "/secret/plans")
        self.assertGreater(len(self.shades("denial.png")), 10)  # of letters; an empty page has one

    def shades(self, name):
        """The different bytes of a PNG's pixels, unfiltered as they are."""
        with open(os.path.join(self.home, name), "rb") as f:
            data = f.read()
        self.assertTrue(data.startswith(b"\x89PNG\r\n\x1a\n"))
        at, pixels = 8, b""
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            if kind == b"IDAT":
                pixels += data[at + 8:at + 8 + length]
            at += length + 12
        return set(zlib.decompress(pixels))


class LazyChromium(Chromium):
    """Before an origin that is not looked at first."""
    terminator = {"origin": "LAZY"}


if __name__ == "__main__":
    unittest.main()
