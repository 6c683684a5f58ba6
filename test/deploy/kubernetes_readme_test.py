"""deploy/README.md: the folders, objects, files and sockets that it names are there."""
import json
import os
import re
import unittest

from rendered import SETS, WITH_PODS, checked, pod_template


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open("deploy/README.md") as f:
            cls.text = f.read()
        spans = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", cls.text, re.DOTALL)
        cls.code = [line for block, inline in spans for line in (block or inline).splitlines()]

    def render(self):
        self.objects = [one for report in checked(*SETS) for one in report["objects"]]
        self.shown = json.dumps(self.objects)

    def assert_object(self, kind, name, namespace):
        found = [one for one in self.objects if one["kind"].lower().startswith(kind) and one["metadata"]["name"] == name
                 and namespace in (None, one["metadata"].get("namespace"))]
        self.assertTrue(found, (kind, name, namespace))

    def test_folders_and_files_are_there(self):
        named = set(re.findall(r"\]\(([^)#:]+)\)", self.text))
        for line in self.code:
            named |= {path.rstrip(".") for path in re.findall(r"(?<![\w/.-])(?:deploy/)?(kubernetes/[\w./-]+)", line)}
            named |= {"kubernetes/" + path for path in re.findall(r"(?<![\w/-])((?:overlays|components|examples)/[a-z-]+)", line)}
        self.assertGreater(len(named), 15)
        for path in named:
            self.assertTrue(os.path.exists(os.path.join("deploy", path)), path)

    def test_objects_are_there(self):
        self.render()
        found = 0
        for line in self.code:
            namespace = (re.findall(r"-n (\S+)", line) or [None])[0]
            for kind, name in re.findall(r"\b(deploy|certificate|issuer|clusterissuer|bundle)/([a-z][a-z-]+)\b(?![/.])", line):
                found += 1
                if namespace != "cert-manager":  # it is not ours
                    self.assert_object(kind, name, namespace)
            for name in re.findall(r"-l (\S+)", line):
                key, value = name.split("=")
                self.assertIn(value, {one["metadata"].get("labels", {}).get(key) for one in self.objects})
            for key, value in re.findall(r"label namespace \w+ (\S+)=(\S+)", line):
                self.assertIn(value, {one["metadata"].get("labels", {}).get(key) for one in self.objects})
        self.assertGreater(found, 12)
        for line in self.code:
            for name in re.findall(r"(?:create|delete) configmap (\S+)", line):
                self.assertTrue('"name": "%s"' % name in self.shown, name)

    def test_files_and_sockets_in_pods_are_there(self):
        self.render()
        places = {mount["mountPath"] for one in self.objects if one["kind"] in WITH_PODS
                  for container in pod_template(one)["spec"]["containers"] for mount in container.get("volumeMounts", [])}
        for path in re.findall(r"(?<![\w.])/(?:etc|run)/[\w./-]+", self.text):
            self.assertTrue(any(path.startswith(place + "/") for place in places), path)
            if path.endswith(".sock"):
                self.assertTrue("unix:" + path in self.shown, path)


if __name__ == "__main__":
    unittest.main()
