// What a cluster would say to deploy/kubernetes, without one. Each argument is a set of what is applied together, folders
// with a kustomization.yaml and files of manifests, joined by commas. Printed is one JSON document a set:
//
//	{"set": ..., "objects": [...], "problems": ["Deployment egret-system/egret: ..."],
//	 "restricted": {"DaemonSet egret-transparent/egret": ["host namespaces: hostNetwork=true"]}}
//
// problems: keys that a type does not have, values that are refused (values.go), names that one object uses of another and
// that are not there (names.go), pods that the Pod Security level of their namespace refuses. restricted: what the level "restricted" would refuse, wherever
// the pod is.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type report struct {
	Set        string              `json:"set"`
	Objects    []json.RawMessage   `json:"objects"`
	Problems   []string            `json:"problems"`
	Restricted map[string][]string `json:"restricted"`
}

func check(set string) (report, error) {
	out := report{Set: set, Objects: []json.RawMessage{}, Problems: []string{}, Restricted: map[string][]string{}}
	var all cluster
	for _, part := range strings.Split(set, ",") {
		documents, err := render(part)
		if err != nil {
			return out, fmt.Errorf("%s: %w", part, err)
		}
		for _, document := range documents {
			out.Objects = append(out.Objects, document)
			object, problems := decode(document)
			out.Problems = append(out.Problems, problems...)
			if object != nil {
				all.add(object)
			}
		}
	}
	out.Problems = append(out.Problems, all.checkNames()...)
	out.Problems = append(out.Problems, all.checkPodSecurity(out.Restricted)...)
	return out, nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes SET...   a set: folders and files, joined by commas")
		os.Exit(2)
	}
	for _, set := range os.Args[1:] {
		out, err := check(set)
		if err != nil {
			fmt.Fprintln(os.Stderr, "kubernetes:", err)
			os.Exit(1)
		}
		if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
			fmt.Fprintln(os.Stderr, "kubernetes:", err)
			os.Exit(1)
		}
	}
}
