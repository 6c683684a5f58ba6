"""Putting another configuration in the place of the one in force, by SIGHUP."""
import copy
import json
import signal

from waiting import until

IN_FORCE = "configuration read again: in force"
REFUSED = "configuration read again: refused"


class Reloading:
    """For a ProxyCase whose proxy runs."""

    def read_config(self):
        with open(self.egret.config_path) as file:
            return json.load(file)

    def reload(self, change, says=IN_FORCE):
        """Writes the configuration that `change` made of the present one, and waits for what comes of it."""
        config = copy.deepcopy(self.config)
        change(config)
        before = self.egret.stderr().count("configuration read again")
        self.egret.write("egret.yaml", json.dumps(config))
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.stderr().count("configuration read again") > before, "the configuration to be read",
              alive=self.egret.assert_running)
        said = [line for line in self.egret.stderr().splitlines() if "configuration read again" in line][-1]
        self.assertIn(says, said, self.egret.stderr())
        if says == IN_FORCE:
            self.config = config
