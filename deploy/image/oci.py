"""A tree as an image: an OCI image layout in one tar, that `podman load`, `docker load`, `kind load image-archive` and
skopeo take. What it starts is said in the last stage of the Containerfile, once for both."""
import datetime
import gzip
import hashlib
import io
import json
import re
import tarfile

TYPE = "application/vnd.oci.image."


def what_it_starts(containerfile):
    """The last stage's ENTRYPOINT, CMD, USER, EXPOSE, STOPSIGNAL and LABEL, as an image's configuration has them."""
    with open(containerfile) as f:
        stage = re.split(r"^FROM .*$", f.read(), flags=re.M)[-1]
    config = {"Env": ["PATH=/usr/bin"], "ExposedPorts": {}, "Labels": {}}
    for word, value in re.findall(r"^([A-Z]+) (.*)$", stage, re.M):
        if word in ("ENTRYPOINT", "CMD"):
            config[word.capitalize()] = json.loads(value)
        elif word == "USER":
            config["User"] = value
        elif word == "EXPOSE":
            config["ExposedPorts"].update((port + "/tcp", {}) for port in value.split())
        elif word == "STOPSIGNAL":
            config["StopSignal"] = value
        elif word == "LABEL":
            name, _, text = value.partition("=")
            config["Labels"][name] = json.loads(text)
    return config


class Layout:
    """The files of an image layout: each blob lies below its own hash."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        self.files["blobs/sha256/" + digest] = data
        return {"mediaType": TYPE + media_type, "digest": "sha256:" + digest, "size": len(data), **more}

    def json(self, value, media_type, **more):
        return self.blob(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type, **more)

    def tar(self, time):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, data in sorted(self.files.items()):
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(data), time
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()


def path_of(descriptor):
    return "blobs/" + descriptor["digest"].replace(":", "/")


def image(tree, containerfile, time, architecture, name):
    """`name`: what it is called where it is loaded, "egret:0.1.0". Gives the tar and the layers' compressed sizes."""
    layout = Layout()
    layers, contents = [], []
    for layer in (0, 1):  # what is Debian's stays where it is when Egret is another one
        plain = tree.tar(time, layer)
        contents.append("sha256:" + hashlib.sha256(plain).hexdigest())
        layers.append(layout.blob(gzip.compress(plain, 6, mtime=0), "layer.v1.tar+gzip"))
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = layout.json({"created": created, "architecture": architecture, "os": "linux",
                          "config": what_it_starts(containerfile), "rootfs": {"type": "layers", "diff_ids": contents}},
                         "config.v1+json")
    manifest = layout.json({"schemaVersion": 2, "mediaType": TYPE + "manifest.v1+json", "config": config,
                            "layers": layers}, "manifest.v1+json",
                           annotations={"org.opencontainers.image.ref.name": name.rpartition(":")[2],
                                        "io.containerd.image.name": "docker.io/library/" + name},
                           platform={"architecture": architecture, "os": "linux"})
    layout.files["index.json"] = json.dumps({"schemaVersion": 2, "mediaType": TYPE + "index.v1+json",
                                             "manifests": [manifest]}).encode()
    # For `docker load`, which of old knows this list alone.
    layout.files["manifest.json"] = json.dumps([{"Config": path_of(config), "RepoTags": [name],
                                                 "Layers": [path_of(layer) for layer in layers]}]).encode()
    return layout.tar(time), [layer["size"] for layer in layers]
