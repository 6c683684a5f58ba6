"""What is measured: the work that every subject is given."""
import argparse
from typing import NamedTuple, Union

import mitm

OURS = ("limit", "limit-copy", "limit-again", "egret")
FILES = {"/1k": 1 << 10, "/100k": 100 << 10, "/64m": 64 << 20}  # what nginx has


class Workload(NamedTuple):
    name: str
    load: str  # what the client does: see load.cc
    asked: Union[str, int]  # a path is asked of nginx; a number of bytes of `origin`, whose protocol nobody takes for
    # HTTP, so that a tunnel is relayed whatever a proxy would do to HTTP
    connections: int
    text: str  # what one operation is
    only: tuple = ()  # names of the subjects that it is for; (): all that can
    workers: int = 1
    streams: int = 1  # outstanding on each connection of HTTP/2
    http2_origin: bool = False  # in clear, which a proxy knows by the configuration or by application/grpc
    https_origin: bool = False  # with HTTP/2 by ALPN, for those who offer it; outside of tunnels, the client asks for
    # https:// in clear
    names: int = 0  # that the client asks for, in turn, all of the one origin; 0: by address
    operations: int = 0  # to measure, however long they take; 0: for as long as the options say
    warm_up_operations: int = 0

    @property
    def tls(self):
        """Whether the client speaks TLS to the proxy."""
        return self.load.startswith("tls_")

    @property
    def inside(self):
        """Whether the client speaks TLS with the origin, as it thinks, and the proxy is to read it."""
        return self.load.startswith("mitm_")

    @property
    def http2(self):
        """Whether the client speaks HTTP/2, which it does in clear."""
        return self.load.startswith("h2_")

    @property
    def forwards(self):
        """Everything goes to one origin, and what is in tunnels is requests to the proxy as well."""
        return self.load not in ("connect", "tunnel", "h2_tunnel")

    @property
    def is_idle(self):
        """Nothing is done; memory is what is measured."""
        return self.name.startswith("idle")

    @property
    def is_bulk(self):
        return "bulk" in self.name

    @property
    def asked_bytes(self):
        """Of one answer."""
        return FILES[self.asked] if isinstance(self.asked, str) else self.asked


def _idle(name, load, text, **more):
    return Workload(name, load, "/1k", 2000, "resident memory of " + text + ", 2,000 open in a fresh process", ("egret",), **more)


def _growth(connections):
    return Workload("growth%d" % connections, "forward", "/1k", connections,
                    "fwd on {:,} connections".format(connections), OURS + ("envoy",))


def _workers(connections):
    return Workload("workers%d" % connections, "forward", "/1k", connections,
                    "fwd on {:,} connection{}, two workers on two cores, which origin and load share".format(
                        connections, "" if connections == 1 else "s"), workers=2)


_FRESH = mitm.NAMES - 32  # whose warm-up takes a name for each connection


def _mitm(name, load, asked, connections, text, names=1, **more):
    return Workload(name, load, asked, connections, text, https_origin=True, names=names, **more)


ALL = {w.name: w for w in (
    Workload("fwd", "forward", "/1k", 32, "keep-alive absolute-form GET of 1 KiB"),
    Workload("fwd100k", "forward", "/100k", 8, "keep-alive absolute-form GET of 100 KiB"),
    Workload("connect", "connect", 1 << 10, 32, "TCP + CONNECT + request and answer of 1 KiB + close"),
    Workload("connect_http", "connect", "/1k", 32, "TCP + CONNECT + GET of 1 KiB + close", OURS),
    Workload("tunnel1k", "tunnel", 1 << 10, 32, "request and answer of 1 KiB through a standing tunnel"),
    Workload("tunnel1k_http", "tunnel", "/1k", 32, "GET of 1 KiB through a standing tunnel", OURS),
    Workload("bulk", "tunnel", 64 << 20, 1, "1 KiB of a 64 MiB download through a tunnel"),
    Workload("bulk_http", "tunnel", "/64m", 1, "1 KiB of a 64 MiB HTTP download through a tunnel", OURS),
    Workload("idle", "tunnel", 1 << 10, 4000, "resident memory of one idle tunnel, 4,000 open in a fresh process"),
    _idle("idle_fwd", "forward", "one idle client connection"),
    _idle("idle_tls", "tls_forward", "one idle client connection over TLS"),
    _idle("idle_mitm", "mitm_tunnel", "one idle intercepted tunnel, HTTP/1.1 inside", https_origin=True, names=1),
    _idle("idle_mitm_h2", "mitm_h2", "one idle intercepted tunnel, HTTP/2 inside", https_origin=True, names=1),
    Workload("h2_fwd", "h2_forward", "/1k", 8, "GET of 1 KiB over HTTP/2, 8 streams a connection, HTTP/1.1 to the origin",
             streams=8),
    Workload("h2_fwd_single", "h2_forward", "/1k", 32, "the same, one stream a connection"),
    Workload("h2_fwd_h2", "h2_forward", "/1k", 8, "GET of 1 KiB over HTTP/2, 8 streams a connection, HTTP/2 to the origin",
             streams=8, http2_origin=True),
    Workload("h2_fwd_https", "h2_forward", "/1k", 8, "GET of 1 KiB over HTTP/2, 8 streams a connection, HTTP/2 over TLS to "
             "the origin", ("egret", "envoy"), streams=8, https_origin=True),
    Workload("h2_tunnel1k", "h2_tunnel", 1 << 10, 8, "request and answer of 1 KiB through a standing CONNECT stream, "
             "8 a connection", streams=8),
    Workload("tls_fwd", "tls_forward", "/1k", 32, "keep-alive absolute-form GET of 1 KiB to a proxy over TLS"),
    Workload("tls_hs", "tls_handshake", "/1k", 32, "TCP + TLS with the proxy + GET of 1 KiB + close"),
    _mitm("mitm_hs", "mitm_handshake", "/1k", 32, "TCP + CONNECT + intercepted TLS handshake + GET of 1 KiB + close, one name"),
    _mitm("mitm_hs_many", "mitm_handshake", "/1k", 32, "the same, {:,} times, each for a name that is new to the proxy"
          .format(_FRESH), names=mitm.NAMES, operations=_FRESH),
    _mitm("mitm_hs_minted", "mitm_handshake", "/1k", 32, "the same over {:,} names in turn, each asked for once before"
          .format(mitm.NAMES), names=mitm.NAMES, warm_up_operations=mitm.NAMES, only=OURS + ("squid",)),
    _mitm("mitm_ka", "mitm_tunnel", "/1k", 32, "GET of 1 KiB on a standing intercepted connection"),
    _mitm("mitm_bulk", "mitm_tunnel", "/64m", 1, "1 KiB of a 64 MiB intercepted download"),
    _mitm("mitm_h2_ka", "mitm_h2", "/1k", 8, "GET of 1 KiB over HTTP/2 on a standing intercepted connection, 8 streams each",
          streams=8),
    *(_growth(connections) for connections in (10, 1000, 8000)),
    *(_workers(connections) for connections in (1, 10, 1000)),
)}
GROUPS = {
    "memory": [name for name in ALL if name.startswith("idle")],
    "growth": [name for name in ALL if name.startswith("growth")],
    "workers": [name for name in ALL if name.startswith("workers")],
    "mitm": [name for name in ALL if name.startswith("mitm")],
}


def named(names):
    """The workloads that an argument like "fwd,growth" means."""
    meant = [name for given in names.split(",") for name in GROUPS.get(given, [given])]
    unknown = sorted(set(meant) - set(ALL))
    if unknown:
        raise argparse.ArgumentTypeError("no such workload: %s; there are %s" % (
            ", ".join(unknown), ", ".join([*ALL, *GROUPS])))
    return [ALL[name] for name in meant]
