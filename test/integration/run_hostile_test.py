"""Programs behind the fence of egret run that want out: none reaches anything, none outlives the run."""
import os
import socket
import subprocess
import sys
import unittest
import uuid

from dns_server import DnsServer
from netns import public
from run_case import RunCase, egret, processes, run, setUpModule
from run_world import ADDRESS, SERVICE, SITE, WorldCase
from waiting import until

RESOLVER = "8.8.8.8"
HOSTILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile.py")


class Within(RunCase):
    def outside(self):
        """An abstract socket's name."""
        name = "egret-%d" % uuid.uuid4().int
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind("\0" + name)
        listening.listen()
        return name

    def test_no_way_out_is_open(self):
        name = self.outside()
        for nested in ((), ("unshare", "-r")):
            with self.subTest(nested):
                done = run("--", *nested, sys.executable, HOSTILE, str(os.getpid()), name)
                self.assertEqual(done.stdout, "done\n", done.stderr)

    def test_namespaces_of_its_own_lead_nowhere(self):
        for script in ("umount -l /proc/sys", "umount -l /etc/resolv.conf", "mount -o remount,bind,rw /proc/sys",
                       "mount -t proc none /mnt", "mount -t sysfs none /mnt", "mount --bind /proc/1/root /mnt",
                       "ip link set lo down", "nft flush ruleset", "nsenter -t 1 -n true",
                       "nsenter -t %d -n true" % os.getpid()):
            for way in ("-r", "-rm"):
                with self.subTest(script, way=way):
                    self.assertNotEqual(run("--", "unshare", way, "sh", "-c", script).returncode, 0)
        for script in ("nft flush ruleset", "ip link set lo down"):
            with self.subTest(script):
                self.assertNotEqual(run("--", "sh", "-c", script).returncode, 0)

    def test_a_network_that_was_handed_to_it_cannot_be_entered(self):
        with open("/proc/self/ns/net") as there:
            enter = "nsenter --net=/proc/self/fd/%d true" % there.fileno()
            for script in (enter, "unshare -r " + enter, "unshare -rm " + enter):
                done = run("--", "sh", "-c", script, pass_fds=[there.fileno()])
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("Operation not permitted", done.stderr)

    def test_none_outlives_the_run(self):
        word = "600.%d" % uuid.uuid4().int
        script = """
import os, signal, subprocess, sys
sleep = ["sleep", "%s"]
if os.fork() == 0:  # as daemons do
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP): signal.signal(number, signal.SIG_IGN)
        os.execvp("sleep", sleep)
    os._exit(0)
os.wait()
os.kill(subprocess.Popen(sleep).pid, signal.SIGSTOP)
subprocess.Popen(["unshare", "-rpf", *sleep], stderr=subprocess.DEVNULL)
subprocess.Popen(["setsid", "nohup", *sleep], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("ready", flush=True)
sys.stdin.read(1)
""" % word
        process = subprocess.Popen(egret("--", sys.executable, "-c", script), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "ready\n")
        until(lambda: len(processes("\0" + word)) == 5, lambda: "them: %r" % processes(word))  # with unshare itself
        process.communicate("\n", timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(processes(word), [])


ASKS = """
import socket, struct, sys
name, resolver, udp = sys.argv[1], sys.argv[2], sys.argv[3] == "udp"
query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0)
query += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + struct.pack("!BHH", 0, 1, 1)
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
one.settimeout(20)
try:
    one.connect((resolver, 53))
    one.sendall(query if udp else struct.pack("!H", len(query)) + query)
    print(socket.inet_ntoa(one.recv(600)[-4:]))
except OSError as e:
    print(type(e).__name__)
"""
DATAGRAMS = """
import socket, sys
for where in sys.argv[1:]:
    for port in (443, 53, 123, 4500):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.settimeout(0.1)
        for _ in range(2):
            try: one.sendto(b"a datagram", (where, port))
            except OSError: pass
"""
FRONTS = """
import socket, ssl, sys
address, name = sys.argv[1:]
context = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
with socket.create_connection((address, 443), 20) as one, context.wrap_socket(one, server_hostname=name) as secure:
    secure.sendall(b"GET /word HTTP/1.0\\r\\nHost: " + name.encode() + b"\\r\\n\\r\\n")
    print(secure.makefile().read())
"""


class Outwards(WorldCase):
    def setUp(self):
        super().setUp()
        public(RESOLVER + "/32")
        self.open_world()

    def run_program(self, program, *words, options=("--allow", SITE)):
        with open(os.path.join(self.folder, "program.py"), "w") as f:
            f.write(program)
        return self.run_in_world(options, "/usr/bin/python3 ../program.py " + " ".join(words))

    def test_what_dns_is_asked_is_told_to_nobody_outside(self):
        resolver = DnsServer({}, host=RESOLVER, port=53)
        self.addCleanup(resolver.close)
        for how in ("udp", "tcp"):
            with self.subTest(how):
                done = self.run_program(ASKS, "secret.%s.test" % how, RESOLVER, how)
                self.assertEqual((done.status, done.out), (0, "198.18.0.1\n"), done)
        self.assertEqual((resolver.queries, self.dns.queries), ([], []))

    def test_no_datagram_leaves(self):
        sinks = []
        for address in (ADDRESS, SERVICE, RESOLVER):
            for port in (443, 53, 123, 4500):
                sinks.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                self.addCleanup(sinks[-1].close)
                sinks[-1].bind((address, port))
                sinks[-1].setblocking(False)
        self.assertEqual(self.run_program(DATAGRAMS, ADDRESS, SERVICE, RESOLVER).status, 0)
        for sink in sinks:
            self.assertRaises(BlockingIOError, sink.recv, 100)

    def test_a_name_that_is_allowed_leads_to_no_address_of_the_programs_choice(self):
        chosen = socket.create_server((SERVICE, 443))
        self.addCleanup(chosen.close)
        chosen.setblocking(False)
        done = self.run_program(FRONTS, SERVICE, SITE)
        self.assertIn("installed", done.out, done)
        self.assertRaises(BlockingIOError, chosen.accept)


if __name__ == "__main__":
    unittest.main()
