"""The transparent profile of deploy/kubernetes on a node of the test: the rules that its init container loads, and its pod.
transparent_test is about transparent listeners themselves (row T22).

    workload 10.244.0.2 -- veth, whose end on the node has no address -- node 192.168.77.1: nftables, Egret; an origin"""
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

PUBLIC, OUTSIDE = "9.1.1.1", "9.7.7.7"
NAMES = {name: [PUBLIC] for name in ("example.com", "elsewhere.test", "registry.k8s.io")}
WORKLOAD = "10.244.0.2"
DATAGRAM = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], 443))
s.send(b"x")
s.recv(1)
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

    def make_workload(self):
        holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.inside = "/proc/%d/ns/net" % holder.pid
        until(lambda: os.readlink(self.inside) != os.readlink("/proc/self/ns/net"), "the workload's namespace")
        ip("link add node0 type veth peer name eth0 netns %d" % holder.pid)
        ip("link set node0 address 02:00:00:00:00:01 up")
        ip("neigh add %s lladdr 02:00:00:00:00:02 dev node0" % WORKLOAD)
        ip("route add %s dev node0 src %s" % (WORKLOAD, NODE))
        for words in ("addr add %s/32 dev eth0" % WORKLOAD, "link set eth0 address 02:00:00:00:00:02 up", "route add 169.254.1.1 dev eth0",
                      "neigh add 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0", "route add default via 169.254.1.1"):
            self.as_workload("ip", *words.split(), check=True)

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

    def test_what_is_not_tcp_does_not_leave(self):
        try:
            with open("/proc/sys/net/ipv4/ip_forward", "w") as f:
                f.write("1")
        except OSError as e:
            self.skipTest("nothing is forwarded here: %s" % e)
        ip("link add out0 type veth peer name out1")
        ip("link set out0 up")
        ip("route add default dev out0")
        said = self.as_workload("/usr/bin/python3", "-IBc", DATAGRAM, OUTSIDE).stdout
        self.assertIn("ConnectionRefusedError", said)


if __name__ == "__main__":
    unittest.main()
