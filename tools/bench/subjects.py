"""What is measured: the origins, and our own subjects; peers.py has other people's. Each knows how it is started and where
it listens."""
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import machine
import mitm
import workloads

START_SECONDS = 20


def free_ports(count):
    """Bound together, so that all differ."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


class Process:
    """A program on some cores, with its output in a file that is shown if it fails."""

    def __init__(self, name, folder, cores, command, **kwargs):
        self.name, self.log = name, os.path.join(folder, name + ".log")
        with open(self.log, "w") as log:
            self.process = machine.start(command, cores, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **kwargs)

    def wait_until(self, ready):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                ended = self.process.poll()
                self.stop()
                raise RuntimeError("%s %s; it said:\n%s" % (
                    self.name, "is not ready after %d s" % START_SECONDS if ended is None else
                    "ended with status %d" % ended, self.output(2000)))
            time.sleep(0.005)

    def output(self, most):
        """The end of what it wrote."""
        with open(self.log, errors="replace") as log:
            return log.read()[-most:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def listening(port):
    def ready():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    return ready


def read_ready(path):
    """What a program of ours wrote into its ready-file; nothing until it is whole."""
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def ready_listeners(path):
    return read_ready(path).get("listeners")


def http_get(address, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open("http://%s%s" % (address, path), timeout=START_SECONDS) as answer:
        return answer.read().decode()


class Origin:
    """nginx, one process, static files of a known size on several ports; and `origin`, which answers what is relayed."""
    PORTS = 16  # connections that are opened and closed at full rate would use up the ports of one pair of addresses

    def __init__(self, folder, cores, relayed):
        files = os.path.join(folder, "files")
        os.makedirs(files)
        for name, size in workloads.FILES.items():
            with open(files + name, "wb") as f:
                f.write(b"x" * size)
        *self.ports, self.http2_port, self.https_port = free_ports(self.PORTS + 2)
        self.pair, self.authority = KeyPair(folder), mitm.Authority(folder)
        listens = ["    listen 127.0.0.1:%d backlog=4096;" % p for p in self.ports]
        listens += ["    listen 127.0.0.1:%d http2;" % self.http2_port,
                    "    listen 127.0.0.1:%d ssl http2;" % self.https_port,
                    "    ssl_protocols TLSv1.2 TLSv1.3;",
                    "    ssl_certificate %(certificate)s;\n    ssl_certificate_key %(key)s;" % vars(self.pair)]
        config = write(os.path.join(folder, "nginx.conf"), ORIGIN_CONFIG % {
            "folder": folder, "files": files, "listen": "\n".join(listens)})
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = Process("origin", folder, cores, [nginx, "-p", folder, "-c", config, "-e", "stderr"])
        self.process.wait_until(listening(self.ports[-1]))
        ready = os.path.join(folder, "origin.json")
        self.relayed = Process("relayed-origin", folder, cores,
                               [relayed, "--ports", str(self.PORTS), "--ready-file", ready])
        self.relayed.wait_until(lambda: ready_listeners(ready))
        self.relayed_at = ready_listeners(ready)

    def targets(self, workload):
        """What the client asks for, each as good as the other."""
        if not isinstance(workload.asked, str):
            return self.relayed_at
        ports = ([self.http2_port] if workload.http2_origin else [self.https_port] if workload.https_origin
                 else self.ports)
        return ["127.0.0.1:%d" % p for p in ports]

    def all_ports(self):
        return self.ports + [self.http2_port, self.https_port] + [int(address.rpartition(":")[2]) for address in self.relayed_at]

    def move_to(self, cores):
        for process in (self.process, self.relayed):
            machine.move(process.process.pid, cores)

    def stop(self):
        self.process.stop()
        self.relayed.stop()


class KeyPair:
    """What every proxy and the origin show to clients of TLS: one certificate of P-256 that signed itself."""

    def __init__(self, folder):
        self.certificate, self.key = (os.path.join(folder, name) for name in ("proxy.pem", "proxy.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:*.bench.test,IP:127.0.0.1", "-days", "2",
                        "-keyout", self.key, "-out", self.certificate], check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o644)  # some proxies give up root before they read it


ORIGIN_CONFIG = """\
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
events { worker_connections 20000; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  server {
%(listen)s
    root %(files)s;
  }
}
"""


class Subject:
    name, workers = "", 1

    def does(self, workload):
        return workload.workers == self.workers and (not workload.only or self.name in workload.only)

    def start(self, folder, cores, origin, workload):
        raise NotImplementedError

    def address(self, workload):
        raise NotImplementedError

    def version(self):
        return ""

    def counters(self):
        """What is read before and after a measurement, if it tells: {"requests": [of each worker], ...}"""
        return {}

    def stop(self):
        self.process.stop()

    def pid(self):
        return self.process.process.pid


class WithReadyFile(Subject):
    """Programs of ours take any free port and write which."""

    def run(self, folder, cores, command):
        path = os.path.join(folder, "ready.json")
        self.process = Process(self.name, folder, cores, command + ["--ready-file", path])
        self.process.wait_until(lambda: ready_listeners(path))
        self.listeners = ready_listeners(path)
        self.admin = read_ready(path).get("admin")


class Limit(WithReadyFile):
    name = "limit"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder, cores, origin, workload):
        command = [self.binary]
        pair = ["--certificate", origin.pair.certificate, "--key", origin.pair.key]
        if workload.tls:
            command = [self.binary + "_tls", *pair]
        elif workload.inside:
            command = [self.binary + "_tls", *pair, "--inside", "h2" if workload.streams > 1 else "http/1.1"]
        elif workload.http2 and not workload.http2_origin:  # where the origin speaks it, bytes are relayed
            command = [self.binary + "_http2"]
        self.run(folder, cores, command + ["--origin", origin.targets(workload)[0]])

    def address(self, workload):
        if len(self.listeners) == 1:
            return next(iter(self.listeners.values()))
        return self.listeners["splice" if workload.is_bulk else "relay" if workload.forwards else "connect"]


class CopyingLimit(Limit):
    """What bulk costs with recv and send."""
    name = "limit-copy"

    def does(self, workload):
        return workload.is_bulk and not workload.inside and super().does(workload)

    def address(self, workload):
        return self.listeners["connect"]


class LimitAgain(Limit):
    """The same program once more: how far its ratio is from 1.00 is the noise of a run."""
    name = "limit-again"


class Egret(WithReadyFile):
    """With its access log, its metrics and a policy that decides every request."""

    def __init__(self, binary, workers=1):
        self.binary, self.workers = binary, workers
        self.name = "egret" if workers == 1 else "egret-%d" % workers

    def start(self, folder, cores, origin, workload):
        config = write(os.path.join(folder, "egret.yaml"), EGRET_CONFIG % {
            "workers": self.workers, "log": os.path.join(folder, "access.log"),
            "certificate": origin.pair.certificate, "key": origin.pair.key,
            "terminator": "- tls_terminator: {certificates: [proxy]}" if workload.tls else "",
            "ports": ", ".join(map(str, origin.all_ports())), **mitm.egret(workload.inside, origin.authority)})
        self.run(folder, cores, [self.binary, "--config", config])

    def address(self, workload):
        return self.listeners["egress"]

    def counters(self):
        text = http_get(self.admin, "/stats/prometheus")
        of_workers = lambda name: [  # noqa: E731
            float(value) for value in re.findall(r'^%s{worker="\d+"} (\S+)' % name, text, re.M)]
        return {"requests": of_workers("egret_worker_requests_total"),
                "connections": of_workers("egret_worker_connections")}


# All go to one origin, by as many connections as there are clients: the pool's limits are out of reach.
EGRET_CONFIG = """\
workers: %(workers)d
admin: {address: "127.0.0.1:0"}
access_log: [{file: {path: %(log)s}, format: JSON}]
secrets:
- {name: proxy, certificate: {certificate: {file: %(certificate)s}, key: {file: %(key)s}}}
- {name: origin, trust: {roots: {file: %(certificate)s}}}
%(secret)s
%(resolver)s
listeners:
- name: egress
  address: "127.0.0.1:0"
  filters:
  %(terminator)s
  - http_connection:
      https_in_clear: true
      filters:
      - egress_policy: {policy: bench}
      - connect_tunnel: %(tunnel)s
      - forward_router: {pool: {max_idle_per_key: 10000, max_connections_per_key: 20000}, tls: {trust: origin}}
%(listener)s
policies:
- name: bench
  rules:
  - name: origin
    action: ALLOW
    to: {%(to)s, ports: [%(ports)s], protocols: [TLS, HTTP, OTHER]}
    reaches_private: ["127.0.0.0/8"]
%(rule)s"""
