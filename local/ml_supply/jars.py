"""What a jar holds, by the Maven artifacts in it, those that are shaded too; and under which licences they are."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.component import Component
from packageurl import PackageURL

from ml_supply import licences
from ml_supply.package import library

ARTIFACT = re.compile(r"(META-INF/maven/[^/]+/[^/]+/pom)\.properties")
NAME = re.compile(r"(.+?)-(\d.*)\.jar")
MANIFEST = "META-INF/MANIFEST.MF"
TEXT = re.compile(r"(META-INF/)?(licen[cs]e|copying)([.-].*)?", re.IGNORECASE)


def packages(file: str, content: bytes) -> Iterator[Component]:
    """Each artifact; of a jar that does not tell of any, its name."""
    digest = HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        artifacts = [found[1] for name in archive.namelist() if (found := ARTIFACT.fullmatch(name))]
        for pom in artifacts:
            entry = dict(re.findall(r"^(\w+)\s*=\s*(\S+)", _text(archive, f"{pom}.properties"), re.MULTILINE))
            purl = PackageURL("maven", entry["groupId"], entry["artifactId"], entry["version"])
            alone = len(artifacts) == 1
            stated = _of_the_artifact(_text(archive, f"{pom}.xml")) or (alone and _of_the_whole(archive))
            yield library(purl, licence=stated or licences.terms().by_hand(purl), hashes=[digest] if alone else ())
        if not artifacts:
            named = NAME.fullmatch(file)
            name, version = (named[1], named[2]) if named else (file, None)
            purl = PackageURL("generic", None, name, version)
            yield library(purl, licence=_of_the_whole(archive) or licences.terms().by_hand(purl), hashes=[digest])


def _of_the_artifact(pom: str) -> str:
    """What its own pom offers."""
    listed = re.search(r"<licenses>(.*?)</licenses>", pom, re.DOTALL)
    return licences.terms().offered(re.findall(r"<name>(.*?)</name>", listed[1], re.DOTALL) if listed else [])


def _of_the_whole(archive: zipfile.ZipFile) -> str:
    """What the jar's manifest offers, else the texts in it."""
    header = re.search(r"^Bundle-License: *(.*)", re.sub(r"\r?\n ", "", _text(archive, MANIFEST)), re.MULTILINE)
    offered = licences.terms().offered(header[1].split(",")) if header else ""
    return offered or licences.terms().written(
        [_text(archive, each) for each in archive.namelist() if TEXT.fullmatch(each)]
    )


def _text(archive: zipfile.ZipFile, name: str) -> str:
    """Of a file in the jar; nothing where there is none."""
    return archive.read(name).decode(errors="replace") if name in archive.NameToInfo else ""
