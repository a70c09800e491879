"""A spaCy pipeline trained for a moment to find entities. Run by its path under any Python that has spaCy."""

import sys

import spacy
from spacy.training import Example

SENTENCES = (
    ("Small pleural effusion is seen.", [(6, 22)]),
    ("No pneumothorax.", [(3, 15)]),
    ("The lungs are clear.", [(4, 9)]),
)


def write_model(folder):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("ENTITY")
    examples = [
        Example.from_dict(nlp.make_doc(text), {"entities": [(start, end, "ENTITY") for start, end in spans]})
        for text, spans in SENTENCES
    ]
    spacy.util.fix_random_seed(0)
    optimiser = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimiser)
    nlp.meta |= {"name": "tiny", "version": "1.2.3"}
    nlp.to_disk(folder)


if __name__ == "__main__":
    write_model(sys.argv[1])
