"""What deploy/kubernetes renders to, as tools/kubernetes prints it."""
import copy
import json
import os
import shutil
import subprocess
import tempfile

from interop import program

FOLDER = "deploy/kubernetes"
SETS = ["base,examples/shop", "overlays/control-plane,examples/shop", "overlays/interception,examples/shop-inspected",
        "overlays/full,examples/shop-inspected", "overlays/transparent", "examples/cluster,examples/shop-inspected"]
WITH_PODS = {"Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob"}


def checked(*sets, more=None):
    """The report of each set: folders below deploy/kubernetes and absolute paths of files, joined by commas. `more`: files
    that are there besides, {path: text}."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        # Bazel's files are links, and kustomize takes none that lead out of a folder.
        for one in (FOLDER, "deploy/monitoring"):
            shutil.copytree(one, os.path.join(folder, os.path.basename(one)))
        folder = os.path.join(folder, os.path.basename(FOLDER))
        for path, text in (more or {}).items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w") as f:
                f.write(text)
        run = subprocess.run([program("kubernetes", "tools/kubernetes"), *sets], cwd=folder, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    if run.returncode:
        raise AssertionError(run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()]


def pod_template(one):
    spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
    return spec["template"]


class Objects:
    """Those of one set."""

    def __init__(self, objects):
        self.all = copy.deepcopy(objects)

    def of(self, *kinds):
        return [one for one in self.all if one["kind"] in kinds]

    def one(self, kind, name, namespace=None):
        found = [o for o in self.of(kind) if o["metadata"]["name"] == name
                 and namespace in (None, o["metadata"].get("namespace"))]
        assert len(found) == 1, (kind, name, len(found))
        return found[0]

    def bootstrap(self, namespace="egret-system"):
        """The text of the proxies' own file, whose ConfigMap has a hash in its name."""
        found = [one["data"]["egret.yaml"] for one in self.of("ConfigMap")
                 if one["metadata"]["namespace"] == namespace and "egret.yaml" in one["data"]]
        assert len(found) == 1, len(found)
        return found[0]


def objects(one_set):
    return Objects(checked(one_set)[0]["objects"])
