"""What was in the API once stays as it was: no field, number, type or value of testdata/api.golden has gone or become
another one, so what was written for an older release loads, and what it sends is understood (row L13 of the catalogue).
New ones are free to come. At a release: /usr/bin/python3 test/config/api_test.py > test/config/testdata/api.golden"""
import glob
import os
import subprocess
import tempfile
import unittest

from google.protobuf import descriptor_pb2

GOLDEN = "test/config/testdata/api.golden"
OURS = "egret."
Field = descriptor_pb2.FieldDescriptorProto


def load(root="api"):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "set")
        files = glob.glob(root + "/egret/**/*.proto", recursive=True)
        subprocess.run(["protoc", "-I" + root, "--include_imports", "--descriptor_set_out=" + out, *files], check=True)
        with open(out, "rb") as f:
            return descriptor_pb2.FileDescriptorSet.FromString(f.read())


def lines_of_enum(prefix, enum):
    return ["%s.%s.%s = %d" % (prefix, enum.name, value.name, value.number) for value in enum.value]


def lines_of_message(prefix, message):
    name = "%s.%s" % (prefix, message.name)
    lines = []
    for field in message.field:
        kind = field.type_name.lstrip(".") or Field.Type.Name(field.type)[5:].lower()
        label = "repeated " if field.label == Field.LABEL_REPEATED else "optional " if field.proto3_optional else ""
        oneof = ""
        if field.HasField("oneof_index") and not field.proto3_optional:
            oneof = " of " + message.oneof_decl[field.oneof_index].name
        lines.append("%s.%s = %d: %s%s%s" % (name, field.name, field.number, label, kind, oneof))
    for inner in message.nested_type:
        lines += lines_of_message(name, inner)
    for enum in message.enum_type:
        lines += lines_of_enum(name, enum)
    return lines


def lines_of(files):
    lines = []
    for file in files.file:
        if not file.package.startswith(OURS):
            continue
        for message in file.message_type:
            lines += lines_of_message(file.package, message)
        for enum in file.enum_type:
            lines += lines_of_enum(file.package, enum)
        for service in file.service:
            lines += ["%s.%s.%s: %s -> %s" % (file.package, service.name, m.name, m.input_type, m.output_type)
                      for m in service.method]
    return sorted(lines)


class Api(unittest.TestCase):
    def test_L13_nothing_of_an_older_release_has_gone_or_changed(self):
        with open(GOLDEN) as f:
            before = f.read().splitlines()
        now = lines_of(load())
        self.assertGreater(len(before), 400)
        self.assertEqual(sorted(set(before) - set(now)), [], "the API only grows; deprecate what is not wanted any more")
        print("%d lines as before, %d new" % (len(before), len(set(now) - set(before))))


if __name__ == "__main__":
    print("\n".join(lines_of(load())))
