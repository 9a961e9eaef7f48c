"""The commands of `pygen-auth`: what a person at a terminal, or a script, has of this library.

They use what every program can use: the public names, and `diagnose`.
"""
