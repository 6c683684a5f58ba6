"""What the tests of intercepted tunnels share: a CA of the proxy, one of the origins, the proxy between them."""
import os
import shutil
import ssl
import tempfile

from authority import Authority
from h2_client import H2Client
from harness import ANY_PORT, HOSTS, ProxyCase, allow, proxy_config
from origins import OK, reply
from tls_origin import H2Server, TlsOrigin, server_context

# Everything is read, and what lies below /secret is refused.
SECRET = {"name": "secret", "action": "DENY", "message": "not for you",
          "to": {"domains": [".test"], "port_ranges": ANY_PORT}, "http": {"path_prefixes": ["/secret"]}}
INSPECTED = allow("inspected", inspection="REQUIRED")


def mitm_config(rules, terminator, secrets, router=None, http=None, inspector=None, **top):
    """The proxy, whose tunnels are read where policy wants that, and relayed where it does not."""
    tunnel = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {"listener": "tunnels"}}, {"forward_router": {}}]
    config = proxy_config(rules, tunnel, secrets=secrets, workers=1, **top)  # each worker has connections of its own
    inner = {"filters": [{"egress_policy": {}}, {"forward_router": router or {}}], **(http or {})}
    config["listeners"].append({
        "name": "tunnels", "internal": {},
        "listener_filters": [{"tls_inspector": inspector or {}}, {"egress_policy": {}}],
        "filter_chains": [
            {"name": "inspected", "match": {"verdict": "INSPECT"},
             "filters": [{"mitm_terminator": {"authority": "ca", **terminator}}, {"http_connection": inner}]},
            {"name": "relayed", "match": {"verdict": "RELAY"}, "filters": [{"tcp_relay": {}}]}]})
    return config


class MitmCase(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.ours = Authority(os.path.join(cls.folder, "ours"), "ours")  # clients trust it
        cls.authority = Authority(os.path.join(cls.folder, "origins"), "origins")  # the proxy trusts it
        cls.pair = cls.authority.issue("origin", "DNS:origin.test", "DNS:*.more.test")

    def start_mitm(self, *rules, origins_ca=None, secrets=(), hosts=None, router=None, http=None, ca=None, top=None,
                   inspector=None, **terminator):
        """ca: (certificate, key), if not ours. top: fields of the bootstrap."""
        terminator.setdefault("tls", {"trust": "origins"})
        certificate, key = ca or (self.ours.ca, self.ours.path("ours.key"))
        known = [{"name": "ca", "certificate_authority": {"certificate": {"file": certificate}, "key": {"file": key}}},
                 {"name": "origins", "trust": {"roots": {"file": origins_ca or self.authority.ca}}}, *secrets]
        config = mitm_config(list(rules) or [SECRET, INSPECTED], terminator, known, router, http, inspector,
                             **(top or {}))
        return self.start_config(config, HOSTS if hosts is None else hosts)

    def tls_origin(self, *scripts, alpn=("h2", "http/1.1"), pair=None, h2=None, client_ca=None, adjust=None, **where):
        context = server_context(pair or self.pair, alpn, client_ca)
        if adjust:
            adjust(context)
        origin = TlsOrigin(context, *(scripts or (reply(OK),)), h2_script=h2 or H2Server(), **where)
        self.addCleanup(origin.close)
        return origin

    def client_context(self, alpn=(), trust=True):
        context = ssl.create_default_context(cafile=self.ours.ca if trust else self.authority.ca)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def inside(self, origin, alpn=("http/1.1",), name="origin.test", context=None):
        """A client that speaks TLS in its tunnel with what it takes for the origin."""
        client = self.tunnel(origin, name)
        client.sock = (context or self.client_context(alpn)).wrap_socket(client.sock, server_hostname=name)
        client.reader.sock = client.sock
        return client

    def inside_h2(self, origin, name="origin.test", context=None):
        client = self.inside(origin, ("h2",), name, context)
        h2 = H2Client(None, sock=client.sock)
        h2.local = client.local
        self.addCleanup(h2.close)
        return h2

    def authority_of(self, origin, name="origin.test"):
        return "%s:%d" % (name, origin.port)

    def get_inside(self, client, origin, path="/", *fields, name="origin.test", method="GET"):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + self.authority_of(origin, name), *fields, "", ""]
        return client.ask("\r\n".join(lines).encode())

    def ask_h2(self, client, origin, path="/", *fields, method="GET", end=True, name="origin.test"):
        return client.open([(":method", method), (":scheme", "https"), (":authority", self.authority_of(origin, name)),
                            (":path", path), *fields], end)

    def shaken(self, side="inside", result="ok"):
        return self.egret.metric("egret_tls_handshakes_total", side=side, result=result)
