/* Its name is a keyword of Python's. */
#include "9ring.h"

struct in { struct nine nine; struct point *where; };
