"""One process of egret-control, and the folder that it serves."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from egret import DIRECT, split_address
from waiting import SECONDS, until


def listener(name="egress", policies=("web",)):
    chain = [{"egress_policy": {"policies": list(policies)}}, {"connect_tunnel": {}}, {"forward_router": {}}]
    return {"name": name, "address": "127.0.0.1:0", "filters": [{"http_connection": {"filters": chain}}]}


class Library:
    """A folder of resources, changed as a rename changes it: whole files."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="library-", dir=os.environ.get("TEST_TMPDIR"))

    def put(self, group, **lists):
        """What the group has from now on: listeners=[...], policies=[...]."""
        os.makedirs(os.path.join(self.folder, group), exist_ok=True)
        with open(os.path.join(self.folder, ".new"), "w") as f:
            json.dump(lists, f, indent=1)
        os.rename(f.name, os.path.join(self.folder, group, "resources.json"))

    def remove(self, group):
        shutil.rmtree(os.path.join(self.folder, group))

    def delete(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Control:
    """Started and ready once constructed. `port` 0: any free one."""

    def __init__(self, library, port=0, arguments=()):
        self.library = library
        self.folder = tempfile.mkdtemp(prefix="control-", dir=os.environ.get("TEST_TMPDIR"))
        ready = self.path("ready.json")
        with open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                [os.environ["EGRET_CONTROL"], "--resources", library.folder, "--listen", "127.0.0.1:%d" % port,
                 "--admin", "127.0.0.1:0", "--ready-file", ready, *arguments],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        until(lambda: os.path.exists(ready), "the ready-file", alive=self.assert_running)
        with open(ready) as f:
            addresses = json.load(f)
        self.address = addresses["listen"]
        self.port = split_address(self.address)[1]
        self.admin = split_address(addresses["admin"])
        self.operators = addresses.get("control")

    def path(self, name):
        return os.path.join(self.folder, name)

    def stderr(self):
        with open(self.path("stderr"), errors="replace") as f:
            return f.read()

    def assert_running(self):
        code = self.process.poll()
        if code is not None:
            raise AssertionError("egret-control ended with status %s; it said:\n%s" % (code, self.stderr()))

    def await_said(self, text):
        until(lambda: text in self.stderr(), lambda: "%r in:\n%s" % (text, self.stderr()), alive=self.assert_running)

    def get(self, path):
        try:
            with DIRECT.open("http://%s:%d%s" % (*self.admin, path), timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """In order; what it said is to be a clean end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            status = self.process.wait(SECONDS)
            assert status == 0, "ended with %d; it said:\n%s" % (status, self.stderr())
        shutil.rmtree(self.folder, ignore_errors=True)
