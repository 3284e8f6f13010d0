"""Whether a folder of records is as it was written: every number, file and line of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.errors import BadRecord, MissingData
from ..evaluations.journal import FIRST, Journal, read_journal
from ..evaluations.record import Record, read_record
from .records import check_kept


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it was written."""

    kind: str  # "changed", "removed", "journal" or "head"
    name: str  # the file, or the id of a record
    said: str  # one sentence or more for people


@dataclass(frozen=True, kw_only=True)
class FolderCheck:
    """What was found in one folder of records."""

    folder: Path
    records: int  # files that look like one
    entered: int  # of the whole ones, how many the journal knows
    recomputed: int  # of the whole ones, how many have answers beside them that give the number
    head: str  # of the journal: note it elsewhere, and nobody can rewrite the folder unseen
    findings: tuple[Finding, ...] = ()
    not_entered: tuple[str, ...] = ()  # whole records that the journal does not know
    strays: tuple[str, ...] = ()  # files of answers that belong to no record


def check_folder(folder: Path, head: str | None = None) -> FolderCheck:
    """Return what is not as it was written in a folder of records.

    A record is held against the hash of its own content, the journal, the answers per image
    beside it and the number that they give; the journal against its own chain.

    Args:
        folder: of records.
        head: of the journal as it once was; its line has to be there still.

    Raises:
        MissingData: there is no such folder, or neither record nor journal in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingData(folder, "there is no such folder", "a folder of records")
    files, journal = sorted(folder.glob("*.json")), read_journal(folder)
    if not files and not journal.entries and not journal.breaks:
        raise MissingData(folder, "holds no record", "one <id>.json per measurement")
    whole, findings = [], []
    for file in files:
        try:
            whole.append(_whole(file))
        except BadRecord as error:
            findings.append(Finding(kind="changed", name=file.name, said=_said(error)))
    names = {file.stem for file in files}
    findings += _removed(folder, journal, names)
    findings += [Finding(kind="journal", name="journal", said=said) for said in journal.breaks]
    findings += _head(journal, head)
    entered = journal.contents
    return FolderCheck(
        folder=folder,
        records=len(files),
        entered=sum(record.id in entered for record in whole),
        recomputed=sum(_has_answers(record) for record in whole),
        head=journal.head,
        findings=tuple(findings),
        not_entered=tuple(record.id for record in whole if record.id not in entered),
        strays=tuple(
            f.name for f in sorted(folder.glob("*.npz")) if f.name.partition(".")[0] not in names
        ),
    )


def _whole(file: Path) -> Record:
    record = read_record(file)
    if record.id != file.stem:
        raise BadRecord(file, f"is record {record.id}", "a record under its own id")
    check_kept(file.parent, record)
    return record


def _has_answers(record: Record) -> bool:
    return record.correct_sha256 is not None or bool(record.arrays_sha256)


def _said(error: BadRecord) -> str:
    # The file is named before it.
    return f"{error.found}".rstrip(".")


def _removed(folder: Path, journal: Journal, names: set[str]) -> Iterator[Finding]:
    gone = {name: "the journal" for name in journal.contents if name not in names}
    for file in sorted(folder.glob("*.run")):
        for name in file.read_text(encoding="utf-8", errors="replace").split():
            if name not in names:
                gone.setdefault(name, file.name)
    for name, by in gone.items():
        yield Finding(kind="removed", name=name, said=f"is gone: {by} names it")


def _head(journal: Journal, head: str | None) -> Iterator[Finding]:
    known = {FIRST, *(entry.line_sha256 for entry in journal.entries)}
    if head is not None and head not in known:
        yield Finding(
            kind="head",
            name=head[:16],
            said="no line of the journal has this hash: it was written anew, or cut",
        )
