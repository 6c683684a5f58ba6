"""compile_commands.json for clang-tidy and clangd, from `bazel aquery`.

    python3 -IB tools/lib/compdb.py [//target ...]      default: //source/... //test/...

Generated headers must have been built (tools/check and any build do).
"""
import json
import os
import subprocess
import sys

# gcc flags of Bazel's auto-configured toolchain that clang does not know.
GCC_ONLY = {"-fno-canonical-system-headers", "-Wno-free-nonheap-object"}
SKIP_WITH_ARG = {"-o", "-MF"}
SKIP = ("-frandom-seed", "-MD", "-D__DATE__", "-D__TIME")


def bazel(*args, quiet=True):
    binary = "/usr/bin/bazel" if os.access("/usr/bin/bazel", os.X_OK) else "bazel"
    return subprocess.run([binary, *os.environ.get("EGRET_BAZEL_STARTUP", "").split(), *args], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None).stdout


def entry(arguments, root, base, execroot):
    def absolute(arg):
        if arg.startswith("bazel-out/"):
            return os.path.join(execroot, arg)
        return os.path.join(base, arg) if arg.startswith("external/") else arg

    args, it = [], iter(arguments)
    for arg in it:
        if arg in SKIP_WITH_ARG:
            next(it)
        elif arg not in GCC_ONLY and not arg.startswith(SKIP):
            args.append(absolute(arg))
    for i, arg in enumerate(args[:-1]):  # generated headers: no diagnostics from them
        if arg == "-iquote" and "/bazel-out/" in args[i + 1]:
            args[i] = "-isystem"
    args[0] = "clang++-19"
    return {"directory": root, "file": args[args.index("-c") + 1], "arguments": args}


def write(targets, path="compile_commands.json"):
    """Writes the file, returns the paths it holds (relative to the workspace)."""
    info = dict(line.split(": ", 1) for line in
                bazel("info", "workspace", "output_base", "execution_root").strip().splitlines())
    graph = json.loads(bazel("aquery", "--output=jsonproto", 'mnemonic("CppCompile", %s)' % " + ".join(targets)))
    found = {}
    for action in graph.get("actions", []):
        e = entry(action["arguments"], info["workspace"], info["output_base"], info["execution_root"])
        if e["file"].endswith(".cc") and not os.path.isabs(e["file"]):  # absolute: generated or third-party
            found.setdefault(e["file"], e)
    text = json.dumps([found[k] for k in sorted(found)], indent=1)
    with open(path, "w") as f:
        f.write(text)
    return set(found)


if __name__ == "__main__":
    print("compile_commands.json: %d files" % len(write(sys.argv[1:] or ["//source/...", "//test/..."])))
