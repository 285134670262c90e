/* Prototypes as nobody would like to see them: each is right C. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct odd odd;
struct small { char c; short s; };
struct big { uint64_t a[40]; double d; };
struct floats { float x, y; };
struct bits { unsigned a : 3, b : 5; };
union either { int i; void *p; };
enum odd_kind { ODD_A, ODD_B = 5 };
typedef enum { ODD_LOW = -1, ODD_HIGH = 1 } odd_level;
typedef int visit(int);
typedef int (*visitor)(int);
typedef int row[4];

void odd_arrays(int grid[2][3], int cube[][2][3], row r, row rows[2]);
void odd_lengths(int n, int a[static 4], int b[const], int c[restrict 3], int d[n], int e[n][4]);
visitor odd_typedef_result(int which);
visit *odd_pointer_result(void);
int (*odd_function_result(void))(int, char);
int (*odd_array_result(void))[3];
visit odd_by_typedef;
int odd_label(int a) __asm__("" "odd_labelled") __attribute__((nothrow));
int odd_second_label(const char *a, int b) __asm__("odd_labelled_twice");
int odd_third_label(const char *a, int b) __asm__("odd_labelled_twice");
int odd_label_first(int a);
extern __typeof(odd_label_first) odd_label_first __asm__("odd_labelled_first");

struct small odd_records(struct small s, struct big b, struct floats f, struct bits g);
struct big odd_big(struct big b);
struct floats odd_floats(struct floats f);
union either odd_union(union either e);

bool odd_bool(bool a, _Bool b);
char odd_chars(char a, signed char b, unsigned char c);
long double odd_long_double(long double x);
size_t odd_sizes(size_t a, ptrdiff_t b, intptr_t c, uintptr_t d);
void odd_many(int a1, int a2, int a3, int a4, int a5, int a6, int a7, int a8, double d1,
              double d2, double d3, double d4, double d5, double d6, double d7, double d8,
              double d9, int a9, float f1, short s1, char c1);
int odd_variadic(odd *o, int (*each)(void *), const char *format, ...);

int odd_qualifiers(const int a, volatile int b, int *restrict p, const volatile char *restrict q,
                   char *const c, int *const *volatile d);
int odd_unnamed(int, char *, odd *, struct small, void (*)(int));
int odd_keywords(int self, int ctypes, int library, int class, int def, int lambda, int None,
                 int in, int print, int Annotated, int c_int, int odd_keywords);
int odd_underscores(int __a, int __b__, int _, int __);

void odd_octets(unsigned char *out, size_t n);
int odd_out(void **out, const void **c_out, void *const *in);
int odd_pointers(struct small **out, struct small ***outs, odd ***odds,
                 const struct small *const *in);
char *odd_texts(char *a, char **b, const char **c, const char *const *d, char ***e);
int odd_tables(visitor *table, visitor const *constant, visitor **far);

int odd_callbacks(int (*each)(int (*inner)(int), void *), void *p);
int odd_deep(int (*each)(int (*inner)(int (*deep)(void))));
void odd_given(void (*each)(struct big b, struct floats f, bool x, char c, float y,
                            long double z, union either u, enum odd_kind k));
void odd_given_pointers(void (*each)(int *out, char **names, odd *o, odd **os, const char *s,
                                     char *t, const struct small *sm));
enum odd_kind odd_enums(enum odd_kind k, odd_level l, enum odd_kind (*choose)(odd_level l));

int odd_ahead(struct nowhere *p, union nothing *q, struct later *l);
struct later { int a; };
_Noreturn void odd_never(int a);
void odd_never_either(int a, int *b) __attribute__((noreturn));
int odd_always(int a) __attribute__((const));
typedef unsigned char odd_id[16];
typedef int odd_grid[2][3];
int odd_named(const odd_id a, odd_id b, const odd_grid c, const odd_id *d, volatile odd_id e);
double odd_always_either(double a) __attribute__((__const__, __pure__));
int odd_nonnull(const char *s, int *p, int (*each)(int)) __attribute__((nonnull));
__attribute__((visibility("default"))) int odd_visible(int a);
int print(int a);
int class(int a);
int Library(int a);
