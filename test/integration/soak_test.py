"""A few seconds of what tools/bench/soak does for minutes (rows R16, O01, O04)."""
import shutil
import unittest

from harness import SANITIZED
from soak import Soak

SECONDS = 10


class SoakTest(unittest.TestCase):
    def test_R16_after_a_mixed_load_everything_is_let_go_and_all_tell_the_same(self):
        soak = Soak(SECONDS, each=1, every=0.5, rotate_bytes=1 << 20)
        soak.run()
        # So short a run says little of memory: a leak of a KiB a request would show, slow growth would not.
        verdicts = soak.finish(memory=not SANITIZED, slack_kib=16 * 1024)
        print(dict(soak.done), "%d rotations of the log" % soak.log.rotations)
        for what, told, holds in verdicts:
            print("%-50s %s" % (what, told))
        self.assertEqual([v for v in verdicts if not v[2]], [])
        self.assertEqual([name for name in soak.done if soak.done[name] == 0], [])
        shutil.rmtree(soak.egret.folder, ignore_errors=True)
