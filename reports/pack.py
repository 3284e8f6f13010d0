"""One zip file of small files, in the one form that its contents have.

Members are stored as they are, sorted by name, without times, so that equal contents give
equal bytes. Reading admits no other form: every byte of the file then belongs to a member,
or follows from the members, and a change of any is found and named. Nothing is compressed,
so nothing can swell; nothing is written to disk, so nothing can leave a folder.

The format is PKWARE's APPNOTE 6.3.10, Sec. 4.3 (local headers 4.3.7, central directory
4.3.12, its end 4.3.16); any unzip program opens the file.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from ..checkpoints.errors import BadData, MissingData

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20  # 2.0: folders in names
_DAY = 0x0021  # 1980-01-01, the first one that the format has
_MOST_BYTES = 1 << 30
_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
_WANTED = "a bundle as `relicheck bundle` writes it"


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip file of members by name; equal members, equal bytes."""
    assert all(_NAME.fullmatch(name) for name in members), sorted(members)
    total = sum(map(len, members.values()))
    if total > _MOST_BYTES:
        raise BadData("bundle", f"{total:,} bytes", f"at most {_MOST_BYTES:,}")
    body, directory = [], []
    offset = 0
    for name, content in sorted(members.items()):
        head = _local(name, content)
        directory.append(_entry(name, content, offset))
        body += [head, content]
        offset += len(head) + len(content)
    listed = b"".join(directory)
    count = len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(listed), offset, 0)
    return b"".join([*body, listed, end])


def unpack(path: Path) -> dict[str, bytes]:
    """Return the members by name of a file that `pack` made.

    Raises:
        MissingData: there is no such file.
        BadData: anything else than `pack` makes: cut off, changed, compressed, with a
            member that leads elsewhere; the message names the place.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES + (_MOST_BYTES >> 4):
            raise BadData(path, f"{size:,} bytes", f"at most {_MOST_BYTES:,}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingData(path, "there is no such file", _WANTED) from error
    except OSError as error:
        raise BadData(path, f"cannot be read ({error.strerror})", _WANTED) from error
    if content[:4] != b"PK\3\4":
        raise BadData(path, "not a zip file", _WANTED)
    members, offset = _members(path, content)
    _check_rest(path, content, offset, pack(members))
    return members


def _local(name: str, content: bytes) -> bytes:
    crc, size = zlib.crc32(content), len(content)
    label = name.encode()
    return _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DAY, crc, size, size, len(label), 0) + label


def _entry(name: str, content: bytes, offset: int) -> bytes:
    crc, size = zlib.crc32(content), len(content)
    label = name.encode()
    head = _CENTRAL.pack(
        b"PK\1\2", _VERSION, _VERSION, 0, 0, 0, _DAY, crc, size, size,
        len(label), 0, 0, 0, 0, 0, offset,
    )  # fmt: skip
    return head + label


def _members(path: Path, content: bytes) -> tuple[dict[str, bytes], int]:
    """Return the members, and where the directory after the last of them begins."""
    members: dict[str, bytes] = {}
    offset, last = 0, "its beginning"
    while content[offset : offset + 4] == b"PK\3\4":
        name, held, offset = _member(path, content, offset, last)
        if name in members:
            raise BadData(path, f"holds {name} twice", _WANTED)
        members[name] = held
        last = name
    if content[offset : offset + 4] not in (b"PK\1\2", b""):
        raise BadData(path, f"was changed at byte {offset:,}, after {last}", _WANTED)
    return members, offset


def _member(path: Path, content: bytes, offset: int, last: str) -> tuple[str, bytes, int]:
    start = offset + _LOCAL.size
    if start > len(content):
        raise _cut(path, last)
    *_, method, _, _, crc, packed, size, label, extra = _LOCAL.unpack_from(content, offset)
    begin = start + label
    name = content[start:begin].decode("utf-8", "replace")
    if not _NAME.fullmatch(name):
        raise BadData(
            path, f"a member's name {name[:80]!r} leads elsewhere, or was changed", _WANTED
        )
    if method or extra or packed != size:
        raise BadData(
            path,
            f"{name} is compressed, or its header was changed",
            _WANTED,
            "Members are stored as they are; what was packed by another program, pack again.",
        )
    held = content[begin : begin + size]
    if len(held) < size:
        raise _cut(path, name)
    if zlib.crc32(held) != crc:
        raise BadData(path, f"{name} was changed: its checksum is another", _WANTED)
    return name, held, begin + size


def _cut(path: Path, last: str) -> BadData:
    return BadData(path, f"is cut off in or after {last}", "a whole file", "Fetch it again.")


def _check_rest(path: Path, content: bytes, directory: int, wanted: bytes) -> None:
    """Return if the file is what `pack` makes of its members, to the byte."""
    if content == wanted:
        return
    place = next(
        (k for k, (a, b) in enumerate(zip(content, wanted, strict=False)) if a != b),
        min(len(content), len(wanted)),
    )
    if place < directory:
        raise BadData(path, f"was changed at byte {place:,}: the header of a member", _WANTED)
    if place == len(content):
        raise _cut(path, "its members")
    raise BadData(path, f"was changed at byte {place:,}: the directory at its end", _WANTED)
