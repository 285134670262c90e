/* All that a program of libxl includes; the first has the second and what follows it. */
#include <libxl.h>
#include <_libxl_types.h>
#include <libxl_event.h>
#include <libxl_utils.h>
