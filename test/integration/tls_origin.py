"""Origins over TLS: python's ssl around a script of origins.py, or around an HTTP/2 server on python3-h2."""
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import hpack
from http_text import Reader
from origins import ScriptedOrigin
from waiting import SECONDS


def server_context(pair, alpn=(), client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


class TlsOrigin(ScriptedOrigin):
    """The scripts run inside TLS, `h2_script` where the client agreed on h2. handshakes: (alpn, resumed) of each that went
    well; failures: what the others came to."""

    def __init__(self, context, *scripts, h2_script=None, **where):
        self.context, self.h2_script = context, h2_script
        self.handshakes, self.failures, self.names = [], [], []
        context.sni_callback = lambda sock, name, _: self.names.append(name)
        super().__init__(*scripts, **where)

    def _run(self, script, connection):
        connection.sock = self.context.wrap_socket(connection.sock, server_side=True, do_handshake_on_connect=False)
        try:
            connection.sock.do_handshake()
        except OSError as e:  # ssl.SSLError is one
            self.failures.append(getattr(e, "reason", None) or str(e))
            self._wait_end(connection)
            return
        connection.reader = Reader(connection.sock)
        connection.alpn = connection.sock.selected_alpn_protocol()
        self.handshakes.append((connection.alpn, connection.sock.session_reused))
        super()._run(self.h2_script if connection.alpn == "h2" else script, connection)

    @staticmethod
    def _wait_end(connection):
        """A close at once would be a reset, which overtakes the alert."""
        with socket.socket(fileno=connection.sock.detach()) as sock:
            sock.settimeout(SECONDS)
            try:
                while sock.recv(65536):
                    pass
            except OSError:
                pass
        connection.closed = True


class H2Server:
    """A script: an HTTP/2 server that answers each request at its end. answer(headers, content) -> (headers, content,
    trailers). seen: the headers of all requests of all connections; unindexed: the names of those that were not to get into
    any table (RFC 7541 6.2.3), one set each."""

    def __init__(self, answer=None, streams=None, hold=0, before=None, at_head=False):
        """streams: MAX_CONCURRENT_STREAMS; hold: answers nothing before so many requests are there; before(self,
        connection, h2, stream): instead of an answer, where it gives true; at_head: answers without waiting for the end,
        as CONNECT is answered."""
        self.at_head = at_head
        self.answer = answer or (lambda headers, content: ([(":status", "200")], b"ok", None))
        self.streams, self.hold, self.before = streams, hold, before
        self.seen, self.unindexed, self.most_open, self.lock = [], [], 0, threading.Lock()

    def __call__(self, connection):
        server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8",
                                                                              validate_inbound_headers=False))
        if self.streams is not None:
            server.local_settings = h2.settings.Settings(
                client=False, initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.streams})
        server.initiate_connection()
        connection.send(server.data_to_send())
        requests, ended, pouring = {}, [], {}  # pouring: what is left of each answer
        while True:
            connection.sock.settimeout(0.02 if ended else SECONDS * 3)  # others may bring what is waited for
            try:
                data = connection.sock.recv(65536)
                if not data:
                    return
            except TimeoutError:
                if not ended:
                    raise
                data = b""
            for event in server.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    requests[event.stream_id] = (dict(event.headers), bytearray())
                    with self.lock:
                        self.seen.append(dict(event.headers))
                        self.unindexed.append({field[0] for field in event.headers
                                               if isinstance(field, hpack.NeverIndexedHeaderTuple)})
                        self.most_open = max(self.most_open, len(requests))
                    if self.at_head:
                        ended.append(event.stream_id)
                elif isinstance(event, h2.events.DataReceived):
                    requests[event.stream_id][1].extend(event.data)
                    server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    ended.append(event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    requests.pop(event.stream_id, None)
                    pouring.pop(event.stream_id, None)
            if len(self.seen) >= self.hold:
                for stream in [s for s in ended if s in requests]:
                    if self.before is not None and self.before(self, connection, server, stream):
                        return
                    pouring[stream] = self._answer(server, stream, *requests.pop(stream))
                ended.clear()
            self._pour(server, pouring)
            connection.send(server.data_to_send())

    def _answer(self, server, stream, headers, content):
        fields, body, trailers = self.answer(headers, bytes(content))
        server.send_headers(stream, fields)
        return body, trailers

    @staticmethod
    def _pour(server, pouring):
        """As much of each answer's content as its windows take."""
        for stream, (body, trailers) in list(pouring.items()):
            whole = False
            while not whole:
                room = max(0, min(server.local_flow_control_window(stream), server.max_outbound_frame_size))
                whole = len(body) <= room
                if not whole and room == 0:
                    break
                server.send_data(stream, body[:room], end_stream=whole and trailers is None)
                body = body[room:]
            pouring[stream] = (body, trailers)
            if whole:
                if trailers is not None:
                    server.send_headers(stream, trailers, end_stream=True)
                del pouring[stream]
