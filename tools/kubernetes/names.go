package main

import (
	"fmt"
	"sort"
	"strings"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	trust "github.com/cert-manager/trust-manager/pkg/apis/trust/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Says what is wrong with one object.
type tell func(format string, values ...any)

// Every name that one object uses of another: the other one has to be there, and to have what is asked of it.
func (c *cluster) checkNames() []string {
	c.addBundles()
	var problems []string
	at := func(object runtime.Object) tell {
		return func(format string, values ...any) {
			problems = append(problems, label(object)+": "+fmt.Sprintf(format, values...))
		}
	}
	seen := map[string]bool{}
	for _, object := range c.objects {
		say := at(object)
		if called := label(object); seen[called] {
			say("is there twice")
		} else {
			seen[called] = true
		}
		checkValues(object, say)
		c.checkNamespace(object, say)
		c.checkObject(object, say)
	}
	for _, one := range c.workloads {
		c.checkPods(one, at(one.owner))
	}
	sort.Strings(problems)
	return problems
}

func (c *cluster) checkNamespace(object runtime.Object, say tell) {
	about, err := apimeta.Accessor(object)
	if err != nil {
		say("%v", err)
		return
	}
	in := about.GetNamespace()
	switch object.(type) {
	case *core.Namespace, *certmanager.ClusterIssuer, *trust.Bundle:
		if in != "" {
			say("belongs to no namespace")
		}
		return
	}
	if _, is := c.namespaces[in]; !is {
		say("there is no namespace %q", in)
	}
}

func (c *cluster) checkObject(object runtime.Object, say tell) {
	switch o := object.(type) {
	case *core.Service:
		c.checkService(o, say)
	case *policy.PodDisruptionBudget:
		c.mustSelect(o.Namespace, o.Spec.Selector, nil, say)
	case *monitoring.PodMonitor:
		var ports []string
		for _, endpoint := range o.Spec.PodMetricsEndpoints {
			if endpoint.Port == nil {
				say("an endpoint names no port")
				continue
			}
			ports = append(ports, *endpoint.Port)
		}
		c.mustSelect(o.Namespace, &o.Spec.Selector, ports, say)
	case *autoscaling.HorizontalPodAutoscaler:
		c.checkScaler(o, say)
	case *networking.NetworkPolicy:
		c.checkNetworkPolicy(o, say)
	case *certmanager.Certificate:
		c.checkCertificate(o, say)
	case *certmanager.Issuer:
		c.checkAuthority(o.Namespace, o.Spec.CA, say)
	case *certmanager.ClusterIssuer:
		c.checkAuthority(trustNamespace, o.Spec.CA, say)
	case *trust.Bundle:
		c.checkBundle(o, say)
	}
}

// Pods that the selector selects, each of which has these ports.
func (c *cluster) mustSelect(namespace string, selector *meta.LabelSelector, ports []string, say tell) {
	selected := c.podsIn(namespace, selector)
	if len(selected) == 0 {
		say("selects no pods in %s: %s", namespace, meta.FormatLabelSelector(selector))
	}
	for _, one := range selected {
		for _, port := range ports {
			if !one.hasPortNamed(port) {
				say("the pods of %s have no port %q", label(one.owner), port)
			}
		}
	}
}

func (c *cluster) checkService(o *core.Service, say tell) {
	var ports []string
	for _, port := range o.Spec.Ports {
		if port.TargetPort.Type == intstr.String {
			ports = append(ports, port.TargetPort.StrVal)
		}
	}
	c.mustSelect(o.Namespace, &meta.LabelSelector{MatchLabels: o.Spec.Selector}, ports, say)
}

func (c *cluster) checkScaler(o *autoscaling.HorizontalPodAutoscaler, say tell) {
	target := o.Spec.ScaleTargetRef
	for _, one := range c.workloads {
		kind := one.owner.GetObjectKind().GroupVersionKind()
		if label(one.owner) == target.Kind+" "+o.Namespace+"/"+target.Name && kind.GroupVersion().String() == target.APIVersion {
			return
		}
	}
	say("there is no %s %s/%s of %s", target.Kind, o.Namespace, target.Name, target.APIVersion)
}

func (c *cluster) checkNetworkPolicy(o *networking.NetworkPolicy, say tell) {
	if len(o.Spec.PodSelector.MatchLabels)+len(o.Spec.PodSelector.MatchExpressions) > 0 {
		c.mustSelect(o.Namespace, &o.Spec.PodSelector, nil, say)
	}
	for _, rule := range o.Spec.Ingress {
		c.mustHavePorts(c.podsIn(o.Namespace, &o.Spec.PodSelector), rule.Ports, say)
		for _, peer := range rule.From {
			c.checkPeer(o.Namespace, peer, nil, say)
		}
	}
	for _, rule := range o.Spec.Egress {
		for _, peer := range rule.To {
			c.checkPeer(o.Namespace, peer, rule.Ports, say)
		}
	}
}

func (c *cluster) checkPeer(own string, peer networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort, say tell) {
	if peer.IPBlock != nil {
		return
	}
	var found []pods
	namespaces := 0
	for called, has := range c.namespaces {
		if peer.NamespaceSelector == nil && called != own || !selects(peer.NamespaceSelector, has) {
			continue
		}
		namespaces++
		found = append(found, c.podsIn(called, peer.PodSelector)...)
	}
	if namespaces == 0 {
		say("selects no namespace: %s", meta.FormatLabelSelector(peer.NamespaceSelector))
	} else if peer.PodSelector != nil && len(found) == 0 {
		say("selects no pods of its peers: %s", meta.FormatLabelSelector(peer.PodSelector))
	}
	c.mustHavePorts(found, ports, say)
}

// Ports by name; of those by number, that a pod which says its ports has it.
func (c *cluster) mustHavePorts(of []pods, ports []networking.NetworkPolicyPort, say tell) {
	for _, one := range of {
		for _, port := range ports {
			switch {
			case port.Port == nil || port.EndPort != nil || len(one.template.Spec.Containers) == 0:
			case port.Port.Type == intstr.String && !one.hasPortNamed(port.Port.StrVal):
				say("the pods of %s have no port %q", label(one.owner), port.Port.StrVal)
			case port.Port.Type == intstr.Int && !one.hasPortAt(port.Port.IntVal):
				say("the pods of %s have no port %d", label(one.owner), port.Port.IntVal)
			}
		}
	}
}

func (p pods) hasPortAt(number int32) bool {
	return p.hasPort(func(port core.ContainerPort) bool { return port.ContainerPort == number })
}

func (c *cluster) checkCertificate(o *certmanager.Certificate, say tell) {
	issuer := name{o.Namespace, o.Spec.IssuerRef.Name}
	if o.Spec.IssuerRef.Kind == "ClusterIssuer" {
		issuer.namespace = ""
	}
	if !c.issuers[issuer] {
		say("there is no %s %s", o.Spec.IssuerRef.Kind, issuer)
	}
	signs := false
	for _, usage := range o.Spec.Usages {
		signs = signs || usage == certmanager.UsageCertSign
	}
	if signs != o.Spec.IsCA {
		say("isCA is %v, and usages say otherwise: %s", o.Spec.IsCA, strings.Trim(fmt.Sprint(o.Spec.Usages), "[]"))
	}
}

func (c *cluster) checkAuthority(namespace string, ca *certmanager.CAIssuer, say tell) {
	if ca != nil && !c.authorities[name{namespace, ca.SecretName}] {
		say("no Certificate with isCA makes the secret %s/%s", namespace, ca.SecretName)
	}
}

func (c *cluster) checkBundle(o *trust.Bundle, say tell) {
	check := func(kind string, all map[name]map[string]bool, source *trust.SourceObjectKeySelector) {
		if source != nil && source.Name != "" && source.Key != "" && !all[name{trustNamespace, source.Name}][source.Key] {
			say("there is no %s %s/%s with a key %s", kind, trustNamespace, source.Name, source.Key)
		}
	}
	for _, source := range o.Spec.Sources {
		check("Secret", c.secrets, source.Secret)
		check("ConfigMap", c.configMaps, source.ConfigMap)
	}
}
