"""A client that sends exactly the bytes that it is told to."""
import socket
import ssl
import struct

from http_text import Reader

LINGER_RESET = struct.pack("ii", 1, 0)  # close() sends RST
TIMEOUT = 20


class RawClient:
    """One connection to the proxy (or to anything else: address is (host, port))."""

    def __init__(self, address, receive_buffer=None):
        self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.sock.settimeout(TIMEOUT)
        if receive_buffer is not None:  # what the peer may have under way; to be said before it is told of
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.sock.connect(address[:2])
        except OSError:
            self.sock.close()
            raise
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = "%s:%d" % self.sock.getsockname()[:2]
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data)

    def send_what_goes(self, data):
        """As send(), but the peer may close in between."""
        try:
            self.sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass

    def send_split(self, data, size=1):
        for at in range(0, len(data), size):
            self.send(data[at:at + size])

    def read_response(self, method="GET"):
        """The next final response, with the interim ones before it; None if the connection ends first."""
        interim = []
        while True:
            response = self.reader.head()
            if response is None:
                return None
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        bodiless = method == "HEAD" or response.status in (101, 204, 304)
        if not bodiless and not (method == "CONNECT" and response.status < 300):
            self.reader.body_of(response, to_end=True)
        return response

    def ask(self, data, method=None):
        self.send_what_goes(data)
        return self.read_response(method or data.split(b" ", 1)[0].decode("latin-1"))

    def get(self, url, *fields, version="HTTP/1.1", host=None):
        """A well-formed GET in absolute form; `fields` are whole lines."""
        authority = host or url.split("://")[1].split("/")[0]
        lines = ["GET %s %s" % (url, version), "Host: " + authority, *fields, "", ""]
        return self.ask("\r\n".join(lines).encode("latin-1"))

    def connect(self, authority, *fields):
        lines = ["CONNECT %s HTTP/1.1" % authority, "Host: " + authority, *fields, "", ""]
        return self.ask("\r\n".join(lines).encode("latin-1"))

    def start_tls(self, name, ca=None):
        """Handshakes over what this connection now carries; gives the TLS socket."""
        context = ssl.create_default_context(cafile=ca)
        if ca is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=name)
        self.reader = Reader(self.sock)
        return self.sock

    def end(self):
        """Reads on until the peer ends, and says how: "fin" or "rst"."""
        self.reader.to_end()
        return self.reader.ended

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.sock.close()

    def close(self):
        self.sock.close()
