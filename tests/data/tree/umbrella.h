/* Nothing but others. */
#include "base.h"
#include "whole.h"
