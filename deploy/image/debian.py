"""What programs need of the Debian packages that are installed here: files, each as its package has it."""
import collections
import glob
import hashlib
import os
import re
import subprocess

from tree import FILE

INFO = "/var/lib/dpkg/info"
ROOTS = "/usr/share/ca-certificates/mozilla"  # of the package: the machine's own bundle may hold CAs of its owner
LICENCES = "usr/share/common-licenses/"


def output_of(*words):
    """What a tool says, in no locale and with no library path of the caller's; that it knows no answer is one."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    return subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def libraries_of(binary):
    """Paths of all shared libraries that a program starts with, the loader among them."""
    said = output_of("ldd", binary)
    if "not found" in said or "=>" not in said:
        raise SystemExit("%s: ldd says:\n%s" % (binary, said))
    return re.findall(r"(/\S+) \(0x", said)


def real_place(path):
    """/lib/… as /usr/lib/…; the last component stays, also where it is a link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def chain(path):
    """A file's name and all names that it leads to."""
    path = real_place(path)
    while True:
        yield path
        if not os.path.islink(path):
            return
        path = real_place(os.path.join(os.path.dirname(path), os.readlink(path)))


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def sums_of(tree, paths):
    """Of the files among them, as packages tell them."""
    return "".join("%s  %s\n" % (md5(tree.entries[path].content), path) for path in sorted(paths)
                   if tree.entries[path].kind == FILE)


class Packages:
    """Puts files into a tree, and remembers for each package which of its files were taken."""

    def __init__(self, tree):
        self.tree = tree
        self.taken = collections.defaultdict(list)  # package -> paths in the tree

    def take(self, paths):
        files = sorted({link for path in paths for link in chain(path)})
        owners = self._owners(files)
        for path in files:
            if path not in owners:
                raise SystemExit("%s: of no Debian package" % path)
            self.taken[owners[path]].append(path[1:])
            if os.path.islink(path):
                self.tree.link(path[1:], os.readlink(path))
            else:
                executable = os.access(path, os.X_OK)
                self.tree.file(path[1:], self._verified(path, owners[path]), 0o755 if executable else 0o644)

    @staticmethod
    def _owners(files):
        """Packages know libraries of the base system by their places of before /lib was a link."""
        names = files + [path.removeprefix("/usr") for path in files]
        owners = {}
        for line in output_of("dpkg-query", "-S", *names).splitlines():
            package, _, path = line.partition(": ")
            owners[real_place(path)] = package.split(",")[0]
        return owners

    @staticmethod
    def _verified(path, package):
        with open(path, "rb") as f:
            content = f.read()
        for known in glob.glob(glob.escape(os.path.join(INFO, package)) + ".md5sums"):
            with open(known) as f:
                sums = {"/" + name: known for known, name in (line.rstrip("\n").split("  ", 1) for line in f)}
            wanted = sums.get(path) or sums.get(path.removeprefix("/usr"))
            if wanted not in (None, md5(content)):
                raise SystemExit("%s: not as package %s has it" % (path, package))
        return content

    def take_roots(self, bundle):
        """The certificate authorities that the package trusts, in one file."""
        files = sorted(glob.glob(ROOTS + "/*.crt"))
        if not files:
            raise SystemExit("no certificate authorities here: apt-get install ca-certificates")
        text = b"".join(self._verified(path, "ca-certificates").rstrip(b"\n") + b"\n" for path in files)
        self.tree.file(bundle, text)
        self.taken["ca-certificates"].append(bundle)

    def tell(self):
        """Of each package what scanners look for: its entry in the database, its files, its licence."""
        mentioned = set()
        for package, paths in sorted(self.taken.items()):
            name = package.split(":")[0]
            entry = output_of("dpkg-query", "-s", package)
            sums = sums_of(self.tree, paths)
            self.tree.file("var/lib/dpkg/status.d/" + name, entry.encode())
            self.tree.file("var/lib/dpkg/status.d/%s.md5sums" % name, sums.encode())
            with open("/usr/share/doc/%s/copyright" % name, "rb") as f:
                text = f.read()
            self.tree.file("usr/share/doc/%s/copyright" % name, text)
            mentioned |= set(re.findall(rb"common-licenses/([A-Za-z0-9-]+(?:\.[0-9]+)*)", text))
        for name in sorted(mentioned):
            for path in chain("/" + LICENCES + name.decode()):
                if os.path.islink(path):
                    self.tree.link(path[1:], os.readlink(path))
                elif os.path.exists(path):
                    with open(path, "rb") as f:
                        self.tree.file(path[1:], f.read())
