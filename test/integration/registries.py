"""What the public registries would answer about one package, egretdemo, whose word is `installed`: paths of each host
to bytes, or to the URL where it leads instead, made up here. Tools verify it as they verify the real ones: by digests, and Go's by a signed log."""
import base64
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        for name, text in files.items():
            z.writestr(name, text)
    return packed.getvalue()


def packed_tar(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pypi():
    """pip install egretdemo: a module with `word`."""
    info, name = "egretdemo-1.0.dist-info/", "egretdemo-1.0-py3-none-any.whl"
    wheel = zipped(**{"egretdemo.py": "word = 'installed'\n", info + "RECORD": "",
                      info + "METADATA": "Metadata-Version: 2.1\nName: egretdemo\nVersion: 1.0\n",
                      info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"})
    page = "<!DOCTYPE html><a href='https://files.pythonhosted.org/packages/%s#sha256=%s'>%s</a>" % (
        name, sha256(wheel), name)
    return {"pypi.org": {"/simple/egretdemo/": page.encode()}, "files.pythonhosted.org": {"/packages/" + name: wheel}}


NPM_TARBALL = packed_tar({"package/package.json": b'{"name": "egretdemo", "version": "1.0.0", "main": "index.js"}',
                          "package/index.js": b"module.exports = 'installed'\n"})
NPM_ENTRY = {"resolved": "https://registry.npmjs.org/egretdemo/-/egretdemo-1.0.0.tgz", "version": "1.0.0",
             "integrity": "sha512-" + base64.b64encode(hashlib.sha512(NPM_TARBALL).digest()).decode()}


def npm():
    """npm install egretdemo: a module that is the word."""
    version = {"name": "egretdemo", "version": "1.0.0",
               "dist": {"tarball": NPM_ENTRY["resolved"], "integrity": NPM_ENTRY["integrity"]}}
    about = {"name": "egretdemo", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    return {"registry.npmjs.org": {"/egretdemo": json.dumps(about).encode(),
                                   "/egretdemo/-/egretdemo-1.0.0.tgz": NPM_TARBALL}}


def put_npm_project(folder):
    """For npm ci."""
    wants = {"name": "project", "dependencies": {"egretdemo": "1.0.0"}}
    lock = {"name": "project", "lockfileVersion": 3, "packages": {"": wants, "node_modules/egretdemo": NPM_ENTRY}}
    for name, content in (("package.json", wants), ("package-lock.json", lock)):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(content, f)


def crates():
    """A crate, by the sparse index (doc.rust-lang.org/cargo/reference/registry-index.html)."""
    crate = packed_tar({
        "egretdemo-1.0.0/Cargo.toml": b'[package]\nname = "egretdemo"\nversion = "1.0.0"\nedition = "2021"\n',
        "egretdemo-1.0.0/src/lib.rs": b'pub const WORD: &str = "installed";\n'})
    line = {"name": "egretdemo", "vers": "1.0.0", "deps": [], "cksum": sha256(crate), "features": {}, "yanked": False}
    config = {"dl": "https://static.crates.io/crates", "api": "https://crates.io"}
    return {"index.crates.io": {"/config.json": json.dumps(config).encode(),
                                "/eg/re/egretdemo": json.dumps(line).encode() + b"\n"},
            "static.crates.io": {"/crates/egretdemo/1.0.0/download": crate}}


def debian(architecture):
    """apt-get update, and download: a file that nobody signed, by the digests of the index."""
    package = b"what a package would be; installed\n"
    index = ("Package: egretdemo\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@origin.test>\n"
             "Filename: pool/egretdemo_1.0_all.deb\nSize: %d\nSHA256: %s\nDescription: a package\n" % (
                 len(package), sha256(package))).encode()
    where = "main/binary-%s/Packages" % architecture
    release = ("Suite: stable\nCodename: bookworm\nArchitectures: %s\nComponents: main\n"
               "Date: Sat, 28 Nov 2026 00:00:00 UTC\nSHA256:\n %s %d %s\n" % (
                   architecture, sha256(index), len(index), where)).encode()
    return {"deb.debian.org": {"/debian/dists/bookworm/Release": release, "/debian/dists/bookworm/" + where: index,
                               "/debian/pool/egretdemo_1.0_all.deb": package}}


class GoModule:
    """go mod download origin.test/egretdemo@v1.0.0, with a checksum database of one record."""
    MODULE, LOG = "origin.test/egretdemo", "sum.golang.org"

    def __init__(self):
        key = Ed25519PrivateKey.generate()
        public = b"\1" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        digest = hashlib.sha256(self.LOG.encode() + b"\n" + public).digest()[:4]
        self.sumdb = "%s+%s+%s" % (self.LOG, digest.hex(), base64.b64encode(public).decode())  # as GOSUMDB has it
        self.sign = lambda text: base64.b64encode(digest + key.sign(text)).decode()

    @staticmethod
    def checksum(files):
        """Of go.sum: over the digests of all files."""
        lines = "".join("%s  %s\n" % (sha256(text), name) for name, text in sorted(files.items()))
        return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()

    def database(self, record):
        """Of one record, whose hash is that of the whole tree (RFC 6962 2.1)."""
        leaf = hashlib.sha256(b"\0" + record.encode()).digest()
        tree = "go.sum database tree\n1\n%s\n" % base64.b64encode(leaf).decode()
        signed = "%s\n\u2014 %s %s\n" % (tree, self.LOG, self.sign(tree.encode()))
        return {"/latest": signed.encode(), "/tile/8/0/000.p/1": leaf,
                "/lookup/%s@v1.0.0" % self.MODULE: ("0\n%s\n%s" % (record, signed)).encode()}

    def hosts(self):
        mod, inside = b"module %s\n\ngo 1.20\n" % self.MODULE.encode(), self.MODULE + "@v1.0.0/"
        files = {inside + "go.mod": mod, inside + "demo.go": b'package egretdemo\n\nconst Word = "installed"\n'}
        sums = {"v1.0.0": self.checksum(files), "v1.0.0/go.mod": self.checksum({"go.mod": mod})}
        record = "".join("%s %s %s\n" % (self.MODULE, what, value) for what, value in sums.items())
        there, bucket = "/%s/@v/v1.0.0." % self.MODULE, "/proxy-golang-org-prod/egretdemo-v1.0.0.zip"
        return {"proxy.golang.org": {there + "info": b'{"Version": "v1.0.0"}', there + "mod": mod,
                                     there + "zip": "https://storage.googleapis.com" + bucket},
                "storage.googleapis.com": {bucket: zipped(**files)}, self.LOG: self.database(record)}


def put_git_repository(folder):
    """A bare repository egretdemo.git, whose file `word` says the word."""
    who = {"GIT_%s_%s" % (role, what): "a@origin.test" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}
    script = ("git init -q -b main work && cd work && echo installed >word && git add word && git commit -qm word && "
              "git clone -q --bare . ../egretdemo.git && rm -r ../work")
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True,
                   env={"PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1", **who})
