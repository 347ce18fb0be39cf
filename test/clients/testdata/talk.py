"""TLS, listen and cancel, errors, long words, the end of a conversation."""
import json
import ssl
import sys

from librouteros import connect
from librouteros.exceptions import FatalError, TrapError

task = json.load(sys.stdin)


def dial(**more):
    more = {"port": task["port"], "password": task["password"], "encoding": "utf-8", **more}
    return connect(host="127.0.0.1", username="admin", **more)


def trapped(call, message, **attributes):
    try:
        call()
    except TrapError as e:
        assert e.message == message, e
        return e
    raise AssertionError("no trap: " + message)


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


api = dial()
secure = dial(port=task["tls"], ssl_wrapper=context().wrap_socket)
assert list(api.path("system", "identity")) == list(secure.path("system", "identity"))
print("TLS: the same")

trapped(lambda: dial(password="wrong"), "invalid user name or password (6)")
trapped(lambda: list(api("/nonsense/print")), "no such command prefix")
trapped(lambda: list(api("/ppp/secret/nonsense")), "no such command")
e = trapped(lambda: list(api("/ppp/secret/add", name="u", profile="nonsense")), "input does not match any value of profile")
assert e.category == 1, e.category
print("errors: as told")

# A listener hears what another connection does.
secure.protocol.writeSentence("/ppp/secret/listen", ".tag=7", "=.proplist=.id,name,comment")


def heard():
    word, words = secure.protocol.readSentence()
    assert words[0] == ".tag=7" or word == "!done", (word, words)
    return word, [w for w in words if not w.startswith(".tag=")]


# The first look at the menu comes before the answer to a command sent after it, or not; a row that
# is there by then is no news. So the row is changed until the change is heard.
secrets = api.path("ppp", "secret")
id = secrets.add(name="heard")
sock = secure.protocol.transport.sock
sock.settimeout(0.7)
for n in range(20):
    secrets.update(**{".id": id, "comment": "change %d" % n})
    try:
        word, words = heard()
        break
    except OSError:
        continue
else:
    raise AssertionError("nothing heard")
sock.settimeout(10)
assert word == "!re" and words[0] == "=.id=" + id and "=name=heard" in words, (word, words)
secrets.remove(id)
while (word, words) != ("!re", ["=.id=" + id, "=.dead=yes"]):
    word, words = heard()
    assert word == "!re", (word, words)
secure.protocol.writeSentence("/cancel", "=tag=7", ".tag=8")
rest = [secure.protocol.readSentence() for _ in range(3)]
assert rest == [
    ("!done", (".tag=8",)),
    ("!trap", (".tag=7", "=category=2", "=message=interrupted")),
    ("!done", (".tag=7",)),
], rest
print("listen: heard, and cancelled")

# All forms of a word's length that a value can have.
for length in (1, 100, 127, 128, 200, 254, 255):
    name = "n" * length
    id = secrets.add(name=name)
    assert [r["name"] for r in secrets if r[".id"] == id] == [name], length
    secrets.remove(id)
profiles = api.path("ppp", "profile")
script = "# " + "x" * 20000
id = profiles.add(**{"name": "scripted", "on-up": script})
assert [r["on-up"] for r in profiles if r[".id"] == id] == [script]
profiles.remove(id)
print("words: of all lengths")

try:
    list(api("/quit"))
    raise AssertionError("no end")
except FatalError as e:
    assert "session terminated on request" in str(e), e
print("quit: told so")
