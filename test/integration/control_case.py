"""The TestCase of proxies with a control plane: a folder of resources, and what is started with it."""
import os
import shutil
import subprocess
import tempfile

from control_plane import Control, Library, listener
from harness import HOSTS, ProxyCase, allow
from waiting import until


def policy(*rules):
    return {"name": "web", "rules": list(rules)}


class ControlCase(ProxyCase):
    def setUp(self):
        self.library = Library()
        self.addCleanup(self.library.delete)

    def serve(self, *rules, group="web"):
        self.library.put(group, listeners=[listener()], policies=[policy(*(rules or [allow()]))])

    def control(self, port=0, arguments=()):
        control = Control(self.library, port, arguments)
        self.addCleanup(control.end)
        return control

    def proxy(self, *controls, node="p1", group="web", **xds):
        servers = [{"address": one.address} for one in controls]
        return self.start_config({"node": {"id": node, "cluster": group},
                                  "xds": {"servers": servers, "initial_fetch_timeout": "60s", **xds}}, HOSTS)

    def status(self, origin, name="origin.test"):
        client = self.client()
        try:
            return client.get("http://%s:%d/" % (name, origin.port), "Connection: close").status
        finally:
            client.close()

    def await_status(self, origin, status, **where):
        until(lambda: self.status(origin, **where) == status, "a response with %d" % status,
              alive=self.egret.assert_running)


class StatusCase(ControlCase):
    """One control plane that operators can ask, and a group that it serves."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.plane = self.operated()

    def operated(self, port=0, arguments=()):
        folder = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short
        self.addCleanup(shutil.rmtree, folder)
        return self.control(port, ["--control", "unix:%s/control.sock" % folder, *arguments])

    def egretctl(self, *words, command="status", planes=None):
        where = [word for plane in planes or [self.plane] for word in ("--control", plane.operators)]
        run = subprocess.run([os.environ["EGRETCTL"], command, *words, *where],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return run.returncode, run.stdout, run.stderr

    def await_fleet(self, status, *words, **where):
        """What it prints once it ends with that and says all of these."""
        def says():
            code, out, _ = self.egretctl(**where)
            return out if code == status and all(word in out for word in words) else None
        return until(says, lambda: "%d and %r; it says %r" % (status, words, self.egretctl(**where)))
