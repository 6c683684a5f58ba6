#!/usr/bin/python3 -IB
"""Writes deploy/config.md, the reference of all fields of the configuration, from the comments in api/ and from the table
of source/config/field_rules.cc (what is not built yet).

    tools/lib/config_reference.py > deploy/config.md
"""
import os
import re
import sys

API = "api/egret/"
FILES = ("config/v1/bootstrap.proto", "config/v1/listener.proto", "filters/network/v1/filters.proto",
         "config/v1/http_filter.proto", "filters/http/v1/filters.proto", "config/v1/policy.proto",
         "config/v1/upstream.proto", "config/v1/secret.proto", "config/v1/common.proto")
RULES = "source/config/field_rules.cc"
KINDS = {"network": "network filter ", "http": "HTTP filter "}
SCALARS = {"string": "text", "bytes": "bytes", "bool": "true or false", "uint32": "number", "uint64": "number",
           "int32": "number", "int64": "number", "double": "number", "google.protobuf.Duration": "duration",
           "map<string, string>": "map of text", "google.protobuf.Timestamp": "time", "google.protobuf.Struct": "map", "google.protobuf.Any": "message"}
HEADER = """# Configuration reference

Every field of `--config FILE`, as YAML, JSON or protobuf text writes it. Made by `tools/lib/config_reference.py` from the
comments in `api/`; change them there. A duration is written `300s`, `1h30m`; a list as a list, even of one; an enum as its
name. Fields that say "not built yet" are refused by this release.

The file itself is a [Bootstrap](#bootstrap). `egret --mode validate` and `egretctl validate` say all that is wrong with one.

"""


class Scope:
    """A message or an enum: its comment, and what stands in it, in order."""

    def __init__(self, kind, name, package, comment):
        self.kind, self.name, self.package, self.comment = kind, name, package, comment
        self.members = []  # of a message: (field, label, type, comment); of an enum: (value, comment)

    @property
    def full_name(self):
        return "%s.%s" % (self.package, self.name)

    @property
    def title(self):
        part = self.package.split(".")
        return (KINDS[part[2]] if part[1] == "filters" else "") + self.name


def parse(path, root):
    """The scopes of one .proto file of ours, outer before inner. Our files keep one thing on a line."""
    scopes, stack, comment, package = [], [], [], None
    with open(os.path.join(root, API, path)) as f:
        for line in f:
            line = line.strip()
            if line.startswith("//"):
                comment.append(line[2:].strip())
                continue
            if found := re.match(r"package (\S+);", line):
                package = found.group(1)
            elif found := re.match(r"(message|enum|oneof) (\w+) \{(\})?$", line):
                kind, name, empty = found.groups()
                outer = [s.name for s in stack if isinstance(s, Scope)]  # the last one has the names of those around it
                scope = name  # of a oneof
                if kind != "oneof":
                    scope = Scope(kind, ".".join(outer[-1:] + [name]), package, " ".join(comment))
                    scopes.append(scope)
                if not empty:
                    stack.append(scope)
            elif line == "}":
                stack.pop()
            elif found := re.match(r"(repeated |optional )?([\w.]+|map<string, string>) (\w+) = \d+;$", line):
                label, kind, name = found.groups()
                holder = next(s for s in reversed(stack) if isinstance(s, Scope))
                if comment and isinstance(stack[-1], str):
                    comment.append("(Exactly one `%s` is given.)" % stack[-1])
                holder.members.append((name, (label or "").strip(), kind, " ".join(comment)))
            elif found := re.match(r"(\w+) = \d+;$", line):
                stack[-1].members.append((found.group(1), " ".join(comment)))
            elif line and not re.match(r"(syntax|import|option) ?", line):
                raise ValueError("%s: not understood: %s" % (path, line))
            comment = []
    return scopes


def not_built(root):
    with open(os.path.join(root, RULES)) as f:
        text = f.read()
    fields = set(re.findall(r'\{"([\w.]+)", kNotBuilt\}', text))
    values = dict(re.findall(r'\{"([\w.]+)", kNotValue, 0, 0, "(\w+)"\}', text))
    return fields, values


class Reference:
    def __init__(self, root):
        self.scopes = [scope for path in FILES for scope in parse(path, root)]
        self.unbuilt, self.unbuilt_values = not_built(root)
        self.unmet = set(self.unbuilt) | set(self.unbuilt_values)  # each has to be met: else the table names no field

    def find(self, kind, holder):
        """The scope that a field's type names: inside its message, its outer ones, its package, or by full name."""
        names = [holder.full_name.rsplit(".", cut)[0] + "." + kind for cut in range(holder.name.count(".") + 1)]
        for name in [*names, holder.package + "." + kind, kind]:
            for scope in self.scopes:
                if scope.full_name == name:
                    return scope
        raise ValueError("%s: no type %s" % (holder.full_name, kind))

    def type_text(self, label, kind, holder):
        if kind in SCALARS:
            text = SCALARS[kind]
        else:
            scope = self.find(kind, holder)
            if scope.kind == "enum":
                text = "enum"
            else:
                text = "[%s](#%s)" % (scope.name, re.sub(r"[^\w -]", "", scope.title).lower().replace(" ", "-"))
        return "list of " + text if label == "repeated" else text

    def meaning(self, holder, name, kind, comment):
        field = "%s.%s" % (holder.full_name, name)
        self.unmet.discard(field)
        text = comment
        if field in self.unbuilt:
            return text + " **Not built yet.**"
        if kind not in SCALARS and (scope := self.find(kind, holder)).kind == "enum":
            for value, says in scope.members:
                unbuilt = self.unbuilt_values.get(field) == value
                text += "<br>`%s`: %s%s" % (value, says, " **Not built yet.**" if unbuilt else "")
        return text

    def write(self):
        out = [HEADER]
        for scope in self.scopes:
            if scope.kind == "enum":
                continue
            out.append("## %s\n\n" % scope.title)
            if scope.comment:
                out.append(scope.comment + "\n\n")
            if not scope.members:
                out.append("No fields.\n\n")
                continue
            out.append("| field | takes | meaning |\n|---|---|---|\n")
            for name, label, kind, comment in scope.members:
                if not comment:
                    raise ValueError("%s.%s: no comment" % (scope.full_name, name))
                out.append("| `%s` | %s | %s |\n" % (name, self.type_text(label, kind, scope),
                                                     self.meaning(scope, name, kind, comment).replace("|", "\\|")))
            out.append("\n")
        if self.unmet:
            raise ValueError("%s names no field: %s" % (RULES, ", ".join(sorted(self.unmet))))
        return "".join(out).rstrip("\n") + "\n"


def main():
    sys.stdout.write(Reference(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")).write())


if __name__ == "__main__":
    main()
