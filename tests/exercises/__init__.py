"""The checks of the exercises: right answers pass, typical mistakes get their hint."""
