"""Other people's proxies, where they are installed. One worker each, nothing cached, nothing logged."""
import os
import re
import shutil

import machine
import mitm
from subjects import Process, Subject, free_ports, listening, write


class Peer(Subject):
    """Somebody else's proxy, if it is installed."""
    program, asked_version = "", "--version"
    takes_tls = takes_http2 = False  # of clients
    looks_inside = False  # of TLS in tunnels, with certificates of its own making

    def __init__(self, binary):
        self.binary = binary

    def does(self, workload):
        return (self.takes_tls or not workload.tls) and (self.takes_http2 or not workload.http2) and (
            self.looks_inside or not workload.inside) and super().does(workload)

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

    def __init__(self, binary):
        super().__init__(binary)
        self.takes_tls = self.looks_inside = "--with-openssl" in machine.output(binary, "-v")

    def does(self, workload):
        return (not workload.inside or workload.streams == 1) and super().does(workload)  # it speaks no HTTP/2

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        listen = "http_port 127.0.0.1:%d" % port
        if workload.tls:
            listen = "https_port 127.0.0.1:%d tls-cert=%s tls-key=%s" % (port, origin.pair.certificate, origin.pair.key)
        if workload.inside:
            listen += mitm.squid(folder, origin)
        config = write(os.path.join(folder, "squid.conf"), "\n".join([
            listen, "http_access allow all", "cache deny all", "cache_mem 0", "access_log none",
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

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "tinyproxy.conf"), "\n".join([
            "Port %d" % port, "Listen 127.0.0.1", "Allow 127.0.0.1", "MaxClients 4096", "Timeout 600",
            "LogLevel Critical", "LogFile \"%s/tinyproxy.out\"" % folder, "PidFile \"%s/tinyproxy.pid\"" % folder, ""]))
        self.run(folder, cores, port, [self.binary, "-d", "-c", config])


class TrafficServer(Peer):
    name, program = "trafficserver", "traffic_server"
    takes_tls = True

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        for name in ("etc", "run", "log", "cache"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        settings = {
            "http.server_ports": "STRING %d:ip-in=127.0.0.1%s" % (port, ":ssl" if workload.tls else ""), "http.connect_ports": "STRING *",
            "url_remap.remap_required": "INT 0", "reverse_proxy.enabled": "INT 0", "http.cache.http": "INT 0",
            "exec_thread.autoconfig": "INT 0", "exec_thread.limit": "INT 1", "accept_threads": "INT 0",
            "task_threads": "INT 1", "log.logging_enabled": "INT 0", "admin.user_id": "STRING #-1",
            "ssl.client.scheme_proto_mismatch_policy": "INT 0",  # http:// may be asked for over TLS
            "bin_path": "STRING " + os.path.dirname(self.binary), "local_state_dir": "STRING %s/run" % folder,
            "log.logfile_dir": "STRING %s/log" % folder,
        }
        etc = os.path.join(folder, "etc")
        write(etc + "/records.config", "".join("CONFIG proxy.config.%s %s\n" % s for s in settings.items()))
        write(etc + "/ssl_multicert.config", "dest_ip=* ssl_cert_name=%s ssl_key_name=%s\n" % (
            origin.pair.certificate, origin.pair.key))
        write(etc + "/storage.config", "%s/cache 16M\n" % folder)
        write(etc + "/ip_allow.yaml",
              "ip_allow:\n- {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n")
        self.run(folder, cores, port, [self.binary], env=dict(os.environ, PROXY_CONFIG_CONFIG_DIR=etc))


class Envoy(Peer):
    """The dynamic forward proxy; it ends CONNECT itself and relays."""
    program = "envoy"
    takes_tls = takes_http2 = True

    def __init__(self, binary, workers=1):
        super().__init__(binary)
        self.workers = workers
        self.name = "envoy" if workers == 1 else "envoy-%d" % workers

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "envoy.yaml"), ENVOY_CONFIG % {
            "port": port,
            "transport": ENVOY_TLS % vars(origin.pair) if workload.tls else "",
            "upstream": self.upstream(workload, origin.pair)})
        self.run(folder, cores, port, [self.binary, "-c", config, "--concurrency", str(self.workers),
                                       "--disable-hot-restart", "--log-level", "error"])

    def upstream(self, workload, pair):
        """HTTP/2 where the origin speaks it, over TLS that verifies where it wants that."""
        encrypted = ENVOY_UPSTREAM_TLS % vars(pair) if workload.https_origin else ""
        return (ENVOY_HTTP2 if workload.http2_origin or workload.https_origin else "") + encrypted


# What is asked for is an address, so no name server is asked; each limit that the measurement could meet is out of reach.
ENVOY_CONFIG = """\
static_resources:
  listeners:
  - name: egress
    address: {socket_address: {address: 127.0.0.1, port_value: %(port)d}}
    filter_chains:
    - %(transport)s
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: egress
          upgrade_configs: [{upgrade_type: CONNECT}]
          http2_protocol_options: {allow_connect: true}
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
    %(upstream)s
    cluster_type:
      name: envoy.clusters.dynamic_forward_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
        allow_insecure_cluster_options: true
        dns_cache_config: *names
"""
ENVOY_TLS = """\
transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates: [{certificate_chain: {filename: %(certificate)s}, private_key: {filename: %(key)s}}]
"""
ENVOY_HTTP2 = """\
typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
"""
ENVOY_UPSTREAM_TLS = """\
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: localhost
        common_tls_context: {alpn_protocols: [h2], validation_context: {trusted_ca: {filename: %(certificate)s}}}
"""


class Nginx(Peer):
    """No forward proxy: everything goes to the one origin. Where it can do the same work, it is a floor of another kind."""
    name = program = "nginx"
    asked_version = "-v"
    takes_tls = takes_http2 = True

    def does(self, workload):
        return (workload.tls or workload.http2) and workload.forwards and not workload.http2_origin and super().does(
            workload)

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        config = write(os.path.join(folder, "nginx.conf"), NGINX_CONFIG % {
            "folder": folder, "port": port, "kind": "ssl" if workload.tls else "http2",
            "origin": origin.targets(workload)[0], **vars(origin.pair)})
        self.run(folder, cores, port, [self.binary, "-p", folder, "-c", config, "-e", "stderr"])


NGINX_CONFIG = """\
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
events { worker_connections 20000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  upstream origin {
    server %(origin)s;
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:%(port)d backlog=4096 %(kind)s;
    ssl_certificate %(certificate)s;
    ssl_certificate_key %(key)s;
    ssl_session_cache off;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}
"""

class Mitmproxy(Peer):
    """Where TLS is looked into only: for the rest it is no peer. Of several streams at once it stopped answering some."""
    name, program = "mitmproxy", "mitmdump"
    looks_inside = True

    def does(self, workload):
        return workload.inside and workload.streams == 1 and super().does(workload)

    def start(self, folder, cores, origin, workload):
        port = free_ports(1)[0]
        self.run(folder, cores, port, [self.binary, "--listen-host", "127.0.0.1", "-p", str(port),
                                       *mitm.mitmproxy(folder, origin)])


FETCHED = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "egret-bench")
PLACES = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:" + FETCHED
NAMES = ["squid", "tinyproxy", "trafficserver", "nginx", "envoy", "envoy-2", "mitmproxy"]


def installed_peers(envoy=None):
    """The peers that are here, and a line about each that is not. `envoy`: its binary, if not one of PLACES."""
    found, absent = [], []
    for kind, remedy in ((Squid, "apt-get install squid-openssl"), (Tinyproxy, "apt-get install tinyproxy"),
                         (TrafficServer, "apt-get install trafficserver"),
                         (Nginx, "apt-get install nginx-light"), (Envoy, "tools/bench/fetch_envoy"),
                         (Mitmproxy, "tools/bench/fetch_mitmproxy")):
        binary = kind is Envoy and envoy or shutil.which(kind.program, path=PLACES)
        if binary:
            found.append(kind(binary))
        else:
            absent.append("%s (%s)" % (kind.program, remedy))
        if binary and kind is Envoy:
            found.append(Envoy(binary, workers=2))
    return found, absent
