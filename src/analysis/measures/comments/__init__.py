"""What customers write: the words that tell promoters from detractors, the themes, and quotes that name nobody."""

from analysis.measures.comments.corpus import Corpus, read
from analysis.measures.comments.masking import mask
from analysis.measures.comments.theming import themes
from analysis.measures.comments.words import distinctive_words

__all__ = ["Corpus", "distinctive_words", "mask", "read", "themes"]
