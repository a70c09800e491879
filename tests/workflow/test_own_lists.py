"""A user's own id lists: what their place and their contents rerun."""

DRAWN = "results/micro/data/nih/splits/maco/split.csv"
OWN = "results/micro/data/nih/splits/dmlm/split.csv"


def test_own_lists_rerun_their_split_when_they_change_and_not_when_they_move(fresh, tmp_path_factory):
    """The lists are of one protocol of one data set; nothing else notices, also where they are not there."""
    folder = tmp_path_factory.mktemp("own") / "lists"
    own = fresh.folder / "own.yaml"

    def arguments(target, folder):
        own.write_text(f"splits: {{nih: {{dmlm: {{lists: {folder}}}}}}}")
        return (target, "--configfile", "micro.yaml", "own.yaml")

    fresh.snakemake(DRAWN, "--configfile", "micro.yaml")
    assert fresh.job_counts(DRAWN, *arguments(OWN, folder)) == {"split_dataset": 1, "total": 1}
    failed = fresh.snakemake(*arguments(OWN, folder), check=False)
    assert failed.returncode != 0
    assert f"{folder}: no such folder of lists" in failed.stdout + failed.stderr

    folder.mkdir()
    split = (fresh.folder / DRAWN).read_text().splitlines()[1:]
    for part in ("train", "validation", "test"):
        ids = [line.split(",")[0] for line in split if f",{part}," in line]
        (folder / f"{part}.txt").write_text("\n".join(ids) + "\n")
    fresh.snakemake(*arguments(OWN, folder))
    assert '"train.txt"' in (fresh.folder / OWN).with_name("summary.json").read_text()
    moved = folder.rename(folder.with_name("moved"))
    assert fresh.job_counts(*arguments(OWN, moved)) == {}
    (moved / "test.txt").write_text("\n".join(ids[1:]) + "\n")
    assert fresh.job_counts(*arguments(OWN, moved)) == {"split_dataset": 1, "total": 1}
