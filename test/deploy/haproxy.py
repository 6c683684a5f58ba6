"""Debian's HAProxy before replicas: TCP, and it looks every 50 ms whether /ready says 200."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from waiting import until

CONFIG = """
global
  stats socket {folder}/stats level user
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
listen egret
  bind fd@{fd}
  balance leastconn
  option httpchk
  http-check send meth GET uri /ready
  http-check expect status 200
{servers}
"""


class Haproxy:
    """replicas: {name: (port of the proxy, port where /ready is)} on 127.0.0.1."""

    def __init__(self, replicas):
        if not shutil.which("haproxy"):
            raise unittest.SkipTest("haproxy is not installed")
        self.folder = tempfile.mkdtemp(prefix="haproxy-", dir="/tmp")  # a socket's path is short
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = listener.getsockname()
        servers = "".join("  server %s 127.0.0.1:%d check port %d inter 50ms fall 1 rise 1\n" % (name, *ports)
                          for name, ports in replicas.items())
        with open(self.folder + "/haproxy.cfg", "w") as f:
            f.write(CONFIG.format(folder=self.folder, fd=listener.fileno(), servers=servers))
        with open(self.folder + "/output", "wb") as out:
            self.process = subprocess.Popen(["haproxy", "-db", "-f", self.folder + "/haproxy.cfg"], stdout=out,
                                            stderr=out, pass_fds=[listener.fileno()])
        for name in replicas:
            self.await_state(name, "UP")
        listener.close()

    def _assert_running(self):
        if self.process.poll() is not None:
            with open(self.folder + "/output") as f:
                raise AssertionError("haproxy ended: " + f.read())

    def state(self, name):
        """UP or DOWN, as it finds a replica; nothing where it does not know yet."""
        with socket.socket(socket.AF_UNIX) as asked:
            try:
                asked.connect(self.folder + "/stats")
            except OSError:
                return ""
            asked.sendall(b"show stat\n")
            with asked.makefile() as answer:
                rows = [line.rstrip("\n").split(",") for line in answer if "," in line]
        columns = {column: i for i, column in enumerate(rows[0])}
        found = {row[columns["svname"]]: row for row in rows[1:]}[name]
        return found[columns["status"]].split()[0] if found[columns["check_status"]] else ""

    def await_state(self, name, state):
        until(lambda: self.state(name) == state, "haproxy to find %s %s" % (name, state), alive=self._assert_running)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
