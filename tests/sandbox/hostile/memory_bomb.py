"""Takes memory until there is none.

Ends: itself or memory
"""

held = []
while True:
    held.append(bytearray(8 << 20))
    if len(held) * 8 > int("__MEMORY__"):
        print("ESCAPED:", len(held) * 8, "MiB")
