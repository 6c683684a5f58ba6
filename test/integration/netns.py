"""Tests that need addresses, routes or ports of their own: each method runs in a new network namespace, as its root.

    class Guard(NetnsCase): ...      as a ProxyCase; ip("addr add 9.9.9.9/32 dev lo") and nft("...") change the network

The namespace has lo up and no other interface. setUpClass runs outside: do not use it."""
import importlib.util
import os
import subprocess
import sys
import unittest

from harness import ProxyCase

SKIPPED = 77
INSIDE = "EGRET_TEST_IN_NETNS"
LAUNCH = "import sys; sys.path[:0] = sys.argv[3:]; import netns; netns.main()"


def tool(name, words):
    run = subprocess.run([name, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise AssertionError("%s %s: %s" % (name, words, run.stdout))
    return run.stdout


def ip(words):
    return tool("ip", words)


def nft(words):
    return tool("nft", words)


def public(*addresses):
    """Gives lo addresses that a policy takes for public ones."""
    for address in addresses:
        ip("addr add %s dev lo%s" % (address, " nodad" if ":" in address else ""))


class NetnsCase(ProxyCase):
    def run(self, result=None):
        if os.environ.get(INSIDE):
            return super().run(result)
        result.startTest(self)
        try:
            self._run_inside()
            result.addSuccess(self)
        except unittest.SkipTest as e:
            result.addSkip(self, str(e))
        except AssertionError:
            result.addFailure(self, sys.exc_info())
        finally:
            result.stopTest(self)
        return result

    def _run_inside(self):
        probe = subprocess.run(["unshare", "-rn", "ip", "link", "set", "lo", "up"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        if probe.returncode:
            raise unittest.SkipTest("no network namespace can be made here: " + probe.stdout.strip())
        test = sys.modules[type(self).__module__].__file__
        run = subprocess.run(
            ["unshare", "-rn", sys.executable, "-IB", "-c", LAUNCH, os.path.abspath(test),
             "%s.%s" % (type(self).__name__, self._testMethodName), *sys.path],
            env={**os.environ, INSIDE: "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        if run.returncode == SKIPPED:
            raise unittest.SkipTest(run.stdout.strip().splitlines()[-1])
        if run.returncode:
            raise AssertionError("in its network namespace:\n" + run.stdout)
        print(run.stdout, end="", flush=True)


def main():
    test, name = sys.argv[1:3]
    ip("link set lo up")
    spec = importlib.util.spec_from_file_location("inside", test)
    module = importlib.util.module_from_spec(spec)
    sys.modules["inside"] = module
    spec.loader.exec_module(module)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromName(name, module).run(result)
    for _, text in result.errors + result.failures:
        print(text)
    if result.skipped:
        print(result.skipped[0][1])
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 1 else 1)
