"""What cert-manager would make of the Certificates of a set: the Secrets, by namespace and name."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

EXTENDED = {"server auth": ExtendedKeyUsageOID.SERVER_AUTH, "client auth": ExtendedKeyUsageOID.CLIENT_AUTH}
NOW = datetime.datetime.utcnow()


def _hours(text):
    assert text.endswith("h"), text
    return datetime.timedelta(hours=int(text[:-1]))


def _key_usage(usages):
    known = {"digital_signature": "digital signature", "key_cert_sign": "cert sign", "crl_sign": "crl sign"}
    return x509.KeyUsage(content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                         encipher_only=False, decipher_only=False, **{k: v in usages for k, v in known.items()})


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                             serialization.NoEncryption())


def issue(spec, issuer):
    """`issuer`: (certificate, key), or None: itself."""
    assert spec["privateKey"]["algorithm"] == "ECDSA" and spec["privateKey"]["size"] == 256
    key = ec.generate_private_key(ec.SECP256R1())
    named = [x509.NameAttribute(NameOID.COMMON_NAME, spec["commonName"])] if "commonName" in spec else []
    subject = x509.Name(named)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(NOW - datetime.timedelta(minutes=5)).not_valid_after(NOW + _hours(spec["duration"]))
               .add_extension(x509.BasicConstraints(ca=spec.get("isCA", False), path_length=None), True)
               .add_extension(_key_usage(spec["usages"]), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    if "dnsNames" in spec:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in spec["dnsNames"]]), not named)
    extended = [EXTENDED[usage] for usage in spec["usages"] if usage in EXTENDED]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), False)
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()), False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


class Issued:
    """`secrets`: {(namespace, name): {key: bytes}}. renew() makes one anew, as cert-manager does before its end."""

    def __init__(self, objects):
        self.objects, self.pairs, self.secrets = objects, {}, {}
        for one in objects.of("Certificate"):
            self._make(one)

    def _parent(self, one):
        """The Certificate that made what the issuer signs with; None: it signs itself."""
        called, namespace = one["spec"]["issuerRef"], one["metadata"]["namespace"]
        issuer = self.objects.one(called["kind"], called["name"])
        if "selfSigned" in issuer["spec"]:
            return None
        where = namespace if called["kind"] == "Issuer" else "cert-manager"
        secret = issuer["spec"]["ca"]["secretName"]
        return next(o for o in self.objects.of("Certificate")
                    if (o["metadata"]["namespace"], o["spec"]["secretName"]) == (where, secret))

    def _make(self, one):
        at = one["metadata"]["namespace"], one["spec"]["secretName"]
        if at in self.pairs:
            return
        parent = self._parent(one)
        issuer = None
        if parent:
            self._make(parent)
            issuer = self.pairs[parent["metadata"]["namespace"], parent["spec"]["secretName"]]
        certificate, key = self.pairs[at] = issue(one["spec"], issuer)
        self.secrets[at] = {
            "tls.crt": pem(certificate), "ca.crt": pem(issuer[0] if issuer else certificate),
            "tls.key": key_pem(key)}

    def renew(self, name):
        one = self.objects.one("Certificate", name)
        del self.pairs[one["metadata"]["namespace"], one["spec"]["secretName"]]
        self._make(one)
