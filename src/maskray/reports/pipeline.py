"""The spaCy pipeline of the report rules: terms, clauses, negation; and matchers for anatomy and cues."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import spacy
from negspacy.negation import Negex  # noqa: F401  (registers "negex")
from negspacy.termsets import termset
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans

from maskray.reports.clauses import clause_starts
from maskray.reports.cues import Cue
from maskray.reports.lexicon import anatomy, cues, structures
from maskray.reports.vocabulary import FINDINGS


@dataclass(frozen=True)
class Pipeline:
    """``terms`` finds FINDING, STATE and STRUCTURE entities (the id says which), ``negations`` sets ``._.negex``."""

    nlp: Language
    terms: Callable[[Doc], Doc]
    negations: Callable[[Doc], Doc]
    anatomy_matcher: PhraseMatcher
    cue_matcher: PhraseMatcher

    def read(self, sentence: str) -> Doc | None:
        """The sentence with entities and clauses (``doc.sents``); None where it names nothing."""
        doc = self.terms(self.nlp.make_doc(sentence))
        if not any(entity.label_ != "STRUCTURE" for entity in doc.ents):
            return None
        # negspacy looks as far as a sentence; here that is a clause.
        tokens = list(doc)
        kinds = [token.ent_type_ for token in tokens]
        for token, begins in zip(tokens, clause_starts([token.lower_ for token in tokens], kinds), strict=True):
            token.is_sent_start = begins
        return self.negations(doc)

    def anatomy(self, doc: Doc) -> list[tuple[int, int]]:
        """Token spans of anatomy, longest first choice, without overlap."""
        spans = filter_spans([doc[start:end] for _, start, end in self.anatomy_matcher(doc)])
        return [(span.start, span.end) for span in spans]

    def cues(self, doc: Doc) -> list[Cue]:
        """All cues of uncertainty and of what is to be ignored."""
        strings = doc.vocab.strings
        found = [Cue(strings[key], start, end) for key, start, end in self.cue_matcher(doc)]
        doubts = [cue for cue in found if cue.kind.startswith("uncertainty")]
        # "cannot rule out" is a doubt; the "rule out" inside it is no question.
        return doubts + [
            cue
            for cue in found
            if cue.kind.startswith("ignored") and not any(d.start < cue.start and cue.end <= d.end for d in doubts)
        ]


def build_pipeline() -> Pipeline:
    """The pipeline with the word lists of this package; takes about a second."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(list(_terms()))
    negations: Any = nlp.add_pipe("negex", config={"neg_termset": _negations(), "ent_types": ["FINDING", "STATE"]})
    places = anatomy()
    anatomy_matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    anatomy_matcher.add("anatomy", [nlp.make_doc(word) for word in (*places.sides, *places.parts, *places.whole)])
    cue_matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for group in ("uncertainty", "ignored"):
        for direction, words in cues()[group].items():
            cue_matcher.add(f"{group}_{direction}", [nlp.make_doc(word) for word in words])
    return Pipeline(nlp, ruler, negations, anatomy_matcher, cue_matcher)


def _terms() -> Iterable[dict[str, str]]:
    words, _, states = structures()
    taken: set[str] = set()
    for finding in (finding for finding in FINDINGS.values() if finding.name != "No Finding"):
        for word in finding.synonyms:
            taken.add(word)
            yield {"label": "FINDING", "pattern": word, "id": finding.name}
    for label, table in (("STATE", states), ("STRUCTURE", words)):
        for word, name in table.items():
            if word not in taken:
                taken.add(word)
                yield {"label": label, "pattern": word, "id": name}


def _negations() -> dict[str, list[str]]:
    """negspacy's clinical English terms with our changes."""
    changes = cues()["negation"]
    keys = {
        "preceding_negations": "before",
        "following_negations": "after",
        "pseudo_negations": "pseudo",
    }
    terms = termset("en_clinical").get_patterns()
    removed = set(changes["removed"])
    return {
        key: sorted({term for term in known if term not in removed} | set(changes.get(keys.get(key, ""), ())))
        for key, known in terms.items()
    }
