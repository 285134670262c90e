"""Try the examples of a document, and say how many there are: document.py FILE"""

import doctest
import sys

failed, tried = doctest.testfile(sys.argv[1], module_relative=False, encoding="utf-8")
print(tried)
sys.exit(failed > 0)
