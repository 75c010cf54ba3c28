"""Has scim2-tester check the service: whether it does what RFC 7643 and RFC 7644 say."""

import collections
import os
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

url = os.environ["EDGE_USERS_URL"] + "/scim/v2"
headers = {"Authorization": "Bearer " + os.environ["EDGE_USERS_TOKEN"]}
with httpx2.Client(base_url=url, headers=headers) as http:
    results = check_server(SyncSCIMClient(http), raise_exceptions=False)

counts = collections.Counter(result.status.name for result in results)
for result in results:
    if result.status not in (Status.SUCCESS, Status.SKIPPED):
        print(result.status.name, result.title, result.resource_type, result.reason)
print("scim2-tester:", ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
# Without any result nothing was checked.
sys.exit(set(counts) - {"SUCCESS", "SKIPPED"} != set() or counts["SUCCESS"] < 100)
