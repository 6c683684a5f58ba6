"""Origins that do what a test says and remember every byte they got. Always on a free port of 127.0.0.1 (or `host`)."""
import socket
import threading

from http_text import Reader
from raw_client import LINGER_RESET
from waiting import SECONDS, until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class OriginConnection:
    """What the script of one accepted connection works with."""

    def __init__(self, sock, peer, index):
        sock.settimeout(SECONDS * 3)
        self.sock, self.peer, self.index = sock, peer, index
        self.reader = Reader(sock)
        self.requests = []
        self.closed = False

    @property
    def received(self):
        return bytes(self.reader.received)

    @property
    def ended(self):
        """"fin", "rst", or None while the peer's side is open as far as was read."""
        return self.reader.ended

    def read_head(self):
        request = self.reader.head()
        if request is not None:
            self.requests.append(request)
        return request

    def read_request(self):
        request = self.read_head()
        if request is not None:
            self.reader.body_of(request)
        return request

    def send(self, data):
        self.sock.sendall(data)

    def wait_end(self):
        self.reader.to_end()
        return self.ended

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.close()

    def close(self):
        self.closed = True
        self.sock.close()


class ScriptedOrigin:
    """Runs a script (a function of an OriginConnection) in a thread for each connection, then closes it.

    The Nth connection gets the Nth script; the last one serves all that follow. A script that ends by a reset or a
    close of its peer is no failure; anything else it raises is kept in `errors`, and close() raises it."""

    def __init__(self, *scripts, host="127.0.0.1", port=0):
        self.scripts = scripts
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        self.connections, self.errors, self.threads = [], [], []
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:  # close()
                return
            connection = OriginConnection(sock, peer, self._index())
            self.connections.append(connection)
            script = self.scripts[min(connection.index, len(self.scripts) - 1)]
            thread = threading.Thread(target=self._run, args=(script, connection), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _index(self):
        return len(self.connections)

    def _run(self, script, connection):
        try:
            script(connection)
        except OSError:  # the peer ended it, or close() did
            pass
        except Exception as e:  # told by close()
            self.errors.append(e)
        finally:
            connection.close()

    @property
    def requests(self):
        return [r for c in self.connections for r in c.requests]

    @property
    def received(self):
        """All bytes of all connections, in order of connections."""
        return b"".join(c.received for c in self.connections)

    def wait_requests(self, count):
        until(lambda: len(self.requests) >= count, lambda: "%d requests, have %r" % (count, self.requests))
        return self.requests

    def wait_connection(self, index=0):
        until(lambda: len(self.connections) > index, "connection %d at the origin" % index)
        return self.connections[index]

    def wait_ended(self, index=0, seconds=SECONDS):
        """How the proxy ended connection `index`; the script must be reading."""
        connection = self.wait_connection(index)
        return until(lambda: connection.ended, "the end of origin connection %d" % index, seconds)

    def close(self):
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join()
        for connection in list(self.connections):
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in list(self.threads):
            thread.join(SECONDS)
        if self.errors:
            raise self.errors[0]


class PassingOrigin(ScriptedOrigin):
    """Forgets each connection once it is over: for runs with very many of them. They are counted in `served`."""

    def __init__(self, *scripts, **where):
        self.served = 0
        super().__init__(*scripts, **where)

    def _run(self, script, connection):
        try:
            super()._run(script, connection)
        finally:
            self.served += 1
            self.connections.remove(connection)
            self.threads.remove(threading.current_thread())

    def _index(self):
        return self.served + len(self.connections)


def reply(*answers):
    """Script: answers the Nth request of a connection with the Nth answer, then the last again and again."""
    def script(connection):
        index = 0
        while connection.read_request() is not None:
            connection.send(answers[min(index, len(answers) - 1)])
            index += 1
    return script


def reply_and_close(answer):
    """Script: one request, one answer, FIN; then reads what still comes."""
    def script(connection):
        connection.read_request()
        connection.send(answer)
        connection.fin()
        connection.wait_end()
    return script


def echo(connection):
    """Script: gives back what comes, and the FIN."""
    while connection.reader.more():
        connection.send(connection.reader.rest())
    connection.fin()


def swallow(connection):
    """Script: reads to the end, says nothing."""
    connection.wait_end()


class RecorderOrigin(ScriptedOrigin):
    """Answers every request with 200 "ok"."""

    def __init__(self, host="127.0.0.1", port=0):
        super().__init__(reply(OK), host=host, port=port)
