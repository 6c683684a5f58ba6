"""Exposes Debian -dev packages as Bazel targets, with link flags from pkg-config.

Each entry of _PKGS becomes one header-less cc_library: the headers live in
/usr/include, which the C++ toolchain already treats as a built-in (system)
include directory, so only link flags are needed.

Linking is dynamic by default. With --define=link=static every library that
has a .a in Debian is linked statically (see _NO_ARCHIVE for those that have not).
"""

# target -> pkg-config modules
_PKGS = {
    "absl": [
        "absl_base",
        "absl_bind_front",
        "absl_btree",
        "absl_cleanup",
        "absl_cord",
        "absl_failure_signal_handler",
        "absl_fixed_array",
        "absl_flags",
        "absl_flags_parse",
        "absl_flags_usage",
        "absl_flat_hash_map",
        "absl_flat_hash_set",
        "absl_function_ref",
        "absl_hash",
        "absl_inlined_vector",
        "absl_node_hash_map",
        "absl_random_random",
        "absl_span",
        "absl_stacktrace",
        "absl_status",
        "absl_statusor",
        "absl_str_format",
        "absl_strings",
        "absl_symbolize",
        "absl_synchronization",
        "absl_time",
    ],
    "benchmark": ["benchmark"],
    "cares": ["libcares"],
    "gmock": ["gmock"],
    "gmock_main": ["gmock_main"],
    "gtest": ["gtest"],
    "gtest_main": ["gtest_main"],
    "grpc++": ["grpc++"],
    "idn2": ["libidn2"],
    "nghttp2": ["libnghttp2"],
    "prometheus": ["prometheus-cpp-core"],
    "protobuf": ["protobuf"],
    "psl": ["libpsl"],
    "re2": ["re2"],
    "ssl": ["openssl"],
    "yaml-cpp": ["yaml-cpp"],
    "zlib": ["zlib"],
}

# Extra libraries that have no .pc file of their own.
_EXTRA_LIBS = {
    "crypt": (["-lcrypt"], []),
    "grpc++_reflection": (["-lgrpc++_reflection"], [":grpc++"]),
    "benchmark_main": (["-lbenchmark_main"], [":benchmark"]),
}

_DEPS = {
    "grpc++": [":protobuf"],
}

# Debian ships no static archive for these.
_NO_ARCHIVE = ["benchmark", "prometheus-cpp-core"]

# Never linked statically: libc and friends (pthread, dl, rt, m are stubs in glibc >= 2.34).
_LIBC = ["-lpthread", "-ldl", "-lrt", "-lm", "-latomic"]

def _dedupe_keep_last(flags):
    out = []
    for f in reversed(flags):
        if f not in out:
            out.append(f)
    return list(reversed(out))

def _pkg_config(ctx, args):
    r = ctx.execute(["pkg-config"] + args)
    if r.return_code != 0:
        fail("pkg-config %s failed; run tools/install, which installs what is missing.\n%s" % (" ".join(args), r.stderr))
    return [f for f in r.stdout.replace("\n", " ").split(" ") if f]

def _libs(ctx, mods, static):
    flags = _pkg_config(ctx, (["--static"] if static else []) + ["--libs"] + mods)
    return _dedupe_keep_last([
        f
        for f in flags
        if f.startswith("-l") and f != "-latomic"  # -latomic: not needed on x86-64/arm64
    ])

def _static_flags(libs):
    """-lfoo -> -l:libfoo.a, leaving libc parts and archive-less libraries dynamic."""
    out = []
    for l in libs:
        if l in _LIBC or l[2:] in _NO_ARCHIVE:
            out.append(l)
        else:
            out.append("-l:lib%s.a" % l[2:])
    return out

def _target(name, shared, static, deps):
    return """
cc_library(
    name = {name},
    linkopts = select({{
        ":static": {static},
        "//conditions:default": {shared},
    }}),
    deps = {deps},
)
""".format(
        name = repr(name),
        static = repr(["-Wl,--as-needed", "-Wl,--start-group"] + static + ["-Wl,--end-group"]),
        shared = repr(["-Wl,--as-needed"] + shared),
        deps = repr(deps),
    )

def _system_libs_impl(ctx):
    build = [ctx.read(Label("//bazel:system.BUILD"))]
    for name, mods in _PKGS.items():
        build.append(_target(
            name,
            _libs(ctx, mods, False),
            _static_flags(_libs(ctx, mods, True)),
            _DEPS.get(name, []),
        ))
    for name, (libs, deps) in _EXTRA_LIBS.items():
        build.append(_target(name, libs, _static_flags(libs), deps))
    ctx.file("BUILD.bazel", "\n".join(build))

    # llhttp: Debian ships the C sources only (package node-llhttp).
    ctx.symlink("/usr/share/llhttp", "llhttp/src")
    ctx.symlink("/usr/share/include/llhttp", "llhttp/include")

system_libs = repository_rule(
    implementation = _system_libs_impl,
    configure = True,  # after upgrading -dev packages: bazel sync --configure
    environ = ["PKG_CONFIG_PATH"],
)
