"""A certificate authority of the test and a leaf, for *.test unless other names are given, made by openssl in a folder."""
import os
import subprocess

EXTENSIONS = """
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(folder, *words):
    run = subprocess.run(["openssl", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise AssertionError("openssl %s: %s" % (" ".join(words), run.stdout))


class Certificates:
    """Paths: ca (what clients trust), certificate and key (what the origin shows)."""

    def __init__(self, folder, names=("origin.test", "*.test")):
        self.ca, self.certificate, self.key = (os.path.join(folder, n) for n in ("ca.pem", "leaf.pem", "leaf.key"))
        with open(os.path.join(folder, "x509.cnf"), "w") as f:
            f.write(EXTENSIONS.format(names=", ".join("DNS:" + name for name in names)))
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for name, subject in (("ca", "/CN=Test CA"), ("leaf", "/CN=origin.test")):
            openssl(folder, "req", "-new", *new_key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject)
        signed = ["x509", "-req", "-days", "30", "-extfile", "x509.cnf"]
        openssl(folder, *signed, "-in", "ca.csr", "-signkey", "ca.key", "-extensions", "ca", "-out", "ca.pem")
        openssl(folder, *signed, "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extensions", "leaf", "-out", "leaf.pem")
