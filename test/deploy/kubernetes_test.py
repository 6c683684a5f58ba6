"""deploy/kubernetes as a cluster would take it: every overlay renders, has no key that its type does not have and no name
that is not there, is let in by the Pod Security level of its namespace, and its NetworkPolicies leave no other way out. And
that tools/kubernetes, which says so, finds each kind of fault."""
import ipaddress
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

from interop import program
from network import Network
from rendered import FOLDER, Objects, SETS, WITH_PODS, checked, objects, pod_template

TRANSPARENT = SETS.index("overlays/transparent")


def setUpModule():
    program("kubernetes", "tools/kubernetes")


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


class Manifests(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.reports = checked(*SETS)
        cls.sets = [Objects(report["objects"]) for report in cls.reports]

    def test_a_cluster_takes_all_of_it(self):
        for report in self.reports:
            self.assertEqual(report["problems"], [], report["set"])
            self.assertGreater(len(report["objects"]), 6)

    def test_kubectl_renders_the_same(self):
        if not shutil.which("kubectl"):
            self.skipTest("no kubectl here")
        for report in self.reports:
            documents = []
            for folder in report["set"].split(","):
                text = subprocess.run(["kubectl", "kustomize", "--load-restrictor=LoadRestrictionsNone", FOLDER + "/" + folder],
                                      check=True, stdout=subprocess.PIPE, text=True).stdout
                documents += yaml.safe_load_all(text)
            names = lambda objects: sorted((o["kind"], o["metadata"]["name"]) for o in objects)  # noqa: E731
            self.assertEqual(names(documents), names(report["objects"]), report["set"])

    def test_pods_are_restricted_but_for_what_the_transparent_profile_says_of_itself(self):
        for index, report in enumerate(self.reports):
            if index != TRANSPARENT:
                self.assertEqual(report["restricted"], {}, report["set"])
        refused = self.reports[TRANSPARENT]["restricted"]["DaemonSet egret-transparent/egret"]
        self.assertEqual({one.split(":")[0] for one in refused}, {
            "host namespaces", "hostPort", "unrestricted capabilities", "runAsNonRoot != true", "runAsUser=0"})
        for one in refused[2:]:
            self.assertIn('"redirect"', one)  # the init container alone
        for index, one_set in enumerate(self.sets):
            for namespace in one_set.of("Namespace"):
                level = "privileged" if index == TRANSPARENT else "restricted"
                self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], level)

    def test_containers_are_bounded_write_nowhere_and_have_no_token(self):
        for one_set in self.sets:
            for workload in one_set.of(*WITH_PODS):
                spec = pod_template(workload)["spec"]
                self.assertIs(spec["automountServiceAccountToken"], False)
                for container in spec["containers"] + spec.get("initContainers", []):
                    self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)
                    if workload["metadata"]["name"].startswith("egret"):
                        resources = container["resources"]
                        self.assertEqual(resources["requests"]["memory"], resources["limits"]["memory"])

    def test_a_drain_ends_before_the_pod_has_to(self):
        found = 0
        for one_set in self.sets:
            for workload in one_set.of("Deployment", "DaemonSet"):
                namespace = workload["metadata"]["namespace"]
                if workload["metadata"]["name"] != "egret":
                    continue
                found += 1
                drain = yaml.safe_load(one_set.bootstrap(namespace))["drain"]
                needed = seconds(drain.get("accept_grace", "0s")) + seconds(drain["timeout"])
                # 5 s for what is ended at the deadline to be told of.
                self.assertLess(needed + 5, pod_template(workload)["spec"]["terminationGracePeriodSeconds"])
        self.assertEqual(found, len(SETS))

    def test_a_ca_s_key_is_where_it_signs_and_nowhere_else(self):
        for one_set in self.sets:
            authorities = {(o["metadata"]["namespace"], o["spec"]["secretName"]) for o in one_set.of("Certificate")
                           if o["spec"].get("isCA")}
            for workload in one_set.of(*WITH_PODS):
                at = workload["metadata"]["namespace"], workload["metadata"]["name"]
                for volume in pod_template(workload)["spec"].get("volumes", []):
                    secret = volume.get("secret", {}).get("secretName")
                    if (at[0], secret) in authorities:
                        self.assertEqual((*at, secret), ("egret-system", "egret", "egret-ca"))

    def test_variables_are_there_in_both_cases_and_name_a_service_that_there_is(self):
        shop, base = objects("examples/shop-inspected"), self.sets[0]
        service = base.one("Service", "egret", "egret-system")
        proxy = "http://%s.%s.svc:%d" % (service["metadata"]["name"], service["metadata"]["namespace"],
                                         service["spec"]["ports"][0]["port"])
        for workload in shop.of("Deployment", "CronJob"):
            container = pod_template(workload)["spec"]["containers"][0]
            variables = {one["name"]: one["value"] for one in container["env"]}
            for name in ("http_proxy", "https_proxy"):
                self.assertEqual((variables[name], variables[name.upper()]), (proxy, proxy))
            self.assertEqual(variables["no_proxy"], variables["NO_PROXY"])
            exceptions = variables["NO_PROXY"].split(",")
            self.assertLessEqual({"localhost", "127.0.0.1", "::1", ".svc", ".cluster.local", "kubernetes.default"}, set(exceptions))
            self.assertEqual(2, sum(1 for one in exceptions if "/" in one and ipaddress.ip_network(one)))
            mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
            formats = self.sets[2].one("Bundle", "egret-ca")["spec"]["target"]
            files = {"/etc/egret-ca/" + key for key in (formats["configMap"]["key"], formats["additionalFormats"]["pkcs12"]["key"])}
            named = set(re.findall(r"/etc/egret-ca/[a-z0-9.]+", " ".join(variables.values())))
            self.assertEqual((named, "/etc/egret-ca" in mounted), (files, True))
            self.assertLessEqual(set(shop.one("ConfigMap", "egret-proxy")["data"]), set(variables))

    def test_every_kind_of_workload_gets_them(self):
        template = {"spec": {"containers": [{"name": "one", "image": "one"}, {"name": "two", "image": "two"}]}}
        specs = {"apps/v1": ({"template": template}, ["Deployment", "StatefulSet", "DaemonSet"]),
                 "batch/v1": ({"template": template}, ["Job"])}
        workloads = [{"apiVersion": version, "kind": kind, "metadata": {"name": "w"}, "spec": spec}
                     for version, (spec, kinds) in specs.items() for kind in kinds]
        workloads.append({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "w"},
                          "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}})
        kustomization = {"namespace": "shop", "resources": ["workloads.yaml"],
                         "components": ["../components/namespace-egress", "../components/namespace-ca"]}
        rendered = Objects(checked("kinds", more={
            "kinds/kustomization.yaml": json.dumps(kustomization),
            "kinds/workloads.yaml": "\n---\n".join(json.dumps(one) for one in workloads)})[0]["objects"])
        specs = [pod_template(one)["spec"] for one in rendered.of(*WITH_PODS)]
        self.assertEqual(len(specs), len(WITH_PODS))
        for spec in specs:
            self.assertEqual(spec, specs[0])
            self.assertGreater(len(spec["containers"][0]["env"]), 15)
            self.assertNotIn("env", spec["containers"][1])


class NetworkPolicies(unittest.TestCase):
    def assert_lets(self, network, pod, wanted):
        tried = [(to, port, protocol) for to in (*network.pods, "9.1.1.1", "10.1.2.3", "169.254.169.254", "192.168.1.1")
                 if to != pod for port in (53, 80, 443, 3128, 9090, 15001, 18000, 18001) for protocol in ("TCP", "UDP")]
        self.assertEqual({one for one in tried if network.lets(pod, *one)}, set(wanted), pod)

    def test_workloads_reach_dns_and_egret_and_only_egret_reaches_outside(self):
        network = Network(objects("overlays/full,examples/shop-inspected"))
        dns = [("dns", 53, "UDP"), ("dns", 53, "TCP")]
        outside = [("9.1.1.1", port, "TCP") for port in (53, 80, 443, 3128, 9090, 15001, 18000, 18001)]
        for pod in ("client", "nightly"):
            self.assert_lets(network, pod, dns + [("egret", 3128, "TCP")])
        self.assert_lets(network, "egret", dns + outside + [("egret-control", 18000, "TCP")])
        self.assert_lets(network, "egret-control", [])

    def test_what_the_proxy_refuses_by_itself_is_refused_there_as_well(self):
        network = Network(objects("base,examples/shop"))
        for address in ("10.1.2.3", "100.100.100.200", "127.0.0.1", "168.63.129.16", "169.254.169.254", "192.0.0.192", "198.18.0.1",
                        "::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::172.16.0.1", "64:ff9b::192.168.0.1",
                        "64:ff9b::169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::100.100.100.200", "64:ff9b:1::1", "2001::1",
                        "2002:a00:1::1", "fd00:ec2::254", "fe80::1", "fec0::1"):
            self.assertFalse(network.lets("egret", address, 443), address)
        for address in ("9.1.1.1", "2606:4700::1", "64:ff9b::9.1.1.1"):
            self.assertTrue(network.lets("egret", address, 443), address)

    def test_others_reach_nothing_of_egret_and_prometheus_its_metrics(self):
        network = Network(objects("overlays/full,examples/shop-inspected"))
        for port in (3128, 9090, 18000, 18001):
            for pod in ("egret", "egret-control"):
                self.assertFalse(network.lets("stranger", pod, port))
        self.assertEqual([(pod, port) for pod in ("egret", "egret-control") for port in (3128, 9090, 18000, 18001)
                          if network.lets("prometheus", pod, port)], [("egret", 9090), ("egret-control", 18001)])


def set_in(path, value):
    """Sets or, with None, removes what is at a path like Deployment/egret/spec/template; ~ stands for a slash in a key."""
    def change(one_set):
        kind, name, *steps = (step.replace("~", "/") for step in path.split("/"))
        at = one_set.one(kind, name)
        for step in steps[:-1]:
            at = at[int(step) if step.isdigit() else step]
        last = int(steps[-1]) if steps[-1].isdigit() else steps[-1]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return change


def without(kind, name):
    def change(one_set):
        one_set.all.remove(one_set.one(kind, name))
    return change


POD = "Deployment/egret/spec/template/spec/"
CONTAINER = POD + "containers/0/"
# What is done to overlays/full, and what has to be said of it.
FAULTS = [
    (set_in(CONTAINER + "imagePullPolice", "Always"), 'unknown field "spec.template.spec.containers[0].imagePullPolice"'),
    (set_in("Certificate/egret-ca/spec/isCa", True), 'unknown field "spec.isCa"'),
    (set_in("Bundle/egret-ca/spec/target/configmap", {}), 'unknown field "spec.target.configmap"'),
    (set_in("PodMonitor/egret/spec/podMetricsEndpoints/0/portName", "metrics"), "unknown field"),
    (set_in(CONTAINER + "env/0", {"name": "A", "value": 1}), "cannot unmarshal number"),
    (set_in(CONTAINER + "resources/limits/memory", "1Gb"), "quantities must match"),
    (set_in("ConfigMap/egret-resources/data/policies.yaml", "#" * 300_000), "too large"),
    (set_in("Service/egret/kind", "Sevice"), 'no kind "Sevice"'),
    (set_in(CONTAINER + "ports/0/name", "the_proxy"), 'port "the_proxy": must contain only'),
    (set_in(CONTAINER + "ports/1/name", "proxy"), "port proxy is there twice"),
    (set_in(POD[:-5] + "metadata/labels", {}), "its selector does not select its own pods"),
    (set_in("NetworkPolicy/egret/metadata/name", "Egret"), "metadata.name: Invalid value"),
    (set_in("NetworkPolicy/egret/metadata/labels", {"a": "b c"}), "metadata.labels: Invalid value"),
    (set_in("NetworkPolicy/egret/spec/policyTypes", ["Ingress", "Egres"]), "policyTypes: there is no Egres"),
    (set_in("NetworkPolicy/egret/spec/policyTypes", ["Ingress"]), "without Egress its rules of egress count for nothing"),
    (without("ServiceAccount", "egret"), "there is no ServiceAccount egret-system/egret"),
    (without("ConfigMap", "egret-resources"), "there is no ConfigMap egret-system/egret-resources"),
    (without("Certificate", "egret-ca"), "there is no Secret egret-system/egret-ca"),
    (without("Certificate", "egret-root"), "no Certificate with isCA makes the secret cert-manager/egret-root"),
    (without("Certificate", "egret-root"), "there is no Secret cert-manager/egret-root with a key tls.crt"),
    (without("ClusterIssuer", "egret-root"), "there is no ClusterIssuer egret-root"),
    (without("Issuer", "egret-control-ca"), "there is no Issuer egret-system/egret-control-ca"),
    (without("PersistentVolumeClaim", "egret-rollouts"), "there is no PersistentVolumeClaim egret-system/egret-rollouts"),
    (without("Namespace", "egret-system"), 'there is no namespace "egret-system"'),
    (without("Bundle", "egret-ca"), "there is no ConfigMap shop/egret-ca"),
    (set_in("Bundle/egret-ca/spec/target/namespaceSelector/matchLabels/egret-egress", "on"), "there is no ConfigMap shop/egret-ca"),
    (set_in("Certificate/egret-ca/spec/usages", ["digital signature"]), "isCA is true, and usages say otherwise"),
    (set_in("Service/egret/spec/selector/app.kubernetes.io~name", "egert"), "selects no pods in egret-system"),
    (set_in("Service/egret/spec/ports/0/targetPort", "http"), 'the pods of Deployment egret-system/egret have no port "http"'),
    (set_in("PodDisruptionBudget/egret/spec/selector/matchLabels/app.kubernetes.io~name", "x"), "selects no pods"),
    (set_in("HorizontalPodAutoscaler/egret/spec/scaleTargetRef/name", "proxy"), "there is no Deployment egret-system/proxy"),
    (set_in("PodMonitor/egret/spec/podMetricsEndpoints/0/port", "admin"), 'have no port "admin"'),
    (set_in("NetworkPolicy/egret/spec/ingress/0/ports/0/port", "http"), 'have no port "http"'),
    (set_in("NetworkPolicy/egret/spec/ingress/0/from/0/namespaceSelector/matchLabels/egret-egress", "on"), "selects no namespace"),
    (set_in("NetworkPolicy/egret-allow-egret/spec/egress/0/ports/0/port", 8080), "have no port 8080"),
    (set_in("NetworkPolicy/egret-to-control/spec/egress/0/to/0/podSelector/matchLabels/app.kubernetes.io~name", "x"),
     "selects no pods of its peers"),
    (set_in(CONTAINER + "volumeMounts/0/name", "nothing"), "there is no volume nothing"),
    (set_in(CONTAINER + "volumeMounts/0/subPath", "egret.yaml"), "by subPath never changes"),
    (set_in(CONTAINER + "livenessProbe/httpGet/port", "admin"), "livenessProbe: there is no port admin"),
    (set_in(CONTAINER + "args", ["--node-id=$(NODE_NAME)"]), "there is no variable NODE_NAME"),
    (set_in("Deployment/egret-control/spec/template/spec/volumes/0/configMap",
            {"name": "egret-resources", "items": [{"key": "listener.yaml", "path": "x"}]}), "has no key listener.yaml"),
    (set_in(POD + "hostNetwork", True), "the level restricted refuses it: host namespaces"),
    (set_in(CONTAINER + "securityContext/capabilities/drop", ["NET_RAW"]), 'must set securityContext.capabilities.drop=["ALL"]'),
    (set_in(POD + "securityContext/seccompProfile", None), "the level restricted refuses it: seccompProfile"),
    (set_in(POD + "securityContext/runAsNonRoot", None), "the level restricted refuses it: runAsNonRoot"),
]


class Faults(unittest.TestCase):
    maxDiff = None

    def test_each_kind_of_fault_is_found(self):
        sound = objects("overlays/full,examples/shop-inspected")
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            files = []
            for index, (change, _) in enumerate(FAULTS):
                broken = Objects(sound.all)
                change(broken)
                files.append(os.path.join(folder, "%d.yaml" % index))
                with open(files[-1], "w") as f:
                    f.write("\n---\n".join(json.dumps(one) for one in broken.all))
            reports = checked(*files)
        for (_, wanted), report in zip(FAULTS, reports):
            self.assertTrue(any(wanted in problem for problem in report["problems"]), (wanted, report["problems"]))

    def test_what_is_there_twice_is_found(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            path = os.path.join(folder, "twice.yaml")
            one = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
            with open(path, "w") as f:
                f.write("\n---\n".join([json.dumps(one)] * 2))
            self.assertEqual(checked(path)[0]["problems"], ["Namespace a: is there twice"])


if __name__ == "__main__":
    unittest.main()
