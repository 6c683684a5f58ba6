"""The transparent profile of deploy/kubernetes on a node of the test: the rules that its init container loads, and its pod.
transparent_test is about transparent listeners themselves (row T22).

    workload 10.244.0.2 -- veth, whose end on the node has no address -- node 192.168.77.1: nftables, Egret; an origin
                                                                      -- veth -- outside: 9.7.7.7, a resolver"""
import json
import os
import subprocess
import unittest

from dns_server import DnsServer
from interop import program
from netns import NetnsCase, ip, public
from origins import OK, ScriptedOrigin, reply
from pod import NODE, Pod
from rendered import objects
from waiting import until

PUBLIC, OUTSIDE, RESOLVER = "9.1.1.1", "9.7.7.7", "169.254.169.253"
NAMES = {name: [PUBLIC] for name in ("example.com", "elsewhere.test", "registry.k8s.io")}
WORKLOAD = "10.244.0.2"
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"x")
print(s.recv(1))
"""
ECHO = """
import selectors, socket, sys
waits = selectors.DefaultSelector()
for address, port in ((a, p) for a in sys.argv[1:] for p in (53, 443)):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    waits.register(s, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in waits.select():
        data, peer = key.fileobj.recvfrom(9)
        key.fileobj.sendto(data, peer)
"""


def setUpModule():
    program("kubernetes", "tools/kubernetes")


class Transparent(NetnsCase):
    def setUp(self):
        public(PUBLIC, NODE)
        self.make_workload()
        self.dns = DnsServer(NAMES, port=53)
        self.addCleanup(self.dns.close)
        origin = ScriptedOrigin(reply(OK), host=PUBLIC, port=80)
        self.addCleanup(origin.close)
        self.set = objects("overlays/transparent")
        self.egret = None
        self.pod = Pod(self.set, "DaemonSet", "egret")
        self.addCleanup(self.pod.kill)
        self.load_rules()
        self.pod.await_probes()

    def namespace(self):
        """The path of a network namespace that lives as long as the test."""
        holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        path = "/proc/%d/ns/net" % holder.pid
        until(lambda: os.readlink(path) != os.readlink("/proc/self/ns/net"), "a namespace")
        return holder.pid, path

    def make_workload(self):
        pid, self.inside = self.namespace()
        ip("link add node0 type veth peer name eth0 netns %d" % pid)
        ip("link set node0 address 02:00:00:00:00:01 up")
        ip("neigh add %s lladdr 02:00:00:00:00:02 dev node0" % WORKLOAD)
        ip("route add %s dev node0 src %s" % (WORKLOAD, NODE))
        for words in ("addr add %s/32 dev eth0" % WORKLOAD, "link set eth0 address 02:00:00:00:00:02 up",
                      "route add 169.254.1.1 dev eth0", "neigh add 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0",
                      "route add default via 169.254.1.1"):
            self.as_workload("ip", *words.split(), check=True)

    def make_outside(self):
        """Forwards, and answers whatever datagram gets through."""
        try:
            with open("/proc/sys/net/ipv4/ip_forward", "w") as f:
                f.write("1")
        except OSError as e:
            self.skipTest("nothing is forwarded here: %s" % e)
        pid, outside = self.namespace()
        ip("link add out0 type veth peer name eth0 netns %d" % pid)
        ip("addr add 192.168.78.1/24 dev out0")
        ip("link set out0 up")
        ip("route add default via 192.168.78.2")
        for words in ("link set lo up", "addr add 192.168.78.2/24 dev eth0", "addr add %s/32 dev lo" % OUTSIDE,
                      "addr add %s/32 dev lo" % RESOLVER, "link set eth0 up", "route add default via 192.168.78.1"):
            subprocess.run(["nsenter", "--net=" + outside, "ip", *words.split()], check=True)
        echo = subprocess.Popen(["nsenter", "--net=" + outside, "/usr/bin/python3", "-IBc", ECHO, OUTSIDE, RESOLVER],
                                stdout=subprocess.PIPE)
        self.addCleanup(echo.stdout.close)
        self.addCleanup(echo.wait)
        self.addCleanup(echo.kill)
        self.assertEqual(echo.stdout.readline(), b"ready\n")

    def load_rules(self):
        """As the init container does, and twice: a pod that is replaced loads them again."""
        command, _ = self.pod.words(self.pod.spec["initContainers"][0])
        command = [word.replace("/etc/egret/", self.pod.volume("config") + "/") for word in command]
        for _ in range(2):
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual((run.returncode, run.stdout), (0, ""))

    def as_workload(self, *command, **how):
        return subprocess.run(["nsenter", "--net=" + self.inside, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=40, **how)

    def curl(self, name, address=PUBLIC):
        return self.as_workload("curl", "-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}", "--resolve",
                                "%s:80:%s" % (name, address), "http://%s/" % name).stdout

    def test_what_workloads_send_outside_is_turned_and_judged(self):
        self.assertEqual(self.curl("example.com"), "200")
        self.assertEqual(self.curl("elsewhere.test"), "403")
        self.assertEqual(self.dns.asked("elsewhere.test"), [])

    def test_who_has_an_address_is_known_by_a_file_that_says_so(self):
        self.assertEqual(self.curl("registry.k8s.io"), "403")
        workload = {"addresses": [WORKLOAD], "namespace": "kube-system", "service_account": "default"}
        self.set.one("ConfigMap", "egret-resources")["data"]["workloads.yaml"] = json.dumps(
            {"workload_sets": [{"name": "pods", "workloads": [workload]}]})
        self.pod.sync()
        until(lambda: self.curl("registry.k8s.io") == "200", self.pod.output)

    def test_what_is_not_tcp_does_not_leave_but_for_what_the_cluster_s_dns_asks(self):
        self.make_outside()
        ask = lambda *where: self.as_workload("/usr/bin/python3", "-IBc", ASK, *where).stdout  # noqa: E731
        self.assertEqual(ask(RESOLVER, "53"), "b'x'\n")
        for where in ((RESOLVER, "443"), (OUTSIDE, "53"), (OUTSIDE, "443")):
            self.assertIn("ConnectionRefusedError", ask(*where), where)


if __name__ == "__main__":
    unittest.main()
