"""A container of a rendered pod, run as a kubelet and a runtime would: a root file system that cannot be written to, with
nothing in it but the program and the volumes at their places, files of ConfigMaps and Secrets behind the link ..data that
is changed as one. For tests that are in a network namespace of their own (NetnsCase): the pod has that one."""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from egret import DIRECT
from rendered import pod_template
from waiting import SECONDS, until

PROGRAMS = {"/usr/bin/egret": "EGRET", "/usr/bin/egret-control": "EGRET_CONTROL"}
RESOLVER = "nameserver 127.0.0.1\n"
NODE = "192.168.77.1"


def project(folder, files, mode):
    """Puts `files` ({path: bytes}) into a folder as a kubelet does."""
    made = tempfile.mkdtemp(prefix="..", dir=folder)
    os.chmod(made, 0o755)
    for path, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(made, path)), exist_ok=True)
        with open(os.path.join(made, path), "wb") as f:
            f.write(content)
        os.chmod(f.name, mode)
    link, before = os.path.join(folder, "..data"), os.path.realpath(os.path.join(folder, "..data"))
    os.symlink(os.path.basename(made), link + "_tmp")
    os.rename(link + "_tmp", link)
    wanted = {path.split("/")[0] for path in files}
    for name in wanted - set(os.listdir(folder)):
        os.symlink(os.path.join("..data", name), os.path.join(folder, name))
    for name in os.listdir(folder):
        if not name.startswith("..") and name not in wanted:
            os.unlink(os.path.join(folder, name))
    if before != link:
        shutil.rmtree(before)


class Pod:
    """`objects`: of its set, changed by whoever wants its ConfigMaps to change; `secrets` as Issued has them. Started
    once constructed; `environment` beside the container's own."""

    def __init__(self, objects, kind, name, secrets=None, environment=None):
        self.objects, self.secrets = objects, secrets or {}
        workload = objects.one(kind, name)
        self.namespace = workload["metadata"]["namespace"]
        self.spec = pod_template(workload)["spec"]
        self.container = self.spec["containers"][0]
        self.folder = tempfile.mkdtemp(prefix="pod-", dir="/tmp")  # a socket's path is short
        self.fields = {"metadata.name": name + "-5d9c7b-x2x4z", "spec.nodeName": "node-1", "status.hostIP": NODE}
        self.volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        for volume in self.volumes:
            os.makedirs(self.volume(volume))
        os.makedirs(self.path("root"))
        self.sync()
        self._start(environment or {})

    def path(self, name):
        return os.path.join(self.folder, name)

    def volume(self, name):
        return os.path.join(self.folder, "volumes", name)

    # --- Volumes.

    def _source(self, kind, source):
        """{path: bytes} of a ConfigMap or Secret, or None: it is optional and not there."""
        name = source.get("name") or source.get("secretName")
        if kind == "secret":
            data = self.secrets.get((self.namespace, name))
        else:
            found = [o for o in self.objects.of("ConfigMap")
                     if (o["metadata"]["namespace"], o["metadata"]["name"]) == (self.namespace, name)]
            data = {key: text.encode() for key, text in found[0]["data"].items()} if found else None
        if data is None:
            assert source.get("optional"), (kind, name)
            return {}
        if "items" not in source:
            return data
        return {item["path"]: data[item["key"]] for item in source["items"] if item["key"] in data}

    def sync(self):
        """What a kubelet does within a minute of a change."""
        for name, volume in self.volumes.items():
            sources = volume["projected"]["sources"] if "projected" in volume else [volume]
            files, mode = {}, 0o644
            for source in sources:
                for kind in {"configMap", "secret"} & source.keys():
                    files.update(self._source(kind, source[kind]))
                    mode = source[kind].get("defaultMode", mode)
            if files:
                project(self.volume(name), files, mode)

    # --- The process.

    def words(self, container=None):
        """Of the container, or an init container: what is run, and its variables."""
        container = container or self.container
        variables = {}
        for one in container.get("env", ()):
            variables[one["name"]] = one.get("value") or self.fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
        words = container["command"] + container.get("args", [])
        return [re.sub(r"\$\((\w+)\)", lambda match: variables[match.group(1)], word) for word in words], variables

    def _script(self, environment):
        words, variables = self.words()
        scratch = os.environ["TEST_TMPDIR"]
        binary = os.environ[PROGRAMS[words[0]]]
        with open(self.path("resolv.conf"), "w") as f:
            f.write(RESOLVER)
        lines = ["set -e", "mount -t tmpfs -o mode=0755 pod %s" % self.path("root"), "cd " + self.path("root"),
                 "mkdir -p usr/bin usr/lib usr/lib64 dev proc sys etc tmp .%s" % scratch,
                 "ln -s usr/lib lib", "ln -s usr/lib64 lib64", "touch etc/resolv.conf .%s" % words[0]]
        lines += ["mount --rbind /%s %s" % (name, name) for name in ("usr/lib", "usr/lib64", "dev", "proc", "sys")]
        lines += ["mount --bind %s .%s" % (scratch, scratch), "mount --bind %s etc/resolv.conf" % self.path("resolv.conf"),
                  "mount --bind %s .%s" % (os.path.realpath(binary), words[0])]
        for mount in sorted(self.container["volumeMounts"], key=lambda mount: mount["mountPath"]):
            place = "." + mount["mountPath"]
            lines += ["mkdir -p " + place, "mount --bind %s %s" % (self.volume(mount["name"]), place)]
            if mount.get("readOnly"):
                lines.append("mount -o remount,bind,ro,nosuid,nodev " + place)
        if self.container["securityContext"]["readOnlyRootFilesystem"]:
            lines.append("mount -o remount,ro,mode=0755 " + self.path("root"))
        kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        told = ["%s=%s" % pair for pair in {**kept, **variables, **environment}.items()]
        lines.append("exec env -i %s /usr/sbin/chroot . %s" % (shlex.join(told), shlex.join(words)))
        return "\n".join(lines)

    def _start(self, environment):
        with open(self.path("output"), "wb") as output:
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", self._script(environment)],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def output(self):
        with open(self.path("output"), errors="replace") as f:
            return f.read()

    def assert_running(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended with %s and said:\n%s" % (self.process.returncode, self.output()))

    def kill(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # once more at the end

    # --- What a kubelet asks.

    def port(self, name):
        return next(port["containerPort"] for port in self.container["ports"] if port["name"] == name)

    def get(self, port, path):
        try:
            with DIRECT.open("http://127.0.0.1:%d%s" % (self.port(port), path), timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError:  # nobody listens yet
            return 0, ""

    def probe(self, name):
        asked = self.container[name]["httpGet"]
        return self.get(asked["port"], asked["path"])

    def await_probes(self):
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            until(lambda: self.probe(name)[0] == 200, lambda: "%s: %r; %s" % (name, self.probe(name), self.output()),
                  alive=self.assert_running)
