"""A client at full rate, or at a given one, beside what is done to the proxy meanwhile."""
import json
import os
import subprocess
import sys


class FullRate:
    """The client of the benchmarks, until the time is over: it accepts no error. The host that it asks for is the
    machine's address."""

    def __init__(self, kind, binaries, proxy, targets, connections, seconds, rate=0):
        self.kind, self.connections = kind, connections
        self.process = subprocess.Popen(
            [os.path.join(binaries, "load"), "--workload", kind, "--proxy", "%s:%d" % proxy, "--targets", ",".join(targets),
             *(["--path", "/1k"] if kind == "forward" else ["--answer-bytes", "1024"]),
             "--connections", str(connections), "--seconds", str(seconds), "--warm-up", "0", "--rate", str(rate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("the load did not get through its first requests")
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        """What the client says of it; blocks until it is over."""
        line = self.process.stdout.readline()
        self.process.wait()
        return json.loads(line) if line else {"operations": 0, "errors": 1}

    def finish(self):
        """(operations, those that failed); each connection's first one came before the measurement."""
        result = self.result()
        return result["operations"] + self.connections, result["errors"]
