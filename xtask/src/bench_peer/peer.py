"""The Python side of `cargo xtask bench-peer`: evaluates calls with the package `agenthalt` and says how
long each took. It reads the same policies and the same calls as the other side, and writes no file.

`peer.py FOLDER` says on one line what it runs on, then answers each line `run CASE CALLS` with one line
of JSON. A case is `GUARDS-SIZE`: the policy is `FOLDER/GUARDS.json`, the arguments of the calls are the
lines of `FOLDER/SIZE.jsonl`, taken in turn.
"""

import asyncio
import functools
import importlib.metadata
import json
import logging
import pathlib
import platform
import sys
import time
import types

from agenthalt import CallContext
from agenthalt.config import load_config_from_dict
from agenthalt.guards import rate_limit

STEP_SECONDS = 10

# The engine logs each evaluation. Without a handler such a line is thrown away; this throws it away
# before it is made.
logging.disable(logging.CRITICAL)

# Ten seconds pass from call to call for the guard that looks at minutes. The stand-in is made of C
# functions only, so that it costs what `time.time` costs.
moment = [time.time()]
rate_limit.time = types.SimpleNamespace(time=functools.partial(moment.__getitem__, 0))


class Bench:
    """Engines and arguments, read from the folder when a case first asks for them."""

    def __init__(self, folder):
        self.folder = folder

    @functools.cache
    def engine(self, guards):
        return load_config_from_dict(json.loads((self.folder / f"{guards}.json").read_text("utf-8")))

    @functools.cache
    def arguments(self, size):
        lines = (self.folder / f"{size}.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    async def run(self, case, calls):
        guards, size = case.split("-")
        engine, arguments = self.engine(guards), self.arguments(size)
        clock = time.perf_counter_ns
        latencies, refused, reason = [], 0, ""
        wall, cpu = clock(), time.process_time_ns()
        for number in range(calls):
            moment[0] += STEP_SECONDS
            chosen = arguments[number % len(arguments)]
            start = clock()
            result = await engine.evaluate(
                CallContext(function_name="send_email", arguments=chosen, agent_id="assistant", session_id="s-1")
            )
            latencies.append(clock() - start)
            decision = result.final_decision
            if decision.decision != "allow":
                refused += 1
                reason = f"{decision.decision.value} by {decision.guard_name}: {decision.reason}"
        cpu, wall = time.process_time_ns() - cpu, clock() - wall
        return {"latencies": latencies, "cpu": cpu, "wall": wall, "refused": refused, "reason": reason}


async def main():
    bench = Bench(pathlib.Path(sys.argv[1]))
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("agenthalt", "pydantic"))
    about = f"{platform.python_implementation()} {platform.python_version()}, {packages}"
    print(json.dumps({"about": about}), flush=True)
    # Nothing else runs in the loop, so it may wait for a line.
    for line in sys.stdin:
        _, case, calls = line.split()
        print(json.dumps(await bench.run(case, int(calls))), flush=True)


asyncio.run(main())
