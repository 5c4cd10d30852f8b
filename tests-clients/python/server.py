"""A server of our own, which a test may kill and start again."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path


class Server:
    """One process after the other on the same directory and port."""

    def __init__(self, binary, directory, **environment):
        self.binary = binary
        self.directory = directory
        self.environment = os.environ | environment
        self.port = 0
        self.process = None

    @property
    def log(self):
        return Path(f"{self.directory}/server.log")

    def start(self):
        """Starts a process and answers how many seconds it took until it listened."""
        command = [self.binary, "start", "--data-dir", f"{self.directory}/data", "--port", str(self.port)]
        begin = time.monotonic()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        for line in self.process.stdout:
            if found := re.search(r"listening on (http://[^\s\"]+:(\d+))", line):
                self.url, self.port = found[1], int(found[2])
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return time.monotonic() - begin
        raise SystemExit(f"the server ended before it listened; see {self.log}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks the process to end, and answers its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def left_behind(self):
        """The number of functions' processes that still run although the server is gone: they end with it."""
        executables = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                executables.append(str((process / "cwd").readlink()))
            except OSError:
                continue
        return sum(path.startswith(str(self.directory)) for path in executables)
