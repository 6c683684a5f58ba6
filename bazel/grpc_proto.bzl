"""egret_proto_library: Debian's protoc (and grpc_cpp_plugin) as one cc_library.

    load("//bazel:grpc_proto.bzl", "egret_proto_library")

    egret_proto_library(
        name = "config_proto",
        srcs = glob(["*.proto"]),
        grpc = True,                                     # only if the files hold services
        visibility = ["//source/config:__subpackages__"],
        deps = ["//api/egret/filters/http/v1:filters_proto"],  # other egret_proto_library targets
    )

The root of imports is api/: a file api/egret/config/v1/policy.proto says
`import "egret/config/v1/common.proto";` and C++ says
`#include "egret/config/v1/policy.pb.h"` (and "....grpc.pb.h"). deps must name every
egret_proto_library whose files are imported. google/protobuf/*.proto come with protoc.
`:config_proto_files` are the .proto files themselves, those of deps included.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")

_ROOT = "api"

def _system_include_impl(ctx):
    return [CcInfo(compilation_context = cc_common.create_compilation_context(
        system_includes = depset([ctx.bin_dir.path + "/" + ctx.attr.path]),
    ))]

system_include = rule(
    doc = "Puts one generated folder on the path of system headers of its dependents.",
    implementation = _system_include_impl,
    attrs = {"path": attr.string(mandatory = True)},
    provides = [CcInfo],
)

def _files_of(label):
    """//a/b -> //a/b:b_files, //a/b:c -> //a/b:c_files, :c -> :c_files."""
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + "_files"

def egret_proto_library(name, srcs, deps = [], grpc = False, visibility = None, testonly = False):
    """See the top of this file."""
    pkg = native.package_name()
    if pkg != _ROOT and not pkg.startswith(_ROOT + "/"):
        fail("%s: protos live below %s/, which is the root of their imports" % (pkg, _ROOT))

    files = name + "_files"  # own .proto files and those of everything imported
    native.filegroup(
        name = files,
        srcs = srcs + [_files_of(d) for d in deps],
        testonly = testonly,
        visibility = visibility,
    )

    stems = [s[:-len(".proto")] for s in srcs]
    kinds = ["pb"] + (["grpc.pb"] if grpc else [])
    hdrs = ["%s.%s.h" % (s, k) for s in stems for k in kinds]
    ccs = ["%s.%s.cc" % (s, k) for s in stems for k in kinds]
    out = "$(GENDIR)/" + _ROOT
    plugin = ["--grpc_out=" + out, "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin)"] if grpc else []
    native.genrule(
        name = name + "_gen",
        srcs = [":" + files],
        outs = hdrs + ccs,
        cmd = " ".join(["protoc", "-I" + _ROOT, "--cpp_out=" + out] + plugin + [pkg + "/" + s for s in srcs]),
        message = "Generating C++ for",
        testonly = testonly,
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        testonly = testonly,
        srcs = ccs,
        hdrs = hdrs,
        copts = ["-w"],
        visibility = visibility,
        deps = deps + ["//bazel:api_includes", "@system//:grpc++" if grpc else "@system//:protobuf"],
    )
