"""What a wheel asks for, less some packages, one line each for `pip install -r`: requirements.py WHEEL [PACKAGE …]."""

import re
import sys
from email.parser import HeaderParser
from zipfile import ZipFile

path, *left_out = sys.argv[1:]
with ZipFile(path) as wheel:
    (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    metadata = HeaderParser().parsestr(wheel.read(name).decode())
for line in metadata.get_all("Requires-Dist", []):
    if re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() not in left_out and "extra ==" not in line:
        print(line)
