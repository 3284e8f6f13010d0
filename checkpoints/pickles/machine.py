"""The pickle machine: every opcode of protocols 0 to 5, and no call of anything.

Python's own pickletools documents the opcodes. Objects come out as plain containers,
`Stored` tensors, or `Inert`: the name of what the pickle wanted to call. Nothing is
imported, nothing is executed, and the payload of a long string is skipped, not read, so a
file of gigabytes costs a pass over its few thousand opcodes.
"""

import struct
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from .arrays import REBUILT, ArrayShell, DType, built_array
from .inert import Inert, with_fields
from .span import Span

Constructors = Mapping[str, Callable[[tuple[Any, ...]], Any]]

# A published ResNet's pickle has fewer than 200,000. At 64 bytes an object this bounds memory.
_MOST_OPCODES = 5_000_000
_SHORT = 1024  # bytes; a longer text or byte string is left in the file
_LONGEST_INTEGER = 1024  # bytes
_LONGEST_LINE = 1 << 28  # bytes: protocol 0 has an array in one line
_RECENT = 64  # memo entries between an array's beginning and its bytes: shape, dtype, order
_MARK = object()

_CONSTANTS = {0x4E: None, 0x88: True, 0x89: False}  # N, NEWTRUE, NEWFALSE
_NEW = {0x5D: list, 0x7D: dict, 0x29: tuple, 0x8F: list}  # ], }, ), EMPTY_SET
_NUMBERS = {0x4B: "<B", 0x4D: "<H", 0x4A: "<i", 0x47: ">d"}  # BININT1, 2, BININT, BINFLOAT
_TEXTS = {  # opcode -> (format of the length, kind)
    0x58: ("<I", "utf8"),  # BINUNICODE
    0x8C: ("<B", "utf8"),  # SHORT_BINUNICODE
    0x8D: ("<Q", "utf8"),  # BINUNICODE8
    0x42: ("<I", "bytes"),  # BINBYTES
    0x43: ("<B", "bytes"),  # SHORT_BINBYTES
    0x8E: ("<Q", "bytes"),  # BINBYTES8
    0x96: ("<Q", "bytes"),  # BYTEARRAY8
    0x54: ("<i", "string"),  # BINSTRING: a str of Python 2, which may be text or bytes
    0x55: ("<B", "string"),  # SHORT_BINSTRING
}
_PUT = {0x71: "<B", 0x72: "<I"}  # BINPUT, LONG_BINPUT
_GET = {0x68: "<B", 0x6A: "<I"}  # BINGET, LONG_BINGET
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_SKIPPED = {0x80: 1, 0x95: 8, 0x98: 0}  # PROTO, FRAME, READONLY_BUFFER: bytes that follow
_DAMAGE = (
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    struct.error,
)


class Machine:
    """Runs one pickle that begins at `start` of `file`.

    Args:
        where: what messages call it.
        constructors: what a call of a known function means, by its full name.
        persistent: what a persistent id means (torch's storages).
    """

    def __init__(
        self,
        file: FileBytes,
        where: object,
        constructors: Constructors,
        start: int = 0,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self._file, self._where, self._constructors = file, where, constructors
        self._persistent = persistent
        self.position = start  # after `run`: the first byte after the pickle
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return what the pickle holds.

        Raises:
            BadCheckpoint: it is cut, damaged, or larger than any checkpoint.
        """
        try:
            for _ in range(_MOST_OPCODES):
                code = self._file.byte(self.position)
                self.position += 1
                if code == 0x2E:  # STOP
                    return self._pop()
                self._step(code)
        except _DAMAGE as error:
            raise BadCheckpoint(
                self._where,
                f"its pickle is cut or damaged at byte {self.position} ({_short(error)})",
                "a whole file",
                "Download it again.",
            ) from error
        raise BadCheckpoint(
            self._where,
            f"its pickle has more than {_MOST_OPCODES} instructions",
            "a checkpoint, which has fewer than a hundredth of that",
        )

    def _step(self, code: int) -> None:
        push = self._stack.append
        if code in _TEXTS:
            push(self._text(*_TEXTS[code]))
        elif code in _PUT:
            self._memo[self._number(_PUT[code])] = self._stack[-1]
        elif code in _GET:
            push(self._memo[self._number(_GET[code])])
        elif code in _NUMBERS:
            push(self._number(_NUMBERS[code]))
        elif code in _NEW:
            push(_NEW[code]())
        elif code in _TUPLES:
            count = _TUPLES[code]
            self._need(count)
            self._stack[-count:] = [tuple(self._stack[-count:])]
        elif code in _CONSTANTS:
            push(_CONSTANTS[code])
        elif code in _SKIPPED:
            self._take(_SKIPPED[code])
        else:
            _RARE[code](self)

    # Bytes of the file

    def _take(self, count: int) -> int:
        """Return where `count` bytes begin, and go past them."""
        start, self.position = self.position, self.position + count
        if count < 0 or self.position > len(self._file):
            self.position = min(start, len(self._file))
            raise ValueError(f"{count} bytes are declared and {len(self._file) - start} are left")
        return start

    def _number(self, layout: str) -> Any:
        size = struct.calcsize(layout)
        return struct.unpack(layout, self._file.slice(self._take(size), size))[0]

    def _text(self, layout: str, kind: str) -> Any:
        length = self._number(layout)
        start = self._take(length)
        if length > _SHORT:
            return Span(self._file, start, length, "bytes" if kind == "string" else kind)
        raw = self._file.slice(start, length)
        return raw if kind == "bytes" else raw.decode("latin-1" if kind == "string" else "utf-8")

    def _line(self) -> bytes:
        end = self._file.find(b"\n", self.position, _LONGEST_LINE)
        if end < 0:
            raise ValueError("a line has no end")
        raw = self._file.slice(self.position, end - self.position)
        self.position = end + 1
        return raw

    # The stack

    def _need(self, count: int) -> None:
        if len(self._stack) < count or any(item is _MARK for item in self._stack[-count:]):
            raise IndexError("the stack is too short")

    def _pop(self) -> Any:
        self._need(1)
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise IndexError("a mark is missing")

    def _pop_pair(self) -> list[Any]:
        value, key = self._pop(), self._pop()
        return [key, value]

    # What the rarer opcodes do

    def dictionary(self) -> None:
        """DICT: keys and values after a mark."""
        items = self._pop_to_mark()
        self._stack.append({})
        self._set_items(items)

    def _set_items(self, pairs: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Inert):  # a mapping's subclass
            target.state = target.state if isinstance(target.state, dict) else {}
            target = target.state
        if not isinstance(target, dict) or len(pairs) % 2:
            raise TypeError("items for what is not a mapping")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            # Hashing a foreign object, or a tuple nested without end, is not safe.
            plain = key is None or isinstance(key, (str, int, float, bytes))
            target[key if plain else f"<key {len(target)}>"] = value

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Inert):  # a list's subclass: its items are not needed
            raise TypeError("items for what is not a list")

    def _call(self, function: Any, args: Any) -> Any:
        args = args if isinstance(args, tuple) else (args,)
        if not isinstance(function, Inert):
            raise TypeError("a call of what is not a function")
        if function.args:  # a class that the pickle defines itself
            return with_fields(function, args)
        if function.name.rpartition(".")[2] in REBUILT and len(args) >= 3:
            return self._built(self._call(args[0], args[1]), args[2])
        constructor = self._constructors.get(function.name)
        return constructor(args) if constructor else Inert(function.name, args)

    def _built(self, target: Any, state: Any) -> Any:
        if isinstance(target, ArrayShell):
            return built_array(state)
        if isinstance(target, DType):
            target.build(state)
        elif isinstance(target, Inert):
            # (state of __dict__, state of __slots__) is how Python pickles objects with slots.
            pair = isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict)
            target.state = state[0] if pair else state
        return target  # attributes of a dict or a list (torch's _metadata) are not its items

    def build(self) -> None:
        """BUILD: give the object below the state on top."""
        state, target = self._pop(), self._pop()
        built = self._built(target, state)
        if built is not target:
            # An array was memoised before its bytes came; others may refer to it.
            for key in islice(reversed(self._memo), _RECENT):
                if self._memo[key] is target:
                    self._memo[key] = built
                    break
        self._stack.append(built)

    def reduce(self) -> None:
        """REDUCE, NEWOBJ: call the function below with the arguments on top."""
        args, function = self._pop(), self._pop()
        self._stack.append(self._call(function, args))

    def new_with_keywords(self) -> None:
        """NEWOBJ_EX: as NEWOBJ, with keyword arguments."""
        keywords, args, cls = self._pop(), self._pop(), self._pop()
        self._stack.append(self._call(cls, (*args, keywords)))

    def instance(self, module: str | None) -> None:
        """INST and OBJ: a class and its arguments after a mark."""
        items = self._pop_to_mark()
        function = items.pop(0) if module is None else Inert(module)
        self._stack.append(self._call(function, tuple(items)))

    def name(self, from_stack: bool) -> None:
        """GLOBAL, STACK_GLOBAL: the name of a function or class, looked up nowhere."""
        if from_stack:
            name, module = self._pop(), self._pop()
        else:
            module, name = self._line().decode(), self._line().decode()
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a name that is not text")
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        self._stack.append(Inert(f"{module}.{name}"))

    def integer(self, layout: str | None) -> None:
        """INT and LONG lines; LONG1 and LONG4."""
        if layout is None:
            line = self._line().rstrip(b"L")
            if len(line) > _LONGEST_INTEGER:
                raise ValueError("an integer is too long")
            # Protocol 0 writes False and True as 00 and 01.
            self._stack.append(line == b"01" if line in (b"00", b"01") else int(line))
            return
        length = self._number(layout)
        if not 0 <= length <= _LONGEST_INTEGER:
            raise ValueError("an integer is too long")
        start = self._take(length)
        value = int.from_bytes(self._file.slice(start, length), "little", signed=True)
        self._stack.append(value)

    def persistent(self, value: Any) -> None:
        """PERSID, BINPERSID: something that lies outside the pickle."""
        if self._persistent is None:
            raise ValueError("a reference to something outside the pickle")
        self._stack.append(self._persistent(value))

    def dup(self) -> None:
        """DUP: the top once more."""
        self._need(1)
        self._stack.append(self._stack[-1])

    def pop(self) -> None:
        """POP: drop the top, which may be a mark."""
        self._stack.pop()

    def text_line(self, quoted: bool) -> None:
        """STRING and UNICODE lines of protocol 0."""
        line = self._line()
        if not quoted:
            self._stack.append(line.decode("raw_unicode_escape"))
            return
        if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
            raise ValueError("a string without quotes")
        self._stack.append(line[1:-1].decode("unicode_escape"))

    def memoise(self, index: int | None = None) -> None:
        """PUT and MEMOIZE."""
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def refuse(self) -> None:
        """EXT1 to EXT4, NEXT_BUFFER: what only a program's own registry could answer."""
        raise ValueError("it refers to objects outside the file")


_RARE: dict[int, Callable[[Machine], None]] = {
    0x28: lambda m: m._stack.append(_MARK),
    0x30: Machine.pop,
    0x31: lambda m: m._pop_to_mark().clear(),
    0x32: Machine.dup,
    0x46: lambda m: m._stack.append(float(m._line())),
    0x49: lambda m: m.integer(None),
    0x4C: lambda m: m.integer(None),
    0x8A: lambda m: m.integer("<B"),
    0x8B: lambda m: m.integer("<i"),
    0x50: lambda m: m.persistent(m._line()),
    0x51: lambda m: m.persistent(m._pop()),
    0x52: Machine.reduce,
    0x81: Machine.reduce,
    0x92: Machine.new_with_keywords,
    0x53: lambda m: m.text_line(True),
    0x56: lambda m: m.text_line(False),
    0x61: lambda m: m._extend([m._pop()]),
    0x65: lambda m: m._extend(m._pop_to_mark()),
    0x90: lambda m: m._extend(m._pop_to_mark()),
    0x62: Machine.build,
    0x63: lambda m: m.name(False),
    0x93: lambda m: m.name(True),
    0x64: lambda m: m.dictionary(),
    0x67: lambda m: m._stack.append(m._memo[int(m._line())]),
    0x69: lambda m: m.instance(f"{m._line().decode()}.{m._line().decode()}"),
    0x6F: lambda m: m.instance(None),
    0x6C: lambda m: m._stack.append(m._pop_to_mark()),
    0x91: lambda m: m._stack.append(m._pop_to_mark()),
    0x74: lambda m: m._stack.append(tuple(m._pop_to_mark())),
    0x70: lambda m: m.memoise(int(m._line())),
    0x94: lambda m: m.memoise(),
    0x73: lambda m: m._set_items(m._pop_pair()),
    0x75: lambda m: m._set_items(m._pop_to_mark()),
    **dict.fromkeys((0x82, 0x83, 0x84, 0x97), Machine.refuse),
}


def _short(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"unknown instruction or reference {error}"
    return str(error)[:120] or type(error).__name__
