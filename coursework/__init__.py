"""Graded work and a tournament for a class: `book/teach.md` tells how a class uses them."""
