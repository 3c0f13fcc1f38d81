"""Everything that members and staff are told, by key and language; English and Chinese say the same things."""

from benne.explain.texts.catalogue import LANGUAGES, Language, Texts, texts_of

__all__ = ["LANGUAGES", "Language", "Texts", "texts_of"]
