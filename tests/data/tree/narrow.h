#include "config.h"

struct narrow { struct config config; struct config_list list; };
