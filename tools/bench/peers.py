"""Other people's proxies, where they are installed. One worker each, nothing cached, nothing logged."""
import os
import re
import shutil

import machine
from subjects import Process, Subject, free_ports, listening, write


class Peer(Subject):
    """Somebody else's proxy, if it is installed."""
    program, asked_version = "", "--version"

    def __init__(self, binary):
        self.binary = binary

    def run(self, folder, cores, port, command, **kwargs):
        self.port = port
        self.process = Process(self.name, folder, cores, command, **kwargs)
        self.process.wait_until(listening(port))
        for pid in machine.tree(self.pid()):  # Traffic Server frees its threads from the core that they were given
            machine.move(pid, cores)

    def address(self, workload):
        return "127.0.0.1:%d" % self.port

    def version(self):
        found = re.search(r"\d+\.\d+(\.\d+)*", machine.output(self.binary, self.asked_version))
        return found.group(0) if found else ""


class Squid(Peer):
    name = program = "squid"
    asked_version = "-v"

    def start(self, folder, cores, origin):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "squid.conf"), "\n".join([
            "http_port 127.0.0.1:%d" % port, "http_access allow all", "cache deny all", "cache_mem 0", "access_log none",
            "cache_log /dev/null", "cache_store_log none", "pid_filename none", "coredump_dir none", "pinger_enable off",
            "max_filedescriptors 16384", "shutdown_lifetime 0 seconds",
            "cache_effective_user proxy", ""]))  # where root starts it; Debian always has this user
        # The name is also that of its shared memory: none is met that another one left behind.
        self.run(folder, cores, port, [self.binary, "-N", "-d", "1", "-n", "bench%d" % port, "-f", config])


class Tinyproxy(Peer):
    name = program = "tinyproxy"
    asked_version = "-v"

    def does(self, workload):  # it ends each connection of plain requests after one, and does not say that it will
        return workload.load != "forward" and super().does(workload)

    def start(self, folder, cores, origin):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "tinyproxy.conf"), "\n".join([
            "Port %d" % port, "Listen 127.0.0.1", "Allow 127.0.0.1", "MaxClients 4096", "Timeout 600",
            "LogLevel Critical", "LogFile \"%s/tinyproxy.out\"" % folder, "PidFile \"%s/tinyproxy.pid\"" % folder, ""]))
        self.run(folder, cores, port, [self.binary, "-d", "-c", config])


class TrafficServer(Peer):
    name, program = "trafficserver", "traffic_server"

    def start(self, folder, cores, origin):
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
        self.run(folder, cores, port, [self.binary], env=dict(os.environ, PROXY_CONFIG_CONFIG_DIR=etc))


class Envoy(Peer):
    """The dynamic forward proxy; it ends CONNECT itself and relays."""
    program = "envoy"

    def __init__(self, binary, workers=1):
        super().__init__(binary)
        self.workers = workers
        self.name = "envoy" if workers == 1 else "envoy-%d" % workers

    def start(self, folder, cores, origin):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "envoy.yaml"), ENVOY_CONFIG % {"port": port})
        self.run(folder, cores, port, [self.binary, "-c", config, "--concurrency", str(self.workers),
                                       "--disable-hot-restart", "--log-level", "error"])


# What is asked for is an address, so no name server is asked; each limit that the measurement could meet is out of reach.
ENVOY_CONFIG = """\
static_resources:
  listeners:
  - name: egress
    address: {socket_address: {address: 127.0.0.1, port_value: %(port)d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: egress
          upgrade_configs: [{upgrade_type: CONNECT}]
          route_config:
            virtual_hosts:
            - name: everything
              domains: ["*"]
              routes:
              - match: {connect_matcher: {}}
                route: {cluster: anywhere, timeout: 0s, upgrade_configs: [{upgrade_type: CONNECT, connect_config: {}}]}
              - match: {prefix: /}
                route: {cluster: anywhere, timeout: 0s}
          http_filters:
          - name: envoy.filters.http.dynamic_forward_proxy
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig
              dns_cache_config: &names {name: names, dns_lookup_family: V4_ONLY}
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: anywhere
    lb_policy: CLUSTER_PROVIDED
    connect_timeout: 5s
    circuit_breakers:
      thresholds: [{max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000}]
    cluster_type:
      name: envoy.clusters.dynamic_forward_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
        dns_cache_config: *names
"""

FETCHED = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "egret-bench")
PLACES = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:" + FETCHED
NAMES = ["squid", "tinyproxy", "trafficserver", "envoy", "envoy-2"]


def installed_peers(envoy=None):
    """The peers that are here, and a line about each that is not. `envoy`: its binary, if not one of PLACES."""
    found, absent = [], []
    for kind, remedy in ((Squid, "apt-get install squid"), (Tinyproxy, "apt-get install tinyproxy"),
                         (TrafficServer, "apt-get install trafficserver"), (Envoy, "tools/bench/fetch_envoy")):
        binary = kind is Envoy and envoy or shutil.which(kind.program, path=PLACES)
        if binary:
            found.append(kind(binary))
        else:
            absent.append("%s (%s)" % (kind.program, remedy))
        if binary and kind is Envoy:
            found.append(Envoy(binary, workers=2))
    return found, absent
