#include "whole.h"

struct whole_again { struct whole whole; struct part part; };
