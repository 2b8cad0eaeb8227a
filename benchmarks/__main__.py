"""`make bench`: all measurements, one after the other."""
from . import compare, conditions, growth, peak

print("The same DeepFM in six libraries")
compare.main()
print("Less of the machine")
conditions.main()
print("Rows a second as the number of features grows")
growth.main()
print("The share of the machine's peak")
peak.main()
