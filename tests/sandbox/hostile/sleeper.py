"""Never ends, and takes no processor time.

Ends: wall
"""

import time

while True:
    time.sleep(3600)
