"""Origins of HTTP/2 in clear that do what a test says, frame by frame. The proxy speaks it to whatever gRPC is asked of."""
from h2_frames import PREFACE, FrameClient, block, data, open_headers, rst, settings
from origins import ScriptedOrigin

OK = block([(":status", "200"), ("content-type", "application/grpc")])


class Peer(FrameClient):
    """The origin's end of a connection, once the proxy's preface was read and SETTINGS of ours are on their way."""

    def __init__(self, sock, *pairs):
        super().__init__(None, preface=False, sock=sock)
        while len(self.unread) < len(PREFACE) and self.receive():
            pass
        if not self.unread:
            raise ConnectionResetError("the proxy left before it had said anything")
        assert self.unread.startswith(PREFACE), bytes(self.unread)
        del self.unread[:len(PREFACE)]
        self.taken = set()
        self.send(settings(*pairs))

    def _waiting(self):
        return [s for n, s in sorted(self.streams.items()) if s.fields and n not in self.taken]

    def request(self):
        """The next stream whose head has come; None: the proxy ended the connection."""
        if not self.until(self._waiting):
            return None
        stream = self._waiting()[0]
        self.taken.add(stream.number)
        return stream

    def burst(self):
        """The next stream and all that come close behind it; none: the proxy ended the connection."""
        first = self.request()
        while first and not self.silent(0.05) and self.next():
            pass
        streams = [first] * bool(first) + self._waiting()
        self.taken.update(stream.number for stream in streams)
        return streams

    def respond(self, stream, body=b"ok"):
        self.send(open_headers(stream.number, OK), data(stream.number, body))

    def serve(self):
        """Answers whatever is asked, to the end."""
        while True:
            stream = self.request()
            if stream is None:
                return
            self.respond(stream)
            del self.streams[stream.number], self.frames[:]


class H2Origin(ScriptedOrigin):
    """As ScriptedOrigin, with a Peer for each script. `asked`: what each connection was asked for, paths in order."""

    def __init__(self, *scripts, settings=()):
        self.asked = []
        super().__init__(*(self._speak(script, settings) for script in scripts))

    def _speak(self, script, pairs):
        def run(connection):
            peer = Peer(connection.sock, *pairs)
            request, asked = peer.request, []
            self.asked.append(asked)

            def noted():
                stream = request()
                if stream is not None:
                    asked.append(dict(stream.fields)[":path"])
                return stream
            peer.request = noted
            script(peer)
        return run


def reset_all(code):
    """Script: resets whatever is asked."""
    def script(peer):
        while True:
            stream = peer.request()
            if stream is None:
                return
            peer.send(rst(stream.number, code))
    return script
