"""Runs under the Python of scispaCy's environment, by its path: texts in, entity spans out. Imports nothing of ours.

Lines of JSON: first, out, what was loaded or an error; then, in, a list of texts, and out, for each the spans of its
entities, until the input ends. Text stays in the pipes.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any


def main() -> None:
    """Load the model named on the command line and answer until the input ends."""
    # Libraries may print: the answers go to the real output alone.
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    try:
        nlp, about = _load(sys.argv[1])
    except (ImportError, OSError, ValueError) as error:
        # ValueError: a pipeline of another spaCy, or one without entities.
        _say(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _say(answers, about)
    for line in sys.stdin:
        try:
            docs = list(nlp.pipe(json.loads(line)))
        except Exception as error:
            # Its message may quote a report.
            _say(answers, {"error": type(error).__name__})
            return
        _say(answers, [[[entity.start_char, entity.end_char] for entity in doc.ents] for doc in docs])


def _load(model: str) -> tuple[Any, dict[str, str]]:
    import spacy

    nlp = spacy.load(model)
    if "ner" not in nlp.pipe_names and "entity_ruler" not in nlp.pipe_names:
        raise ValueError("this spaCy pipeline finds no entities (it has no 'ner')")
    # Entities need no parse, tags or lemmas; what the tagger of vectors feeds them stays.
    needed = {"tok2vec", "transformer", "ner", "entity_ruler"}
    nlp.select_pipes(enable=[name for name in nlp.pipe_names if name in needed])
    return nlp, {"model": nlp.meta["name"], "version": nlp.meta["version"], "spacy": spacy.__version__}


def _say(answers: Any, value: Any) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
