"""Reports for the tiny benchmark: two films a study, and what each report says."""

import pandas as pd

NUM_TEST_STUDIES = 15


def write_reports(paths, texts_of=None):
    """Give the films of the tiny benchmark studies and views, in place, and write ``reports.parquet`` beside the index.

    Of each two films in a row the first is lateral. ``texts_of(study)`` is the findings of a study, None for no report.
    """
    index = pd.read_parquet(paths.index)
    number = index["image_id"].str.split("-").str[1].astype(int)
    index["study_id"] = index["image_id"].str.split("-").str[0] + "-s" + (number // 2).map("{:02d}".format)
    index["view"] = number.mod(2).map({0: "LATERAL", 1: "PA"})
    index.to_parquet(paths.index, index=False)
    said = texts_of or (lambda study: f"no edema {study[-2:]}")
    texts = {study: text for study in index["study_id"].unique() if (text := said(study)) is not None}
    columns = {
        "findings": list(texts.values()),
        "impression": None,
        "sentences": [[text, "cardiomegaly"] if text else [] for text in texts.values()],
        "manuscript": list(texts.values()),
        **dict.fromkeys(("answers", "mesh", "entities", "observations"), "[]"),
        "verdicts": "{}",
    }
    path = paths.index.with_name("reports.parquet")
    pd.DataFrame({"study_id": list(texts)} | columns).to_parquet(path, index=False)
    return path
