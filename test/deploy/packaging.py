"""What the tests of the image and of the package share."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import SANITIZED
from waiting import SECONDS

PROGRAMS = {"egret": "EGRET", "egret-control": "EGRET_CONTROL", "egretctl": "EGRETCTL"}
TIME = 1700000000


def need(*tools):
    if SANITIZED:
        raise unittest.SkipTest("what is shipped is not instrumented")
    for tool in tools:
        if not shutil.which(tool):
            raise unittest.SkipTest("no %s here" % tool)


def scratch():
    return tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))


def build(script, *words):
    """Runs a script of deploy/ on the binaries under test; gives what it says."""
    binaries = scratch()
    for name, variable in PROGRAMS.items():
        os.symlink(os.environ[variable], os.path.join(binaries, name))
    run = subprocess.run([script, *words, "--binaries", binaries], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(TIME)}, timeout=SECONDS * 6)
    if run.returncode:
        raise AssertionError(run.stdout)
    return run.stdout
