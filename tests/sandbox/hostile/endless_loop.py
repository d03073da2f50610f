"""Never ends.

Ends: cpu or wall
"""

while True:
    pass
