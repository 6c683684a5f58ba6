"""Programs in Go that test/interop/build has built. Tests never build them, for they have no network."""
import glob
import hashlib
import os
import pwd
import unittest


def program(name, folder):
    """The path of the one that was built of these sources; skips where it is not there."""
    digest = hashlib.sha256()
    for path in [*sorted(glob.glob(os.path.join(folder, "*.go"))), *(os.path.join(folder, n) for n in ("go.mod", "go.sum"))]:
        with open(path, "rb") as f:
            digest.update(f.read())
    home = pwd.getpwuid(os.getuid()).pw_dir  # Bazel's HOME is the test's own
    path = os.path.join(home, ".cache/egret-interop", "%s-%s" % (name, digest.hexdigest()[:16]))
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("no %s here: test/interop/build builds it, with Go" % name)
    return path
