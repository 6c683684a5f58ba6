// A control plane made of go-control-plane, for the test of that name: row X26 of the catalogue.
//
//	go_control_plane linear|snapshot DESCRIPTOR_SET
//
// linear: one LinearCache for each type behind a MuxCache, which serve the proxy's own messages. snapshot: a
// SnapshotCache, which refuses types that it does not know, and so has them in TypedExtensionConfigs. Messages are made
// from the descriptors, so nothing has to be generated.
//
// It takes one command a line, {"put": [{"type": "EgressPolicy", "resource": {...}}, ...], "remove": [...]} with "name"
// in the place of "resource", and writes one JSON object a line: {"port": N} first, {"done": true} for each command,
// {"nack": "..."} for each refusal that a proxy sends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
)

const prefix = "type.googleapis.com/"

// A message with the name by which the caches know it.
type named struct {
	*dynamicpb.Message
	name string
}

func (n named) GetName() string { return n.name }

type entry struct {
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Resource json.RawMessage `json:"resource"`
}

type command struct {
	Put    []entry `json:"put"`
	Remove []entry `json:"remove"`
}

// What both kinds of server can do: take a whole command in one step.
type store interface {
	cache.Cache
	change(put []named, remove []entry) error
}

type linear struct {
	cache.MuxCache
	types map[string]*cache.LinearCache
}

func newLinear() *linear {
	made := &linear{types: map[string]*cache.LinearCache{}}
	made.Classify = func(r *cache.Request) string { return r.GetTypeUrl() }
	made.ClassifyDelta = func(r *cache.DeltaRequest) string { return r.GetTypeUrl() }
	made.Caches = map[string]cache.Cache{}
	for _, name := range []string{"Listener", "EgressPolicy", "DomainSet", "Upstream"} {
		one := cache.NewLinearCache(urlOf(name))
		made.types[name], made.Caches[urlOf(name)] = one, one
	}
	return made
}

func (l *linear) change(put []named, remove []entry) error {
	for name, one := range l.types {
		update, gone := map[string]types.Resource{}, []string{}
		for _, resource := range put {
			if string(resource.Descriptor().Name()) == name {
				update[resource.name] = resource
			}
		}
		for _, entry := range remove {
			if entry.Type == name {
				gone = append(gone, entry.Name)
			}
		}
		if len(update)+len(gone) == 0 {
			continue
		}
		if err := one.UpdateResources(update, gone); err != nil {
			return err
		}
	}
	return nil
}

type snapshot struct {
	cache.SnapshotCache
	version int
	held    map[string]types.Resource
}

func newSnapshot() *snapshot {
	return &snapshot{SnapshotCache: cache.NewSnapshotCache(false, cache.IDHash{}, nil), held: map[string]types.Resource{}}
}

func (s *snapshot) change(put []named, remove []entry) error {
	for _, one := range put {
		bytes, err := cache.MarshalResource(one) // the same in every process
		if err != nil {
			return err
		}
		kind := string(one.Descriptor().Name())
		name := kind + "/" + one.name
		s.held[name] = &core.TypedExtensionConfig{
			Name: name, TypedConfig: &anypb.Any{TypeUrl: urlOf(kind), Value: bytes}}
	}
	for _, one := range remove {
		delete(s.held, one.Type+"/"+one.Name)
	}
	all := []types.Resource{}
	for _, one := range s.held {
		all = append(all, one)
	}
	s.version++
	next, err := cache.NewSnapshot(strconv.Itoa(s.version), map[resource.Type][]types.Resource{
		resource.ExtensionConfigType: all})
	if err != nil {
		return err
	}
	return s.SetSnapshot(context.Background(), "egret-0", next)
}

func urlOf(name string) string { return prefix + "egret.config.v1." + name }

func readDescriptors(path string) (*protoregistry.Files, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(bytes, set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(set)
}

func messageOf(files *protoregistry.Files, one entry) (named, error) {
	descriptor, err := files.FindDescriptorByName(protoreflect.FullName("egret.config.v1." + one.Type))
	if err != nil {
		return named{}, err
	}
	message := dynamicpb.NewMessage(descriptor.(protoreflect.MessageDescriptor))
	if err := protojson.Unmarshal(one.Resource, message); err != nil {
		return named{}, err
	}
	name := message.Get(message.Descriptor().Fields().ByName("name")).String()
	return named{message, name}, nil
}

var output sync.Mutex

func say(what map[string]any) {
	line, _ := json.Marshal(what)
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

func obey(files *protoregistry.Files, held store, line []byte) error {
	asked := command{}
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	put := []named{}
	for _, one := range asked.Put {
		made, err := messageOf(files, one)
		if err != nil {
			return err
		}
		put = append(put, made)
	}
	return held.change(put, asked.Remove)
}

func run(kind, descriptors string) error {
	files, err := readDescriptors(descriptors)
	if err != nil {
		return err
	}
	var held store = newLinear()
	if kind == "snapshot" {
		held = newSnapshot()
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	callbacks := server.CallbackFuncs{
		StreamDeltaRequestFunc: func(_ int64, r *discovery.DeltaDiscoveryRequest) error {
			if r.GetErrorDetail() != nil {
				say(map[string]any{"nack": r.GetErrorDetail().GetMessage()})
			}
			return nil
		}}
	serving := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(serving, server.NewServer(context.Background(), held, callbacks))
	go serving.Serve(door)
	say(map[string]any{"port": door.Addr().(*net.TCPAddr).Port})

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := obey(files, held, lines.Bytes()); err != nil {
			return err
		}
		say(map[string]any{"done": true})
	}
	return lines.Err()
}

func main() {
	if len(os.Args) != 3 || (os.Args[1] != "linear" && os.Args[1] != "snapshot") {
		log.Fatal("usage: go_control_plane linear|snapshot DESCRIPTOR_SET")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
