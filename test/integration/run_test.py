"""egret run: what a command behind the fence reaches, what it does not, and that it is otherwise as without."""
import base64
import hashlib
import json
import os
import pty
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
import uuid

from certificates import Certificates
from harness import SANITIZED
from origins import OK, RecorderOrigin, ScriptedOrigin
from waiting import until

SEEN = ("--core-dumps", "on") if SANITIZED else ()  # what looks for leaks looks into the process
DENIED, OWN_FAILURE, CANNOT_EXECUTE, NOT_FOUND = 77, 125, 126, 127
CLOSING = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
LOCAL = ("--private", "127.0.0.0/8", "--private", "::1")  # where localhost leads, outside


# Asks DNS for a name's IPv4 address, past whatever else the system knows.
ASK = """import socket
def ask(name):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(20)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    one.sendto(b"id\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + labels + b"\\0\\0\\1\\0\\1", ("192.0.2.53", 53))
    return socket.inet_ntoa(one.recv(512)[-4:])
"""


def egret(*arguments):
    return [os.environ["EGRET"], "run", *SEEN, *arguments]


def run(*arguments, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(egret(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **how)


def processes(word):
    """Ids of those that have `word` among their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if word.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            pass  # it has ended meanwhile
    return found


def parent_of(pid):
    with open("/proc/%d/stat" % pid) as f:
        return int(f.read().rpartition(")")[2].split()[1])


def setUpModule():
    probe = run("--", "true")
    if "no fence" in probe.stderr or "of its own" in probe.stderr:
        raise unittest.SkipTest(probe.stderr.strip())


class RunCase(unittest.TestCase):
    maxDiff = None

    def origin(self):
        origin = RecorderOrigin()
        self.addCleanup(origin.close)
        return origin

    def start(self, *arguments, **how):
        """A run that goes on."""
        process = subprocess.Popen(egret(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **how)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process


    def outside(self, *arguments, roots=None, name="origin.test"):
        """A run where, outside, that name is this machine; inside, nobody but its DNS knows. `roots`: file of those that
        the system believes."""
        hosts = tempfile.NamedTemporaryFile("w", suffix=".hosts")
        self.addCleanup(hosts.close)
        hosts.write("127.0.0.1 %s\n" % name)
        hosts.flush()
        script = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"'
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, hosts.name, roots or "/etc/ssl/certs/ca-certificates.crt",
             *egret(*arguments)],
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def certificates(self):
        """(those of a CA for origin.test, a context that shows them)."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        certificates = Certificates(folder.name)
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(certificates.certificate, certificates.key)
        return certificates, secure


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


class AsWithout(RunCase):
    """Streams, statuses, signals, job control."""

    def test_streams_pass_through(self):
        done = run("--", "sh", "-c", "cat; echo err >&2", stdin=None, input="in\n")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("in\n", "err\n", 0))

    def test_who_reads_its_output_sees_the_end_of_it_before_its_own(self):
        process = self.start("--", "sh", "-c", "echo x; exec >&- 2>&-; sleep 600")
        self.assertEqual(process.stdout.read(), "x\n")
        self.assertIsNone(process.poll())

    def test_the_status_is_that_of_the_command(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 128 + signal.SIGTERM),
                               ("kill -KILL $$", 128 + signal.SIGKILL)):
            self.assertEqual(run("--", "sh", "-c", script).returncode, status)

    def test_statuses_of_its_own(self):
        for arguments, status, why in (
                (("--", "no-such-program"), NOT_FOUND, "no-such-program: No such file"),
                (("--", "/etc/passwd"), CANNOT_EXECUTE, "/etc/passwd: Permission denied"),
                ((), OWN_FAILURE, "no command"), (("--nothing", "true"), OWN_FAILURE, "--nothing is not an option"),
                (("--allow",), OWN_FAILURE, "needs a value"), (("--allow", "a..b", "true"), OWN_FAILURE, "a..b"),
                (("--allow", "https://a.test/", "true"), OWN_FAILURE, "write a.test"),
                (("--allow", "a.test:http", "true"), OWN_FAILURE, "http is no port")):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (status, ""))
                self.assertIn(why, done.stderr)
                self.assertTrue(done.stderr.startswith("egret run: "), done.stderr)

    def test_arguments_are_the_commands_own(self):
        self.assertEqual(run("--", "printf", "%s|", "a b", "", "--allow", "--").stdout, "a b||--allow|--|")
        self.assertEqual(run("printf", "%s|", "--quiet").stdout, "--quiet|")

    def test_variables_lead_to_the_proxy_whatever_was_there(self):
        outside = {**os.environ, "no_proxy": "*", "HTTPS_PROXY": "http://elsewhere:1", "KEPT": "a=b"}
        told = dict(line.split("=", 1) for line in run("--", "env", "-0", env=outside).stdout.rstrip("\0").split("\0"))
        url = told["http_proxy"]
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+$")
        self.assertEqual([told[name] for name in ("https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "KEPT")],
                         [url, url, url, url, "a=b"])
        self.assertEqual(told["no_proxy"], "localhost,127.0.0.1,::1")
        self.assertIn("-Dhttps.proxyPort=" + url.rpartition(":")[2], told["JAVA_TOOL_OPTIONS"])

    def test_a_signal_that_is_sent_to_it_reaches_the_command(self):
        for name in ("TERM", "INT", "HUP", "USR1", "QUIT"):
            process = self.start("--", "sh", "-c", "trap 'exit 42' %s; echo ready; while :; do sleep 0.02; done" % name)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(getattr(signal, "SIG" + name))
            self.assertEqual(process.wait(20), 42)

    def test_a_signal_that_was_ignored_stays_so(self):
        done = run("--", "sh", "-c", "kill -HUP $$; echo lives", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertEqual(done.stdout, "lives\n")

    def at_terminal(self, script):
        """A shell with job control on a terminal of its own; gives (what it has written so far, what writes to it)."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("bash", ["bash", "--norc", "-mc", script])
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        said = bytearray()

        def await_word(word):
            while word.encode() not in said:
                said.extend(os.read(terminal, 1024))
        return await_word, lambda text: os.write(terminal, text)

    def test_interrupted_at_the_terminal(self):
        await_word, write = self.at_terminal(
            "%s run -- sh -c 'trap \"exit 5\" INT; echo ready; while :; do sleep 0.02; done'; echo status $?"
            % os.environ["EGRET"])
        await_word("ready")
        write(b"\x03")
        await_word("status 5")

    def test_stopped_at_the_terminal_and_gone_on(self):
        await_word, write = self.at_terminal(
            "%s run -- sh -c 'echo ready; read line; exit 9'; echo was $?; fg; echo is $?" % os.environ["EGRET"])
        await_word("ready")
        write(b"\x1a")
        await_word("was %d" % (128 + signal.SIGTSTP))
        write(b"line\n")
        await_word("is 9")

    def test_many_at_once(self):
        many = [self.start("--", "sh", "-c", "exit %d" % i) for i in range(30)]
        self.assertEqual([one.wait(60) for one in many], list(range(30)))


class ByPolicy(RunCase):
    """--policy, and what it looks into."""
    RULE = {"name": "reads", "action": "ALLOW", "reaches_private": ["127.0.0.0/8"],
            "to": {"domains": ["origin.test"], "port_ranges": [{"first": 1, "last": 65535}]}}

    def policy(self, rule, name="policy.yaml"):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, name)
        with open(path, "w") as f:
            json.dump({"policies": [{"name": "ci", "rules": [rule]}]}, f, indent=1)
        return path

    def secret_origin(self):
        certificates, secure = self.certificates()

        def answer(connection):
            with secure.wrap_socket(connection.sock, server_side=True) as secured:
                if secured.recv(65536):
                    secured.sendall(CLOSING)
        origin = ScriptedOrigin(answer)
        self.addCleanup(origin.close)
        return origin, certificates

    def test_requests_within_tls_are_judged(self):
        origin, certificates = self.secret_origin()
        url = "https://origin.test:%d/" % origin.port
        for policy in (self.policy({**self.RULE, "http": {"methods": ["GET"]}}),
                       os.path.dirname(self.policy({**self.RULE, "http": {"methods": ["GET"]}}))):
            script = "curl -sS %s; curl -sS -d x %s" % (url, url)
            done = self.outside("--policy", policy, "--", "sh", "-c", script, roots=certificates.ca)
            self.assertRegex(done.stdout, "^okEgret refused this request: The policy does not allow this", done.stderr)

    def test_within_that_of_programs_that_go_past_the_proxy_as_well(self):
        origin, certificates = self.secret_origin()
        policy = self.policy({**self.RULE, "http": {"methods": ["GET"]}})
        program = ASK + ("import ssl\n"
                         "for method in ('GET', 'PUT'):\n"
                         "    one = socket.create_connection((ask('origin.test'), %d))\n"
                         "    one = ssl.create_default_context().wrap_socket(one, server_hostname='origin.test')\n"
                         "    one.send(b'%%s / HTTP/1.0\\r\\nHost: origin.test:%d\\r\\n\\r\\n' %% method.encode())\n"
                         "    print(one.recv(100).split(b'\\r')[0])\n") % (origin.port, origin.port)
        done = self.outside("--policy", policy, "--", sys.executable, "-c", program, roots=certificates.ca)
        if "reach nothing at all" in done.stderr:
            self.skipTest(done.stderr)
        self.assertRegex(done.stdout, "200 OK'\nb'HTTP/1.. 403 ", done.stderr)

    def test_the_ca_is_believed_within_and_is_nowhere_else(self):
        script = 'env | grep -c "=$SSL_CERT_FILE$"; tail -1 "$SSL_CERT_FILE"; grep -c PRIVATE "$SSL_CERT_FILE"; cat "$SSL_CERT_FILE"'
        with open("/etc/ssl/certs/ca-certificates.crt") as f:
            before = f.read()
        done = run("--policy", self.policy({**self.RULE, "inspection": "REQUIRED"}), "--", "sh", "-c", script)
        count, last, secrets, *bundle = done.stdout.splitlines()
        self.assertEqual((last, secrets), ("-----END CERTIFICATE-----", "0"))
        self.assertGreaterEqual(int(count), 10)
        self.assertTrue("\n".join(bundle).startswith(before.strip()))
        self.assertGreater(len(bundle), len(before.splitlines()))
        with open("/etc/ssl/certs/ca-certificates.crt") as f:
            self.assertEqual(f.read(), before)

    def test_where_nothing_is_looked_into_clients_believe_whom_they_did(self):
        done = run("--policy", self.policy(self.RULE), "--", "sh", "-c", "echo ${SSL_CERT_FILE-none}; mount",
                   env={name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"})
        self.assertTrue(done.stdout.startswith("none\n"), done.stdout)
        self.assertNotIn("ca-certificates", done.stdout)

    def test_what_is_wrong_with_a_policy_is_told_before_anything_runs(self):
        bad = self.policy({**self.RULE, "action": "PERHAPS"})
        listeners = self.policy(self.RULE)
        with open(listeners, "w") as f:
            f.write('{"listeners": []}')
        for arguments, why in ((("--policy", bad), r"policy.yaml:\d+:\d+ policies\[0\]"), (("--policy", "/nowhere"), "No such file"),
                               (("--policy", listeners), "no policy in it"),
                               (("--policy", self.policy(self.RULE), "--allow", "a.test"), "either that, or --allow"),
                               (("--no-fence", "--policy", self.policy({**self.RULE, "inspection": "REQUIRED"})),
                                "looks into TLS")):
            done = run(*arguments, "--", "echo", "x")
            self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""), arguments)
            self.assertRegex(done.stderr, why)


class Told(RunCase):
    """What is said at the end."""

    def visit(self, *options, **how):
        where = "localhost:%d" % self.origin().port
        script = "curl -sS --noproxy '' http://%s/ && curl -sS http://denied.test/; exit 4" % where
        return where, run("--allow", where, *LOCAL, *options, "--", "sh", "-c", script, **how)

    def test_what_was_refused(self):
        _, done = self.visit()
        self.assertRegex(done.stderr, r"^egret run: refused  denied\.test:80 .*; no rule allows it\n$")
        self.assertEqual(done.returncode, 4)
        self.assertEqual(self.visit("--quiet")[1].stderr, "")

    def test_and_what_was_reached_where_that_is_asked_for(self):
        where, done = self.visit("-v")
        self.assertRegex(done.stderr, "egret run: reached  %s  1 time, .* rule allow-localhost-" % where)

    def test_a_denial_may_decide_on_the_status(self):
        self.assertEqual(self.visit("--fail-on-deny")[1].returncode, DENIED)
        self.assertEqual(run("--fail-on-deny", "--", "sh", "-c", "exit 4").returncode, 4)

    def test_reports(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path, page = (os.path.join(folder.name, name) for name in ("report.json", "page.md"))
        with open(page, "w") as f:
            f.write("before\n")
        where, done = self.visit("--report", path, env={**os.environ, "GITHUB_STEP_SUMMARY": page})
        with open(path) as f:
            report = json.load(f)
        self.assertEqual((report["program"], report["status"], report["fenced"], report["reached"], report["refused"]),
                         ("sh", 4, True, 1, 1))
        self.assertEqual([(one["outcome"], one["target"], one["times"]) for one in report["destinations"]],
                         [("refused", "denied.test:80", 1), ("reached", where, 1)])
        with open(page) as f:
            text = f.read()
        self.assertTrue(text.startswith("before\n###"), text)
        self.assertIn("| refused | `denied.test:80` | 1 |", text)

    def test_what_it_did_is_learned_as_a_policy(self):
        url = "http://127.0.0.1:%d/a" % self.origin().port
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "learned.yaml")
        curl = ("--", "curl", "-sS", "--noproxy", "")
        self.assertEqual(run("--learn", path, "--private", "127.0.0.0/8", *curl, url).stdout, "ok")
        with open(path) as f:
            self.assertIn("127.0.0.1", f.read())
        self.assertEqual(run("--policy", path, *curl, url).stdout, "ok")
        self.assertIn("does not allow", run("--policy", path, *curl, "http://other.test/").stdout)
        self.assertEqual(run("--learn", path, "--allow", "a.test", "true").returncode, OWN_FAILURE)
        self.assertEqual(run("--learn", path, "true").returncode, 0)
        self.assertIn("does not allow", run("--policy", path, *curl, url).stdout)  # nothing was reached

    def test_what_it_reached_is_recorded_and_signed(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        key, record, built = (os.path.join(folder.name, name) for name in ("key.pem", "record.json", "built"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        where, _ = self.visit("--record", record)
        with open(record) as f:
            statement = json.load(f)
        self.assertEqual([(one["outcome"], one["host"], one["requests"]) for one in statement["predicate"]["egress"]],
                         [("refused", "denied.test", ["GET /"]), ("reached", "localhost", ["GET /"])])
        self.assertEqual((statement["predicate"]["command"], statement["subject"]), ("sh", []))
        done = run("--record", record, "--record-key", key, "--record-subject", built, "--", "sh", "-c", "echo x >" + built)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(record) as f:
            envelope = json.load(f)
        signed = json.loads(base64.b64decode(envelope["payload"]))
        self.assertEqual(signed["subject"], [{"name": "built", "digest": {"sha256": hashlib.sha256(b"x\n").hexdigest()}}])
        self.assertTrue(envelope["signatures"][0]["sig"])
        self.assertIn("not a private key", run("--record", record, "--record-key", built, "true").stderr)
        self.assertEqual(run("--record-key", key, "true").returncode, OWN_FAILURE)

    def test_ready_policies(self):
        shown = run("--show", "@pypi")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("files.pythonhosted.org", shown.stdout)
        done = self.outside("--allow", "@pypi", *LOCAL, "--", "sh", "-c",
                            "curl -s https://pypi.org/; curl -s https://evil.test/; true", name="pypi.org")
        self.assertRegex(done.stderr, r"refused  evil\.test:443")
        self.assertNotRegex(done.stderr, r"refused  pypi\.org")
        self.assertEqual(run("--show", "@nothing").returncode, OWN_FAILURE)

    def test_what_a_command_makes_up_hides_nothing(self):
        """Many destinations that nobody understands, and words for a terminal or a page."""
        script = ("import os, socket\n"
                  "where = os.environ['http_proxy'].split('//')[1].strip('/').rsplit(':', 1)\n"
                  "def say(text):\n"
                  "    one = socket.create_connection((where[0], int(where[1])))\n"
                  "    one.sendall(text)\n    one.recv(1000)\n    one.close()\n"
                  "say(b'GET /\\x1b[31m`|<a> HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n')\n"
                  "for number in range(1100):\n"
                  "    say(b'GET /%d HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n' % number)\n"
                  "say(b'GET http://zz.test/ HTTP/1.1\\r\\nHost: zz.test\\r\\nConnection: close\\r\\n\\r\\n')\n")
        done = run("--fail-on-deny", "--", sys.executable, "-c", script)
        self.assertEqual(done.returncode, DENIED, done.stderr[-500:])
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("`", done.stderr)

    def test_streams_that_are_closed_stay_so(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        record = os.path.join(folder.name, "record.json")
        shell = '"$@" <&- >&- 2>&-'
        done = subprocess.run(["sh", "-c", shell, "sh", *egret("--record", record, "--", "sh", "-c", "exit 3")], timeout=60)
        self.assertEqual(done.returncode, 3)
        with open(record) as f:
            self.assertEqual(json.load(f)["predicate"]["egress"], [])

    def test_without_a_place_for_its_report_it_does_not_begin(self):
        done = run("--report", "/nowhere/report.json", "--", "echo", "x")
        self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""))
        self.assertIn("/nowhere/report.json: No such file", done.stderr)


class Ends(RunCase):
    def assert_none_left(self, word):
        until(lambda: not processes(word), lambda: "the end of %r" % processes(word))

    def test_what_it_leaves_behind_ends_with_it(self):
        word = "600.%d" % uuid.uuid4().int
        done = run("--", "sh", "-c", "setsid sleep %s </dev/null >/dev/null 2>&1 & (sleep %s &) ; exit 3" % (word, word),
                   stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(processes(word), [])

    def started(self):
        """(the run, its word, the ids of supervisor, warden and command)."""
        word = "600.%d" % uuid.uuid4().int
        process = self.start("--", "sh", "-c", "echo ready; setsid sleep %s & sleep %s; exit 3" % (word, word))
        self.assertEqual(process.stdout.readline(), "ready\n")
        until(lambda: len(processes("\0" + word)) == 2, "both to sleep")
        shell = parent_of(max(processes("\0" + word)))
        return process, word, shell

    def test_killed_whichever_of_its_processes_is(self):
        process, word, shell = self.started()
        process.kill()
        process.wait(20)
        self.assert_none_left(word)

        process, word, shell = self.started()
        os.kill(parent_of(shell), signal.SIGKILL)  # the warden
        self.assertEqual(process.wait(20), 128 + signal.SIGKILL)
        self.assert_none_left(word)

        process, word, shell = self.started()
        os.kill(shell, signal.SIGKILL)
        self.assertEqual(process.wait(20), 128 + signal.SIGKILL)
        self.assert_none_left(word)


class WithoutFence(RunCase):
    def forbidden(self, *arguments):
        """A run where no user namespace can be made."""
        script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        return subprocess.run(["unshare", "-r", "sh", "-c", script, "sh", *egret(*arguments)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    def test_where_namespaces_are_forbidden_the_reason_and_the_remedy_are_told(self):
        done = self.forbidden("--", "echo", "x")
        if "max_user_namespaces" in done.stderr and "egret run" not in done.stderr:
            self.skipTest("the limit cannot be set here: " + done.stderr)
        self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""))
        self.assertIn("sysctl user.max_user_namespaces", done.stderr)
        self.assertIn("--no-fence", done.stderr)

    def test_no_fence_leaves_the_variables_and_says_so(self):
        origin = self.origin()
        where = "localhost:%d" % origin.port
        done = run("--no-fence", "--allow", where, *LOCAL, "--", "curl", "-sS", "--noproxy", "", "http://%s/" % where)
        self.assertEqual((done.returncode, done.stdout), (0, "ok"))
        self.assertIn("NO FENCE", done.stderr)
        done = run("--no-fence", "--", "curl", "-sS", "--noproxy", "", "http://%s/" % where)
        self.assertIn("policy does not allow", done.stdout)
        self.assertEqual(run("--no-fence", "--", "sh", "-c", "exit 6").returncode, 6)


if __name__ == "__main__":
    unittest.main()
