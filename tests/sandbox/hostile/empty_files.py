"""Makes files without content, and without end.

Ends: itself or memory
Deadly: yes
"""

number = 0
while True:
    open(str(number), "w").close()
    number += 1
