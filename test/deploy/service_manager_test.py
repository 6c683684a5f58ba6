"""What systemd is told, as Type=notify has it: ready, reloading, stopping (sd_notify(3))."""
import os
import signal
import socket
import subprocess
import tempfile

from harness import HOSTS, ProxyCase, allow, proxy_config
from waiting import SECONDS


class ServiceManager(ProxyCase):
    def listen(self, name):
        """As systemd, at a path or an abstract name; processes that are started from here on tell it."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(SECONDS)
        manager.bind(name.replace("@", "\0"))
        os.environ["NOTIFY_SOCKET"] = name
        self.addCleanup(os.environ.pop, "NOTIFY_SOCKET", None)
        self.manager = manager

    def told(self):
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode().splitlines())

    def test_the_proxy_tells_of_its_start_its_reloads_and_its_end(self):
        folder = tempfile.mkdtemp(prefix="egret-", dir="/tmp")  # a socket's path is short
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(os.unlink, folder + "/notify")
        self.listen(folder + "/notify")
        self.start_config(proxy_config([allow()], drain={"accept_grace": "1s", "timeout": "100s"}), HOSTS)
        self.assertEqual(self.told(), {"READY": "1"})
        for text in (None, "listeners: ["):  # also where what was read is refused
            if text:
                self.egret.write("egret.yaml", text)
            self.egret.signal(signal.SIGHUP)
            reloading = self.told()
            self.assertEqual(reloading["RELOADING"], "1")
            self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
            self.assertEqual(self.told(), {"READY": "1"})
        self.egret.terminate()
        stopping = self.told()
        self.assertEqual(stopping["STOPPING"], "1")
        self.assertGreater(int(stopping["EXTEND_TIMEOUT_USEC"]), 101e6)  # all that a drain may take
        self.assertEqual(self.egret.wait(), 0)

    def test_a_pushed_proxy_is_ready_when_its_listeners_are(self):
        self.listen("@egret-test-%d" % os.getpid())
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        resources = proxy_config([allow()])
        self.start_config({"directory": {"path": folder}}, says="")
        self.manager.setblocking(False)
        self.assertRaises(BlockingIOError, self.told)
        self.manager.settimeout(SECONDS)
        with open(folder + "/new", "w") as f:
            f.write(repr(resources).replace("'", '"'))
        os.rename(folder + "/new", folder + "/all.json")
        self.assertEqual(self.told(), {"READY": "1"})
        self.egret.signal(signal.SIGHUP)
        self.assertEqual([*self.told()], ["RELOADING", "MONOTONIC_USEC"])
        self.assertEqual(self.told(), {"READY": "1"})

    def test_a_name_that_nobody_listens_at_harms_nothing(self):
        for name in ("/nonexistent/socket", "@" + "x" * 300, "@", "nonsense", ""):
            os.environ["NOTIFY_SOCKET"] = name
            self.addCleanup(os.environ.pop, "NOTIFY_SOCKET", None)
            self.start().stop()

    def test_the_control_plane_tells_of_its_start_and_its_end(self):
        self.listen("@egret-test-%d" % os.getpid())
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        process = subprocess.Popen([os.environ["EGRET_CONTROL"], "--resources", folder, "--listen", "127.0.0.1:0"],
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.assertEqual(self.told(), {"READY": "1"})
        process.terminate()
        self.assertEqual(self.told()["STOPPING"], "1")
        self.assertEqual(process.wait(SECONDS), 0)
