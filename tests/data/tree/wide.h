#define CONFIG_WIDE
#include "config.h"

struct wide { struct config config; struct config_list list; };
