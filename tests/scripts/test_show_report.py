import subprocess
import sys

from .programs import TOP, run_program

REPORT = "FINDINGS: Small left pleural effusion. No pneumothorax."


def test_a_file_or_the_standard_input_is_shown(tmp_path):
    (tmp_path / "report.txt").write_text(REPORT)
    result = run_program("show_report", "--report", str(tmp_path / "report.txt"), "--style", "manuscript")
    assert result.returncode == 0, result.stderr
    assert "Small left pleural effusion[+]. No pneumothorax[−]." in result.stdout
    assert "Is there pneumothorax? No." in " ".join(result.stdout.split())
    assert "\x1b" not in result.stdout
    # Its text goes where it was asked to go, and nowhere else.
    assert result.stderr == ""
    page = tmp_path / "shown.html"
    piped = subprocess.run(
        [sys.executable, "scripts/show_report.py", "--report", "-", "--html", page],
        cwd=TOP, input=REPORT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, "", "")
    assert "pneumothorax</mark><sup>−</sup>" in page.read_text(encoding="utf-8")


def test_bad_input_is_one_line(tmp_path):
    for flags, message in (
        (["--report", "none.txt"], "none.txt: No such file"),
        (["--dataset", "config/datasets/nih.yaml", "--study", "1"], "nih has no reports"),
    ):
        result = run_program("show_report", *flags)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
    assert "give either --report, or --dataset" in run_program("show_report").stderr
