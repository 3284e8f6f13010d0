import json
import re
import shutil

import pytest

from relicheck.evaluations.journal import JOURNAL, read_journal
from relicheck.evaluations.record import read_record, write_record
from relicheck.reports.cli import run


@pytest.fixture
def folder(scored, tmp_path):
    """A folder of four records with their answers, written one after the other."""
    for method in ("byol", "simclr", "relic", "random"):
        item = scored(method)
        write_record(tmp_path / "r", item.record, item.correct)
    return tmp_path / "r"


def files(folder):
    return sorted(folder.glob("*.json"))


def check(folder, *more):
    return run(["records", "check", str(folder), *more])


def test_a_folder_as_it_was_written_passes_and_shows_its_head(folder, capsys):
    assert check(folder) == 0
    said = capsys.readouterr().out
    assert "4 records, 4 in the journal, 4 with answers per image; all as they were" in said
    assert said.endswith(f"head {read_journal(folder).head}\n")


def test_a_folder_is_listed_and_an_edited_one_is_refused(folder, capsys):
    assert run(["records", "--records", str(folder)]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 6  # heading, line and four records
    assert re.search(r"byol +digits \(test\) +linear_test/1 +top1 +50\.00 %", said)
    assert run(["records", "--records", str(folder), "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == {
        file.stem for file in files(folder)
    }
    files(folder)[0].write_text("{}")
    assert run(["records", "--records", str(folder)]) == 2


def test_an_edited_number_is_named(folder, capsys):
    file = files(folder)[1]
    file.write_text(re.sub(r'"value": [\d.]+', '"value": 99.0', file.read_text()))
    assert check(folder) == 1
    assert re.search(rf"changed +{file.name}: .* it was edited", capsys.readouterr().out)


def test_a_removed_record_is_named(folder, capsys):
    file = files(folder)[2]
    file.unlink()
    assert check(folder) == 1
    said = capsys.readouterr()
    assert re.search(rf"removed +{file.stem}: is gone: the journal names it", said.out)
    assert f"Belong to no record: {file.stem}.npz" in said.err


def test_exchanged_answers_are_named_in_both_places(scored, folder, capsys):
    # Of as many images right, so that the number fits: only the hash tells them apart.
    other = scored("swav", answers="0011")
    write_record(folder, other.record, other.correct)
    one, two = files(folder)[0].with_suffix(".npz"), folder / f"{other.record.id}.npz"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert check(folder) == 1
    said = capsys.readouterr().out
    for file in (one, two):
        assert f"{file.stem}.json: the answers per image beside it were changed" in said


def test_a_line_taken_out_of_the_journal_is_named(folder, capsys):
    path = folder / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert check(folder) == 1
    assert "journal  journal: line 2 (record" in capsys.readouterr().out


def test_a_folder_written_anew_is_found_by_the_head_noted_before(scored, folder, capsys):
    head = read_journal(folder).head
    item = scored("supervised")
    write_record(folder, item.record, item.correct)
    assert check(folder, "--head", head) == 0  # more was added since: the line is there still
    shutil.rmtree(folder)
    item = scored("byol", answers="1111")
    write_record(folder, item.record, item.correct)
    assert check(folder) == 0
    assert check(folder, "--head", head) == 1
    assert f"head     {head[:16]}: no line of the journal" in capsys.readouterr().out


def test_a_record_under_another_name_is_named(folder, capsys):
    file = files(folder)[0]
    file.rename(folder / "0123456789abcdef.json")
    assert check(folder) == 1
    said = capsys.readouterr().out
    assert f"changed  0123456789abcdef.json: is record {file.stem}" in said
    assert f"removed  {file.stem}" in said


def test_a_record_of_an_older_version_is_named_with_its_file(folder, capsys):
    file = files(folder)[0]
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 1}))
    assert check(folder) == 1
    assert f"changed  {file.name}: a record of another version" in capsys.readouterr().out


def test_records_copied_by_hand_are_whole_and_can_be_entered(folder, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    file = files(folder)[0]
    for suffix in (".json", ".npz"):
        shutil.copy(file.with_suffix(suffix), other)
    assert check(other) == 0
    assert f"copied here or written by hand: {file.stem}" in capsys.readouterr().err
    assert run(["records", "add", str(other / file.name), "--records", str(other)]) == 0
    assert check(other) == 0
    assert "Not in the journal" not in capsys.readouterr().err


def test_records_are_added_to_another_folder_with_their_answers(folder, tmp_path):
    other = tmp_path / "other"
    assert run(["records", "add", *map(str, files(folder)), "--records", str(other)]) == 0
    assert check(other) == 0
    assert [read_record(f) for f in files(other)] == [read_record(f) for f in files(folder)]
    assert len(list(other.glob("*.npz"))) == 4


def test_an_edited_record_is_not_added(folder, tmp_path, capsys):
    file = files(folder)[0]
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 7'))
    assert run(["records", "add", str(file), "--records", str(tmp_path / "other")]) == 2
    assert "an unedited record" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_folder_that_is_none_or_empty_is_wrong_use(tmp_path, capsys, content):
    if content:
        (tmp_path / "x").mkdir()
    assert check(tmp_path / "x") == 2
    assert "record" in capsys.readouterr().err


def test_json_for_programs(folder, capsys):
    files(folder)[0].unlink()
    assert check(folder, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [item["kind"] for item in found["findings"]] == ["removed"]
