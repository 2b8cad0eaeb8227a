"""`make bench`: all measurements, one after the other."""
from . import compare, growth, peak

print("The same DeepFM in four libraries")
compare.main()
print("Rows a second as the number of features grows")
growth.main()
print("The share of the machine's peak")
peak.main()
