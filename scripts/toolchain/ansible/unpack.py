"""Unpacks the collection amazon.aws from the archive of the package ansible: unpack.py FOLDER-OF-THE-ARCHIVE INTO."""

import pathlib
import sys
import zipfile

[archive] = pathlib.Path(sys.argv[1]).glob("ansible-*.whl")
with zipfile.ZipFile(archive) as packed:
    packed.extractall(sys.argv[2], [name for name in packed.namelist() if name.startswith("ansible_collections/amazon/aws/")])
