"""The image's root file system as a container has it: read-only, as user 65532, without rights, as process 1."""
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import unittest

from harness import HOSTS, allow
from mitm_case import INSPECTED, MitmCase, mitm_config
from packaging import PROGRAMS, TIME, build, need, scratch
from waiting import SECONDS, until

ROOTFS = "deploy/image/rootfs"
ID = 65532

# What a container runtime does. $1: the root, $2: becomes /etc/egret, $3: becomes /run/egret, the one place to write.
CONTAINER = """
set -e
root=$1
mount --rbind "$root" "$root"
mount -o remount,bind,ro,nosuid,nodev "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind "$2" "$root/etc/egret"
mount -o remount,bind,ro,nosuid,nodev "$root/etc/egret"
mount --rbind "$3" "$root/run/egret"
shift 3
exec setpriv --no-new-privs unshare --user --map-user=%d --map-group=%d --root="$root" --wd=/ "$@"
""" % (ID, ID)
APART = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"]


def setUpModule():
    need("dpkg-query", "strip", "ldd", "curl")


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.path, cls.oci = cls.folder + "/root.tar", cls.folder + "/image.tar"
        print(build(ROOTFS, cls.path, "--oci", cls.oci, "--name", "egret:test"))
        with tarfile.open(cls.path) as tar:
            cls.members = tar.getmembers()
            cls.texts = {m.name: tar.extractfile(m).read() for m in cls.members if m.isfile()}

    def test_nothing_is_in_it_that_is_not_needed(self):
        names = {m.name for m in self.members if not m.isdir()}
        programs = {name for name in names if re.match(r"(usr/)?s?bin/", name)}
        self.assertEqual(programs, {"usr/bin/" + name for name in PROGRAMS})
        self.assertEqual([n for n in names if re.search(r"\.(py|sh|pl|a|h)$|libnft|perl|libnss|apt|/terminfo", n)], [])
        needed = set()
        for variable in PROGRAMS.values():
            said = subprocess.run(["ldd", os.environ[variable]], stdout=subprocess.PIPE, text=True, check=True).stdout
            needed |= {os.path.basename(path) for path in re.findall(r"(/\S+) \(0x", said)}
        libraries = {os.path.basename(n) for n in names if "x86_64-linux-gnu/" in n or "aarch64-linux-gnu/" in n}
        links = {m.name: os.path.basename(m.linkname) for m in self.members if m.issym()}
        self.assertEqual(libraries, needed | {links[n] for n in links if os.path.basename(n) in needed})

    def test_everything_is_roots_and_only_roots_to_write(self):
        for member in self.members:
            with self.subTest(member.name):
                self.assertEqual((member.uid, member.gid), (ID, ID) if member.name == "run/egret" else (0, 0))
                if not member.issym() and member.name != "tmp":
                    self.assertEqual(member.mode & 0o7022, 0)
                self.assertEqual(member.mtime, TIME)

    def test_scanners_see_what_it_is_made_of(self):
        entries = {n.rpartition("/")[2]: self.texts[n].decode() for n in self.texts
                   if n.startswith("var/lib/dpkg/status.d/") and not n.endswith(".md5sums")}
        for name in ("libc6", "libssl3", "ca-certificates", "base-files", "egret"):
            self.assertRegex(entries[name], r"(?m)^Package: %s$" % re.escape(name))
            self.assertRegex(entries[name], r"(?m)^Version: \S+$")
            self.assertIn("usr/share/doc/%s/copyright" % name, self.texts)
        self.assertIn(b"VERSION_ID=", self.texts["usr/lib/os-release"])
        sums = self.texts["var/lib/dpkg/status.d/libssl3.md5sums"].decode()
        self.assertRegex(sums, r"[0-9a-f]{32}  usr/lib/\S+/libssl\.so\.3\n")
        bundle = self.texts["etc/ssl/certs/ca-certificates.crt"]
        self.assertGreater(bundle.count(b"BEGIN CERTIFICATE"), 50)

    def test_the_same_input_gives_the_same_bytes(self):
        again = self.folder + "/again.tar"
        build(ROOTFS, again, "--oci", self.folder + "/again-image.tar", "--name", "egret:test")
        for one, other in ((self.path, again), (self.oci, self.folder + "/again-image.tar")):
            with open(one, "rb") as a, open(other, "rb") as b:
                self.assertEqual(hashlib.sha256(a.read()).digest(), hashlib.sha256(b.read()).digest())

    def test_the_image_is_whole_and_starts_what_the_Containerfile_says(self):
        with tarfile.open(self.oci) as tar:
            files = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
        for name, data in files.items():
            if name.startswith("blobs/"):
                self.assertEqual(name, "blobs/sha256/" + hashlib.sha256(data).hexdigest())

        def blob(descriptor):
            data = files["blobs/" + descriptor["digest"].replace(":", "/")]
            self.assertEqual(len(data), descriptor["size"])
            return data
        manifest = json.loads(blob(json.loads(files["index.json"])["manifests"][0]))
        config = json.loads(blob(manifest["config"]))
        self.assertEqual(config["config"]["User"], "%d:%d" % (ID, ID))
        self.assertEqual(config["config"]["Entrypoint"], ["/usr/bin/egret"])
        self.assertEqual(config["config"]["Cmd"], ["--config", "/etc/egret/egret.yaml"])
        self.assertEqual([*config["config"]["ExposedPorts"]], ["3128/tcp", "9090/tcp"])
        names = set()
        for layer, wanted in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            plain = gzip.decompress(blob(layer))
            self.assertEqual("sha256:" + hashlib.sha256(plain).hexdigest(), wanted)
            with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
                names |= set(tar.getnames())
        self.assertEqual(names, {m.name for m in self.members})
        docker = json.loads(files["manifest.json"])[0]
        self.assertEqual(docker["RepoTags"], ["egret:test"])
        self.assertEqual({docker["Config"], *docker["Layers"]} - {*files}, set())

    def test_a_file_that_is_not_its_packages_own_is_refused(self):
        run = subprocess.run(["/usr/bin/python3", "-B", "-c", """
import sys
sys.path.insert(0, "deploy/image")
import debian
debian.INFO = sys.argv[1]
open(sys.argv[1] + "/base-files.md5sums", "w").write("0" * 32 + "  usr/lib/os-release\\n")
debian.Packages(None)._verified("/usr/lib/os-release", "base-files")
""", scratch()], stderr=subprocess.PIPE, text=True)
        self.assertIn("not as package base-files has it", run.stderr)


class Contained(MitmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = os.path.join(cls.folder, "root")
        build(ROOTFS, cls.root)
        run = cls.run_in("/usr/bin/egret", "--version")
        if re.match("(unshare|mount|setpriv): ", run.stderr):
            raise unittest.SkipTest("no container can be made here: " + run.stderr.strip())

    @classmethod
    def words(cls, etc, run, program, *arguments):
        return [*APART, "sh", "-c", CONTAINER, "sh", cls.root, etc, run, program, *arguments]

    @classmethod
    def run_in(cls, program, *arguments, run=None):
        return subprocess.run(cls.words(scratch(), run or scratch(), program, *arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=SECONDS)

    def start_in(self, etc, run, program, *arguments):
        with open(os.path.join(run, "stderr"), "wb") as err:
            process = subprocess.Popen(self.words(etc, run, program, *arguments), stdout=err, stderr=err)
        self.addCleanup(self._end, process)
        return process

    def _end(self, process):
        if process.poll() is None:
            process.kill()  # --kill-child: all of it
            process.wait()

    def process_one(self, process):
        """Its number out here."""
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as f:
            return int(f.read().split()[0])

    def ready(self, process, run):
        path = os.path.join(run, "ready.json")

        def alive():
            if process.poll() is not None:
                with open(os.path.join(run, "stderr")) as f:
                    raise AssertionError("it ended: " + f.read())
        until(lambda: os.path.exists(path), "the ready-file", alive=alive)
        with open(path) as f:
            return json.load(f)

    def curl(self, proxy, *words):
        run = subprocess.run(["curl", "-sS", "-x", "http://" + proxy, "-w", " %{http_code} %{http_connect}", *words],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
        return run.stdout

    def configured(self):
        """A folder that becomes /etc/egret."""
        etc = scratch()
        for source, name in ((self.ours.ca, "ca.crt"), (self.ours.path("ours.key"), "ca.key"),
                             (self.authority.ca, "origins.crt")):
            shutil.copy(source, os.path.join(etc, name))
        secrets = [{"name": "ca", "certificate_authority": {"certificate": {"file": "/etc/egret/ca.crt"},
                                                            "key": {"file": "/etc/egret/ca.key"}}},
                   {"name": "origins", "trust": {"roots": {"file": "/etc/egret/origins.crt"}}}]
        relayed = allow("relayed", domains=("www.more.test",))
        config = mitm_config([relayed, INSPECTED], {"tls": {"trust": "origins"}}, secrets,
                             resolver={"hosts_file": "/etc/egret/hosts"}, metrics={"address": "127.0.0.1:0"},
                             admin={"address": "unix:/run/egret/admin.sock"})
        with open(os.path.join(etc, "hosts"), "w") as f:
            f.write("".join("127.0.0.1 %s\n" % name for name in [*HOSTS, "www.more.test"]))
        with open(os.path.join(etc, "egret.yaml"), "w") as f:
            json.dump(config, f)
        return etc

    def test_it_serves_read_only_and_without_rights_and_ends_in_order(self):
        etc, run = self.configured(), scratch()
        process = self.start_in(etc, run, "/usr/bin/egret", "--config", "/etc/egret/egret.yaml", "--ready-file",
                                "/run/egret/ready.json")
        bound = self.ready(process, run)
        proxy = bound["listeners"]["egress"]
        plain, tls = self.origin(), self.tls_origin()
        self.assertEqual(self.curl(proxy, self.url(plain)), "ok 200 000")
        relayed = "https://www.more.test:%d/" % tls.port
        self.assertEqual(self.curl(proxy, "--cacert", self.authority.ca, relayed), "ok 200 200")
        inspected = "https://origin.test:%d/" % tls.port
        self.assertEqual(self.curl(proxy, "--cacert", self.ours.ca, inspected), "ok 200 200")
        self.assertIn(" 403 000", self.curl(proxy, "http://169.254.169.254/"))

        one = self.process_one(process)
        with open("/proc/%d/status" % one) as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        self.assertEqual(status["NSpid"].split()[-1], "1")
        self.assertEqual((int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"]), (0, 0, "1"))
        asked = self.run_in("/usr/bin/egretctl", "logging", "--admin", "unix:/run/egret/admin.sock", run=run)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        os.kill(one, signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS), 0)

    def test_the_control_plane_serves_and_ends_in_order(self):
        etc, run = scratch(), scratch()
        os.makedirs(os.path.join(etc, "build"))
        with open(os.path.join(etc, "build", "policies.yaml"), "w") as f:
            f.write("policies: [{name: web, rules: [{name: all, action: ALLOW}]}]\n")
        process = self.start_in(etc, run, "/usr/bin/egret-control", "--resources", "/etc/egret", "--listen",
                                "127.0.0.1:0", "--control", "unix:/run/egret/control.sock", "--ready-file",
                                "/run/egret/ready.json")
        self.ready(process, run)
        one = self.process_one(process)
        asked = self.run_in("/usr/bin/egretctl", "status", "--control", "unix:/run/egret/control.sock", run=run)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertIn("build", asked.stdout)
        os.kill(one, signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS), 0)

    def test_egretctl_needs_nothing_else(self):
        run = self.run_in("/usr/bin/egretctl", "ca", "init", "/run/egret/root")
        self.assertEqual(run.returncode, 0, run.stderr)
        run = self.run_in("/usr/bin/egretctl", "ca", "init", "/etc/egret/root")
        self.assertIn("Read-only file system", run.stdout + run.stderr)
