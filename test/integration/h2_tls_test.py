"""What RFC 9113 asks for, and CONNECT, once more over TLS: the tests of h2_frames_test, h2_hpack_test, h2_messages_test and
h2_connect_test with ALPN h2. The preface is tested in clear; over TLS nothing else may follow "h2"."""
import os
import shutil
import socket
import ssl
import tempfile

import h2_connect_test
import h2_frames_test
import h2_hpack_test
import h2_messages_test
from authority import Authority
from h2_case import H2Case
from waiting import SECONDS

MODULES = (h2_connect_test, h2_frames_test, h2_hpack_test, h2_messages_test)


class OverTls:
    @classmethod
    def configure(cls, config):
        folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        cls.addClassCleanup(shutil.rmtree, folder, True)
        authority = Authority(folder, "servers")
        certificate, key = authority.issue("proxy", "DNS:proxy.test")
        config["secrets"] = [{"name": "c", "certificate": {"certificate": {"file": certificate}, "key": {"file": key}}}]
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {"certificates": ["c"]}})
        cls.context = ssl.create_default_context(cafile=authority.ca)
        cls.context.set_alpn_protocols(["h2"])

    def client(self, *pairs, **more):
        sock = socket.create_connection(self.egret.address, SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = self.context.wrap_socket(sock, server_hostname="proxy.test")
        self.assertEqual(secure.selected_alpn_protocol(), "h2")
        return super().client(*pairs, sock=secure, **more)


for module in MODULES:
    for name, case in list(vars(module).items()):
        if isinstance(case, type) and issubclass(case, H2Case) and case is not H2Case and name != "Preface":
            globals()[name] = type(name, (OverTls, case), {"__module__": __name__})
del case, module, name
