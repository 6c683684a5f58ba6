"""A client of HTTP/2 that sends exactly the frames it is told to, malformed ones too.

The builders below give bytes and check nothing. What comes back is read by hyperframe and hpack, so that whatever the
proxy sends is judged by code that is not its own."""
import itertools
import select
import socket
import ssl
import struct
import time
from collections import Counter

from hpack import Decoder
from hyperframe import frame as hyper
from waiting import SECONDS

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# RFC 9113: frame types (6), flags, error codes (7), settings (6.5.2).
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY,
 HTTP_1_1_REQUIRED) = range(14)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = \
    range(1, 7)
ENABLE_CONNECT_PROTOCOL = 8
NO_RFC7540_PRIORITIES = 9
GREATEST_WINDOW = 0x7FFFFFFF
GONE = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)


# --- Frames.

def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """Any frame. `length`: what its head says, if not the truth; bit 31 of `stream` is the reserved one."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def settings_ack():
    return frame(SETTINGS, ACK)


def headers(stream, block, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def open_headers(stream, block):
    """Of a request whose body follows."""
    return headers(stream, block, END_HEADERS)


def continuation(stream, block, flags=END_HEADERS):
    return frame(CONTINUATION, flags, stream, block)


def headers_of(number, text):
    """HEADERS and as few CONTINUATION frames as may be."""
    pieces = [text[at:at + 16384] for at in range(0, len(text), 16384)]
    if len(pieces) == 1:
        return headers(number, text)
    return headers(number, pieces[0], END_STREAM) + b"".join(
        continuation(number, piece, END_HEADERS if n == len(pieces) - 2 else 0) for n, piece in enumerate(pieces[1:]))


def data(stream, payload=b"", end=True):
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def padded(kind, flags, stream, payload, padding, told=None):
    """`told`: the padding's length as the frame says, if not the truth."""
    told = padding if told is None else told
    return frame(kind, flags | PADDED, stream, bytes([told]) + payload + bytes(padding))


def priority(stream, on=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, priority_fields(on, weight, exclusive))


def priority_fields(on=0, weight=15, exclusive=False):
    return struct.pack(">IB", on | (exclusive << 31), weight)


def rst(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def ping(payload=b"egret!!!", flags=0):
    return frame(PING, flags, 0, payload)


def goaway(last=0, code=NO_ERROR, text=b""):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + text)


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


# --- Header blocks, by hand (RFC 7541 5 and 6).

def integer(value, bits, first=0):
    """With a prefix of `bits` bits in a byte whose other bits are `first`."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def plain(text):
    """A string without Huffman code."""
    text = text.encode("latin-1") if isinstance(text, str) else text
    return integer(len(text), 7) + text


def indexed(index):
    return integer(index, 7, 0x80)


PLAIN, INDEXING, NEVER = (0x00, 4), (0x40, 6), (0x10, 4)  # literals: of no table, for the table, never for one


def literal(name, value, kind=PLAIN):
    """A field whose name is a string, or the index of one; the value is a string, or bytes as they go out."""
    first, bits = kind
    name = integer(name, bits, first) if isinstance(name, int) else bytes([first]) + plain(name)
    return name + (value if isinstance(value, bytes) else plain(value))


def table_size(size):
    return integer(size, 5, 0x20)


def block(fields):
    """Literals only, so that no block depends on another. fields: pairs."""
    return b"".join(literal(name, value) for name, value in fields)


# --- The client.

class Stream:
    """What came back on one stream."""

    def __init__(self, number):
        self.number = number
        self.interim = []  # lists of fields
        self.fields, self.trailers = None, None
        self.body = b""
        self.ended = False
        self.reset = None  # the code

    @property
    def done(self):
        return self.ended or self.reset is not None

    @property
    def status(self):
        return int(dict(self.fields)[":status"]) if self.fields else None

    def header(self, name):
        values = [value for key, value in self.fields or () if key == name]
        return ", ".join(values) if values else None

    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return "<stream %d: %r %r%s%s>" % (self.number, self.fields, self.body[:200], " ended" if self.ended else "",
                                           "" if self.reset is None else " reset %d" % self.reset)


class FrameClient:
    """One connection, or what is given as `sock` (TLS). Its preface and SETTINGS are sent at once (unless preface=False); SETTINGS and PING of the proxy
    are answered as they are read (unless answer=False); with `credit` the window of each DATA is given back."""

    def __init__(self, address, *pairs, preface=True, answer=True, credit=False, sock=None):
        self.sock = sock or socket.create_connection(address, SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = "%s:%d" % self.sock.getsockname()[:2]
        self.answer, self.credit = answer, credit
        self.decoder = Decoder()
        self.unread = bytearray()
        self.frames = []  # all that came
        self.streams = {}
        self.settings = {}  # the proxy's
        self.settings_acks, self.pongs = 0, []
        self.goaways = []  # (last stream, code)
        self.granted, self.used = Counter(), Counter()  # of windows to send by, without what they begin with
        self.ended = None  # "fin" or "rst"
        self.block, self.block_flags = b"", ()
        if preface:
            self.send(PREFACE, settings(*pairs))

    # --- Sending.

    def send(self, *pieces):
        """What goes: the proxy may close in between."""
        try:
            self.sock.sendall(b"".join(pieces))
        except GONE:
            pass

    def send_split(self, bytes_, size=1):
        for at in range(0, len(bytes_), size):
            self.send(bytes_[at:at + size])

    def flood(self, pieces, batch=64):
        """Sends piece after piece, `batch` of them at once, and reads what comes meanwhile, until the proxy says GOAWAY
        or ends the connection. Gives how many had begun to go out by then."""
        pieces, waiting, begun = iter(pieces), memoryview(b""), 0
        self.sock.setblocking(False)
        try:
            while not self.goaways and not self.ended:
                if not waiting:
                    next_ones = list(itertools.islice(pieces, batch))
                    if not next_ones:
                        break
                    waiting, begun = memoryview(b"".join(next_ones)), begun + len(next_ones)
                readable, writable, _ = select.select([self.sock], [self.sock], [], SECONDS)
                assert readable or writable, "the proxy neither reads nor writes"
                if readable:
                    self.receive()
                    self._take_all()
                elif writable:
                    waiting = waiting[self.sock.send(waiting):]
        except GONE:
            self.sock.settimeout(SECONDS)
            self.to_end()
        finally:
            self.sock.settimeout(SECONDS)
        return begun

    def room(self, number):
        """How much DATA the windows of a stream and of the connection have."""
        windows = {0: 65535, number: self.settings.get(INITIAL_WINDOW_SIZE, 65535)}
        return min(windows[n] + self.granted[n] - self.used[n] for n in windows)

    def send_body(self, number, payloads, padding=None):
        """DATA frames as the windows allow, the last one with END_STREAM. Gives up where the stream is over."""
        self.until(lambda: self.settings)
        payloads = list(payloads)
        for at, payload in enumerate(payloads):
            cost = len(payload) + (0 if padding is None else padding + 1)
            self.until(lambda: self.room(number) >= cost or self.stream(number).done)
            if self.stream(number).done or self.ended:
                return
            flags = END_STREAM if at == len(payloads) - 1 else 0
            self.used[0] += cost
            self.used[number] += cost
            self.send(frame(DATA, flags, number, payload) if padding is None
                      else padded(DATA, flags, number, payload, padding))

    def fill(self, number, most=64 << 20):
        """DATA without end, until the stream's window has not come back for half a second. Gives how much."""
        self.until(lambda: self.settings)
        begun = self.used[number]
        while self.used[number] - begun < most and not self.stream(number).done and not self.ended:
            size = min(self.room(number), 16384)
            if size > 0:
                self.used[0] += size
                self.used[number] += size
                self.send(data(number, bytes(size), False))
            elif self.silent(0.5):
                break
            else:
                self.next()
        return self.used[number] - begun

    # --- Reading.

    def receive(self):
        """Reads once. False: the proxy ended."""
        if self.ended:
            return False
        try:
            piece = self.sock.recv(262144)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            return True
        except socket.timeout:
            raise AssertionError("nothing came for %g s; streams: %r, frames: %r" %
                                 (SECONDS, self.streams, self.frames[-8:])) from None
        except (ConnectionResetError, ssl.SSLEOFError):
            self.ended = "rst"
            return False
        if not piece:
            self.ended = "fin"
            return False
        self.unread += piece
        return True

    def _take_frame(self):
        """The next frame of what was received; None: there is no whole one."""
        if len(self.unread) < 9:
            return None
        what, length = hyper.Frame.parse_frame_header(memoryview(bytes(self.unread[:9])), strict=True)
        if len(self.unread) < 9 + length:
            return None
        what.parse_body(memoryview(bytes(self.unread[9:9 + length])))
        del self.unread[:9 + length]
        self.frames.append(what)
        self._learn(what)
        return what

    def _take_all(self):
        while self._take_frame():
            pass

    def next(self):
        """The next frame; None: the proxy ended."""
        while True:
            what = self._take_frame()
            if what:
                return what
            if not self.receive():
                return None

    def until(self, check):
        """Reads until check() is true; false if the proxy ended before."""
        while not check():
            if not self.next():
                return bool(check())
        return True

    def to_end(self):
        """Reads on until the proxy ends, and says how: "fin" or "rst"."""
        self.until(lambda: False)
        return self.ended

    def silent(self, seconds):
        """No frame comes for so long. For what can be shown in no other way."""
        self._take_all()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.sock], [], [], max(0, deadline - time.monotonic()))[0]:
                return False
        return True

    def stream(self, number):
        return self.streams.setdefault(number, Stream(number))

    def finish(self, number):
        """The stream once it is over (or the connection)."""
        stream = self.stream(number)
        self.until(lambda: stream.done)
        return stream

    def pinged(self, payload):
        """A PING went there and came back: what was sent before has been read, unless the connection ended."""
        self.send(ping(payload))
        return self.until(lambda: payload in self.pongs)

    def _learn(self, what):
        if isinstance(what, hyper.HeadersFrame):
            self.block, self.block_flags = what.data, what.flags
            if "END_HEADERS" in what.flags:
                self._fields(what.stream_id)
        elif isinstance(what, hyper.ContinuationFrame):
            self.block += what.data
            if "END_HEADERS" in what.flags:
                self._fields(what.stream_id)
        elif isinstance(what, hyper.DataFrame):
            stream = self.stream(what.stream_id)
            stream.body += what.data
            stream.ended = stream.ended or "END_STREAM" in what.flags
            if self.credit and what.flow_controlled_length:
                self.send(window(0, what.flow_controlled_length))
                if not stream.done:
                    self.send(window(what.stream_id, what.flow_controlled_length))
        elif isinstance(what, hyper.RstStreamFrame):
            self.stream(what.stream_id).reset = what.error_code
        elif isinstance(what, hyper.SettingsFrame):
            self._learn_settings(what)
        elif isinstance(what, hyper.PingFrame):
            if "ACK" in what.flags:
                self.pongs.append(bytes(what.opaque_data))
            elif self.answer:
                self.send(ping(what.opaque_data, ACK))
        elif isinstance(what, hyper.WindowUpdateFrame):
            self.granted[what.stream_id] += what.window_increment
        elif isinstance(what, hyper.GoAwayFrame):
            self.goaways.append((what.last_stream_id, what.error_code))

    def _learn_settings(self, what):
        if "ACK" in what.flags:
            self.settings_acks += 1
            return
        self.settings.update(what.settings)
        if self.answer:
            self.send(settings_ack())

    def _fields(self, number):
        stream = self.stream(number)
        fields = [(str(name), str(value)) for name, value in self.decoder.decode(self.block)]
        if stream.fields is not None:
            stream.trailers = fields
        elif fields[0][1].startswith("1") and "END_STREAM" not in self.block_flags:
            stream.interim.append(fields)
        else:
            stream.fields = fields
        stream.ended = stream.ended or "END_STREAM" in self.block_flags

    # --- Its end.

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()
