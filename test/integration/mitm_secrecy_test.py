"""Whoever reads other people's TLS holds their secrets, and a key that their clients believe. Rows S01 and S07 of the
catalogue: nothing of it is told or written."""
import os
import re
import ssl
import unittest
import urllib.request
from unittest import mock

from egret import DIRECT
from mitm_case import MitmCase
from origins import reply
from tls_origin import H2Server
from waiting import SECONDS

CANARIES = (("Authorization", "Bearer canary-1"), ("Cookie", "id=canary-2; b=canary-3"),
            ("Proxy-Authorization", "Basic canary-4"), ("X-Api-Key", "canary-5"), ("X-Token", "canary-6"))
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nSet-Cookie: id=canary-7\r\nX-Secret: canary-8\r\n\r\ncanary-9"


def pem_lines(path):
    with open(path) as f:
        return [line for line in f.read().splitlines() if not line.startswith("-----")]


class Secrecy(MitmCase):
    @property
    def key_path(self):
        return self.ours.path("ours.key")

    def admin_pages(self):
        """{path: text} of all that the admin lists and that only reads."""
        listed = self.egret.get("/")[1]
        paths = set(re.findall(r"/[a-z_/]+", listed)) - {"/quitquitquit", "/drain_listeners", "/connections/end",
                                                         "/healthcheck/fail", "/healthcheck/ok"}
        pages = {path: self.egret.get(path) for path in paths}
        found = {path: text for path, (status, text) in pages.items() if status == 200}
        self.assertGreaterEqual(len(found), 12, listed)
        return found


class Told(Secrecy):
    """Row S01."""

    def start_config(self, config, hosts=None):
        """The CA's key stands in the file itself: what is shown of a configuration must not have it."""
        (ca,) = [secret for secret in config["secrets"] if secret["name"] == "ca"]
        with open(self.key_path) as f:
            ca["certificate_authority"]["key"] = {"inline_string": f.read()}
        return super().start_config(config, hosts)

    def say_all(self):
        with DIRECT.open(urllib.request.Request("http://%s:%d/logging?level=debug" % self.egret.admin, b""),
                         timeout=SECONDS) as answer:
            self.assertEqual(answer.status, 200)

    def ask_with_canaries(self, origin, path, name="origin.test"):
        """Over both versions. Gives the content of what the proxy itself says."""
        fields = ["%s: %s" % field for field in CANARIES]
        client = self.client()
        client.connect(self.authority_of(origin), "Proxy-Authorization: Basic canary-10")
        client.sock = self.client_context(("http/1.1",)).wrap_socket(client.sock, server_hostname="origin.test")
        client.reader.sock = client.sock
        plain = self.get_inside(client, origin, path + "?token=canary-11", *fields, name=name)
        client.close()
        h2 = self.inside_h2(origin)
        stream = self.ask_h2(h2, origin, path + "?token=canary-11",
                             *((field.lower(), value) for field, value in CANARIES), name=name)
        return [(plain.status, plain.text()), (h2.response(stream).status, h2.streams[stream].body.decode())]

    def test_S01_canaries_are_in_no_log_no_page_and_no_refusal(self):
        self.start_mitm()
        self.say_all()
        h2 = H2Server(lambda *_: ([(":status", "200"), ("set-cookie", "id=canary-7"), ("x-secret", "canary-8")],
                                  b"canary-9", None))
        origin = self.tls_origin(reply(ANSWER), h2=h2)
        for got in self.ask_with_canaries(origin, "/"):
            self.assertEqual(got, (200, "canary-9"))  # what is there to be found passed through it
        broken = self.tls_origin(lambda connection: (connection.read_request(), connection.send(b"canary-12\r\n\r\n")),
                                 h2=lambda connection: connection.send(b"canary-12" * 20))
        said = ""
        for where, path, name, status in ((origin, "/secret", "origin.test", 403), (origin, "/", "second.test", 421),
                                          (broken, "/", "origin.test", 502)):
            for got, text in self.ask_with_canaries(where, path, name):
                self.assertEqual(got, status)
                said += text
        client = self.inside(origin)
        said += client.ask(b"GET / HTTP/1.1\r\nCookie: canary-13\r\nCookie : canary-14\r\n\r\n").text()
        with self.assertRaises(ssl.SSLError):
            self.inside(self.tls_origin(pair=self.authority.issue("second", "DNS:second.test")))
        live = self.inside(origin)
        self.get_inside(live, origin, "/", *("%s: %s" % field for field in CANARIES))
        self.egret.log_lines(6, kind="request")
        pages = self.admin_pages()
        with open(self.egret.log_path) as f:
            everything = {"log": f.read(), "stderr": self.egret.stderr(), "refusals": said, **pages}
        for where, text in everything.items():
            self.assertNotIn("canary", text, where)
            for line in pem_lines(self.key_path):
                self.assertNotIn(line, text, where)
        self.assertIn('"mitm_terminator"', pages["/config_dump"])


class Written(Secrecy):
    """Row S07."""

    def test_S07_no_minted_key_comes_to_a_disk(self):
        folder = os.path.join(self.folder, "nothing")
        os.mkdir(folder)
        where = {"SSLKEYLOGFILE": os.path.join(folder, "keys"), "TMPDIR": folder, "HOME": folder}
        with mock.patch.dict(os.environ, where):
            self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        for _ in range(3):
            self.assert_ok(self.get_inside(self.inside(origin), origin))
        self.assertEqual(os.listdir(folder), [])
        known = {os.path.join(self.egret.folder, name) for name in ("access.log", "stderr")}
        open_files = {os.readlink("/proc/%d/fd/%s" % (self.egret.pid, fd))
                      for fd in os.listdir("/proc/%d/fd" % self.egret.pid)}
        self.assertEqual({path for path in open_files if path.startswith("/") and not path.startswith("/dev/")} - known,
                         set())
        for name in os.listdir(self.egret.folder):
            with open(os.path.join(self.egret.folder, name), "rb") as f:
                self.assertNotIn(b"PRIVATE KEY", f.read(), name)


if __name__ == "__main__":
    unittest.main()
