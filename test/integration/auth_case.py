"""What the tests of proxy_auth share: users with hashes of every kind that is taken, and a proxy that asks for them."""
import base64
import os

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
