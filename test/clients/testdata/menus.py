"""Prints, adds, asks, changes and removes on every menu, by librouteros."""
import json
import sys

from librouteros import connect
from librouteros.exceptions import TrapError
from librouteros.protocol import parse_word
from librouteros.query import And, Key, Or

task = json.load(sys.stdin)
api = connect(host="127.0.0.1", port=task["port"], username="admin", password=task["password"], encoding="utf-8")


def cast(text):
    """The value that librouteros makes of a text."""
    return parse_word("=x=" + text)[1]


def check(truth, *what):
    if not truth:
        raise AssertionError(what)


def matches(row, wanted, place):
    for name, text in wanted.items():
        if name.startswith("!"):
            check(name[1:] not in row, name, "is still there", row)
        elif name == "policy":  # given back with what is not granted
            check(set(text.split(",")) <= set(row[name].split(",")), name, text, row)
        elif not (place["path"] == ["user"] and name == "password"):  # never given back
            check(row.get(name) == cast(text), name, text, row)


def one(path, id):
    rows = list(path.select(Key(".id"), *(Key(k) for k in shown)).where(Key(".id") == id))
    check(len(rows) == 1, id, rows)
    return rows[0]


def trapped(call, *words):
    try:
        call()
    except TrapError as e:
        check(any(w in e.message for w in words), e)
        return e
    raise AssertionError(("no trap", words))


for place in task["places"]:
    path = api.path(*place["path"])
    name = "/" + "/".join(place["path"])
    rows = list(path)
    shown = place["settable"]
    if place["singleton"]:
        check(len(rows) == 1 and ".id" not in rows[0], rows)
        if "set" in place["commands"]:
            own = {k: v for k, v in rows[0].items() if k in shown and k not in place["sensitive"]}
            path.update(**own)
            again = list(path)[0]
            check({k: again.get(k) for k in own} == own, own, again)
            trapped(lambda: path.update(nonsense="1"), "unknown parameter nonsense")
        print(name, "one row")
        continue
    check(all(r.get(".id", "").startswith("*") for r in rows), rows)
    if "add" not in place["commands"]:
        trapped(lambda: path.add(name="x"), "no such command")
        if "remove" in place["commands"]:
            trapped(lambda: path.remove("*FFFFFF"), "no such item (4)")
        print(name, len(rows), "rows")
        continue

    first, second = path.add(**place["one"]), path.add(**place["two"])
    check(first.startswith("*") and first != second, first, second)
    matches(one(path, first), place["one"], place)
    matches(one(path, second), place["two"], place)
    check(len(list(path)) == len(rows) + 2, "count")

    ids = lambda *query: [r[".id"] for r in path.select(Key(".id")).where(*query)]
    a, b = Key(".id") == first, Key(".id") == second
    check(ids(Or(a, b)) == [first, second], "or")
    check(ids(Key(".id").In(first, second)) == [first, second], "in")
    check(ids(And(Key(".id") == first, Key(".id") != second)) == [first], "and, not")
    check(ids(And(Key(".id") == first, Key(".id") == second)) == [], "none")
    if place["named"]:
        check(ids(Key("name") == place["two"]["name"]) == [second], "name")
        trapped(lambda: path.add(**place["one"]), "failure:")
    count = tuple(path("print", **{"count-only": ""}))
    check(count == ({"ret": len(rows) + 2},), count)

    change = dict(place["change"])
    path.update(**{".id": first}, **change)
    matches(one(path, first), change, place)
    if "comment" in place["commands"]:
        tuple(path("set", numbers=first + "," + second, comment="both"))
        check([one(path, i)["comment"] for i in (first, second)] == ["both", "both"], "both")
        tuple(path("comment", **{".id": second, "comment": ""}))
        check("comment" not in one(path, second), "comment")
    if "disable" in place["commands"]:
        tuple(path("disable", **{".id": first}))
        check(one(path, first)["disabled"] is True, "disable")
        tuple(path("enable", **{".id": first}))
        check(one(path, first)["disabled"] is False, "enable")
    if place["required"]:
        trapped(lambda: path.add(), "missing value(s) of argument(s)")
    trapped(lambda: path.update(**{".id": first, "nonsense": "1"}), "unknown parameter nonsense")

    path.remove(first, second)
    check([r[".id"] for r in path] == [r[".id"] for r in rows], "removed")
    trapped(lambda: path.remove(first), "no such item (4)")
    print(name, "two rows came and went")
api.close()
