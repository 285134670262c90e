#ifndef T_TYPES_H
#define T_TYPES_H
#include <stddef.h>
typedef long ssize_t; typedef long off_t; typedef int pid_t; typedef unsigned mode_t;
#endif
