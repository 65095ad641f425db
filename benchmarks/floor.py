"""The floor: the same requests with the standard library alone, and nothing checked.

`floor.py decode IDS` only decodes and encodes the replies that the template gives.
"""

import http.client
import json
import os
import sys


BATCH = 50


def batches(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]


def ask(ids: list[str]) -> None:
    """Ask for the ids over one connection and write a line for each."""
    host = os.environ["FLUX_API_BASE_URL"].removeprefix("http://")
    connection = http.client.HTTPConnection(host)
    headers = {
        "authorization": f"Bearer {os.environ['FLUX_API_TOKEN']}",
        "content-type": "application/json",
    }
    for part in batches(ids):
        query = {"action": "retrieve_batch", "ids": part, "limit": len(part)}
        connection.request("POST", "/flux/tasks", json.dumps(query), headers)
        write(json.loads(connection.getresponse().read())["items"])


def decode(ids: list[str]) -> None:
    """Decode the replies for the ids and encode their records, without any network."""
    from server import FINISHED

    replies = [
        '{"items":[' + ",".join(FINISHED % ((task_id,) * 5) for task_id in part) + "]}"
        for part in batches(ids)
    ]
    for reply in replies:
        write(json.loads(reply)["items"])


def write(items: list[object]) -> None:
    lines = [json.dumps(item, separators=(",", ":")) for item in items]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    mode, *words = sys.argv[1:]
    {"ask": ask, "decode": decode}[mode](words or sys.stdin.read().split())
