"""Protocol Buffers messages in memory: the fields of one, by number.

protocolbuffers/protobuf: docs/encoding. For messages of some megabytes; ONNX's, which hold
the weights, are walked in their file (`containers/onnx_file.py`).
"""

Field = int | bytes
_MOST_FIELDS = 2_000_000


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return (value, place after it) of a base-128 number. Raises: ValueError when it is cut."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number is cut or has more than ten bytes")


def fields(message: bytes) -> dict[int, list[Field]]:
    """Return field number -> its values in order: numbers, or bytes of whatever kind.

    Raises:
        ValueError: the message is cut, damaged, or has more fields than any of ours.
    """
    found: dict[int, list[Field]] = {}
    place = count = 0
    while place < len(message):
        tag, place = varint(message, place)
        kind = tag & 7
        value: Field
        if kind == 0:
            value, place = varint(message, place)
        else:
            length, place = _length(message, place, kind)
            value, place = message[place : place + length], place + length
        found.setdefault(tag >> 3, []).append(value)
        count += 1
        if count > _MOST_FIELDS:
            raise ValueError(f"a message has more than {_MOST_FIELDS} fields")
    return found


def _length(message: bytes, place: int, kind: int) -> tuple[int, int]:
    if kind == 2:
        length, place = varint(message, place)
    elif kind in (1, 5):
        length = 8 if kind == 1 else 4
    else:
        raise ValueError(f"a field of kind {kind}")
    if place + length > len(message):
        raise ValueError("a field ends after its message")
    return length, place


def number(found: dict[int, list[Field]], field: int) -> int:
    """Return the last value of a number's field, 0 where it is left out.

    Raises:
        ValueError: it is not a number.
    """
    value = found.get(field, [0])[-1]
    if not isinstance(value, int):
        raise ValueError(f"field {field} is no number")
    return value


def messages(found: dict[int, list[Field]], field: int) -> list[bytes]:
    """Return the values of a field of messages or texts, undecoded.

    Raises:
        ValueError: one is a number.
    """
    values = found.get(field, [])
    if not all(isinstance(value, bytes) for value in values):
        raise ValueError(f"field {field} is a number")
    return [value for value in values if isinstance(value, bytes)]


def text(found: dict[int, list[Field]], field: int) -> str:
    """Return the last value of a text's field, "" where it is left out.

    Raises:
        ValueError: it is not a text.
    """
    return (messages(found, field) or [b""])[-1].decode("utf-8")
