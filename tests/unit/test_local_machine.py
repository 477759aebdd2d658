"""The machine below the node: its memory, and the control groups by which the node's is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_local.errors import LocalError
from ml_local.node import cgroup, memory


@pytest.mark.parametrize("mib", [2000, 6000])
def test_a_machine_with_too_little_memory_is_refused(mib: int, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: {mib * 1024} kB\nMemFree: 1 kB\n")
    with pytest.raises(LocalError, match=rf"has {mib / 1024:.1f} GiB of memory.*8 GiB"):
        memory.check(tmp_path / "meminfo", [])


def test_a_machine_of_8_gib_will_do_and_a_container_of_half_of_it_will_not(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: {8 * 2**20 - 300_000} kB\n")
    limit = tmp_path / "memory.max"
    limit.write_text("max\n")
    memory.check(tmp_path / "meminfo", [limit, tmp_path / "absent"])
    limit.write_text(f"{4 * 2**30}\n")
    with pytest.raises(LocalError, match=r"has 4\.0 GiB"):
        memory.check(tmp_path / "meminfo", [limit])


def test_the_nodes_memory_is_counted_without_the_page_cache_on_both_hierarchies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    one = "cache 9000\nrss 1\nmapped_file 2\ntotal_cache 9000\ntotal_rss 300\ntotal_mapped_file 40\n"
    two = "anon 500\nfile 9000\nkernel_stack 7\nfile_mapped 60\n"
    for place, text in (("memory/ml-platform", one), ("ml-platform", two)):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "memory.stat").write_text(text)
    assert cgroup.resident_bytes() == 340
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    assert cgroup.resident_bytes() == 560


def test_the_groups_that_the_runtime_made_beside_the_nodes_go_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    (tmp_path / "unified/ml-platform/kubepods/pod1").mkdir(parents=True)
    assert cgroup.exists()
    cgroup.remove()
    assert not cgroup.exists()
    assert (tmp_path / "unified").exists()
