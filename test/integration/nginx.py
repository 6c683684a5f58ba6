"""Debian's nginx as an origin: HTTP and HTTPS (with h2) on free ports of 127.0.0.1, files from a folder."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from certificates import Certificates
from waiting import until

CONFIG = """
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
  log_format requests '$server_port "$request" $status';
  access_log {folder}/access.log requests;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  default_type application/octet-stream;
  types {{ text/html html; text/plain txt; }}
  keepalive_requests 100000;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl http2;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    root {root};
    location /put/ {{ root {folder}; dav_methods PUT; create_full_put_path on; }}
    {locations}
  }}
}}
"""


class Nginx:
    """nginx takes its sockets from us (the NGINX variable, as in its own binary upgrade): no port is guessed."""

    def __init__(self, locations=""):
        if not shutil.which("nginx"):
            raise unittest.SkipTest("nginx is not installed")
        self.folder = tempfile.mkdtemp(prefix="nginx-", dir=os.environ.get("TEST_TMPDIR"))
        self.root = os.path.join(self.folder, "root")
        os.mkdir(self.root)
        os.mkdir(os.path.join(self.folder, "put"))
        self.certificates = Certificates(self.folder)
        sockets = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2)]
        self.port, self.tls_port = (s.getsockname()[1] for s in sockets)
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as f:
            user = "user root;" if os.geteuid() == 0 else ""  # else its worker may not read the test's folder
            f.write(CONFIG.format(user=user, folder=self.folder, root=self.root, port=self.port, tls_port=self.tls_port,
                                  certificate=self.certificates.certificate, key=self.certificates.key,
                                  locations=locations))
        descriptors = [s.fileno() for s in sockets]
        with open(os.path.join(self.folder, "output"), "wb") as out:
            self.process = subprocess.Popen(
                ["nginx", "-p", self.folder, "-c", config, "-e", os.path.join(self.folder, "error.log")],
                env={**os.environ, "NGINX": ";".join(map(str, descriptors)) + ";"}, pass_fds=descriptors,
                stdout=out, stderr=out)
        until(lambda: os.path.exists(os.path.join(self.folder, "nginx.pid")), "nginx", alive=self._assert_running)
        for s in sockets:  # only ours are closed; the queue is nginx's
            s.close()

    def _assert_running(self):
        if self.process.poll() is not None:
            raise AssertionError("nginx ended: " + self.text("output") + self.text("error.log"))

    def text(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as f:
            return f.read()

    def put(self, name, data):
        """A file below the root."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    def requests(self):
        """The request lines that were served, in order."""
        return [line.split('"')[1] for line in self.text("access.log").splitlines()]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
