"""The configurations of deploy/kubernetes are ones that the programs take: each proxy's own file, and with it the listeners
and policies that it reads from a folder or is pushed. This needs nothing but the programs; kubernetes_pods_test runs them."""
import glob
import os
import shutil
import subprocess
import tempfile
import unittest

FOLDER = "deploy/kubernetes/"
# A proxy's own file, and what it is given.
TOGETHER = [
    ("base", "base"), ("components/interception", "components/interception"), ("components/interception", "examples/cluster"),
    ("components/control-plane", "base"), ("components/control-plane-with-interception", "components/interception"),
    ("overlays/transparent", "overlays/transparent"),
]


class Configurations(unittest.TestCase):
    def run_program(self, program, *words):
        run = subprocess.run([os.environ[program], *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertNotIn("warning", run.stdout)

    def test_each_file_of_a_proxy_is_valid_and_stands_in_the_list_above(self):
        files = glob.glob(FOLDER + "**/egret.yaml", recursive=True)
        self.assertEqual({os.path.dirname(path)[len(FOLDER):] for path in files}, {own for own, _ in TOGETHER})
        for path in files:
            self.run_program("EGRET", "--mode", "validate", "--config", path)

    def test_what_a_proxy_is_given_goes_with_its_file(self):
        given = glob.glob(FOLDER + "**/resources", recursive=True)
        self.assertEqual({os.path.dirname(path)[len(FOLDER):] for path in given}, {what for _, what in TOGETHER})
        for own, what in TOGETHER:
            with self.subTest(own=own, given=what), tempfile.TemporaryDirectory() as folder:
                shutil.copytree(FOLDER + what + "/resources", folder + "/resources/egress")
                os.mkdir(folder + "/bootstraps")
                shutil.copy(FOLDER + own + "/egret.yaml", folder + "/bootstraps/egress.yaml")
                self.run_program("EGRET_CONTROL", "--mode", "validate", "--resources", folder + "/resources", "--bootstraps",
                                 folder + "/bootstraps")


if __name__ == "__main__":
    unittest.main()
