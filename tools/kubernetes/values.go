package main

import (
	"slices"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	trust "github.com/cert-manager/trust-manager/pkg/apis/trust/v1alpha1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	checks "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Values that are well written and still refused, or taken for something else than was meant.
func checkValues(object runtime.Object, say tell) {
	checkMeta(object, say)
	switch o := object.(type) {
	case *apps.Deployment:
		checkSelector(o.Spec.Selector, o.Spec.Template.Labels, say)
	case *apps.StatefulSet:
		checkSelector(o.Spec.Selector, o.Spec.Template.Labels, say)
	case *apps.DaemonSet:
		checkSelector(o.Spec.Selector, o.Spec.Template.Labels, say)
	case *networking.NetworkPolicy:
		checkPolicyTypes(o, say)
	}
}

// Names, labels and annotations.
func checkMeta(object runtime.Object, say tell) {
	about, err := apimeta.Accessor(object)
	if err != nil {
		return // it is told of where its namespace is looked at
	}
	namespaced := true
	switch object.(type) {
	case *core.Namespace, *certmanager.ClusterIssuer, *trust.Bundle:
		namespaced = false
	}
	for _, one := range validation.ValidateObjectMetaAccessor(about, namespaced, validation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		say("%v", one)
	}
}

func checkSelector(selector *meta.LabelSelector, of map[string]string, say tell) {
	if selector == nil || !selects(selector, labels.Set(of)) {
		say("its selector does not select its own pods")
	}
}

func checkPolicyTypes(o *networking.NetworkPolicy, say tell) {
	for _, one := range o.Spec.PolicyTypes {
		if one != networking.PolicyTypeIngress && one != networking.PolicyTypeEgress {
			say("policyTypes: there is no %s", one)
		}
	}
	if len(o.Spec.Ingress) > 0 && !slices.Contains(o.Spec.PolicyTypes, networking.PolicyTypeIngress) {
		say("policyTypes: without Ingress its rules of ingress count for nothing")
	}
	if len(o.Spec.Egress) > 0 && !slices.Contains(o.Spec.PolicyTypes, networking.PolicyTypeEgress) {
		say("policyTypes: without Egress its rules of egress count for nothing")
	}
}

func checkPorts(container core.Container, seen map[string]bool, say tell) {
	for _, port := range container.Ports {
		for _, wrong := range checks.IsValidPortName(port.Name) {
			say("container %s: port %q: %s", container.Name, port.Name, wrong)
		}
		if seen[port.Name] {
			say("container %s: port %s is there twice", container.Name, port.Name)
		}
		seen[port.Name] = true
	}
}
