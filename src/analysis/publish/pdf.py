"""The HTML page as a PDF for print and archive: PDF/UA, page numbers, running headers, nothing loaded from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import PublishError

if TYPE_CHECKING:
    import pydyf


def write_pdf(html: str) -> bytes:
    """Return ``html`` as PDF/UA-1: the same bytes for the same page.

    Raises PublishError where the page asks for anything outside itself, or the system lacks Pango.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except OSError as error:
        raise PublishError("PDF", f"the system lacks a library ({error})", "Install Pango") from error
    # Left to itself WeasyPrint reads files and the network.
    data_only = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    try:
        page = HTML(string=html, base_url="about:blank", url_fetcher=data_only)
        return bytes(page.write_pdf(pdf_variant="pdf/ua-1", finisher=_label_pages))
    except FatalURLFetchingError as error:
        raise PublishError(
            "PDF", f"the page asks for something outside itself ({error})", "Embed it as data"
        ) from error


def _label_pages(_document: object, pdf: pydyf.PDF) -> None:
    """Give the viewer the page numbers that are printed: plain, the cover being the first."""
    import pydyf

    pdf.catalog["PageLabels"] = pydyf.Dictionary({"Nums": pydyf.Array([0, pydyf.Dictionary({"S": "/D"})])})
