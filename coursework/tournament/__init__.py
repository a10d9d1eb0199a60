"""The tournament: students' aggregators against students' attacks, round robin on the digits."""
