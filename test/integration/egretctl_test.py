"""egretctl and one proxy: what it has in force, its log levels, its end; and how shells complete egretctl's words."""
import json
import os
import pty
import select
import shutil
import subprocess
import tempfile
import unittest

from harness import ProxyCase, allow, proxy_config
from waiting import SECONDS, until


def egretctl(*words, **how):
    run = subprocess.run([os.environ["EGRETCTL"], *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, timeout=SECONDS * 3, **how)
    return run.returncode, run.stdout, run.stderr


class OneProxy(ProxyCase):
    def ctl(self, command, *words):
        return egretctl(command, "--admin", "%s:%d" % self.egret.admin, *words)

    def test_config_says_what_is_in_force_and_why_a_file_is_not(self):
        self.start()
        status, out, _ = self.ctl("config")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"Listener +egress +in_force")
        self.assertRegex(out, r"EgressPolicy +web +in_force")
        told = json.loads(self.ctl("config", "--output", "json")[1])
        self.assertEqual([r["name"] for r in told["resources"]], ["egress", "web"])
        self.assertIn('"policies"', self.ctl("config", "--dump")[1])
        with open(self.egret.config_path, "w") as f:
            f.write("listeners: [{name: egress, address: nowhere}]\n")
        self.egret.signal(1)  # SIGHUP
        status, out, _ = until(lambda: [self.ctl("config")] if self.ctl("config")[0] == 1 else None,
                               "the refusal")[0]
        self.assertIn("listeners[0].address: nowhere", out)
        self.assertRegex(out, r"EgressPolicy +web +in_force")

    def test_logging_is_told_and_changed(self):
        self.start()
        self.assertRegex(self.ctl("logging")[1], r"dns +info")
        status, out, _ = self.ctl("logging", "dns=debug", "http=off", "--output", "json")
        self.assertEqual((status, json.loads(out)["dns"], json.loads(out)["http"]), (0, "debug", "off"))
        self.assertRegex(self.ctl("logging", "warning")[1], r"http +warning")
        self.assertEqual(self.ctl("logging", "dns=loud")[0], 1)
        self.assertEqual(self.ctl("logging", "dnss=debug")[0], 1)

    def test_page_prints_what_the_admin_says(self):
        self.start()
        self.assertIn("/config_dump", self.ctl("page")[1])
        self.assertEqual(self.ctl("page", "/ready"), (0, "LIVE\n", ""))
        self.assertEqual(self.ctl("page", "/stats?filter=^egret_workers")[1].split(":")[0], "egret_workers")
        self.assertEqual(self.ctl("page", "--post", "/healthcheck/fail")[:2], (0, "OK\n"))
        status, out, err = self.ctl("page", "/ready")
        self.assertEqual((status, out, err), (1, "", "egretctl page: 503: FAILED\n"))
        self.assertEqual(self.ctl("page", "/healthcheck/ok")[0], 1)  # by POST alone
        for path in ("ready", "/ready\r\nX: y", "/a b"):
            self.assertEqual(self.ctl("page", path)[0], 2, path)

    def test_a_page_that_goes_on_is_printed_as_it_comes(self):
        self.start()
        follower = subprocess.Popen([os.environ["EGRETCTL"], "page", "--admin", "%s:%d" % self.egret.admin, "/tail"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)

        def asked_and_told():
            self.client().get("http://nowhere.test/")
            return select.select([follower.stdout], [], [], 0.05)[0]
        until(asked_and_told, "a line of the access log")
        self.assertEqual(json.loads(follower.stdout.readline())["target"], "nowhere.test:80")

    def test_drain_lets_clients_go_and_quit_ends_the_process(self):
        self.start()
        self.assertEqual(self.ctl("drain")[:2], (0, "draining\n"))
        until(lambda: self.egret.get("/ready")[0] == 503, "the proxy to wind down")
        self.egret.asked_to_end = True
        self.assertEqual(self.ctl("drain", "--quit")[0], 0)
        self.assertEqual(self.egret.wait(), 0)

    def test_by_a_Unix_socket(self):
        folder = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short
        self.addCleanup(shutil.rmtree, folder)
        self.start()
        config = proxy_config([allow()], admin={"address": "unix:%s/admin.sock" % folder})
        path = self.egret.write("other.yaml", json.dumps(config))
        other = subprocess.Popen([os.environ["EGRET"], "--config", path], stderr=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.terminate)
        until(lambda: os.path.exists(folder + "/admin.sock"), "the socket")
        self.assertEqual(egretctl("config", "--admin", "unix:%s/admin.sock" % folder)[0], 0)

    def test_who_does_not_answer_and_who_is_not_asked(self):
        self.start(allow())
        self.egret.stop()
        for command in ("config", "logging", "drain", "page"):
            status, _, err = self.ctl(command)
            self.assertEqual((status, "--admin says where" in err), (3, True), err)
            self.assertIn("not on this machine", egretctl(command, "--admin", "192.0.2.1:9901")[2])
            self.assertEqual(self.ctl(command, "--outputt", "json")[0], 2)

    def test_a_socket_that_cannot_be_is_told_of(self):
        status, _, err = egretctl("status", "--control", "unix:/" + "x" * 108)
        self.assertEqual((status, "at most 107 bytes" in err), (2, True), err)


class Completion(unittest.TestCase):
    def script(self, shell):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "completion")
        with open(path, "w") as f:
            f.write(egretctl("completion", shell)[1])
        return folder, path

    def bash(self, *words):
        """What bash's own completion would offer for these words, the last of which is being typed."""
        folder, path = self.script("bash")
        open(os.path.join(folder, "a file.yaml"), "w").close()
        os.mkdir(os.path.join(folder, "sub folder"))
        code = ("source %s; COMP_WORDS=(\"$@\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _egretctl 2>/dev/null;"
                " printf '%%s\\n' \"${COMPREPLY[@]}\"" % path)
        run = subprocess.run(["bash", "--norc", "-c", code, "bash", "egretctl", *words], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, cwd=folder, timeout=SECONDS)
        self.assertEqual(run.stderr, "")
        return run.stdout.split("\n")[:-1]

    def test_bash_completes_commands_options_choices_and_paths(self):
        self.assertEqual(self.bash("sta"), ["status"])
        self.assertIn("convert", self.bash(""))
        self.assertEqual(self.bash("status", "--out"), ["--output"])
        self.assertEqual(self.bash("status", "--output", "t"), ["table"])
        self.assertEqual(self.bash("status", "--output", "=", "j"), ["json"])
        self.assertEqual(self.bash("status", "--output", "="), ["table", "json"])
        self.assertEqual(self.bash("ca", "i"), ["init", "intermediate"])
        self.assertEqual(self.bash("ca", "init", "s"), ["sub folder"])
        self.assertEqual(self.bash("validate", "a"), ["a file.yaml"])
        self.assertEqual(self.bash("completion", "z"), ["zsh"])
        self.assertEqual(self.bash("logging", "dns"), ["dns="])

    def typed(self, shell, setup, text):
        """What a person sees who types this at the shell."""
        main, end = pty.openpty()
        process = subprocess.Popen(shell, stdin=end, stdout=end, stderr=end, start_new_session=True,
                                   env={"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": "/nonexistent"})
        os.close(end)
        self.addCleanup(os.close, main)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen = b""

        def await_seen(what):
            nonlocal seen
            while what not in seen:
                seen += os.read(main, 65536)
            seen = seen.split(what, 1)[1]

        os.write(main, setup.encode() + b"; echo rea''dy\n")
        await_seen(b"\nready")
        os.write(main, text.encode())
        return await_seen

    def test_bash_completes_what_is_typed(self):
        path = self.script("bash")[1]
        await_seen = self.typed(["bash", "--norc", "--noprofile", "-i"], "source " + path, "egretctl stat\t--outp\tj\t")
        await_seen(b"egretctl status --output json")

    def test_zsh_completes_what_is_typed(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        path = self.script("zsh")[1]
        await_seen = self.typed(["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source " + path,
                                "egretctl stat\t--outp\tj\t")
        await_seen(b"json")


if __name__ == "__main__":
    unittest.main()
