"""Logs in as programs did before RouterOS 6.43."""
import json
import sys

from librouteros import connect
from librouteros.exceptions import TrapError
from librouteros.login import token

task = json.load(sys.stdin)
try:
    api = connect(host="127.0.0.1", port=task["port"], username="admin", password=task["password"], login_method=token)
    assert len(list(api.path("system", "identity"))) == 1
    print("in")
except TrapError as e:
    print(e.message)
