"""Whoever reads other people's TLS holds their secrets, and a key that their clients believe. Rows S01, S02, S07 and S09
of the catalogue: nothing of it is told, written, found in a memory dump, or kept once it is rotated away."""
import base64
import os
import re
import shutil
import signal
import ssl
import subprocess
import unittest
import urllib.request
from unittest import mock

from authority import Authority
from certificates import openssl
from client_case import need
from egret import DIRECT
from harness import SANITIZED
from mitm_case import MitmCase
from origins import reply
from tls_case import pair
from tls_origin import H2Server
from waiting import SECONDS, until

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

    def say_all(self):
        with DIRECT.open(urllib.request.Request("http://%s:%d/logging?level=debug" % self.egret.admin, b""),
                         timeout=SECONDS) as answer:
            self.assertEqual(answer.status, 200)

    def admin_pages(self):
        """{path: text} of all that the admin lists and that only reads."""
        listed = self.egret.get("/")[1]
        paths = set(re.findall(r"/[a-z_/]+", listed)) - {"/quitquitquit", "/drain_listeners", "/connections/end",
                                                         "/healthcheck/fail", "/healthcheck/ok",
                                                         # No end, and no more than the log says:
                                                         "/tail", "/decisions"}
        pages = {path: self.egret.get(path) for path in paths}
        found = {path: text for path, (status, text) in pages.items() if status == 200}
        self.assertGreaterEqual(len(found), 12, listed)
        return found


class Told(Secrecy):
    """Row S01."""

    def start_config(self, config, hosts=None, arguments=()):
        """The CA's key stands in the file itself: what is shown of a configuration must not have it."""
        (ca,) = [secret for secret in config["secrets"] if secret["name"] == "ca"]
        with open(self.key_path) as f:
            ca["certificate_authority"]["key"] = {"inline_string": f.read()}
        return super().start_config(config, hosts, arguments)

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


def numbers(path):
    """{name: bytes} of the secret numbers of a key, as openssl tells them."""
    run = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], stdout=subprocess.PIPE, text=True,
                         check=True)
    found = re.findall(r"^(priv|privateExponent|prime1|prime2|exponent1|exponent2|coefficient):((?:\s+[0-9a-f:]+)+)$",
                       run.stdout, re.M)
    return {name: bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0") for name, digits in found}


def needles(path):
    """{name: bytes} that tell of a key: its numbers in either order of bytes, and its file."""
    made = {"%s of the file" % n: line.encode() for n, line in enumerate(pem_lines(path)[:-1])}
    made["DER"] = base64.b64decode("".join(pem_lines(path)))[:48]
    for name, number in numbers(path).items():
        made[name], made[name + ", as numbers lie in memory"] = number[:24], number[:24][::-1]
    return made


@unittest.skipIf(SANITIZED, "sanitizers have memory of their own")
class Dumped(Secrecy):
    """Row S02. Its keys: of the CA, of a listener, and what is shown to origins."""

    def start_with_keys(self, ca=None, arguments=()):
        self.arguments = arguments
        self.people = people = Authority(os.path.join(self.folder, self.id()), "people")
        self.shown, self.own = people.issue("us", "URI:spiffe://test/us"), people.issue("proxy", "DNS:proxy.test")
        self.start_mitm(ca=ca, secrets=[pair("us", self.shown), pair("own", self.own)],
                        tls={"trust": "origins", "certificate": "us"})
        self.ca_key = ca[1] if ca else self.key_path
        self.site = self.tls_origin(alpn=("http/1.1",), client_ca=people.ca)
        self.use()

    def start_config(self, config, hosts=None, arguments=()):
        terminator = {"certificates": ["own"], "plaintext_too": True}
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": terminator})
        return super().start_config(config, hosts, self.arguments)

    def use(self):
        for _ in range(3):
            client = self.inside(self.site)
            self.assert_ok(self.get_inside(client, self.site))
            client.close()
        client = self.client()
        client.start_tls("proxy.test")
        self.assertEqual(client.get("http://denied.example/").status, 403)
        client.close()

    def all_needles(self):
        return {"%s %s" % (os.path.basename(path), name): needle for path in (self.ca_key, self.shown[1], self.own[1])
                for name, needle in needles(path).items()}

    def mappings(self):
        """(bytes, whether a dump leaves them out) of all that can be read of its memory."""
        with open("/proc/%d/smaps" % self.egret.pid) as f:
            maps = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r.*?^VmFlags:(.*?)$", f.read(), re.M | re.S)
        with open("/proc/%d/mem" % self.egret.pid, "rb", 0) as memory:
            for begin, end, flags in maps:
                memory.seek(int(begin, 16))
                try:
                    yield memory.read(int(end, 16) - int(begin, 16)), "dd" in flags.split()
                except (OSError, ValueError):  # the kernel's own
                    pass

    def assert_none_outside(self):
        inside, wanted = set(), self.all_needles()
        for data, left_out in self.mappings():
            found = {name for name, needle in wanted.items() if needle in data}
            if left_out:
                inside |= found
            else:
                self.assertEqual(found, set())
        for path in (self.ca_key, self.shown[1], self.own[1]):  # else nothing was looked for
            self.assertTrue([name for name in inside if name.startswith(os.path.basename(path))], inside)
        self.assertEqual([name for name in inside if "file" in name or "DER" in name], [])

    def renew(self):
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 1, "the keys to be read again")

    def test_S02_keys_lie_where_no_dump_has_them(self):
        self.start_with_keys()
        self.assert_none_outside()
        self.renew()
        self.use()
        self.assert_none_outside()

    def test_S02_those_of_RSA_do_too(self):
        ca, key = os.path.join(self.folder, "rsa.pem"), os.path.join(self.folder, "rsa.key")
        openssl(self.folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rsa", "-days", "30",
                "-addext", "keyUsage=critical,keyCertSign", "-keyout", key, "-out", ca)
        with mock.patch.object(self.ours, "ca", ca):
            self.start_with_keys(ca=(ca, key))
        self.assert_none_outside()

    def rotate(self, files, to):
        for source, file in zip(to, files):
            shutil.copy(source, file + ".new")
            os.replace(file + ".new", file)

    def test_S09_keys_that_were_rotated_away_are_wiped(self):
        ca = [os.path.join(self.folder, "live" + end) for end in (".crt", ".key")]
        self.rotate(ca, (self.ours.ca, self.key_path))
        self.start_with_keys(ca=ca)
        rotated = [(files, needles(files[1])) for files in (ca, self.own, self.shown)]

        def found(old):
            return {name for data, _ in self.mappings() for name, needle in old.items() if needle in data}

        for _, old in rotated:
            self.assertTrue(found(old))  # else nothing is looked for
        after = Authority(os.path.join(self.folder, "after"), "after")
        self.rotate(ca, (after.ca, after.path("after.key")))
        self.rotate(self.own, self.people.issue("proxy", "DNS:proxy.test"))
        self.rotate(self.shown, self.people.issue("us", "URI:spiffe://test/us"))
        self.renew()
        with mock.patch.object(self.ours, "ca", after.ca):
            self.use()
        self.site.close()  # a connection in the pool has what was shown in its handshake
        for files, old in rotated:
            until(lambda old=old: not found(old), lambda files=files, old=old: "%s to be wiped: %s" % (files, found(old)))

    def test_S02_a_dump_that_root_takes_has_none(self):
        need("gcore")
        self.start_with_keys()
        run = subprocess.run(["gcore", "-o", os.path.join(self.folder, "dump"), str(self.egret.pid)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        path = os.path.join(self.folder, "dump.%d" % self.egret.pid)
        if not os.path.exists(path):
            self.skipTest("gcore may not: " + run.stdout.decode(errors="replace")[-200:])
        with open(path, "rb") as f:
            dump = f.read()
        self.assertIn(b"origin.test", dump)
        self.assertEqual([name for name, needle in self.all_needles().items() if needle in dump], [])

    def test_S02_nobody_of_its_own_user_looks_into_it(self):
        """Root without its powers is a user like any other; a process without any can be looked at by such a one."""
        powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
        wrapper = os.path.join(self.folder, "powerless")
        with open(wrapper, "w") as f:
            f.write("#!/bin/sh\nexec %s %s \"$@\"\n" % (" ".join(powerless), os.environ["EGRET"]))
        os.chmod(wrapper, 0o755)
        for allowed, status in (("on", 0), ("off", 1)):
            with self.subTest(allowed), mock.patch.dict(os.environ, EGRET=wrapper):
                self.start_with_keys(arguments=("--core-dumps", allowed))
                run = subprocess.run([*powerless, "cat", "/proc/%d/environ" % self.egret.pid],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                self.assertEqual(run.returncode, status, run.stderr)


if __name__ == "__main__":
    unittest.main()
