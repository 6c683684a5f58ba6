"""egret run: what a command behind the fence reaches, and what it does not."""
import os
import socket
import sys
import unittest

from origins import ScriptedOrigin
from run_case import ASK, LOCAL, RunCase, run, setUpModule


class Reach(RunCase):
    def curl(self, url, *options):
        return run(*options, "--", "curl", "-sS", "--noproxy", "", "--max-time", "20", url)

    def test_a_host_that_is_allowed_is_reached(self):
        origin = self.origin()
        where = "localhost:%d" % origin.port
        done = self.curl("http://%s/x" % where, "--allow", where, *LOCAL)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("ok", "", 0))

    def test_a_tunnel_to_it_as_well(self):
        origin = self.origin()
        where = "localhost:%d" % origin.port
        done = run("--allow", where, *LOCAL, "--", "curl", "-sSp", "--noproxy", "", "http://%s/" % where)
        self.assertEqual((done.stdout, done.returncode), ("ok", 0))

    def test_an_address_that_is_named_is_reached_though_it_is_private(self):
        where = "127.0.0.1:%d" % self.origin().port
        self.assertEqual(self.curl("http://%s/" % where, "--allow", where).stdout, "ok")
        self.assertIn("policy does not allow", self.curl("http://%s/" % where, "--allow", "127.0.0.2").stdout)

    def test_any_other_is_refused_with_the_reason(self):
        origin = self.origin()
        for allowed in ((), ("--allow", "localhost"), ("--allow", "*.localhost:%d" % origin.port)):
            done = self.curl("http://localhost:%d/" % origin.port, *allowed, *LOCAL)
            self.assertIn("The policy does not allow this", done.stdout)
        self.assertEqual(origin.connections, [])

    def test_a_name_that_leads_somewhere_private_is_refused(self):
        origin = self.origin()
        done = self.curl("http://localhost:%d/" % origin.port, "--allow", "localhost:%d" % origin.port)
        self.assertIn("loopback", done.stdout)
        self.assertEqual(origin.connections, [])

    def test_who_does_not_ask_the_proxy_reaches_nothing(self):
        origin = self.origin()
        program = (
            "import socket\n"
            "for address in (('127.0.0.1', %d), ('192.0.2.1', 80), ('8.8.8.8', 53)):\n"
            "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
            "        one = socket.socket(socket.AF_INET, kind)\n"
            "        one.settimeout(1)\n"
            "        try:\n"
            "            one.connect(address)\n"
            "            one.send(b'x')\n"
            "            if one.recv(1): print('reached', address)\n"
            "        except OSError: pass\n"
            "try: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); print('raw')\n"
            "except PermissionError: pass\n"
            "print('done')\n") % origin.port
        done = run("--allow", "localhost:%d" % origin.port, *LOCAL, "--", sys.executable, "-c", program)
        self.assertEqual((done.stdout, done.returncode), ("done\n", 0))
        self.assertEqual(origin.connections, [])

    def test_its_own_loopback_is_its_own(self):
        program = ("import http.server, threading, urllib.request\n"
                   "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
                   "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
                   "print(urllib.request.urlopen('http://127.0.0.1:%d/' % server.server_port).status)\n")
        self.assertEqual(run("--", sys.executable, "-c", program).stdout, "200\n")

    def test_the_fence_cannot_be_taken_down_from_inside(self):
        for command in ("ip link set lo down", "ip link add d0 type dummy", "mount -t tmpfs none /mnt",
                        "nsenter -t %d -n true" % os.getpid(), "nsenter -t 1 -n ip link set lo down"):
            with self.subTest(command):
                self.assertNotEqual(run("--", *command.split()).returncode, 0)

    def test_ways_past_a_network_of_its_own_are_closed(self):
        program = ("import ctypes, errno, fcntl, socket\n"
                   "def tell(do):\n"
                   "    try: do(); print('open')\n"
                   "    except OSError as e: print(errno.errorcode[e.errno])\n"
                   "tell(lambda: socket.socket(40, socket.SOCK_STREAM))\n"  # vsock, out of a virtual machine
                   "tell(lambda: fcntl.ioctl(0, 0x5412, b'x'))\n"  # TIOCSTI, into the terminal
                   "calls = ctypes.CDLL(None, use_errno=True)\n"
                   "print(calls.syscall(425, 1, 0), errno.errorcode[ctypes.get_errno()])\n")  # io_uring_setup
        self.assertEqual(run("--", sys.executable, "-c", program).stdout, "EAFNOSUPPORT\nEPERM\n-1 ENOSYS\n")

    def test_sockets_of_the_network_outside_do_not_come_along(self):
        listening, one, other = socket.socket(), *socket.socketpair()
        reader, writer = os.pipe()
        for fd in (reader, writer):
            self.addCleanup(os.close, fd)
        for sock in (listening, one, other):
            self.addCleanup(sock.close)
        listening.bind(("127.0.0.1", 0))
        script = "for fd in %d %d %d; do test -e /proc/self/fd/$fd; echo $?; done" % (
            listening.fileno(), one.fileno(), reader)
        done = run("--", "sh", "-c", script, pass_fds=[listening.fileno(), one.fileno(), reader])
        self.assertEqual(done.stdout, "1\n0\n0\n")

    def test_the_kernels_keyrings_and_settings_are_not_its(self):
        script = ("import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                  "for number in %r:\n"
                  "    libc.syscall(number, b'user', b'x', b'', -2)\n    print(os.strerror(ctypes.get_errno()))\n"
                  "try:\n    open('/proc/sys/kernel/core_pattern', 'w')\nexcept OSError as e:\n    print('no', e.errno)\n")
        numbers = {"x86_64": [248, 249, 250], "aarch64": [217, 218, 219]}[os.uname().machine]
        done = run("--", sys.executable, "-c", script % numbers)
        self.assertRegex(done.stdout, r"^(Function not implemented\n){3}no (13|30)\n$")

    def test_it_gains_no_privileges(self):
        self.assertEqual(run("--", "grep", "NoNewPrivs", "/proc/self/status").stdout.split(), ["NoNewPrivs:", "1"])


class PastTheProxy(RunCase):
    """Programs that do not look at the variables."""

    def setUp(self):
        told = run("--", "true").stderr
        if "reach nothing at all" in told:
            self.skipTest(told.strip())

    def curl(self, url, *options):
        return run(*options, "--", "curl", "-sSg", "--noproxy", "*", "--max-time", "20", url)

    def test_dns_answers_with_addresses_that_stand_for_names(self):
        program = ("import socket\n"
                   "for name in ('a.test', 'b.test', 'A.test.', 'localhost'):\n"
                   "    print(sorted({one[4][0] for one in socket.getaddrinfo(name, 1)}))\n")
        done = run("--", sys.executable, "-c", program)
        self.assertEqual(done.stdout.splitlines()[:3], [
            "['198.18.0.1', 'fd65:6772:6574::1']", "['198.18.0.2', 'fd65:6772:6574::2']",
            "['198.18.0.1', 'fd65:6772:6574::1']"], done.stderr)

    def test_clear_http_is_judged_by_its_host(self):
        origin = self.origin()
        where = "a.localhost:%d" % origin.port
        pin = ("--resolve", "%s:198.18.0.9" % where)  # curl knows by itself where localhost is
        reach = lambda *options: run(*options, "--", "curl", "-sS", "--noproxy", "*", *pin, "http://%s/" % where)
        self.assertEqual(reach("--allow", where, *LOCAL).stdout, "ok")
        self.assertIn("policy does not allow", reach("--allow", "localhost:%d" % origin.port, *LOCAL).stdout)
        self.assertEqual(len(origin.connections), 1)

    def test_tls_is_judged_by_the_name_that_was_asked_for(self):
        done = self.curl("https://denied.test/", "-v")
        self.assertIn("access denied", done.stderr)
        self.assertRegex(done.stderr, r"refused  denied\.test:443 .*no rule allows it")
        done = self.curl("https://allowed.test/", "--allow", "allowed.test")
        self.assertRegex(done.stderr, r"failed   allowed\.test:443 .*dns_")

    def test_a_name_that_is_asked_for_and_another_that_is_shown_do_not_go_together(self):
        script = "openssl s_client -connect asked.test:443 -servername shown.test </dev/null"
        for allowed in ("asked.test", "shown.test"):
            done = run("--allow", allowed, "--", "sh", "-c", script)
            self.assertRegex(done.stderr, r"(refused|failed) +asked\.test:443 ")
            self.assertNotIn("CONNECTED TO", done.stdout)

    def test_addresses_are_judged_as_what_they_are(self):
        origin = self.origin()
        for url in ("http://192.0.2.1/", "http://[2001:db8::1]/"):
            self.assertIn("policy does not allow", self.curl(url).stdout)
        self.assertEqual(origin.connections, [])

    def test_other_protocols_reach_the_name_that_was_asked_for(self):
        def hello(connection):
            connection.send(b"hello from outside\r\n")
            connection.fin()
        origin = ScriptedOrigin(hello)
        self.addCleanup(origin.close)
        where = "origin.test:%d" % origin.port
        program = ASK + "print(socket.create_connection((ask('origin.test'), %d)).makefile().readline())\n" % origin.port
        done = self.outside("--allow", where, *LOCAL, "--", sys.executable, "-c", program)
        self.assertIn("hello from outside", done.stdout, done.stderr)
        done = self.outside("--allow", "other.test:%d" % origin.port, *LOCAL, "--", sys.executable, "-c", program)
        self.assertNotIn("hello", done.stdout)
        self.assertRegex(done.stderr, r"refused +%s " % where)

    def test_tls_reaches_the_name_that_was_asked_for(self):
        certificates, secure = self.certificates()

        def hello(connection):
            with secure.wrap_socket(connection.sock, server_side=True) as secured:
                secured.sendall(b"hello over TLS\r\n")
        origin = ScriptedOrigin(hello)
        self.addCleanup(origin.close)
        program = ASK + ("import ssl\n"
                         "context = ssl.create_default_context(cafile='%s')\n"
                         "one = socket.create_connection((ask('origin.test'), %d))\n"
                         "print(context.wrap_socket(one, server_hostname='origin.test').recv(100))\n") % (
                             certificates.ca, origin.port)
        done = self.outside("--allow", "origin.test:%d" % origin.port, *LOCAL, "--", sys.executable, "-c", program)
        self.assertIn("hello over TLS", done.stdout, done.stderr)

    def test_what_is_neither_tcp_nor_dns_is_refused_on_the_spot(self):
        program = ("import socket, time\n"
                   "began = time.monotonic()\n"
                   "for address in (('192.0.2.1', 443), ('192.0.2.1', 123)):\n"
                   "    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                   "    one.connect(address)\n"
                   "    try: one.send(b'x'); one.recv(1); print('sent')\n"
                   "    except OSError as e: print(type(e).__name__)\n")
        self.assertIn(run("--", sys.executable, "-c", program).stdout,
                      ("PermissionError\nPermissionError\n", "ConnectionRefusedError\nConnectionRefusedError\n"))


if __name__ == "__main__":
    unittest.main()
