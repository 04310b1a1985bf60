"""The HTML page as a PDF for print and archive: PDF/UA, page numbers, running headers, nothing loaded from outside."""

from __future__ import annotations

import pydyf
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from analysis.errors import PublishError


class _DataOnly(URLFetcher):  # type: ignore[misc]
    """Admits what stands in the page itself; anything else stops the rendering."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), fail_on_errors=True)


def write_pdf(html: str) -> bytes:
    """Return ``html`` as PDF/UA-1: the same bytes for the same page.

    Raises PublishError where the page asks for anything outside itself.
    """
    try:
        page = HTML(string=html, base_url="about:blank", url_fetcher=_DataOnly())
        return bytes(page.write_pdf(pdf_variant="pdf/ua-1", finisher=_label_pages))
    except FatalURLFetchingError as error:
        raise PublishError(
            "PDF", f"the page asks for something outside itself ({error})", "Embed it as data"
        ) from error


def _label_pages(_document: object, pdf: pydyf.PDF) -> None:
    """Give the viewer the page numbers that are printed: plain, the cover being the first."""
    pdf.catalog["PageLabels"] = pydyf.Dictionary({"Nums": pydyf.Array([0, pydyf.Dictionary({"S": "/D"})])})
