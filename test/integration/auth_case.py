"""What the tests of proxy_auth share: users with hashes of every kind that is taken, and a proxy that asks for them."""
import base64
import json
import os
import subprocess
import time

from harness import HOSTS, ProxyCase, allow, deny, proxy_config

# "correct horse" (bcrypt), "s3cret:with:colons" (SHA-512-crypt), "pässwörd" (yescrypt), each as cheap as it gets.
HORSE, COLONS, ACCENTS = "correct horse", "s3cret:with:colons", "pässwörd"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"
SHA512 = "$6$rounds=1000$saltsalt$j80qmfphCUEnvkBMMWpLydGVs.OwMiJI1GRws/fs4/Msi2biz5edX4CkhJWlbRn0LuwOG/v2CEo6UuSaAq5Rz."
YESCRYPT = "$y$j75$saltsaltsalt$4PO2pFFbLo4XwXVmQ4w1HpopbqdEfoqDMCQA3GIp3g2"
USERS = "# who may ask\nalice:%s\nbob:%s\ncarol:%s\n" % (BCRYPT, SHA512, YESCRYPT)
BASIC = {"basic": {"users": "people"}}
CHALLENGE = 'Basic realm="egress", charset="UTF-8"'
AFTER = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}}, {"forward_router": {}}]


def basic(user, password):
    """The line of a request that says who asks."""
    return "Proxy-Authorization: Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


ALICE, BOB = basic("alice", HORSE), basic("bob", COLONS)


class AuthCase(ProxyCase):
    def start_auth(self, *rules, methods=(BASIC,), users=USERS, secrets=(), top=None, **auth):
        """Users stand in a file of their own, `self.users`."""
        self.users = os.path.join(os.environ["TEST_TMPDIR"], "%s.htpasswd" % self.id())
        self.write_users(users)
        proxy_auth = {"proxy_auth": {"methods": list(methods), **auth}}
        config = proxy_config(list(rules) or [deny(), allow()], [proxy_auth, *AFTER], **(top or {}))
        config["secrets"] = [{"name": "people", "htpasswd": {"file": self.users}}, *secrets]
        self.adjust(config)
        return self.start_config(config, HOSTS)

    def adjust(self, config):
        """For who wants more of it."""

    def write_users(self, text):
        with open(self.users + ".new", "w") as f:
            f.write(text)
        os.rename(self.users + ".new", self.users)

    def asked(self, response, *challenges, status=407):
        """The client is asked, and by what."""
        self.assertIsNotNone(response)
        told = response.all("proxy-authenticate")
        self.assertEqual((response.status, told), (status, list(challenges or [CHALLENGE])), response)

    def accepted(self, method="basic"):
        return self.egret.metric("egret_auth_accepted_total", method=method)

    def refused(self, reason):
        return self.egret.metric("egret_auth_refused_total", reason=reason)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with an Ed25519 key that openssl makes; where openssl is too old for it, nothing can be tried."""

    def __init__(self, folder, kid="k1"):
        self.folder, self.kid, self.key = folder, kid, os.path.join(folder, kid + ".ed25519")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64url(der[-32:])}

    def jwks(self, *others):
        return json.dumps({"keys": [self.jwk, *(other.jwk for other in others)]})

    def sign(self, **claims):
        """A token; by default of alice, for egret, for ten minutes."""
        claims = {"iss": "https://issuer.test", "aud": "egret", "sub": "alice", "exp": int(time.time()) + 600, **claims}
        parts = [{"alg": "EdDSA", "kid": self.kid}, claims]
        text = ".".join(b64url(json.dumps(part).encode()) for part in parts)
        path = os.path.join(self.folder, "signed")
        with open(path, "w") as f:
            f.write(text)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", path], check=True,
                                   stdout=subprocess.PIPE).stdout
        return text + "." + b64url(signature)


def bearer(token):
    return "Proxy-Authorization: Bearer " + token
