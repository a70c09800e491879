"""A mask is three choices: where to look (score), how many (select), where hiding happens (apply). True = hidden."""
