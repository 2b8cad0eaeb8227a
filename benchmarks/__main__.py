"""`make bench`: all measurements, one after the other."""
from . import compare, conditions, growth, operators, own_best, peak

print("The same DeepFM in six libraries")
compare.main()
print("Less of the machine")
conditions.main()
print("Rows a second as the number of features grows")
growth.main()
print("The share of the machine's peak")
peak.main()
print("A step, operator by operator")
operators.main()
print("Each by its own settings, until its own best epoch")
own_best.main()
