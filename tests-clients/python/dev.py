"""`buswork dev`, whose lines are waited for."""

import os
import re
import selectors
import subprocess
import time


class Dev:
    """The command in an app's directory."""

    def __init__(self, binary, directory, environment):
        self.process = subprocess.Popen(
            [binary, "dev", directory], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.said = ""

    def until(self, pattern, seconds=30):
        """What matches the pattern behind what was matched before."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            assert self.selector.select(max(0, deadline - time.monotonic())), f"no {pattern!r} in: {self.said}"
            read = os.read(self.process.stdout.fileno(), 65_536)
            assert read, f"it has ended: {self.said}"
            self.said += read.decode()
        self.said = self.said[found.end() :]
        return found

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=10)
