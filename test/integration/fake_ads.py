"""A control plane in Python, written from the wire facts of xDS and sharing no code with the proxy: gRPC's generic
handlers and the .proto files in api/, which protoc reads when the test starts. It is the independent server of row X26.

    ads = FakeAds()                                  # on 127.0.0.1, a port of its own
    ads.put(resource("Listener", {...}), "v1")       # a server with a state: pushes what is subscribed to and new
    ads.remove("EgressPolicy", "web")
    ads.await_answer(lambda a: a.error)              # every ACK and NACK, in order

    stream = ads.await_stream()                      # or by hand: FakeAds(scripted=True)
    stream.await_request()
    stream.send(response("Listener", [...], nonce="0"))
    stream.end(grpc.StatusCode.UNAVAILABLE, "moving")

As a server with a state it behaves as a common kind of them: what was sent counts as delivered, whatever the client says
to it; a name that is not there gets no answer."""
import concurrent.futures
import glob
import itertools
import os
import queue
import subprocess
import tempfile
import threading
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

URL = "type.googleapis.com/"
CARRIER = "envoy.config.core.v3.TypedExtensionConfig"
METHOD = "DeltaAggregatedResources"
PATIENCE = 60  # seconds; only a test that fails waits so long


def _load(root="api"):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "set")
        files = [f for f in glob.glob(root + "/**/*.proto", recursive=True)]
        subprocess.run(["protoc", "-I" + root, "--include_imports", "--descriptor_set_out=" + out, *files], check=True)
        with open(out, "rb") as f:
            return f.read()


def _pool(descriptors):
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        pool.Add(file)
    return pool


DESCRIPTORS = _load()
POOL = _pool(DESCRIPTORS)
FACTORY = message_factory.MessageFactory(POOL)


def message(name):
    return FACTORY.GetPrototype(POOL.FindMessageTypeByName(name))


Request = message("envoy.service.discovery.v3.DeltaDiscoveryRequest")
Response = message("envoy.service.discovery.v3.DeltaDiscoveryResponse")
Rejection = message("egret.control.v1.Rejection")


def url(kind):
    return URL + (kind if "." in kind else "egret.config.v1." + kind)


def resource(kind, fields):
    """A message of the proxy's API, from what its JSON would be."""
    made = message("egret.config.v1." + kind)()
    json_format.ParseDict(fields, made, descriptor_pool=POOL)
    return made


def carried(inner):
    made = message(CARRIER)(name="%s/%s" % (inner.DESCRIPTOR.name, inner.name))
    made.typed_config.Pack(inner)
    return made


def response(kind, resources=(), removed=(), nonce="1", ttl=None):
    """`resources`: pairs of message and version; a heartbeat is a pair of name and version."""
    made = Response(type_url=url(kind), nonce=nonce, removed_resources=removed)
    for one, version in resources:
        entry = made.resources.add(version=version, name=one if isinstance(one, str) else one.name)
        if not isinstance(one, str):
            entry.resource.Pack(one)
        if ttl is not None:
            entry.ttl.FromMilliseconds(int(ttl * 1000))
    return made


class Answer:
    def __init__(self, request):
        self.kind = request.type_url.rsplit(".", 1)[-1]
        self.nonce = request.response_nonce
        self.error = request.error_detail.message if request.HasField("error_detail") else ""
        self.code = request.error_detail.code
        self.rejections = []
        for detail in request.error_detail.details:
            rejection = Rejection()
            assert detail.Unpack(rejection)
            self.rejections.append(rejection)


class Stream:
    """One stream, by hand. `peer`: names in the client's certificate; `began`: by the monotonic clock."""

    def __init__(self, context):
        self.context, self.began = context, time.monotonic()
        self.peer = context.auth_context().get("x509_common_name", [b""])[0].decode()
        self.outbox, self.requests = queue.Queue(), queue.Queue()
        self.ended = threading.Event()

    def await_request(self):
        return self.requests.get(timeout=PATIENCE)

    def send(self, made):
        self.outbox.put(made)

    def end(self, code=grpc.StatusCode.UNAVAILABLE, details="ended by the test"):
        self.outbox.put((code, details))


class Subscription:
    def __init__(self):
        self.names, self.sent = set(), {}  # name -> version

    def wants(self, name):
        return "*" in self.names or name in self.names


class FakeAds:
    def __init__(self, scripted=False, credentials=None, port=0, name="fake"):
        self.scripted, self.name = scripted, name
        self.refusal = None  # (code, details): what every stream gets
        self.lock = threading.RLock()
        self.state = {}  # type URL -> name -> (message, version)
        self.live = {}   # Stream -> type URL -> Subscription
        self.streams, self.answers = queue.Queue(), queue.Queue()
        self.first_requests = []  # the first of each type on each stream
        self.nonces = itertools.count(1)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(512), options=[("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(self._serve, Request.FromString, Response.SerializeToString)
        service = "envoy.service.discovery.v3.AggregatedDiscoveryService"
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {METHOD: handler}),))
        address = "127.0.0.1:%d" % port
        self.port = (self.server.add_secure_port(address, credentials) if credentials
                     else self.server.add_insecure_port(address))
        assert self.port, "no port"
        self.address = "127.0.0.1:%d" % self.port
        self.server.start()

    def end_streams(self):
        with self.lock:
            streams = list(self.live)
        for stream in streams:
            stream.end()

    def stop(self):
        self.end_streams()
        self.server.stop(0).wait()

    # --- A server with a state.

    def put(self, *pairs):
        """Pairs of message and version; all of one type in one response."""
        with self.lock:
            changed = {}
            for one, version in pairs:
                changed.setdefault(URL + one.DESCRIPTOR.full_name, {})[one.name] = (one, version)
            for type_url, those in changed.items():
                self.state.setdefault(type_url, {}).update(those)
            for stream, subscriptions in self.live.items():
                for type_url, subscription in subscriptions.items():
                    self._push_changed(stream, type_url, subscription, changed.get(type_url, {}))

    def remove(self, kind, *names):
        with self.lock:
            for name in names:
                self.state.get(url(kind), {}).pop(name, None)
            self._push_all()

    def await_answer(self, which=lambda answer: True):
        """The first from here on that it is true of."""
        while True:
            answer = self.answers.get(timeout=PATIENCE)
            if which(answer):
                return answer

    def _push_all(self):
        for stream, subscriptions in self.live.items():
            for type_url, subscription in subscriptions.items():
                self._push(stream, type_url, subscription, set())

    def _push(self, stream, type_url, subscription, fresh, must=False):
        state = {n: s for n, s in self.state.get(type_url, {}).items() if subscription.wants(n)}
        new = [s for n, s in state.items() if n in fresh or subscription.sent.get(n) != s[1]]
        gone = [n for n in subscription.sent if n not in state and subscription.wants(n)]
        if not new and not gone and not must:
            return
        subscription.sent = {n: s[1] for n, s in state.items()}
        self._send(stream, type_url, new, gone)

    def _push_changed(self, stream, type_url, subscription, those):
        """As _push, without a look at all the others."""
        new = {n: s for n, s in those.items() if subscription.wants(n) and subscription.sent.get(n) != s[1]}
        if new:
            subscription.sent.update((n, s[1]) for n, s in new.items())
            self._send(stream, type_url, list(new.values()), [])

    def _send(self, stream, type_url, new, gone):
        made = response(type_url[len(URL):], new, gone, "%s-%d" % (self.name, next(self.nonces)))
        made.control_plane.identifier = self.name
        stream.send(made)

    def _take(self, stream, request):
        with self.lock:
            if request.response_nonce:
                self.answers.put(Answer(request))
            subscriptions = self.live[stream]
            first = request.type_url not in subscriptions
            subscription = subscriptions.setdefault(request.type_url, Subscription())
            if first:
                self.first_requests.append(request)
                subscription.sent = dict(request.initial_resource_versions)
            subscription.names |= set(request.resource_names_subscribe)
            subscription.names -= set(request.resource_names_unsubscribe)
            for name in request.resource_names_unsubscribe:
                subscription.sent.pop(name, None)
            fresh = set() if first else set(request.resource_names_subscribe)
            if first or fresh or request.resource_names_unsubscribe:
                self._push(stream, request.type_url, subscription, fresh, must=first and "*" in subscription.names)

    # --- Streams.

    def await_stream(self):
        return self.streams.get(timeout=PATIENCE)

    def _serve(self, requests, context):
        if self.refusal:
            context.abort(*self.refusal)
        stream = Stream(context)
        with self.lock:
            self.live[stream] = {}
        context.add_callback(lambda: stream.outbox.put(None))
        threading.Thread(target=self._read, args=(stream, requests), daemon=True).start()
        self.streams.put(stream)
        try:
            while (made := stream.outbox.get()) is not None:
                if isinstance(made, tuple):
                    context.abort(*made)
                yield made
        finally:
            with self.lock:
                self.live.pop(stream, None)
            stream.ended.set()

    def _read(self, stream, requests):
        try:
            for request in requests:
                if self.scripted:
                    stream.requests.put(request)
                else:
                    self._take(stream, request)
        except (grpc.RpcError, KeyError):
            pass  # the stream has ended
        except Exception as e:  # gRPC says that a stream was ended under its reader with no type of its own
            if not stream.ended.is_set() and context_is_active(stream):
                raise e


def context_is_active(stream):
    return stream.context.is_active()
