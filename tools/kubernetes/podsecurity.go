package main

import (
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

const enforce = "pod-security.kubernetes.io/enforce"

// What the admission of a cluster would refuse, by the level that the namespace enforces; a namespace without one takes
// anything. Into `restricted`: the same by the strictest level, wherever the pod is.
func (c *cluster) checkPodSecurity(restricted map[string][]string) []string {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	refusals := func(p pods, level api.Level) []string {
		var out []string
		results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &p.template.ObjectMeta,
			&p.template.Spec)
		for _, result := range results {
			if !result.Allowed {
				out = append(out, strings.TrimSpace(result.ForbiddenReason+": "+result.ForbiddenDetail))
			}
		}
		return out
	}
	var problems []string
	for _, one := range c.workloads {
		if _, given := one.owner.(*core.Pod); given {
			continue
		}
		if found := refusals(one, api.LevelRestricted); len(found) > 0 {
			restricted[label(one.owner)] = found
		}
		level, is := c.namespaces[one.namespace][enforce]
		if !is {
			continue
		}
		parsed, err := api.ParseLevel(level)
		if err != nil {
			problems = append(problems, "Namespace "+one.namespace+": "+err.Error())
			continue
		}
		for _, refusal := range refusals(one, parsed) {
			problems = append(problems, label(one.owner)+": the level "+level+" refuses it: "+refusal)
		}
	}
	return problems
}
