"""Certificates that no client should believe, thirty kinds of them, each with what is wrong with it (row M01). All are for
origin.test where their fault is another, and their keys are on P-256 where their fault is not the key."""
import os

from certificates import openssl

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
PAST, LONG_AGO, SOON, FUTURE = "20200101000000Z", "20190101000000Z", "20990101000000Z", "20980101000000Z"
SAN = "subjectAltName = DNS:origin.test"
LEAF = ["basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
        "extendedKeyUsage = serverAuth", SAN]
CA = ["basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign"]


def leaf(*changes):
    """LEAF with lines replaced by those that begin alike, or added; "-x" takes x away."""
    lines = list(LEAF)
    for change in changes:
        name = change.lstrip("-").split(" ")[0]
        lines = [line for line in lines if not line.startswith(name)]
        if not change.startswith("-"):
            lines.append(change)
    return lines


class BadCertificates:
    """root: what the proxy believes. A kind is made by its method's name: (chain, key) as paths."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0
        os.makedirs(folder, exist_ok=True)
        self.root = self._sign("root", None, CA)
        self.ca = self._path("root.pem")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w") as f:
            f.write(text)
        return self._path(name)

    def _sign(self, name, issuer, extensions, start="20240101000000Z", end=SOON, key=EC, digest="sha256",
              subject="/CN=%s"):
        """Signed by `issuer` (a name; None: by itself)."""
        for suffix, text in (("index", ""), ("index.attr", "unique_subject = no\n"), ("serial", "%02X\n" % (16 + self.made))):
            self._write(name + "." + suffix, text)
        self.made += 1
        issued_by = issuer or name
        config = self._write(name + ".cnf", "[req]\ndistinguished_name = dn\n[dn]\n[authority]\ndatabase = %s.index\n"
                             "new_certs_dir = .\nserial = %s.serial\ndefault_md = %s\npolicy = any\nemail_in_dn = no\n"
                             "[any]\ncommonName = optional\n[ext]\n%s\nsubjectKeyIdentifier = hash\n"
                             % (name, name, digest, "\n".join(extensions)))
        openssl(self.folder, "req", "-new", "-nodes", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                subject % name if "%s" in subject else subject, "-config", config)
        by = ["-selfsign", "-keyfile", name + ".key"] if issuer is None else [
            "-cert", issued_by + ".pem", "-keyfile", issued_by + ".key"]
        openssl(self.folder, "ca", "-batch", "-config", config, "-name", "authority", "-notext", *by, "-in", name + ".csr",
                "-out", name + ".pem", "-extfile", config, "-extensions", "ext", "-startdate", start, "-enddate", end)
        return name

    def _shown(self, name, *behind):
        """The chain as a server shows it."""
        text = ""
        for one in (name, *behind):
            with open(self._path(one + ".pem")) as f:
                text += f.read()
        return self._write(name + ".chain.pem", text), self._path(name + ".key")

    def good(self):
        return self._shown(self._sign("good", "root", LEAF))

    def _below(self, name, ca, **how):
        """A good leaf below an intermediate that is not."""
        self._sign(name + "-ca", how.pop("issuer", "root"), ca, **how)
        return self._shown(self._sign(name, name + "-ca", LEAF), name + "-ca")

    def kinds(self):
        """{kind: ((chain, key), what the log says of it)}"""
        made = {}

        def add(kind, pair, why):
            made[kind] = (pair, why)

        def bad_leaf(kind, why, *changes, **how):
            add(kind, self._shown(self._sign(kind, "root", leaf(*changes), **how)), why)

        bad_leaf("expired", "expired", start=LONG_AGO, end=PAST)
        bad_leaf("future", "not yet valid", start=FUTURE)
        bad_leaf("wrong-host", "hostname mismatch", "subjectAltName = DNS:other.test")
        bad_leaf("parent-name", "hostname mismatch", "subjectAltName = DNS:test")
        bad_leaf("child-name", "hostname mismatch", "subjectAltName = DNS:www.origin.test")
        bad_leaf("wildcard-child", "hostname mismatch", "subjectAltName = DNS:*.origin.test")
        bad_leaf("wildcard-top", "hostname mismatch", "subjectAltName = DNS:*.test")
        bad_leaf("wildcard-all", "hostname mismatch", "subjectAltName = DNS:*")
        bad_leaf("partial-wildcard", "hostname mismatch", "subjectAltName = DNS:ori*.test")
        bad_leaf("inner-wildcard", "hostname mismatch", "subjectAltName = DNS:origin.*")
        bad_leaf("address-for-name", "hostname mismatch", "subjectAltName = IP:127.0.0.1")
        bad_leaf("uri-for-name", "hostname mismatch", "subjectAltName = URI:https://origin.test")
        bad_leaf("mail-for-name", "hostname mismatch", "subjectAltName = email:a@origin.test")
        bad_leaf("common-name-beside-names", "hostname mismatch", "subjectAltName = DNS:other.test",
                 subject="/CN=origin.test")
        bad_leaf("client-only", "purpose", "extendedKeyUsage = clientAuth")
        bad_leaf("code-signing", "purpose", "extendedKeyUsage = codeSigning")
        bad_leaf("no-signature-usage", "purpose", "keyUsage = critical, cRLSign")
        bad_leaf("unknown-critical", "critical extension", "1.2.3.4.5.6 = critical, ASN1:UTF8String:what")
        bad_leaf("sha1", "", digest="sha1")
        bad_leaf("rsa-1024", "", key=["-newkey", "rsa:1024"])
        self._sign("self-signed", None, LEAF)
        add("self-signed", self._shown("self-signed"), "self-signed certificate")
        self._sign("stranger", None, CA)
        add("unknown-ca", self._shown(self._sign("unknown", "stranger", LEAF), "stranger"), "self-signed certificate")
        add("unknown-ca-unshown", self._shown(self._sign("unshown", "stranger", LEAF)), "issuer certificate")
        self._sign("between", "root", CA)
        add("missing-intermediate", self._shown(self._sign("orphan", "between", LEAF)), "issuer certificate")
        add("expired-intermediate", self._below("old-ca", CA, start=LONG_AGO, end=PAST), "expired")
        add("future-intermediate", self._below("new-ca", CA, start=FUTURE), "not yet valid")
        add("intermediate-no-ca", self._below("no-ca", ["basicConstraints = critical, CA:FALSE"]), "invalid CA")
        add("leaf-as-issuer", self._below("leaf-ca", LEAF), "invalid CA")
        add("intermediate-may-not-sign", self._below("mute-ca", [CA[0], "keyUsage = critical, cRLSign"]), "invalid CA")
        add("names-permitted-elsewhere", self._below("permitted", [*CA, "nameConstraints = critical, permitted;DNS:other.test"]),
            "permitted subtree violation")
        add("name-excluded", self._below("excluded", [*CA, "nameConstraints = critical, excluded;DNS:origin.test"]),
            "excluded subtree violation")
        self._sign("short", "root", ["basicConstraints = critical, CA:TRUE, pathlen:0", CA[1]])
        self._sign("too-deep-ca", "short", CA)
        add("path-too-long", self._shown(self._sign("too-deep", "too-deep-ca", LEAF), "too-deep-ca", "short"),
            "path length")
        add("weak-intermediate", self._below("weak-ca", CA, key=["-newkey", "rsa:1024"]), "")
        return made
