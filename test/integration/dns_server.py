"""A name server of the test: scripted answers over UDP and TCP on one free port, every query counted."""
import ipaddress
import socket
import struct
import threading

from dnslib import A, AAAA, CNAME, DNSRecord, QTYPE, RCODE, RR

NXDOMAIN, SERVFAIL, REFUSED = RCODE.NXDOMAIN, RCODE.SERVFAIL, RCODE.REFUSED
SILENT = object()


class DnsServer:
    """names: {"a.test": what}, where what is a list of addresses (and of "CNAME other.test" entries), an RCODE,
    SILENT, or a function (DNSRecord query, "udp" or "tcp", count of earlier queries for it) -> bytes, None or any of
    the former. Names that are not listed do not exist. `queries` holds (name, type, transport) in order."""

    def __init__(self, names, ttl=60, host="127.0.0.1", port=0):
        self.names, self.ttl = dict(names), ttl
        self.queries = []
        self.lock = threading.Lock()
        self.udp, self.tcp = self._bind(host, port)
        self.port = self.udp.getsockname()[1]
        self.address = "%s:%d" % (host, self.port)
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _bind(host, port):
        for _ in range(50):  # the port must be free for both
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind((host, port))
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                tcp.bind((host, udp.getsockname()[1]))
            except OSError:
                udp.close()
                tcp.close()
                continue
            tcp.listen(16)
            return udp, tcp
        raise AssertionError("no port is free for UDP and TCP")

    def asked(self, name):
        """The queries for `name`, letter case aside."""
        return [q for q in list(self.queries) if q[0].lower() == name.lower()]

    def reply(self, query, what):
        """`what` as a DNSRecord that answers `query`."""
        answer = query.reply()
        if isinstance(what, int):
            answer.header.rcode = what
            return answer
        wanted, owner = query.q.qtype, query.q.qname
        for item in what:
            if item.startswith("CNAME "):
                alias = item[len("CNAME "):]
                answer.add_answer(RR(owner, QTYPE.CNAME, ttl=self.ttl, rdata=CNAME(alias)))
                owner = alias
            elif (":" in item) == (wanted == QTYPE.AAAA) and wanted in (QTYPE.A, QTYPE.AAAA):
                kind, data = (QTYPE.AAAA, AAAA) if ":" in item else (QTYPE.A, A)
                packed = tuple(ipaddress.ip_address(item).packed)
                answer.add_answer(RR(owner, kind, ttl=self.ttl, rdata=data(packed)))
        return answer

    def _answer(self, data, transport):
        try:
            query = DNSRecord.parse(data)
        except Exception:  # not DNS: said nothing
            return None
        name = str(query.q.qname).rstrip(".")
        with self.lock:
            earlier = len([q for q in self.queries if q[0].lower() == name.lower() and q[1] == QTYPE[query.q.qtype]])
            self.queries.append((name, QTYPE[query.q.qtype], transport))
        what = self.names.get(name.lower(), NXDOMAIN)
        if callable(what):
            what = what(query, transport, earlier)
        if what is SILENT or what is None:
            return None
        return what if isinstance(what, (bytes, bytearray)) else self.reply(query, what).pack()

    def _serve_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(data, "udp")
            if answer is not None:
                self.udp.sendto(answer, peer)

    def _serve_tcp(self):
        while True:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_stream, args=(sock,), daemon=True).start()

    def _serve_stream(self, sock):
        with sock, sock.makefile("rb") as stream:
            while True:
                prefix = stream.read(2)
                if len(prefix) < 2:
                    return
                answer = self._answer(stream.read(struct.unpack("!H", prefix)[0]), "tcp")
                if answer is not None:
                    sock.sendall(struct.pack("!H", len(answer)) + answer)

    def close(self):
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:  # an unconnected UDP socket says so, and wakes its reader all the same
                pass
            sock.close()
        for thread in self.threads:
            thread.join()
