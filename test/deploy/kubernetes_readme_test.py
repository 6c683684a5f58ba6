"""deploy/README.md and the runbook: the folders, objects, files and sockets that they name are there."""
import json
import os
import re
import unittest

from rendered import SETS, WITH_PODS, checked, pod_template

KINDS = "deploy|certificate|issuer|clusterissuer|bundle"


class Page:
    def __init__(self, name):
        with open("deploy/" + name) as f:
            self.text = f.read()
        spans = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", self.text, re.DOTALL)
        self.code = [line for block, inline in spans for line in (block or inline).splitlines()]

    def paths(self):
        """From deploy/."""
        named = set(re.findall(r"\]\(([^)#:]+)\)", self.text))
        for line in self.code:
            named |= {path.rstrip(".") for path in re.findall(r"(?<![\w/.-])(?:deploy/)?(kubernetes/[\w./-]+)", line)}
            named |= {"kubernetes/" + path for path in re.findall(r"(?<![\w/-])((?:overlays|components|examples)/[a-z-]+)", line)}
        return named

    def objects(self):
        """(kind, name, namespace or None); those of cert-manager itself are not ours."""
        for line in self.code:
            namespace = (re.findall(r"-n (\S+)", line) or [None])[0]
            for kind, name in re.findall(r"\b(%s)/([a-z][a-z-]+)\b(?![/.])" % KINDS, line):
                if namespace != "cert-manager" and not os.path.exists(kind + "/" + name):
                    yield kind, name, namespace


class Pages(unittest.TestCase):
    pages = [Page("README.md"), Page("runbook.md")]

    def render(self):
        self.rendered = [one for report in checked(*SETS) for one in report["objects"]]
        self.shown = json.dumps(self.rendered)

    def test_folders_and_files_are_there(self):
        self.assertGreater(len(self.pages[0].paths()), 15)
        for path in {path for page in self.pages for path in page.paths()}:
            self.assertTrue(os.path.exists(os.path.join("deploy", path)), path)

    def test_objects_are_there(self):
        self.render()
        there = {(one["kind"].lower(), one["metadata"]["name"], namespace) for one in self.rendered
                 for namespace in (None, one["metadata"].get("namespace"))}
        named = {(kind.replace("deploy", "deployment"), *rest) for page in self.pages for kind, *rest in page.objects()}
        self.assertGreater(len(named), 7)
        self.assertEqual(named - there, set())

    def test_labels_and_config_maps_are_there(self):
        self.render()
        labels = [one["metadata"].get("labels", {}) for one in self.rendered]
        for line in (line for page in self.pages for line in page.code):
            for key, value in re.findall(r"(?:-l|label namespace \w+) ([^\s=]+)=(\S+)", line):
                self.assertIn(value, {one.get(key) for one in labels})
            for name in re.findall(r"(?:create|delete) configmap (\S+)", line):
                self.assertTrue('"name": "%s"' % name in self.shown, name)

    def test_files_and_sockets_in_pods_are_there(self):
        self.render()
        places = {mount["mountPath"] for one in self.rendered if one["kind"] in WITH_PODS
                  for container in pod_template(one)["spec"]["containers"] for mount in container.get("volumeMounts", [])}
        named = {path for page in self.pages for path in re.findall(r"(?<![\w.])/(?:etc|run)/[\w./-]+", page.text)}
        self.assertGreater(len(named), 2)
        for path in named:
            self.assertTrue(any(path.startswith(place + "/") for place in places), path)
            if path.endswith(".sock"):
                self.assertTrue("unix:" + path in self.shown, path)


if __name__ == "__main__":
    unittest.main()
