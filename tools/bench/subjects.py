"""What is measured: each subject knows how it is started and where it listens. One worker each, nothing cached."""
import json
import os
import shutil
import socket
import subprocess
import time

import machine

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
    """A program on a core, with its output in a file that is shown if it fails."""

    def __init__(self, name, folder, core, command, **kwargs):
        self.name, self.log = name, os.path.join(folder, name + ".log")
        with open(self.log, "w") as log:
            self.process = machine.start(command, core, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **kwargs)

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


def ready_listeners(path):
    """What a program of ours wrote into its ready-file; None until it is whole."""
    try:
        with open(path) as f:
            return json.load(f)["listeners"]
    except (OSError, ValueError):
        return None


class Origin:
    """nginx, one process, static files of a known size on several ports; and `origin`, which answers what is relayed."""
    PORTS = 16  # connections that are opened and closed at full rate would use up the ports of one pair of addresses
    FILES = {"/1k": 1024, "/100k": 100 * 1024, "/64m": 64 * 1024 * 1024}

    def __init__(self, folder, core, relayed):
        files = os.path.join(folder, "files")
        os.makedirs(files)
        for name, size in self.FILES.items():
            with open(files + name, "wb") as f:
                f.write(b"x" * size)
        self.ports = free_ports(self.PORTS)
        config = write(os.path.join(folder, "nginx.conf"), ORIGIN_CONFIG % {
            "folder": folder, "files": files,
            "listen": "\n".join("    listen 127.0.0.1:%d backlog=4096;" % p for p in self.ports)})
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = Process("origin", folder, core, [nginx, "-p", folder, "-c", config, "-e", "stderr"])
        self.process.wait_until(listening(self.ports[-1]))
        ready = os.path.join(folder, "origin.json")
        self.relayed = Process("relayed-origin", folder, core,
                               [relayed, "--ports", str(self.PORTS), "--ready-file", ready])
        self.relayed.wait_until(lambda: ready_listeners(ready))
        self.relayed_at = ready_listeners(ready)

    def addresses(self):
        return ["127.0.0.1:%d" % p for p in self.ports]

    def relayed_addresses(self):
        return self.relayed_at

    def all_ports(self):
        return self.ports + [int(address.rpartition(":")[2]) for address in self.relayed_at]

    def stop(self):
        self.process.stop()
        self.relayed.stop()


ORIGIN_CONFIG = """\
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
events { worker_connections 16384; }
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
    name = ""
    workloads = ["fwd", "fwd100k", "connect", "connect_http", "tunnel1k", "tunnel1k_http", "bulk", "bulk_http", "idle"]

    def start(self, folder, core, origin):
        raise NotImplementedError

    def address(self, workload):
        raise NotImplementedError

    def stop(self):
        self.process.stop()

    def pid(self):
        return self.process.process.pid


class WithReadyFile(Subject):
    """Programs of ours take any free port and write which."""

    def run(self, folder, core, command):
        path = os.path.join(folder, "ready.json")
        self.process = Process(self.name, folder, core, command + ["--ready-file", path])
        self.process.wait_until(lambda: ready_listeners(path))
        self.listeners = ready_listeners(path)


class Limit(WithReadyFile):
    name = "limit"
    ports = {"fwd": "relay", "fwd100k": "relay", "bulk": "splice", "bulk_http": "splice"}  # others: connect

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder, core, origin):
        self.run(folder, core, [self.binary, "--origin", origin.addresses()[0]])

    def address(self, workload):
        return self.listeners[self.ports.get(workload, "connect")]


class CopyingLimit(Limit):
    """What bulk costs with recv and send."""
    name = "limit-copy"
    workloads = ["bulk", "bulk_http"]
    ports = {}


class LimitAgain(Limit):
    """The same program once more: how far its ratio is from 1.00 is the noise of a run."""
    name = "limit-again"


class Egret(WithReadyFile):
    """With its access log, its metrics and a policy that decides every request."""
    name = "egret"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder, core, origin):
        config = write(os.path.join(folder, "egret.yaml"), EGRET_CONFIG % {
            "log": os.path.join(folder, "access.log"), "ports": ", ".join(map(str, origin.all_ports()))})
        self.run(folder, core, [self.binary, "--config", config])

    def address(self, workload):
        return self.listeners["egress"]


EGRET_CONFIG = """\
workers: 1
admin: {address: "127.0.0.1:0"}
access_log: [{file: {path: %(log)s}, format: JSON}]
listeners:
- name: egress
  address: "127.0.0.1:0"
  filters:
  - http_connection:
      filters:
      - egress_policy: {policy: bench}
      - connect_tunnel: {}
      - forward_router: {}
policies:
- name: bench
  rules:
  - name: origin
    action: ALLOW
    to: {cidrs: ["127.0.0.1/32"], ports: [%(ports)s], protocols: [TLS, HTTP, OTHER]}
    reaches_private: ["127.0.0.0/8"]
"""


class Peer(Subject):
    """Somebody else's proxy, if it is installed."""
    program = ""

    def __init__(self, binary):
        self.binary = binary

    def run(self, folder, core, port, command, **kwargs):
        self.port = port
        self.process = Process(self.name, folder, core, command, **kwargs)
        self.process.wait_until(listening(port))

    def address(self, workload):
        return "127.0.0.1:%d" % self.port


class Squid(Peer):
    name = program = "squid"

    def start(self, folder, core, origin):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "squid.conf"), "\n".join([
            "http_port 127.0.0.1:%d" % port, "http_access allow all", "cache deny all", "cache_mem 0", "access_log none",
            "cache_log /dev/null", "cache_store_log none", "pid_filename none", "coredump_dir none", "pinger_enable off",
            "max_filedescriptors 16384", "shutdown_lifetime 0 seconds",
            "cache_effective_user proxy", ""]))  # where root starts it; Debian always has this user
        # The name is also that of its shared memory: none is met that another one left behind.
        self.run(folder, core, port, [self.binary, "-N", "-d", "1", "-n", "bench%d" % port, "-f", config])


class Tinyproxy(Peer):
    name = program = "tinyproxy"

    def start(self, folder, core, origin):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "tinyproxy.conf"), "\n".join([
            "Port %d" % port, "Listen 127.0.0.1", "Allow 127.0.0.1", "MaxClients 4096", "Timeout 600",
            "LogLevel Critical", "LogFile \"%s/tinyproxy.out\"" % folder, "PidFile \"%s/tinyproxy.pid\"" % folder, ""]))
        self.run(folder, core, port, [self.binary, "-d", "-c", config])


class TrafficServer(Peer):
    name, program = "trafficserver", "traffic_server"

    def start(self, folder, core, origin):
        port = free_ports(1)[0]
        for name in ("etc", "run", "log", "cache"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        settings = {
            "http.server_ports": "STRING %d:ip-in=127.0.0.1" % port, "http.connect_ports": "STRING *",
            "url_remap.remap_required": "INT 0", "reverse_proxy.enabled": "INT 0", "http.cache.http": "INT 0",
            "exec_thread.autoconfig": "INT 0", "exec_thread.limit": "INT 1", "accept_threads": "INT 0",
            "task_threads": "INT 1", "log.logging_enabled": "INT 0", "admin.user_id": "STRING #-1",
            "bin_path": "STRING " + os.path.dirname(self.binary), "local_state_dir": "STRING %s/run" % folder,
            "log.logfile_dir": "STRING %s/log" % folder,
        }
        etc = os.path.join(folder, "etc")
        write(etc + "/records.config", "".join("CONFIG proxy.config.%s %s\n" % s for s in settings.items()))
        write(etc + "/storage.config", "%s/cache 16M\n" % folder)
        write(etc + "/ip_allow.yaml",
              "ip_allow:\n- {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n")
        self.run(folder, core, port, [self.binary], env=dict(os.environ, PROXY_CONFIG_CONFIG_DIR=etc))


PEERS = [Squid, Tinyproxy, TrafficServer]


def installed_peers():
    """The peers that are here, and the names of those that are not."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = [(kind, shutil.which(kind.program, path=path)) for kind in PEERS]
    return [kind(binary) for kind, binary in found if binary], [kind.name for kind, binary in found if not binary]
