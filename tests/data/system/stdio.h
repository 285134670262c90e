#ifndef T_STDIO_H
#define T_STDIO_H
typedef struct _IO_FILE FILE;
#endif
