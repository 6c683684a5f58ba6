"""Layering: every include is provided by a direct dependency, and arrows point downwards only.

Reads BUILD.bazel files (a subset of Python, so they are simply executed with stand-ins for the
rules) and the #include lines of source/ and test/. No Bazel, no compiler: 0.1 s.
"""
import builtins
import glob
import os
import re
import sys

# Each folder of source/ may use those before it in this list, and itself; the three programs at
# the end do not use each other.
ORDER = ["base", "event", "io", "tls", "http", "policy", "learn", "auth", "upstream", "chain", "filters", "config", "xds", "server"]
PROGRAMS = ["control", "ctl", "run"]
GENERATED_ALLOWED = ["config", "xds", "server"] + PROGRAMS

# System headers live in /usr/include, where every target sees them; the dependency still has to be said.
SYSTEM = [
    (r"absl/", ["absl", "grpc++"]),
    (r"ares(_\w+)?\.h$", ["cares"]),
    (r"crypt\.h$", ["crypt"]),
    (r"benchmark/", ["benchmark", "benchmark_main"]),
    (r"gmock/", ["gmock", "gmock_main"]),
    (r"google/protobuf/", ["protobuf", "grpc++"]),
    (r"grpc(pp)?/", ["grpc++", "grpc++_reflection"]),
    (r"gtest/", ["gtest", "gtest_main", "gmock", "gmock_main"]),
    (r"idn2\.h$", ["idn2"]),
    (r"libpsl\.h$", ["psl"]),
    (r"llhttp\.h$", ["llhttp"]),
    (r"nghttp2/", ["nghttp2"]),
    (r"openssl/", ["ssl"]),
    (r"prometheus/", ["prometheus"]),
    (r"re2/", ["re2"]),
    (r"yaml-cpp/", ["yaml-cpp"]),
    (r"zlib\.h$", ["zlib"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
CC_RULES = ["cc_library", "cc_binary", "cc_test", "cc_fuzz_test", "egret_proto_library"]


class Target:
    def __init__(self, package, rule, line, attrs):
        self.package, self.rule, self.line = package, rule, line
        self.name = attrs.get("name", "")
        self.label = "//%s:%s" % (package, self.name)
        self.deps = [absolute(package, d) for d in attrs.get("deps", []) + attrs.get("implementation_deps", [])]
        files = lambda *names: [package + "/" + f.lstrip(":") for n in names for f in attrs.get(n, [])]
        self.headers = [f for f in files("hdrs", "textual_hdrs")]
        self.sources = [f for f in files("srcs")]
        self.visibility = attrs.get("visibility")
        if rule == "egret_proto_library":
            stems = [s[:-len(".proto")] for s in self.sources]
            self.headers = [s + ext for s in stems for ext in (".pb.h", ".grpc.pb.h")]
            self.sources = []


def absolute(package, label):
    if label.startswith("@"):
        return label
    if label.startswith(":"):
        return "//" + package + label
    if ":" not in label:
        return label + ":" + label.rsplit("/", 1)[-1]
    return label


class Names(dict):
    """Globals of a BUILD file: rules that are recorded, and anything else does nothing."""

    def __missing__(self, key):
        if hasattr(builtins, key):
            raise KeyError(key)
        return lambda *args, **kwargs: []


def merge_select(branches):
    """All branches of a select: a dependency in any of them counts."""
    values = list(branches.values())
    return sum(values, []) if values and isinstance(values[0], list) else values[0]


def read_build(path, problems):
    package = os.path.dirname(path)
    targets, package_attrs = [], {}

    def recorder(rule):
        def record(**attrs):
            targets.append(Target(package, rule, sys._getframe(1).f_lineno, attrs))
        return record

    def glob_files(include, exclude=(), **_):
        found = lambda patterns: {f for p in patterns for f in glob.glob(os.path.join(package, p), recursive=True)}
        return sorted(os.path.relpath(f, package) for f in found(include) - found(exclude) if os.path.isfile(f))

    names = Names({r: recorder(r) for r in CC_RULES})
    names.update(glob=glob_files, select=merge_select, package=lambda **a: package_attrs.update(a))
    with open(path) as f:
        text = f.read()
    try:
        exec(compile(text, path, "exec"), names)
    except Exception as e:  # whatever a broken BUILD file raises; bazel says it better
        line = getattr(e, "lineno", None) or 1
        problems.append("%s:%d: cannot be read (%s); bazel query //%s:all says more" % (path, line, e, package))
    for t in targets:
        if t.visibility is None:
            t.visibility = package_attrs.get("default_visibility", ["//visibility:private"])
    return targets


def rank(folder):
    if folder in PROGRAMS:
        return len(ORDER)
    return ORDER.index(folder) if folder in ORDER else None


def folder_of(path):
    """source/http/codec.h -> http; None outside source/."""
    parts = path.split("/")
    return parts[1] if parts[0] == "source" and len(parts) > 2 else None


def order_problem(user, used):
    """Why a file or target of source/<user> must not use source/<used>, or None."""
    if user == used or user is None or used is None:
        return None
    if rank(user) is None or rank(used) is None:
        return None  # an unknown folder is reported once, by name
    if rank(used) < rank(user):
        return None
    if user in PROGRAMS and used in PROGRAMS:
        return "source/%s uses source/%s, and programs do not use each other; move what both need to a folder below" % (
            user, used)
    return "source/%s uses source/%s, which is above it (%s); turn the arrow round or move the code" % (
        user, used, " < ".join(ORDER))


def includes(path):
    with open(path, errors="replace") as f:
        for number, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if m:
                yield number, m.group(1), m.group(2)


class Graph:
    def __init__(self, builds, files):
        self.problems = []
        self.targets = [t for b in builds for t in read_build(b, self.problems)]
        self.by_label = {t.label: t for t in self.targets}
        self.files = files
        self.owners, self.providers = {}, {}
        for t in self.targets:
            for f in t.headers + t.sources:
                self.owners.setdefault(f, []).append(t)
            for f in t.headers:
                self.providers.setdefault(f, []).append(t)

    def say(self, path, line, text):
        self.problems.append("%s:%d: %s" % (path, line, text))

    def check(self):
        self.check_folders()
        self.check_builds()
        for path in self.files:
            self.check_file(path)
        return sorted(set(self.problems))

    def check_folders(self):
        for folder in sorted({folder_of(f) for f in self.files} - {None}):
            if rank(folder) is None:
                self.say("tools/lib/layering.py", 1,
                         "source/%s has no place in the order; add it to ORDER, or move its files" % folder)

    def check_builds(self):
        for t in self.targets:
            build = t.package + "/BUILD.bazel"
            if t.package.startswith("source/") and t.package != "source/base":
                if any(v == "//visibility:public" for v in t.visibility):
                    self.say(build, t.line, "%s is public; name the folders that may use it" % t.name)
            for dep in t.deps:
                if t.package.startswith("source/") and dep.startswith("//test/"):
                    self.say(build, t.line, "%s depends on %s; source/ never depends on test/" % (t.name, dep))
                why = order_problem(folder_of(t.package + "/x"), folder_of(dep[2:].split(":")[0] + "/x"))
                if why:
                    self.say(build, t.line, "%s depends on %s: %s" % (t.name, dep, why))

    def check_file(self, path):
        owners = self.owners.get(path, [])
        if not owners:
            self.say(path, 1, "belongs to no target; add it to %s/BUILD.bazel" % os.path.dirname(path))
            return
        for number, kind, name in includes(path):
            if kind == '"' and name.startswith(("source/", "test/")):
                self.check_own(path, number, name, owners)
            elif re.search(r"\.pb\.h$", name) and not name.startswith("google/"):
                self.check_generated(path, number, name, owners)
            else:
                self.check_system(path, number, name, owners)

    def check_own(self, path, number, name, owners):
        why = order_problem(folder_of(path), folder_of(name))
        if why:
            self.say(path, number, why)
            return
        if path.startswith("source/") and name.startswith("test/"):
            self.say(path, number, "includes %s; source/ never depends on test/" % name)
            return
        if not os.path.exists(name):
            self.say(path, number, "includes %s, which does not exist" % name)
            return
        self.check_provided(path, number, name, owners)

    def check_provided(self, path, number, name, owners):
        providers = self.providers.get(name, [])
        labels = [p.label for p in providers]
        for t in owners:
            own = name in t.headers + t.sources
            if own or any(label in t.deps for label in labels):
                continue
            if not labels:
                inside = [o.label for o in self.owners.get(name, [])]
                where = "is private to %s (in its srcs, not hdrs)" % inside[0] if inside else "is in the hdrs of no target"
                self.say(path, number, "%s %s; move it to hdrs" % (name, where))
            else:
                self.say(path, number, '%s comes from no direct dependency of %s; add "%s" to its deps' % (
                    name, t.label, " or ".join(labels)))

    def check_generated(self, path, number, name, owners):
        folder = folder_of(path)
        if folder is not None and folder not in GENERATED_ALLOWED:
            self.say(path, number, "generated header %s in source/%s; only %s may see them, compile the message into a "
                     "plain value there" % (name, folder, ", ".join(GENERATED_ALLOWED)))
            return
        if "api/" + name in self.providers:
            self.check_provided(path, number, "api/" + name, owners)

    def check_system(self, path, number, name, owners):
        for pattern, libraries in SYSTEM:
            if not re.match(pattern, name):
                continue
            for t in owners:
                deps = [d[len("@system//:"):] for d in t.deps if d.startswith("@system//:")]
                protos = any(d in self.by_label and self.by_label[d].rule == "egret_proto_library" for d in t.deps)
                if set(deps) & set(libraries) or (protos and libraries[0] == "protobuf"):
                    continue
                self.say(path, number, '<%s> without its library; add "@system//:%s" to deps of %s' % (
                    name, libraries[0], t.label))


def check(tracked):
    builds = [f for f in tracked if os.path.basename(f) == "BUILD.bazel" and f.split("/")[0] in ("source", "test", "api", "tools")]
    files = [f for f in tracked if f.startswith(("source/", "test/")) and f.endswith((".cc", ".h"))]
    return Graph(builds, files).check()
