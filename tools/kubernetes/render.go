package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	trust "github.com/cert-manager/trust-manager/pkg/apis/trust/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The types of what is applied. Strict: a key that a type does not have is an error, and so is one that is there twice.
var decoder = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, autoscaling.AddToScheme, batch.AddToScheme, core.AddToScheme, networking.AddToScheme,
		policy.AddToScheme, certmanager.AddToScheme, trust.AddToScheme, monitoring.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}()

// The objects of a folder with a kustomization.yaml, or of a file, each as JSON.
func render(path string) ([]json.RawMessage, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	var documents []json.RawMessage
	for _, document := range bytes.Split(append([]byte("\n"), text...), []byte("\n---\n")) {
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		converted, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, err
		}
		documents = append(documents, converted)
	}
	return documents, nil
}

func read(path string) ([]byte, error) {
	if strings.HasSuffix(path, ".yaml") {
		return os.ReadFile(path)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
	if err != nil {
		return nil, err
	}
	return resources.AsYaml()
}

// The object, or nil, and what is wrong with how it is written.
func decode(document json.RawMessage) (runtime.Object, []string) {
	object, _, err := decoder.Decode(document, nil, nil)
	if err == nil && len(document) > validation.TotalAnnotationSizeLimitB {
		return object, []string{label(object) + ": kubectl apply keeps it in an annotation, and it is too large for one"}
	}
	if err == nil {
		return object, nil
	}
	var says struct {
		Kind     string
		Metadata struct{ Namespace, Name string }
	}
	_ = json.Unmarshal(document, &says)
	where := fmt.Sprintf("%s %s", says.Kind, says.Metadata.Name)
	if says.Metadata.Namespace != "" {
		where = fmt.Sprintf("%s %s/%s", says.Kind, says.Metadata.Namespace, says.Metadata.Name)
	}
	return nil, []string{where + ": " + err.Error()}
}

// How problems call an object.
func label(object runtime.Object) string {
	about, err := meta.Accessor(object)
	if err != nil {
		return "?"
	}
	name := about.GetName()
	if about.GetNamespace() != "" {
		name = about.GetNamespace() + "/" + name
	}
	return object.GetObjectKind().GroupVersionKind().Kind + " " + name
}
