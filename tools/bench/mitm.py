"""What a proxy needs that looks inside TLS: a CA, names that lead here, and how it is told to."""
import os
import subprocess

NAMES = 2032  # n0.bench.test, ...: what load.cc asks for


class Authority:
    """The CA whose leaves clients are shown, and a file of hosts that has all NAMES."""

    def __init__(self, folder):
        self.certificate, self.key = (os.path.join(folder, name) for name in ("ca.pem", "ca.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=bench CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "2",
                        "-keyout", self.key, "-out", self.certificate], check=True, stderr=subprocess.DEVNULL)
        self.hosts = os.path.join(folder, "hosts")
        with open(self.hosts, "w") as f:
            f.write("".join("127.0.0.1 n%d.bench.test\n" % number for number in range(NAMES)))


# The tunnels' listener, the CA, and a rule that lets nothing pass unread; "origin" is whom Egret's own configuration
# believes. Each name has a pool of its own.
EGRET = {
    "tunnel": "{listener: tunnels}",
    "listener": """\
- name: tunnels
  internal: {}
  listener_filters:
  - tls_inspector: {}
  - egress_policy: {}
  filter_chains:
  - name: inspected
    match: {verdict: INSPECT}
    filters:
    - mitm_terminator: {authority: ca, tls: {trust: origin}}
    - http_connection:
        filters:
        - egress_policy: {}
        - forward_router: {pool: {max_idle_per_key: 10000, max_connections_per_key: 20000}}
""",
    "secret": "- {name: ca, certificate_authority: {certificate: {file: %(certificate)s}, key: {file: %(key)s}}}",
    "resolver": "resolver: {hosts_file: %(hosts)s}",
    "rule": "    inspection: REQUIRED\n",
    "to": "domains: [.bench.test]",
}
EGRET_OUTSIDE = {"tunnel": "{}", "listener": "", "secret": "", "resolver": "", "rule": "", "to": 'cidrs: ["127.0.0.1/32"]'}


def egret(inside, authority):
    """The pieces of Egret's configuration that differ."""
    pieces = EGRET if inside else EGRET_OUTSIDE
    return {name: piece % vars(authority) if "%" in piece else piece for name, piece in pieces.items()}


# The client's handshake comes first, for then connections to the origin are pooled; helpers mint the leaves.
SQUID = """\
 ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=64MB tls-cert=%(certificate)s tls-key=%(key)s
ssl_bump bump all
tls_outgoing_options cafile=%(believed)s
sslcrtd_program %(minter)s -s %(database)s -M 64MB
hosts_file %(hosts)s"""
SQUID_MINTER = "/usr/lib/squid/security_file_certgen"


def squid(folder, origin):
    """What ends the line of its port, and lines more."""
    database = os.path.join(folder, "leaves")
    os.chmod(folder, 0o711)
    subprocess.run([SQUID_MINTER, "-c", "-s", database, "-M", "64MB"], check=True, stdout=subprocess.DEVNULL)
    if os.getuid() == 0:  # its minters have given that up
        subprocess.run(["chown", "-R", "proxy", database], check=True)
    return SQUID % {"believed": origin.pair.certificate, "minter": SQUID_MINTER, "database": database,
                    **vars(origin.authority)}


# Runs inside mitmproxy: names are looked up nowhere.
MITMPROXY_NAMES = """\
def server_connect(data):
    data.server.address = ("127.0.0.1", data.server.address[1])
"""


def mitmproxy(folder, origin):
    """Arguments. The client's handshake comes first, and what is large is not kept."""
    with open(os.path.join(folder, "mitmproxy-ca.pem"), "w") as both:
        for part in (origin.authority.key, origin.authority.certificate):
            with open(part) as f:
                both.write(f.read())
    names = os.path.join(folder, "names.py")
    with open(names, "w") as f:
        f.write(MITMPROXY_NAMES)
    settings = ("confdir=" + folder, "connection_strategy=lazy", "upstream_cert=false", "stream_large_bodies=1m",
                "ssl_verify_upstream_trusted_ca=" + origin.pair.certificate)
    return ["-q", "-s", names, *(argument for setting in settings for argument in ("--set", setting))]
