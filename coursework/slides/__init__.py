"""Slides for two lectures: text in this folder, figures from the chapters' last run."""
