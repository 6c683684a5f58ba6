"""HTTP/1 messages as the test's own ends read them: lenient, and nothing is lost (repeated fields, raw bytes)."""


class Message:
    """A request or a response. `head` is as it came; field names in `fields` are lower-case."""

    def __init__(self, head):
        self.head = head
        lines = head.split(b"\r\n\r\n")[0].split(b"\r\n")
        self.start_line = lines[0].decode("latin-1")
        self.fields = []
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            self.fields.append((name.strip().lower(), value.strip()))
        self.body = b""
        self.raw_body = b""  # with its chunk framing
        self.trailers = []
        self.interim = []  # responses only: the 1xx before it

    @property
    def status(self):
        return int(self.start_line.split(" ")[1])

    @property
    def method(self):
        return self.start_line.split(" ")[0]

    @property
    def target(self):
        return self.start_line.split(" ")[1]

    def all(self, name):
        return [value for key, value in self.fields if key == name.lower()]

    def header(self, name):
        """All values, joined; None where there is none."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return "<%s %s%r>" % (self.start_line, self.fields, self.body[:300])


class Reader:
    """Reads messages from a socket. Every byte read is also appended to `received`."""

    def __init__(self, sock):
        self.sock = sock
        self.received = bytearray()
        self.taken = 0  # of `received`
        self.ended = None  # "fin" or "rst"

    def more(self):
        """Reads once. False: the peer ended."""
        if self.ended:
            return False
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = "rst"
            return False
        if not data:
            self.ended = "fin"
            return False
        self.received += data
        return True

    def forget(self):
        """Lets go of what was taken: for connections that carry much."""
        del self.received[:self.taken]
        self.taken = 0

    def pending(self):
        return bytes(self.received[self.taken:])

    def until(self, mark):
        """The bytes up to and with `mark`; what is there if the peer ends before."""
        while True:
            at = self.received.find(mark, self.taken)
            if at >= 0:
                return self.exactly(at + len(mark) - self.taken)
            if not self.more():
                return self.rest()

    def exactly(self, count):
        """Up to `count` bytes; fewer only if the peer ended."""
        while len(self.received) - self.taken < count and self.more():
            pass
        data = bytes(self.received[self.taken:self.taken + count])
        self.taken += len(data)
        return data

    def rest(self):
        data = self.pending()
        self.taken += len(data)
        return data

    def to_end(self):
        while self.more():
            pass
        return self.rest()

    def head(self):
        """A Message without its body; None at the end of the stream."""
        data = self.until(b"\r\n\r\n")
        return Message(data) if data.endswith(b"\r\n\r\n") else None

    def body_of(self, message, to_end=False):
        """Reads the body that the fields announce; to_end: there is one up to the end where they announce none."""
        coding, length = message.header("transfer-encoding"), message.header("content-length")
        if coding:
            self.chunks_of(message)
        elif length is not None:
            message.body = message.raw_body = self.exactly(int(length.split(",")[0]))
        elif to_end:
            message.body = message.raw_body = self.to_end()

    def chunks_of(self, message):
        while True:
            line = self.until(b"\r\n")
            message.raw_body += line
            size = int(line.split(b";")[0].strip() or b"0", 16)  # nothing: the peer ended
            if size == 0:
                break
            data = self.exactly(size + 2)
            message.raw_body += data
            message.body += data[:size]
        while line != b"\r\n" and line:
            line = self.until(b"\r\n")
            message.raw_body += line
            if line.strip():
                name, _, value = line.decode("latin-1").partition(":")
                message.trailers.append((name.lower(), value.strip()))
