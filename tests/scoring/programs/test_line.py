"""How tests use a program that lives in another process."""

from __future__ import annotations

import asyncio
import collections
import copy
import json
from typing import Any

import pytest

from llmkit.scoring.programs.inside.codec import BadMessage
from llmkit.scoring.programs.inside.examine import reachable
from llmkit.scoring.programs.inside.peer import HELLO, MODULE, RAISED, REQUEST, RESULT, Gone, Peer
from tests.scoring.programs.line import Module, framed, said, served

POINT = """
class Point:
    kind = "point"
    def __init__(self, x): self.x = x
    def __add__(self, other): return Point(self.x + (other.x if isinstance(other, Point) else other))
    __radd__ = __add__
    def __mul__(self, other): return self.x * other.x
    def __lt__(self, other): return self.x < getattr(other, "x", other)
    def __eq__(self, other): return self.x == getattr(other, "x", other)
    def __hash__(self): return hash(self.x)
    def __repr__(self): return f"Point({self.x})"
    def __abs__(self): return abs(self.x)
    def __len__(self): return 3
    def __getitem__(self, at): return [self.x][at]
    def __contains__(self, each): return True
"""


def test_calls_take_and_give_values() -> None:
    with served("def f(a, *rest, b=1, **more): return [a, rest, {b}, more]") as m:
        assert m.f(1, 2.5, b="x", c=None) == [1, (2.5,), {"x"}, {"c": None}]


def test_views_of_a_dict_are_values() -> None:
    with served("def f(d): return d.keys(), d.items()") as m:
        keys, items = m.f({"b": 1, "a": [2]})
        assert keys == {"a", "b"}
        assert list(keys) == ["b", "a"]
        assert list(items) == [("b", 1), ("a", [2])]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with served("") as m, pytest.raises(AttributeError, match="nothing"):
        m.nothing  # noqa: B018


class TestArguments:
    def test_what_is_done_to_them_is_done_to_the_callers(self) -> None:
        with served("def f(a, d, s, q, b): a.sort(); d.clear(); s.add(9); q.append(3); b.extend(b'y')") as m:
            a, d, s, q, b = [2, 1], {"x": 1}, {1}, collections.deque([1]), bytearray(b"x")
            m.f(a, d, s, q, b)
            assert (a, d, s, q, b) == ([1, 2], {}, {1, 9}, collections.deque([1, 3]), bytearray(b"xy"))

    def test_also_deep_within_them(self) -> None:
        with served("def f(rows):\n  rows[0]['a'].append(2)\n  rows.append(rows[0])") as m:
            inner: list[int] = [1]
            rows: list[Any] = [{"a": inner}]
            m.f(rows)
            assert inner == [1, 2]
            assert rows[1] is rows[0]

    def test_one_that_is_returned_is_itself(self) -> None:
        with served("def f(a): a.append(1); return a") as m:
            given: list[int] = []
            assert m.f(given) is given

    def test_also_where_the_call_fails(self) -> None:
        with served("def f(a):\n  a.append(1)\n  raise ValueError") as m:
            given: list[int] = []
            with pytest.raises(ValueError):
                m.f(given)
            assert given == [1]

    def test_functions_are_called_back(self) -> None:
        with served("def f(key, rows): return sorted(rows, key=key)\ndef g(c): return c()") as m:
            assert m.f(lambda row: -row, [1, 3, 2]) == [3, 2, 1]
            assert m.f(len, ["bb", "a"]) == ["a", "bb"]
            assert m.g(lambda: m.g(lambda: 5)) == 5

    def test_objects_of_the_tests_classes_are_used_as_data(self) -> None:
        class Node:
            __module__ = "tests"

            def __init__(self, value: int) -> None:
                self.value = value
                self._hidden = 1

        with served("def f(n): n.value += 1; return n.value\ndef g(n): return n._hidden\ndef h(n): return n") as m:
            node = Node(1)
            assert m.f(node) == 2
            assert node.value == 2
            assert m.h(node) is node
            with pytest.raises(AttributeError, match="reach"):
                m.g(node)

    @pytest.mark.parametrize("path", ["__globals__", "__code__", "__closure__", "__self__", "gi_frame", "__class__"])
    def test_nothing_of_the_tests_is_reached_through_them(self, path: str) -> None:
        there = Peer(lambda operation, value, args: True, wary=False, channel=-1)
        for each in (lambda: 5, [].append, (n for n in []), Peer, there):
            assert not reachable("get", each, (path,))
            assert not reachable("set", each, (path, 1))


class TestObjects:
    def test_are_used_by_attribute_item_and_operator(self) -> None:
        with served(POINT) as m:
            p = m.Point(2)
            p.x = 3
            assert (p.x, p[0], len(p), abs(p), repr(p), m.Point.kind) == (3, 3, 3, 3, "Point(3)", "point")
            assert p + m.Point(1) == m.Point(4)
            assert p * m.Point(2) == 6
            assert m.Point(1) < m.Point(2)
            assert {p: 1}[m.Point(3)] == 1
            del p.x
            assert not hasattr(p, "x")

    def test_are_one_however_often_they_come(self) -> None:
        with served("A = object()\ndef f(x=A): return x\ndef g(x): return x is A") as m:
            assert m.A is m.f()
            assert m.g(m.A)

    def test_have_only_what_their_class_defines(self) -> None:
        with served("A = object()") as m:
            for wrong in (lambda: len(m.A), lambda: m.A(), lambda: m.A[0], lambda: m.A + m.A, lambda: iter(m.A)):
                with pytest.raises(TypeError):
                    wrong()

    def test_are_instances_of_their_classes(self) -> None:
        with served(POINT + "class Other: pass") as m:
            assert isinstance(m.Point(1), m.Point)
            assert not isinstance(m.Other(), m.Point)
            assert not isinstance(1, m.Point)
            assert issubclass(m.Point, m.Point)

    def test_can_be_copied_iterated_awaited_and_entered(self) -> None:
        source = """
class C:
    def __init__(self): self.v = [1]
    def __enter__(self): self.v = 5; return self
    def __exit__(self, kind, error, trace): return kind is KeyError
def gen(): yield from range(3)
async def later(x): return x * 2
"""
        with served(source) as m:
            assert list(m.gen()) == [0, 1, 2]
            assert asyncio.run(m.later(4)) == 8
            c = m.C()
            other = copy.deepcopy(c)
            with c as entered:
                assert entered is c
                raise KeyError
            assert (c.v, other.v) == (5, [1])
            with pytest.raises(ZeroDivisionError), c:
                1 / 0  # noqa: B018

    def test_of_subclasses_of_plain_types_are_the_plain_values(self) -> None:
        source = """
import collections, enum
P = collections.namedtuple("P", "x y")
class Level(enum.IntEnum): LOW = 1
class Tag(str):
    def loud(self): return self.upper()
class Stack(list):
    def push(self, x): self.append(x)
p, tag = P(1, 2), Tag("a")
"""
        with served(source) as m:
            assert m.p == (1, 2)
            assert m.p.y == 2
            assert isinstance(m.p, tuple)
            assert m.Level.LOW == 1
            assert m.Level.LOW.name == "LOW"
            assert m.Level.LOW is m.Level.LOW
            assert m.tag + "b" == "ab"
            assert m.tag.loud() == "A"
            stack = m.Stack()
            stack.push(1)
            assert stack == [1]
            assert stack != [2]
            assert list(stack) == [1]


class TestLies:
    LIAR = """
class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __eq__
    def __hash__(self): return hash(3)
    def __sub__(self, other): return 0
    __rsub__ = __and__ = __xor__ = __sub__
    def __iter__(self): return iter(())
class Self(Liar):
    def __sub__(self, other): return self
    __rsub__ = __sub__
    def __abs__(self): return 0
    __float__ = __int__ = __len__ = __index__ = __abs__
    def __bool__(self): return False
class Number(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __index__(self): return 3
    __hash__ = int.__hash__
class Row(list):
    def __eq__(self, other): return True
    def __iter__(self): return iter([1])
"""

    @pytest.fixture
    def m(self) -> Any:
        with served(self.LIAR) as module:
            yield module

    def test_an_object_equals_no_plain_value(self, m: Module) -> None:
        for value in (3, "x", None, [1], 0.5, {1: 2}):
            assert (m.Liar() == value) is False
            assert (value == m.Liar()) is False
            assert (m.Liar() != value) is True
        assert m.Liar() not in [1, 2]
        assert [m.Liar()] != [3]
        assert {m.Liar()} != {3}

    def test_an_object_has_no_order_with_a_plain_value(self, m: Module) -> None:
        for wrong in (lambda: m.Liar() < 3, lambda: m.Liar() >= 3, lambda: sorted([3, m.Liar()])):
            with pytest.raises(TypeError):
                wrong()

    def test_an_operation_with_a_plain_value_gives_an_object(self, m: Module) -> None:
        for wrong in (lambda: m.Liar() - 3, lambda: 3 - m.Liar(), lambda: m.Liar() & {1}, lambda: m.Liar() ^ {1}):
            with pytest.raises(TypeError, match="must give an object"):
                wrong()

    def test_of_which_no_number_is_made(self, m: Module) -> None:
        mixed = m.Self() - 3
        for wrong in (abs, float, int, len, bool):
            with pytest.raises(TypeError):
                wrong(mixed)
        with pytest.raises(TypeError):
            abs(3 - (m.Self() - 3) - m.Self())

    @pytest.mark.parametrize(
        "taken", ["d == 0", "d != 3", "d.days", "d.max()", "d()", "list(d)", "d[0]", "str(d)", "f'{d}'", "hash(d)",
                  "copy.copy(d).days", "(-d).days", "(d + 1).days", "(d - s).days", "d in [0]"],
    )  # fmt: skip
    def test_and_nothing_else_is_taken_from_it(self, m: Module, taken: str) -> None:
        own = m.Self()
        with pytest.raises(TypeError):
            eval(taken, {"d": own - 3, "s": own, "copy": copy})

    def test_a_number_that_lies_is_the_number_that_it_is(self, m: Module) -> None:
        number = m.Number(0)
        assert number == 0
        assert number != 3
        assert number - 3 == -3
        assert [5, 6, 7, 8][number] == 5

    def test_a_list_that_lies_is_the_list_that_it_is(self, m: Module) -> None:
        row = m.Row()
        assert row == []
        assert row != [1]

    def test_where_functions_are_tested_no_object_sees_a_plain_value(self) -> None:
        with served(self.LIAR, strict=True) as m:
            assert 3 not in m.Liar()
            with pytest.raises(TypeError):
                m.Self() - 3


class TestErrors:
    def test_built_in_ones_are_themselves(self) -> None:
        with served("import json\ndef f(): raise KeyError('x', 2)\ndef g(): json.loads('{')") as m:
            with pytest.raises(KeyError) as info:
                m.f()
            assert info.value.args == ("x", 2)
            with pytest.raises(json.JSONDecodeError, match="line 1"):
                m.g()

    def test_own_ones_are_of_their_classes(self) -> None:
        source = """
class Base(ValueError): pass
class Mine(Base):
    def __init__(self, code): super().__init__(f"bad {code}"); self.code = code
def f(): raise Mine(5)
"""
        with served(source) as m:
            with pytest.raises(m.Base, match=r"^bad 5$") as info:
                m.f()
            assert info.type is m.Mine
            assert info.value.code == 5
            with pytest.raises(ValueError):
                m.f()

    def test_those_of_a_callback_come_back(self) -> None:
        class Boom(Exception):
            pass

        boom = Boom("x")

        def fail() -> None:
            raise boom

        with served("def f(c): c()\ndef g(c):\n  try: c()\n  except Exception as e: return str(e)") as m:
            with pytest.raises(Boom) as info:
                m.f(fail)
            assert info.value is boom
            assert m.g(fail) == "x"

    @pytest.mark.parametrize("name", ["unittest.SkipTest", "bdb.BdbQuit", "doctest.UnexpectedException"])
    def test_none_is_a_sign_for_what_runs_the_tests(self, name: str) -> None:
        import bdb  # noqa: F401
        import doctest  # noqa: F401
        import unittest  # noqa: F401

        module = name.partition(".")[0]
        with served(f"import {module}\ndef f(): raise {name}.__new__({name})") as m:
            with pytest.raises(Exception) as info:
                m.f()
            assert info.type is Exception or info.type.__module__ == "solution"

    def test_a_value_that_cannot_travel_is_an_error(self) -> None:
        source = "def f(deep=()):\n  for _ in range(400): deep = (deep,)\n  return deep\ndef g(): return 'x' * (9<<20)"
        with served(source) as m:
            with pytest.raises(ValueError, match="levels"):
                m.f()
            with pytest.raises(ValueError, match="MiB"):
                m.g()
            assert m.f is m.f


class TestTheLine:
    def test_its_end_is_no_exception_that_a_test_may_expect(self) -> None:
        assert not issubclass(Gone, Exception)
        assert not issubclass(BadMessage, Exception)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "ended"),
            (b"\0\0", "ended"),
            (b"\0\0\0\5\2i", "ended"),
            (b"\x7f\xff\xff\xff\2", "too long"),
            (framed(HELLO, b"N"), "out of place"),
            (framed(9, b"N"), "out of place"),
            (framed(RESULT, b"N"), "another type"),
            (framed(RESULT, b"i\1\7"), "another question"),
            (framed(RESULT, b"i\1\1s\0N"), "no end"),
            (framed(RESULT, b"i\1\1s\0N\1"), "ends within"),
            (framed(RESULT, b"i\1\1s\0N\1\0N"), "cannot change"),
            (framed(RESULT, b"i\1\1s\0N\0N"), "after its end"),
            (framed(RAISED, b"i\1\1s\0N\0"), "error that is none"),
            (framed(REQUEST, b"N"), "another type"),
        ],
    )
    def test_nonsense_breaks_it(self, data: bytes, reason: str) -> None:
        with said(data) as peer:
            with pytest.raises((BadMessage, Gone)):
                peer.request("get", MODULE, ("x",))
            assert reason in (peer.broken or "")

    def test_the_other_side_cannot_ask_for_what_it_was_not_given(self) -> None:
        request = b"t\x05i\1\1s\3geti\1\0t\1s\1xd\0"
        with said(framed(REQUEST, request)) as peer, pytest.raises(BadMessage, match="no such object"):
            peer.request("get", MODULE, ("x",))

    def test_a_program_asks_nothing_where_nobody_waits(self) -> None:
        there = Peer(lambda operation, value, args: True, wary=False, channel=-1)
        with pytest.raises(RuntimeError, match="nobody waits"):
            there.request("call", 0)
