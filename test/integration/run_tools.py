"""Tools that fetch a package from its public registry, told nothing about any proxy: what each is run with, and what
the world has to have for it (run_world.py). Each says `installed` in the end, which only the package does."""
import os
import subprocess
import sys
import unittest

import registries
from run_world import ROOTS, need


class Tool:
    """script: for a shell in a folder that is empty; prepare(folder): fills its parent. files: of each host that it
    asks, the first one first."""

    def __init__(self, script, files, env, port=443, prepare=lambda folder: None):
        self.script, self.files, self.env, self.port, self.prepare = script, files, env, port, prepare
        self.hosts = list(files)


def pip():
    if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode:
        raise unittest.SkipTest("pip is not installed")
    script = ("python3 -m pip install -q --no-cache-dir --disable-pip-version-check --retries 0 --target to egretdemo\n"
              "PYTHONPATH=to python3 -c 'import egretdemo; print(egretdemo.word)'")
    return Tool(script, registries.pypi(), {"PIP_CONFIG_FILE": os.devnull, "PATH": "/usr/bin:/bin"})


def npm(command="npm install --no-audit --no-fund --no-update-notifier --fetch-retries=0 egretdemo",
        prepare=lambda folder: None):
    need("npm")
    return Tool(command + "\nnode -e 'console.log(require(\"egretdemo\"))'", registries.npm(),
                {"NPM_CONFIG_GLOBALCONFIG": os.devnull, "NODE_EXTRA_CA_CERTS": ROOTS}, prepare=prepare)


def npm_ci():
    return npm("cp ../package*.json . && npm ci --no-audit --no-fund --no-update-notifier --fetch-retries=0",
               registries.put_npm_project)


def cargo():
    path = "%s:%s" % (os.path.dirname(need("cargo")), os.environ["PATH"])
    script = ("mkdir src && touch src/lib.rs\n"
              "printf '[package]\\nname = \"p\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n"
              "[dependencies]\\negretdemo = \"1.0.0\"\\n' >Cargo.toml\n"
              "cargo fetch -q && grep -ho installed -r .cargo/registry/src")
    return Tool(script, registries.crates(), {"CARGO_NET_RETRY": "0", "PATH": path})


def go():
    path = "%s:%s" % (os.path.dirname(need("go")), os.environ["PATH"])
    module = registries.GoModule()
    script = "go mod download -json {0}@v1.0.0 && cat go/pkg/mod/{0}@v1.0.0/demo.go".format(module.MODULE)
    return Tool(script, module.hosts(), {"GOSUMDB": module.sumdb, "GOTOOLCHAIN": "local", "GOTELEMETRY": "off",
                                         "GOFLAGS": "-modcacherw", "PATH": path})


def apt():
    """For anybody, in folders of its own."""
    need("apt-get")
    architecture = subprocess.run(["dpkg", "--print-architecture"], stdout=subprocess.PIPE, text=True).stdout.strip()
    script = ("mkdir -p etc/apt.conf.d etc/preferences.d lists/partial cache/archives/partial && touch status\n"
              "echo 'deb [trusted=yes] http://deb.debian.org/debian bookworm main' >etc/sources.list\n"
              "cat >apt.conf <<.\n"
              "Dir::Etc \"$PWD/etc\";\nDir::State \"$PWD\";\nDir::State::status \"$PWD/status\";\n"
              "Dir::Cache \"$PWD/cache\";\nAPT::Sandbox::User \"\";\nAcquire::Retries 0;\n"
              "Acquire::Languages none;\nAPT::Update::Error-Mode any;\n.\n"
              "export APT_CONFIG=$PWD/apt.conf\n"
              "apt-get -q update && apt-get -q download egretdemo && cat egretdemo_1.0_all.deb")
    return Tool(script, registries.debian(architecture), {}, port=80)


def git():
    need("git")
    return Tool("git clone -q https://github.com/egretdemo.git && cat egretdemo/word", {"github.com": {}},
                {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}, prepare=registries.put_git_repository)
