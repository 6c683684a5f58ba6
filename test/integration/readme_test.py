"""The tours of README.md, typed as they stand there: each command, and what it is said to print."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from waiting import until

CHANGING = [  # what is another one each time
    (r"\b[0-9a-f]{8,}\b", "HEX"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT", "DATE"),
    (r"\b\d+s\b", "AGE"),
    (r"pid \d+", "pid N"),
    (r'"source":"127.0.0.1:\d+"', '"source":"SOURCE"'),
    (r'(_ms|_bytes)":\d+', r'\1":N'),
    (r"curl/[\d.]+", "curl"),
    (r"-{3,}|\s+", " "),
]
NEEDS_NETWORK = "example.com"


def plain(text):
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text.strip()


def blocks(title):
    """The lines of each fenced block of the section with this title, without those in a language."""
    with open("README.md") as f:
        section = re.search(r"^## %s\n(.*?)^## " % title, f.read(), re.M | re.S).group(1)
    return [block.strip().split("\n")
            for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S) if not language]


def commands(block):
    """(command, the lines that it prints), in order."""
    out = []
    for line in block:
        if line.startswith("$ "):
            out.append((line[2:], []))
        elif line:
            out[-1][1].append(line)
    return out


class Terminal:
    """A shell in a network of its own, where the ports of the tours are free."""

    def __init__(self, folder):
        self.folder = folder
        self.said = os.path.join(folder, "said")  # what a command prints, once it has ended
        self.shell = subprocess.Popen(["unshare", "--user", "--map-root-user", "--net", "bash"], cwd=folder, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                      start_new_session=True)
        self.type("ip link set lo up")

    def type(self, command):
        """What it prints."""
        if os.path.exists(self.said):
            os.remove(self.said)
        wait = "" if command.endswith("&") else ";"
        self.shell.stdin.write("{ %s%s } > %s.new 2>&1 < /dev/null\nmv %s.new %s\n" %
                               (command, wait, self.said, self.said, self.said))
        self.shell.stdin.flush()
        until(lambda: os.path.exists(self.said), "the end of " + command)
        with open(self.said) as f:
            return f.read()

    def end(self):
        os.killpg(self.shell.pid, 9)
        self.shell.stdin.close()
        self.shell.wait()


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree("deploy", os.path.join(folder, "deploy"))
        for room, variable in (("run", "EGRET"), ("control", "EGRET_CONTROL"), ("ctl", "EGRETCTL")):
            os.makedirs(os.path.join(folder, "out/bin/source", room))
            program = os.environ[variable]
            os.symlink(program, os.path.join(folder, "out/bin/source", room, os.path.basename(program)))
        os.makedirs(os.path.join(folder, "tools"))
        os.symlink(os.environ["EGRET"], os.path.join(folder, "tools/run"))  # which is what it starts
        self.terminal = Terminal(folder)
        self.addCleanup(self.terminal.end)

    def follow(self, title):
        for block in blocks(title):
            if not block[0].startswith("$"):
                self.await_lines(block)  # of what was started first
                continue
            for command, printed in commands(block):
                if command.startswith("tools/run"):
                    self.stay(command, printed)
                elif NEEDS_NETWORK not in command:
                    self.expect(command.replace("/tmp/", self.terminal.folder + "/"), printed)

    def await_lines(self, lines):
        def there():
            if not os.path.exists(self.log):
                return False  # the shell has not come to it yet
            with open(self.log) as f:
                got = [plain(line) for line in f]
            return all(plain(line) in got for line in lines)
        until(there, "\n".join(lines))

    def stay(self, command, printed):
        self.log = os.path.join(self.terminal.folder, "log")
        self.terminal.type("%s > %s 2>&1 &" % (command, self.log))
        self.await_lines(printed)

    def expect(self, command, printed):
        want = [plain(line) for line in printed]
        got = []

        def holds():  # what a change brings, it brings a moment later
            got[:] = [plain(line) for line in self.terminal.type(command).split("\n")]
            rest = iter(got)
            return all(line in rest for line in want)

        try:
            until(holds, command)
        except AssertionError:
            self.fail("%s\nprints\n%s\nand README.md says\n%s" % (command, "\n".join(got), "\n".join(want)))

    def test_a_fence_around_a_command(self):
        self.follow("A fence around a command")

    def test_five_minutes(self):
        self.follow("Five minutes")

    def test_a_fleet_in_five_minutes(self):
        self.terminal.type("mkdir www && echo hello > www/index.html")
        self.terminal.type("python3 -m http.server 8000 --bind 127.0.0.1 --directory www >/dev/null 2>&1 &")
        self.follow("A fleet in five minutes")


if __name__ == "__main__":
    unittest.main()
