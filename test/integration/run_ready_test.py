"""egret run: the ready policies, with the tools that they are for and what is at the names of their registries."""
import unittest

import run_tools
from run_case import setUpModule
from run_world import WorldCase, need


class Ready(WorldCase):
    def assert_ready(self, name, tool, other):
        """That a tool has all that it needs by the policy of that name, nobody has anything else by it, and the tool
        nothing by another."""
        need("curl")
        tool.prepare(self.folder)
        self.open_world(**tool.files)
        self.allowed = ["--allow", "@" + name]
        done = self.run_in_world(self.allowed, tool.script, **tool.env)
        self.assertEqual(done.status, 0, done)
        self.assertIn("installed", done.out, done)
        self.assertEqual({(one["outcome"], one["target"]) for one in done.report["destinations"]},
                         {("reached", "%s:%d" % (host, tool.port)) for host in tool.hosts}, done)
        for where in ("other.test", "sub." + tool.hosts[0]):
            self.assert_refused(self.allowed, "curl -sS https://%s/" % where, where + ":443")
            self.assertEqual(self.dns.asked(where), [])
        self.assert_refused(["--allow", "@" + other], tool.script, "%s:%d" % (tool.hosts[0], tool.port), **tool.env)

    def assert_refused(self, options, script, target, **env):
        done = self.run_in_world(options, script, **env)
        self.assertNotEqual(done.status, 0, done)
        self.assertEqual({(one["outcome"], one["target"]) for one in done.report["destinations"]},
                         {("refused", target)}, done)

    def test_pypi(self):
        self.assert_ready("pypi", run_tools.pip(), "npm")

    def test_npm(self):
        self.assert_ready("npm", run_tools.npm_ci(), "pypi")

    def test_crates(self):
        self.assert_ready("crates", run_tools.cargo(), "go")

    def test_debian(self):
        self.assert_ready("debian", run_tools.apt(), "github")

    def test_github(self):
        self.assert_ready("github", run_tools.git(), "debian")

    def test_go(self):
        """The mirror's archives are in a bucket of a host where everybody has one."""
        self.assert_ready("go", run_tools.go(), "crates")
        bucket = "https://storage.googleapis.com/proxy-golang-org-prod"
        for words in (bucket.replace("prod", "evil") + "/x", bucket + "-evil/x", "-d secret %s/x" % bucket,
                      "--path-as-is %s/../evil/x" % bucket):
            done = self.run_in_world(self.allowed, "curl -sSf " + words)
            self.assertRegex(done.err, r"error: 403\n.* refused  storage\.googleapis\.com:443 ")
        self.assertEqual([path for host, path in self.asked if host == "storage.googleapis.com"],
                         ["/proxy-golang-org-prod/egretdemo-v1.0.0.zip"])


if __name__ == "__main__":
    unittest.main()
