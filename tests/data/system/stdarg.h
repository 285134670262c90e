#ifndef T_STDARG_H
#define T_STDARG_H
typedef struct xenbind_va_list *va_list;
#endif
