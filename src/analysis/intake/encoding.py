"""Encodings: which one a text file is in, and its way to UTF-8. Broken bytes are never turned into other letters."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from analysis.errors import ParamsError, SourceError

BLOCK = 1 << 20
_ENOUGH = 1 << 16
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
}
_SINGLE_BYTE = ("cp1252", "cp850", "mac_roman")
_COMMON = frozenset("äöüßÄÖÜéèêëàâçîïôûùœÉÈÊÀÂÇÔñóáí")
_SIGNS = frozenset("€£–—…°§²³«»„“”‚‘’´¿¡©®™")
_WORDS = "àÀôÔéÉ"
_FOREIGN = re.compile("(.?)([^\x00-\x7f])(?=(.?))", re.DOTALL)
_TWICE = re.compile(rb"\xc3\x83[\xc2-\xe2]|\xc3\xa2\xe2\x82\xac")
_LOST = b"\xef\xbf\xbd"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_BROKEN = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True)
class TextFile:
    """A text file as UTF-8: the file itself, or a copy of it."""

    path: Path
    encoding: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scan:
    is_utf8: bool
    twice: int
    lost: int


def blocks(file: Path) -> Iterator[bytes]:
    """Yield the content of ``file`` in blocks."""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def as_utf8(file: Path, declared: str | None, folder: Path, source: str) -> TextFile:
    """Return ``file`` as UTF-8, transcoded into ``folder`` where it is in another encoding.

    A file that is mostly UTF-8 stays UTF-8: its broken rows are quarantined, not read as other letters.
    Raises SourceError for an empty or a binary file, ParamsError for an encoding that does not exist.
    """
    head = next(blocks(file), b"")[:4096]
    _refuse_foreign(head, source)
    encoding = _declared(declared, source) or _by_first_bytes(head)
    if encoding and encoding.startswith("utf-16"):
        return TextFile(_transcoded(file, encoding, folder, source), encoding, (f"read as {encoding}",))
    if encoding and encoding != "utf-8":
        return TextFile(_transcoded(file, encoding, folder, source), encoding)
    scan = _scan(file, source)
    if scan.is_utf8:
        return TextFile(file, "utf-8", _doubts(scan))
    broken, whole = _broken_and_whole(file)
    if encoding == "utf-8" or whole >= broken:
        note = f"read as utf-8, though {broken} bytes are not; the rows that hold them are quarantined"
        return TextFile(file, "utf-8", (note, *_doubts(scan)))
    encoding = _single_byte(file)
    mixed = (f"{whole} letters in it look like utf-8 and may be misread",) if whole else ()
    return TextFile(_transcoded(file, encoding, folder, source), encoding, (f"read as {encoding}", *mixed))


def _refuse_foreign(head: bytes, source: str) -> None:
    if not head.strip():
        raise SourceError(source, "the file is empty", "Export it again")
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise SourceError(source, f"the file is {kind}, not text", "Name it by its true ending, or export CSV")
    if head.startswith(_UTF_32):
        raise SourceError(source, "the file is UTF-32", "Save it as UTF-8")
    if _by_first_bytes(head) is None and _CONTROL.search(head):
        raise SourceError(source, "the file is binary, not text", "Export it as CSV")


def _declared(encoding: str | None, source: str) -> str | None:
    if encoding is None:
        return None
    try:
        known = codecs.lookup(encoding).name
    except LookupError:
        raise ParamsError(source, "encoding", f"{encoding!r} is no encoding", "Write utf-8, utf-16 or cp1252") from None
    return "utf-8" if known == "utf-8-sig" else known


def _by_first_bytes(head: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    half = len(head) / 2
    if head[1::2].count(0) > half * 0.4 and not head[::2].count(0):
        return "utf-16-le"
    if head[::2].count(0) > half * 0.4 and not head[1::2].count(0):
        return "utf-16-be"
    return None


def _scan(file: Path, source: str) -> _Scan:
    decoder = codecs.getincrementaldecoder("utf-8")()
    twice, lost, pending = 0, 0, False
    for block in blocks(file):
        if b"\0" in block:
            raise SourceError(source, "the file is binary, not text", "Export it as CSV")
        if block.isascii() and not pending:
            continue
        twice += len(_TWICE.findall(block))
        lost += block.count(_LOST)
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return _Scan(False, twice, lost)
        pending = bool(decoder.getstate()[0])
    return _Scan(not pending, twice, lost)


def _doubts(scan: _Scan) -> tuple[str, ...]:
    twice = f"{scan.twice} places hold letters encoded twice (such as Ã¼ for ü); they are kept as they stand"
    lost = f"{scan.lost} letters were lost before this file was written and stand as \ufffd"
    return ((twice,) if scan.twice else ()) + ((lost,) if scan.lost else ())


def _broken_and_whole(file: Path) -> tuple[int, int]:
    """Count the bytes that are not UTF-8, and the letters beyond ASCII that are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    broken = beyond = 0
    for block in chain(blocks(file), (b"",)):
        text = decoder.decode(block, final=not block)
        broken += len(_BROKEN.findall(text))
        beyond += len(_BEYOND_ASCII.findall(text))
    return broken, beyond - broken


def _single_byte(file: Path) -> str:
    """Return the single-byte encoding in which the letters beyond ASCII make the most sense; cp1252 before others."""
    sample = bytearray()
    with file.open("rb") as lines:
        for line in lines:
            if not line.isascii():
                sample += line
            if len(sample) > _ENOUGH:
                break
    return max(_SINGLE_BYTE, key=lambda encoding: _sense(sample.decode(encoding, "replace")))


def _sense(text: str) -> float:
    """Return how far ``text`` reads like German, French or English: its letters, and where its signs stand."""
    return sum(_fitness(letter, before, after) for before, letter, after in _FOREIGN.findall(text))


def _fitness(letter: str, before: str, after: str) -> float:
    if letter.isalpha():
        alone = not before.isalpha() and not after.isalpha() and letter not in _WORDS
        if alone or (letter.isupper() and before.islower()):
            return -1
        return 1 if letter in _COMMON else 0.2
    in_a_word = before.isalpha() and after.isalpha() and letter != "’"
    return 1 if letter in _SIGNS and not in_a_word else -1


def _transcoded(file: Path, encoding: str, folder: Path, source: str) -> Path:
    """Copy ``file`` as UTF-8. A byte the encoding lacks stays as it is, so that its row is quarantined."""
    strict = encoding.startswith("utf-16")
    decoder = codecs.getincrementaldecoder(encoding)("strict" if strict else "surrogateescape")
    copy = folder / f"{file.name}.utf8"
    with copy.open("wb") as out:
        for block in chain(blocks(file), (b"",)):
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as fault:
                raise SourceError(
                    source, f"the file is not valid {encoding}: {fault.reason}", "Export it again"
                ) from None
            out.write(text.encode("utf-8", "surrogateescape"))
    return copy


def with_plain_line_ends(file: Path, folder: Path) -> Path:
    """Copy ``file`` with every line ended by a line feed alone."""
    copy = folder / f"{file.name}.lines"
    held = b""
    with copy.open("wb") as out:
        for block in blocks(file):
            block = held + block
            held = b"\r" if block.endswith(b"\r") else b""
            block = block.removesuffix(b"\r")
            out.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        out.write(b"\n" if held else b"")
    return copy


def line_end(file: Path, number: int) -> str:
    """Return how line ``number`` of a file ends: by CR LF or by a line feed alone."""
    with file.open("rb") as lines:
        line = next(islice(lines, number - 1, None), b"")
    return "\r\n" if line.endswith(b"\r\n") else "\n"


def has_old_line_ends(file: Path) -> bool:
    """Return whether lines end with a carriage return alone."""
    head = next(blocks(file))
    return b"\r" in head and b"\n" not in head
