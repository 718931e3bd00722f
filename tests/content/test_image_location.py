"""Positions in pictures and films: found by structure in every format, and nothing where there is none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.content.image_location import location_in
from tests.make_fixtures.secrets import jpeg, png, tiff

XMP = b"<x:xmpmeta><rdf:Description exif:GPSLatitude='52,30.1N' exif:GPSLongitude=\"13,22.2E\"/></x:xmpmeta>"
NO_XMP = b"<x:xmpmeta><rdf:Description exif:GPSVersionID='2.3'/></x:xmpmeta>"


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def box(kind: bytes, *inner: bytes) -> bytes:
    body = b"".join(inner)
    return struct.pack(">I", len(body) + 8) + kind + body


def jpeg_xmp(xmp: bytes) -> bytes:
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    return b"\xff\xd8\xff\xe0\0\4ab\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xd9"


def film(place: bytes) -> bytes:
    xyz = struct.pack(">HH", len(place), 0x15C7) + place
    return (
        box(b"ftyp", b"isom\0\0\0\0")
        + box(b"mdat", b"\0" * 64)
        + box(b"moov", box(b"mvhd", b"\0" * 20), box(b"udta", box(b"\xa9xyz", xyz)))
    )


def apple(place: bytes) -> bytes:
    keys = box(b"keys", b"\0\0\0\0\0\0\0\1", box(b"mdta", b"com.apple.quicktime.location.ISO6709"))
    data = box(b"data", b"\0\0\0\1\0\0\0\0" + place)
    return box(b"ftyp", b"qt  \0\0\0\0") + box(b"moov", box(b"meta", keys, box(b"ilst", box(b"\0\0\0\1", data))))


def heic(*, gps: bool) -> bytes:
    return box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", b"\0\0\0\0") + box(b"mdat", b"\0\0\0\6Exif\0\0" + tiff(gps=gps))


PLACED = {
    "jpeg": jpeg(tiff(gps=True)),
    "jpeg big endian": jpeg(tiff(gps=True, order=">")),
    "jpeg xmp": jpeg_xmp(XMP),
    "png": png((b"eXIf", tiff(gps=True))),
    "png xmp": png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    "webp": webp((b"VP8 ", b"\0" * 7), (b"EXIF", tiff(gps=True))),
    "webp with a header": webp((b"EXIF", b"Exif\0\0" + tiff(gps=True))),
    "webp xmp": webp((b"XMP ", XMP)),
    "heic": heic(gps=True),
    "mp4": film(b"+52.5017+013.3700/"),
    "mov": apple(b"+52.5017+013.3700+030.1/"),
    "tiff": tiff(gps=True),
}
PLAIN = {
    "jpeg": jpeg(tiff(gps=False)),
    "jpeg xmp": jpeg_xmp(NO_XMP),
    "png": png((b"eXIf", tiff(gps=False)), (b"tEXt", b"Comment\0at 52.5N 13.4E")),
    "webp": webp((b"EXIF", tiff(gps=False))),
    "heic": heic(gps=False),
    "mp4": film(b""),
    "mov": apple(b"Berlin"),
    "nothing": b"",
    "text": b"GPSLatitude=52.5",
}


@pytest.mark.parametrize("name", PLACED)
def test_a_place_is_found(name: str) -> None:
    assert location_in(PLACED[name]) is not None
    assert location_in(memoryview(PLACED[name])) is not None


@pytest.mark.parametrize("name", PLAIN)
def test_none_is_found_where_there_is_none(name: str) -> None:
    assert location_in(PLAIN[name]) is None


@given(st.sampled_from(sorted(PLACED)), st.integers(0, 1000), st.binary(max_size=8))
def test_a_broken_picture_is_survived(name: str, at: int, noise: bytes) -> None:
    whole = PLACED[name]
    at %= len(whole)
    location_in(whole[:at] + noise + whole[at + len(noise) :])
    location_in(whole[:at])


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheic", b"II*\0"]),
    st.binary(),
)
def test_any_bytes_are_survived(magic: bytes, data: bytes) -> None:
    location_in(magic + data)
