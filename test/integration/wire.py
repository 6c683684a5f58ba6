"""A wire to a server of this machine, for tests of what becomes of a connection that nobody says anything about."""
import socket
import threading


class Wire:
    """`drip`: it carries so many bytes at a time, each as a segment of its own."""

    def __init__(self, port, drip=65536):
        self.target, self.drip, self.cut = port, drip, threading.Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.ends = [self.door]
        self.address = "127.0.0.1:%d" % self.door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.door.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.ends += [near, far]
            for one, other in ((near, far), (far, near)):
                other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(one, other, self.cut), daemon=True).start()

    def _carry(self, one, other, cut):
        try:
            while data := one.recv(self.drip):
                if not cut.is_set():
                    other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut_unsaid(self):
        """Nothing passes any more on the connections that there are, and none of them ends. Later ones are whole."""
        self.cut.set()
        self.cut = threading.Event()

    def close(self):
        for end in self.ends:
            end.close()
