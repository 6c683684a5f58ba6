package main

import (
	"fmt"
	"slices"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	trust "github.com/cert-manager/trust-manager/pkg/apis/trust/v1alpha1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// Where trust-manager and cert-manager's ClusterIssuers look for what is not in a namespace.
const trustNamespace = "cert-manager"

type name struct{ namespace, name string }

// Pods of one workload.
type pods struct {
	owner     runtime.Object
	namespace string
	labels    labels.Set
	template  core.PodTemplateSpec
}

// What is applied, and what a cluster has anyway.
type cluster struct {
	objects    []runtime.Object
	workloads  []pods
	namespaces map[string]labels.Set
	accounts   map[name]bool
	claims     map[name]bool
	// By name, with their keys.
	configMaps map[name]map[string]bool
	secrets    map[name]map[string]bool
	// CA secrets that cert-manager makes.
	authorities map[name]bool
	issuers     map[name]bool // those of the cluster have no namespace
}

func keys[Value any](maps ...map[string]Value) map[string]bool {
	out := map[string]bool{}
	for _, one := range maps {
		for key := range one {
			out[key] = true
		}
	}
	return out
}

func (c *cluster) add(object runtime.Object) {
	if c.namespaces == nil {
		c.begin()
	}
	c.objects = append(c.objects, object)
	switch o := object.(type) {
	case *core.Namespace:
		c.addNamespace(o.Name, o.Labels)
	case *core.ServiceAccount:
		c.accounts[name{o.Namespace, o.Name}] = true
	case *core.PersistentVolumeClaim:
		c.claims[name{o.Namespace, o.Name}] = true
	case *core.ConfigMap:
		c.configMaps[name{o.Namespace, o.Name}] = keys(keys(o.Data), keys(o.BinaryData))
	case *core.Secret:
		c.secrets[name{o.Namespace, o.Name}] = keys(keys(o.Data), keys(o.StringData))
	case *apps.Deployment:
		c.addPods(o, o.Namespace, o.Spec.Template)
	case *apps.StatefulSet:
		c.addPods(o, o.Namespace, o.Spec.Template)
	case *apps.DaemonSet:
		c.addPods(o, o.Namespace, o.Spec.Template)
	case *batch.Job:
		c.addPods(o, o.Namespace, o.Spec.Template)
	case *batch.CronJob:
		c.addPods(o, o.Namespace, o.Spec.JobTemplate.Spec.Template)
	case *certmanager.Issuer:
		c.issuers[name{o.Namespace, o.Name}] = true
	case *certmanager.ClusterIssuer:
		c.issuers[name{"", o.Name}] = true
	case *certmanager.Certificate:
		made := name{o.Namespace, o.Spec.SecretName}
		c.secrets[made] = map[string]bool{"tls.crt": true, "tls.key": true, "ca.crt": true}
		c.authorities[made] = o.Spec.IsCA
	}
}

func (c *cluster) begin() {
	c.namespaces = map[string]labels.Set{}
	c.accounts, c.claims = map[name]bool{}, map[name]bool{}
	c.configMaps, c.secrets = map[name]map[string]bool{}, map[name]map[string]bool{}
	c.authorities, c.issuers = map[name]bool{}, map[name]bool{}
	for _, one := range []string{"kube-system", "monitoring", trustNamespace} {
		c.addNamespace(one, nil)
	}
	dns := &core.Pod{TypeMeta: meta.TypeMeta{Kind: "Pod"}, ObjectMeta: meta.ObjectMeta{Namespace: "kube-system", Name: "dns"}}
	c.workloads = append(c.workloads, pods{owner: dns, namespace: "kube-system", labels: labels.Set{"k8s-app": "kube-dns"}})
}

func (c *cluster) addNamespace(called string, has map[string]string) {
	c.namespaces[called] = labels.Merge(has, labels.Set{"kubernetes.io/metadata.name": called})
}

func (c *cluster) addPods(owner runtime.Object, namespace string, template core.PodTemplateSpec) {
	c.workloads = append(c.workloads, pods{owner, namespace, template.Labels, template})
}

// What trust-manager will make in each namespace that a Bundle selects.
func (c *cluster) addBundles() {
	for _, object := range c.objects {
		bundle, is := object.(*trust.Bundle)
		if !is || bundle.Spec.Target.ConfigMap == nil {
			continue
		}
		has := map[string]bool{bundle.Spec.Target.ConfigMap.Key: true}
		if more := bundle.Spec.Target.AdditionalFormats; more != nil {
			if more.JKS != nil {
				has[more.JKS.Key] = true
			}
			if more.PKCS12 != nil {
				has[more.PKCS12.Key] = true
			}
		}
		for namespace, is := range c.namespaces {
			if selects(bundle.Spec.Target.NamespaceSelector, is) {
				c.configMaps[name{namespace, bundle.Name}] = has
			}
		}
	}
}

// A selector that is not there selects everything.
func selects(selector *meta.LabelSelector, has labels.Set) bool {
	if selector == nil {
		return true
	}
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(has)
}

func (c *cluster) podsIn(namespace string, selector *meta.LabelSelector) []pods {
	var out []pods
	for _, one := range c.workloads {
		if one.namespace == namespace && selects(selector, one.labels) {
			out = append(out, one)
		}
	}
	return out
}

func (p pods) hasPort(wanted func(core.ContainerPort) bool) bool {
	for _, container := range p.template.Spec.Containers {
		if slices.ContainsFunc(container.Ports, wanted) {
			return true
		}
	}
	return false
}

func (p pods) hasPortNamed(called string) bool {
	return p.hasPort(func(port core.ContainerPort) bool { return port.Name == called })
}

func (n name) String() string {
	if n.namespace == "" {
		return n.name
	}
	return fmt.Sprintf("%s/%s", n.namespace, n.name)
}
