/* A library with a function of every kind that a package has: a post office. */
#ifndef POST_H
#define POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct post post;
typedef uint32_t post_code;
enum post_speed { POST_SPEED_SLOW, POST_SPEED_FAST };

struct letter {
    post_code to;
    uint16_t weight;
    char stamp[8];
};

struct parcel;
typedef int post_visit(const struct letter *letter, const char *town, void *data);

/* Open the office of a town. */
post *post_open(const char *town, unsigned int flags);
void post_close(post *p);
/* Give the letters a number each; gives how many there are now. */
int post_send(post *p, const struct letter *letters, unsigned int count, uint32_t *number);
int post_each(post *p, post_visit *visit, void *data);
bool post_write(post *p, const void *data, uint16_t size);
int post_read(post *p, void *data, uint32_t size);
const char *post_town(post *p);
char *post_copy(post *p, uint8_t *key);
char **post_towns(post *p, unsigned int *count);
int post_print(post *p, char *line, uint32_t size, const char *format, ...);
double post_price(struct letter letter, float rate, int64_t discount, enum post_speed speed);
/* Have somebody choose a speed, and go faster than that. */
enum post_speed post_hurry(enum post_speed speed,
                           enum post_speed (*choose)(enum post_speed speed, bool is_late));
/* What so many letters weigh together, 0 if there is an error. */
uint64_t post_weight(post *p, unsigned int count);
struct letter post_last(const post *p);
struct letter *post_find(post *p, post_code to);
/* Of the next release: the library has none. */
int post_weigh(post *p, struct parcel *parcel);
void *post_walk(post *p, void *(*step)(post *p, struct letter letter, double price,
                                       int (*next)(void)));
int (*post_next(post *p))(void);
int (*post_grid(post *p, int (**grid)[4]))[4];
/* Wait until another thread is ready, for a second at most. */
int post_wait(volatile int *ready);
/* The text behind the first of these characters, as a place in the text; NULL without one. */
char *post_after(const char *text, const char *characters);
/* A number, and what is behind it. */
long post_number(const char *text, const char **rest);
/* How many texts there are in front of NULL. */
int post_count(const char *const *texts);
/* What it was called once. */
#define post_count_all post_count
/* What the first and the second make of a number, and so on, up to NULL. */
typedef int post_step(int number);
int post_steps(post_step *steps[], int number);
int post_two_steps(int (*const steps[2])(int number), int number);
/* Call what so many functions make of 1, and add it up. */
int post_add(int count, ...);
/* Copy a text; gives its length. */
unsigned int post_wide(const wchar_t *text, wchar_t *copy);
int post_swap(post **one, post **other);
int post_lambda(post *p, int8_t lambda, int (*post_swap)(void));

static inline int post_is_open(post *p) { return p != 0; }

#endif
