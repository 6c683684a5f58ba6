"""The Debian package: what is in it, that it installs, that its units are tight and that its configuration serves."""
import glob
import gzip
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import ProxyCase
from packaging import PROGRAMS, TIME, build, need, scratch
from waiting import SECONDS, until

BUILD = "deploy/debian/build"
UNITS = ("egret.service", "egret-control.service")
EXPOSURE = 13  # tenths: what `systemd-analyze security` may find at most; 0 is best, 100 worst


FOLDER = []  # where the package is, and what is in it


def setUpModule():
    need("dpkg-deb", "dpkg-shlibdeps", "strip", "curl")
    os.environ["DPKG_DEB_COMPRESSOR_TYPE"] = "gzip"  # five times as fast as xz
    FOLDER.append(scratch())
    unittest.addModuleCleanup(shutil.rmtree, FOLDER[0], True)
    print(build(BUILD, FOLDER[0] + "/egret.deb"))
    run("dpkg-deb", "-x", FOLDER[0] + "/egret.deb", FOLDER[0] + "/root")


def run(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, **more)


class PackageCase(unittest.TestCase):
    def setUp(self):
        self.folder = FOLDER[0]
        self.deb, self.root = self.folder + "/egret.deb", self.folder + "/root"

    def path(self, *names):
        return os.path.join(self.root, *names)

    def read(self, *names):
        with open(self.path(*names)) as f:
            return f.read()


class Contents(PackageCase):
    def test_it_depends_on_what_the_programs_are_linked_with(self):
        depends = run("dpkg-deb", "-f", self.deb, "Depends").stdout
        for package in ("libc6 (>= ", "libssl3 (>= ", "libgrpc++1.51 ", "libcrypt1 ", "ca-certificates"):
            self.assertIn(package, depends)
        self.assertNotIn("$", depends)
        self.assertRegex(run("dpkg-deb", "-f", self.deb, "Version").stdout, r"^\d+\.\d+\.\d+$")

    def test_the_configuration_is_the_operators_to_change(self):
        self.assertEqual(run("dpkg-deb", "-I", self.deb, "conffiles").stdout, "/etc/egret/egret.yaml\n")

    def test_all_is_roots_and_of_one_time(self):
        lines = run("dpkg-deb", "-c", self.deb).stdout.splitlines()
        self.assertEqual({line.split()[1] for line in lines}, {"root/root"})
        self.assertEqual({int(os.lstat(p).st_mtime) for p in glob.glob(self.path("usr/bin/*"))}, {TIME})
        self.assertEqual([line for line in lines if re.match(r"-\S*([sS]|w\S\S\S?$|w..w)", line.split()[0][4:])], [])

    def test_manual_pages_and_completions_are_there(self):
        for name in PROGRAMS:
            with gzip.open(self.path("usr/share/man/man1", name + ".1.gz"), "rt") as f:
                page = f.read()
            self.assertTrue(page.startswith('.TH "'), page[:20])
            self.assertIn("\\-\\-help" if name != "egretctl" else "egretctl", page)
        self.assertIn("complete ", self.read("usr/share/bash-completion/completions/egretctl"))
        self.assertTrue(self.read("usr/share/zsh/vendor-completions/_egretctl").startswith("#compdef egretctl"))

    def test_the_same_input_gives_the_same_bytes(self):
        build(BUILD, self.folder + "/again.deb")
        with open(self.deb, "rb") as one, open(self.folder + "/again.deb", "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_it_installs_upgrades_and_goes_and_starts_nothing(self):
        need("systemd-sysusers")
        root = self.folder + "/installed"
        for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"):
            os.makedirs(os.path.join(root, folder))
        open(root + "/var/lib/dpkg/status", "w").close()
        dpkg = ["unshare", "-r", "dpkg", "--root=" + root, "--force-depends", "--force-script-chrootless",
                "--log=/dev/null"]
        if "unshare" in run("unshare", "-r", "true").stdout:
            raise unittest.SkipTest("no user namespace can be made here")
        for _ in range(2):
            said = run(*dpkg, "-i", self.deb)
            self.assertEqual(said.returncode, 0, said.stdout)
            with open(root + "/etc/passwd") as f:
                accounts = f.read()
            self.assertRegex(accounts, r"(?m)^egret:.*:/usr/sbin/nologin$")
            self.assertRegex(accounts, r"(?m)^egret-control:")
            self.assertEqual(glob.glob(root + "/etc/systemd/system/*"), [])  # nothing is enabled
        os.makedirs(root + "/var/lib/egret/state")
        wanted = root + "/etc/systemd/system/multi-user.target.wants"  # what `systemctl enable` makes
        os.makedirs(wanted)
        for name in UNITS:
            os.symlink("/lib/systemd/system/" + name, os.path.join(wanted, name))
        said = run(*dpkg, "--purge", "egret")
        self.assertEqual(said.returncode, 0, said.stdout)
        left = [os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names]
        self.assertEqual([name for name in left if "egret" in name], [])


class Units(PackageCase):
    def unit(self, name):
        return self.read("usr/lib/systemd/system", name)

    def lines(self, name, setting):
        return re.findall(r"(?m)^%s=(.*)$" % setting, self.unit(name))

    def test_they_are_valid(self):
        need("systemd-analyze")
        for name in UNITS:
            path = os.path.join(scratch(), name)
            with open(path, "w") as f:
                f.write(self.unit(name).replace("ExecStart=", "ExecStart=" + self.root))
            said = run("systemd-analyze", "verify", "--man=no", path)
            self.assertNotIn(name + ":", said.stdout)
            if "Operation not permitted" not in said.stdout:
                self.assertEqual(said.returncode, 0, said.stdout)

    def test_little_of_the_system_is_within_their_reach(self):
        need("systemd-analyze")
        for name in UNITS:
            said = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=%d" % EXPOSURE,
                       self.path("usr/lib/systemd/system", name))
            print(said.stdout.splitlines()[-1] if said.stdout else "")
            self.assertEqual(said.returncode, 0, said.stdout)

    def test_what_they_start_is_in_the_package(self):
        for name in UNITS:
            for command in self.lines(name, "Exec\\w+"):
                program = command.split()[0]
                self.assertTrue(program == "/bin/sh" or os.access(self.path(program.lstrip("/")), os.X_OK), command)
        self.assertTrue(os.path.exists(self.path("etc/egret/egret.yaml")))


class Runs(PackageCase, ProxyCase):
    def setUp(self):
        super().setUp()
        need("strace", "systemd-analyze")
        traced = run("strace", "-qq", "-o", "/dev/null", "true")
        if traced.returncode:
            raise unittest.SkipTest("nothing can be traced here: " + traced.stdout.strip())
        self.scratch = tempfile.mkdtemp(prefix="egret-", dir="/tmp")  # a socket's path is short
        self.addCleanup(shutil.rmtree, self.scratch, True)

    def allowed(self, name):
        """The system calls that the unit lets through."""
        allowed = set()
        for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", self.read("usr/lib/systemd/system", name)):
            names = {call for word in line.lstrip("~").split() for call in self.calls(word)}
            allowed = allowed - names if line.startswith("~") else allowed | names
        return allowed

    def calls(self, name):
        if not name.startswith("@"):
            return {name}
        said = run("systemd-analyze", "syscall-filter", "--no-pager", name).stdout
        words = [line.strip() for line in said.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
        return {call for word in words for call in self.calls(word)}

    def start_command(self, unit, change, folder):
        """The unit's command under strace, with its paths in `folder`."""
        command = re.search(r"(?m)^ExecStart=(.*)$", self.read("usr/lib/systemd/system", unit)).group(1)
        words = [change(word) for word in command.split()]
        with open(folder + "/stderr", "w") as err:
            process = subprocess.Popen(["strace", "-f", "-qq", "-o", folder + "/calls", *words, "--ready-file",
                                        folder + "/ready.json"], stdout=err, stderr=err)
        self.addCleanup(process.kill)

        def alive():
            if process.poll() is not None:
                with open(folder + "/stderr") as f:
                    raise AssertionError("it ended: " + f.read())
        until(lambda: os.path.exists(folder + "/ready.json"), "the ready-file", alive=alive)
        return process

    def end(self, process, unit, folder):
        """Ends it, and looks at the system calls that it made."""
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as f:
            os.kill(int(f.read().split()[0]), signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS), 0)
        with open(folder + "/calls") as f:
            text = f.read()
        calls = set(re.findall(r"(?m)^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", text))
        calls -= {"execve", "arch_prctl"}  # of systemd and the loader
        self.assertGreater(len(calls), 20)
        self.assertEqual(calls - self.allowed(unit), set())
        setting = re.search(r"(?m)^RestrictAddressFamilies=(.*)$", self.read("usr/lib/systemd/system", unit)).group(1)
        self.assertEqual(set(re.findall(r" socket\((AF_\w+)", text)) - set(setting.split()), set())
        self.assertNotIn("PROT_WRITE|PROT_EXEC", text)

    def test_the_configuration_serves_and_the_unit_lets_it(self):
        folder = self.scratch
        text = self.read("etc/egret/egret.yaml")
        for known, ours in (("unix:/run/egret/admin.sock", "127.0.0.1:0"), ("127.0.0.1:9902", "127.0.0.1:0"),
                            ("127.0.0.1:3128", "127.0.0.1:0")):  # no port is guessed
            self.assertIn('"%s"' % known, text)
            text = text.replace('"%s"' % known, '"%s"' % ours)
        with open(folder + "/egret.yaml", "w") as f:
            f.write(text)
        process = self.start_command("egret.service", lambda word: folder + "/egret.yaml" if word.startswith("/etc/")
                                     else os.environ["EGRET"] if word.startswith("/usr/") else word, folder)
        with open(folder + "/ready.json") as f:
            proxy = re.search(r'"egress":"([^"]+)"', f.read()).group(1)
        said = run("curl", "-sS", "-x", "http://" + proxy, "-w", "%{http_code}", "http://127.0.0.1/")
        self.assertIn("403", said.stdout)
        self.end(process, "egret.service", folder)

    def test_the_control_plane_serves_and_the_unit_lets_it(self):
        folder = self.scratch

        def change(word):
            if word.startswith("/usr/"):
                return os.environ["EGRET_CONTROL"]
            if word.startswith(("/etc/", "/var/")):
                return folder
            return {"127.0.0.1:18000": "127.0.0.1:0"}.get(word, word.replace("/run/egret-control/", folder + "/"))
        process = self.start_command("egret-control.service", change, folder)
        self.end(process, "egret-control.service", folder)
