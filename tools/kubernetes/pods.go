package main

import (
	"regexp"
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var variable = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// What pods use: their account, volumes, variables and ports.
func (c *cluster) checkPods(p pods, say tell) {
	spec := p.template.Spec
	if account := spec.ServiceAccountName; account != "" && !c.accounts[name{p.namespace, account}] {
		say("there is no ServiceAccount %s/%s", p.namespace, account)
	}
	mounted := map[string]bool{}
	for _, volume := range spec.Volumes {
		mounted[volume.Name] = false
		c.checkVolume(p.namespace, volume, say)
	}
	ports := map[string]bool{}
	for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
		checkPorts(container, ports, say)
		for _, mount := range container.VolumeMounts {
			if _, is := mounted[mount.Name]; !is {
				say("container %s: there is no volume %s", container.Name, mount.Name)
			}
			mounted[mount.Name] = true
			if mount.SubPath != "" || mount.SubPathExpr != "" {
				say("container %s: %s by subPath never changes while the pod lives", container.Name, mount.MountPath)
			}
		}
		c.checkVariables(p.namespace, container, say)
		checkProbes(container, say)
	}
	for volume, is := range mounted {
		if !is {
			say("volume %s is mounted nowhere", volume)
		}
	}
}

// A ConfigMap or Secret, and the keys that are asked for by name.
func (c *cluster) mustHave(kind, namespace, called string, optional *bool, asked []string, say tell) {
	all := c.configMaps
	if kind == "Secret" {
		all = c.secrets
	}
	has, is := all[name{namespace, called}]
	if !is {
		if optional == nil || !*optional {
			say("there is no %s %s/%s", kind, namespace, called)
		}
		return
	}
	for _, key := range asked {
		if !has[key] && (optional == nil || !*optional) {
			say("%s %s/%s has no key %s", kind, namespace, called, key)
		}
	}
}

func itemKeys(items []core.KeyToPath) []string {
	var out []string
	for _, item := range items {
		out = append(out, item.Key)
	}
	return out
}

func (c *cluster) checkVolume(namespace string, volume core.Volume, say tell) {
	if from := volume.ConfigMap; from != nil {
		c.mustHave("ConfigMap", namespace, from.Name, from.Optional, itemKeys(from.Items), say)
	}
	if from := volume.Secret; from != nil {
		c.mustHave("Secret", namespace, from.SecretName, from.Optional, itemKeys(from.Items), say)
	}
	if from := volume.PersistentVolumeClaim; from != nil && !c.claims[name{namespace, from.ClaimName}] {
		say("there is no PersistentVolumeClaim %s/%s", namespace, from.ClaimName)
	}
	if volume.Projected == nil {
		return
	}
	for _, source := range volume.Projected.Sources {
		if from := source.ConfigMap; from != nil {
			c.mustHave("ConfigMap", namespace, from.Name, from.Optional, itemKeys(from.Items), say)
		}
		if from := source.Secret; from != nil {
			c.mustHave("Secret", namespace, from.Name, from.Optional, itemKeys(from.Items), say)
		}
	}
}

func (c *cluster) checkVariables(namespace string, container core.Container, say tell) {
	said := map[string]bool{}
	for _, one := range container.Env {
		if said[one.Name] {
			say("container %s: variable %s is there twice", container.Name, one.Name)
		}
		said[one.Name] = true
		if one.ValueFrom == nil {
			continue
		}
		if from := one.ValueFrom.ConfigMapKeyRef; from != nil {
			c.mustHave("ConfigMap", namespace, from.Name, from.Optional, []string{from.Key}, say)
		}
		if from := one.ValueFrom.SecretKeyRef; from != nil {
			c.mustHave("Secret", namespace, from.Name, from.Optional, []string{from.Key}, say)
		}
	}
	for _, one := range container.EnvFrom {
		if from := one.ConfigMapRef; from != nil {
			c.mustHave("ConfigMap", namespace, from.Name, from.Optional, nil, say)
		}
		if from := one.SecretRef; from != nil {
			c.mustHave("Secret", namespace, from.Name, from.Optional, nil, say)
		}
	}
	for _, word := range slices.Concat(container.Command, container.Args) {
		for _, found := range variable.FindAllStringSubmatch(word, -1) {
			if !said[found[1]] {
				say("container %s: %s: there is no variable %s", container.Name, word, found[1])
			}
		}
	}
}

func checkProbes(container core.Container, say tell) {
	check := func(what string, port intstr.IntOrString) {
		for _, has := range container.Ports {
			if port.Type == intstr.String && has.Name == port.StrVal || port.Type == intstr.Int && has.ContainerPort == port.IntVal {
				return
			}
		}
		say("container %s: %s: there is no port %s", container.Name, what, port.String())
	}
	for what, probe := range map[string]*core.Probe{
		"startupProbe": container.StartupProbe, "livenessProbe": container.LivenessProbe, "readinessProbe": container.ReadinessProbe,
	} {
		if probe != nil && probe.HTTPGet != nil {
			check(what, probe.HTTPGet.Port)
		}
		if probe != nil && probe.TCPSocket != nil {
			check(what, probe.TCPSocket.Port)
		}
	}
}
