"""egret run on a machine that reaches the outside by a parent proxy alone: names are known there and nowhere else."""
import os

from harness import ProxyCase, allow
from run_case import OWN_FAILURE, RunCase, run, setUpModule

USERS = ("me:$6$ab$rsNX2lz1GnONfftJ9.uExuO3GdttFaX5OXBMlXh6JvGy0S30vyUMgO"
         "8/.Gpp5vPuFZ7gcA2D3dROXu5MFwE7g.\n")  # ca:nary
SECRET = "ca%3Anary"
NAMES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY")


class ByAParent(ProxyCase, RunCase):
    def setUp(self):
        self.outside = self.origin()
        self.start(allow(), filters=[
            {"proxy_auth": {"methods": [{"basic": {"users": "people"}}]}}, {"egress_policy": {"policy": "web"}},
            {"connect_tunnel": {}}, {"forward_router": {}}],
            secrets=[{"name": "people", "htpasswd": {"inline_string": USERS}}])
        self.url = "http://me:%s@127.0.0.1:%d/" % (SECRET, self.egret.address[1])
        self.target = "origin.test:%d" % self.outside.port
        self.plain = {name: value for name, value in os.environ.items() if name not in NAMES}

    def origin(self, *scripts):
        return RunCase.origin(self)

    def fetch(self, *more, command=("curl", "-sS"), env=None):
        return run("--allow", self.target, *more, "--", *command, "http://%s/" % self.target, env=env or self.plain)

    def assert_went_by_it(self, done, **fields):
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok", ""))
        self.egret.one_line(target=self.target, identity="me", decision="allow", **fields)

    def test_it_is_asked_for_the_name(self):
        self.assert_went_by_it(self.fetch("--parent", self.url), kind="request")

    def test_the_password_may_lie_in_a_file(self):
        with open(self.egret.path("parent-credentials"), "w") as f:
            f.write("me:ca:nary\n")
        self.assert_went_by_it(self.fetch("--parent", self.url.replace("me:%s@" % SECRET, ""), "--parent-credentials",
                                          f.name))

    def test_programs_that_do_not_look_at_the_variables_go_by_it_as_well(self):
        done = self.fetch("--parent", self.url, command=("curl", "-sS", "--noproxy", "*"))
        if "reach nothing at all" in done.stderr:
            self.skipTest(done.stderr)
        self.assert_went_by_it(done)

    def test_it_may_be_the_one_that_the_callers_variables_name_and_the_command_does_not_learn_its_password(self):
        for name in NAMES[:-1]:
            with self.subTest(name):
                script = "env | grep -F %s >&2; exec curl -sS $0" % SECRET
                done = self.fetch("--parent", "env", command=("sh", "-c", script), env={**self.plain, name: self.url})
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok", ""))
        done = self.fetch("--parent", "env", env={**self.plain, "https_proxy": self.url[len("http://"):]})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok", ""))
        done = self.fetch("--parent", "env", env={**self.plain, "HTTP_PROXY": self.url})
        self.assertEqual((done.returncode, done.stderr),
                         (OWN_FAILURE, "egret run: --parent env: none of https_proxy, all_proxy and http_proxy is set\n"))

    def test_one_that_is_named_and_not_used_is_told(self):
        done = run("--", "true", env={**self.plain, "https_proxy": self.url})
        self.assertEqual(done.stderr, "egret run: the proxy that your variables name is not used; --parent env goes out "
                                      "through it\n")

    def test_what_is_wrong_is_told_without_the_password(self):
        for arguments, text in ((("--parent", "https://me:%s@parent.test/" % SECRET), "--parent: not a proxy's URL"),
                                (("--parent-credentials", "/dev/null"), "for which proxy?")):
            done = self.fetch(*arguments)
            self.assertEqual(done.returncode, OWN_FAILURE)
            self.assertIn(text, done.stderr)
            self.assertNotIn(SECRET, done.stderr)
