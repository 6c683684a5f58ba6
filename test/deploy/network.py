"""What NetworkPolicies let through, as their API says it: as far as deploy/kubernetes uses it, and no further."""
import ipaddress

from rendered import WITH_PODS, pod_template


class Network:
    """Of the pods of a set, and of some that a cluster has besides."""

    def __init__(self, one_set):
        self.policies = one_set.of("NetworkPolicy")
        self.namespaces = {o["metadata"]["name"]: o["metadata"]["labels"] for o in one_set.of("Namespace")}
        for name in ("kube-system", "monitoring", "elsewhere"):
            self.namespaces[name] = {}
        for name, labels in self.namespaces.items():
            labels["kubernetes.io/metadata.name"] = name
        self.pods = {}
        for workload in one_set.of(*WITH_PODS):
            template = pod_template(workload)
            ports = {port["name"]: port["containerPort"] for container in template["spec"]["containers"]
                     for port in container.get("ports", [])}
            self.pods[workload["metadata"]["name"]] = (
                workload["metadata"]["namespace"], template.get("metadata", {}).get("labels", {}), ports)
        self.pods["dns"] = ("kube-system", {"k8s-app": "kube-dns"}, {})
        self.pods["prometheus"] = ("monitoring", {}, {})
        self.pods["stranger"] = ("elsewhere", {}, {})

    @staticmethod
    def _selects(selector, labels):
        assert set(selector) <= {"matchLabels"}, selector
        return selector.get("matchLabels", {}).items() <= labels.items()

    def _is_peer(self, peer, own, other):
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            return (not isinstance(other, str) and other in ipaddress.ip_network(block["cidr"])
                    and not any(other in ipaddress.ip_network(one) for one in block.get("except", [])))
        if not isinstance(other, str):
            return False
        namespace, labels, _ = self.pods[other]
        if "namespaceSelector" in peer:
            if not self._selects(peer["namespaceSelector"], self.namespaces[namespace]):
                return False
        elif namespace != own:
            return False
        return self._selects(peer.get("podSelector", {}), labels)

    @staticmethod
    def _has_port(ports, protocol, number, names):
        return any(port["protocol"] == protocol and (names.get(port["port"]) == number if isinstance(port["port"], str)
                                                     else port["port"] <= number <= port.get("endPort", port["port"]))
                   for port in ports)

    def _side(self, direction, pod, other, protocol, number, names):
        if pod not in self.pods:
            return True
        namespace, labels, _ = self.pods[pod]
        mine = [p["spec"] for p in self.policies if p["metadata"]["namespace"] == namespace
                and direction in p["spec"]["policyTypes"] and self._selects(p["spec"]["podSelector"], labels)]
        key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        return not mine or any(self._has_port(rule["ports"], protocol, number, names)
                               and any(self._is_peer(peer, namespace, other) for peer in rule[peers])
                               for spec in mine for rule in spec.get(key, []))

    def lets(self, pod, to, port, protocol="TCP"):
        """From a pod to a pod or an address."""
        other = to if to in self.pods else ipaddress.ip_address(to)
        names = self.pods[to][2] if to in self.pods else {}
        return (self._side("Egress", pod, other, protocol, port, names)
                and (to not in self.pods or self._side("Ingress", to, pod, protocol, port, names)))
