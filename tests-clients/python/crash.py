"""Kills the server in the middle of 200 executions, again and again, and looks whether anything was lost.

Usage: BUSWORK_BIN=path/to/buswork crash.py [--loops 5] [--executions 200] [--variant rust] [--seed N]

A StartExecution that was acknowledged must end with a status, a row and exactly two events, whatever happened to the
server in between. One that was not acknowledged is started again under its name, as a careful client does.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("AWS_REGION", "eu-central-1")
os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

from recent_actions import Cloud, Listener, System, all_at_once, eventually  # noqa: E402
from server import Server  # noqa: E402


def start_all(system, names, acknowledged, stop):
    """Starts an execution for each name; `acknowledged` grows by each answer. Ends early once `stop` is set."""

    def start(name):
        if stop.is_set():
            return
        try:
            # Every other one is slow, so that the server also dies while functions run.
            booking = {"amount": 1, "clientId": name, "sleepMs": 200 * (int(name.rpartition("-")[2]) % 2)}
            acknowledged[name] = system.start("deposit", json.dumps(booking), name=name)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                acknowledged[name] = system.machine("deposit").replace(":stateMachine:", ":execution:") + f":{name}"

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(start, names))


def crash_once(server, system, listener, names, kill_after):
    """One round; answers a line about it. The server dies once `kill_after` starts are acknowledged."""
    acknowledged, stop = {}, threading.Event()
    starter = threading.Thread(target=start_all, args=(system, names, acknowledged, stop))
    starter.start()
    while len(acknowledged) < kill_after and starter.is_alive():
        time.sleep(0.001)
    server.kill()
    stop.set()
    starter.join()
    at_kill = dict(acknowledged)
    eventually(server.left_behind, lambda functions: functions == 0, 5)
    restart_s = server.start()

    for name, arn in at_kill.items():  # An acknowledged one must be known at once, before anything is repeated.
        assert system.cloud.states.describe_execution(executionArn=arn)["name"] == name
    start_all(system, [name for name in names if name not in acknowledged], acknowledged, threading.Event())
    assert set(acknowledged) == set(names)

    ended = all_at_once(lambda arn: system.ended(arn, deadline_s=120), acknowledged.values())
    statuses = Counter(execution["status"] for execution in ended)
    assert statuses == {"SUCCEEDED": len(names)}, statuses
    rows = system.ended_rows(list(acknowledged.values()), deadline_s=120)
    assert Counter(row["status"] for row in rows.values()) == statuses
    listener.received = []
    events = Counter((e["detail"]["executionArn"], e["detail"]["status"]) for e in listener.events(2 * len(names), 120))
    assert events == Counter({(arn, status): 1 for arn in acknowledged.values() for status in ("RUNNING", "SUCCEEDED")})
    return f"killed after {len(at_kill):3} starts, up again in {restart_s:.2f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=5)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--variant", default="rust", choices=["rust", "node"])
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="buswork-crash-") as directory:
        server = Server(os.environ["BUSWORK_BIN"], directory)
        server.start()
        try:
            cloud = Cloud(server.url, retries=1)
            system = System(cloud, options.variant).deploy()
            listener = Listener(cloud, system.machines)
            system.run("deposit")
            listener.events(2)
            for loop in range(options.loops):
                names = [f"crash-{loop}-{n}" for n in range(options.executions)]
                kill_after = chance.randrange(1, options.executions)
                print(f"{loop + 1}: {crash_once(server, system, listener, names, kill_after)}", flush=True)
            eventually(lambda: len(system.rows()), lambda count: count == 1 + options.loops * options.executions)
        except BaseException:
            sys.stderr.write(Path(f"{directory}/server.log").read_text()[-5000:])
            raise
        finally:
            server.kill()
    print("nothing was lost")


if __name__ == "__main__":
    main()
