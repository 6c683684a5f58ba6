"""An HTTP/2 client on python3-h2 that also sends what no honest client would."""
import socket

import h2.config
import h2.connection
import h2.errors
import h2.events
from raw_client import LINGER_RESET
from waiting import SECONDS


class Stream:
    """What was heard of one stream so far."""

    def __init__(self):
        self.status, self.headers, self.body, self.trailers = None, {}, b"", {}
        self.interim = []
        self.ended, self.reset = False, None

    @property
    def over(self):
        return self.ended or self.reset is not None

    def __repr__(self):
        return "status %s, %r, %d bytes, ended %s, reset %s" % (self.status, self.headers, len(self.body), self.ended,
                                                                self.reset)


class H2Client:
    def __init__(self, address, sock=None, acknowledge=True):
        """sock: a connection that is there already (a tunnel's); acknowledge: gives windows back as it reads."""
        self.sock = sock or socket.create_connection(address, timeout=SECONDS)
        self.sock.settimeout(SECONDS * 3)
        self.local = "%s:%d" % self.sock.getsockname()[:2]
        self.acknowledge = acknowledge
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.streams, self.goaways, self.closed, self.unread = {}, [], None, b""
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    # --- Says.

    def open(self, fields, end=True):
        stream = self.h2.get_next_available_stream_id()
        self.streams[stream] = Stream()
        self.h2.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def get(self, authority, path="/", *fields, method="GET", end=True):
        return self.open([(":method", method), (":scheme", "http"), (":authority", authority), (":path", path),
                          *fields], end)

    def connect(self, authority, *fields):
        return self.open([(":method", "CONNECT"), (":authority", authority), *fields], end=False)

    def send(self, stream, data, end=False):
        while data:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.hear()
                continue
            self.h2.send_data(stream, data[:room])
            data = data[room:]
            self.flush()
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def trailers(self, stream, fields):
        self.h2.send_headers(stream, fields, end_stream=True)
        self.flush()

    def reset(self, stream, code=h2.errors.ErrorCodes.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    # --- Hears.

    def until(self, check):
        """Reads until check() is true; False where the connection ends first."""
        while not check():
            if not self.hear():
                return bool(check())
        return True

    def head(self, stream):
        self.until(lambda: self.streams[stream].status is not None or self.streams[stream].over)
        return self.streams[stream]

    def response(self, stream):
        self.until(lambda: self.streams[stream].over)
        return self.streams[stream]

    def body(self, stream, count):
        self.until(lambda: len(self.streams[stream].body) >= count or self.streams[stream].over)
        return self.streams[stream].body

    def goaway(self, count=1):
        """(error code, last stream) of the count-th GOAWAY; None where the connection ends without it."""
        self.until(lambda: len(self.goaways) >= count)
        return self.goaways[count - 1] if len(self.goaways) >= count else None

    def end(self):
        """How the proxy ended the connection: "fin" or "rst"."""
        self.until(lambda: self.closed)
        return self.closed

    def hear(self):
        """Reads once; False where the connection has ended."""
        if self.closed:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self.closed = "rst"
            return False
        if not data:
            self.closed = "fin"
            return False
        # Frame by frame: the library refuses to hear anything behind a GOAWAY, and what is open is still answered.
        self.unread += data
        while len(self.unread) >= 9 and len(self.unread) >= 9 + int.from_bytes(self.unread[:3], "big"):
            size = 9 + int.from_bytes(self.unread[:3], "big")
            for event in self.h2.receive_data(self.unread[:size]):
                self._take(event)
            self.unread = self.unread[size:]
        try:
            self.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass
        return True

    def _take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((int(event.error_code), event.last_stream_id))
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif stream is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(dict(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            stream.headers = dict(event.headers)
            stream.status = int(stream.headers.pop(":status"))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if self.acknowledge and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = int(event.error_code)

    def kill(self):
        """RST, as a crashed client's kernel sends it."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.close()

    def close(self):
        self.sock.close()
