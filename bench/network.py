#!/usr/bin/env python3
"""Measures what a list of hosts (network.egress) costs: a connection through the gateway beside the same over loopback, and
the throughput of one stream each way. Both in one run, in alternating pairs, with the same client and servers of its own.

Prints p50 and spread with goals and writes JSON. docs/performance.md says what the rows mean."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SERVERS = pathlib.Path(__file__).resolve().parent.parent / "tests/support/outside/servers.py"

# HOST ECHO DIGEST SOURCE CONNECTIONS MIB; prints {"connect_ms": [...], "up_mib_s", "down_mib_s"}.
CLIENT = """import json, socket, sys, time
host, (echo, digest, source, connections, mib) = sys.argv[1], map(int, sys.argv[2:])
address = socket.gethostbyname(host)
times = []
for _ in range(connections):
    start = time.perf_counter()
    with socket.create_connection((address, echo)) as s:
        s.sendall(b"x")
        s.recv(1)
    times.append((time.perf_counter() - start) * 1000)
block = bytes(1 << 20)
start = time.perf_counter()
with socket.create_connection((address, digest)) as s:
    for _ in range(mib):
        s.sendall(block)
    s.shutdown(socket.SHUT_WR)
    s.recv(100)
up = mib / (time.perf_counter() - start)
buffer = bytearray(1 << 20)
start = time.perf_counter()
with socket.create_connection((address, source)) as s:
    s.sendall(b"%d\\n" % mib)
    while s.recv_into(buffer):
        pass
print(json.dumps({"connect_ms": times, "up_mib_s": up, "down_mib_s": mib / (time.perf_counter() - start)}))
"""


def spread(values, digits=3):
    return {"p50": round(statistics.median(values), digits), "min": round(min(values), digits),
            "max": round(max(values), digits), "runs": len(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyro", default="build/release/bin/pyro")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=200, help="of a round")
    parser.add_argument("--mib", type=int, default=256, help="each way, of a round")
    parser.add_argument("--json", help="where to write the numbers")
    options = parser.parse_args()
    pyro = str(pathlib.Path(options.pyro).resolve())
    with tempfile.TemporaryDirectory(prefix="pyro-bench-") as directory:
        work = pathlib.Path(directory)
        (work / "project").mkdir()
        (work / "world.json").write_text(json.dumps({
            "names": {"bench.example": ["127.0.0.1"]},
            "servers": [{"kind": kind, "address": "127.0.0.1", "port": 0} for kind in ("echo", "digest", "source")]}))
        servers = subprocess.Popen([sys.executable, SERVERS, work], stdin=subprocess.PIPE)
        while not (work / "ready.json").exists():
            time.sleep(0.02)
        ready = json.loads((work / "ready.json").read_text())
        rules = [f"{host}:{port}" for port in ready["ports"] for host in ("bench.example", "127.0.0.1")]
        (work / "project/client.py").write_text(CLIENT)
        (work / "project/pyro.yaml").write_text(
            f"version: 1\nname: bench\nenvironment: {{image: host}}\nseed: {{from: .}}\n"
            f"network: {{egress: {json.dumps(rules)}}}\n")
        env = dict(os.environ, PYRO_HOME=str(work / "home"), CI="true",
                   PYRO_NAME_SERVERS=f"127.0.0.1:{ready['dns']}")
        numbers = [*map(str, ready["ports"]), str(options.connections), str(options.mib)]

        def run(argv, **more):
            return subprocess.run(argv, cwd=work / "project", env=env, check=True, stdout=subprocess.PIPE, **more).stdout

        client = ["python3", "client.py"]
        ways = {"loopback": [*client, "127.0.0.1", *numbers],
                "gateway": [pyro, "exec", "--", *client, "bench.example", *numbers]}
        rounds = {way: [] for way in ways}
        try:
            run([pyro, "apply", "--yes", "--trust"], stderr=subprocess.DEVNULL)
            for number in range(options.rounds):
                for way in sorted(ways, reverse=bool(number % 2)):
                    rounds[way].append(json.loads(run(ways[way])))
        finally:
            subprocess.run([pyro, "destroy", "--yes"], cwd=work / "project", env=env, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            subprocess.run([pyro, "purge", "--yes"], cwd=work / "project", env=env, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            servers.stdin.close()
            servers.wait()
    connect = {way: [statistics.median(one["connect_ms"]) for one in all_of] for way, all_of in rounds.items()}
    rows = {f"connect_ms {way}": spread(times) for way, times in connect.items()}
    rows["connect_ms more"] = spread([a - b for a, b in zip(connect["gateway"], connect["loopback"])])
    for key in ("up_mib_s", "down_mib_s"):
        for way, all_of in rounds.items():
            rows[f"{key} {way}"] = spread([one[key] for one in all_of], 0)
        rows[f"{key} share"] = spread([a[key] / b[key] for a, b in zip(rounds["gateway"], rounds["loopback"])])
    goals = {"connect_ms more": rows["connect_ms more"]["p50"] <= 1,
             **{f"{key} share": rows[f"{key} share"]["p50"] >= 0.6 for key in ("up_mib_s", "down_mib_s")}}
    for name, row in rows.items():
        met = "" if name not in goals else "  goal met" if goals[name] else "  goal missed"
        print(f"  {name:<24} {row['p50']:>10} ({row['min']} to {row['max']}, {row['runs']} pairs){met}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows, "goals": goals}, indent=2) + "\n")


if __name__ == "__main__":
    main()
