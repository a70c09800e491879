"""Reports: sections, sentences, triplets, manuscripts and their word pieces."""
