"""Package registries as folders of files, which any web server can serve: a simple index (PEP 503), an npm registry, a
sparse index of cargo with its crates. Each package holds some sources, so that a build has something to do with it (pip
compiles modules, npm unpacks files, cargo runs rustc), and `payload` bytes that do not compress."""
import base64
import hashlib
import io
import json
import os
import tarfile
import zipfile

FILES = 20  # source files of a wheel or an npm package
FUNCTIONS = 40  # in each; a crate has one file


def python_source():
    return "".join("def f%d(rows, limit=%d):\n    kept = [row for row in rows if row['size'] < limit]\n"
                   "    for row in kept:\n        row['weight'] = row.get('weight', 0) * %d + len(row['name'])\n"
                   "    return sorted(kept, key=lambda row: row['weight'])\n\n\n" % (n, n, n) for n in range(FUNCTIONS))


def javascript_source():
    return "".join("exports.f%d = (rows, limit = %d) => rows.filter((row) => row.size < limit)\n"
                   "  .map((row) => ({ ...row, weight: (row.weight ?? 0) * %d + row.name.length }));\n\n" % (n, n, n)
                   for n in range(FUNCTIONS))


def rust_source():
    return "".join("pub fn f%d(rows: &[(String, usize)], limit: usize) -> Vec<usize> {\n"
                   "    let mut kept: Vec<usize> = rows.iter().filter(|row| row.1 < limit + %d)\n"
                   "        .map(|row| row.0.len() * row.1).collect();\n    kept.sort();\n    kept\n}\n\n" % (n, n)
                   for n in range(FUNCTIONS))


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def archive(files):
    """A .tar.gz of {name: content}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wheels(folder, names, payload):
    for name in names:
        info = name + "-1.0.dist-info/"
        wheel = "%s-1.0-py3-none-any.whl" % name
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as z:
            modules = ["%s/m%d.py" % (name, n) for n in range(FILES)]
            for module in modules:
                z.writestr(module, python_source())
            z.writestr(name + ".bin", os.urandom(payload))
            z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % name)
            z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            z.writestr(info + "RECORD", "".join("%s,,\n" % file for file in (
                *modules, name + ".bin", info + "METADATA", info + "WHEEL", info + "RECORD")))
        write(os.path.join(folder, "simple", name, wheel), buffer.getvalue())
        write(os.path.join(folder, "simple", name, "index.html"), '<a href="%s">%s</a>\n' % (wheel, wheel))


def npm_packages(folder, url, names, payload):
    """The registry is `url`; a package's document is `index.html` of its folder, so that a folder can hold its tarball."""
    for name in names:
        manifest = {"name": name, "version": "1.0.0", "main": "index.js"}
        tarball = archive({"package/package.json": json.dumps(manifest), "package/payload.bin": os.urandom(payload),
                           "package/index.js": javascript_source(),
                           **{"package/lib/m%d.js" % n: javascript_source() for n in range(1, FILES)}})
        file = "%s-1.0.0.tgz" % name
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        document = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
            **manifest, "dist": {"tarball": "%s/%s/-/%s" % (url, name, file), "integrity": integrity}}}}
        write(os.path.join(folder, name, "index.html"), json.dumps(document))
        write(os.path.join(folder, name, "-", file), tarball)


def npm_project(folder, names):
    write(os.path.join(folder, "package.json"), json.dumps(
        {"name": "demo", "version": "1.0.0", "dependencies": {name: "1.0.0" for name in names}}))


def crates(folder, url, names, payload):
    """The sparse index is `url`/; names have at least four letters (the layout of shorter ones differs)."""
    write(os.path.join(folder, "config.json"), json.dumps({"dl": url + "/{crate}-{version}.crate"}))
    for name in names:
        top = name + "-1.0.0/"
        crate = archive({top + "Cargo.toml": '[package]\nname = "%s"\nversion = "1.0.0"\nedition = "2021"\n' % name,
                         top + "src/lib.rs": rust_source(), top + "payload.bin": os.urandom(payload)})
        entry = {"name": name, "vers": "1.0.0", "deps": [], "features": {}, "yanked": False,
                 "cksum": hashlib.sha256(crate).hexdigest()}
        write(os.path.join(folder, name[:2], name[2:4], name), json.dumps(entry) + "\n")
        write(os.path.join(folder, name + "-1.0.0.crate"), crate)


def cargo_project(folder, url, names):
    write(os.path.join(folder, "Cargo.toml"), '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n'
          "[dependencies]\n" + "".join('%s = "1.0.0"\n' % name for name in names))
    write(os.path.join(folder, "src", "lib.rs"), "")
    write(os.path.join(folder, ".cargo", "config.toml"), '[source.crates-io]\nreplace-with = "local"\n'
          '[source.local]\nregistry = "sparse+%s/"\n' % url)
