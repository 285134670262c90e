#ifndef T_UNISTD_H
#define T_UNISTD_H
#include <sys/types.h>
#endif
