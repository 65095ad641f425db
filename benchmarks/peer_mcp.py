"""Asks the published MCP server for the ids on stdin; the standard library is its client."""

import json
import subprocess
import sys


server = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert server.stdin is not None
assert server.stdout is not None


def call(number: int, method: str, **params: object) -> dict[str, object]:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    server.stdin.write(json.dumps(message).encode() + b"\n")
    server.stdin.flush()
    while (reply := json.loads(server.stdout.readline())).get("id") != number:
        pass
    return reply


client = {"name": "benchmark", "version": "1"}
call(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
arguments = {"task_ids": sys.stdin.read().split()}
reply = call(2, "tools/call", name="flux_get_tasks_batch", arguments=arguments)
sys.exit("error" in reply or not reply["result"])
