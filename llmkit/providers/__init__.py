"""Models that answer: one seam (``base``), the makers behind it, and what every call needs: slots, money, retries."""
