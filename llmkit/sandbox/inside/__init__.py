"""What runs inside a sandbox before the program does. These files import the standard library alone, and each other."""
