"""What people build from parts for reports: spaCy with a list of findings, and negspacy for negation."""

from __future__ import annotations

from typing import Any

import spacy
from negspacy.negation import Negex  # noqa: F401  (registers "negex")

from maskray.reports.vocabulary import FINDINGS


def peer_pipeline() -> Any:
    """spaCy's tokenizer and sentencizer, the names and synonyms of ours as entities, negspacy's clinical English."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler: Any = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    findings = (finding for finding in FINDINGS.values() if finding.name != "No Finding")
    ruler.add_patterns(
        [{"label": "FINDING", "pattern": word, "id": each.name} for each in findings for word in each.synonyms]
    )
    nlp.add_pipe("negex", config={"ent_types": ["FINDING"]})
    return nlp
