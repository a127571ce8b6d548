"""Puts a folder into the layout of a Go module proxy: zip_module.py FOLDER MODULE VERSION PROXY."""

import json
import os
import sys
import time
import zipfile
from pathlib import Path

#: Each file gets this time, so that the same folder gives the same bytes.
TIME = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]


def main() -> None:
    folder, module, version, proxy = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
    place = proxy / module / "@v"
    place.mkdir(parents=True, exist_ok=True)
    (place / "list").write_text(f"{version}\n")
    told = {"Version": version, "Time": "%d-%02d-%02dT%02d:%02d:%02dZ" % TIME}
    (place / f"{version}.info").write_text(json.dumps(told) + "\n")
    (place / f"{version}.mod").write_bytes((folder / "go.mod").read_bytes())
    with zipfile.ZipFile(place / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{module}@{version}/{file.relative_to(folder).as_posix()}", TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


main()
