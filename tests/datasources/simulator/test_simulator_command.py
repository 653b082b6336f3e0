from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from datasources.simulator.__main__ import main

if TYPE_CHECKING:
    import pytest

SAMPLES = Path(__file__).parents[1] / "samples"


def files(directory: Path) -> dict[str, bytes]:
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*.json")}


def test_recording_the_small_campus_writes_the_committed_samples(tmp_path: Path) -> None:
    assert main(["record", str(tmp_path), "--campus", "tests.campus:small_campus"]) == 0
    assert files(tmp_path)
    assert files(tmp_path).items() <= files(SAMPLES).items()


def test_a_campus_can_be_generated_of_any_size(tmp_path: Path) -> None:
    assert main(["record", str(tmp_path), "--learners", "60", "--seed", "3"]) == 0
    assert files(tmp_path)
    assert set(files(tmp_path)) <= set(files(SAMPLES))


def test_data_that_is_not_there_is_said_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", str(tmp_path), "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no directory" in capsys.readouterr().err
