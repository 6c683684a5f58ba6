"""One process of Prometheus on this machine, in a folder of its own."""
import json
import os
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import yaml

from egret import DIRECT
from waiting import SECONDS, until


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Prometheus:
    """Answers once constructed. targets: {job: [((host, port), path)]}; rules: the text of a file of rules."""

    def __init__(self, targets, rules, interval):
        self.folder = tempfile.mkdtemp(prefix="prometheus-", dir=os.environ.get("TEST_TMPDIR"))
        self.write("rules.yml", rules)
        jobs = [{"job_name": job, "metrics_path": path, "static_configs": [{"targets": ["%s:%d" % at for at in addresses]}]}
                for job, (path, addresses) in targets.items()]
        config = self.write("prometheus.yml", yaml.safe_dump({
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": ["rules.yml"], "scrape_configs": jobs}))
        self.port = free_port()
        with open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file=" + config, "--storage.tsdb.path=" + self.path("data"), "--log.level=warn",
                 "--web.listen-address=127.0.0.1:%d" % self.port], stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        until(self.is_ready, lambda: "Prometheus to be ready; it said:\n" + self.stderr(), alive=self.assert_running)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def stderr(self):
        with open(self.path("stderr"), errors="replace") as f:
            return f.read()

    def assert_running(self):
        if self.process.poll() is not None:
            raise AssertionError("Prometheus ended; it said:\n" + self.stderr())

    def is_ready(self):
        try:
            with DIRECT.open("http://127.0.0.1:%d/-/ready" % self.port, timeout=SECONDS) as answer:
                return answer.status == 200
        except OSError:
            return False

    def api(self, path, **query):
        """What it answers with, or AssertionError with its error."""
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(query))
        try:
            with DIRECT.open(url, timeout=SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as e:
            raise AssertionError("%s %r: %s" % (path, query, e.read().decode())) from None

    def query(self, expression):
        return self.api("query", query=expression)["result"]

    def end(self):
        self.process.terminate()
        self.process.wait(SECONDS)
