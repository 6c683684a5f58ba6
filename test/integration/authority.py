"""A certificate authority of a test that issues whatever it is asked for, by openssl."""
import os

from certificates import openssl

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name, self.issued = folder, name, 0
        os.makedirs(folder, exist_ok=True)
        self.ca = self.path(name + ".pem")
        with open(self.path(name + ".cnf"), "w") as f:
            f.write("[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
                    "subjectKeyIdentifier = hash\n"
                    "[authority]\ndatabase = %s\nnew_certs_dir = %s\nserial = %s\ncrlnumber = %s\ndefault_md = sha256\n"
                    "default_crl_days = 30\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n"
                    % (self.path(name + ".index"), folder, self.path(name + ".serial"), self.path(name + ".crlnumber")))
        for end, text in ((".index", ""), (".serial", "1000\n"), (".crlnumber", "1000\n")):
            with open(self.path(name + end), "w") as f:
                f.write(text)
        openssl(folder, "req", "-x509", *NEW_KEY, "-keyout", name + ".key", "-out", name + ".pem", "-days", "30",
                "-subj", "/CN=" + name, "-extensions", "ca", "-config", self._request_config())

    def path(self, name):
        return os.path.join(self.folder, name)

    def _request_config(self):
        """req wants a section of its own."""
        config = self.path(self.name + ".req.cnf")
        with open(self.path(self.name + ".cnf")) as f, open(config, "w") as out:
            out.write("[req]\ndistinguished_name = dn\n[dn]\n" + f.read())
        return config

    def issue(self, common_name, *names, end=None, must_staple=False):
        """(certificate, key): paths. `names` as openssl writes them ("DNS:a.test"); `end`: "20200101000000Z"."""
        self.issued += 1
        stem = "%s-%d" % (self.name, self.issued)
        extensions = self.path(stem + ".ext")
        with open(extensions, "w") as f:
            f.write("[leaf]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth, clientAuth\n"
                    "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n")
            if names:
                f.write("subjectAltName = %s\n" % ", ".join(names))
            if must_staple:
                f.write("tlsfeature = status_request\n")
        openssl(self.folder, "req", "-new", *NEW_KEY, "-keyout", stem + ".key", "-out", stem + ".csr", "-subj",
                "/CN=" + common_name)
        until = ["-startdate", "20190101000000Z", "-enddate", end] if end else ["-days", "30"]
        openssl(self.folder, "ca", "-batch", "-config", self.name + ".cnf", "-name", "authority", "-notext", "-cert",
                self.ca, "-keyfile", self.name + ".key", "-in", stem + ".csr", "-out", stem + ".pem", "-extfile",
                extensions, "-extensions", "leaf", *until)
        return self.path(stem + ".pem"), self.path(stem + ".key")

    def revocations(self, *certificates):
        """The path of a list that revokes these."""
        for certificate in certificates:
            openssl(self.folder, "ca", "-config", self.name + ".cnf", "-name", "authority", "-cert", self.ca, "-keyfile",
                    self.name + ".key", "-revoke", certificate)
        out = self.path(self.name + ".crl")
        openssl(self.folder, "ca", "-config", self.name + ".cnf", "-name", "authority", "-cert", self.ca, "-keyfile",
                self.name + ".key", "-gencrl", "-out", out)
        return out

    def ocsp_answer(self, certificate):
        """The path of an OCSP response (DER) that says what is known of this certificate, for an hour."""
        asked, out = certificate + ".ocsp-request", certificate + ".ocsp"
        openssl(self.folder, "ocsp", "-issuer", self.ca, "-cert", certificate, "-no_nonce", "-reqout", asked)
        openssl(self.folder, "ocsp", "-index", self.path(self.name + ".index"), "-CA", self.ca, "-rsigner", self.ca,
                "-rkey", self.path(self.name + ".key"), "-nmin", "60", "-reqin", asked, "-respout", out)
        return out
