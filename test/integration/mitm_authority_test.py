"""The CA of intercepted tunnels while they are under way: another one takes its place, its files spoil, many clients
want a leaf at once. Rows of the catalogue are named."""
import os
import shutil
import signal
import ssl
import threading
import unittest

from authority import Authority
from harness import ANY_PORT, HOSTS, LOOPBACK, SANITIZED, allow
from mitm_case import INSPECTED, MitmCase
from raw_client import RawClient
from waiting import until

PARTS = ("tls.crt", "tls.key")


def publish(folder, authority):
    """As a Kubernetes volume has it: both files change in one step, by a link that is put in the other's place."""
    data = os.path.join(folder, "data-%d" % len(os.listdir(folder)))
    os.mkdir(data)
    for name, source in zip(PARTS, (authority.ca, authority.path(authority.name + ".key"))):
        shutil.copy(source, os.path.join(data, name))
    link = os.path.join(folder, "next")
    os.symlink(data, link)
    os.replace(link, os.path.join(folder, "current"))


class Mounted(MitmCase):
    """The proxy's CA comes out of a folder whose content changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.next = Authority(os.path.join(cls.folder, "next"), "next")

    def setUp(self):
        self.volume = os.path.join(self.folder, self.id())
        os.mkdir(self.volume)
        publish(self.volume, self.ours)
        self.both = ssl.create_default_context(cafile=self.ours.ca)
        self.both.load_verify_locations(self.next.ca)

    def file(self, name):
        return os.path.join(self.volume, "current", name)

    def start_mounted(self, **more):
        self.start_mitm(ca=[self.file(name) for name in PARTS], **more)

    def issuer(self, origin, context=None):
        """Who signed the leaf of one more tunnel, that then serves a request."""
        client = self.inside(origin, context=context or self.both)
        issuer = dict(pair for part in client.sock.getpeercert()["issuer"] for pair in part)["commonName"]
        self.assert_ok(self.get_inside(client, origin))
        client.close()
        return issuer

    def reloads(self, result):
        return self.egret.metric("egret_secret_reloads_total", result=result)


class Load:
    """Clients that believe both CAs and come again and again, until it is left. seen: issuers in order of arrival."""

    def __init__(self, case, origin, clients=3):
        self.case, self.origin, self.seen, self.failures = case, origin, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._come) for _ in range(clients)]

    def _come(self):
        while not self.over.is_set():
            try:
                self.seen.append(self.case.issuer(self.origin))
            except (AssertionError, OSError) as e:
                self.failures.append(e)
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, issuer):
        seen = len(self.seen)
        until(lambda: self.failures or issuer in self.seen[seen:], "a leaf of " + issuer)
        self.case.assertEqual(self.failures, [])


class Rotation(Mounted):
    def test_M13_no_handshake_fails_while_the_CA_changes(self):
        """On a signal, and by itself once the files are seen to have changed."""
        for how in ("EAGER", "LAZY"):
            self.start_mounted(origin=how)
            origin = self.tls_origin(alpn=("http/1.1",))
            with self.subTest(how), Load(self, origin) as load:
                load.wait_for("ours")
                for n in range(6):
                    authority = (self.next, self.ours)[n % 2]
                    publish(self.volume, authority)
                    if n % 3 != 2:
                        self.egret.signal(signal.SIGHUP)
                    load.wait_for(authority.name)
            self.assertEqual(load.failures, [])
            self.assertEqual(self.issuer(origin), "ours")
            self.assertEqual(self.reloads("failed"), 0)
            self.assertEqual(self.shaken(result="failed"), 0)

    def test_M13_tunnels_that_are_open_stay_and_sessions_of_the_other_CA_do_not_go_on(self):
        self.start_mounted()
        origin = self.tls_origin(alpn=("http/1.1",))
        context = ssl.create_default_context(cafile=self.ours.ca)
        context.load_verify_locations(self.next.ca)
        old = self.inside(origin, context=context)
        self.assert_ok(self.get_inside(old, origin))
        publish(self.volume, self.next)
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.reloads("ok") >= 1, "the other CA")
        self.assert_ok(self.get_inside(old, origin))
        new = self.tunnel(origin)
        new.sock = context.wrap_socket(new.sock, server_hostname="origin.test", session=old.sock.session)
        self.assertFalse(new.sock.session_reused)
        self.assertIn("next", str(new.sock.getpeercert()["issuer"]))

    def test_M05_a_leaf_of_the_CA_before_is_never_shown_again(self):
        self.start_mounted()
        origin = self.tls_origin(alpn=("http/1.1",))
        for n, authority in enumerate((self.next, self.ours, self.next)):
            publish(self.volume, authority)
            self.egret.signal(signal.SIGHUP)
            until(lambda count=n + 1: self.reloads("ok") >= count, "the other CA")
            only = ssl.create_default_context(cafile=authority.ca)
            self.assertEqual([self.issuer(origin, only) for _ in range(3)], [authority.name] * 3)


class Spoilt(Mounted):
    """Row M14, while it runs: whatever becomes of the files, what was read before stays in force."""

    def spoil(self):
        """(what is done to the files, what is said of it)."""
        expired = Authority(os.path.join(self.folder, "expired"), "expired")
        leaf, key = expired.issue("nobody", "DNS:nobody.test")
        field = "secrets.ca.certificate_authority."
        yield lambda: os.remove(self.file("tls.key")), field + "key: file "
        yield lambda: os.remove(self.file("tls.crt")), field + "certificate: file "
        yield lambda: self.write("tls.key", self.next.path("next.key")), "it is not the key of this certificate"
        yield lambda: self.write("tls.crt", self.next.ca), "it is not the key of this certificate"
        yield lambda: open(self.file("tls.key"), "w").close(), field + "key: no private key in it"
        yield lambda: open(self.file("tls.crt"), "w").close(), field + "certificate: no certificate in it"
        yield lambda: (self.write("tls.crt", leaf), self.write("tls.key", key)), field + "certificate: "

    def write(self, name, source):
        shutil.copy(source, self.file(name))

    def test_M14_the_old_one_stays_and_it_is_told(self):
        self.start_mounted()
        origin = self.tls_origin(alpn=("http/1.1",))
        self.assertEqual(self.issuer(origin), "ours")
        for n, (spoil, said) in enumerate(self.spoil(), 1):
            with self.subTest(said):
                publish(self.volume, self.ours)
                before = len(self.egret.stderr())
                spoil()
                self.egret.signal(signal.SIGHUP)
                until(lambda: said in self.egret.stderr()[before:], "the complaint: " + said)
                self.assertIn("what was read before stays in force", self.egret.stderr()[before:])
                self.assertEqual(self.issuer(origin), "ours")
        self.assertGreaterEqual(self.reloads("failed"), n)
        publish(self.volume, self.next)
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.issuer(origin) == "next", "a CA that can be used again")


class Storm(MitmCase):
    def many(self, count, one):
        """one(n) in so many threads, which begin at once. Gives what they gave, and raises what one of them raised."""
        start, got = threading.Barrier(count), [None] * count

        def run(n):
            try:
                start.wait()
                got[n] = one(n)
            except Exception as e:  # pylint: disable=broad-except
                got[n] = e
        threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one_of_them in got:
            if isinstance(one_of_them, Exception):
                raise one_of_them
        return got

    def serial(self, origin, name="origin.test", context=None):
        client = RawClient(self.egret.address)
        self.assertEqual(client.connect(self.authority_of(origin, name)).status, 200)
        client.sock = (context or self.client_context()).wrap_socket(client.sock, server_hostname=name)
        serial = client.sock.getpeercert()["serialNumber"]
        client.close()
        return serial

    def test_M04_one_mint_however_many_wait_for_it(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                origin = self.tls_origin(alpn=("http/1.1",))
                serials = self.many(100, lambda n: self.serial(origin))
                self.assertEqual(len(set(serials)), 1)
                self.assertEqual(self.egret.metric("egret_leaves_total", result="minted"), 1)
                self.assertEqual(self.egret.metric("egret_leaves_total"), 100)

    def test_M04_many_names_at_once_and_those_that_are_known_stay(self):
        names = ["n%d.test" % n for n in range(1000)]
        self.start_mitm(INSPECTED, origin="LAZY", hosts={**HOSTS, **{name: ["127.0.0.1"] for name in names}})
        origin = self.tls_origin(alpn=("http/1.1",))
        known, context = self.serial(origin), self.client_context()
        before = self.egret.resident_kib()
        got = self.many(10, lambda n: [self.serial(origin, name, context) for name in names[n::10]])
        self.assertEqual(len({serial for serials in got for serial in serials}), len(names))
        self.assertEqual(self.serial(origin), known)
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib() - before, 64 << 10)


class Addresses(MitmCase):
    """A tunnel to an address, whose leaf is for that."""

    def test_M03_the_leaf_is_for_the_address(self):
        here = {"name": "here", "action": "ALLOW", "inspection": "REQUIRED", "reaches_private": LOOPBACK,
                "to": {"cidrs": LOOPBACK + ["::1/128"], "port_ranges": ANY_PORT}}
        pair = self.authority.issue("here", "IP:127.0.0.1")
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(here, origin=how)
                origin = self.tls_origin(alpn=("http/1.1",), pair=pair)
                client = self.inside(origin, name="127.0.0.1")
                self.assertEqual(client.sock.getpeercert()["subjectAltName"], (("IP Address", "127.0.0.1"),))
                self.assert_ok(self.get_inside(client, origin, name="127.0.0.1"))
                self.assertEqual(self.get_inside(client, origin, name="origin.test").status, 421)
                other = self.tls_origin(alpn=("http/1.1",))  # its certificate is for names
                with self.assertRaises((OSError, AssertionError)):
                    self.assert_ok(self.get_inside(self.inside(other, name="127.0.0.1"), other, name="127.0.0.1"))
                self.assertEqual(other.requests, [])


if __name__ == "__main__":
    unittest.main()
